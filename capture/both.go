package capture

import "golang.org/x/net/bpf"

// both returns the program that lets a frame through if first and second do, with
// as much of it as second says. The user's program comes first, because most
// are short and drop what is not wanted at all.
//
// Where first accepts, it goes on to second: each of its accepting returns becomes
// a jump, which is one instruction as well, so that the distances of its
// other jumps, which have 8 bits, stay as they are. Second finds the registers as a
// program does that begins: zero.
func both(first Bytecode, second []bpf.Instruction) []bpf.Instruction {
	if len(first) == 0 {
		return second
	}
	program := make([]bpf.Instruction, 0, len(first)+2+len(second))
	for i, r := range first {
		instruction := r.Disassemble()
		if r.Op == opReturn && r.K > 0 {
			instruction = bpf.Jump{Skip: uint32(len(first) - 1 - i)}
		}
		program = append(program, instruction)
	}
	program = append(program, bpf.LoadConstant{Dst: bpf.RegA}, bpf.LoadConstant{Dst: bpf.RegX})
	return append(program, second...)
}
