package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// timedRecord builds a record whose data tells where it comes from.
func timedRecord(ns int64, data string) []byte {
	b := pcapRecord(little, uint32(ns%1e9), uint32(len(data)), uint32(len(data)), data)
	binary.LittleEndian.PutUint32(b, uint32(ns/1e9))
	return b
}

// timedFile builds a capture of frames at the given times, in one of the formats
// by kind. The data of each says label and number.
func timedFile(kind int, label string, times ...int64) []byte {
	classic := pcapFile(little, pcapNanoseconds, 1)
	ng := slices.Concat(ngSectionBlock(big), ngInterfaceBlock(big, 1, uint16(ngTSResolution), uint16(1), "\x09\x00\x00\x00", uint32(0)))
	for n, at := range times {
		data := fmt.Sprintf("%s/%d", label, n)
		classic = append(classic, timedRecord(at, data)...)
		ng = append(ng, ngPacketBlock(big, 0, uint64(at), 9, data)...)
	}
	switch kind % 3 {
	case 0:
		return classic
	case 1:
		return ng
	}
	return compress(classic)
}

// writeFile makes a file in a folder and returns its path.
func writeFile(t testing.TB, folder, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// drain reads a Merge to its end and returns what the frames say.
func drain(t *testing.T, m *Merge) (said []string) {
	t.Helper()
	var f Frame
	for {
		if err := m.Next(&f); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		said = append(said, string(f.Data))
	}
	if int(m.Stats().Frames) != len(said) {
		t.Errorf("Stats() = %+v, want %d frames", m.Stats(), len(said))
	}
	return said
}

// TestMergeOrder compares with the plainest merge there is: of the next frames of
// all files, take the earliest.
func TestMergeOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 50 {
		folder := t.TempDir()
		var paths, want []string
		var times [][]int64
		for n := range 1 + random.IntN(maxOpen) {
			at := make([]int64, random.IntN(20))
			now := 1e9 + random.Int64N(1000)
			for i := range at {
				now += random.Int64N(60) - 10 // some of them out of order, some at the same time
				at[i] = now
			}
			times = append(times, at)
			paths = append(paths, writeFile(t, folder, fmt.Sprint(n), timedFile(random.IntN(3), fmt.Sprint(n), at...)))
		}
		taken := make([]int, len(times))
		for {
			best := -1
			for n, at := range times {
				if taken[n] < len(at) && (best < 0 || at[taken[n]] < times[best][taken[best]]) {
					best = n
				}
			}
			if best < 0 {
				break
			}
			want = append(want, fmt.Sprintf("%d/%d", best, taken[best]))
			taken[best]++
		}
		m := NewMerge(paths)
		if got := drain(t, m); !slices.Equal(got, want) {
			t.Fatalf("round %d:\n got %v\nwant %v", round, got, want)
		}
		if err := m.Err(); err != nil || m.Late() != 0 {
			t.Errorf("round %d: %v, %d late", round, err, m.Late())
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestMergeOpensLate: of 500 pieces, named in any order, two are open at most.
func TestMergeOpensLate(t *testing.T) {
	const files, frames = 500, 3
	folder := t.TempDir()
	var paths, want []string
	for n := range files {
		at := int64(1e9) + int64(n)*10
		paths = append(paths, writeFile(t, folder, fmt.Sprint(n), timedFile(n, fmt.Sprint(n), at, at+1, at+2)))
		for i := range frames {
			want = append(want, fmt.Sprintf("%d/%d", n, i))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	m := NewMerge(paths)
	var f Frame
	var got []string
	for m.Next(&f) == nil {
		if len(m.heap) > 2 || len(m.spare) > 2 {
			t.Fatalf("%d open, %d spare", len(m.heap), len(m.spare))
		}
		got = append(got, string(f.Data))
	}
	if !slices.Equal(got, want) || m.Err() != nil {
		t.Errorf("%d frames, %v; want %d in order", len(got), m.Err(), len(want))
	}
}

// TestMergeLate has more files overlap than may be open.
func TestMergeLate(t *testing.T) {
	folder := t.TempDir()
	var paths []string
	for n := range maxOpen + 8 {
		paths = append(paths, writeFile(t, folder, fmt.Sprint(n), timedFile(n, fmt.Sprint(n), 1e9, 2e9+int64(n))))
	}
	m := NewMerge(paths)
	got := drain(t, m)
	slices.Sort(got)
	if got = slices.Compact(got); len(got) != 2*len(paths) || m.Err() != nil {
		t.Errorf("%d frames, %v, want %d", len(got), m.Err(), 2*len(paths))
	}
	if m.Late() != 8 {
		t.Errorf("%d late, want 8", m.Late())
	}
}

// TestMergeFailures: what fails is told, all of it, in the order of the command
// line, and the others are read.
func TestMergeFailures(t *testing.T) {
	folder := t.TempDir()
	good := timedFile(0, "good", 1e9, 2e9, 3e9)
	cut := timedFile(0, "cut", 1e9, 2e9)
	damaged := append(timedFile(1, "damaged", 1e9+5), make([]byte, 12)...)
	paths := []string{
		filepath.Join(folder, "missing"),
		writeFile(t, folder, "cut", cut[:len(cut)-1]),
		writeFile(t, folder, "good", good),
		writeFile(t, folder, "text", []byte("no capture at all")),
		writeFile(t, folder, "damaged", damaged),
		writeFile(t, folder, "empty", nil),
		writeFile(t, folder, "header", good[:10]),
		writeFile(t, folder, "nothing", good[:24]),
	}
	m := NewMerge(paths)
	if got, want := drain(t, m), []string{"cut/0", "good/0", "damaged/0", "good/1", "good/2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var said []string
	for _, line := range strings.Split(m.Err().Error(), "\n") {
		said = append(said, strings.TrimPrefix(line, folder+"/"))
	}
	want := []string{
		"open " + paths[0] + ": no such file or directory",
		"cut: capture file is cut off after byte 45",
		"text: not a capture file: it starts with 6e6f2063, not with the magic number of pcap, pcapng or gzip",
		"damaged: at byte 104: damaged capture file: a block of 0 bytes",
		"empty: not a capture file: it is empty",
		"header: capture file is cut off after byte 0",
	}
	if !slices.Equal(said, want) {
		t.Errorf("errors\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
}

func TestMergeFolder(t *testing.T) {
	folder := t.TempDir()
	writeFile(t, folder, "eth0.pcap1", timedFile(0, "second", 3e9, 4e9))
	writeFile(t, folder, "eth0.pcap", timedFile(0, "first", 1e9, 2e9))
	writeFile(t, folder, "eth0.pcap.gz", timedFile(2, "a copy", 1e9, 2e9))
	writeFile(t, folder, "other.pcapng", timedFile(1, "other", 2e9+5))
	writeFile(t, folder, "zipped.gz", timedFile(2, "zipped", 5e9))
	writeFile(t, folder, "labels.csv", []byte("file,scanners"))
	writeFile(t, folder, "created", nil)
	if err := os.Mkdir(filepath.Join(folder, "more.pcap"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(folder, "dangling.pcap")); err != nil {
		t.Fatal(err)
	}
	last := writeFile(t, t.TempDir(), "last", timedFile(0, "last", 6e9))
	m := NewMerge([]string{last, folder})
	want := []string{"first/0", "first/1", "other/0", "second/0", "second/1", "zipped/0", "last/0"}
	if got := drain(t, m); !slices.Equal(got, want) || m.Err() != nil {
		t.Errorf("got %v, %v, want %v", got, m.Err(), want)
	}

	empty := t.TempDir()
	writeFile(t, empty, "labels.csv", []byte("file,scanners"))
	m = NewMerge([]string{empty})
	if got := drain(t, m); len(got) > 0 || !errors.Is(m.Err(), ErrNoCaptures) {
		t.Errorf("a folder without captures: %v, %v", got, m.Err())
	}
}

// TestMergeSingle: one file stays as it is, whatever its times.
func TestMergeSingle(t *testing.T) {
	path := writeFile(t, t.TempDir(), "a", timedFile(0, "a", 3e9, 1e9, 2e9, 2e9, 0))
	m := NewMerge([]string{path})
	if got, want := drain(t, m), []string{"a/0", "a/1", "a/2", "a/3", "a/4"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMergeAllocates(t *testing.T) {
	record := timedRecord(1e9, strings.Repeat("x", 60))
	folder := t.TempDir()
	var paths []string
	for n := range 3 {
		paths = append(paths, writeFile(t, folder, fmt.Sprint(n), pcapFile(little, pcapNanoseconds, 1, bytes.Repeat(record, 20000))))
	}
	m := NewMerge(paths)
	defer m.Close()
	var f Frame
	if n := testing.AllocsPerRun(50000, func() {
		if err := m.Next(&f); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Next allocates %v times", n)
	}
}

// FuzzMerge merges two halves of anything: all that File reads of each comes,
// in its order.
func FuzzMerge(f *testing.F) {
	f.Add(timedFile(0, "a", 1e9, 3e9), timedFile(1, "b", 2e9, 1e9))
	f.Add(timedFile(2, "a", 1e9, 3e9), timedFile(0, "b", 2e9, 1e9)[:50])
	f.Fuzz(func(t *testing.T, a, b []byte) {
		folder := t.TempDir()
		m := NewMerge([]string{writeFile(t, folder, "a", a), writeFile(t, folder, "b", b)})
		defer m.Close()
		var want [2][]Frame
		want[0], _ = readAll(bytes.NewReader(a))
		want[1], _ = readAll(bytes.NewReader(b))
		var f Frame
		for m.Next(&f) == nil {
			from := m.heap[0].order
			if len(want[from]) == 0 || !bytes.Equal(want[from][0].Data, f.Data) || want[from][0].Time != f.Time {
				t.Fatalf("a frame that file %d does not have there", from)
			}
			if other := want[1-from]; len(other) > 0 && other[0].Time < f.Time {
				t.Fatalf("a frame at %d before one at %d", f.Time, other[0].Time)
			}
			want[from] = want[from][1:]
		}
		if len(want[0])+len(want[1]) > 0 {
			t.Fatalf("%d and %d frames are missing: %v", len(want[0]), len(want[1]), m.Err())
		}
	})
}
