package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

// position keeps on disk up to where records are done. The file has two slots,
// written in turn, so that one is whole whenever the program ends: a number
// (uint64, little endian) and its CRC-32C each.
type position struct {
	file *os.File
	slot int64
}

const (
	positionName = "done"
	slotSize     = 12
)

// openPosition returns the number of the first record that is not done, at
// least 1, and the file to note others in.
func openPosition(folder string) (*position, uint64, error) {
	path := filepath.Join(folder, positionName)
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, err
	}
	p := &position{file: file}
	first := uint64(1)
	for slot := range int64(2) {
		if n := readSlot(content, slot); n > first && n <= maxNumber {
			first, p.slot = n, 1-slot
		}
	}
	if len(content) < 2*slotSize {
		// So that it has its place on the disk before that is full.
		_ = errors.Join(p.note(first), p.note(first))
	}
	return p, first, nil
}

// readSlot returns a slot's number, 0 if it is not whole.
func readSlot(content []byte, slot int64) uint64 {
	if int64(len(content)) < (slot+1)*slotSize {
		return 0
	}
	b := content[slot*slotSize : (slot+1)*slotSize]
	if crc32.Checksum(b[:8], castagnoli) != binary.LittleEndian.Uint32(b[8:]) {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (p *position) note(first uint64) error {
	b := binary.LittleEndian.AppendUint64(nil, first)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	if _, err := p.file.WriteAt(b, p.slot*slotSize); err != nil {
		return err
	}
	p.slot = 1 - p.slot
	return nil
}
