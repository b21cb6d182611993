package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// imports returns the packages that a package is made of.
func imports(t *testing.T, pkg string, tags string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-tags", tags, pkg).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(string(out))
}

// TestDeviceCarriesNoTraining keeps GoMLX, plots, synthetic traffic and what comes
// with them out of the program that runs on the device.
func TestDeviceCarriesNoTraining(t *testing.T) {
	for _, p := range imports(t, "edgescan/cmd/edgescan", "device") {
		if strings.Contains(p, "gomlx") || strings.HasPrefix(p, "edgescan/model") || strings.Contains(p, "progressbar") || strings.Contains(p, "gonum") || strings.Contains(p, "bubbletea") || p == "edgescan/internal/synth" || p == "edgescan/internal/eval" {
			t.Errorf("the device's program imports %s", p)
		}
	}
}

// TestImportsPointOneWay holds the packages to the layout: each may build on
// those named, and on no other of this module.
func TestImportsPointOneWay(t *testing.T) {
	allowed := map[string][]string{
		"capture":           {},
		"featurize":         {"capture"},
		"quant":             {},
		"quant/onnx":        {"quant"},
		"internal/detect":   {"capture", "featurize", "quant"},
		"internal/alert":    {"capture", "featurize", "quant", "internal/detect", "internal/spool"},
		"internal/spool":    {},
		"internal/config":   {},
		"internal/policy":   {"capture", "featurize", "quant", "internal/detect"},
		"internal/confine":  {},
		"internal/pipeline": {"capture"},
		"internal/synth":    {},
		"internal/plots":    {},
		"internal/labels":   {"capture"},
		"internal/picture":  {"capture", "featurize"},
		"internal/record":   {"capture", "featurize", "quant", "internal/detect", "internal/picture"},
		"internal/explain":  {"capture", "featurize", "quant", "internal/picture"},
		"internal/report":   {},
		"model":             {"model/backend", "quant"},
	}
	for pkg, may := range allowed {
		for _, p := range imports(t, "edgescan/"+pkg, "") {
			rest, ok := strings.CutPrefix(p, "edgescan/")
			if ok && rest != pkg && !slices.Contains(may, rest) {
				t.Errorf("%s imports %s", pkg, rest)
			}
		}
	}
}

// pure are the packages in which the same input must give the same output:
// nothing of the system or the clock.
func TestPurePackagesTouchNothing(t *testing.T) {
	for _, pkg := range []string{"featurize", "quant", "internal/detect", "internal/config", "internal/policy", "internal/picture", "internal/record", "internal/explain", "internal/report"} {
		out, err := exec.Command("go", "list", "-f", `{{join .Imports " "}}`, "edgescan/"+pkg).Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		for _, p := range strings.Fields(string(out)) {
			if slices.Contains([]string{"os", "net", "sync", "context", "math/rand", "math/rand/v2", "log", "github.com/rs/zerolog"}, p) {
				t.Errorf("%s imports %s", pkg, p)
			}
		}
	}
}
