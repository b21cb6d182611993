package block

import (
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFirewall compares with what nft says there is, in a network namespace of its
// own.
func TestFirewall(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("needs nft (Debian: nftables)")
	}
	runtime.LockOSThread() // never unlocked: the thread must not serve anyone else
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("cannot make a network namespace: %v", err)
	}
	nft := func(args ...string) string {
		out, err := exec.Command("nft", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("nft %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	nft("add", "table", "inet", "operators")
	f, err := OpenFirewall()
	if err != nil {
		t.Skipf("no nftables here: %v", err)
	}
	rules := nft("list", "table", "inet", TableName)
	for _, want := range []string{
		"hook prerouting priority raw", "ip saddr @blocked4 counter packets 0 bytes 0 drop", "ip6 saddr @blocked6 counter packets 0 bytes 0 drop",
	} {
		if !strings.Contains(rules, want) {
			t.Errorf("nft does not list %q:\n%s", want, rules)
		}
	}
	v4, v6 := netip.MustParseAddr("198.51.100.66"), netip.MustParseAddr("2001:db8::66")
	for _, r := range []Record{{v4, time.Minute}, {v6, time.Hour}, {v4, time.Hour}, {v4, 2 * time.Hour}} {
		if err := f.Block(r); err != nil {
			t.Error(err)
		}
	}
	rules = nft("list", "table", "inet", TableName)
	for _, want := range []string{`198\.51\.100\.66 timeout 2h expires (2h|1h59m)`, `2001:db8::66 timeout 1h expires (1h|59m)`} {
		if !regexp.MustCompile(want).MatchString(rules) {
			t.Errorf("nft does not list %q:\n%s", want, rules)
		}
	}
	if err := f.Block(Record{v4, MinTime}); err != nil {
		t.Error(err)
	}
	time.Sleep(MinTime + 500*time.Millisecond)
	if err := f.Block(Record{v4, time.Hour}); err != nil {
		t.Errorf("one that is over: %v", err)
	}

	again, err := OpenFirewall() // as after a crash
	if err != nil {
		t.Fatal(err)
	}
	if rules = nft("list", "table", "inet", TableName); strings.Contains(rules, v4.String()) {
		t.Errorf("what was blocked before a new start still is:\n%s", rules)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	if left := strings.TrimSpace(nft("list", "tables")); left != "table inet operators" {
		t.Errorf("tables left: %s", left)
	}
}
