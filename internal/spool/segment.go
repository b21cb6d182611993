package spool

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A segment is a file: magic, then records, whose numbers rise. Little endian:
//
//	0  uint32  length of the data
//	4  uint32  CRC-32C of what follows
//	8  uint64  number of the record
//	16         data
//
// Its last byte counts the versions of the format.
const magic = "esspool\x01"

const headerSize = 16

// MaxRecord is the most bytes that a record may have.
const MaxRecord = 64 << 10

// maxNumber is the last that counting comes to.
const maxNumber = 1 << 62

// errDamaged is a segment that does not go on as one: most often the end of
// what was written when the power went.
var errDamaged = errors.New("damaged segment")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord appends a record as it stands in a segment.
func appendRecord(b []byte, number uint64, data []byte) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, number)
	b = append(b, data...)
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(b[start+8:], castagnoli))
	return b
}

// readRecord reads the record at offset. It returns io.EOF exactly at the end.
func readRecord(r io.ReaderAt, offset int64) (number uint64, data []byte, err error) {
	return nextRecord(io.NewSectionReader(r, offset, headerSize+MaxRecord))
}

// nextRecord reads a record, and io.EOF where there is not a byte of one.
func nextRecord(r io.Reader) (number uint64, data []byte, err error) {
	var header [headerSize]byte
	switch _, err := io.ReadFull(r, header[:]); {
	case errors.Is(err, io.EOF):
		return 0, nil, io.EOF
	case err != nil:
		return 0, nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	length := binary.LittleEndian.Uint32(header[:])
	if length > MaxRecord {
		return 0, nil, fmt.Errorf("%w: a record of %d bytes", errDamaged, length)
	}
	data = make([]byte, length)
	if _, err := io.ReadFull(r, data); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	sum := crc32.Update(crc32.Checksum(header[8:], castagnoli), castagnoli, data)
	if sum != binary.LittleEndian.Uint32(header[4:]) {
		return 0, nil, fmt.Errorf("%w: wrong checksum", errDamaged)
	}
	return binary.LittleEndian.Uint64(header[8:]), data, nil
}

// scan reads a segment as far as it is whole and calls found for each record.
// It returns the bytes of that part, and errDamaged if anything is behind it.
func scan(r io.Reader, found func(number uint64)) (size int64, err error) {
	b := bufio.NewReader(r)
	start := make([]byte, len(magic))
	if _, err := io.ReadFull(b, start); err != nil || string(start) != magic {
		return 0, fmt.Errorf("%w: no segment of a spool", errDamaged)
	}
	size = int64(len(magic))
	var last uint64
	for {
		number, data, err := nextRecord(b)
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return size, err
		}
		if number <= last || number > maxNumber {
			return size, fmt.Errorf("%w: record %d behind %d", errDamaged, number, last)
		}
		last = number
		size += headerSize + int64(len(data))
		found(number)
	}
}
