package flow

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"edgescan/capture"
)

// dropped is a line of a firewall's log, of a second and a port.
func dropped(second, port int) string {
	at := time.Date(2026, 11, 25, 6, 0, second, 0, time.UTC).Format(time.RFC3339)
	return fmt.Sprintf("%s gw kernel: DROP: IN=eth0 OUT= SRC=198.51.100.7 DST=10.0.0.1 LEN=60 PROTO=TCP SPT=40000 DPT=%d SYN\n", at, port)
}

// write writes a log and returns its path.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if !filepath.IsAbs(path) {
		path = filepath.Join(t.TempDir(), path)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// portsOf reads to the end, or until nothing comes, and returns the ports asked.
func portsOf(t *testing.T, next func(*Record) error) (ports []uint16, err error) {
	t.Helper()
	var r Record
	for {
		if err := next(&r); err != nil {
			return ports, err
		}
		ports = append(ports, r.DstPort)
	}
}

func TestMerge(t *testing.T) {
	a := write(t, "a", dropped(1, 1)+dropped(4, 4)+dropped(5, 5))
	b := write(t, "b.gz", zipped(t, dropped(2, 2)+dropped(3, 3)+dropped(9, 9)))
	late := write(t, "late", dropped(20, 20))
	cut := write(t, "cut.gz", zipped(t, strings.Repeat(dropped(10, 10), 100))[:100])
	other := write(t, "other", "a picture\n")
	tests := map[string]struct {
		paths []string
		want  []uint16
		fails []error
	}{
		"one":               {[]string{a}, []uint16{1, 4, 5}, nil},
		"by time":           {[]string{late, b, a}, []uint16{1, 2, 3, 4, 5, 9, 20}, nil},
		"the same twice":    {[]string{a, a}, []uint16{1, 1, 4, 4, 5, 5}, nil},
		"some fail":         {[]string{other, a, filepath.Join(t.TempDir(), "none"), t.TempDir()}, []uint16{1, 4, 5}, []error{ErrFormat, os.ErrNotExist, ErrFormat}},
		"one is cut":        {[]string{cut, late}, []uint16{20}, []error{ErrTruncated}},
		"all fail":          {[]string{other}, nil, []error{ErrFormat}},
		"none has anything": {[]string{write(t, "empty", "")}, nil, []error{ErrFormat}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := NewMerge(test.paths)
			defer m.Close()
			got, err := portsOf(t, m.Next)
			if err != io.EOF {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, withoutCut(got)); diff != "" {
				t.Errorf("ports: want -, got +:\n%s", diff)
			}
			if (m.Err() == nil) != (test.fails == nil) {
				t.Errorf("failures: %v", m.Err())
			}
			for _, want := range test.fails {
				if !errors.Is(m.Err(), want) {
					t.Errorf("%v, want %v", m.Err(), want)
				}
			}
			if m.Stats().Records != uint64(len(got)) {
				t.Errorf("counted %d of %d records", m.Stats().Records, len(got))
			}
		})
	}
}

// withoutCut leaves out what came of a log that is cut off, of which some may.
func withoutCut(ports []uint16) (rest []uint16) {
	for _, p := range ports {
		if p != 10 {
			rest = append(rest, p)
		}
	}
	return rest
}

// TestMergeMany merges more logs than may be open at once.
func TestMergeMany(t *testing.T) {
	dir := t.TempDir()
	var inTurn, together []string
	for i := range 3 * maxOpen {
		inTurn = append(inTurn, write(t, filepath.Join(dir, fmt.Sprint("a", i)), dropped(i, i)))
		together = append(together, write(t, filepath.Join(dir, fmt.Sprint("b", i)), dropped(i, i)+dropped(100, 100)))
	}
	m := NewMerge(inTurn)
	if got, _ := portsOf(t, m.Next); len(got) != len(inTurn) || m.Late() != 0 {
		t.Errorf("%d records, %d late, of logs that follow each other", len(got), m.Late())
	}
	m = NewMerge(together)
	if got, _ := portsOf(t, m.Next); len(got) != 2*len(together) || m.Late() == 0 {
		t.Errorf("%d records, %d late, of logs that overlap", len(got), m.Late())
	}
}

// TestLongLine reads what is longer than any record.
func TestLongLine(t *testing.T) {
	long := strings.TrimSuffix(dropped(2, 2), "\n") + strings.Repeat(" x", maxLine)
	r := NewReader(strings.NewReader(dropped(1, 1)+long+"\n"+dropped(3, 3)), "test")
	got, err := portsOf(t, r.Next)
	if err != io.EOF || !cmp.Equal(got, []uint16{1, 3}) || r.Stats().Malformed != 1 {
		t.Errorf("%v, %v, %+v", got, err, r.Stats())
	}
}

// TestFollow writes a log as programs do while it is read.
func TestFollow(t *testing.T) {
	path := write(t, "log", "")
	r, err := Follow(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	add := func(text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
	}
	rename := func() {
		t.Helper()
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
	}
	line := dropped(2, 2)
	steps := []struct {
		name string
		do   func()
		want []uint16
	}{
		{"nothing yet", func() {}, nil},
		{"a line and the beginning of one", func() { add(dropped(1, 1) + line[:70]) }, []uint16{1}},
		{"its end", func() { add(line[70:]) }, []uint16{2}},
		{"nothing more", func() {}, nil},
		{"renamed, and written to still", func() { rename(); f := path; path += ".1"; add(dropped(3, 3)); path = f }, []uint16{3}},
		{"made anew, without anything", func() { add("") }, nil},
		{"what comes in the new one", func() { add(dropped(4, 4)) }, []uint16{4}},
		{"emptied", func() {
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
		}, nil},
		{"what comes after that", func() { add(dropped(5, 5)) }, []uint16{5}},
		{"rotated after half a line", func() { add(dropped(6, 6) + "2026-11-2"); rename(); add(dropped(7, 7)) }, []uint16{6, 7}},
	}
	for _, step := range steps {
		step.do()
		var got []uint16
		for range 4 { // as often as it turns to what has changed, and waits once
			ports, err := portsOf(t, r.Next)
			if !errors.Is(err, capture.ErrTimeout) {
				t.Fatalf("%s: %v", step.name, err)
			}
			got = append(got, ports...)
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", step.name, diff)
		}
	}
	for name, path := range map[string]string{"compressed": write(t, "z", zipped(t, line)), "a folder": t.TempDir(), "not there": filepath.Join(t.TempDir(), "x")} {
		if _, err := Follow(path); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestPipe reads what comes through a pipe now and then.
func TestPipe(t *testing.T) {
	for name, wrap := range map[string]func(string) string{
		"plain":      func(s string) string { return s },
		"compressed": func(s string) string { return zipped(t, s) },
	} {
		t.Run(name, func(t *testing.T) {
			from, to := io.Pipe()
			r := NewReader(newPipe(from), "pipe")
			var rec Record
			if err := r.Next(&rec); !errors.Is(err, capture.ErrTimeout) {
				t.Fatalf("%v before anything came", err)
			}
			text := wrap(dropped(1, 1) + dropped(2, 2))
			go func() {
				for _, b := range []byte(text) { // the worst that a writer can do
					to.Write([]byte{b})
				}
				to.Close()
			}()
			var got []uint16
			for {
				ports, err := portsOf(t, r.Next)
				got = append(got, ports...)
				if err == io.EOF {
					break
				}
				if !errors.Is(err, capture.ErrTimeout) {
					t.Fatal(err)
				}
			}
			if !cmp.Equal(got, []uint16{1, 2}) {
				t.Error(got)
			}
		})
	}
}
