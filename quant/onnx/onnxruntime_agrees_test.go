//go:build onnxruntime

package onnx

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"edgescan/internal/dataset"
	"edgescan/internal/synth"
	"edgescan/quant"
)

// trafficMaps returns maps of synthetic traffic, for the shipped network.
var trafficMaps = sync.OnceValues(func() (maps [][]uint8, err error) {
	const firstSeed, scenes, wanted = 5_000_000, 200, 2000
	err = dataset.Collect(context.Background(), firstSeed, scenes, synth.Options{}, dataset.Packets, dataset.DetectorMaps, func(kept []dataset.Kept) {
		for i := range kept {
			if len(maps) < wanted {
				maps = append(maps, kept[i].Map)
			}
		}
	})
	return maps, err
})

// noise returns n maps of 1% to all cells not 0, of 1 to 15 or 1 to 255.
func noise(seed uint64, n, size int) [][]uint8 {
	r := newRand(seed)
	maps := make([][]uint8, n)
	for i := range maps {
		density := []float64{0.01, 0.05, 0.3, 1}[i%4]
		maps[i] = randomMap(r, size, density, []int{15, 255}[i/4%2])
	}
	return maps
}

// difference is how the logits of two runtimes differ.
type difference struct {
	maps, logits    int   // compared
	otherMaps       int   // with a logit that differs
	otherLogits     int   // that differ
	largest         int32 // difference, in 1/256 nat
	otherVerdicts   int   // on the other side of the threshold
	exampleAt       int
	example, wanted []int32
}

func (d difference) String() string {
	s := fmt.Sprintf("%d maps, %d logits: %d maps and %d logits differ, by %d/256 nat at most; %d verdicts differ",
		d.maps, d.logits, d.otherMaps, d.otherLogits, d.largest, d.otherVerdicts)
	if d.otherMaps > 0 {
		s += fmt.Sprintf(" (map %d: %v, want %v)", d.exampleAt, d.example, d.wanted)
	}
	return s
}

// compare runs n by quant and, written in a form, by onnxruntime, so many maps
// at a time.
func compare(t testing.TB, n *quant.Network, f Form, batch int, maps [][]uint8) difference {
	t.Helper()
	model, logits := write(t, "model.onnx", written(t, n, f)), filepath.Join(t.TempDir(), "logits")
	onnxruntime(t, "run", model, n.Arch().Input.String(), write(t, "maps", slices.Concat(maps...)), strconv.Itoa(batch), logits)
	b, err := os.ReadFile(logits)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]int32, len(maps)*n.Arch().Classes())
	if _, err := binary.Decode(b, binary.LittleEndian, got); err != nil || len(b) != 4*len(got) {
		t.Fatalf("%d bytes of logits, want %d: %v", len(b), 4*len(got), err)
	}
	var d difference
	scratch := n.NewScratch()
	for i, m := range maps {
		want := make([]int32, n.Arch().Classes())
		if err := n.Run(want, m, scratch); err != nil {
			t.Fatal(err)
		}
		d.add(i, got[i*len(want):][:len(want)], want, n.Threshold())
	}
	return d
}

// add counts the logits of map i.
func (d *difference) add(i int, got, want []int32, threshold uint32) {
	d.maps++
	d.logits += len(want)
	if (quant.ScanScore(got) >= threshold) != (quant.ScanScore(want) >= threshold) {
		d.otherVerdicts++
	}
	if slices.Equal(got, want) {
		return
	}
	d.otherMaps++
	d.exampleAt, d.example, d.wanted = i, got, want
	for k := range want {
		if got[k] != want[k] {
			d.otherLogits++
			d.largest = max(d.largest, got[k]-want[k], want[k]-got[k])
		}
	}
}

// TestOnnxruntimeAgrees compares every logit of the shipped network and of
// random ones. The exact form must give the same, the others the same verdict on
// nearly all maps; Signed is only reported, since it depends on the processor.
func TestOnnxruntimeAgrees(t *testing.T) {
	shipped, err := quant.Default()
	if err != nil {
		t.Fatal(err)
	}
	traffic, err := trafficMaps()
	if err != nil {
		t.Fatal(err)
	}
	type task struct {
		name  string
		n     *quant.Network
		maps  [][]uint8
		batch int
	}
	tasks := []task{
		{"shipped network, traffic", shipped, traffic, 1},
		{"shipped network, noise", shipped, noise(1, 1000, shipped.Arch().Input.Size()), 7},
	}
	seed := uint64(2)
	for name, arch := range architectures {
		tasks = append(tasks, task{"random weights, " + name, randomNetwork(t, newRand(seed), arch), noise(seed, 500, arch.Input.Size()), 3})
		seed++
	}
	for _, c := range tasks {
		for name, form := range forms {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				d := compare(t, c.n, form, c.batch, c.maps)
				t.Log(d)
				if form == Exact && d.otherMaps > 0 {
					t.Error("the exact form must give the same logits")
				}
				if form == Unsigned && d.otherMaps*20 > d.maps {
					t.Error("more than one map in 20 gives other logits")
				}
				if form == Unsigned && c.n == shipped && d.otherVerdicts > 0 {
					t.Error("the shipped network gives another verdict")
				}
			})
		}
	}
}
