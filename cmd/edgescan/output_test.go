package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFileKeepsTheOldOneOnFailure(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	put := func(text string, fail error) error {
		return writeFile(path, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return errors.Join(err, fail)
		})
	}
	full := errors.New("disk full")
	if err := put("first", nil); err != nil {
		t.Fatal(err)
	}
	if err := put("second", full); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	if got := string(must(os.ReadFile(path))); got != "first" {
		t.Errorf("file holds %q", got)
	}
	if err := put("third", nil); err != nil {
		t.Fatal(err)
	}
	if got := string(must(os.ReadFile(path))); got != "third" {
		t.Errorf("file holds %q", got)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%d files are left", len(files))
	}
	if err := writeFile(os.DevNull, func(w io.Writer) error { return nil }); err != nil {
		t.Errorf("to a device: %v", err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Error("the device was replaced")
	}
}
