package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"edgescan/capture"
	"edgescan/featurize"
	"edgescan/internal/detect"
)

// pieces cuts the sample, which is a little-endian pcap file, into files of so
// many packets each.
func pieces(t *testing.T, packets int) (files [][]byte) {
	t.Helper()
	const fileHeader, recordHeader = 24, 16
	plain := sampleBytes(t)
	var piece []byte
	for at, n := fileHeader, 0; at < len(plain); n++ {
		end := at + recordHeader + int(binary.LittleEndian.Uint32(plain[at+8:]))
		if n%packets == 0 {
			piece = bytes.Clone(plain[:fileHeader])
		}
		piece = append(piece, plain[at:end]...)
		if at = end; n%packets == packets-1 || at == len(plain) {
			files = append(files, piece)
		}
	}
	return files
}

// TestRunReadsPiecesInTheOrderOfTime: the pieces of a capture give the same lines
// as the whole, in whatever order they are named.
func TestRunReadsPiecesInTheOrderOfTime(t *testing.T) {
	want := edgescan(t, nil, "run", "-r", sample, "--json", "-")
	folder := t.TempDir()
	files := pieces(t, 100)
	backwards := []string{"run", "--json", "-"}
	for n := range files {
		name := filepath.Join(folder, string(rune('a'+(n*7)%26))+string(rune('a'+n/26)))
		if err := os.WriteFile(name, files[n], 0o600); err != nil {
			t.Fatal(err)
		}
		backwards = append([]string{"run", "--json", "-", "-r", name}, backwards[3:]...)
	}
	cases := map[string]func() result{
		"backwards": func() result { return edgescan(t, nil, backwards...) },
		"folder":    func() result { return edgescan(t, nil, "run", "--json", "-", "-r", folder) },
		"two workers": func() result {
			return edgescan(t, nil, append([]string{"run", "--workers", "2"}, backwards[1:]...)...)
		},
		"standard input last, of which the first is": func() result {
			args := []string{"run", "--json", "-", "-r", write(t, "rest", bytes.Join(append([][]byte{files[1]}, strip(files[2:])...), nil)), "-r", "-"}
			return edgescan(t, bytes.NewReader(files[0]), args...)
		},
	}
	for name, run := range cases {
		got := run()
		if got.code != 0 || got.stdout != want.stdout {
			t.Errorf("%s: exit code %d, %d bytes of lines, want %d: %s", name, got.code, len(got.stdout), len(want.stdout), got.stderr)
		}
		if !strings.Contains(got.stderr, "packets=6256") {
			t.Errorf("%s: %s", name, got.stderr)
		}
	}
}

// strip takes the headers off files.
func strip(files [][]byte) (bodies [][]byte) {
	for _, f := range files {
		bodies = append(bodies, f[24:])
	}
	return bodies
}

// TestRunMergesPipes: what a shell's <(command) gives cannot be looked into
// beforehand, and is in the order of time all the same.
func TestRunMergesPipes(t *testing.T) {
	if _, err := os.Stat("/dev/fd/0"); err != nil {
		t.Skip("needs /dev/fd")
	}
	want := edgescan(t, nil, "run", "-r", sample, "--json", "-")
	cmd := exec.Command(os.Args[0], "run", "--json", "-", "-r", "/dev/fd/3", "-r", "/dev/fd/4")
	cmd.Env = append(os.Environ(), asProgram+"=1", "NO_COLOR=1")
	files := pieces(t, 4000)
	for _, data := range [][]byte{files[1], files[0]} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, r)
		go func() {
			w.Write(data) // if the program has ended its lines tell
			w.Close()
		}()
	}
	out, err := cmd.Output()
	if err != nil || string(out) != want.stdout {
		t.Errorf("%v, %d bytes of lines, want %d", err, len(out), len(want.stdout))
	}
}

// TestEditcapPieces reads what Wireshark's own splitter makes, in its pcapng.
func TestEditcapPieces(t *testing.T) {
	folder := t.TempDir()
	out, err := exec.Command("editcap", "-F", "pcapng", "-c", "500", sample, filepath.Join(folder, "piece.pcapng")).CombinedOutput()
	if err != nil {
		t.Skipf("needs editcap: %v %s", err, out)
	}
	want := edgescan(t, nil, "run", "-r", sample, "--json", "-")
	got := edgescan(t, nil, "run", "-r", folder, "--json", "-")
	if got.code != 0 || got.stdout != want.stdout {
		t.Errorf("exit code %d, other lines: %s", got.code, got.stderr)
	}
}

// TestInterruptWithoutInput stops a run that has got nothing yet.
func TestInterruptWithoutInput(t *testing.T) {
	cmd := exec.Command(os.Args[0], "run", "-r", "-")
	cmd.Env = append(os.Environ(), asProgram+"=1", "NO_COLOR=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // for the program to start; nothing tells when
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	expectEnd(t, cmd)
}

// expectEnd waits for a program that should end by itself.
func expectEnd(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		cmd.Process.Kill()
		t.Error("does not end")
	}
}

// TestFollowFolder writes the sample into a folder as a rotating tcpdump does,
// while the program follows.
func TestFollowFolder(t *testing.T) {
	folder := t.TempDir()
	files := pieces(t, 600)
	if err := os.WriteFile(filepath.Join(folder, "0"), files[0], 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "run", "-r", folder, "--follow", "--json", "-")
	cmd.Env = append(os.Environ(), asProgram+"=1", "NO_COLOR=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for n, data := range files[1:] {
		file, err := os.Create(filepath.Join(folder, string(rune('1'+n))))
		if err != nil {
			t.Fatal(err)
		}
		for half := len(data) / 2; len(data) > 0; data = data[half:] { // within a record
			half = min(half, len(data))
			if _, err := file.Write(data[:half]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(1500 * time.Millisecond) // three polls
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	expectEnd(t, cmd)
	if got := strings.Join(starts(t, stdout.String()), " "); got != wantSources {
		t.Errorf("named %s, want %s", got, wantSources)
	}
	if log := stderr.String(); !strings.Contains(log, "packets=6256") || strings.Contains(log, "WRN") {
		t.Errorf("logs %s", log)
	}
}

// TestFollowedIncidentsEnd: with nothing more in the folder, and all packets years
// old, the clock goes on from the last of them.
func TestFollowedIncidentsEnd(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "a"), sampleBytes(t), 0o600); err != nil {
		t.Fatal(err)
	}
	judge, threshold, err := openModel("", false)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan int64, 100)
	engine, err := detect.NewEngine(detect.Config{Memory: detect.DefaultMemory, Key: featurize.DefaultKey, Threshold: threshold}, judge, func(e *detect.Event) {
		if e.State == detect.End {
			ended <- e.Time
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	// a delay below nothing puts the clock a day ahead of the packets
	w := &watcher{engine: engine, log: zerolog.Nop(), delay: -24 * time.Hour}
	src, err := capture.Follow(folder, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	finished := make(chan error)
	go func() { finished <- w.pumpFolder(t.Context(), src) }()
	for range 3 {
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Fatal("an incident does not end")
		}
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := <-finished; err == nil {
		t.Error("goes on without the folder")
	}
}
