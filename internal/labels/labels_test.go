package labels

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edgescan/capture"
)

func addrs(t *testing.T, list string) []capture.Addr {
	t.Helper()
	a, err := parseAddrs(list)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestParse(t *testing.T) {
	got, err := parse(strings.NewReader(`kind,file,scanners,extra,ignore,repo
vertical,a.pcap,10.0.0.1;fd00::1,x,,r
benign,b.pcap,,x,10.0.0.9,r
robustness,c.pcap,,x,*,r
benign,d.pcap,,x,,
horizontal,d.pcap,10.0.0.2,x,,
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Capture{
		{File: "a.pcap", Kind: "vertical", Scanners: addrs(t, "10.0.0.1;fd00::1"), Repo: "r"},
		{File: "b.pcap", Kind: "benign", Ignored: addrs(t, "10.0.0.9"), Repo: "r"},
		{File: "c.pcap", Kind: "robustness", IgnoreAll: true, Repo: "r"},
		{File: "d.pcap", Kind: "horizontal", Scanners: addrs(t, "10.0.0.2")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !got[0].Scan() || got[0].Benign() || !got[1].Benign() || got[2].Benign() || !got[3].Scan() {
		t.Error("scan and benign mixed up")
	}
	for _, c := range []struct {
		capture int
		addr    string
		want    bool
	}{{0, "10.0.0.1", true}, {0, "10.9.9.9", true}, {1, "10.0.0.9", false}, {1, "10.0.0.8", true}, {2, "10.0.0.8", false}} {
		if got := got[c.capture].Scored(addrs(t, c.addr)[0]); got != c.want {
			t.Errorf("capture %d scores %s: %v", c.capture, c.addr, got)
		}
	}
}

func TestBadLabels(t *testing.T) {
	for name, text := range map[string]string{
		"empty":               "",
		"no column":           "file,kind\na.pcap,benign\n",
		"bad address":         "file,scanners,kind\na.pcap,10.0.0.300,vertical\n",
		"bad ignored address": "file,scanners,kind,ignore\na.pcap,,benign,me\n",
		"path out of the dir": "file,scanners,kind\n../a.pcap,,benign\n",
		"no file":             "file,scanners,kind\n,,benign\n",
		"row too short":       "file,scanners,kind\na.pcap\n",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "labels.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); !errors.Is(err, ErrLabels) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("file,scanners,kind\na.pcap,10.0.0.1,vertical\n")
	f.Fuzz(func(t *testing.T, text string) {
		captures, err := parse(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, c := range captures {
			if !filepath.IsLocal(c.File) {
				t.Errorf("file %q", c.File)
			}
		}
	})
}
