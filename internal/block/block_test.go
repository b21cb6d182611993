package block

import (
	"bytes"
	"io"
	"net/netip"
	"testing"
	"time"
)

func TestRecord(t *testing.T) {
	var b []byte
	want := []Record{
		{netip.MustParseAddr("198.51.100.66"), time.Hour},
		{netip.MustParseAddr("2001:db8::66"), MaxTime},
	}
	for _, r := range want {
		b = r.Append(b)
	}
	in := bytes.NewReader(b)
	for _, r := range want {
		if got, err := ReadRecord(in); err != nil || got != r {
			t.Errorf("ReadRecord = %v, %v; want %v", got, err, r)
		}
	}
	if _, err := ReadRecord(in); err != io.EOF {
		t.Errorf("at the end: %v, want EOF", err)
	}
	for _, bad := range [][]byte{b[:RecordSize-1], Record{want[0].Addr, 0}.Append(nil), Record{want[0].Addr, MaxTime + time.Second}.Append(nil)} {
		if r, err := ReadRecord(bytes.NewReader(bad)); err == nil || err == io.EOF {
			t.Errorf("ReadRecord(%x) = %v, %v; want an error", bad, r, err)
		}
	}
}

func TestSparing(t *testing.T) {
	spare := Sparing([]netip.Prefix{netip.MustParsePrefix("10.50.0.0/24"), netip.MustParsePrefix("2001:db8:50::/64")})
	for addr, want := range map[string]bool{
		"10.50.0.9": true, "10.51.0.9": false, "198.51.100.66": false, "2001:db8:50::9": true, "2001:db8:51::9": false,
		"0.0.0.0": true, "255.255.255.255": true, "224.0.0.1": true, "127.0.0.1": true, "169.254.1.1": true,
		"::": true, "::1": true, "fe80::1": true, "ff02::1": true,
	} {
		if got := spare(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: spared %v, want %v", addr, got, want)
		}
	}
}
