package quant

import (
	"os"
	"slices"
	"syscall"
	"testing"
	"unsafe"
)

// edges hands out memory between pages that must not be touched, so that an
// access outside of it, be it a read, ends the test.
type edges struct {
	t     *testing.T
	atEnd bool // of what is handed out, the end lies at the edge, otherwise the start
	maps  [][]byte
}

// bytes returns n >= 1 bytes.
func (e *edges) bytes(n int) []uint8 {
	page := os.Getpagesize()
	size := roundUp(n, page)
	m, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		e.t.Fatal(err)
	}
	e.maps = append(e.maps, m)
	for _, guard := range [][]byte{m[:page], m[page+size:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			e.t.Fatal(err)
		}
	}
	inner := m[page : page+size]
	if e.atEnd {
		return inner[size-n:]
	}
	return inner[:n:n]
}

// clone returns a copy of b at the edge.
func (e *edges) clone(b []uint8) []uint8 {
	if len(b) == 0 {
		return nil
	}
	c := e.bytes(len(b))
	copy(c, b)
	return c
}

// sums returns n accumulators at the edge.
func (e *edges) sums(n int) []int32 {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*int32)(unsafe.Pointer(&e.bytes(4 * n)[0])), n)
}

func (e *edges) free() {
	for _, m := range e.maps {
		if err := syscall.Munmap(m); err != nil {
			e.t.Fatal(err)
		}
	}
}

// move lays the weights of a vector kernel at the edge.
func (e *edges) move(g grower) {
	var blocks []vectorBlock
	switch k := g.(type) {
	case *vectorConv:
		blocks = k.blocks
	case *vectorDense:
		blocks = k.blocks
	case *vectorHead:
		blocks = k.blocks
	}
	for i := range blocks {
		blocks[i].weights = e.clone(blocks[i].weights)
	}
}

// checkEdges runs the network of the seed with every slice at an edge.
func checkEdges(t *testing.T, seed uint64, u *vectorUnit, atEnd bool) {
	t.Helper()
	e := &edges{t: t, atEnd: atEnd}
	defer e.free()
	r := newRand(seed)
	arch := randomArch(r)
	n := randomNetwork(t, r, arch, Meta{Classes: make([]string, arch.Classes())})
	n.prepare(u)
	src := e.clone(randomMap(r, arch.Input.Size(), r.Float64(), 255))
	got, want := e.sums(arch.Classes()), make([]int32, arch.Classes())
	if err := n.RunReference(want, src); err != nil {
		t.Fatal(err)
	}
	for _, st := range n.steps {
		var s Scratch // of this step alone
		st.grow(&s)
		s.staged, s.spare, s.sums = e.clone(s.staged), e.clone(s.spare), e.sums(len(s.sums))
		e.move(st.kernel)
		dst := e.bytes(n.shapes[st.end].Size())
		st.run(dst, src, &s)
		src = dst
	}
	var s Scratch
	n.head.grow(&s)
	s.staged, s.spare, s.sums = e.clone(s.staged), e.clone(s.spare), e.sums(len(s.sums))
	e.move(n.head)
	n.head.run(got, src, &s)
	if !slices.Equal(got, want) {
		t.Fatalf("%v: seed %d: logits %v, reference %v", u, seed, got, want)
	}
}

// Nothing reads or writes outside of its slices.
func TestKernelsStayWithinSlices(t *testing.T) {
	for _, u := range kernelSets() {
		for seed := range uint64(300) {
			checkEdges(t, seed, u, true)
			checkEdges(t, seed, u, false)
		}
	}
}
