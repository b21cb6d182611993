package quant

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
)

var update = flag.Bool("update", false, "write testdata/golden.* and the fuzz corpus anew")

// smallFile returns the model file of a small network of random weights.
func smallFile(t testing.TB) []byte {
	t.Helper()
	return fileOf(t, randomNetwork(t, newRand(12), smallArch, smallMeta))
}

func fileOf(t testing.TB, n *Network) []byte {
	t.Helper()
	var file bytes.Buffer
	written, err := n.WriteTo(&file)
	if err != nil || written != int64(file.Len()) {
		t.Fatalf("%d of %d bytes: %v", written, file.Len(), err)
	}
	return file.Bytes()
}

// sealed returns a file of the given parts with sizes and checksum that are
// right.
func sealed(head string, body []byte) []byte {
	file := []byte(fileMagic)
	file = binary.LittleEndian.AppendUint32(file, fileVersion)
	file = binary.LittleEndian.AppendUint32(file, uint32(len(head)))
	file = binary.LittleEndian.AppendUint32(file, uint32(len(body)))
	return reseal(append(append(append(file, head...), body...), make([]byte, sha256.Size)...))
}

// reseal returns file with the checksum that its bytes should have.
func reseal(file []byte) []byte {
	if len(file) < sha256.Size {
		return file
	}
	content := file[:len(file)-sha256.Size]
	sum := sha256.Sum256(content)
	return append(slices.Clone(content), sum[:]...)
}

// parts returns header and body of a file.
func parts(file []byte) (head string, body []byte) {
	size := int(binary.LittleEndian.Uint32(file[len(fileMagic)+4:]))
	return string(file[prefixSize:][:size]), file[prefixSize+size : len(file)-sha256.Size]
}

// badFiles returns files that Load must refuse, and the error of each.
func badFiles(t testing.TB) map[string]struct {
	file []byte
	want error
} {
	good := smallFile(t)
	head, body := parts(good)
	put := func(at int, value uint32) []byte {
		file := slices.Clone(good)
		binary.LittleEndian.PutUint32(file[at:], value)
		return reseal(file)
	}
	replace := func(old, new string) []byte {
		if !bytes.Contains([]byte(head), []byte(old)) {
			t.Fatalf("no %s in %s", old, head)
		}
		return sealed(string(bytes.Replace([]byte(head), []byte(old), []byte(new), 1)), body)
	}
	flip := slices.Clone(good)
	flip[len(flip)/2] ^= 1
	badShift := slices.Clone(body)
	badShift[len(badShift)-1] = 0
	return map[string]struct {
		file []byte
		want error
	}{
		"empty":             {nil, ErrNotModel},
		"short":             {good[:prefixSize-1], ErrNotModel},
		"other-magic":       {append([]byte("ESQMODEL"), good[8:]...), ErrNotModel},
		"version-2":         {put(8, 2), ErrVersion},
		"huge-header":       {put(12, 1<<31), ErrDamaged},
		"huge-body":         {put(16, 1<<31), ErrDamaged},
		"long-body":         {put(16, maxBody), ErrDamaged},
		"flipped-bit":       {flip, ErrChecksum},
		"no-checksum":       {good[:len(good)-sha256.Size], ErrDamaged},
		"behind-the-end":    {append(slices.Clone(good), 0), ErrDamaged},
		"no-header":         {sealed("", body), ErrDamaged},
		"not-json":          {sealed("{", body), ErrDamaged},
		"unknown-key":       {replace(`"threshold"`, `"treshold"`), ErrDamaged},
		"two-headers":       {sealed(head+head, body), ErrDamaged},
		"unknown-layer":     {replace(`"kind":"maxpool"`, `"kind":"avgpool"`), ErrDamaged},
		"huge-layer":        {replace(`"out":5`, `"out":1000000000`), ErrDamaged},
		"overflowing-layer": {replace(`"out":5`, `"out":10000000000000000000`), ErrDamaged},
		"class-missing":     {replace(`"vertical",`, ``), ErrDamaged},
		"short-body":        {sealed(head, body[1:]), ErrDamaged},
		"long-blob":         {sealed(head, append(slices.Clone(body), 0)), ErrDamaged},
		"shift-0":           {sealed(head, badShift), ErrDamaged},
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, c := range badFiles(t) {
		if _, err := Load(bytes.NewReader(c.file)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	broken := errors.New("broken disk")
	for _, cut := range []int{0, 3, prefixSize, 300} {
		r := iotest.ErrReader(broken)
		if _, err := Load(&fallback{bytes.NewReader(smallFile(t)[:cut]), r}); !errors.Is(err, broken) {
			t.Errorf("disk broken after %d bytes: %v", cut, err)
		}
	}
}

// fallback reads first to its end, then goes on with then.
type fallback struct {
	first *bytes.Reader
	then  interface{ Read([]byte) (int, error) }
}

func (f *fallback) Read(p []byte) (int, error) {
	if f.first.Len() > 0 {
		return f.first.Read(p)
	}
	return f.then.Read(p)
}

func TestRoundTrip(t *testing.T) {
	for name, arch := range map[string]Arch{"small": smallArch, "likely": likelyArch} {
		meta := smallMeta
		meta.Classes = []string{"benign", "vertical", "horizontal", "block"}[:arch.Classes()]
		file := fileOf(t, randomNetwork(t, newRand(13), arch, meta))
		n, err := Load(iotest.OneByteReader(bytes.NewReader(file)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(fileOf(t, n), file) {
			t.Errorf("%s: another file after loading", name)
		}
	}
}

// TestDamage changes each byte and cuts at each length. The checksum must find
// all of it; what it would let through must do no harm either.
func TestDamage(t *testing.T) {
	good := smallFile(t)
	known := func(err error) bool {
		return errors.Is(err, ErrNotModel) || errors.Is(err, ErrVersion) || errors.Is(err, ErrChecksum) || errors.Is(err, ErrDamaged)
	}
	for i := range good {
		if _, err := Load(bytes.NewReader(good[:i])); !known(err) {
			t.Fatalf("cut at %d: %v", i, err)
		}
		for _, change := range []byte{1, 0x80, 0xff} {
			file := slices.Clone(good)
			file[i] ^= change
			if _, err := Load(bytes.NewReader(file)); !known(err) {
				t.Fatalf("byte %d ^ %#x: %v", i, change, err)
			}
			checkLoad(t, reseal(file))
		}
	}
}

// checkLoad loads a file that may be anything. If it is a network, it must run
// as the reference does, and make a file that gives the same network.
func checkLoad(t *testing.T, file []byte) {
	t.Helper()
	n, err := Load(bytes.NewReader(file))
	if err != nil {
		return
	}
	first := fileOf(t, n)
	again, err := Load(bytes.NewReader(first))
	if err != nil {
		t.Fatalf("what was loaded and written cannot be loaded: %v", err)
	}
	if !bytes.Equal(fileOf(t, again), first) {
		t.Fatal("written twice, two files")
	}
	if n.MultiplyAdds() > 1<<20 || n.arch.Input.Size() > 1<<12 {
		return
	}
	in := randomMap(newRand(14), n.arch.Input.Size(), 0.5, 255)
	got, want := make([]int32, n.arch.Classes()), make([]int32, n.arch.Classes())
	if err := errors.Join(n.Run(got, in, n.NewScratch()), n.RunReference(want, in)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("logits %v, reference %v", got, want)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(smallFile(f))
	f.Fuzz(func(t *testing.T, file []byte) {
		checkLoad(t, file)
		checkLoad(t, reseal(file))
	})
}

// golden is what testdata/golden.json says of testdata/golden.esq.
type golden struct {
	MadeBy string    `json:"made_by"`
	Logits [][]int32 `json:"logits"` // of the maps that goldenMaps returns
}

// goldenMaps returns maps from empty to full.
func goldenMaps() [][]uint8 {
	r := newRand(15)
	var maps [][]uint8
	for _, density := range []float64{0, 0.05, 0.2, 0.5, 1} {
		maps = append(maps, randomMap(r, smallArch.Input.Size(), density, 15), randomMap(r, smallArch.Input.Size(), density, 255))
	}
	return maps
}

// TestGolden holds the file format and the arithmetic to what they were, on
// every architecture. With -update it writes the files, from the reference
// kernels.
func TestGolden(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	file, err := os.ReadFile("testdata/golden.esq")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, smallFile(t)) {
		t.Error("the same network makes another file now: count up the version, then run with -update")
	}
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var want golden
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	n, err := Load(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	s := n.NewScratch()
	for i, m := range goldenMaps() {
		fast, plain := make([]int32, 3), make([]int32, 3)
		if err := errors.Join(n.Run(fast, m, s), n.RunReference(plain, m)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(fast, want.Logits[i]) || !slices.Equal(plain, want.Logits[i]) {
			t.Errorf("map %d: logits %v, reference %v, golden %v", i, fast, plain, want.Logits[i])
		}
	}
}

// writeGolden writes the golden files and the fuzz corpus.
func writeGolden(t *testing.T) {
	write := func(path string, data []byte) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n := randomNetwork(t, newRand(12), smallArch, smallMeta)
	g := golden{MadeBy: "go test ./quant -run TestGolden -update: reference kernels, random weights of seed 12, maps of seed 15"}
	for _, m := range goldenMaps() {
		logits := make([]int32, 3)
		if err := n.RunReference(logits, m); err != nil {
			t.Fatal(err)
		}
		g.Logits = append(g.Logits, logits)
	}
	text, err := json.MarshalIndent(g, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	write("testdata/golden.json", append(text, '\n'))
	write("testdata/golden.esq", fileOf(t, n))
	for name, c := range badFiles(t) {
		write(filepath.Join("testdata/fuzz/FuzzLoad", name), fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\n", c.file))
	}
}
