package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"edgescan/internal/config"
)

// edgescanWith runs the program to its end with variables in its environment.
func edgescanWith(t *testing.T, environ []string, args ...string) result {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), asProgram+"=1", "NO_COLOR=1"), environ...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Run() // the code tells
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// TestEveryFlagIsAKey holds the file and the variables to the command line.
func TestEveryFlagIsAKey(t *testing.T) {
	var names []string
	newRun().Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Name != "config" {
			names = append(names, flag.Name)
		}
	})
	variables := map[string]bool{configVariable: true}
	for _, k := range configKeys() {
		if i := slices.Index(names, k.Name); i >= 0 {
			names = slices.Delete(names, i, i+1)
		}
		if variables[k.Variable()] {
			t.Errorf("%s is the variable of two keys", k.Variable())
		}
		variables[k.Variable()] = true
		if k.Help == "" || len(k.Default) != 1 && !k.List {
			t.Errorf("%s has no help, or a default that is none", k.Name)
		}
	}
	if len(names) > 0 {
		t.Errorf("flags without a key: %s", names)
	}
	for _, s := range liveSettings {
		for _, key := range s.keys {
			if newRun().Flags().Lookup(key) == nil {
				t.Errorf("%s is no flag, but live", key)
			}
		}
	}
}

// TestConfigInit takes the comments off the reference file: it sets every key, to
// its default.
func TestConfigInit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "edgescan.yaml")
	if r := edgescan(t, nil, "config", "init", "--out", path); r.code != 0 || r.stdout != "" {
		t.Fatal(r)
	}
	file := string(must(os.ReadFile(path)))
	if r := edgescan(t, nil, "config", "init"); r.stdout != file {
		t.Errorf("another one on standard output: %s", r.stdout)
	}
	if r := edgescan(t, nil, "config", "init", "--out", path); r.code != 2 || !strings.Contains(r.stderr, path+" exists") {
		t.Errorf("over a file: %+v", r)
	}
	var settings []string
	for _, line := range strings.Split(file, "\n") {
		if rest, ok := strings.CutPrefix(line, "#"); ok && rest != "" && !strings.HasPrefix(rest, " ") {
			settings = append(settings, rest)
		}
	}
	keys := configKeys()
	values, err := config.Parse(strings.NewReader(strings.Join(settings, "\n")), path, keys)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		value, ok := values[k.Name]
		if !ok || !slices.Equal(value.Texts, k.Default) {
			t.Errorf("%s: %q, want the default %q", k.Name, value.Texts, k.Default)
		}
	}
	if len(settings) != len(keys) {
		t.Errorf("%d settings, want %d", len(settings), len(keys))
	}
}

func TestConfigErrors(t *testing.T) {
	file := func(text string) string { return write(t, "a.yaml", []byte(text)) }
	for _, test := range []struct {
		name    string
		environ []string
		args    []string
		says    []string
	}{
		{"an unknown key", nil, []string{"run", "--config", file("read: [a]\nmemroy: 32MiB\n")}, []string{"a.yaml:2: ", `"memroy"`, "did you mean memory?"}},
		{"a bad size", nil, []string{"run", "--config", file("\nmemory: much\n")}, []string{"a.yaml:2: memory: want a size such as 32MiB"}},
		{"a number too large", nil, []string{"run", "--config", file("rings: 99999999999999999999\n")}, []string{"a.yaml:1: rings: value out of range"}},
		{"a bad syslog target", nil, []string{"run", "--config", file("syslog: ftp://127.0.0.1:1\n")}, []string{"a.yaml:1: syslog: ", "ftp://127.0.0.1:1"}},
		{"what only run knows", nil, []string{"run", "-r", sample, "--config", file("\n\nmemory: 1MiB\n")}, []string{"--memory 1MiB: want at least", "a.yaml:3"}},
		{"what only run knows, of a variable", []string{"EDGESCAN_MEMORY=1MiB"}, []string{"run", "-r", sample}, []string{"--memory 1MiB: want at least", "from EDGESCAN_MEMORY"}},
		{"a user for files", nil, []string{"run", "-r", sample, "--config", file("user: root\n")}, []string{"--user goes with interfaces", "a.yaml:1"}},
		{"a bad variable", []string{"EDGESCAN_FOLLOW=maybe"}, []string{"run", "-r", sample}, []string{"EDGESCAN_FOLLOW: invalid syntax"}},
		{"no such file", nil, []string{"run", "--config", "nowhere.yaml"}, []string{"nowhere.yaml", "no such file"}},
		{"no such file of a variable", []string{"EDGESCAN_CONFIG=nowhere.yaml"}, []string{"run", "-r", sample}, []string{"nowhere.yaml", "no such file"}},
		{"a folder", nil, []string{"run", "--config", t.TempDir()}, []string{"is a directory"}},
		{"a file that says nothing", nil, []string{"run", "--config", file("")}, []string{"-i", "-r"}},
		{"a key that is no setting", nil, []string{"run", "--config", file("config: x\n")}, []string{`"config": unknown key`}},
		{"check: two files", nil, []string{"config", "check", "a", "b"}, []string{`"b"`}},
		{"check: no such file", nil, []string{"config", "check", "nowhere.yaml"}, []string{"nowhere.yaml"}},
		{"check: a wrong file", nil, []string{"config", "check", file("read: [a]\nfollow: 1\n")}, []string{"a.yaml:2: follow: want true or false"}},
		{"check: a file that watches nothing", nil, []string{"config", "check", file("memory: 32MiB\n")}, []string{"-i", "-r"}},
		{"check: no model", nil, []string{"config", "check", file("read: [a]\nmodel: nowhere.esq\n")}, []string{"nowhere.esq", "a.yaml:2"}},
		{"check: no user", nil, []string{"config", "check", file("interface: [eth0]\nuser: no-such-user\n")}, []string{"no-such-user", "a.yaml:2"}},
		{"a stray argument", nil, []string{"config", "more"}, []string{"more"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := edgescanWith(t, test.environ, test.args...)
			if r.code != 2 || r.stdout != "" {
				t.Errorf("exit code %d, want 2: %s", r.code, r.stdout)
			}
			for _, word := range test.says {
				if !strings.Contains(r.stderr, word) {
					t.Errorf("does not say %q: %s", word, r.stderr)
				}
			}
		})
	}
}

// TestPrecedence has all four say where the lines go, and takes away one after the
// other.
func TestPrecedence(t *testing.T) {
	path := write(t, "a.yaml", []byte("read: [nowhere.pcap]\njson: file.json\nmemory: 48MiB\n"))
	for _, test := range []struct {
		name    string
		environ []string
		file    string
		want    string
	}{
		{"default", nil, "", "json: \"\" # default"},
		{"file", nil, path, "json: file.json # " + path + ":2"},
		{"environment", []string{"EDGESCAN_JSON=environment.json"}, path, "json: environment.json # EDGESCAN_JSON"},
		{"empty environment", []string{"EDGESCAN_JSON="}, path, "json: file.json # " + path + ":2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.file == "" {
				test.file = write(t, "b.yaml", []byte("read: [a]\n"))
			}
			r := edgescanWith(t, test.environ, "config", "check", test.file, "--show")
			got := strings.Join(strings.Fields(r.stdout), " ")
			if r.code != 0 || !strings.Contains(got, test.want) {
				t.Errorf("exit code %d, shows %s %s, want %s", r.code, got, r.stderr, test.want)
			}
		})
	}
	// the flags: of the file nothing but the memory is left
	r := edgescanWith(t, []string{"EDGESCAN_JSON=/nowhere/a.json"}, "run", "--config", path, "-r", sample, "--json", "-")
	if got := strings.Join(starts(t, r.stdout), " "); r.code != 0 || got != wantSources {
		t.Errorf("exit code %d, %s: %s", r.code, got, r.stderr)
	}
}

// TestRunFromConfig runs with nothing on the command line.
func TestRunFromConfig(t *testing.T) {
	absolute, err := filepath.Abs(sample)
	if err != nil {
		t.Fatal(err)
	}
	path := write(t, "a.yaml", []byte("read:\n- "+absolute+"\njson: \"-\"\n"))
	want := edgescan(t, nil, "run", "-r", sample, "--json", "-")
	for name, r := range map[string]result{
		"flag":      edgescan(t, nil, "run", "--config", path),
		"variable":  edgescanWith(t, []string{"EDGESCAN_CONFIG=" + path}, "run"),
		"variables": edgescanWith(t, []string{"EDGESCAN_READ=[" + absolute + "]", "EDGESCAN_JSON=-"}, "run"),
	} {
		if r.code != 0 || r.stdout != want.stdout {
			t.Errorf("%s: exit code %d, other lines: %s", name, r.code, r.stderr)
		}
	}
	if r := edgescan(t, nil, "config", "check", path); r.code != 0 || r.stdout != path+" is right\n" {
		t.Errorf("check: %+v", r)
	}
	r := edgescanWith(t, []string{"EDGESCAN_JSN=x"}, "run", "--config", path)
	if !strings.Contains(r.stderr, "did you mean EDGESCAN_JSON?") {
		t.Errorf("a misspelled variable is not told: %s", r.stderr)
	}
}

// TestShownSettingsRunTheSame: what --show writes is a file that sets the same.
func TestShownSettingsRunTheSame(t *testing.T) {
	path := write(t, "a.yaml", []byte("read: [\"-\", b c]\nfilter: |\n  2\n  48 0 0 0\n  6 0 0 0\njson: \"true\"\nrings: 0x2\n"))
	shown := edgescan(t, nil, "config", "check", path, "--show")
	if shown.code != 0 {
		t.Fatal(shown.stderr)
	}
	keys := configKeys()
	a, err := readConfig(path, keys)
	if err != nil {
		t.Fatal(err)
	}
	b, err := config.Parse(strings.NewReader(shown.stdout), "b", keys)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string(nil), config.Changed(keys, config.Merge(keys, a), config.Merge(keys, b))); diff != "" {
		t.Error(diff)
	}
}
