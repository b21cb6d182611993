package confine

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// deniedHere are the calls to deny that not every architecture has.
var deniedHere = []uint32{unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_MKNOD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_USELIB, unix.SYS_MODIFY_LDT, unix.SYS_IOPERM, unix.SYS_IOPL}
