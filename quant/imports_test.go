package quant

import (
	"go/build"
	"strings"
	"testing"
)

// The device links this package: it must stay free of what trains the model,
// and of everything else outside of the standard library but what tells which
// vector units there are.
func TestImportsOnlyTheStandardLibrary(t *testing.T) {
	pkg, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range pkg.Imports {
		first, _, _ := strings.Cut(path, "/")
		if path == "golang.org/x/sys/cpu" {
			continue
		}
		if strings.Contains(first, ".") || first == "edgescan" {
			t.Errorf("imports %s", path)
		}
	}
}
