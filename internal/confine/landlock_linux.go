package confine

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What Landlock's versions know of the file system: each what the one before
// knew, and the right named.
const (
	filesVersion1 = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1
	filesVersion2 = filesVersion1 | unix.LANDLOCK_ACCESS_FS_REFER
	filesVersion3 = filesVersion2 | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	filesVersion5 = filesVersion3 | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// What Access means in Landlock's terms.
const (
	readFile  = unix.LANDLOCK_ACCESS_FS_READ_FILE
	writeFile = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	inFolder  = unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE
	reading   = readFile | unix.LANDLOCK_ACCESS_FS_READ_DIR | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// rules returns what a kernel of a Landlock version is to forbid.
func rules(version int, a Access) unix.LandlockRulesetAttr {
	var r unix.LandlockRulesetAttr
	switch {
	case version >= 5:
		r.Handled_access_fs = filesVersion5
	case version >= 3:
		r.Handled_access_fs = filesVersion3
	case version == 2:
		r.Handled_access_fs = filesVersion2
	default:
		r.Handled_access_fs = filesVersion1
	}
	if a.ReadAll {
		r.Handled_access_fs &^= reading
	}
	if version >= 4 {
		r.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if version >= 6 {
		r.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
	}
	return r
}

// restrictFiles closes the file system and the rest that Landlock knows (Linux,
// Documentation/userspace-api/landlock.rst).
func restrictFiles(a Access) error {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	attr := rules(int(version), a)
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return fmt.Errorf("landlock: make rules: %w", errno)
	}
	defer unix.Close(int(fd))
	for _, path := range a.Read {
		if err := allow(int(fd), path, readFile&attr.Handled_access_fs, 0); err != nil {
			return err
		}
	}
	for _, path := range a.Write {
		if err := allow(int(fd), path, writeFile&attr.Handled_access_fs, inFolder); err != nil {
			return err
		}
	}
	for _, port := range a.Connect {
		if err := allowConnect(int(fd), port, attr.Handled_access_net); err != nil {
			return err
		}
	}
	if err := allThreads(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	return nil
}

// ruleNetPort is a rule for a port, and netPort what it says (struct
// landlock_net_port_attr).
const ruleNetPort = 2

type netPort struct {
	access uint64
	port   uint64
}

// allowConnect adds a rule for a TCP port of others. Kernels that know none
// leave all ports open.
func allowConnect(ruleset int, port uint16, handled uint64) error {
	if handled == 0 {
		return nil
	}
	rule := netPort{unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, uint64(port)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), ruleNetPort, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("landlock: allow port %d: %w", port, errno)
	}
	return nil
}

// allow adds a rule for what lies at path or below. A folder's rule holds
// the rights of folders too.
//
// The folder's descriptor stays open: the rule is the inode's, and the one of
// /proc/self would be another once the kernel's cache has let go of it.
func allow(ruleset int, path string, access, folder uint64) error {
	if access == 0 {
		return nil // what is not handled is allowed
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) {
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "landlock: open", Path: path, Err: err}
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err == nil && stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		access |= folder
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 && errno != unix.EBADFD { // a pipe needs no rule
		return &os.PathError{Op: "landlock: allow", Path: path, Err: errno}
	}
	return nil
}
