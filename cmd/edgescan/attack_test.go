package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"edgescan/internal/flood"
)

// slack is what the program may need beyond --memory.
const slack = 8 << 20

// TestMemoryHoldsUnderAttack streams every attack to the program for the
// device, for this machine and for 32 bits, with the default memory and with
// the least: what it ever held in memory stays within the bound, the scanners in
// the middle are named, and both write the same.
func TestMemoryHoldsUnderAttack(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	written := map[string]string{}
	for _, arch := range slices.Compact([]string{runtime.GOARCH, "386"}) {
		t.Run(arch, func(t *testing.T) {
			program := buildDevice(t, arch)
			for _, memory := range []byteSize{32 << 20, minMemory} {
				for i := range flood.Attacks {
					name := memory.text() + " " + flood.Attacks[i].Name
					t.Run(name, func(t *testing.T) {
						lines := endure(t, program, memory, &flood.Attacks[i])
						if want, ok := written[name]; ok && lines != want {
							t.Error("other lines than on another architecture")
						}
						written[name] = lines
					})
				}
			}
		})
	}
}

// TestMemoryHoldsWithRules is the same with a rule by which all contacts are kept
// apart.
func TestMemoryHoldsWithRules(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	program := buildDevice(t, runtime.GOARCH)
	for i := range flood.Attacks {
		t.Run(flood.Attacks[i].Name, func(t *testing.T) {
			endure(t, program, 32<<20, &flood.Attacks[i], "--allow", "kinds=block reason=x")
		})
	}
}

// buildDevice builds the program for the device. Where it cannot be built for
// the architecture, or does not run here, the test is skipped.
func buildDevice(t *testing.T, arch string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "edgescan")
	build := exec.Command("go", "build", "-trimpath", "-tags", "device", "-ldflags", "-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("the program for %s cannot be built here: %v: %s", arch, err, out)
	}
	if out, err := exec.Command(path, "--help").CombinedOutput(); err != nil {
		t.Skipf("the program for %s does not run here: %v: %s", arch, err, out)
	}
	return path
}

// endure runs the program on an attack and returns the lines that it writes.
func endure(t *testing.T, program string, memory byteSize, attack *flood.Attack, args ...string) string {
	cmd := exec.Command(program, append([]string{"run", "-r", "-", "--json", "-", "--memory", memory.text()}, args...)...)
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := attack.Write(stdin); err != nil {
		t.Error(err)
	}
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	peak := peakOf(t, stderr.String())
	if peak > memory+slack {
		t.Errorf("%s resident with --memory %s", peak.text(), memory.text())
	}
	named := starts(t, stdout.String())
	for _, scanner := range []string{flood.Fast, flood.Slow} {
		if !slices.Contains(named, scanner) {
			t.Errorf("%s is not named, only %d others", scanner, len(named))
		}
	}
	user := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	t.Logf("peak %.1f MiB, %.2f s of CPU, %d incidents; %s", float64(peak)/(1<<20), user.Seconds(), len(named), summary(stderr.String()))
	return stdout.String()
}

// peakOf returns what the summary says was resident at most. What the system
// tells when a process has ended is no use: it begins with what the process
// that started it had.
func peakOf(t *testing.T, log string) (peak byteSize) {
	t.Helper()
	_, rest, _ := strings.Cut(log, "peak_memory=")
	size, _, _ := strings.Cut(rest, " ")
	if err := peak.Set(size); err != nil || peak < 1<<20 {
		t.Fatalf("no peak of memory in the summary %q", log)
	}
	return peak
}

// summary returns what the summary line says was forgotten.
func summary(log string) string {
	var s []string
	for _, field := range strings.Fields(log) {
		if strings.HasPrefix(field, "forgotten") || strings.HasPrefix(field, "incidents") || strings.HasPrefix(field, "looks") {
			s = append(s, field)
		}
	}
	return fmt.Sprint(s)
}
