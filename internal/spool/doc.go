// Package spool is a queue of records that outlives the program: bytes come
// in, the same bytes come out in the same order, each until it is said to be
// done. It knows nothing of what the records are or where they go.
//
// Who puts never waits, not for a disk either: a record goes to memory, which
// is bounded, and one goroutine writes it to a folder from there. What memory
// has no room for stays in the folder alone, whose size is bounded too. Once
// both are full, or memory where there is no folder, what comes is dropped and
// counted, so that of what is kept nothing is missing in between.
//
// A record is in the file once the goroutine was there, without fsync: it
// survives the end of the program, however sudden, but not always that of the
// power supply. A folder whose records are all done holds no segment.
package spool
