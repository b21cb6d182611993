// Package synth makes labelled synthetic traffic to train and to test on.
//
// A seed goes in. Out comes a Scene: the Ethernet frames that a capture at one
// place of a made-up network would hold, with correct checksums, and for each
// source that acts in it what it really does. Behaviours lists what there is:
// scans by all the usual techniques, and the ordinary programs that look most
// like them, as a network learns to tell the two apart only where they are
// close.
//
// The same seed gives the same bytes on every architecture: all that is drawn
// comes from one kind of generator by integer arithmetic, and nothing depends
// on the order of a map. The package reads no clock, file or network, and
// copies no real traffic.
package synth
