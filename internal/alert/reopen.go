package alert

import (
	"errors"
	"fmt"
)

// reopener is a Sink that writes to a file that others may rename.
type reopener interface{ Reopen() error }

// Reopen lets go of files that were renamed or removed and makes them anew, for
// whoever packs the old ones does not want to wait for the next alert.
func (f *Fan) Reopen() error {
	var errs []error
	for _, s := range f.Sinks {
		if r, ok := s.(reopener); ok {
			errs = append(errs, r.Reopen())
		}
	}
	return errors.Join(errs...)
}

// Reopen opens the file anew unless its path still names it.
func (s *Objects) Reopen() error {
	f, ok := s.w.(*file)
	if !ok {
		return nil
	}
	if err := f.follow(); err != nil {
		return fmt.Errorf("open JSON file: %w", err)
	}
	return nil
}
