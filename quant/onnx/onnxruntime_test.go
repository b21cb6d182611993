//go:build onnxruntime

package onnx

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// onnxruntimeVersion is what the figures in the documentation were measured
// with.
const onnxruntimeVersion = "1.30.0"

// Bounds of what may hang: a download, and a run.
const (
	installTimeout = 5 * time.Minute
	runTimeout     = 5 * time.Minute
)

// folder is where installed puts onnxruntime. TestMain removes it.
var folder string

// installed installs onnxruntime, once.
var installed = sync.OnceValue(func() error {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return err
		}
	}
	var err error
	if folder, err = os.MkdirTemp("", "onnxruntime"); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(context.Background(), installTimeout)
	defer stop()
	out, err := exec.CommandContext(ctx, "npm", "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund",
		"onnxruntime-node@"+onnxruntimeVersion).CombinedOutput()
	if err != nil {
		return fmt.Errorf("npm install: %w\n%s", err, out)
	}
	return nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder != "" {
		os.RemoveAll(folder)
	}
	os.Exit(code)
}

// onnxruntime runs testdata/onnxruntime.cjs and returns what it prints. It skips
// the test where onnxruntime cannot be had.
func onnxruntime(t testing.TB, args ...string) string {
	t.Helper()
	if err := installed(); err != nil {
		t.Skipf("needs node, npm and its registry: %v", err)
	}
	ctx, stop := context.WithTimeout(context.Background(), runTimeout)
	defer stop()
	cmd := exec.CommandContext(ctx, "node", append([]string{"testdata/onnxruntime.cjs"}, args...)...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(folder, "node_modules"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("onnxruntime: %v\n%s", err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// write writes a file for the time of the test and returns its path.
func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
