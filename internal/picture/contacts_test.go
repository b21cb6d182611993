package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgescan/capture"
	"edgescan/featurize"
)

var plotOptions = Options{Title: "10.50.0.66", Note: "60 s", PortName: func(port uint16) string {
	if port == 22 {
		return "ssh 22"
	}
	return fmt.Sprint(port)
}}

func host(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 60, byte(i >> 8), byte(i)}) }

// ports is a vertical scan, after an ARP request.
func ports(n int) []Contact {
	list := []Contact{{host(1), capture.ProtoARP, 0, featurize.ChannelProductive}}
	for i := range n {
		c := Contact{host(5), capture.ProtoTCP, uint16(i*7%n + 1), featurize.ChannelRefused}
		if i%40 == 0 {
			c.Channel = featurize.ChannelAnswered
		}
		list = append(list, c)
	}
	return list
}

// sweep is a horizontal one.
func sweep(n int) (list []Contact) {
	for i := range n {
		list = append(list, Contact{host(i * 3), capture.ProtoTCP, 23, featurize.ChannelSilent})
	}
	return list
}

// everyOutcome has all of them alone, and all in one place.
func everyOutcome() (list []Contact) {
	for k := range colours {
		list = append(list, Contact{host(k), capture.ProtoTCP, uint16(20 + k), k}, Contact{host(9), capture.ProtoUDP, 53, k}, Contact{host(k), capture.ProtoICMP, 8, k})
	}
	return append(list, Contact{netip.MustParseAddr("2001:db8:1234:5678:9abc:def0:1234:5678"), capture.ProtoICMPv6, 128, featurize.ChannelSilent})
}

// crowd touches more hosts and ports than there are rows and columns.
func crowd(n int) (list []Contact) {
	for i := range n {
		list = append(list, Contact{host(i * 7919 % 5003), capture.ProtoUDP, uint16(i * 104729), i % len(colours)})
	}
	return list
}

// TestGoldenSVG compares SVG with that in testdata, byte for byte.
func TestGoldenSVG(t *testing.T) {
	options := plotOptions
	options.Format = SVG
	for name, draw := range map[string]func(io.Writer) error{
		"contacts-every":      func(w io.Writer) error { return Contacts(w, everyOutcome(), options) },
		"contacts-horizontal": func(w io.Writer) error { return Contacts(w, sweep(20), options) },
		"vertical":            func(w io.Writer) error { return Draw(w, verticalScan(), options) },
	} {
		var got bytes.Buffer
		if err := draw(&got); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name+".golden.svg")
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s differs from %s", name, path)
		}
	}
}

// TestEveryContactIsCounted: whatever shares a place, the legend tells all.
func TestEveryContactIsCounted(t *testing.T) {
	for _, n := range []int{0, 1, 5, 4000} {
		p := newPlot(crowd(n), pixels)
		sum := 0
		for _, k := range p.contacts {
			sum += k
		}
		if sum != n {
			t.Errorf("%d contacts are counted of %d", sum, n)
		}
		for at := range p.marks {
			if at.X < 0 || at.X+p.cell.X > p.span || at.Y < 0 || at.Y >= len(p.rows) {
				t.Errorf("%d contacts: a mark at %v of %d by %d", n, at, p.span, len(p.rows))
			}
		}
	}
}

func TestContactsWriteError(t *testing.T) {
	for _, f := range []Format{PNG, SVG} {
		if err := Contacts(fullDisk{}, sweep(3), Options{Format: f}); !errors.Is(err, errFull) {
			t.Errorf("got %v, want %v", err, errFull)
		}
	}
}

// FuzzSVG puts any text into a picture: it stays text.
func FuzzSVG(f *testing.F) {
	for _, s := range []string{"<script>alert(1)</script>", "\"><b>", "\x00\xff&amp;", "]]>"} {
		f.Add(s, uint16(3), uint8(9))
	}
	f.Fuzz(func(t *testing.T, text string, n uint16, proto uint8) {
		contacts := crowd(int(n % 600))
		for i := range contacts {
			contacts[i].Proto = capture.Proto(proto)
			contacts[i].Channel = int(int8(n)) * i
		}
		var b bytes.Buffer
		name := func(uint16) string { return text }
		if err := Contacts(&b, contacts, Options{Format: SVG, Title: text, Note: text, PortName: name}); err != nil {
			t.Fatal(err)
		}
		checkSVG(t, b.String())
	})
}

// checkSVG reports what is not well-formed, and elements that pictures do not have.
func checkSVG(t *testing.T, svg string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && !strings.Contains(" svg title path text ", " "+e.Name.Local+" ") {
			t.Errorf("element %q", e.Name.Local)
		}
	}
}
