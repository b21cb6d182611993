package capture

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// follow is a Follower that looks often, and keeps what it reports.
type follow struct {
	*Follower
	t        *testing.T
	reported []string
}

func startFollow(t *testing.T, folder string) *follow {
	t.Helper()
	f := &follow{t: t}
	var err error
	f.Follower, err = Follow(folder, func(err error) {
		f.reported = append(f.reported, strings.TrimPrefix(err.Error(), folder+"/"))
	})
	if err != nil {
		t.Fatal(err)
	}
	f.interval, f.settled = 2*time.Millisecond, 40*time.Millisecond
	t.Cleanup(func() { f.Close() })
	return f
}

// read returns what the frames say that come until there was none for several
// polls.
func (f *follow) read() (said []string) {
	f.t.Helper()
	var fr Frame
	for quiet := 0; quiet < 5; {
		switch err := f.Next(&fr); {
		case errors.Is(err, ErrTimeout):
			quiet++
		case err != nil:
			f.t.Fatal(err)
		default:
			quiet = 0
			said = append(said, string(fr.Data))
		}
	}
	return said
}

// expect compares what comes with what should.
func (f *follow) expect(what string, want ...string) {
	f.t.Helper()
	if got := f.read(); !slices.Equal(got, want) {
		f.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func (f *follow) expectReports(want ...string) {
	f.t.Helper()
	if !slices.Equal(f.reported, want) {
		f.t.Errorf("reported %q, want %q", f.reported, want)
	}
	f.reported = nil
}

// appendFile adds to a file of the folder.
func appendFile(t *testing.T, path string, data []byte) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestFollowPartial adds to files byte by byte: no frame comes before it is whole,
// and none is lost.
func TestFollowPartial(t *testing.T) {
	other := ngBlock(big, 0x0bad, strings.Repeat("x", 100))
	long := ngBlock(big, 0x0bad, strings.Repeat("x", 2*inputSmall))
	for name, file := range map[string][]byte{
		"pcap":   timedFile(0, "a", 1e9, 2e9),
		"pcapng": slices.Concat(timedFile(1, "a", 1e9), other, timedFile(1, "a", 2e9)),
		"long":   slices.Concat(timedFile(1, "a", 1e9), long, timedFile(1, "a", 2e9)),
	} {
		folder := t.TempDir()
		f := startFollow(t, folder)
		path := filepath.Join(folder, name)
		var got int
		step := max(1, len(file)/200)
		for at := 0; at < len(file); at += step {
			end := min(at+step, len(file))
			appendFile(t, path, file[at:end])
			var fr Frame
			for range 2 {
				if err := f.Next(&fr); err == nil {
					got++
				} else if !errors.Is(err, ErrTimeout) {
					t.Fatal(err)
				}
			}
			whole, _ := readAll(strings.NewReader(string(file[:end])))
			if got > len(whole) {
				t.Fatalf("%s: %d frames in %d bytes, want %d", name, got, end, len(whole))
			}
		}
		if got += len(f.read()); got != 2 {
			t.Errorf("%s: %d frames, want 2", name, got)
		}
		if name != "long" { // of which the first step has a frame
			f.expectReports(folder + ": no capture file in it yet")
		}
	}
}

// TestFollowRotation is a writer as tcpdump -G and -C are, with buffers that end
// anywhere, in a folder that has files already.
func TestFollowRotation(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	folder := t.TempDir()
	now := int64(1e9)
	times := func(n int) (at []int64) {
		for range n {
			now += 1000
			at = append(at, now)
		}
		return at
	}
	var want []string
	label := func(file, frames int) string {
		for n := range frames {
			want = append(want, fmt.Sprintf("%d/%d", file, n))
		}
		return fmt.Sprint(file)
	}
	for n := range 20 { // that their names have another order than their times says that time counts
		path := writeFile(t, folder, fmt.Sprint("z", 50-n), timedFile(n, label(n, 5), times(5)...))
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil { // else the compressed ones are waited for
			t.Fatal(err)
		}
	}
	f := startFollow(t, folder)
	done := make(chan bool)
	go func() {
		defer close(done)
		for n := 20; n < 60; n++ {
			frames := random.IntN(40)
			file := timedFile(n%2, label(n, frames), times(frames)...)
			path := filepath.Join(folder, fmt.Sprint("y", n))
			for len(file) > 0 {
				k := min(len(file), 1+random.IntN(700))
				appendFile(t, path, file[:k])
				file = file[k:]
				time.Sleep(time.Duration(random.IntN(2000)) * time.Microsecond)
			}
		}
	}()
	var got []string
	for running := true; running; {
		got = append(got, f.read()...)
		select {
		case <-done:
			running = false
		default:
		}
	}
	got = append(got, f.read()...)
	if !slices.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Errorf("got %d frames, want %d; from the %dth on %v, want %v", len(got), len(want), at, got[at:min(at+5, len(got))], want[at:min(at+5, len(want))])
	}
	if len(f.recent) > keepOpen || len(f.merge.heap) > 0 {
		t.Errorf("%d and %d files are open", len(f.recent), len(f.merge.heap))
	}
	f.expectReports()
}

// TestFollowRing overwrites files under their names, as tcpdump -W does.
func TestFollowRing(t *testing.T) {
	folder := t.TempDir()
	f := startFollow(t, folder)
	f.read()
	f.reported = nil
	for n := range 12 {
		at := int64(1e9) * int64(n+1)
		label := fmt.Sprint(n)
		// of the same size and longer as well as shorter than what was there
		frames := []int64{at, at + 1, at + 2}[:1+n%3]
		if n%4 == 3 {
			frames = []int64{at, at + 1}
		}
		writeFile(t, folder, fmt.Sprint("ring", n%2), timedFile(0, label, frames...))
		var want []string
		for i := range frames {
			want = append(want, fmt.Sprintf("%s/%d", label, i))
		}
		f.expect(label, want...)
	}
	f.expectReports()
}

// TestFollowGone removes and replaces files.
func TestFollowGone(t *testing.T) {
	folder := t.TempDir()
	a, b := filepath.Join(folder, "a"), filepath.Join(folder, "b")
	whole := timedFile(0, "a", 1e9, 2e9, 3e9, 4e9)
	f := startFollow(t, folder)
	writeFile(t, folder, "a", whole[:24+2*19])
	f.expect("beginning", "a/0", "a/1")
	f.reported = nil

	// more is written just before it is removed
	appendFile(t, a, whole[24+2*19:24+3*19+5])
	if err := os.Remove(a); err != nil {
		t.Fatal(err)
	}
	f.expect("removed", "a/2")
	f.expectReports("a: capture file is cut off after byte 81")

	// another takes its name by renaming
	writeFile(t, folder, "b", timedFile(0, "b", 5e9))
	f.expect("new", "b/0")
	writeFile(t, folder, ".new", timedFile(0, "c", 6e9))
	f.expect("hidden", "c/0")
	other := writeFile(t, t.TempDir(), "d", timedFile(1, "d", 7e9, 8e9))
	if err := os.Rename(other, b); err != nil {
		t.Skip("temporary folders on several file systems")
	}
	f.expect("renamed", "d/0", "d/1")

	// tcpdump -z gzip: a copy of what was read is not read again
	appendFile(t, b+".gz", compress(timedFile(1, "d", 7e9, 8e9))[:20])
	f.expect("copy begun")
	writeFile(t, folder, "b.gz", compress(timedFile(1, "d", 7e9, 8e9)))
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	f.expect("copy")

	// a compressed file on its own is read once it is whole
	zipped := timedFile(2, "z", 9e9, 10e9)
	appendFile(t, filepath.Join(folder, "z.gz"), zipped[:15])
	f.read()
	appendFile(t, filepath.Join(folder, "z.gz"), zipped[15:])
	f.expect("compressed", "z/0", "z/1")
	f.expectReports()
}

// TestFollowRenamed: a file that is renamed within the folder, or has two names,
// is read once, and grows on.
func TestFollowRenamed(t *testing.T) {
	folder := t.TempDir()
	name := func(n string) string { return filepath.Join(folder, n) }
	whole := timedFile(0, "a", 1e9, 2e9, 3e9, 4e9)
	writeFile(t, folder, "current", whole[:24+2*19])
	f := startFollow(t, folder)
	f.expect("beginning", "a/0", "a/1")
	if err := os.Rename(name("current"), name("archived")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, folder, "current", timedFile(0, "b", 5e9))
	f.expect("renamed", "b/0")
	appendFile(t, name("archived"), whole[24+2*19:24+3*19])
	f.expect("growing", "a/2")
	if err := os.Link(name("archived"), name("linked")); err != nil {
		t.Skip("no hard links here")
	}
	f.expect("linked")
	appendFile(t, name("linked"), whole[24+3*19:])
	f.expect("growing by its other name", "a/3")
	f.expectReports()

	// as logs are rotated: each takes the name of the one before
	folder = t.TempDir()
	f = startFollow(t, folder)
	f.read()
	f.reported = nil
	for n := range 6 {
		for old := n; old > 0; old-- {
			if err := os.Rename(name(fmt.Sprint("a", old-1)), name(fmt.Sprint("a", old))); err != nil {
				t.Fatal(err)
			}
		}
		writeFile(t, folder, "a0", timedFile(n%2, fmt.Sprint(n), int64(n+10)*1e9))
		f.expect("rotated", fmt.Sprint(n, "/0"))
	}
	f.expectReports()
}

// TestFollowFailures: what cannot be read is told, once, and the rest is read.
func TestFollowFailures(t *testing.T) {
	folder := t.TempDir()
	cut := timedFile(0, "cut", 1e9, 2e9)
	writeFile(t, folder, "cut", cut[:len(cut)-1])
	writeFile(t, folder, "damaged", append(timedFile(1, "damaged", 3e9), make([]byte, 12)...))
	writeFile(t, folder, "text", []byte("no capture"))
	writeFile(t, folder, "empty", nil)
	f := startFollow(t, folder)
	f.expect("all", "cut/0", "damaged/0")
	time.Sleep(f.settled)
	f.expect("nothing more")
	f.expectReports("damaged: at byte 104: damaged capture file: a block of 0 bytes", "cut: capture file is cut off after byte 45")

	// the last byte comes after all
	appendFile(t, filepath.Join(folder, "cut"), cut[len(cut)-1:])
	f.expect("late", "cut/1")
	f.expectReports()

	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	var fr Frame
	if err := f.Next(&fr); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the folder: %v", err)
	}
	if _, err := Follow(folder, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := Follow(writeFile(t, t.TempDir(), "a", cut), nil); err == nil || !strings.Contains(err.Error(), "not a folder") {
		t.Errorf("a file: %v", err)
	}
}

// TestFollowTools reads what tcpdump and dumpcap write on the loopback interface.
func TestFollowTools(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	for name, args := range map[string]string{
		"seconds":    "tcpdump -Z root -i lo -G 1 -w %s/%%s.pcap",
		"sizes":      "tcpdump -Z root -i lo -C 1 -w %s/a.pcap",
		"ring":       "tcpdump -Z root -U -i lo -C 1 -W 3 -w %s/ring.pcap",
		"compressed": "tcpdump -Z root -i lo -C 1 -z gzip -w %s/z.pcap",
		"pcapng":     "dumpcap -q -i lo -b filesize:1000 -b files:4 -w %s/a.pcapng",
		"duration":   "dumpcap -q -P -i lo -b duration:1 -w %s/a.pcap",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Skip("needs the loopback interface")
			}
			defer target.Close()
			_, port, _ := net.SplitHostPort(target.LocalAddr().String())
			filter := "udp dst port " + port
			folder := t.TempDir()
			words := strings.Fields(fmt.Sprintf(args, folder))
			if words[0] == "dumpcap" {
				words = append(words, "-f")
			}
			tool := exec.Command(words[0], append(words[1:], filter)...)
			stderr, err := tool.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := tool.Start(); err != nil {
				t.Skip(err)
			}
			go io.Copy(io.Discard, stderr)
			ended := false
			defer func() {
				if !ended {
					tool.Process.Kill()
					tool.Wait()
				}
			}()
			for range 50 { // until the tool listens: it opens its file then
				time.Sleep(100 * time.Millisecond)
				if files, _ := os.ReadDir(folder); len(files) > 0 {
					break
				}
			}
			time.Sleep(300 * time.Millisecond)
			f := startFollow(t, folder)
			f.interval = 50 * time.Millisecond
			const packets = 6000
			go func() {
				sender, err := net.Dial("udp4", target.LocalAddr().String())
				if err != nil {
					return
				}
				defer sender.Close()
				payload := make([]byte, 1000)
				for n := range packets {
					copy(payload, fmt.Sprintf("%08d", n))
					sender.Write(payload) // nobody reads: what the receiver drops, lo has seen
					if n%20 == 19 {
						time.Sleep(10 * time.Millisecond)
					}
				}
				time.Sleep(1500 * time.Millisecond) // for the kernel's buffer to be handed over
				tool.Process.Signal(os.Interrupt)
			}()
			var fr Frame
			next := 0
			for deadline := time.Now().Add(20 * time.Second); next < packets && time.Now().Before(deadline); {
				if err := f.Next(&fr); errors.Is(err, ErrTimeout) {
					continue
				} else if err != nil {
					t.Fatal(err)
				}
				if n := string(fr.Data[14+20+8:][:8]); n != fmt.Sprintf("%08d", next) {
					t.Fatalf("packet %s, want %d", n, next)
				}
				next++
			}
			tool.Wait()
			ended = true
			if next != packets {
				t.Errorf("%d packets, want %d", next, packets)
			}
			if more := f.read(); len(more) > 0 {
				t.Errorf("%d packets too many", len(more))
			}
			for _, report := range f.reported {
				if !strings.Contains(report, ErrNoCaptures.Error()) {
					t.Errorf("reported %q", report)
				}
			}
		})
	}
}

// FuzzFollow lets anything grow in steps: a Follower reads of it what File does.
func FuzzFollow(f *testing.F) {
	f.Add(timedFile(0, "a", 1e9, 3e9), uint16(7))
	f.Add(timedFile(1, "a", 1e9, 3e9), uint16(50))
	f.Add(slices.Concat(ngSectionBlock(little), ngInterfaceBlock(little, 1), ngPacketBlock(little, 0, 7, 9, "abc"), ngSectionBlock(big), ngBlock(big, 5, "xyz"), ngInterfaceBlock(big, 1), ngPacketBlock(big, 0, 7, 9, "abc")), uint16(30))
	f.Fuzz(func(t *testing.T, file []byte, step uint16) {
		if len(file) > 4096 || len(file) > 1 && file[0] == 0x1f && file[1] == 0x8b {
			return // compressed files are read at once
		}
		want, _ := readAll(strings.NewReader(string(file)))
		folder := t.TempDir()
		follower, err := Follow(folder, func(error) {})
		if err != nil {
			t.Fatal(err)
		}
		defer follower.Close()
		follower.interval = 0
		at := 0
		var fr Frame
		for rest := file; len(rest) > 0; {
			n := min(max(int(step), len(file)/16, 1), len(rest))
			appendFile(t, filepath.Join(folder, "a"), rest[:n])
			rest = rest[n:]
			for {
				if err := follower.Next(&fr); errors.Is(err, ErrTimeout) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				if at == len(want) || string(want[at].Data) != string(fr.Data) || want[at].Time != fr.Time || want[at].Link != fr.Link || want[at].Wire != fr.Wire {
					t.Fatalf("frame %d of %d is %+v", at, len(want), fr)
				}
				at++
			}
		}
		if at != len(want) {
			t.Fatalf("%d frames, want %d", at, len(want))
		}
	})
}
