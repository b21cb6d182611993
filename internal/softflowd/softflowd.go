// Package softflowd has real programs make flow records of captures: softflowd
// exports them as NetFlow or IPFIX, and they are collected as edgescan run does, or
// by nfcapd and nfdump as CSV. For figures and tests; the programs are Debian's.
//
// softflowd exports what is in a file all at once, at its end: flows are as long as
// the file has them, and come in one burst. The collector sees them with their
// true ages.
package softflowd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"edgescan/capture"
	"edgescan/flow"
	"edgescan/flow/netflow"
)

// ErrMissing says that a program is not installed.
var ErrMissing = errors.New("not installed (Debian: softflowd, nfdump)")

// Export says how flows are exported and collected.
type Export struct {
	Version  int  // of NetFlow: 5 or 9; 10 is IPFIX
	Sampling int  // one packet in so many; 0: all
	Nfdump   bool // collected by nfcapd and nfdump
}

// String names it in a table.
func (x Export) String() string {
	s := fmt.Sprintf("NetFlow v%d", x.Version)
	if x.Version == 10 {
		s = "IPFIX"
	}
	if x.Nfdump {
		s += " by nfdump"
	}
	if x.Sampling > 1 {
		s += fmt.Sprintf(", 1:%d", x.Sampling)
	}
	return s
}

// Records returns what softflowd exports of a capture. A capture that it cannot
// read gives an error that is none of ErrMissing.
func (x Export) Records(ctx context.Context, file string) ([]flow.Record, error) {
	dir, err := os.MkdirTemp("", "edgescan-softflowd-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	plain := filepath.Join(dir, "capture")
	if err := rewrite(file, plain); err != nil {
		return nil, err
	}
	collect := x.collect
	if x.Nfdump {
		collect = x.nfdump
	}
	records, err := collect(ctx, dir, func(ctx context.Context, to netip.AddrPort) error { return x.export(ctx, dir, plain, to) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	return records, nil
}

// rewrite makes a plain pcap file of a capture, as far as it goes: softflowd takes
// no gzip, and not every pcapng. Frames of another link type than the first are left
// out.
func rewrite(from, to string) error {
	src, err := capture.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(out)
	w := pcapgo.NewWriterNanos(buffered)
	var f capture.Frame
	for n, link := 0, capture.LinkType(0); ; n++ {
		if src.Next(&f) != nil {
			break
		}
		if n == 0 {
			link = f.Link
			if err := w.WriteFileHeader(snapLength, layers.LinkType(link)); err != nil {
				return err
			}
		}
		if f.Link != link {
			continue
		}
		info := gopacket.CaptureInfo{Timestamp: time.Unix(0, f.Time), CaptureLength: len(f.Data), Length: max(f.Wire, len(f.Data))}
		if err := w.WritePacket(info, f.Data); err != nil {
			return err
		}
	}
	return errors.Join(buffered.Flush(), out.Close())
}

// snapLength is more than any frame has.
const snapLength = 1 << 18

// export has softflowd send the flows of a capture to an address.
func (x Export) export(ctx context.Context, dir, file string, to netip.AddrPort) error {
	args := []string{"-d", "-a", "-r", file, "-v", strconv.Itoa(x.Version), "-n", to.String(), "-c", "none", "-p", filepath.Join(dir, "pid"), "-m", "1000000"}
	if x.Version == 9 || x.Version == 10 {
		args = append(args, "-A", "milli")
	}
	if x.Sampling > 1 {
		args = append(args, "-s", strconv.Itoa(x.Sampling))
	}
	_, err := output(ctx, "softflowd", args...)
	return err
}

// output runs a program and returns what it writes.
func output(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.WaitDelay = time.Second
	var failure bytes.Buffer
	cmd.Stderr = &failure
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("%s: %w", program, ErrMissing)
	case err != nil:
		return nil, fmt.Errorf("%s: %w: %s", program, err, strings.ReplaceAll(strings.TrimSpace(failure.String()), "\n", "; "))
	}
	return out, nil
}

// collect receives flows as edgescan run --listen does.
func (x Export) collect(ctx context.Context, _ string, export func(context.Context, netip.AddrPort) error) (records []flow.Record, err error) {
	at, err := freePort()
	if err != nil {
		return nil, err
	}
	l, err := netflow.Listen(netflow.Scheme+at.String(), nil)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	ended := make(chan error, 1)
	go func() { ended <- export(ctx, l.Addr()) }()
	decoder := netflow.NewDecoder(netflow.DefaultMemory)
	var d netflow.Datagram
	for over := false; ; {
		switch err := l.Next(&d); {
		case errors.Is(err, capture.ErrTimeout) && over:
			s, heard := decoder.Stats(), l.Stats()
			if lost := s.Lost + s.NoTemplate + s.Malformed + heard.Dropped; lost > 0 {
				return nil, fmt.Errorf("not all came: %+v, %d dropped", s, heard.Dropped)
			}
			return records, nil
		case errors.Is(err, capture.ErrTimeout):
			select {
			case err := <-ended:
				if err != nil {
					return nil, err
				}
				over = true
			default:
			}
		case err != nil:
			return nil, err
		default:
			if err := decoder.Decode(d.Exporter, d.Time, d.Data, func(r *flow.Record) { records = append(records, *r) }, func(*capture.Packet) {}); err != nil {
				return nil, err
			}
		}
	}
}
