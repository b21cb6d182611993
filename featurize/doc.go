// Package featurize turns packets into contacts and contacts into maps.
//
// A contact is one source trying one (destination, protocol, port), with how
// it was answered. A Tracker keeps the contacts of all sources in memory that
// is bounded when it is made; a Builder draws the contacts of one source in
// one window as a Map, the picture that the network looks at.
//
// A source is a host, or a group of them: see Scope.
//
// The package is pure: packets and their times come in, nothing else. It reads
// no clock, starts no goroutine and writes no log, and the same packets and
// the same Config give the same maps on every architecture.
package featurize
