package synth

// Frame is one synthetic Ethernet frame.
type Frame struct {
	Time  int64  // nanoseconds since 1970-01-01 UTC
	Data  []byte // the frame from the Ethernet header on, without checksum sequence, perhaps cut to a snaplen
	Wire  int    // its length on the wire, at least len(Data)
	Actor int32  // index in Scene.Actors of the source whose doing it is, -1 for none
	Probe bool   // a scanning actor's probe (not its browsing, not an answer)
}

// Actor is one source with a behaviour.
type Actor struct {
	Source string // IP address
	Kind   string // "vertical", "horizontal", "block" or "benign"
	Tool   string // the behaviour: "syn", "connect", "udp", "arp", ...; "crawler", "resolver", ...
	Note   string // what was drawn for it, for people
	Start  int64  // first and last frame, nanoseconds since 1970-01-01 UTC
	End    int64
}

// Scene is one network seen for a while from one place: what a capture file
// holds, and who did what in it. Frames are in order of time.
type Scene struct {
	Seed   uint64
	Actors []Actor
	Frames []Frame
}
