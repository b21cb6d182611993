package confine

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// TestFilter judges system calls as the kernel does. The machine that runs the
// filter here reads big-endian.
func TestFilter(t *testing.T) {
	vm, err := bpf.NewVM(filter(binary.BigEndian, false))
	if err != nil {
		t.Fatal(err)
	}
	const (
		allowed = unix.SECCOMP_RET_ALLOW
		eperm   = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		enosys  = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
		thread  = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM | unix.CLONE_THREAD // as Go's runtime does
	)
	for _, test := range []struct {
		name          string
		arch          uint32
		number        uint32
		first, second uint64
		want          uint32
	}{
		{"read", auditArch, unix.SYS_READ, 3, 0, allowed},
		{"futex", auditArch, unix.SYS_FUTEX, 0, 0, allowed},
		{"a call of the future", auditArch, unix.SYS_MSEAL + 1000, 0, 0, allowed},
		{"execve", auditArch, unix.SYS_EXECVE, 0, 0, eperm},
		{"the last in the list", auditArch, denied[len(denied)-1], 0, 0, eperm},
		{"read of another architecture", auditArch + 1, unix.SYS_READ, 3, 0, eperm},
		{"x32", auditArch, firstX32 + unix.SYS_READ, 3, 0, eperm},
		{"a thread", auditArch, unix.SYS_CLONE, thread, 0, allowed},
		{"a process", auditArch, unix.SYS_CLONE, uint64(unix.SIGCHLD), 0, eperm},
		{"vfork", auditArch, unix.SYS_CLONE, unix.CLONE_VM | unix.CLONE_VFORK | uint64(unix.SIGCHLD), 0, eperm},
		{"a thread in a namespace", auditArch, unix.SYS_CLONE, thread | unix.CLONE_NEWNET, 0, eperm},
		{"clone3", auditArch, unix.SYS_CLONE3, 0, 0, enosys},
		{"an IPv4 socket", auditArch, unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM | unix.SOCK_CLOEXEC, allowed},
		{"an IPv6 socket", auditArch, unix.SYS_SOCKET, unix.AF_INET6, unix.SOCK_DGRAM | unix.SOCK_CLOEXEC, allowed},
		{"a local socket", auditArch, unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_DGRAM | unix.SOCK_CLOEXEC, allowed},
		{"a netlink socket", auditArch, unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_DGRAM | unix.SOCK_CLOEXEC, allowed},
		{"TCP", auditArch, unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_NONBLOCK, eperm},
		{"TCP over IPv6", auditArch, unix.SYS_SOCKET, unix.AF_INET6, unix.SOCK_STREAM, eperm},
		{"a raw socket", auditArch, unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_RAW, eperm},
		{"a local stream", auditArch, unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, allowed},
		{"a packet socket", auditArch, unix.SYS_SOCKET, unix.AF_PACKET, unix.SOCK_DGRAM | unix.SOCK_CLOEXEC, eperm},
		{"a socket of no family", auditArch, unix.SYS_SOCKET, 0, unix.SOCK_DGRAM | unix.SOCK_CLOEXEC, eperm},
	} {
		data := make([]byte, 64)
		binary.BigEndian.PutUint32(data[dataNumber:], test.number)
		binary.BigEndian.PutUint32(data[dataArch:], test.arch)
		binary.BigEndian.PutUint64(data[dataArgument:], test.first)
		binary.BigEndian.PutUint64(data[dataArgument+8:], test.second)
		got, err := vm.Run(data)
		if err != nil || uint32(got) != test.want {
			t.Errorf("%s: %#x, %v, want %#x", test.name, got, err, test.want)
		}
	}
}

// TestFilterTCP wants TCP let through where it was asked for, and nothing else
// of what streams there are.
func TestFilterTCP(t *testing.T) {
	vm, err := bpf.NewVM(filter(binary.BigEndian, true))
	if err != nil {
		t.Fatal(err)
	}
	const allowed, eperm = unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	for _, test := range []struct {
		name                   string
		family, kind, protocol uint64
		want                   uint32
	}{
		{"TCP", unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_NONBLOCK, 0, allowed},
		{"TCP over IPv6 by its number", unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_TCP, allowed},
		{"UDP", unix.AF_INET, unix.SOCK_DGRAM, 0, allowed},
		{"multipath TCP", unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP, eperm},
		{"SCTP", unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP, eperm},
		{"a raw socket", unix.AF_INET, unix.SOCK_RAW, 0, eperm},
		{"a stream of another family", unix.AF_VSOCK, unix.SOCK_STREAM, 0, eperm},
	} {
		data := make([]byte, 64)
		binary.BigEndian.PutUint32(data[dataNumber:], unix.SYS_SOCKET)
		binary.BigEndian.PutUint32(data[dataArch:], auditArch)
		for i, argument := range []uint64{test.family, test.kind, test.protocol} {
			binary.BigEndian.PutUint64(data[dataArgument+8*i:], argument)
		}
		if got, err := vm.Run(data); err != nil || uint32(got) != test.want {
			t.Errorf("%s: %#x, %v, want %#x", test.name, got, err, test.want)
		}
	}
}
