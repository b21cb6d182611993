package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Prefix is what the variables of the environment begin with.
const Prefix = "EDGESCAN_"

// Environment reads the variables of keys out of an environment, whose items
// are NAME=VALUE. One that is empty counts as not set. The value of a list is
// one item, or several as in a file: [eth0, eth1]. It returns beside them
// what to warn of: variables that look like misspelled ones, in words.
func Environment(environ []string, keys []Key) (values Values, strays []string, err error) {
	values = Values{}
	var errs []error
	for _, item := range environ {
		name, text, _ := strings.Cut(item, "=")
		rest, ours := strings.CutPrefix(name, Prefix)
		if !ours || text == "" {
			continue
		}
		i := slices.IndexFunc(keys, func(k Key) bool { return k.Variable() == name })
		if i < 0 {
			if near := find(keys, nearest(keys, rest)); near != nil {
				strays = append(strays, fmt.Sprintf("%s is no setting, did you mean %s?", name, near.Variable()))
			}
			continue
		}
		texts, err := variable(&keys[i], name, text)
		errs = append(errs, err)
		values[keys[i].Name] = Value{texts, name}
	}
	return values, strays, errors.Join(errs...)
}

// variable reads the value of a variable.
func variable(key *Key, name, text string) ([]string, error) {
	if key.List && strings.HasPrefix(text, "[") {
		values, err := Parse(strings.NewReader(key.Name+": "+text), name, []Key{*key})
		if at := (*Error)(nil); errors.As(err, &at) {
			return nil, &Error{File: name, Problem: at.Problem} // its line and key are not the user's
		}
		return values[key.Name].Texts, err
	}
	if err := key.check(text); err != nil {
		return nil, &Error{File: name, Problem: err.Error()}
	}
	return []string{text}, nil
}

// Settings are the values of all keys.
type Settings map[string]Value

// Merge returns for each key the value of the first of some sources that has
// it, or else the default. What a source says of a key of a group takes the
// place of what those behind it say of the group's others too.
func Merge(keys []Key, sources ...Values) Settings {
	merged := Settings{}
	for i := range keys {
		merged[keys[i].Name] = Value{keys[i].Default, Default}
	}
	decided := map[string]bool{} // keys, and groups with a dot before
	for _, source := range sources {
		groups := map[string]bool{}
		for i := range keys {
			k := &keys[i]
			value, has := source[k.Name]
			if !has || decided[k.Name] || k.Group != "" && decided["."+k.Group] {
				continue
			}
			merged[k.Name] = value
			decided[k.Name] = true
			groups[k.Group] = true
		}
		for group := range groups {
			decided["."+group] = true
		}
	}
	return merged
}

// Changed returns the names of the keys that have other values in b, in the
// order of keys.
func Changed(keys []Key, a, b Settings) []string {
	var names []string
	for i := range keys {
		if name := keys[i].Name; !slices.Equal(a[name].Texts, b[name].Texts) {
			names = append(names, name)
		}
	}
	return names
}
