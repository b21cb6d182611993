//go:build !device

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"edgescan/internal/synth"
)

// times matches what differs from run to run in the summary.
var times = regexp.MustCompile(`\S+ INF|(took|peak_memory)=\S+`)

// TestWorkersChangeNothing compares the JSON lines and the errors of any number
// of workers, byte for byte.
func TestWorkersChangeNothing(t *testing.T) {
	plain := sampleBytes(t)
	var scenes []string
	dir := t.TempDir()
	for seed := uint64(1); seed <= 30; seed++ {
		path := filepath.Join(dir, fmt.Sprintf("scene%d.pcap", seed))
		if err := writeScene(synth.Generate(seed, synth.Options{}), path, "", ""); err != nil {
			t.Fatal(err)
		}
		scenes = append(scenes, path)
	}
	damaged := bytes.Clone(plain)
	copy(damaged[len(damaged)/2:], bytes.Repeat([]byte{0xff}, 4096))
	cases := []struct {
		name  string
		files []string
		code  int
	}{
		{"sample", []string{sample}, 0},
		{"scenes", scenes, 0},
		{"cut file", []string{write(t, "cut.pcap", plain[:len(plain)-7]), sample}, 1},
		{"damaged file", []string{write(t, "damaged.pcap", damaged)}, 1},
	}
	real, err := filepath.Glob("../../../shared/captures/*.gz")
	if err != nil {
		t.Fatal(err)
	}
	if len(real) > 0 {
		cases = append(cases, struct {
			name  string
			files []string
			code  int
		}{"real captures", real, 1}) // some are damaged
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var want result
			for _, workers := range []string{"1", "2", "4", "8"} {
				args := []string{"run", "--json", "-", "--workers", workers}
				for _, f := range c.files {
					args = append(args, "-r", f)
				}
				got := edgescan(t, nil, args...)
				got.stderr = times.ReplaceAllString(got.stderr, "")
				if got.code != c.code {
					t.Errorf("%s workers: exit code %d: %s", workers, got.code, got.stderr)
				}
				if workers == "1" {
					want = got
					if len(starts(t, got.stdout)) == 0 {
						t.Error("finds no scan")
					}
				} else if got != want {
					t.Errorf("%s workers: %d bytes of lines and %q, one worker: %d and %q", workers, len(got.stdout), got.stderr, len(want.stdout), want.stderr)
				}
			}
		})
	}
}

// TestPipeAlertsAtOnce expects the first alert while the pipe that feeds the
// program is still open.
func TestPipeAlertsAtOnce(t *testing.T) {
	plain := sampleBytes(t)
	for _, workers := range []string{"1", "2"} {
		cmd := exec.Command(os.Args[0], "run", "-r", "-", "--json", "-", "--workers", workers)
		cmd.Env = append(os.Environ(), asProgram+"=1", "NO_COLOR=1")
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() {
			for rest := plain; len(rest) > 0; {
				n := min(len(rest), 300)
				if _, err := stdin.Write(rest[:n]); err != nil {
					return // the program has ended; its exit code tells
				}
				rest = rest[n:]
			}
		}()
		lines := bufio.NewReader(stdout)
		if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, `"start"`) {
			t.Errorf("%s workers: %q, %v", workers, line, err)
		}
		stdin.Close()
		if _, err := lines.WriteTo(new(bytes.Buffer)); err != nil {
			t.Error(err)
		}
		cmd.Wait() // the pipe may have been closed within a packet
	}
}
