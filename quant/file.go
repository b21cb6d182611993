package quant

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A model file, all numbers little endian:
//
//	magic        8 bytes "esqmodel"
//	version      uint32, 1
//	header size  uint32, at most 1 MiB
//	body size    uint32, at most 16 MiB
//	header       JSON: architecture and Meta
//	body         for each convolution and dense layer, in order: weights as in
//	             Params (int8), biases (int32), multipliers (int32), shifts (uint8)
//	checksum     SHA-256 of everything before it
//
// Nothing in it depends on the clock or the machine: the same network makes the
// same bytes.
const (
	fileMagic   = "esqmodel"
	fileVersion = 1
	prefixSize  = len(fileMagic) + 3*4
	maxHeader   = 1 << 20
	maxBody     = 1 << 24
)

// Errors of loading a model.
var (
	ErrNotModel = errors.New("not an edgescan model file: give one that `edgescan quantize` wrote")
	ErrVersion  = errors.New("the model file has a format version that this program does not know: update the program or quantize the model again")
	ErrChecksum = errors.New("the model file's checksum is wrong, it changed after it was written: copy it again")
	ErrDamaged  = errors.New("the model file is cut short or damaged: copy it again or quantize the model anew")
)

// header is the JSON part of a model file.
type header struct {
	Arch Arch `json:"arch"`
	Meta
}

// Load reads a model file, which must end where the model does. What it
// allocates is bounded by what the file holds, and by maxCells and maxWeights.
// The error is ErrNotModel, ErrVersion, ErrChecksum or ErrDamaged, or that of
// r.
func Load(r io.Reader) (*Network, error) {
	var prefix [prefixSize]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return nil, cutShort(err, ErrNotModel)
	}
	headerSize, bodySize, err := parsePrefix(prefix[:])
	if err != nil {
		return nil, err
	}
	payload, err := readPayload(r, prefix[:], headerSize+bodySize)
	if err != nil {
		return nil, err
	}
	n, err := parse(payload[:headerSize], payload[headerSize:])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return n, nil
}

// cutShort returns missing in place of the error that r ended too early, and
// other errors of r as they are.
func cutShort(err, missing error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return missing
	}
	return fmt.Errorf("reading the model: %w", err)
}

// parsePrefix reads the part of fixed size: magic, version, sizes.
func parsePrefix(prefix []byte) (headerSize, bodySize int, err error) {
	if string(prefix[:len(fileMagic)]) != fileMagic {
		return 0, 0, ErrNotModel
	}
	fields := prefix[len(fileMagic):]
	if v := binary.LittleEndian.Uint32(fields); v != fileVersion {
		return 0, 0, fmt.Errorf("%w (version %d, known is %d)", ErrVersion, v, fileVersion)
	}
	h, b := binary.LittleEndian.Uint32(fields[4:]), binary.LittleEndian.Uint32(fields[8:])
	if h > maxHeader || b > maxBody {
		return 0, 0, fmt.Errorf("%w: header of %d bytes, body of %d", ErrDamaged, h, b)
	}
	return int(h), int(b), nil
}

// readPayload reads header and body, size bytes together, and the checksum,
// which covers prefix too. The buffer grows with what there is to read, so a
// false size costs nothing.
func readPayload(r io.Reader, prefix []byte, size int) ([]byte, error) {
	var buf bytes.Buffer
	want := int64(size + sha256.Size)
	got, err := io.Copy(&buf, io.LimitReader(r, want+1))
	if err != nil {
		return nil, fmt.Errorf("reading the model: %w", err)
	}
	if got != want {
		return nil, fmt.Errorf("%w: %d bytes behind the sizes, need %d", ErrDamaged, got, want)
	}
	payload, sum := buf.Bytes()[:size], buf.Bytes()[size:]
	hash := sha256.New()
	hash.Write(prefix)
	hash.Write(payload)
	if !bytes.Equal(hash.Sum(nil), sum) {
		return nil, ErrChecksum
	}
	return payload, nil
}

// parse makes a network of header and body.
func parse(head, body []byte) (*Network, error) {
	var h header
	dec := json.NewDecoder(bytes.NewReader(head))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&h); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("header: more than one JSON value")
	}
	if err := h.Arch.Validate(); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	params, err := parseBody(h.Arch, body)
	if err != nil {
		return nil, err
	}
	return Build(h.Arch, params, h.Meta)
}

// parseBody cuts the body into the parameters of the layers of a valid
// architecture.
func parseBody(arch Arch, body []byte) ([]Params, error) {
	shapes := arch.Shapes()
	params := make([]Params, len(arch.Layers))
	for i, l := range arch.Layers {
		weights := l.fanIn(shapes[i]) * l.Out
		need := weights + l.Out*(4+4+1)
		if len(body) < need {
			return nil, fmt.Errorf("layer %d: %d bytes of parameters left, need %d", i, len(body), need)
		}
		params[i] = parseParams(body[:need], weights, l.Out)
		body = body[need:]
	}
	if len(body) > 0 {
		return nil, fmt.Errorf("%d bytes behind the last layer", len(body))
	}
	return params, nil
}

// parseParams reads the parameters of one layer; data has their exact size.
func parseParams(data []byte, weights, outs int) Params {
	p := Params{
		Weights: make([]int8, weights),
		Bias:    make([]int32, outs),
		Mult:    make([]int32, outs),
		Shift:   make([]uint8, outs),
	}
	for i := range p.Weights {
		p.Weights[i] = int8(data[i])
	}
	data = data[weights:]
	for o := range outs {
		p.Bias[o] = int32(binary.LittleEndian.Uint32(data[4*o:]))
		p.Mult[o] = int32(binary.LittleEndian.Uint32(data[4*(outs+o):]))
	}
	copy(p.Shift, data[8*outs:])
	return p
}

// WriteTo writes n as a model file, which Load reads. It implements
// io.WriterTo.
func (n *Network) WriteTo(w io.Writer) (int64, error) {
	head, err := json.Marshal(header{n.arch, n.meta})
	if err != nil {
		return 0, fmt.Errorf("model header: %w", err)
	}
	body := n.appendBody(nil)
	if len(head) > maxHeader || len(body) > maxBody {
		return 0, fmt.Errorf("%w: header of %d bytes, body of %d", ErrInvalid, len(head), len(body))
	}
	file := []byte(fileMagic)
	file = binary.LittleEndian.AppendUint32(file, fileVersion)
	file = binary.LittleEndian.AppendUint32(file, uint32(len(head)))
	file = binary.LittleEndian.AppendUint32(file, uint32(len(body)))
	file = append(append(file, head...), body...)
	sum := sha256.Sum256(file)
	written, err := w.Write(append(file, sum[:]...))
	return int64(written), err
}

// appendBody appends the parameters of all layers.
func (n *Network) appendBody(body []byte) []byte {
	for _, p := range n.params {
		for _, w := range p.Weights {
			body = append(body, byte(w))
		}
		for _, b := range p.Bias {
			body = binary.LittleEndian.AppendUint32(body, uint32(b))
		}
		for _, m := range p.Mult {
			body = binary.LittleEndian.AppendUint32(body, uint32(m))
		}
		body = append(body, p.Shift...)
	}
	return body
}
