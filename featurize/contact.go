package featurize

import "edgescan/capture"

// Outcome says how a contact was answered.
type Outcome uint8

// A contact starts as Pending, or as Odd where the probe itself is not one
// that an ordinary host sends. From there it only moves to a higher value: a
// late answer mends Silent, and nothing undoes Answered.
const (
	Pending  Outcome = iota // asked a moment ago, or where answers may not be seen
	Silent                  // nothing came back within Timeout
	Odd                     // a FIN, NULL, XMAS, Maimon or ACK probe that belongs to no connection, or an empty UDP datagram that nobody answered
	Refused                 // RST, or an ICMP error
	Answered                // SYN-ACK, datagram, echo reply, ARP reply
)

// String returns the outcome's name in lower case.
func (o Outcome) String() string {
	return [...]string{"pending", "silent", "odd", "refused", "answered"}[o]
}

// marks are facts of a contact besides its outcome.
type marks uint8

const (
	markData    marks = 1 << iota // payload went either way
	markISN                       // isn holds the source's initial sequence number
	markRISN                      // risn holds the destination's
	markMid                       // known from packets in mid-connection, no SYN seen
	markEmpty                     // every UDP datagram from the source was empty
	markExpired                   // an ICMP time exceeded came back: a traceroute's probe
	markWaiting                   // on the queue of contacts that wait for an answer
	markShared                    // some group has it as well
)

// Contact is one source trying one destination, protocol and port. For ICMP
// the port is the request's type; ARP and neighbour discovery have port 0.
type Contact struct {
	Dst      capture.Addr
	source   uint32
	hashNext uint32 // a link of chains, or the next free one
	Port     uint16
	SrcPort  uint16 // of the latest attempt, TCP and UDP; of a group that of the member who tried it last
	Attempts uint8  // saturates, beyond what a map can show
	Proto    capture.Proto
	Outcome  Outcome
	marks    marks
	Last     int64 // latest attempt
	bySource link
	First    int64 // first attempt, nanoseconds on the Tracker's clock
	waiting  link
	isn      uint32
	risn     uint32
}

// CarriedData reports whether payload is known to have gone either way, seen
// or told by the sequence numbers of SYN and FIN or RST.
func (c *Contact) CarriedData() bool { return c.marks&markData != 0 }

// again counts another attempt.
func (c *Contact) again() { c.Attempts = min(c.Attempts, 0xfe) + 1 }

// Expired reports whether the probe died on the way, as a traceroute's do.
func (c *Contact) Expired() bool { return c.marks&markExpired != 0 }

// Failed reports whether the contact got nowhere: refused, silent or odd. It
// is what the simple rules count.
func (c *Contact) Failed() bool {
	return !c.Expired() && (c.Outcome == Refused || c.Outcome == Silent || c.Outcome == Odd)
}

// Productive reports whether the contact was answered and carried data, as
// ordinary use does.
func (c *Contact) Productive() bool { return c.Outcome == Answered && c.CarriedData() }
