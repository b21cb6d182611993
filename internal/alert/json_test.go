package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"edgescan/internal/detect"
)

var update = flag.Bool("update", false, "write golden files anew")

// TestGolden pins the lines that users script against, byte for byte. The files
// are written by go test ./internal/alert -run TestGolden -update.
func TestGolden(t *testing.T) {
	for name, format := range map[string]Format{
		"eve.golden.jsonl":   JSON,
		"ecs.golden.jsonl":   func(e detect.Event) []byte { return ECS(e, testHeader()) },
		"cef.golden.txt":     func(e detect.Event) []byte { return appendCEF(nil, e, testHeader()) },
		"rfc5424.golden.txt": func(e detect.Event) []byte { return appendRFC5424(nil, e, testHeader()) },
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			send(t, NewJSON(&got, format), everyForm()...)
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			checkFile(t, golden, got.Bytes())
		})
	}
}

// TestJSONRoundTrip reads the line as a user's script would, by the names in
// the documentation.
func TestJSONRoundTrip(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal(JSON(vertical()), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"timestamp": "2026-11-23T01:06:02.841483Z", "event_type": "scan", "src_ip": "10.50.0.66",
		"scan": map[string]any{
			"id": "00c0ffee12345678", "state": "start", "kind": "vertical", "score": 0.998,
			"first_seen": "2026-11-23T01:05:59.841483Z", "last_seen": "2026-11-23T01:06:02.841483Z", "window_s": 60.0, "contacts": 12.0, "hosts": 1.0, "ports": 12.0,
			"answered": 3.0, "refused": 9.0, "silent": 0.0, "odd": 0.0,
			"protocols": []any{"tcp"}, "top_ports": []any{22.0, 80.0, 8081.0}, "example_dst": "10.60.0.5",
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	when, err := time.Parse(time.RFC3339Nano, got["timestamp"].(string))
	if err != nil || when.UnixNano() != second {
		t.Errorf("timestamp reads as %v, %v", when, err)
	}
}

func TestOpenJSONAppends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	for range 2 {
		alertOnce(t, path)
	}
	line := append(JSON(vertical()), '\n')
	checkFile(t, path, append(line, line...))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o640 {
		t.Errorf("mode %o, want 640", mode)
	}
}

func alertOnce(t *testing.T, path string) {
	t.Helper()
	sink, err := OpenJSON(path, JSON)
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Alert(vertical()); err != nil {
		t.Error(err)
	}
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
}

// TestOpenJSONFollowsRotation renames the file as logrotate does.
func TestOpenJSONFollowsRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	sink, err := OpenJSON(path, JSON)
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	if err := sink.Alert(vertical()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := sink.Alert(block()); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path+".1", append(JSON(vertical()), '\n'))
	checkFile(t, path, append(JSON(block()), '\n'))
}

// TestOpenJSONWithoutSuccessor takes the folder away, as privileges that were
// dropped do: the file gets the lines on as long as it has a name.
func TestOpenJSONWithoutSuccessor(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "log")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	sink, err := OpenJSON(filepath.Join(folder, "eve.json"), JSON)
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	if err := os.Rename(folder, folder+".1"); err != nil {
		t.Fatal(err)
	}
	if err := sink.Alert(vertical()); err != nil {
		t.Error(err)
	}
	moved := filepath.Join(folder+".1", "eve.json")
	checkFile(t, moved, append(JSON(vertical()), '\n'))
	if err := os.Remove(moved); err != nil {
		t.Fatal(err)
	}
	if sink.Alert(vertical()) == nil {
		t.Error("no error from a file that nobody can read")
	}
	if err := os.Rename(folder+".1", folder); err != nil {
		t.Fatal(err)
	}
	if err := sink.Alert(block()); err != nil {
		t.Error(err)
	}
	checkFile(t, filepath.Join(folder, "eve.json"), append(JSON(block()), '\n'))
}

func TestFileEndsATornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "eve.json")
	l := file{path: path}
	for _, s := range []string{"to", "next\n"} {
		if _, err := l.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
		l.torn = s == "to"
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, []byte("to\nnext\n"))
}

// TestEVEFullDisk must return the error and go on.
func TestEVEFullDisk(t *testing.T) {
	sink, err := OpenJSON("/dev/full", JSON)
	if err != nil {
		t.Skip("no /dev/full:", err)
	}
	for range 2 {
		if sink.Alert(vertical()) == nil {
			t.Error("no error from a full disk")
		}
	}
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenJSONError(t *testing.T) {
	if _, err := OpenJSON(filepath.Join(t.TempDir(), "no", "such", "folder"), JSON); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want a missing folder", err)
	}
}

func TestText(t *testing.T) {
	var out bytes.Buffer
	sink := NewText(&out)
	if err := sink.Alert(vertical()); err != nil {
		t.Fatal(err)
	}
	if want := Line(vertical()) + "\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func checkFile(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s holds\n%s\nwant\n%s", path, got, want)
	}
}
