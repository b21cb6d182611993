// Package model makes the networks that the detector runs: it builds the CNN of
// a quant.Arch as a GoMLX graph, trains it on labelled maps, calibrates it and
// converts it to the int8 network of package quant.
//
// In come maps as package featurize draws them, with labels and weights
// (Dataset), and an architecture; out come a Float network and its int8 twin.
// The same data, configuration and seed give the same bytes on the same
// architecture, whether or not the training was interrupted and resumed.
//
// It is the only package that imports GoMLX, and never part of what runs on a
// device. No panic leaves it: GoMLX panics on errors while a graph is built,
// and the exported functions return them.
package model
