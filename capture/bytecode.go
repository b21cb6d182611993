package capture

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
)

// Bytecode is a packet filter in the kernel's own language (classic BPF), as
// tcpdump compiles it from an expression. ParseBytecode and ParseFileBytecode
// have checked it. Nil lets everything through.
//
// A program looks at bytes by their place in the frame, and does not say for
// which link type it was made: for frames of another it is meaningless.
type Bytecode []bpf.RawInstruction

// maxProgram is how many instructions the kernel takes (BPF_MAXINSNS).
const maxProgram = 4096

// What is wrong with bytecode. ErrBytecode is wrapped with the number of the
// instruction, from 1 on, where one is to blame.
var (
	ErrNotBytecode = errors.New("not bytecode as tcpdump -ddd prints it")
	ErrBytecode    = errors.New("bad bytecode")
)

// ParseBytecode reads a program as tcpdump -ddd prints it: in decimal the number
// of instructions, then for each the code, two jumps and an operand. Lines or
// commas part them. What it returns the kernel takes as well.
//
// The error wraps ErrNotBytecode where the text has more than numbers, or
// nothing, and ErrBytecode otherwise.
func ParseBytecode(text string) (Bytecode, error) {
	if strings.TrimSpace(text) == "" || strings.Trim(text, "0123456789, \t\r\n") != "" {
		return nil, ErrNotBytecode
	}
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' })
	if n := len(lines); n > 0 && strings.TrimSpace(lines[n-1]) == "" {
		lines = lines[:n-1]
	}
	if len(lines) == 0 {
		return nil, ErrNotBytecode
	}
	count, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: it does not begin with the number of instructions", ErrBytecode)
	case count < 1 || count > maxProgram:
		return nil, fmt.Errorf("%w: %d instructions, want 1 to %d", ErrBytecode, count, maxProgram)
	case count != len(lines)-1:
		return nil, fmt.Errorf("%w: it has %d instructions and says that they are %d", ErrBytecode, len(lines)-1, count)
	}
	b := make(Bytecode, count)
	for i, line := range lines[1:] {
		if b[i], err = parseInstruction(line); err != nil {
			return nil, instructionError(i, err)
		}
	}
	for i := range b {
		if err := b.check(i); err != nil {
			return nil, instructionError(i, err)
		}
	}
	if _, ok := b[count-1].Disassemble().(bpf.RetConstant); !ok {
		return nil, instructionError(count-1, errors.New("the last one has to return"))
	}
	if i := b.unset(); i >= 0 {
		return nil, instructionError(i, errors.New("it loads what was not stored on every way to it"))
	}
	return b, nil
}

// ParseFileBytecode is ParseBytecode for frames of files. It refuses what only
// the kernel knows of a frame: the VLAN tag that is kept beside it, its
// interface, its direction.
func ParseFileBytecode(text string) (Bytecode, error) {
	b, err := ParseBytecode(text)
	for i, r := range b {
		if r.Op&^sizeBits == opLoadAbsolute && r.K >= kernelOnly {
			return nil, instructionError(i, errors.New("it loads what files do not have; compile with -r FILE or -y EN10MB in place of -i, and without inbound and outbound"))
		}
	}
	return b, err
}

func instructionError(i int, err error) error {
	return fmt.Errorf("%w: instruction %d: %w", ErrBytecode, i+1, err)
}

func parseInstruction(line string) (r bpf.RawInstruction, err error) {
	fields := strings.Fields(line)
	if len(fields) != 4 {
		return r, fmt.Errorf("%d numbers, want 4", len(fields))
	}
	var numbers [4]uint64
	for i, bits := range [4]int{16, 8, 8, 32} {
		if numbers[i], err = strconv.ParseUint(fields[i], 10, bits); err != nil {
			return r, fmt.Errorf("%s is too large a number, it has %d bits", fields[i], bits)
		}
	}
	return bpf.RawInstruction{Op: uint16(numbers[0]), Jt: uint8(numbers[1]), Jf: uint8(numbers[2]), K: uint32(numbers[3])}, nil
}

// Operands of loads from this on are no offsets within the frame: the kernel
// takes them for negative, and for names of what it knows (linux/filter.h).
const (
	kernelOnly    = 1 << 31
	extensions    = 1<<32 - 0x1000 // SKF_AD_OFF
	lastExtension = 60             // SKF_AD_VLAN_TPID
)

// check tells what is wrong with an instruction, as far as it can be told
// without the way to it. All of it the kernel would refuse, or tcpdump does not
// make.
func (b Bytecode) check(i int) error {
	r := b[i]
	instruction := r.Disassemble()
	if _, raw := instruction.(bpf.RawInstruction); raw {
		return fmt.Errorf("%d is no known code", r.Op)
	}
	extension := r.Op&^sizeBits == opLoadAbsolute && r.K >= extensions // of any size: the kernel looks at the operand alone
	if again, err := instruction.Assemble(); err != nil || again != r && !extension {
		return fmt.Errorf("%d %d %d %d makes no sense", r.Op, r.Jt, r.Jf, r.K)
	}
	left := len(b) - 1 - i // instructions behind this one
	switch r.Op &^ operandX {
	case opJump:
		if int32(r.K) < 0 {
			return errors.New("it jumps back, as protochain does, which the kernel does not allow")
		}
		if int64(r.K) >= int64(left) {
			return errors.New("it jumps behind the end")
		}
	case opJumpEqual, opJumpGreater, opJumpGreaterOrEqual, opJumpSet:
		if int(max(r.Jt, r.Jf)) >= left {
			return errors.New("it jumps behind the end")
		}
	}
	switch {
	case r.Op == opReturnA:
		return errors.New("it returns a register, which no program of tcpdump's does")
	case (r.Op == opDivide || r.Op == opModulo) && r.K == 0:
		return errors.New("it divides by zero")
	case (r.Op == opShiftLeft || r.Op == opShiftRight) && r.K > 31:
		return errors.New("it shifts by more than 31 bits")
	case extension && (r.K-extensions > lastExtension || r.K%4 != 0 || r.Jt|r.Jf != 0):
		return errors.New("it loads what no kernel has")
	}
	return nil
}

// unset returns the first instruction that loads a scratch register which is not
// stored on every way to it, and -1 if there is none. Jumps go forward only, so
// that one pass finds it. As to the kernel, a return leads on to the instruction
// behind it.
func (b Bytecode) unset() int {
	const all = 1<<16 - 1
	stored := make([]uint16, len(b)+1) // by instruction: the registers stored on every way to it
	for i := range stored {
		stored[i] = all
	}
	stored[0] = 0
	for i, r := range b {
		now := stored[i]
		switch r.Op {
		case opStore, opStoreX:
			now |= 1 << r.K
		case opLoadScratch, opLoadScratchX:
			if now&(1<<r.K) == 0 {
				return i
			}
		}
		switch r.Op &^ operandX {
		case opJump:
			stored[i+1+int(r.K)] &= now
		case opJumpEqual, opJumpGreater, opJumpGreaterOrEqual, opJumpSet:
			stored[i+1+int(r.Jt)] &= now
			stored[i+1+int(r.Jf)] &= now
		default:
			stored[i+1] &= now
		}
	}
	return -1
}
