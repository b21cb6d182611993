package capture

import "golang.org/x/net/bpf"

// The codes of classic BPF (linux/bpf_common.h). Jumps and arithmetic with
// operandX take X in place of the constant.
const (
	operandX = 0x08
	sizeBits = 0x18 // of loads

	opLoadAbsolute       = 0x20
	opLoadAbsoluteHalf   = 0x28
	opLoadAbsoluteByte   = 0x30
	opLoadIndirect       = 0x40
	opLoadIndirectHalf   = 0x48
	opLoadIndirectByte   = 0x50
	opLoadConstant       = 0x00
	opLoadConstantX      = 0x01
	opLoadScratch        = 0x60
	opLoadScratchX       = 0x61
	opLoadLength         = 0x80
	opLoadHeaderLength   = 0xb1
	opStore              = 0x02
	opStoreX             = 0x03
	opAdd                = 0x04
	opSubtract           = 0x14
	opMultiply           = 0x24
	opDivide             = 0x34
	opOr                 = 0x44
	opAnd                = 0x54
	opShiftLeft          = 0x64
	opShiftRight         = 0x74
	opNegate             = 0x84
	opModulo             = 0x94
	opXor                = 0xa4
	opJump               = 0x05
	opJumpEqual          = 0x15
	opJumpGreater        = 0x25
	opJumpGreaterOrEqual = 0x35
	opJumpSet            = 0x45
	opReturn             = 0x06
	opReturnA            = 0x16
	opCopyToX            = 0x07
	opCopyToA            = 0x87
)

// accepts runs a program of ParseFileBytecode on a frame of wire bytes, of which
// data has those that were captured, and reports whether it lets the frame
// through. It allocates nothing.
//
// The machine of golang.org/x/net/bpf would not do: it takes the captured length
// for that on the wire, so that "greater 100" is wrong where a capture was cut,
// and where ints have 32 bits it panics on offsets that packets can choose.
func (b Bytecode) accepts(data []byte, wire int) bool {
	var a, x uint32
	var scratch [16]uint32
	for at := 0; at < len(b); at++ {
		r := &b[at]
		operand := r.K
		if r.Op&operandX != 0 { // of a load this is part of the size, which has no use for operand
			operand = x
		}
		switch r.Op {
		case opLoadAbsolute, opLoadAbsoluteHalf, opLoadAbsoluteByte, opLoadIndirect, opLoadIndirectHalf, opLoadIndirectByte:
			from := r.K
			if r.Op >= opLoadIndirect {
				from += x // wraps, as in the kernel
			}
			var ok bool
			if a, ok = load(data, from, r.Op&sizeBits); !ok {
				return false
			}
		case opLoadConstant:
			a = r.K
		case opLoadConstantX:
			x = r.K
		case opLoadScratch:
			a = scratch[r.K&15]
		case opLoadScratchX:
			x = scratch[r.K&15]
		case opLoadLength:
			a = uint32(wire)
		case opLoadHeaderLength:
			first, ok := load(data, r.K, opLoadAbsoluteByte&sizeBits)
			if !ok {
				return false
			}
			x = first & 15 * 4
		case opStore:
			scratch[r.K&15] = a
		case opStoreX:
			scratch[r.K&15] = x
		case opJump:
			at += int(r.K)
		case opJumpEqual, opJumpEqual | operandX:
			at += skip(r, a == operand)
		case opJumpGreater, opJumpGreater | operandX:
			at += skip(r, a > operand)
		case opJumpGreaterOrEqual, opJumpGreaterOrEqual | operandX:
			at += skip(r, a >= operand)
		case opJumpSet, opJumpSet | operandX:
			at += skip(r, a&operand != 0)
		case opReturn:
			return r.K != 0
		case opCopyToX:
			x = a
		case opCopyToA:
			a = x
		default:
			var ok bool
			if a, ok = calculate(r.Op&^operandX, a, operand); !ok {
				return false
			}
		}
	}
	return false
}

// load reads 1, 2 or 4 bytes in network byte order, unless they are not there.
func load(data []byte, from uint32, size uint16) (uint32, bool) {
	if uint64(from) >= uint64(len(data)) {
		return 0, false
	}
	data = data[from:]
	switch {
	case size == opLoadAbsoluteByte&sizeBits:
		return uint32(data[0]), true
	case size == opLoadAbsoluteHalf&sizeBits && len(data) >= 2:
		return uint32(be16(data)), true
	case size == opLoadAbsolute&sizeBits && len(data) >= 4:
		return be32(data), true
	}
	return 0, false
}

// skip is the distance of a jump.
func skip(r *bpf.RawInstruction, met bool) int {
	if met {
		return int(r.Jt)
	}
	return int(r.Jf)
}

// calculate does arithmetic, in which a division by zero ends the program.
func calculate(op uint16, a, b uint32) (uint32, bool) {
	switch op {
	case opAdd:
		return a + b, true
	case opSubtract:
		return a - b, true
	case opMultiply:
		return a * b, true
	case opDivide:
		if b != 0 {
			return a / b, true
		}
	case opModulo:
		if b != 0 {
			return a % b, true
		}
	case opOr:
		return a | b, true
	case opAnd:
		return a & b, true
	case opXor:
		return a ^ b, true
	case opShiftLeft:
		return a << b, true
	case opShiftRight:
		return a >> b, true
	case opNegate:
		return -a, true
	}
	return 0, false
}
