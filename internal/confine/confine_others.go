//go:build !linux

package confine

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// LookupUser knows nobody.
func LookupUser(name string) (User, error) {
	if name != "" {
		return User{}, fmt.Errorf("%w: %s on %s", ErrUser, name, runtime.GOOS)
	}
	return User{UID: os.Getuid(), GID: os.Getgid()}, nil
}

// Drop gives nothing up.
func Drop(User, ...uint) error { return fmt.Errorf("privileges: %w", errors.ErrUnsupported) }

// Restrict gives nothing up.
func Restrict(Access) error { return fmt.Errorf("limits: %w", errors.ErrUnsupported) }
