// Package block has the firewall drop what comes from hosts that scan, for a
// while. Who they are comes in as addresses; what goes out is a table of nftables
// that is this program's alone, so that no rule of the operator's is touched, and
// that goes when the Firewall is closed.
//
// To change the firewall takes CAP_NET_ADMIN, which the process that parses what
// strangers send must not have. So it is done by another one, which parses
// nothing but Records.
package block

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// ErrUnsupported is what OpenFirewall returns where there is no nftables.
var ErrUnsupported = errors.New("blocking needs nftables, which is Linux's")

// MaxBlocked is how many addresses of each family are blocked at a time.
const MaxBlocked = 1 << 16

// Limits of how long an address is blocked. Addresses change hands: whoever gets
// one tomorrow has done nothing.
const (
	MinTime = time.Second
	MaxTime = 7 * 24 * time.Hour
)

// Record asks for an address to be blocked.
type Record struct {
	Addr netip.Addr
	For  time.Duration // in whole seconds, MinTime to MaxTime
}

// RecordSize is the length of a record as Append writes it, bytes.
const RecordSize = 16 + 4

// Append appends the record to b: the address as IPv6, the seconds, in network
// byte order.
func (r Record) Append(b []byte) []byte {
	addr := r.Addr.As16()
	return binary.BigEndian.AppendUint32(append(b, addr[:]...), uint32(r.For/time.Second))
}

// ReadRecord reads a record. At the clean end its error is io.EOF.
func ReadRecord(in io.Reader) (Record, error) {
	var b [RecordSize]byte
	if _, err := io.ReadFull(in, b[:]); err != nil {
		return Record{}, err
	}
	r := Record{netip.AddrFrom16([16]byte(b[:16])).Unmap(), time.Duration(binary.BigEndian.Uint32(b[16:])) * time.Second}
	if r.For < MinTime || r.For > MaxTime {
		return Record{}, fmt.Errorf("block %v for %v: want %v to %v", r.Addr, r.For, MinTime, MaxTime)
	}
	return r, nil
}

// Sparing returns what tells addresses that must never be blocked: those that
// name no single host or none beyond this link, and the hosts of the given
// networks, as a rule those of this machine's interfaces.
func Sparing(own []netip.Prefix) func(netip.Addr) bool {
	return func(a netip.Addr) bool {
		if !a.IsGlobalUnicast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
			return true
		}
		for _, p := range own {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
}
