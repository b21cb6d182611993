package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestModelExport(t *testing.T) {
	dir := t.TempDir()
	for form, operator := range map[string]string{"uint8": "QLinearConv", "int8": "QLinearConv", "exact": "ConvInteger"} {
		path := filepath.Join(dir, form)
		r := edgescan(t, nil, "model", "export", "--onnx", path, "--form", form)
		if r.code != 0 || r.stdout != "" || r.stderr != "" {
			t.Errorf("%s: exit code %d: %s%s", form, r.code, r.stdout, r.stderr)
		}
		if !bytes.Contains(must(os.ReadFile(path)), []byte(operator)) {
			t.Errorf("%s: no %s in what was written", form, operator)
		}
	}
	shipped, named := filepath.Join(dir, "shipped"), filepath.Join(dir, "named")
	edgescan(t, nil, "model", "export", "--onnx", shipped)
	edgescan(t, nil, "model", "export", "--onnx", named, "--model", "../../quant/default.esq")
	if !bytes.Equal(must(os.ReadFile(shipped)), must(os.ReadFile(named))) {
		t.Error("the built-in model gives other bytes than its file")
	}
}

func TestModelExportRefuses(t *testing.T) {
	out := filepath.Join(t.TempDir(), "a.onnx")
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no output", nil, 2, "--onnx"},
		{"unknown form", []string{"--onnx", out, "--form", "float"}, 2, "--form float"},
		{"missing model", []string{"--onnx", out, "--model", "nowhere.esq"}, 1, "nowhere.esq"},
		{"no model", []string{"--onnx", out, "--model", sample}, 1, "not an edgescan model"},
		{"missing folder", []string{"--onnx", "nowhere/a.onnx"}, 1, "nowhere/a.onnx"},
	} {
		r := edgescan(t, nil, append([]string{"model", "export"}, c.args...)...)
		if r.code != c.code || !strings.Contains(r.stderr, c.says) {
			t.Errorf("%s: exit code %d, want %d with %q: %s", c.name, r.code, c.code, c.says, r.stderr)
		}
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Error("a file is written although there is no network")
	}
}
