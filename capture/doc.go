// Package capture brings packets in: from a live Linux interface, from pcap
// and pcapng files, from standard input. Frames go in, Packet values come out;
// the frame's bytes belong to the reader and are valid until its next read.
//
// A Source (File, Merge for several of them, Follower for a folder that is being
// written to, or Live) yields Frames, a Decoder turns each into a Packet or says
// by a Reason why it cannot. Filter is the program with which Live leaves bulk
// in the kernel; a FrameFilter does the same to frames of a file.
//
// It knows nothing of contacts, scans or time windows, starts no goroutine and
// writes no log: what it could not decode or had to leave out is counted by
// reason, for the caller to report.
package capture
