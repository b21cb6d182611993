package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"edgescan/internal/detect"
)

// cefRecord is what an independent reader, written from the CEF standard, makes
// of a line.
type cefRecord struct {
	header     []string // vendor, product, version, class, name, severity
	extensions map[string]string
}

// cefKey is where a value of an extension ends and the next begins.
var cefKey = regexp.MustCompile(`(?:^| )([A-Za-z0-9_.]+)=`)

func parseCEF(line string) (cefRecord, error) {
	rest, ok := strings.CutPrefix(line, "CEF:0|")
	if !ok || strings.ContainsAny(line, "\r\n\x00") {
		return cefRecord{}, fmt.Errorf("no line of CEF: %q", line)
	}
	r := cefRecord{extensions: map[string]string{}}
	for len(r.header) < 6 {
		var value strings.Builder
		for ; rest != "" && rest[0] != '|'; rest = rest[1:] {
			if rest[0] == '\\' {
				rest = rest[1:]
				if rest == "" || rest[0] != '\\' && rest[0] != '|' {
					return r, fmt.Errorf("bad escape in the header of %q", line)
				}
			}
			value.WriteByte(rest[0])
		}
		if rest == "" {
			return r, fmt.Errorf("%d fields of 6 in the header of %q", len(r.header), line)
		}
		r.header, rest = append(r.header, value.String()), rest[1:]
	}
	keys := cefKey.FindAllStringSubmatchIndex(rest, -1)
	if len(keys) == 0 || keys[0][0] != 0 {
		return r, fmt.Errorf("the extension %q does not begin with a key", rest)
	}
	for i, k := range keys {
		end := len(rest)
		if i+1 < len(keys) {
			end = keys[i+1][0]
		}
		name, value := rest[k[2]:k[3]], rest[k[1]:end]
		if _, twice := r.extensions[name]; twice {
			return r, fmt.Errorf("%s is there twice in %q", name, line)
		}
		plain := strings.NewReplacer(`\\`, `\`, `\=`, "=", `\n`, "\n", `\r`, "\r").Replace(value)
		if strings.Contains(strings.NewReplacer(`\\`, "", `\=`, "").Replace(value), "=") {
			return r, fmt.Errorf("bare equals sign in %s of %q", name, line)
		}
		r.extensions[name] = plain
	}
	return r, nil
}

func mustParseCEF(t *testing.T, line string) cefRecord {
	t.Helper()
	r, err := parseCEF(line)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Types of the extension dictionary.
func cefText(limit int) func(string) bool {
	return func(s string) bool { return s != "" && len(s) <= limit }
}

func cefInteger(low, high int64) func(string) bool {
	return func(s string) bool {
		n, err := strconv.ParseInt(s, 10, 64)
		return err == nil && low <= n && n <= high
	}
}

func cefFloat(s string) bool { _, err := strconv.ParseFloat(s, 64); return err == nil }

func cefAddress(six bool) func(string) bool {
	return func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err == nil && a.Is6() == six
	}
}

// cefDictionary are keys of the extension dictionary of CEF version 0, with
// what the standard says of their values.
var cefDictionary = map[string]func(string) bool{
	"rt": cefInteger(0, 1<<53), "start": cefInteger(0, 1<<53), "end": cefInteger(0, 1<<53),
	"act": cefText(63), "dvchost": cefText(100), "shost": cefText(1023), "proto": cefText(31),
	"externalId": cefText(40), "reason": cefText(1023), "msg": cefText(1023),
	"src": cefAddress(false), "dst": cefAddress(false), "c6a2": cefAddress(true), "c6a3": cefAddress(true),
	"spt": cefInteger(0, 65535), "dpt": cefInteger(0, 65535), "cnt": cefInteger(0, 1<<31-1),
	"cn1": cefInteger(0, 1<<53), "cn2": cefInteger(0, 1<<53), "cn3": cefInteger(0, 1<<53), "cfp1": cefFloat,
	"cs1": cefText(4000), "cs2": cefText(4000), "cs3": cefText(4000), "cs4": cefText(4000), "cs5": cefText(4000), "cs6": cefText(4000),
}

var cefCustom = regexp.MustCompile(`^(cs[1-6]|cn[1-3]|cfp[1-4]|c6a[1-4])$`)

// TestCEFDictionary finds every key in the dictionary, or with the product's
// name before it, its value of the right type and not too long, and a label at
// each custom key.
func TestCEFDictionary(t *testing.T) {
	long := hostile() // but for what no detector can make
	long.Time, long.FirstSeen, long.LastSeen, long.Window = second, second-1e15, second, 1e15
	long.Contacts, long.Hosts, long.Ports, long.Sources = 1<<31-1, 1<<31-1, 1<<31-1, 1<<31-1
	for _, e := range []detect.Event{vertical(), horizontal(), block(), arpSweep(), prefixScan(), distributed(), named(), flooded(), allowed(), long} {
		r := mustParseCEF(t, string(appendCEF(nil, e, testHeader())))
		if n, err := strconv.Atoi(r.header[5]); err != nil || n < 0 || n > 10 {
			t.Errorf("severity %q", r.header[5])
		}
		for key, value := range r.extensions {
			check, known := cefDictionary[key]
			custom, isLabel := strings.CutSuffix(key, "Label")
			switch {
			case known && !check(value):
				t.Errorf("%s=%s is not what the dictionary wants", key, value)
			case known && cefCustom.MatchString(key) && r.extensions[key+"Label"] == "":
				t.Errorf("%s without a label", key)
			case !known && isLabel && r.extensions[custom] == "":
				t.Errorf("%s labels nothing", key)
			case !known && !isLabel && !regexp.MustCompile(`^edgescan[A-Za-z]+$`).MatchString(key):
				t.Errorf("%s is no key of CEF", key)
			}
		}
	}
}

// TestCEFSeverity follows --syslog-severity.
func TestCEFSeverity(t *testing.T) {
	h := testHeader()
	for severity, want := range map[string]string{"emerg": "10", "alert": "9", "crit": "8", "err": "7", "warning": "5", "notice": "3", "info": "2", "debug": "1"} {
		if err := h.SetSeverity("start", severity); err != nil {
			t.Fatal(err)
		}
		if got := mustParseCEF(t, string(appendCEF(nil, vertical(), h))).header[5]; got != want {
			t.Errorf("%s is %s, want %s", severity, got, want)
		}
	}
}

// TestCEFLognorm has liblognorm, which rsyslog reads CEF with, read the lines.
func TestCEFLognorm(t *testing.T) {
	program, err := exec.LookPath("lognormalizer")
	if err != nil {
		t.Skip("lognormalizer is not installed (Debian: apt-get install liblognorm-utils)")
	}
	rules := filepath.Join(t.TempDir(), "cef.rb")
	if err := os.WriteFile(rules, []byte("version=2\nrule=:%f:cef%\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile("testdata/cef.golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-r", rules, "-e", "json")
	cmd.Stdin = bytes.NewReader(lines)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for line := range strings.Lines(string(lines)) {
		var read struct {
			F struct {
				DeviceVendor, DeviceProduct, DeviceVersion, SignatureID, Name, Severity string
				Extensions                                                              map[string]string
			}
		}
		if err := decoder.Decode(&read); err != nil {
			t.Fatal(err)
		}
		want, got := mustParseCEF(t, strings.TrimSuffix(line, "\n")), read.F
		delete(want.extensions, "rt")
		delete(got.Extensions, "t") // it takes the first letter for a space
		if header := []string{got.DeviceVendor, got.DeviceProduct, got.DeviceVersion, got.SignatureID, got.Name, got.Severity}; !slices.Equal(header, want.header) || !maps.Equal(got.Extensions, want.extensions) {
			t.Errorf("read as %+v, want %+v", got, want)
		}
	}
}

// FuzzCEF puts any bytes wherever a stranger's or a user's text stands. The
// reader must find the same keys, and the text as far as it may be written.
func FuzzCEF(f *testing.F) {
	for _, s := range []string{"", "a|b", `\`, `\|`, "x act=forged", "x\nCEF:0|a|b|c|d|e|9|src=1.2.3.4", `a\=b \n`, "\r\n\x00\xff\u00e4", "= =", `\\=`, " msg=x"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		e, h := allowed(), testHeader()
		e.Name, e.Allowed, h.Version, h.Host = name, text, text, text
		plain := mustParseCEF(t, string(appendCEF(nil, allowed(), testHeader())))
		r := mustParseCEF(t, string(appendCEF(nil, e, h)))
		ascii := strings.Map(func(c rune) rune { return rune(clean(byte(c))) }, latin1(text))
		if want := []string{"edgescan", "edgescan", ascii, "scan-vertical", "vertical scan", "5"}; strings.Join(r.header, "\n") != strings.Join(want, "\n") {
			t.Errorf("the header of %q is read as %q, want %q", text, r.header, want)
		}
		lines := strings.Map(func(c rune) rune {
			if c == '\n' || c == '\r' {
				return c
			}
			return rune(clean(byte(c)))
		}, latin1(text))
		for key, value := range plain.extensions {
			want := value
			switch key {
			case "shost":
				want = cleanName(name)
			case "reason":
				want = lines
			case "dvchost":
				if want = lines; text == "-" {
					want = ""
				}
			case "msg":
				e.Flow = detect.Flow{}
				want = message(e)
			}
			if got, ok := r.extensions[key]; got != want || ok != (want != "") {
				t.Errorf("%s is read as %q, want %q", key, got, want)
			}
		}
		if len(r.extensions) > len(plain.extensions) {
			t.Errorf("forged: %v", r.extensions)
		}
	})
}
