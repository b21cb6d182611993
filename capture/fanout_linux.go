package capture

import (
	"errors"
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// share is a ring's part of what its interface carries. The zero share is all
// of it.
type share struct {
	index, of int // the ring's number, of how many
	by        divider
}

// divider is who sees to it that each ring gets its share and no other does.
type divider uint8

const (
	byNobody divider = iota // not yet divided: the ring lets nothing in
	byKernel                // the kernel's fanout group
	byFilter                // the filter of each ring
)

// groupMode is how the kernel divides. Its flow hash is the same for both
// directions of a connection, which so stay in one ring and in their order.
//
// Not with PACKET_FANOUT_FLAG_DEFRAG: the kernel would put fragments together
// and hold back those that never become whole, and what a scanner does with
// them is for Decode to see. All fragments between two hosts are in one ring.
//
// Not with PACKET_FANOUT_FLAG_ROLLOVER: what a full ring cannot take would go to
// another one, and an answer be read there before its question, or long after.
// That is not noticed, a drop is counted. And a flood that fills its own ring
// would go on to fill those of everyone else.
const groupMode = unix.PACKET_FANOUT_HASH

// OpenRings starts to capture as OpenLive does, but through several rings, each
// of cfg.RingBytes, which as many goroutines can read on as many cores: a frame
// comes to one of them. All that a connection sends either way comes to the
// same ring, and in order; between rings there is none, and the frames of one may
// be read a tenth of a second after later ones of another. An ICMP error is not
// in the ring of what it answers, unless by chance.
//
// Each Live is the caller's, serves one goroutine and is to be closed; they
// share nothing. To close one alone loses its share, or moves it to the others. All follow the interface,
// the first tells of its changes by ErrLinkState, and each counts its own
// frames.
//
// The kernel divides (PACKET_FANOUT, Linux 4.12) until another interface takes
// the name, as one made anew is. A socket in a fanout group cannot be bound
// again, and what is in its stead must have been opened while that was
// permitted: so each ring has a second socket in reserve, which belongs to no group
// and can be bound again forever, and a filter that lets only the ring's share
// through. There every frame meets the filters of all rings: on an x86-64 core 0.1 to
// 0.15 us for each, where a group of any size takes 0.1 us in all. The other ways
// cost more, or something else: a group on all interfaces at once, whose filters
// need not be bound to follow, takes 0.4 us of each packet that any interface
// receives and as much of each that one sends; to open sockets anew takes a
// privilege that would have to be kept.
//
// The filters divide from the start where the kernel has no group for us: before
// 4.12, and for an interface that is down before 6.13.
func OpenRings(cfg LiveConfig, rings int) ([]*Live, error) {
	if rings < 1 || rings > MaxRings {
		return nil, fmt.Errorf("%d: %w", rings, ErrRings)
	}
	if rings == 1 {
		l, err := OpenLive(cfg)
		if err != nil {
			return nil, err
		}
		return []*Live{l}, nil
	}
	lives := make([]*Live, 0, rings)
	for i := range rings {
		l, err := openLive(cfg, share{index: i, of: rings})
		if err == nil {
			lives = append(lives, l)
			cfg.Promiscuous = false // one member is enough
			if err = l.reserve(cfg); err == nil {
				continue
			}
		}
		closeAll(lives)
		return nil, err
	}
	if err := divide(lives, cfg.IgnoreOutgoing); err != nil {
		closeAll(lives)
		if errors.Is(err, unix.ENODEV) { // removed a moment ago
			err = ErrNoInterface
		}
		return nil, fmt.Errorf("%s: %w", cfg.Interface, err)
	}
	return lives, nil
}

func closeAll(lives []*Live) {
	for _, l := range lives {
		l.Close()
	}
}

// reserve opens the socket that takes over when the first one can no longer
// follow. It has no memory yet.
func (l *Live) reserve(cfg LiveConfig) (err error) {
	if l.spare, err = openSocket(cfg.Interface); err != nil {
		return err
	}
	if cfg.IgnoreOutgoing || l.hardware == unix.ARPHRD_LOOPBACK {
		_, err = ignoreOutgoing(l.spare)
	}
	return err
}

// divide gives each ring its share. Until all have joined the group none lets
// anything in, so that no frame comes to two.
func divide(lives []*Live, ignoreOutgoing bool) error {
	divided := byKernel
	if joinAll(lives, ignoreOutgoing) != nil {
		divided = byFilter
	}
	for _, l := range lives {
		if divided == byFilter {
			index, err := l.bound()
			if err != nil {
				return err
			}
			if err := l.rebindSpare(index); err != nil {
				return err
			}
			continue
		}
		l.share.by = byKernel
		l.inbound = l.inbound || ignoreOutgoing || l.hardware == unix.ARPHRD_LOOPBACK
		if err := l.attach(l.link); err != nil {
			return err
		}
	}
	return nil
}

// joinAll makes a fanout group of the sockets.
func joinAll(lives []*Live, ignoreOutgoing bool) error {
	mode := groupMode
	if ignoreOutgoing || lives[0].hardware == unix.ARPHRD_LOOPBACK {
		mode |= unix.PACKET_FANOUT_FLAG_IGNORE_OUTGOING // that of a socket counts for nothing in a group; kernels that do not know it let them through to Next
	}
	id := 0
	for i, l := range lives {
		join := id | mode<<16
		if i == 0 {
			join |= unix.PACKET_FANOUT_FLAG_UNIQUEID << 16
		}
		if err := unix.SetsockoptInt(l.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, join); err != nil {
			return fmt.Errorf("join the fanout group: %w", err)
		}
		if i > 0 {
			continue
		}
		group, err := unix.GetsockoptInt(l.fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
		if err != nil {
			return fmt.Errorf("read the fanout group: %w", err)
		}
		if id, err = groupID(uint32(group)); err != nil {
			return err
		}
	}
	return nil
}

// groupID returns the number of the group that the first socket is in. The
// numbers are those of a network namespace, and whoever asks for one that is
// taken joins that group and shares its frames: so the kernel is asked for one
// that is free. One that is older than 4.12 does not know what is meant, keeps
// the flag and makes, or joins, group 0.
func groupID(group uint32) (int, error) {
	if group>>16&unix.PACKET_FANOUT_FLAG_UNIQUEID != 0 {
		return 0, fmt.Errorf("a fanout group of its own: %w", ErrUnsupported)
	}
	return int(group & 0xffff), nil
}

// rebind binds the ring to the interface of this index, by its second socket if
// the kernel does not let the first go.
func (l *Live) rebind(index int) error {
	if l.share.of > 0 && (l.share.by != byFilter || l.ring.memory == nil) {
		l.interrupted = l.interrupted || l.share.by == byKernel // if that is yet to be read from the socket, it goes with it
		return l.rebindSpare(index)
	}
	return l.bind(index)
}

// rebindSpare leaves the group for good, with the memory. Should the kernel have
// none at the moment, the next call tries again.
func (l *Live) rebindSpare(index int) error {
	if l.share.by != byFilter {
		l.Stats() // what the socket has counted goes with it
		err := errors.Join(l.ring.close(), unix.Close(l.fd))
		l.fd, l.spare = l.spare, -1
		l.share.by = byFilter
		if err != nil {
			return fmt.Errorf("leave the fanout group: %w", err)
		}
	}
	if err := l.attach(l.link); err != nil {
		return err
	}
	if err := l.ring.open(l.fd, l.memory, l.snaplen); err != nil {
		return err
	}
	return l.bind(index)
}

// only returns the program with in front of it what keeps frames out that are not
// of this share.
func (s share) only(program []bpf.Instruction) []bpf.Instruction {
	switch {
	case s.of == 0 || s.by == byKernel:
		return program
	case s.by == byNobody:
		return []bpf.Instruction{bpf.RetConstant{Val: 0}}
	}
	return append(s.choose(), program...)
}

// networkHeader is SKF_NET_OFF: offsets from here on count from the network
// header, wherever that is in a frame of the interface's link type.
const networkHeader = 0xfff00000

// choose is the part of a filter that goes on with frames of the share and drops
// the others. All rings come to the same number for a frame, so that it is in
// one and in no other.
//
// It is made of the two addresses, whichever is first: all that two hosts send
// each other is in one ring, with their ICMP errors, which the kernel's group does
// not see to. What is not IP, or has it behind something that the kernel does
// not take off (PPPoE, MPLS, a second VLAN tag), is in some one ring, the first as
// a rule. What ends within its addresses is in none: Decode has no use for it.
func (s share) choose() []bpf.Instruction {
	xor := func(words ...uint32) []bpf.Instruction {
		program := []bpf.Instruction{bpf.LoadAbsolute{Off: networkHeader + words[0], Size: 4}}
		for _, at := range words[1:] {
			program = append(program, bpf.TAX{}, bpf.LoadAbsolute{Off: networkHeader + at, Size: 4}, bpf.ALUOpX{Op: bpf.ALUOpXor})
		}
		return program
	}
	v4 := xor(12, 16)
	// What tells apart the networks of a provider, and the hosts of a network: each
	// load costs as much as all the rest.
	v6 := xor(8+4, 8+12, 24+4, 24+12)
	v4 = append(v4, bpf.Jump{Skip: 3 + uint32(len(v6))}) // to what is done with either
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: networkHeader, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 4, SkipFalse: uint8(len(v4))},
	}
	program = append(program, v4...)
	program = append(program,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 6, SkipTrue: 2},
		bpf.LoadConstant{Dst: bpf.RegA, Val: 0},
		bpf.Jump{Skip: uint32(len(v6))},
	)
	program = append(program, v6...)
	program = append(program,
		bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: 0x9e3779b1}, // 2^32 by the golden ratio: neighbours get far apart, in the high bits
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 16},
		bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: uint32(s.of)},
	)
	return append(program,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(s.index), SkipTrue: 1},
		bpf.RetConstant{Val: 0},
	)
}
