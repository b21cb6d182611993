//go:build unix

package alert

import (
	"os"
	"syscall"
)

// nameless reports whether no folder has the file any more: what is written to
// it is lost with the descriptor.
func nameless(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 0
}
