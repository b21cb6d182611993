package main

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"edgescan/featurize"
	"edgescan/internal/detect"
)

// allowedLine is what these tests read of a JSON line.
type allowedLine struct {
	SrcIP string `json:"src_ip"`
	Scan  struct {
		State, Direction, Allowed string
		Score                     float64
	}
}

func allowedLines(t *testing.T, lines string) []allowedLine {
	t.Helper()
	var all []allowedLine
	for line := range strings.Lines(lines) {
		var l allowedLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, l)
	}
	return all
}

func TestRulesOnTheSample(t *testing.T) {
	const all, none = wantSources, ""
	file := write(t, "allow.txt", []byte("# known\nsource=10.50.0.66 reason=\"the auditor\"\n\nsource=10.50.0.68 protocols=arp reason=inventory\n"))
	for name, c := range map[string]struct {
		args    []string
		want    string
		summary string
		log     string
	}{
		"no rule":            {nil, all, "allowed=0", ""},
		"source":             {[]string{"--allow", `source=10.50.0.66 reason="the auditor"`}, "10.50.0.67 10.50.0.68", "allowed=1", ""},
		"a prefix":           {[]string{"--allow", `source=10.50.0.0/24 reason="our own"`}, none, "allowed=3", ""},
		"its port":           {[]string{"--allow", `source=10.50.0.67 ports=23 reason=x`}, "10.50.0.66 10.50.0.68", "allowed=1", ""},
		"another port":       {[]string{"--allow", `source=10.50.0.67 ports=24 reason=x`}, all, "allowed=0", ""},
		"some of its ports":  {[]string{"--allow", `source=10.50.0.66 ports=1-1000 reason=x`}, all, "allowed=1", ""},
		"another host's":     {[]string{"--allow", `source=10.50.0.66 destination=10.60.0.6 reason=x`}, all, "allowed=0", ""},
		"its protocol":       {[]string{"--allow", `source=10.50.0.68 protocols=arp reason=x`}, "10.50.0.66 10.50.0.67", "allowed=1", ""},
		"another protocol":   {[]string{"--allow", `source=10.50.0.68 protocols=tcp reason=x`}, all, "allowed=0", ""},
		"its kind":           {[]string{"--allow", `kinds=vertical reason=x`}, "10.50.0.67 10.50.0.68", "allowed=1", ""},
		"other kinds":        {[]string{"--allow", `source=10.50.0.66 kinds=horizontal,block reason=x`}, all, "allowed=0", ""},
		"one after another":  {[]string{"--allow", `source=10.50.0.66 reason=x`, "--allow", `source=10.50.0.67 reason=y`}, "10.50.0.68", "allowed=2", ""},
		"a file":             {[]string{"--allow-file", file}, "10.50.0.67", "allowed=2", ""},
		"expired":            {[]string{"--allow", `source=10.50.0.66 until=2026-11-23 reason=x`}, all, "allowed=0", "a rule has expired"},
		"not yet expired":    {[]string{"--allow", `source=10.50.0.66 until=2026-11-24 reason=x`}, "10.50.0.67 10.50.0.68", "allowed=1", ""},
		"internal off":       {[]string{"--threshold", "internal=off"}, none, "allowed=0", ""},
		"outbound off":       {[]string{"--threshold", "outbound=off"}, all, "allowed=0", ""},
		"what is inside":     {[]string{"--inside", "10.60.0.0/24", "--threshold", "inbound=off"}, "10.50.0.68", "allowed=0", ""},
		"from inside to out": {[]string{"--inside", "10.50.0.0/24", "--threshold", "outbound=off"}, "10.50.0.68", "allowed=0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := edgescan(t, nil, append([]string{"run", "-r", sample, "--json", "-"}, c.args...)...)
			var got []string
			if r.stdout != "" {
				got = starts(t, r.stdout)
			}
			slices.Sort(got)
			if r.code != 0 || strings.Join(got, " ") != c.want {
				t.Errorf("code %d, sources %v, want %s\n%s", r.code, got, c.want, r.stderr)
			}
			if !strings.Contains(r.stderr, c.summary+" ") || strings.Count(r.stderr, "expired") != strings.Count(c.log, "expired") {
				t.Errorf("want %s and %q in\n%s", c.summary, c.log, r.stderr)
			}
			if strings.Contains(r.stdout, `"allowed"`) {
				t.Errorf("shows what it was not asked for:\n%s", r.stdout)
			}
		})
	}
}

func TestAllowedScansAreShownIfAsked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "eve.json")
	r := edgescan(t, nil, "run", "-r", sample, "--json", file, "--show-allowed", "--allow", `source=10.50.0.66 reason="the \"auditor\""`)
	if r.code != 0 || strings.Contains(r.stdout, "10.50.0.66") {
		t.Errorf("code %d, printed\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, l := range allowedLines(t, string(data)) {
		want := ""
		if l.SrcIP == "10.50.0.66" {
			want = `the "auditor"`
			shown++
		}
		if l.Scan.Allowed != want || l.Scan.Direction != "internal" {
			t.Errorf("%+v, want allowed %q and internal", l, want)
		}
	}
	if shown != 2 {
		t.Errorf("%d lines of what is allowed, want a start and an end", shown)
	}
}

func TestRulesDoNotDependOnWorkers(t *testing.T) {
	args := []string{"run", "-r", sample, "--json", "-", "--show-allowed", "--allow", "source=10.50.0.66 ports=1-1000 reason=x", "--allow", "kinds=horizontal reason=y", "--threshold", "internal=0.998", "--workers"}
	want := edgescan(t, nil, append(args, "1")...)
	if want.code != 0 || len(starts(t, want.stdout)) != 3 {
		t.Errorf("code %d:\n%s%s", want.code, want.stdout, want.stderr)
	}
	for _, workers := range []string{"2", "4"} {
		if got := edgescan(t, nil, append(args, workers)...); got.stdout != want.stdout {
			t.Errorf("with %s workers:\n%swith one:\n%s", workers, got.stdout, want.stdout)
		}
	}
}

func TestBadPolicy(t *testing.T) {
	bad := write(t, "allow.txt", []byte("# ours\n\nsource=10.50.0.66 ports=ssh reason=x\n"))
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"rule":          {[]string{"run", "-r", sample, "--allow", "src=10.50.0.66 reason=x"}, `--allow: not a rule: unknown key "src"`},
		"line":          {[]string{"run", "-r", sample, "--allow-file", bad}, `allow.txt: line 3: not a rule: ports: "ssh" is no port`},
		"no file":       {[]string{"run", "-r", sample, "--allow-file", bad + "x"}, "--allow-file: open "},
		"inside":        {[]string{"run", "-r", sample, "--inside", "10.0.0.1/8"}, "--inside: \"10.0.0.1/8\" has bits set"},
		"direction":     {[]string{"run", "-r", sample, "--threshold", "in=0.999"}, `--threshold "in=0.999": want inbound`},
		"low":           {[]string{"run", "-r", sample, "--threshold", "inbound=0.5"}, "below the model's own of 0.99"},
		"tune nothing":  {[]string{"tune"}, "give interfaces (-i), captures (-r)"},
		"tune for file": {[]string{"tune", "-r", sample, "--for", "1h"}, "--for goes with interfaces"},
		"tune no time":  {[]string{"tune", "-i", "lo", "--for", "-1s"}, "--for -1s is too short"},
	} {
		t.Run(name, func(t *testing.T) {
			if r := edgescan(t, nil, c.args...); r.code != 2 || !strings.Contains(r.stderr, c.says) || r.stdout != "" {
				t.Errorf("code %d, want 2 and %q:\n%s", r.code, c.says, r.stderr)
			}
		})
	}
}

// TestTuneProposesWhatSilences takes the rules of tune as they are, and then
// those in comments too.
func TestTuneProposesWhatSilences(t *testing.T) {
	r := edgescan(t, nil, "tune", "-r", sample)
	if r.code != 0 {
		t.Fatalf("code %d: %s", r.code, r.stderr)
	}
	for _, want := range []string{
		`source=10.50.0.67 destination=10.60.0.0/26 ports=23 protocols=tcp until=`,
		`reason="seen by tune: 1 horizontal scan, 64 hosts on port 23 by tcp,arp"`,
		"# Not proposed, for it tries more ports than a service has:\n# source=10.50.0.66 destination=10.60.0.5 protocols=tcp kinds=vertical until=",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %s in\n%s", want, r.stdout)
		}
	}
	for text, want := range map[string]string{
		r.stdout: "10.50.0.66",
		strings.ReplaceAll(r.stdout, "# source", "source"): "",
	} {
		after := edgescan(t, nil, "run", "-r", sample, "--json", "-", "--allow-file", write(t, "allow.txt", []byte(text)))
		var got []string
		if after.stdout != "" {
			got = starts(t, after.stdout)
		}
		if after.code != 0 || strings.Join(got, " ") != want {
			t.Errorf("code %d, with the rules named are %v, want %s:\n%s%s", after.code, got, want, text, after.stderr)
		}
	}
	if again := edgescan(t, nil, "tune", "-r", sample); again.stdout != r.stdout {
		t.Errorf("a second time it proposes\n%s", again.stdout)
	}
}

func TestTuneOfFlows(t *testing.T) {
	log := filepath.Join(t.TempDir(), "conn.log")
	if r := edgescan(t, nil, "synth", "--seed", "3", "--only", "worm", "--flows", "zeek", "-o", log); r.code != 0 {
		t.Fatal(r.stderr)
	}
	r := edgescan(t, nil, "tune", "--flows", log)
	if r.code != 0 || !strings.Contains(r.stdout, `reason="seen by tune: 1 horizontal scan`) {
		t.Errorf("code %d:\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func TestTuneOfADamagedFile(t *testing.T) {
	b := sampleBytes(t)
	r := edgescan(t, nil, "tune", "-r", write(t, "cut.pcap", b[:len(b)-7]))
	if r.code != 1 || !strings.Contains(r.stdout, "ports=23") {
		t.Errorf("code %d, proposed of what could be read:\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := edgescan(t, nil, "tune", "-r", write(t, "none.pcap", b[:24])); r.code != 0 || !strings.Contains(r.stdout, "nothing to allow") {
		t.Errorf("of no packets: code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func TestOwnNetwork(t *testing.T) {
	for name, c := range map[string]struct {
		address string
		uplink  bool
		want    string
	}{
		"a LAN":                         {"192.168.1.1/24", false, "192.168.1.0/24"},
		"behind another gateway":        {"192.168.1.7/24", true, "192.168.1.0/24"},
		"the provider's network":        {"203.0.113.5/20", true, "203.0.113.5/32"},
		"public addresses of ones own":  {"203.0.113.5/28", false, "203.0.113.0/28"},
		"an IPv6 prefix of ones own":    {"2001:db8:1::1/64", false, "2001:db8:1::/64"},
		"the provider's IPv6 network":   {"2001:db8:2::7/64", true, "2001:db8:2::7/128"},
		"link-local towards a provider": {"fe80::1/64", true, "fe80::/64"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ownNetwork(netip.MustParsePrefix(c.address), c.uplink).String(); got != c.want {
				t.Errorf("inside is %s, want %s", got, c.want)
			}
		})
	}
}

func TestDefaultRoutes(t *testing.T) {
	const v4 = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
ppp0	00000000	00000000	0001	0	0	0	00000000	0	0	0
eth0	0000A8C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
tun0	00000000	00000000	0001	0	0	0	00000080	0	0	0
`
	const v6 = `20010db8000100000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001 eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 wan6
`
	if got := defaultRoutes(v4, v6); !slices.Equal(got, []string{"ppp0", "wan6"}) {
		t.Errorf("default routes lead to %v", got)
	}
}

// TestAThresholdIsWaitedFor wants what is named at once without a threshold
// named when the network is as sure as that.
func TestAThresholdIsWaitedFor(t *testing.T) {
	r := edgescan(t, nil, "run", "-r", sample, "--json", "-", "--threshold", "internal=0.9985")
	if got := len(starts(t, r.stdout)); r.code != 0 || got != 3 {
		t.Errorf("code %d, %d starts:\n%s", r.code, got, r.stdout)
	}
	for _, l := range allowedLines(t, r.stdout) {
		if l.Scan.Score < 0.9985 {
			t.Errorf("named with less: %+v", l)
		}
	}
}

// TestPolicyIsReplacedWhilePacketsCome does what a reload does, over and over.
func TestPolicyIsReplacedWhilePacketsCome(t *testing.T) {
	log := zerolog.Nop()
	judge, threshold, err := openModel("", false)
	if err != nil {
		t.Fatal(err)
	}
	f := policyFlags{allow: []string{"source=10.50.0.66 reason=x"}}
	p, err := f.load(log, threshold, nil)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	engine, err := detect.NewEngine(detect.Config{Memory: detect.MinMemory, Key: featurize.DefaultKey, Threshold: threshold, Policy: p}, judge,
		func(e *detect.Event) { named[e.Source.Netip().String()] = e.Allowed == "" })
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{engine: engine, log: log, workers: 2}
	done := make(chan error)
	go func() { done <- w.read(context.Background(), []string{sample}) }()
	for running := true; running; {
		select {
		case err = <-done:
			running = false
		default:
			w.setPolicy(p)
		}
	}
	w.finish(time.Now(), &delivery{})
	if err != nil || named["10.50.0.66"] || !named["10.50.0.67"] || !named["10.50.0.68"] {
		t.Errorf("%v, named %v", err, named)
	}
}
