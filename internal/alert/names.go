package alert

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"edgescan/internal/detect"
)

// ErrNames is what Names tells where a file cannot be used.
var ErrNames = errors.New("names not read")

// Bounds of names, which strangers choose: a DHCP client says what it is called.
const (
	maxName      = 32      // bytes
	maxNames     = 4096    // of a file
	maxNamesFile = 1 << 20 // bytes of a file that are read
)

// namesInterval is how often a file is looked at, and only while there are
// alerts.
const namesInterval = 5 * time.Second

// Names knows what the hosts of a network are called, from a hosts file
// (hosts(5)) and the leases of dnsmasq or ISC dhcpd. It reads a file again when
// that has changed. It is not safe for concurrent use.
type Names struct {
	hosts, leases namesFile
	report        func(error)
	now           func() time.Time
	looked        time.Time
}

// namesFile is one file as it was when it was read.
type namesFile struct {
	path  string
	parse func(io.Reader) map[netip.Addr]string
	info  os.FileInfo
	names map[netip.Addr]string
	err   string // what was reported last, "" for nothing
}

// NewNames reads the files; a path that is empty is none. What cannot be read
// is reported, once until that changes, and its names are those that it had: a
// lease file may come to be only later.
func NewNames(hosts, leases string, report func(error)) *Names {
	n := &Names{
		hosts:  namesFile{path: hosts, parse: parseHosts},
		leases: namesFile{path: leases, parse: parseLeases},
		report: report,
		now:    time.Now,
	}
	n.refresh()
	return n
}

// Name gives an Event of a host its name, if there is one: that of the hosts
// file before that of a lease.
func (n *Names) Name(e *detect.Event) {
	if n.now().Sub(n.looked) >= namesInterval {
		n.refresh()
	}
	if groupOf(*e) != nil {
		return
	}
	a := e.Source.Netip()
	if e.Name = n.hosts.names[a]; e.Name == "" {
		e.Name = n.leases.names[a]
	}
}

func (n *Names) refresh() {
	n.looked = n.now()
	for _, f := range []*namesFile{&n.hosts, &n.leases} {
		if f.path == "" {
			continue
		}
		if err := f.refresh(); err == nil {
			f.err = ""
		} else if text := err.Error(); text != f.err {
			f.err = text
			n.report(fmt.Errorf("%w: %w", ErrNames, err))
		}
	}
}

// refresh reads the file if it is another than before.
func (f *namesFile) refresh() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", f.path)
	}
	if f.info != nil && os.SameFile(info, f.info) && info.ModTime().Equal(f.info.ModTime()) && info.Size() == f.info.Size() {
		return nil
	}
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	f.names, f.info = f.parse(io.LimitReader(file, maxNamesFile)), info
	return nil
}

// parseHosts reads a hosts file: an address, its name, and others that are not
// taken. The first line of an address counts.
func parseHosts(r io.Reader) map[netip.Addr]string {
	names := map[netip.Addr]string{}
	for lines := bufio.NewScanner(r); lines.Scan() && len(names) < maxNames; {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if fields := strings.Fields(line); len(fields) >= 2 {
			addName(names, fields[0], fields[1], false)
		}
	}
	return names
}

// parseLeases reads leases, of dnsmasq, which are one a line:
//
//	1795400000 b8:27:eb:01:02:03 10.50.0.66 printer 01:b8:27:eb:01:02:03
//
// or of ISC dhcpd, which are blocks and of which the last one of an address
// counts:
//
//	lease 10.50.0.66 { ... client-hostname "printer"; }
func parseLeases(r io.Reader) map[netip.Addr]string {
	names := map[netip.Addr]string{}
	var block string // the address that an ISC block is about
	for lines := bufio.NewScanner(r); lines.Scan() && len(names) < maxNames; {
		line := lines.Text()
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 3 && fields[0] == "lease" && fields[2] == "{":
			block = fields[1]
			addName(names, block, "", true) // the address is another client's now
		case len(fields) >= 1 && fields[0] == "}":
			block = ""
		case block != "":
			if name, ok := strings.CutPrefix(strings.TrimSpace(line), "client-hostname "); ok {
				addName(names, block, strings.Trim(name, `";`), true)
			}
		case len(fields) >= 4:
			addName(names, fields[2], fields[3], true)
		}
	}
	return names
}

// addName adds a name, if it is one. A name that an address has already is
// kept, unless it is to be replaced.
func addName(names map[netip.Addr]string, address, name string, replace bool) {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return
	}
	a = a.Unmap().WithZone("")
	if _, ok := names[a]; ok && !replace {
		return
	}
	delete(names, a)
	if name = cleanName(name); name != "" {
		names[a] = name
	}
}

// cleanName returns what may be written of a name: letters, digits, dots, hyphens
// and underscores, 32 at most. What it has of anything else becomes an
// underscore each. A name without letters, as an address is, would be taken
// for something else, and is none; dnsmasq writes * where it knows none.
func cleanName(name string) string {
	clean := make([]byte, 0, maxName)
	letters := false
	for i := 0; i < len(name) && i < maxName; i++ {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			letters = true
		case c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_':
		default:
			c = '_'
		}
		clean = append(clean, c)
	}
	if !letters {
		return ""
	}
	return string(clean)
}
