package capture

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// Filter returns the program that keeps bulk traffic in the kernel (classic
// BPF). Of frames of the given link type it drops:
//
//   - TCP in IPv4 or IPv6 that has ACK and none of SYN, FIN, RST;
//   - ESP, which nobody can read;
//   - frames too short to hold what they begin.
//
// It looks through up to two VLAN tags, PPPoE, three MPLS labels, and one tunnel
// of those that Decode opens: IP in IP, GRE with what it carries but PPP and
// mirrored frames of ERSPAN III, EtherIP, VXLAN, Geneve. Everything else passes:
// what starts, ends or refuses a connection, odd flags, fragments, extension
// headers, other protocols, deeper nesting. snaplen is how many bytes of a
// frame pass. For link types other than Ethernet and raw IP everything does.
//
// Pure ACKs are dropped with the rest: of an ACK scan only the RST answers are
// seen. A datagram to a tunnel's port is taken for the tunnel if what is in it
// looks like bulk, even where that begins behind the end that IP gives it.
func Filter(link LinkType, snaplen uint32) []bpf.Instruction {
	return filterBut(link, snaplen, nil)
}

// filterBut is Filter that also drops the flows of UDP.
func filterBut(link LinkType, snaplen uint32, flows []udpFlow) []bpf.Instruction {
	p := program{snaplen: snaplen, flows: flows}
	switch link {
	case LinkTypeEthernet:
		p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: 0})
		p.clear()
		p.ethernet()
		p.ip(etherLength)
	case LinkTypeRaw, LinkTypeRawBSD, LinkTypeRawOpen, LinkTypeIPv4, LinkTypeIPv6:
		p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: 0})
		p.clear()
		p.version(0)
		p.ip(0)
	default:
		p.add(bpf.RetConstant{Val: snaplen})
		return p.code
	}
	p.depth++
	p.ethernet()
	p.ip(etherLength)
	p.dropFlows()
	return p.resolve()
}

// FrameFilter runs Filter's program in user space, so that captures can be
// thinned as the kernel would have thinned them.
type FrameFilter struct{ program Bytecode }

// NewFrameFilter returns the filter for frames of a link type.
func NewFrameFilter(link LinkType) (*FrameFilter, error) {
	return newFrameFilter(Filter(link, maxFrame))
}

func newFrameFilter(program []bpf.Instruction) (*FrameFilter, error) {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return nil, fmt.Errorf("assemble the filter: %w", err)
	}
	return &FrameFilter{raw}, nil
}

// Keep reports whether the kernel would have let the frame through.
func (f *FrameFilter) Keep(frame []byte) bool { return f.program.accepts(frame, len(frame)) }

// etherLength is the length of an Ethernet header without tags.
const etherLength = 14

// Scratch memory of the program: the protocol that IP carries, or GRE; and,
// for the flows to be dropped, the IP version and the words of the addresses,
// of IPv4 one of each.
const (
	memProtocol = iota
	memVersion
	memSrc
	memDst = memSrc + 4
	memEnd = memDst + 4
)

// clear sets the memory that not every path to the flows does: the kernel
// refuses programs that may read what they have not written.
func (p *program) clear() {
	if len(p.flows) == 0 {
		return
	}
	p.add(bpf.LoadConstant{Dst: bpf.RegA, Val: 0})
	for n := memVersion; n < memEnd; n++ {
		p.add(bpf.StoreScratch{Src: bpf.RegA, N: n})
	}
}

// ethernet goes through the header of an Ethernet frame at X, and through
// tags, shims and labels, to ipv4 or ipv6: by then X is etherLength less than
// where IP begins.
func (p *program) ethernet() {
	const (
		tagged = 2 // VLAN tags that are looked through
		labels = 3 // of MPLS
	)
	p.label("ethernet")
	p.room(etherLength)
	for tags := 0; ; tags++ {
		p.load(12, 2)
		p.jump(bpf.JumpEqual, etherIPv4, "ipv4")
		p.jump(bpf.JumpEqual, etherIPv6, "ipv6")
		p.jump(bpf.JumpEqual, etherPPPoE, "pppoe")
		p.jump(bpf.JumpEqual, etherMPLS, "mpls")
		if tags == tagged {
			break
		}
		next := fmt.Sprint("tag", tags)
		p.jump(bpf.JumpEqual, etherVLAN, next)
		p.jump(bpf.JumpEqual, etherQinQ, next)
		p.jump(bpf.JumpNotEqual, etherQinQ9100, "keep")
		p.label(next)
		p.advance(4)
		p.room(etherLength)
	}
	p.keep()

	p.label("pppoe")
	p.advance(8)
	p.room(etherLength)
	p.load(12, 2)
	p.jump(bpf.JumpEqual, pppIPv4, "ipv4")
	p.jump(bpf.JumpEqual, pppIPv6, "ipv6")
	p.keep()

	p.label("mpls")
	for range labels {
		p.room(etherLength + 5)
		p.advance(4)
		p.load(etherLength-2, 1)
		p.jump(bpf.JumpBitsSet, 1, "version") // the last label
	}
	p.keep()
	p.version(etherLength)
}

// version goes by the IP version of the header at X+base.
func (p *program) version(base uint32) {
	p.label("version")
	p.load(base, 1)
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4})
	p.jump(bpf.JumpEqual, 4, "ipv4")
	p.jump(bpf.JumpEqual, 6, "ipv6")
	p.keep()
}

// ip decides about the packet whose header is at X+base, IPv4 or IPv6 at the
// labels of these names.
//
// Within a tunnel a packet is dropped only if it is whole and free of options:
// where it is not Decode may take the outer datagram for the packet.
func (p *program) ip(base uint32) {
	p.label("ipv6")
	if p.depth > 0 {
		p.room(base + 40)
		p.load(base, 1)
		p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0})
		p.jump(bpf.JumpNotEqual, 0x60, "keep")
		p.load(base+4, 2)
		p.jump(bpf.JumpLessThan, tcpFlags+1, "keep")
	}
	p.load(base+6, 1)
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: memProtocol})
	if len(p.flows) > 0 {
		p.jump(bpf.JumpNotEqual, uint32(ProtoUDP), "header6")
		for n := range 8 {
			p.store(base+8+uint32(4*n), memSrc+n)
		}
		p.add(bpf.LoadConstant{Dst: bpf.RegA, Val: 6})
		p.add(bpf.StoreScratch{Src: bpf.RegA, N: memVersion})
		p.label("header6")
	}
	p.advance(int32(base) + 40)
	p.goTo("transport")

	p.label("ipv4")
	if p.depth > 0 {
		p.room(base + 20)
		p.load(base, 1)
		p.jump(bpf.JumpNotEqual, 0x45, "keep")
		p.load(base+2, 2)
		p.jump(bpf.JumpLessThan, 20+tcpFlags+1, "keep")
	}
	p.load(base+6, 2)
	p.jump(bpf.JumpBitsSet, 0x3fff, "keep") // a fragment
	p.load(base+9, 1)
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: memProtocol})
	if len(p.flows) > 0 {
		p.jump(bpf.JumpNotEqual, uint32(ProtoUDP), "header4")
		p.store(base+12, memSrc)
		p.store(base+16, memDst)
		p.add(bpf.LoadConstant{Dst: bpf.RegA, Val: 4})
		p.add(bpf.StoreScratch{Src: bpf.RegA, N: memVersion})
		p.label("header4")
	}
	p.load(base, 1)
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x0f})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2})
	p.add(bpf.ALUOpX{Op: bpf.ALUOpAdd})
	if base > 0 {
		p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: base})
	}
	p.add(bpf.TAX{})
	p.transport()
}

// tcpFlags is the offset of the flags in a TCP header.
const tcpFlags = 13

// transport decides about what IP carries, from X on.
func (p *program) transport() {
	p.label("transport")
	p.add(bpf.LoadScratch{Dst: bpf.RegA, N: memProtocol})
	p.jump(bpf.JumpEqual, uint32(ProtoTCP), "tcp")
	p.jump(bpf.JumpEqual, uint32(ProtoUDP), "udp")
	if p.depth == 0 {
		p.jump(bpf.JumpEqual, ipESP, "drop")
		p.jump(bpf.JumpEqual, ipIPv4, "ipip")
		p.jump(bpf.JumpEqual, ipIPv6, "ipip")
		p.jump(bpf.JumpEqual, ipGRE, "gre")
		p.jump(bpf.JumpEqual, ipEtherIP, "etherip")
	}
	p.keep()

	p.label("tcp")
	p.room(tcpFlags + 1)
	p.load(tcpFlags, 1)
	p.jump(bpf.JumpBitsSet, uint32(SYN|FIN|RST), "keep")
	p.jump(bpf.JumpBitsSet, uint32(ACK), "drop")
	p.keep()
	p.label("drop")
	p.add(bpf.RetConstant{Val: 0})

	p.label("udp")
	if p.depth == 0 {
		p.load(2, 2)
		p.jump(bpf.JumpEqual, portVXLAN, "vxlan")
		p.jump(bpf.JumpEqual, portVXLANLinux, "vxlan")
		p.jump(bpf.JumpEqual, portGeneve, "geneve")
	}
	if len(p.flows) > 0 {
		p.goTo("flows")
	} else {
		p.keep()
	}
	if p.depth == 0 {
		p.tunnels()
	}
}

// tunnels goes on with what is inside of the tunnel at X, as Decode does.
func (p *program) tunnels() {
	const udp, header = 8, 8
	p.label("vxlan") // RFC 7348
	p.enough(udp + header + etherLength)
	p.load(udp, 2)
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x7fb7})
	p.jump(bpf.JumpNotEqual, 0x0800, "keep")
	p.load(udp+7, 1)
	p.jump(bpf.JumpNotEqual, 0, "keep")
	p.advance(udp + header)
	p.goTo("ethernet")
	p.keep()

	p.label("geneve") // RFC 8926
	p.enough(udp + header + etherLength)
	p.load(udp, 2)
	p.jump(bpf.JumpBitsSet, 0xc03f, "keep")
	p.load(udp+7, 1)
	p.jump(bpf.JumpNotEqual, 0, "keep")
	p.load(udp+2, 2)
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: memProtocol})
	p.load(udp, 1) // options, in words
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2})
	p.add(bpf.ALUOpX{Op: bpf.ALUOpAdd})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: udp + header})
	p.goTo("carried")

	p.label("gre")
	p.load(2, 2)
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: memProtocol})
	p.load(0, 2)
	p.jump(bpf.JumpBitsSet, greRouting|greVersion, "keep")
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: memVersion})
	for _, field := range []struct{ bit, shift uint32 }{{greChecksum, 13}, {greKey, 11}, {greSequence, 10}} { // each has four bytes
		p.add(bpf.LoadScratch{Dst: bpf.RegA, N: memVersion})
		p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: field.bit})
		p.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: field.shift})
		p.add(bpf.ALUOpX{Op: bpf.ALUOpAdd})
		p.add(bpf.TAX{})
	}
	p.add(bpf.LoadScratch{Dst: bpf.RegA, N: memProtocol})
	p.jump(bpf.JumpNotEqual, greERSPAN, "carries")
	p.add(bpf.LoadConstant{Dst: bpf.RegA, Val: etherBridged})
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: memProtocol})
	p.add(bpf.LoadScratch{Dst: bpf.RegA, N: memVersion})
	p.jump(bpf.JumpBitsSet, greSequence, "erspan")
	p.goTo("carries")
	p.label("erspan") // type II
	p.advance(8)
	p.label("carries")
	p.add(bpf.TXA{})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 4})

	p.label("carried") // an ethertype tells what, and A where
	p.add(bpf.TAX{})
	p.add(bpf.LoadScratch{Dst: bpf.RegA, N: memProtocol})
	p.jump(bpf.JumpEqual, etherBridged, "bridged")
	p.jump(bpf.JumpEqual, etherIPv4, "routed")
	p.jump(bpf.JumpNotEqual, etherIPv6, "keep")
	p.label("routed")
	p.advance(-etherLength)
	p.add(bpf.LoadScratch{Dst: bpf.RegA, N: memProtocol})
	p.jump(bpf.JumpEqual, etherIPv4, "routed4")
	p.goTo("ipv6")
	p.label("routed4")
	p.goTo("ipv4")
	p.label("bridged")
	p.goTo("ethernet")

	p.label("etherip") // RFC 3378
	p.load(0, 1)
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0})
	p.jump(bpf.JumpNotEqual, 0x30, "keep")
	p.advance(2)
	p.goTo("ethernet")

	p.label("ipip")
	p.advance(-etherLength)
	p.goTo("version")
	p.keep()
}

// dropFlows drops the UDP whose header is at X if its addresses and ports are
// one of the flows, and keeps it if not.
func (p *program) dropFlows() {
	if len(p.flows) == 0 {
		return
	}
	p.label("flows")
	for n, f := range p.flows {
		next := fmt.Sprint("flow", n+1)
		p.load(0, 4)
		p.jump(bpf.JumpNotEqual, uint32(f.srcPort)<<16|uint32(f.dstPort), next)
		same := func(mem int, value uint32) {
			p.add(bpf.LoadScratch{Dst: bpf.RegA, N: mem})
			p.jump(bpf.JumpNotEqual, value, next)
		}
		if f.src.Is4() && f.dst.Is4() {
			same(memSrc, be32(f.src[12:]))
			same(memDst, be32(f.dst[12:]))
			same(memVersion, 4)
		} else {
			for i := range 4 {
				same(memSrc+i, be32(f.src[4*i:]))
				same(memDst+i, be32(f.dst[4*i:]))
			}
			same(memVersion, 6)
		}
		p.add(bpf.RetConstant{Val: 0})
		p.label(next)
	}
	p.keep()
}

// program assembles BPF with labels for its jumps, which all go forward: a
// jump's label is the nearest of that name behind it.
type program struct {
	snaplen uint32
	flows   []udpFlow
	depth   int // tunnels around what is being decided about
	code    []bpf.Instruction
	labels  map[string][]int
	jumps   []target
}

// target is a jump that waits for its label.
type target struct {
	at    int
	label string
}

// add appends an instruction. It and those that call it most are not inlined: a
// program is made once, and inlined they weigh 50 KiB more.
//
//go:noinline
func (p *program) add(i bpf.Instruction) { p.code = append(p.code, i) }

// load sets A to the size bytes at X+offset.
//
//go:noinline
func (p *program) load(offset uint32, size int) {
	p.add(bpf.LoadIndirect{Off: offset, Size: size})
}

// store puts the word at X+offset into the scratch memory.
func (p *program) store(offset uint32, mem int) {
	p.load(offset, 4)
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: mem})
}

// advance adds to X, by way of A; n may be negative.
func (p *program) advance(n int32) {
	p.add(bpf.TXA{})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: uint32(n)}) // wraps, as registers of 32 bits do
	p.add(bpf.TAX{})
}

// room keeps frames within a tunnel that have less than n bytes from X on. Of
// others a load that finds nothing drops them.
func (p *program) room(n uint32) {
	if p.depth > 0 {
		p.enough(n)
	}
}

// enough keeps frames that have less than n bytes from X on, where Decode
// makes something of them all the same.
//
//go:noinline
func (p *program) enough(n uint32) {
	p.add(bpf.LoadExtension{Num: bpf.ExtLen})
	p.add(bpf.ALUOpX{Op: bpf.ALUOpSub})
	p.jump(bpf.JumpGreaterOrEqual, 1<<31, "keep") // X is behind the end
	p.jump(bpf.JumpLessThan, n, "keep")
}

// keep ends the program with the frame; other code of the same part jumps here.
func (p *program) keep() {
	p.label("keep")
	p.add(bpf.RetConstant{Val: p.snaplen})
}

// label names the next instruction.
//
//go:noinline
func (p *program) label(name string) {
	if p.labels == nil {
		p.labels = make(map[string][]int)
	}
	p.labels[name] = append(p.labels[name], len(p.code))
}

// jump goes to a label if A meets the condition, and on otherwise.
//
//go:noinline
func (p *program) jump(cond bpf.JumpTest, value uint32, label string) {
	p.jumps = append(p.jumps, target{len(p.code), label})
	p.add(bpf.JumpIf{Cond: cond, Val: value})
}

// goTo goes to a label.
//
//go:noinline
func (p *program) goTo(label string) {
	p.jumps = append(p.jumps, target{len(p.code), label})
	p.add(bpf.Jump{})
}

// resolve sets the distances of the jumps; those of conditional ones are below
// 256.
func (p *program) resolve() []bpf.Instruction {
	for _, j := range p.jumps {
		skip := -1 // no such label
		for _, at := range p.labels[j.label] {
			if at > j.at {
				skip = at - j.at - 1
				break
			}
		}
		switch jump := p.code[j.at].(type) {
		case bpf.JumpIf:
			if skip < 0 || skip > 255 {
				panic(fmt.Sprintf("filter: %d instructions from %d to %q", skip, j.at, j.label)) // no input changes the distances
			}
			jump.SkipTrue = uint8(skip)
			p.code[j.at] = jump
		case bpf.Jump:
			jump.Skip = uint32(skip)
			p.code[j.at] = jump
		}
	}
	return p.code
}
