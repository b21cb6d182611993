//go:build unix && !device

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"edgescan/internal/board"
	"edgescan/internal/flood"
	"edgescan/internal/top"
	"edgescan/internal/web"
)

// TestMemoryHoldsWhileWatched has as many readers as there may be watch the live page, and
// ask for all pictures, while ten thousand hosts scan and each is told of.
func TestMemoryHoldsWhileWatched(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	program, memory := buildDevice(t, runtime.GOARCH), byteSize(minMemory+board.Memory)
	at := slices.IndexFunc(flood.Attacks[:], func(a flood.Attack) bool { return a.Name == "10 000 scanners in turn" })
	f := &follower{t: t, config: write(t, "edgescan.yaml", nil), folder: t.TempDir()}
	f.set(fmt.Sprintf("web: 127.0.0.1:0\nfold: 0\nmemory: %s\n", memory.text()))
	f.run(program, "following", nil, "--config", f.config)
	ctx, cancel := context.WithCancel(context.Background())
	client := &top.Client{URL: f.webAddress()}
	var readers sync.WaitGroup
	pictures := make(chan string, 100)
	for range 8 {
		readers.Go(func() {
			client.Watch(ctx, func(m *web.Message) {
				for _, in := range m.Incidents {
					select {
					case pictures <- in.ID:
					default:
					}
				}
			})
		})
	}
	var drawn atomic.Int64
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				select {
				case id := <-pictures:
					if text, err := client.Picture(ctx, "incidents", id, true); err == nil && text != "" {
						drawn.Add(1)
					}
				case <-ctx.Done():
				}
			}
		})
	}
	file, err := os.Create(filepath.Join(f.folder, "attack.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(flood.Attacks[at].Write(file), file.Close()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); drawn.Load() < 10; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d pictures came", drawn.Load())
		}
	}
	if err := f.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	f.cmd.Wait()
	cancel()
	readers.Wait()
	peak := peakOf(t, f.log.String())
	if peak > memory+slack {
		t.Errorf("%s resident with --memory %s", peak.text(), memory.text())
	}
	t.Logf("peak %.1f MiB, %d pictures; %s", float64(peak)/(1<<20), drawn.Load(), summary(f.log.String()))
}
