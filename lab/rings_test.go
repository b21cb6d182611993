//go:build lab

package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLabRings divides the packets among rings, gives up all privileges as
// ever, and takes the line away twice: once that makes the kernel's fanout
// group useless, once more what has taken its place is bound anew.
func TestLabRings(t *testing.T) {
	needRoot(t, "nmap", "rsyslogd")
	binary := build(t)
	n := newNetwork(t)
	n.join(wan, "server", 5)
	scanner := n.join(lan, "scanner", firstScanner)
	redial := newRedial(n)
	logs := t.TempDir()
	runRsyslog(t, n.gateway, logs, filepath.Join(publicFolder(t), "log"))
	edgescan := watch(t, n.gateway, binary, "-i", redial.link, "--rings", "2", "--promiscuous", fmt.Sprintf("--syslog=udp://127.0.0.1:%d", syslogPort))
	checkConfined(t, edgescan, `[1-9]\d*`)
	expectScan(t, edgescan, scanner, logs)
	said := func(message string) (times int) {
		for line := range strings.Lines(edgescan.stderr.String()) {
			if strings.Contains(line, message) && strings.Contains(line, "interface="+redial.link) {
				times++
			}
		}
		return times
	}
	const lost, back = "down or gone", "is back"
	for range 2 {
		before := said(back)
		redial.again()
		waitFor(t, 5*time.Second, "the line to be back", func() bool { return said(back) > before })
	}
	time.Sleep(time.Second) // in which every ring takes it up
	expectScan(t, edgescan, redial.host, logs)
	if code := edgescan.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
	if said(back) != 2 || said(lost) != 2 {
		t.Errorf("told too much or too little:\n%s", &edgescan.stderr)
	}
	checkSummary(t, edgescan)
	stderr := edgescan.stderr.String()
	for _, want := range []string{"rings=2", "incidents=2 ", "drops=0 "} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %s in what edgescan said", want)
		}
	}
	checkEvents(t, edgescan, []string{scanner.addr, redial.addr})
}

// TestLabIncoming watches both sides of a gateway: what it forwards is received
// on one and sent on the other.
func TestLabIncoming(t *testing.T) {
	binary := build(t)
	n := newNetwork(t)
	server := n.join(wan, "server", 5)
	client := n.join(lan, "client", 20)
	conn, err := client.dial(context.Background(), "udp", server.addr+":9")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const sent, more = 200, 80 // more: ARP, refusals of which the server sends few, what IPv6 has to say of itself
	conn.Write([]byte("to know the neighbours"))
	for _, test := range []struct {
		args  []string
		times int // that a packet is seen
	}{
		{nil, 2},
		{[]string{"--incoming"}, 1},
		{[]string{"--rings", "2"}, 2},
		{[]string{"--rings", "2", "--incoming"}, 1},
	} {
		edgescan := watch(t, n.gateway, binary, append([]string{"-i", wan}, test.args...)...)
		for range sent {
			conn.Write([]byte("forward")) // an error is the server's refusal of an earlier one
			time.Sleep(time.Millisecond)
		}
		time.Sleep(500 * time.Millisecond)
		if code := edgescan.stop(syscall.SIGTERM); code != 0 {
			t.Errorf("exit code %d after SIGTERM, want 0", code)
		}
		_, count, _ := strings.Cut(edgescan.stderr.String(), " packets=")
		packets := 0
		fmt.Sscan(count, &packets)
		if least := test.times * (sent - 20); packets < least || packets > least+more {
			t.Errorf("%v: %d packets, want %d to %d", test.args, packets, least, least+more)
		} else {
			t.Logf("%v: %d packets", test.args, packets)
		}
	}
}
