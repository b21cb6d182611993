package capture

import (
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// attacher returns what gives programs to the kernel, for a socket that any user
// may open.
func attacher(tb testing.TB) func(program []bpf.Instruction) error {
	tb.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Skipf("needs a socket: %v", err)
	}
	tb.Cleanup(func() { unix.Close(fd) })
	return func(program []bpf.Instruction) error {
		raw, err := bpf.Assemble(program)
		if err != nil {
			return err
		}
		code := make([]unix.SockFilter, len(raw))
		for i, r := range raw {
			code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
		}
		if len(code) > maxProgram {
			return nil
		}
		err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
		if err == unix.ENOMEM { // net.core.optmem_max, a setting
			return nil
		}
		return err
	}
}
