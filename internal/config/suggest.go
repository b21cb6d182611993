package config

import "strings"

// find returns the key of a name, nil if there is none.
func find(keys []Key, name string) *Key {
	for i := range keys {
		if keys[i].Name == name {
			return &keys[i]
		}
	}
	return nil
}

// didYouMean returns the end of an error on a name that is no key.
func didYouMean(keys []Key, name string) string {
	if near := nearest(keys, name); near != "" {
		return ", did you mean " + near + "?"
	}
	return " ('edgescan config init' lists all)"
}

// nearest returns the key whose name one may have meant, empty if none is like
// it: at most a third of it has to be typed anew.
func nearest(keys []Key, name string) string {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if len(name) > 64 {
		return ""
	}
	best, least := "", len(name)/3+1
	for i := range keys {
		if d := distance(name, keys[i].Name); d < least {
			best, least = keys[i].Name, d
		}
	}
	return best
}

// distance returns how many bytes must be put in, taken out, replaced or
// swapped with the next to make b of a: the optimal string alignment distance.
func distance(a, b string) int {
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
