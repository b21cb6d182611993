package block

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// TableName is the name of the table, of family inet.
const TableName = "edgescan"

// beforeConntrack is the priority of the chain: what is dropped anyway is to cost
// no entry of the connection table.
const beforeConntrack = -300

// Firewall is a table with a set of blocked addresses for each IP version, and a
// chain that drops what comes from them, whether it is for this host or beyond.
type Firewall struct {
	conn   *nftables.Conn
	table  *nftables.Table
	v4, v6 *nftables.Set
	until  map[netip.Addr]time.Time
	purge  int // how many of until there are when it is looked for those that are over
}

// OpenFirewall makes the table anew: one that is left of a run before goes. It
// needs CAP_NET_ADMIN, now and for Block and Close.
func OpenFirewall() (*Firewall, error) {
	conn, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	f := &Firewall{conn: conn, table: &nftables.Table{Family: nftables.TableFamilyINet, Name: TableName}, until: make(map[netip.Addr]time.Time)}
	if err := f.setUp(); err != nil {
		return nil, errors.Join(fmt.Errorf("make the table %s of nftables: %w", TableName, err), conn.CloseLasting())
	}
	return f, nil
}

func (f *Firewall) setUp() error {
	f.conn.AddTable(f.table) // so that there is one to delete
	f.conn.DelTable(f.table)
	f.conn.AddTable(f.table)
	chain := f.conn.AddChain(&nftables.Chain{
		Name:     "drop_scanners",
		Table:    f.table,
		Type:     nftables.ChainTypeFilter,
		Hooknum:  nftables.ChainHookPrerouting,
		Priority: nftables.ChainPriorityRef(beforeConntrack),
	})
	var err error
	if f.v4, err = f.addSet(chain, "blocked4", nftables.TypeIPAddr, unix.NFPROTO_IPV4, 12); err != nil {
		return err
	}
	if f.v6, err = f.addSet(chain, "blocked6", nftables.TypeIP6Addr, unix.NFPROTO_IPV6, 8); err != nil {
		return err
	}
	return f.conn.Flush()
}

// addSet makes a set of addresses, and the rule that drops packets whose source,
// at that offset of the header, is among them.
func (f *Firewall) addSet(chain *nftables.Chain, name string, kind nftables.SetDatatype, version byte, offset uint32) (*nftables.Set, error) {
	set := &nftables.Set{Table: f.table, Name: name, KeyType: kind, HasTimeout: true, Size: MaxBlocked, KeyByteOrder: binaryutil.BigEndian}
	if err := f.conn.AddSet(set, nil); err != nil {
		return nil, err
	}
	f.conn.AddRule(&nftables.Rule{Table: f.table, Chain: chain, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{version}},
		&expr.Payload{Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: kind.Bytes, DestRegister: 1},
		&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID},
		&expr.Counter{},
		&expr.Verdict{Kind: expr.VerdictDrop},
	}})
	return set, nil
}

// Block has packets from an address dropped from now on, for a time that begins
// anew if it is blocked already.
func (f *Firewall) Block(r Record) error {
	set := f.v6
	if r.Addr.Is4() {
		set = f.v4
	}
	now := time.Now()
	f.forget(now)
	element := []nftables.SetElement{{Key: r.Addr.AsSlice(), Timeout: r.For}}
	if _, blocked := f.until[r.Addr]; blocked { // the kernel keeps the time of one that is there
		err := errors.Join(f.conn.SetDeleteElements(set, element), f.conn.Flush())
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("block %v anew: %w", r.Addr, err)
		}
	}
	if err := errors.Join(f.conn.SetAddElements(set, element), f.conn.Flush()); err != nil {
		return fmt.Errorf("block %v: %w", r.Addr, err)
	}
	f.until[r.Addr] = now.Add(r.For)
	return nil
}

// forget drops what the kernel has let go, each time that it has doubled.
func (f *Firewall) forget(now time.Time) {
	if len(f.until) < f.purge {
		return
	}
	for a, until := range f.until {
		if until.Before(now) {
			delete(f.until, a)
		}
	}
	f.purge = max(2*len(f.until), 1024)
}

// Close removes the table: nobody stays blocked.
func (f *Firewall) Close() error {
	f.conn.DelTable(f.table)
	err := f.conn.Flush()
	if err != nil {
		err = fmt.Errorf("remove the table %s of nftables: %w", TableName, err)
	}
	return errors.Join(err, f.conn.CloseLasting())
}
