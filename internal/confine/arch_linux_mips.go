package confine

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_MIPS

// deniedHere are the calls to deny that not every architecture has. SYS_SYSCALL
// and SYS_SOCKETCALL make other calls, by their numbers; Go uses neither.
var deniedHere = []uint32{unix.SYS_SYSCALL, unix.SYS_SOCKETCALL, unix.SYS_FORK, unix.SYS_MKNOD, unix.SYS_USELIB, unix.SYS_UMOUNT, unix.SYS_STIME, unix.SYS_CLOCK_SETTIME64, unix.SYS_CLOCK_ADJTIME64}
