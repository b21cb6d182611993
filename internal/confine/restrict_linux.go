package confine

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Restrict gives up, in this order: ever to gain privileges by starting a
// program; to be traced or to leave a core file; the file system but for a
// (Landlock), with it TCP but for connections to a's ports, and sockets that
// others have under an abstract name; the system calls that only an attacker
// would make (seccomp).
//
// What stays: open descriptors, UDP, sockets that have a path (of which the
// kernels of today let Landlock say nothing), the memory, the clock, threads.
func Restrict(a Access) error {
	_, _ = time.Now().Zone() // the zone's file is read at first use, which may be too late
	return errors.Join(gainNothing(), hideMemory(), restrictFiles(a), filterCalls(len(a.Connect) > 0))
}

func gainNothing() error {
	if err := allThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); err != nil {
		// Of a program with cgo at least this thread. The filter of system
		// calls, which needs it, takes it to the others.
		err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		if err != nil {
			return fmt.Errorf("gain no privileges: %w", err)
		}
	}
	return nil
}

// hideMemory keeps others of the same user from reading what hosts do out of
// the memory, and a core file from holding it.
func hideMemory() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("hide the memory: %w", err)
	}
	return nil
}
