package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
)

// field is one field of a protobuf message: a number or bytes.
type field struct {
	number int
	value  int64
	bytes  []byte
}

// split reads the fields of a message. It knows nothing of the writer.
func split(t testing.TB, b []byte) []field {
	t.Helper()
	var fields []field
	varint := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			t.Fatal("a varint is cut")
		}
		b = b[n:]
		return v
	}
	for len(b) > 0 {
		key := varint()
		f := field{number: int(key >> 3)}
		switch key & 7 {
		case 0:
			f.value = int64(varint())
		case 2:
			n := varint()
			if n > uint64(len(b)) {
				t.Fatalf("field %d is cut", f.number)
			}
			f.bytes, b = b[:n], b[n:]
		default:
			t.Fatalf("field %d: wire type %d", f.number, key&7)
		}
		fields = append(fields, f)
	}
	return fields
}

// tensor is what a model computes with. Its values are held as float64, which
// the scales need and which a float32 fits, and as int64.
type tensor struct {
	kind   int
	dims   []int
	ints   []int64
	floats []float64
}

// parsedNode is a node as it was read.
type parsedNode struct {
	operator   string
	inputs     []string
	output     string
	attributes map[string][]int64
}

// parsed is a model as it was read.
type parsed struct {
	irVersion, opset int64
	metadata         [][2]string
	nodes            []parsedNode
	constants        map[string]tensor
	constantNames    []string
	input, output    string // name, type and shape
}

// parse reads a model by the field numbers of onnx.proto, given here once more.
func parse(t testing.TB, b []byte) parsed {
	t.Helper()
	p := parsed{constants: map[string]tensor{}}
	for _, f := range split(t, b) {
		switch f.number {
		case 1:
			p.irVersion = f.value
		case 7:
			p.parseGraph(t, f.bytes)
		case 8:
			p.opset = split(t, f.bytes)[0].value
		case 14:
			kv := split(t, f.bytes)
			p.metadata = append(p.metadata, [2]string{string(kv[0].bytes), string(kv[1].bytes)})
		}
	}
	return p
}

func (p *parsed) parseGraph(t testing.TB, b []byte) {
	for _, f := range split(t, b) {
		switch f.number {
		case 1:
			p.nodes = append(p.nodes, parseNode(t, f.bytes))
		case 5:
			name, v := parseTensor(t, f.bytes)
			if _, twice := p.constants[name]; twice {
				t.Errorf("two tensors are named %s", name)
			}
			p.constants[name] = v
			p.constantNames = append(p.constantNames, name)
		case 11:
			p.input = parseValue(t, f.bytes)
		case 12:
			p.output = parseValue(t, f.bytes)
		}
	}
}

func parseNode(t testing.TB, b []byte) parsedNode {
	n := parsedNode{attributes: map[string][]int64{}}
	for _, f := range split(t, b) {
		switch f.number {
		case 1:
			n.inputs = append(n.inputs, string(f.bytes))
		case 2:
			n.output = string(f.bytes)
		case 4:
			n.operator = string(f.bytes)
		case 5:
			name, values := parseAttribute(t, f.bytes)
			n.attributes[name] = values
		}
	}
	return n
}

func parseAttribute(t testing.TB, b []byte) (name string, values []int64) {
	for _, f := range split(t, b) {
		switch f.number {
		case 1:
			name = string(f.bytes)
		case 3, 8:
			values = append(values, f.value)
		}
	}
	return name, values
}

func parseTensor(t testing.TB, b []byte) (name string, v tensor) {
	var raw []byte
	for _, f := range split(t, b) {
		switch f.number {
		case 1:
			v.dims = append(v.dims, int(f.value))
		case 2:
			v.kind = int(f.value)
		case 8:
			name = string(f.bytes)
		case 9:
			raw = f.bytes
		}
	}
	for size := map[int]int{1: 4, 2: 1, 3: 1, 6: 4, 7: 8}[v.kind]; len(raw) > 0; raw = raw[size:] {
		switch v.kind {
		case 1:
			v.floats = append(v.floats, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))))
		case 2:
			v.ints = append(v.ints, int64(raw[0]))
		case 3:
			v.ints = append(v.ints, int64(int8(raw[0])))
		case 6:
			v.ints = append(v.ints, int64(int32(binary.LittleEndian.Uint32(raw))))
		case 7:
			v.ints = append(v.ints, int64(binary.LittleEndian.Uint64(raw)))
		default:
			t.Fatalf("tensor %s has type %d", name, v.kind)
		}
	}
	want := 1
	for _, d := range v.dims {
		want *= d
	}
	if want != len(v.ints)+len(v.floats) {
		t.Errorf("tensor %s: %d values of shape %v", name, len(v.ints)+len(v.floats), v.dims)
	}
	return name, v
}

// parseValue returns an input or output as "name type [dims]".
func parseValue(t testing.TB, b []byte) string {
	f := split(t, b)
	tensor := split(t, split(t, f[1].bytes)[0].bytes)
	var dims []string
	for _, dim := range split(t, tensor[1].bytes) {
		d := split(t, dim.bytes)[0]
		dims = append(dims, map[int]string{1: fmt.Sprint(d.value), 2: string(d.bytes)}[d.number])
	}
	return fmt.Sprintf("%s %s %v", f[0].bytes, kindNames[int(tensor[0].value)], dims)
}

var kindNames = map[int]string{1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64"}
