// Package flood makes traffic that is meant to wear the detector out: floods,
// sweeps, collisions, too many scanners at once, and a real scanner in the
// middle that must not be lost. Frames are made one at a time, so that a test
// can stream millions of them; the same attack gives the same bytes.
package flood
