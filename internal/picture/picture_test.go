package picture

import (
	"bytes"
	"errors"
	"flag"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"

	"edgescan/featurize"
)

var update = flag.Bool("update", false, "write golden files anew")

func set(m *featurize.Map, row, column, channel int, value uint8) {
	m[(row*featurize.Columns+column)*featurize.Channels+channel] = value
}

// verticalScan is a row of refused ports with a few that answered.
func verticalScan() *featurize.Map {
	m := new(featurize.Map)
	for column := range 28 {
		set(m, 9, column, featurize.ChannelRefused, uint8(1+column%3))
	}
	set(m, 9, 5, featurize.ChannelAnswered, 1)
	set(m, 9, 17, featurize.ChannelProductive, 1)
	return m
}

// horizontalScan is a column of silent hosts over a little browsing.
func horizontalScan() *featurize.Map {
	m := browsing()
	for row := range featurize.Rows {
		set(m, row, 9, featurize.ChannelSilent, 2)
	}
	return m
}

// browsing reaches a few hosts on two ports, again and again.
func browsing() *featurize.Map {
	m := new(featurize.Map)
	for _, row := range []int{2, 3, 11, 12, 15} {
		set(m, row, 1, featurize.ChannelProductive, 4)
		set(m, row, 1, featurize.ChannelRepeats, 5)
	}
	set(m, 11, 28, featurize.ChannelAnswered, 15)
	return m
}

// effects speak for a scan along a row, and against one elsewhere.
func effects() *[featurize.Rows * featurize.Columns]float64 {
	cells := new([featurize.Rows * featurize.Columns]float64)
	for column := range 28 {
		cells[9*featurize.Columns+column] = 0.1 * float64(column)
		cells[column%featurize.Rows*featurize.Columns+40] = -0.5
	}
	return cells
}

// every has each outcome at each size, alone and together.
func every() *featurize.Map {
	m := new(featurize.Map)
	for k := range featurize.Channels {
		for v := range featurize.MaxValue + 1 {
			set(m, v, k, k, uint8(v))
			set(m, v, 20, k, uint8(v))
			set(m, v, 22+k, k, uint8(v))
			set(m, v, 22+k, featurize.ChannelRepeats, 1)
		}
	}
	return m
}

// TestGolden compares pictures with those in testdata, which
// go test ./internal/picture -run TestGolden -update writes.
func TestGolden(t *testing.T) {
	options := Options{Title: "10.50.0.66, 60 s"}
	for name, draw := range map[string]func(io.Writer) error{
		"vertical":            func(w io.Writer) error { return Draw(w, verticalScan(), options) },
		"horizontal":          func(w io.Writer) error { return Draw(w, horizontalScan(), options) },
		"every":               func(w io.Writer) error { return Draw(w, every(), Options{Cell: 20}) },
		"contacts-vertical":   func(w io.Writer) error { return Contacts(w, ports(300), plotOptions) },
		"contacts-horizontal": func(w io.Writer) error { return Contacts(w, sweep(20), plotOptions) },
		"contacts-every":      func(w io.Writer) error { return Contacts(w, everyOutcome(), plotOptions) },
		"contacts-crowd":      func(w io.Writer) error { return Contacts(w, crowd(4000), plotOptions) },
		"effects":             func(w io.Writer) error { return Effects(w, effects(), options) },
		"sheet": func(w io.Writer) error {
			panels := []Panel{{"vertical", verticalScan()}, {"horizontal", horizontalScan()}, {"browsing, with a title that does not fit", browsing()}, {"every", every()}, {"empty", new(featurize.Map)}}
			return Sheet(w, panels, Options{Title: "what five sources touched", PerRow: 3})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := draw(&got); err != nil {
				t.Fatal(err)
			}
			checkGolden(t, filepath.Join("testdata", name+".golden.png"), got.Bytes())
		})
	}
}

// checkGolden compares pixels, not bytes: the compressor may change with Go.
func checkGolden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	have, want := decode(t, got), decode(t, file)
	if have.Bounds() != want.Bounds() {
		t.Fatalf("%v, want %v", have.Bounds(), want.Bounds())
	}
	different := 0
	for y := range want.Bounds().Dy() {
		for x := range want.Bounds().Dx() {
			if have.At(x, y) != want.At(x, y) {
				different++
			}
		}
	}
	if different > 0 {
		t.Errorf("%d pixels differ from %s", different, path)
	}
}

func decode(t *testing.T, b []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestSizeTellsCount: more contacts never make a smaller mark, and none
// leaves its cell.
func TestSizeTellsCount(t *testing.T) {
	for side := 4; side <= 64; side++ {
		cell := image.Rect(1, 1, side, side)
		last := 0
		for v := range 256 {
			r := square(image.Point{}, side, uint8(v))
			if !r.In(cell) || r.Dx() < last || r.Dx() != r.Dy() {
				t.Fatalf("side %d, value %d: %v", side, v, r)
			}
			last = r.Dx()
		}
		if last != side-1 {
			t.Errorf("side %d: the largest mark is %d wide", side, last)
		}
	}
}

func TestOptionsErrors(t *testing.T) {
	for name, opt := range map[string]Options{
		"cell too small":  {Cell: 3},
		"cell too large":  {Cell: 65},
		"no panels a row": {PerRow: -1},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Draw(io.Discard, new(featurize.Map), opt); !errors.Is(err, ErrOptions) {
				t.Errorf("Draw: %v", err)
			}
			if err := Sheet(io.Discard, []Panel{{"", new(featurize.Map)}}, opt); !errors.Is(err, ErrOptions) {
				t.Errorf("Sheet: %v", err)
			}
		})
	}
	if err := Sheet(io.Discard, nil, Options{}); !errors.Is(err, ErrOptions) {
		t.Errorf("no panels: %v", err)
	}
}

type fullDisk struct{}

var errFull = errors.New("full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteError(t *testing.T) {
	if err := Draw(fullDisk{}, new(featurize.Map), Options{}); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}

// FuzzDraw hands over arbitrary maps and titles: none may panic.
func FuzzDraw(f *testing.F) {
	f.Add([]byte("\x01\x02\xff"), "title", 12)
	f.Fuzz(func(t *testing.T, cells []byte, title string, cell int) {
		m := new(featurize.Map)
		copy(m[:], cells)
		opt := Options{Title: title, Cell: 4 + int(uint(cell)%10)}
		if err := Draw(io.Discard, m, opt); err != nil {
			t.Error(err)
		}
		if err := Sheet(io.Discard, []Panel{{title, m}}, opt); err != nil {
			t.Error(err)
		}
	})
}
