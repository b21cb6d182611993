package config

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// keys are of every type.
var keys = []Key{
	{Name: "interface", List: true, Group: "input", Help: "interface to watch"},
	{Name: "read", List: true, Group: "input", Help: "file to read"},
	{Name: "allow", List: true, Help: strings.Repeat("a rule and more of it ", 12), Check: func(text string) error {
		if strings.Contains(text, "everything") {
			return errors.New("that is too much")
		}
		return nil
	}},
	{Name: "hosts-file", Default: []string{"/etc/hosts"}, Help: "names", Note: "Live."},
	{Name: "json", Default: []string{""}, Help: "file"},
	{Name: "memory", Default: []string{"32MiB"}, Help: "size", Check: func(text string) error {
		if text == "much" {
			return errors.New("want a size such as 32MiB")
		}
		return nil
	}},
	{Name: "rings", Kind: Number, Default: []string{"1"}, Help: "how many"},
	{Name: "ratio", Kind: Number, Default: []string{"0.5"}, Help: "of it"},
	{Name: "follow", Kind: Bool, Default: []string{"false"}, Help: "go on"},
}

// texts returns the texts of values.
func texts(values map[string]Value) map[string][]string {
	m := map[string][]string{}
	for name, v := range values {
		m[name] = v.Texts
	}
	return m
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name, file string
		want       map[string][]string
	}{
		{"nothing", "", map[string][]string{}},
		{"comments", "# nothing\n", map[string][]string{}},
		{"an empty document", "---\n", map[string][]string{}},
		{"scalars as they stand", "memory: 33554432\nrings: 0x10\nratio: 0.50\nfollow: true\njson: 2027-01-01\n",
			map[string][]string{"memory": {"33554432"}, "rings": {"0x10"}, "ratio": {"0.50"}, "follow": {"true"}, "json": {"2027-01-01"}}},
		{"quotes", "json: \"-\"\nhosts-file: 'true'\n", map[string][]string{"json": {"-"}, "hosts-file": {"true"}}},
		{"an empty text", `json: ""`, map[string][]string{"json": {""}}},
		{"lines", "json: |-\n  4\n  40 0 0 12\n", map[string][]string{"json": {"4\n40 0 0 12"}}},
		{"lists", "interface: [eth0, \"1\"]\nread: []\nallow:\n- a=b\n", map[string][]string{"interface": {"eth0", "1"}, "read": {}, "allow": {"a=b"}}},
		{"a list of one", "interface: eth0\n", map[string][]string{"interface": {"eth0"}}},
		{"a mapping as an item", "allow:\n- source: 10.0.0.9\n  kinds: [horizontal, block]\n  ports: [22, 8000-8100]\n  until: 2027-01-01\n  reason: the monitoring host\n",
			map[string][]string{"allow": {`source=10.0.0.9 kinds=horizontal,block ports=22,8000-8100 until=2027-01-01 reason="the monitoring host"`}}},
		{"a mapping with quotes", `allow: [{reason: 'a "b" \ c', note: "", tab: "a\tb"}]`, map[string][]string{"allow": {`reason="a \"b\" \\ c" note="" tab="` + "a\tb\""}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			values, err := Parse(strings.NewReader(test.file), "a.yaml", keys)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, texts(values)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct {
		name, file string
		want       []string // what begins each line
	}{
		{"a misspelled key", "follow: true\nmemroy: 1\n", []string{`a.yaml:2: "memroy": unknown key, did you mean memory?`}},
		{"an underscore", "hosts_file: x\n", []string{`a.yaml:1: "hosts_file": unknown key, did you mean hosts-file?`}},
		{"a key like none", "colour: red\n", []string{`a.yaml:1: "colour": unknown key ('edgescan config init' lists all)`}},
		{"a key with what no terminal should get", "\"a\\eb\": 1\n", []string{`a.yaml:1: "a\x1bb": unknown key`}},
		{"twice", "json: a\n\njson: b\n", []string{"a.yaml:3: json: is there twice, first in line 1"}},
		{"a text for a truth", "follow: yes\n", []string{`a.yaml:1: follow: want true or false, not "yes"`}},
		{"a text for a number", "rings: \"4\"\n", []string{`a.yaml:1: rings: want a number without quotes, not "4"`}},
		{"a truth for a text", "json: true\n", []string{"a.yaml:1: json: want a text, not true (put a text in quotes)"}},
		{"nothing", "json:\nrings: ~\n", []string{"a.yaml:1: json: want a text, not nothing", "a.yaml:2: rings: want a number without quotes, not nothing"}},
		{"a mapping for a list", "allow:\n  source: a\n", []string{"a.yaml:1: allow: want a list, not keys with values: write each value in a line"}},
		{"nothing for a list", "interface:\n", []string{"a.yaml:1: interface: want a list, not nothing"}},
		{"a list for a text", "json: [a, b]\n", []string{"a.yaml:1: json: want a text, not a list"}},
		{"a mapping for a text", "json: {a: b}\n", []string{"a.yaml:1: json: want a text, not keys with values"}},
		{"a list in a list", "read:\n- a\n- [b]\n", []string{"a.yaml:3: read: want a text, not a list"}},
		{"nothing in a list", "read:\n- a\n-\n", []string{"a.yaml:3: read: want a text, not nothing"}},
		{"a value that its check refuses", "\nmemory: much\n", []string{"a.yaml:2: memory: want a size such as 32MiB"}},
		{"an item that its check refuses", "allow:\n- a=b\n- everything\n", []string{"a.yaml:3: allow: that is too much"}},
		{"a mapping that its check refuses", "allow:\n- a: b\n- c: everything\n", []string{"a.yaml:3: allow: that is too much"}},
		{"a mapping that is too deep", "allow:\n- a: {b: c}\n", []string{`a.yaml:2: allow: "a": want a value or a list of such, not keys with values`}},
		{"nothing in a mapping", "allow:\n- a: b\n  c:\n", []string{`a.yaml:3: allow: "c": want a value`}},
		{"twice in a mapping", "allow:\n- a: b\n  a: c\n", []string{`a.yaml:3: allow: "a" is there twice`}},
		{"a name that breaks the text", "allow:\n- \"a b\": c\n", []string{`a.yaml:2: allow: want NAME: VALUE, but the name is "a b"`}},
		{"an alias", "json: &x a\nhosts-file: *x\n", []string{"a.yaml:2: hosts-file: want a text, not an alias (*x)"}},
		{"an unknown alias", "json: *x\n", []string{"a.yaml: unknown anchor 'x'"}},
		{"no mapping", "- a\n- b\n", []string{"a.yaml:1: want lines of KEY: VALUE, not a list"}},
		{"a key that is a list", "[a]: b\n", []string{"a.yaml:1: want a key, not a list"}},
		{"two documents", "json: a\n---\njson: b\n", []string{"a.yaml:2: a second document"}},
		{"a dash", "rings: 1\njson: -\n", []string{`a.yaml:2: block sequence entries are not allowed in this context (a value that is a dash goes in quotes: "-")`}},
		{"a dash in the first line", "json: -\n", []string{"a.yaml:1: block sequence entries"}},
		{"a tab", "rings: 1\n\tjson: x\n", []string{"a.yaml:2: found a tab"}},
		{"a bracket left open", "\nread: [a\nrings: 1\n", []string{"a.yaml:2: did not find expected"}},
		{"an item too many", "json: a\n- b\n", []string{"a.yaml:2: did not find expected key"}},
		{"a colon too many", "rings: 1\njson: a: b\n", []string{"a.yaml:2: mapping values are not allowed"}},
		{"a control character", "rings: 1\njson: \x01\n", []string{"a.yaml:2: byte 0x01"}},
		{"no UTF-8", "rings: 1\n\njson: \xff\n", []string{"a.yaml:3: byte 0xff"}},
		{"too large", strings.Repeat("#\n", maxFile/2+1), []string{"a.yaml: larger than"}},
		{"several", "memroy: 1\njson: [a]\nrings: x\n", []string{"a.yaml:1: ", "a.yaml:2: json: ", "a.yaml:3: rings: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			values, err := Parse(strings.NewReader(test.file), "a.yaml", keys)
			if !errors.Is(err, ErrConfig) || values != nil {
				t.Fatalf("values %v, error %v", values, err)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(test.want) {
				t.Fatalf("says %q", lines)
			}
			for i, want := range test.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("says %s, want %s", lines[i], want)
				}
			}
		})
	}
}

func TestErrorsAreBounded(t *testing.T) {
	var file strings.Builder
	for i := range 1000 {
		file.WriteString("nonsense" + strconv.Itoa(i) + ": x\n")
	}
	_, err := Parse(strings.NewReader(file.String()), "a.yaml", keys)
	if n := strings.Count(err.Error(), "\n") + 1; n != maxErrors {
		t.Errorf("%d lines, want %d", n, maxErrors)
	}
}

func TestEnvironment(t *testing.T) {
	values, strays, err := Environment([]string{
		"PATH=/bin", "EDGESCAN_JSON=a.json", "EDGESCAN_HOSTS_FILE=", "EDGESCAN_INTERFACE=eth0", "EDGESCAN_READ=[a, 'b c']",
		"EDGESCAN_ALLOW=[{source: 10.0.0.9, reason: a host}]", "EDGESCAN_FOLOW=true", "EDGESCAN_SERVICE_HOST=10.0.0.1",
	}, keys)
	if err != nil {
		t.Fatal(err)
	}
	want := Values{
		"json":      {[]string{"a.json"}, "EDGESCAN_JSON"},
		"interface": {[]string{"eth0"}, "EDGESCAN_INTERFACE"},
		"read":      {[]string{"a", "b c"}, "EDGESCAN_READ"},
		"allow":     {[]string{`source=10.0.0.9 reason="a host"`}, "EDGESCAN_ALLOW"},
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Error(diff)
	}
	if len(strays) != 1 || strays[0] != "EDGESCAN_FOLOW is no setting, did you mean EDGESCAN_FOLLOW?" {
		t.Errorf("strays %q", strays)
	}
	for item, want := range map[string]string{
		"EDGESCAN_MEMORY=much":    "EDGESCAN_MEMORY: want a size",
		"EDGESCAN_READ=[a":        "EDGESCAN_READ: did not",
		"EDGESCAN_READ=[a, [b]]":  "EDGESCAN_READ: want a text, not a list",
		"EDGESCAN_ALLOW=[a] more": "EDGESCAN_ALLOW: did not",
	} {
		if _, _, err := Environment([]string{item}, keys); !errors.Is(err, ErrConfig) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", item, err, want)
		}
	}
}

func TestMerge(t *testing.T) {
	one := func(from string, texts ...string) Value { return Value{texts, from} }
	line := Values{"json": one("--json", "l")}
	environment := Values{"json": one("E", "e"), "memory": one("E", "1MiB"), "read": one("E", "r.pcap")}
	file := Values{"json": one("a:1", "f"), "memory": one("a:2", "2MiB"), "rings": one("a:3", "3"), "interface": one("a:4", "eth0")}
	got := Merge(keys, line, environment, file)
	for name, want := range map[string]Value{
		"json":      one("--json", "l"),
		"memory":    one("E", "1MiB"),
		"rings":     one("a:3", "3"),
		"read":      one("E", "r.pcap"),
		"interface": {nil, Default}, // its group's place is taken
		"ratio":     one(Default, "0.5"),
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	both := Merge(keys, Values{"read": one("--read", "a"), "interface": one("--interface", "b")})
	if len(both["read"].Texts) != 1 || len(both["interface"].Texts) != 1 {
		t.Error("of one source both keys of a group count")
	}
	other := Merge(keys, line, environment)
	if diff := cmp.Diff([]string{"rings"}, Changed(keys, got, other)); diff != "" {
		t.Error(diff)
	}
}

// TestReferenceRoundTrip: with the comments taken off, the reference file sets
// every key to its default.
func TestReferenceRoundTrip(t *testing.T) {
	var b bytes.Buffer
	if err := Reference(&b, "head\n\nof the file", keys); err != nil {
		t.Fatal(err)
	}
	if values, err := Parse(&b, "a", keys); err != nil || len(values) != 0 {
		t.Errorf("as it is it sets %v, %v", values, err)
	}
	if err := Reference(&b, "head", keys); err != nil {
		t.Fatal(err)
	}
	var settings strings.Builder
	for _, line := range strings.Split(b.String(), "\n") {
		if len(line) > 90 {
			t.Errorf("a long line: %s", line)
		}
		if rest, ok := strings.CutPrefix(line, "#"); ok && !strings.HasPrefix(rest, " ") {
			line = rest
		}
		settings.WriteString(line + "\n")
	}
	values, err := Parse(strings.NewReader(settings.String()), "a", keys)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(texts(Merge(keys)), texts(Merge(keys, values)), cmp.Transformer("none", func(s []string) string { return strings.Join(s, "|") })); diff != "" {
		t.Error(diff)
	}
	if len(values) != len(keys) {
		t.Errorf("%d keys, want %d", len(values), len(keys))
	}
}

// FuzzParse: whatever the file, Parse ends with values or with errors that have
// lines of it, and what Show writes of values reads as the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"interface: [eth0]\nmemory: 32MiB\nfollow: true\nrings: 2\n",
		"allow:\n- source: 10.0.0.9\n  kinds: [a, b]\n  reason: 'x \"y\" \\ z'\n",
		"json: -\n", "a: &a [*a]\n", "json: |\n  a\n  b\n", "? [a]\n: b\n", "<<: {json: a}\n", "%YAML 1.1\n---\njson: a\n...\n", "\ufeffjson: \u0085\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		values, err := Parse(strings.NewReader(file), "a", keys)
		if err != nil {
			checkErrors(t, err, strings.Count(file, "\n")+strings.Count(file, "\r")+2)
			return
		}
		settings := Merge(keys, values)
		var b bytes.Buffer
		if err := Show(&b, keys, settings); err != nil {
			t.Fatal(err)
		}
		again, err := Parse(bytes.NewReader(b.Bytes()), "b", keys)
		if err != nil {
			t.Fatalf("%v in\n%s", err, &b)
		}
		if diff := cmp.Diff(Changed(keys, settings, Merge(keys, again)), []string(nil)); diff != "" {
			t.Fatalf("%s in\n%s", diff, &b)
		}
	})
}

// checkErrors wants all errors to be of lines that a file has.
func checkErrors(t *testing.T, err error, lines int) {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatal(err)
	}
	for _, e := range joined.Unwrap() {
		var one *Error
		if !errors.As(e, &one) || one.Line < 0 || one.Line > lines || strings.ContainsAny(one.Error(), "\x1b\x00") {
			t.Fatalf("%v, of %d lines", e, lines)
		}
	}
}

// TestQuotesAreYAML holds what Go quotes to what YAML reads.
func TestQuotesAreYAML(t *testing.T) {
	for _, text := range []string{"", "-", "true", "No", "~", "null", "a: b", "a #b", "#", "1", "1_0", "0x1F", "é", "a\n\tb", "\u2028\ufeff\U0001f600", `"\`, "2027-01-01", "a:", "%", "@a", "=", "<<"} {
		var m map[string]string
		if err := yaml.Unmarshal([]byte("k: "+scalar(&keys[4], text)), &m); err != nil || m["k"] != text {
			t.Errorf("%q: %q, %v", text, m["k"], err)
		}
	}
}
