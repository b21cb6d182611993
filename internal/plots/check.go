package plots

import (
	"fmt"
	"math"
	"unicode"
	"unicode/utf8"
)

// A logarithmic axis has no place for 0: what is smaller than leastLog is drawn
// there, and what is larger than mostLog is refused.
const (
	leastLog = 1e-9
	mostLog  = 1e9
)

// checkLog reports the first value that is not from 0 to mostLog.
func checkLog(what string, values []float64) error {
	for i, v := range values {
		if !(v >= 0 && v <= mostLog) {
			return fmt.Errorf("%w: %s %d is %g, want 0 to %g", ErrData, what, i, v, mostLog)
		}
	}
	return nil
}

// checkScores reports what keeps scores from being compared with the truth:
// every score must be finite, and both scans and others must occur.
func checkScores(scores []float64, scan []bool) error {
	if len(scores) != len(scan) {
		return fmt.Errorf("%w: %d scores for %d examples", ErrData, len(scores), len(scan))
	}
	scans := 0
	for i, s := range scores {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return fmt.Errorf("%w: score %d is %g", ErrData, i, s)
		}
		if scan[i] {
			scans++
		}
	}
	if scans == 0 || scans == len(scan) {
		return fmt.Errorf("%w: %d of %d examples are scans, want some but not all", ErrData, scans, len(scan))
	}
	return nil
}

// checkNames reports the first name that is empty or cannot be printed.
func checkNames(what string, names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("%w: no %s", ErrData, what)
	}
	for _, name := range names {
		if !printable(name) {
			return fmt.Errorf("%w: %q is no name for one of the %s", ErrData, name, what)
		}
	}
	return nil
}

func printable(name string) bool {
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return name != "" && utf8.ValidString(name)
}

// checkDetectors is checkNames for what gets a colour of its own.
func checkDetectors(names []string) error {
	if len(names) > len(colours) {
		return fmt.Errorf("%w: %d detectors, only %d can be told apart", ErrData, len(names), len(colours))
	}
	return checkNames("detectors", names)
}
