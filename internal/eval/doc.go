// Package eval scores detectors on labelled captures: the network in its
// forms, and beside them the simple rules that it has to beat, on the same
// contacts.
package eval
