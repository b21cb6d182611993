package confine

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_ARM

// deniedHere are the calls to deny that not every architecture has.
var deniedHere = []uint32{unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_MKNOD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_USELIB, unix.SYS_CLOCK_SETTIME64, unix.SYS_CLOCK_ADJTIME64}
