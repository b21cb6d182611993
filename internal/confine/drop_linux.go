package confine

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dedicated are the users for a program that names none, the best one first.
var dedicated = []string{"edgescan", "nobody"}

// overflowID is who the kernel takes for nobody, where no user has that name.
const overflowID = 65534

// LookupUser finds a user by name or number; a number need not be known. Nothing
// is edgescan, or else nobody.
func LookupUser(name string) (User, error) {
	if name == "" {
		for _, name := range dedicated {
			if u, err := LookupUser(name); err == nil {
				return u, nil
			}
		}
		return User{strconv.Itoa(overflowID), overflowID, overflowID}, nil
	}
	found, err := user.Lookup(name)
	if err != nil {
		found, err = user.LookupId(name)
	}
	if err != nil {
		id, err := strconv.ParseInt(name, 10, 32)
		if err != nil || id < 0 {
			return User{}, fmt.Errorf("%w: %s", ErrUser, name)
		}
		return User{name, int(id), int(id)}, nil
	}
	uid, uidErr := strconv.ParseInt(found.Uid, 10, 32)
	gid, gidErr := strconv.ParseInt(found.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return User{}, fmt.Errorf("%w: %s: %w", ErrUser, name, err)
	}
	return User{found.Username, int(uid), int(gid)}, nil
}

// Drop becomes u if the caller is root, with u's group and no other; an
// ordinary user stays who it is. Then all capabilities are gone but those to be
// kept (unix.CAP_*, below 32), whether they came from root or from the program's
// file.
func Drop(u User, keep ...uint) error {
	errs := []error{emptyBounding()} // while root still may
	if os.Geteuid() == 0 {
		if len(keep) > 0 { // else they go with root
			errs = append(errs, allThreads(unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0))
		}
		errs = append(errs, become(u))
	}
	return errors.Join(append(errs, clearCapabilities(keep))...)
}

// become changes groups and user, in the order in which each step still may.
func become(u User) error {
	errs := []error{syscall.Setgroups(nil), syscall.Setgid(u.GID), syscall.Setuid(u.UID)}
	for i, step := range []string{"groups", "group", "user"} {
		if errs[i] != nil {
			errs[i] = fmt.Errorf("change the %s to that of %s: %w", step, u.Name, errs[i])
		}
	}
	return errors.Join(errs...)
}

// emptyBounding takes from the bounding set what the caller may take. An
// ordinary user may not, and need not: only a program's start gives what
// is in the set, and Restrict lets none give anything.
func emptyBounding() error {
	for capability := uintptr(0); ; capability++ {
		held, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, capability, 0, 0, 0)
		if err != nil {
			return nil // past the last one that the kernel has
		}
		if held == 0 {
			continue
		}
		switch err := allThreads(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, capability, 0); {
		case errors.Is(err, unix.EPERM):
			return nil
		case err != nil:
			return fmt.Errorf("empty the bounding set: %w", err)
		}
	}
}

// clearCapabilities empties the effective and permitted sets, but for what is
// kept, and the inheritable set, and so the ambient one, which is never more than that.
func clearCapabilities(keep []uint) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	for _, capability := range keep {
		data[0].Effective |= 1 << capability
		data[0].Permitted |= 1 << capability
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data)), 0)
	if err := threadsError(errno); err != nil {
		return fmt.Errorf("clear the capabilities: %w", err)
	}
	return nil
}

// allThreads is a system call on every thread: what it sets is the thread's in
// the kernel.
func allThreads(trap, a, b, c uintptr) error {
	_, _, errno := syscall.AllThreadsSyscall(trap, a, b, c)
	return threadsError(errno)
}

// threadsError says what is behind the error of a program with cgo: Go does
// not know the threads of C.
func threadsError(errno syscall.Errno) error {
	switch errno {
	case 0:
		return nil
	case syscall.ENOTSUP:
		return fmt.Errorf("%w in a build with cgo", errno)
	}
	return errno
}
