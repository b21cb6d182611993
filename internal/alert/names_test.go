package alert

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"edgescan/internal/detect"
)

const hostsFile = `# comment
127.0.0.1	localhost
10.50.0.66  printer printer.lan  # by the window
10.50.0.66  again
::ffff:10.50.0.67 mapped
fe80::1%eth0 router
10.50.0.68
not-an-address name
10.50.0.69 10.50.0.1
`

const dnsmasqLeases = `1795400000 b8:27:eb:01:02:03 10.50.0.66 laptop 01:b8:27:eb:01:02:03
1795400000 b8:27:eb:01:02:04 10.50.0.70 * *
1795400000 b8:27:eb:01:02:05 10.50.0.71 evil"];end *
duid 00:01:00:01:2c
1795400000 12345678 2001:db8::71 phone 00:01
`

const iscLeases = `# The format of this file is documented in the dhcpd.leases(5) manual page.
lease 10.50.0.80 {
  starts 1 2026/11/23 01:00:00;
  client-hostname "old";
}
lease 10.50.0.81 {
  client-hostname "gone";
}
lease 10.50.0.80 {
  hardware ethernet b8:27:eb:01:02:03;
  client-hostname "camera";
}
lease 10.50.0.81 {
  binding state free;
}
`

func textNames(names map[netip.Addr]string) map[string]string {
	text := map[string]string{}
	for a, n := range names {
		text[a.String()] = n
	}
	return text
}

func TestNamesFiles(t *testing.T) {
	for _, test := range []struct {
		name string
		got  map[netip.Addr]string
		want map[string]string
	}{
		{"hosts", parseHosts(strings.NewReader(hostsFile)), map[string]string{"127.0.0.1": "localhost", "10.50.0.66": "printer", "10.50.0.67": "mapped", "fe80::1": "router"}},
		{"dnsmasq", parseLeases(strings.NewReader(dnsmasqLeases)), map[string]string{"10.50.0.66": "laptop", "10.50.0.71": "evil___end", "2001:db8::71": "phone"}},
		{"ISC dhcpd", parseLeases(strings.NewReader(iscLeases)), map[string]string{"10.50.0.80": "camera"}},
		{"binary", parseLeases(strings.NewReader("\x00\xff lease {\n}\n")), map[string]string{}},
	} {
		if d := cmp.Diff(test.want, textNames(test.got)); d != "" {
			t.Errorf("%s: %s", test.name, d)
		}
	}
}

// TestNamesForgeNothing has names that would end a line, a string or a field.
func TestNamesForgeNothing(t *testing.T) {
	for name, want := range map[string]string{
		"printer":               "printer",
		"a\n<0>b":               "a__0_b",
		`x" "evil": "`:          "x___evil____",
		"10.50.0.1":             "",
		"*":                     "",
		"":                      "",
		strings.Repeat("n", 99): strings.Repeat("n", maxName),
		"küche":                 "k__che",
		"a) vertical":           "a__vertical",
	} {
		if got := cleanName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
		e := vertical()
		e.Name = name
		checkFormats(t, e)
	}
}

// TestNamesFollowTheFile changes a lease file as dnsmasq does, in place, and
// as dhcpd does, by a new one; and has it missing at first.
func TestNamesFollowTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dhcp.leases")
	var reports []error
	n := NewNames("", path, func(err error) { reports = append(reports, err) })
	clock := time.Now()
	n.now = func() time.Time { return clock }
	check := func(what, want string) {
		t.Helper()
		clock = clock.Add(namesInterval)
		e := vertical()
		if n.Name(&e); e.Name != want {
			t.Errorf("%s: %q, want %q", what, e.Name, want)
		}
	}
	check("missing", "")
	check("still missing", "")
	if len(reports) != 1 || !errors.Is(reports[0], ErrNames) || !errors.Is(reports[0], os.ErrNotExist) {
		t.Errorf("reported %v, want once that it is missing", reports)
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(path, "1 aa 10.50.0.66 one *\n")
	check("there", "one")
	write(path, "1 aa 10.50.0.66 other *\n")
	check("in place", "other")
	write(path+".new", "1 aa 10.50.0.66 third *\n")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	e := vertical()
	if n.Name(&e); e.Name != "other" {
		t.Errorf("at once: %q: the file is looked at before %v", e.Name, namesInterval)
	}
	check("a new one", "third")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	check("removed", "third")
	if len(reports) != 2 {
		t.Errorf("reported %v, want that it is gone as well", reports)
	}
}

func TestNamesOfHostsOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(path, []byte("10.60.0.5 server\n10.50.0.66 printer\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	n := NewNames(path, "", func(err error) { t.Error(err) })
	for _, test := range []struct {
		e    detect.Event
		want string
	}{{vertical(), "printer"}, {distributed(), ""}, {prefixScan(), ""}} {
		if n.Name(&test.e); test.e.Name != test.want {
			t.Errorf("scope %v: %q, want %q", test.e.Scope, test.e.Name, test.want)
		}
	}
	var err error
	NewNames(t.TempDir(), "", func(e error) { err = e })
	if !errors.Is(err, ErrNames) {
		t.Errorf("a folder: %v", err)
	}
}
