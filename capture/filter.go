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
// It looks through up to two VLAN tags and PPPoE. Everything else passes: what
// starts, ends or refuses a connection, odd flags, fragments, extension
// headers, other protocols, MPLS, deeper tags. snaplen is how many bytes of a
// frame pass. For link types other than Ethernet and raw IP everything does.
//
// Tunnels pass whole, their bulk too, for Decode finds contacts in them: IP in
// IP, GRE, EtherIP, and with all of UDP VXLAN and Geneve. To judge the TCP
// inside would take the program through an inner Ethernet header and IP header
// of each kind, at offsets that differ with the tunnel's options: several times
// its instructions, paid by every frame of a port on which there may be no
// tunnel at all. A router that ends a tunnel has an interface for its inside,
// where bulk is dropped as anywhere; to watch tunnels in transit costs user
// space the copy and the decoding of each packet.
//
// Pure ACKs are dropped with the rest: of an ACK scan only the RST answers are
// seen.
func Filter(link LinkType, snaplen uint32) []bpf.Instruction {
	var p program
	switch link {
	case LinkTypeEthernet:
		p.ethernet()
	case LinkTypeRaw, LinkTypeRawBSD, LinkTypeRawOpen, LinkTypeIPv4, LinkTypeIPv6:
		p.raw()
	default:
		return []bpf.Instruction{bpf.RetConstant{Val: snaplen}}
	}
	p.ip()

	p.label("keep")
	p.add(bpf.RetConstant{Val: snaplen})
	p.label("drop")
	p.add(bpf.RetConstant{Val: 0})
	return p.resolve()
}

// FrameFilter runs Filter's program in user space, so that captures can be
// thinned as the kernel would have thinned them. It serves one goroutine.
type FrameFilter struct{ vm *bpf.VM }

// NewFrameFilter returns the filter for frames of a link type.
func NewFrameFilter(link LinkType) (*FrameFilter, error) {
	vm, err := bpf.NewVM(Filter(link, maxFrame))
	if err != nil {
		return nil, fmt.Errorf("build the filter for %v: %w", link, err)
	}
	return &FrameFilter{vm}, nil
}

// Keep reports whether the kernel would have let the frame through.
func (f *FrameFilter) Keep(frame []byte) bool {
	n, err := f.vm.Run(frame)
	return err == nil && n > 0
}

// ethernet jumps to ipv4, or ends where ipv6 follows, with the header's offset
// in X.
func (p *program) ethernet() {
	const tagged = 2 // VLAN tags that are looked through
	for tags := uint32(0); ; tags++ {
		p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: 14 + 4*tags})
		p.add(bpf.LoadAbsolute{Off: 12 + 4*tags, Size: 2})
		p.jump(bpf.JumpEqual, etherIPv4, "ipv4")
		p.jump(bpf.JumpEqual, etherIPv6, "ipv6")
		if tags == tagged {
			break
		}
		p.jump(bpf.JumpEqual, etherPPPoE, "pppoe")
		next := fmt.Sprint("tag", tags)
		p.jump(bpf.JumpEqual, etherVLAN, next)
		p.jump(bpf.JumpEqual, etherQinQ, next)
		p.jump(bpf.JumpNotEqual, etherQinQ9100, "keep")
		p.label(next)
	}
	p.jump(bpf.JumpNotEqual, etherPPPoE, "keep")

	p.label("pppoe")
	p.add(bpf.LoadIndirect{Off: 6, Size: 2})
	p.jump(bpf.JumpEqual, pppIPv4, "ppp")
	p.jump(bpf.JumpNotEqual, pppIPv6, "keep")
	p.label("ppp")
	p.add(bpf.StoreScratch{Src: bpf.RegA, N: 0})
	p.add(bpf.TXA{})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 8})
	p.add(bpf.TAX{})
	p.add(bpf.LoadScratch{Dst: bpf.RegA, N: 0})
	p.jump(bpf.JumpEqual, pppIPv4, "ipv4")
}

// raw does the same by the IP version.
func (p *program) raw() {
	p.add(bpf.LoadConstant{Dst: bpf.RegX, Val: 0})
	p.add(bpf.LoadAbsolute{Off: 0, Size: 1})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4})
	p.jump(bpf.JumpEqual, 4, "ipv4")
	p.jump(bpf.JumpNotEqual, 6, "keep")
}

// ip decides about the packet whose header is at X: IPv6 at its start, IPv4 at
// the label of that name.
func (p *program) ip() {
	p.label("ipv6")
	p.add(bpf.LoadIndirect{Off: 6, Size: 1})
	p.jump(bpf.JumpEqual, ipESP, "drop")
	p.jump(bpf.JumpNotEqual, uint32(ProtoTCP), "keep")
	p.add(bpf.TXA{})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 40})
	p.jump(bpf.JumpNotEqual, 0, "tcp")

	p.label("ipv4")
	p.add(bpf.LoadIndirect{Off: 9, Size: 1})
	p.jump(bpf.JumpEqual, ipESP, "drop")
	p.jump(bpf.JumpNotEqual, uint32(ProtoTCP), "keep")
	p.add(bpf.LoadIndirect{Off: 6, Size: 2})
	p.jump(bpf.JumpBitsSet, 0x3fff, "keep") // a fragment
	p.add(bpf.LoadIndirect{Off: 0, Size: 1})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x0f})
	p.add(bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2})
	p.add(bpf.ALUOpX{Op: bpf.ALUOpAdd})

	p.label("tcp")
	p.add(bpf.TAX{})
	p.add(bpf.LoadIndirect{Off: 13, Size: 1})
	p.jump(bpf.JumpBitsSet, uint32(SYN|FIN|RST), "keep")
	p.jump(bpf.JumpBitsSet, uint32(ACK), "drop")
}

// program assembles BPF with labels for its forward jumps.
type program struct {
	code   []bpf.Instruction
	labels map[string]int
	jumps  []target
}

// target is a jump that waits for its label.
type target struct {
	at    int
	label string
}

func (p *program) add(i bpf.Instruction) { p.code = append(p.code, i) }

// label names the next instruction.
func (p *program) label(name string) {
	if p.labels == nil {
		p.labels = make(map[string]int)
	}
	p.labels[name] = len(p.code)
}

// jump goes to a label if A meets the condition, and on otherwise.
func (p *program) jump(cond bpf.JumpTest, value uint32, label string) {
	p.jumps = append(p.jumps, target{len(p.code), label})
	p.add(bpf.JumpIf{Cond: cond, Val: value})
}

// resolve sets the distances of the jumps, which are all below 256.
func (p *program) resolve() []bpf.Instruction {
	for _, j := range p.jumps {
		jump := p.code[j.at].(bpf.JumpIf)
		jump.SkipTrue = uint8(p.labels[j.label] - j.at - 1)
		p.code[j.at] = jump
	}
	return p.code
}
