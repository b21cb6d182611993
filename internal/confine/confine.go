// Package confine gives up what a program that parses hostile packets does not
// need, so that a flaw in it is worth little to who finds it.
//
// What comes in is a user and the folders that stay open; nothing comes out
// but what the kernel refused. Both functions do all that they can and return
// the rest as one error, which is for the log: a kernel without Landlock, or a
// container that may not change its user, is no reason not to watch.
//
// Drop is first, when sockets and files are open, then Restrict. Neither can be
// undone, both hold for all threads, those to come included, and for what the
// program would start. Descriptors that are open stay as useful as they are: a
// packet socket is read, and bound to another interface, without privileges.
package confine

import "errors"

// ErrUser is what LookupUser's errors wrap.
var ErrUser = errors.New("no such user")

// User is whom Drop becomes.
type User struct {
	Name     string // for the log
	UID, GID int
}

// Access is what Restrict leaves of the file system. A path that does not
// exist, or that the user cannot reach, is left out.
type Access struct {
	ReadAll bool     // everything may still be read
	Read    []string // files, and folders with all below them, that may be read
	Connect []uint16 // TCP ports that may be connected to; none: no TCP socket can be made
	Write   []string // folders below which files may be made, written, renamed and removed; single files, which may be written
}
