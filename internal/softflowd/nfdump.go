package softflowd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"edgescan/flow"
)

// formats are those that docs/flows.md recommends: with flags in nfdump 1.7.5 and
// later, and in those before.
var formats = []string{"csv:%tsr,%ter,%pr,%sa,%sp,%da,%dp,%flg,%pkt,%byt", "csv"}

// nfdump has nfcapd collect flows, and reads what nfdump writes of them.
func (x Export) nfdump(ctx context.Context, dir string, export func(context.Context, netip.AddrPort) error) ([]flow.Record, error) {
	store := filepath.Join(dir, "flows")
	if err := os.Mkdir(store, 0o700); err != nil {
		return nil, err
	}
	to, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "nfcapd", "-w", store, "-b", to.Addr().String(), "-p", strconv.Itoa(int(to.Port())), "-B", "16000000")
	if err := cmd.Start(); errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("nfcapd: %w", ErrMissing)
	} else if err != nil {
		return nil, err
	}
	err = waitFor(ctx, func() bool { _, open := queued(to); return open })
	if err == nil {
		err = export(ctx, to)
	}
	if err == nil {
		err = waitFor(ctx, func() bool { n, _ := queued(to); return n == 0 })
	}
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if err != nil {
		return nil, fmt.Errorf("nfcapd: %w", err)
	}
	for _, format := range formats {
		var csv []byte
		if csv, err = output(ctx, "nfdump", "-R", store, "-O", "tstart", "-o", format); err == nil {
			return read(csv)
		}
	}
	return nil, err
}

// read reads a flow log.
func read(log []byte) (records []flow.Record, err error) {
	reader := flow.NewReader(bytes.NewReader(log), "nfdump")
	var r flow.Record
	for {
		switch err := reader.Next(&r); {
		case err == io.EOF, errors.Is(err, flow.ErrFormat) && len(records) == 0: // nothing that it knows was in it
			return records, nil
		case err != nil:
			return nil, err
		}
		records = append(records, r)
	}
}

func freePort() (netip.AddrPort, error) {
	l, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer l.Close()
	return l.LocalAddr().(*net.UDPAddr).AddrPort(), nil
}

// waitFor waits until something is so, for ten seconds at most.
func waitFor(ctx context.Context, so func() bool) error {
	for deadline := time.Now().Add(10 * time.Second); !so(); {
		if ctx.Err() != nil || time.Now().After(deadline) {
			return errors.New("it does not come to it")
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// queued returns how many bytes wait at a local socket, and whether it is open.
func queued(at netip.AddrPort) (bytes uint64, open bool) {
	table, _ := os.ReadFile("/proc/net/udp")
	port := fmt.Sprintf(":%04X", at.Port())
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) < 5 || !strings.HasSuffix(f[1], port) {
			continue
		}
		_, waiting, _ := strings.Cut(f[4], ":")
		bytes, _ = strconv.ParseUint(waiting, 16, 64)
		return bytes, true
	}
	return 0, false
}
