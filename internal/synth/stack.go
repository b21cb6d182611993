package synth

// stack is how an operating system's TCP/IP looks from outside.
type stack struct {
	name     string
	ttl      uint8
	windows  []uint16 // of a SYN
	syn      []byte   // options of a SYN; a time stamp is filled in
	stampAt  int      // offset of the time stamp's value in syn, 0 for none
	ports    [2]uint16
	counting bool    // ephemeral ports count up
	retries  []int64 // when a silent SYN is sent again, seconds after the first
	insist   int     // permille of refused SYNs sent again
}

// The stacks that hosts are drawn with.
var stacks = []*stack{
	{name: "linux", ttl: 64, windows: []uint16{64240, 29200, 14600, 65535, 32120}, ports: [2]uint16{32768, 60999},
		syn: []byte{2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7}, stampAt: 8, retries: []int64{1, 3, 7, 15, 31}},
	{name: "linux-old", ttl: 64, windows: []uint16{5840, 5808, 5792}, ports: [2]uint16{1024, 61000}, counting: true,
		syn: []byte{2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 2}, stampAt: 8, retries: []int64{3, 9, 21, 45}},
	{name: "windows", ttl: 128, windows: []uint16{64240, 8192, 65535}, ports: [2]uint16{49152, 65535}, counting: true,
		syn: []byte{2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2}, retries: []int64{1, 3, 7, 15}, insist: 900},
	{name: "windows-old", ttl: 128, windows: []uint16{16384, 65535, 64240}, ports: [2]uint16{1025, 5000}, counting: true,
		syn: []byte{2, 4, 5, 0xb4, 1, 1, 4, 2}, retries: []int64{3, 9}, insist: 900},
	{name: "apple", ttl: 64, windows: []uint16{65535}, ports: [2]uint16{49152, 65535}, counting: true,
		syn: []byte{2, 4, 5, 0xb4, 1, 3, 3, 5, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 4, 2, 0, 0}, stampAt: 12, retries: []int64{1, 2, 3, 4, 5, 7, 11}},
	{name: "bsd", ttl: 64, windows: []uint16{65535, 16384}, ports: [2]uint16{10000, 65535},
		syn: []byte{2, 4, 5, 0xb4, 1, 3, 3, 6, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, stampAt: 12, retries: []int64{3, 6, 12}},
	{name: "small", ttl: 64, windows: []uint16{2920, 5840, 1024, 4380, 8760}, ports: [2]uint16{1024, 65535}, counting: true,
		syn: []byte{2, 4, 5, 0xb4}, retries: []int64{3, 9, 21}},
	{name: "router", ttl: 255, windows: []uint16{4128, 16384, 8192}, ports: [2]uint16{1024, 65535},
		syn: []byte{2, 4, 5, 0xb4}, retries: []int64{2, 6, 14}},
}

// stackWeights say how common each stack is.
var stackWeights = []int{40, 8, 28, 8, 14, 3, 6, 3}

func (r *rng) stack() *stack { return stacks[r.weighted(stackWeights...)] }
