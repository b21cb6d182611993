package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Errors of reading a file of this package.
var (
	ErrFormat   = errors.New("not a file of the expected kind")
	ErrVersion  = errors.New("the file has a format version that this program does not know")
	ErrChecksum = errors.New("the checksum is wrong: the file changed after it was written")
	ErrDamaged  = errors.New("the file is cut short or damaged")
)

// container is a kind of file. All numbers are little endian:
//
//	magic        8 bytes
//	version      uint32, 1
//	header size  uint32, at most 1 MiB
//	body size    uint32, at most 256 MiB
//	header       JSON
//	body
//	checksum     SHA-256 of everything before it
type container struct{ magic string }

const (
	containerVersion = 1
	containerPrefix  = 8 + 3*4
	maxHeader        = 1 << 20
	maxBody          = 1 << 28
)

// write writes header and body.
func (c container) write(w io.Writer, header any, body []byte) (int64, error) {
	head, err := json.Marshal(header)
	if err != nil {
		return 0, fmt.Errorf("encode header: %w", err)
	}
	if len(head) > maxHeader || len(body) > maxBody {
		return 0, fmt.Errorf("%w: header of %d bytes, body of %d", ErrFormat, len(head), len(body))
	}
	file := []byte(c.magic)
	for _, n := range []int{containerVersion, len(head), len(body)} {
		file = binary.LittleEndian.AppendUint32(file, uint32(n))
	}
	file = append(append(file, head...), body...)
	sum := sha256.Sum256(file)
	n, err := w.Write(append(file, sum[:]...))
	return int64(n), err
}

// read reads what write wrote, to the end of r, decodes the header into header
// and returns the body. It allocates no more than there is to read. The error is
// ErrFormat, ErrVersion, ErrChecksum, ErrDamaged or that of r.
func (c container) read(r io.Reader, header any) ([]byte, error) {
	var file bytes.Buffer
	if _, err := io.CopyN(&file, r, containerPrefix); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	prefix := file.Bytes()
	if len(prefix) < containerPrefix || string(prefix[:8]) != c.magic {
		return nil, ErrFormat
	}
	field := func(i int) int64 { return int64(binary.LittleEndian.Uint32(prefix[8+4*i:])) }
	version, headSize, bodySize := field(0), field(1), field(2)
	if version != containerVersion {
		return nil, fmt.Errorf("%w: version %d, known is %d", ErrVersion, version, containerVersion)
	}
	if headSize > maxHeader || bodySize > maxBody {
		return nil, fmt.Errorf("%w: header of %d bytes, body of %d", ErrDamaged, headSize, bodySize)
	}
	rest := headSize + bodySize + sha256.Size
	if n, err := io.Copy(&file, io.LimitReader(r, rest+1)); err != nil {
		return nil, err
	} else if n != rest {
		return nil, fmt.Errorf("%w: %d bytes, want %d", ErrDamaged, n+containerPrefix, rest+containerPrefix)
	}
	data, sum := file.Bytes()[:containerPrefix+headSize+bodySize], file.Bytes()[containerPrefix+headSize+bodySize:]
	if want := sha256.Sum256(data); !bytes.Equal(sum, want[:]) {
		return nil, ErrChecksum
	}
	decoder := json.NewDecoder(bytes.NewReader(data[containerPrefix:][:headSize]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(header); err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrDamaged, err)
	}
	return data[containerPrefix+headSize:], nil
}
