package confine

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_I386

// deniedHere are the calls to deny that not every architecture has.
// Not so SYS_SOCKETCALL, though it makes sockets of all kinds with arguments
// that a filter cannot see: Go makes all of its own with it.
var deniedHere = []uint32{unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_MKNOD, unix.SYS_USELIB, unix.SYS_UMOUNT, unix.SYS_STIME, unix.SYS_CLOCK_SETTIME64, unix.SYS_CLOCK_ADJTIME64, unix.SYS_IOPERM, unix.SYS_IOPL, unix.SYS_VM86, unix.SYS_VM86OLD}
