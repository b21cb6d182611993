// Package policy reads what an operator says of the traffic that is watched:
// which scans are allowed, which addresses are inside, and from which score on
// scans in each direction are of interest.
//
// Text comes in, and what a detect.Policy asks comes out. The package opens no
// file and reads no clock: times are those of packets.
package policy
