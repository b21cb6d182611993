package spool

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write golden files anew")

func open(t *testing.T, c Config) *Queue {
	t.Helper()
	q, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

// disk is a queue's Config that memory does not limit.
func onDisk(folder string) Config { return Config{Folder: folder, Disk: 1 << 20, Memory: 1 << 20} }

func text(i int) []byte { return fmt.Appendf(nil, "record %d", i) }

func put(t *testing.T, q *Queue, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if !q.Put(text(i)) {
			t.Fatalf("record %d was dropped", i)
		}
	}
}

// want gets records and wants exactly these, in order.
func want(t *testing.T, q *Queue, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		data, ok := q.Get()
		if !ok || !bytes.Equal(data, text(i)) {
			t.Fatalf("got %q, %v, want record %d", data, ok, i)
		}
	}
}

func wantNone(t *testing.T, q *Queue) {
	t.Helper()
	if data, ok := q.Get(); ok {
		t.Fatalf("got %q, want nothing", data)
	}
}

// stored waits until all that lies in memory lies in the folder too.
func stored(t *testing.T, q *Queue) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); q.Stats().Unsafe > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not written: %+v", q.Stats())
		}
	}
}

func segments(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func done(t *testing.T, q *Queue, n int) {
	t.Helper()
	if err := q.Done(n); err != nil {
		t.Fatal(err)
	}
}

func TestOrderAndAgain(t *testing.T) {
	for name, c := range map[string]Config{"memory": {Memory: 1 << 20}, "folder": onDisk(t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			q := open(t, c)
			wantNone(t, q)
			put(t, q, 0, 10)
			want(t, q, 0, 5)
			done(t, q, 2)
			q.Again()
			want(t, q, 2, 10)
			wantNone(t, q)
			put(t, q, 10, 12)
			want(t, q, 10, 12)
			done(t, q, 10)
			if s := q.Stats(); s.Waiting != 0 || s.Dropped != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestMemoryBound(t *testing.T) {
	q := open(t, Config{Memory: 10 * (recordCost + 8)})
	put(t, q, 0, 10)
	if q.Put(text(0)) {
		t.Error("an eleventh record was taken")
	}
	want(t, q, 0, 10)
	done(t, q, 1)
	put(t, q, 9, 10)
	if s := q.Stats(); s.Waiting != 10 || s.Unsafe != 10 || s.Dropped != 1 {
		t.Errorf("%+v", s)
	}
}

// TestFolderHoldsMoreThanMemory also restarts in the middle.
func TestFolderHoldsMoreThanMemory(t *testing.T) {
	c := onDisk(t.TempDir())
	c.Memory = 20 * (recordCost + 10)
	q := open(t, c)
	for i := range 500 {
		put(t, q, i, i+1)
		stored(t, q)
	}
	want(t, q, 0, 300)
	done(t, q, 200)
	q.Again()
	want(t, q, 200, 250)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = open(t, c)
	if s := q.Stats(); s.Waiting != 300 {
		t.Errorf("after the restart: %+v", s)
	}
	put(t, q, 500, 510)
	stored(t, q)
	want(t, q, 200, 510)
	done(t, q, 310)
	if left := segments(t, c.Folder); len(left) != 0 {
		t.Errorf("all is done, and there are %q", left)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = open(t, c)
	put(t, q, 0, 1)
	want(t, q, 0, 1)
	wantNone(t, q)
}

func TestFolderBound(t *testing.T) {
	c := Config{Folder: t.TempDir(), Disk: MinDisk, Memory: 20 * recordCost}
	q := open(t, c)
	taken := 0
	for q.Stats().Dropped == 0 {
		if q.Put(text(taken)) {
			taken++
		}
		if q.Stats().Disk == nil {
			storedOrFailed(q)
		}
	}
	var size int64
	for _, path := range segments(t, c.Folder) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > MinDisk || size < MinDisk*9/10 {
		t.Errorf("%d bytes in the folder, want at most %d and nearly so", size, MinDisk)
	}
	if err := q.Stats().Disk; !errors.Is(err, errNoRoom) {
		t.Errorf("the folder says %v", err)
	}
	want(t, q, 0, taken)
	done(t, q, taken-1)
	stored(t, q) // there is room again
	put(t, q, taken, taken+1)
}

// storedOrFailed waits until the folder took all, or says that it cannot.
func storedOrFailed(q *Queue) {
	for s := q.Stats(); s.Unsafe > 0 && s.Disk == nil; s = q.Stats() {
		time.Sleep(10 * time.Microsecond)
	}
}

func TestLargestRecord(t *testing.T) {
	q := open(t, Config{Folder: t.TempDir(), Disk: MinDisk, Memory: 1 << 20})
	if !q.Put(make([]byte, MaxRecord)) || q.Put(make([]byte, MaxRecord+1)) {
		t.Error("want the largest record taken and one that is larger refused")
	}
	stored(t, q)
}

// TestTornTail cuts the folder's last segment at every byte, as a lost power
// supply may.
func TestTornTail(t *testing.T) {
	c := onDisk(t.TempDir())
	q := open(t, c)
	put(t, q, 0, 3)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	path := segments(t, c.Folder)[0]
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	each := (len(whole) - len(magic)) / 3
	for size := range whole {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		q := open(t, c)
		kept := max(0, size-len(magic)) / each
		if s := q.Stats(); s.Waiting != kept || s.Damaged > 1 {
			t.Fatalf("cut to %d bytes: %+v, want %d", size, s, kept)
		}
		want(t, q, 0, kept)
		wantNone(t, q)
		put(t, q, 7, 8)
		want(t, q, 7, 8)
		done(t, q, kept+1)
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDamageWhileRunning changes a byte of what was written.
func TestDamageWhileRunning(t *testing.T) {
	c := onDisk(t.TempDir())
	c.Memory = 3 * (recordCost + 10)
	q := open(t, c)
	for i := range 10 {
		put(t, q, i, i+1)
		stored(t, q)
	}
	f, err := os.OpenFile(segments(t, c.Folder)[0], os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{0xff}, int64(len(magic)+2*(headerSize+len(text(0)))+headerSize)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	want(t, q, 0, 2)
	want(t, q, 7, 10) // they are in memory too
	wantNone(t, q)
	if s := q.Stats(); s.Dropped != 5 || s.Waiting != 5 || s.Damaged != 1 {
		t.Errorf("%+v", s)
	}
	done(t, q, 5)
	put(t, q, 10, 11)
	want(t, q, 10, 11)
}

func TestInUse(t *testing.T) {
	c := onDisk(t.TempDir())
	open(t, c)
	if _, err := Open(c); !errors.Is(err, ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Config{
		"too small": {Folder: t.TempDir(), Disk: MinDisk - 1},
		"a file":    {Folder: file, Disk: MinDisk},
	} {
		if q, err := Open(c); err == nil {
			q.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

// TestFullDisk puts the folder on a disk that has 64 KiB.
func TestFullDisk(t *testing.T) {
	folder := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "edgescan-test", folder).CombinedOutput(); err != nil {
		t.Skipf("cannot mount a small disk: %v %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", "-l", folder).Run() })
	c := onDisk(filepath.Join(folder, "q"))
	c.Memory = 40 << 10
	q := open(t, c)
	taken := 0
	for q.Stats().Dropped == 0 {
		if q.Put(append(text(taken), bytes.Repeat([]byte{'x'}, 500)...)) {
			taken++
		}
		storedOrFailed(q)
	}
	if q.Stats().Disk == nil || taken < (56<<10+20<<10)/600 {
		t.Errorf("%d taken, the disk says %v", taken, q.Stats().Disk)
	}
	for i := range taken {
		if data, ok := q.Get(); !ok || !bytes.HasPrefix(data, text(i)) {
			t.Fatalf("record %d is %q, %v", i, data, ok)
		}
	}
	done(t, q, taken)
	put(t, q, 0, 1)
	stored(t, q)
	if s := q.Stats(); s.Disk != nil || s.Dropped != 1 {
		t.Errorf("%+v", s)
	}
}

const asChild = "EDGESCAN_TEST_SPOOL"

func TestMain(m *testing.M) {
	if folder := os.Getenv(asChild); folder != "" {
		child(folder)
	}
	os.Exit(m.Run())
}

// child puts records until it is killed, and says after which one is stored.
func child(folder string) {
	q, err := Open(Config{Folder: folder, Disk: 64 << 20, Memory: 1 << 20})
	if err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		q.Put(text(i))
		for q.Stats().Unsafe > 0 {
			time.Sleep(10 * time.Microsecond)
		}
		fmt.Println(i)
	}
}

// TestKilled kills a program that puts, some times over.
func TestKilled(t *testing.T) {
	for range 5 {
		c := onDisk(t.TempDir())
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), asChild+"="+c.Folder)
		var said bytes.Buffer
		cmd.Stdout = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if paths := segments(t, c.Folder); len(paths) > 0 {
				if info, err := os.Stat(paths[0]); err == nil && info.Size() > 8<<10 {
					break
				}
			}
		}
		cmd.Process.Kill()
		cmd.Wait()
		lines := strings.Fields(said.String())
		if len(lines) == 0 {
			t.Fatal("the child stored nothing")
		}
		q := open(t, c)
		n := q.Stats().Waiting
		if n < len(lines)-1 {
			t.Errorf("%d records are left of %d", n, len(lines))
		}
		want(t, q, 0, n)
		wantNone(t, q)
	}
}

// TestGolden pins the format. The file is written by
// go test ./internal/spool -run TestGolden -update.
func TestGolden(t *testing.T) {
	got := []byte(magic)
	for i := range 3 {
		got = appendRecord(got, uint64(i+1), text(i))
	}
	const golden = "testdata/v1.golden.seg"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, whole) {
		t.Errorf("a segment is\n%q\nwant\n%q", got, whole)
	}
}

// FuzzFolder opens a folder with any segment and any position, reads all,
// and wants a queue that works on.
func FuzzFolder(f *testing.F) {
	whole := []byte(magic)
	for i := range 3 {
		whole = appendRecord(whole, uint64(i+1), text(i))
	}
	f.Add(whole, []byte(nil))
	f.Add(whole[:len(whole)-1], make([]byte, 2*slotSize))
	f.Add(appendRecord(slices.Clone(whole), 1<<64-1, nil), []byte{2})
	f.Add([]byte(magic+"\xff\xff\xff\xff"), []byte(nil))
	f.Fuzz(func(t *testing.T, content, position []byte) {
		c := onDisk(t.TempDir())
		if err := os.WriteFile(filepath.Join(c.Folder, strings.Repeat("0", 16)+suffix), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.Folder, positionName), position, 0o600); err != nil {
			t.Fatal(err)
		}
		q, err := Open(c)
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		n := q.Stats().Waiting
		for i := range n {
			if _, ok := q.Get(); !ok {
				t.Fatalf("%d of %d records came", i, n)
			}
		}
		put(t, q, 1, 3)
		want(t, q, 1, 3)
		wantNone(t, q)
		done(t, q, n+2)
		if s := q.Stats(); s.Waiting != 0 || s.Dropped != 0 {
			t.Errorf("%+v", s)
		}
	})
}
