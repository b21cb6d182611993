package synth

import (
	"bufio"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"time"
)

// nanoMagic marks a pcap file with time stamps in nanoseconds.
const nanoMagic = 0xa1b23c4d

// WritePcap writes the frames as a capture file: little-endian pcap with
// nanoseconds, link type Ethernet.
func (s *Scene) WritePcap(w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<16)
	le := binary.LittleEndian
	head := le.AppendUint32(nil, nanoMagic)
	head = le.AppendUint16(head, 2)
	head = le.AppendUint16(head, 4)
	head = append(head, 0, 0, 0, 0, 0, 0, 0, 0)
	head = le.AppendUint32(head, 262144)
	head = le.AppendUint32(head, 1)
	out.Write(head)
	for i := range s.Frames {
		f := &s.Frames[i]
		head = le.AppendUint32(head[:0], uint32(f.Time/second))
		head = le.AppendUint32(head, uint32(f.Time%second))
		head = le.AppendUint32(head, uint32(len(f.Data)))
		head = le.AppendUint32(head, uint32(f.Wire))
		out.Write(head)
		out.Write(f.Data)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write pcap: %w", err)
	}
	return nil
}

// WriteLabels writes who did what in the capture file named: CSV with one row
// an actor, scanners empty for benign ones.
func (s *Scene) WriteLabels(w io.Writer, file string) error {
	out := csv.NewWriter(w)
	out.Write([]string{"file", "scanners", "kind", "tool", "note", "ignore", "source", "start", "end"})
	for _, a := range s.Actors {
		scanner := a.Source
		if a.Kind == "benign" {
			scanner = ""
		}
		out.Write([]string{file, scanner, a.Kind, a.Tool, a.Note, "", a.Source, stamp(a.Start), stamp(a.End)})
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write labels: %w", err)
	}
	return nil
}

func stamp(t int64) string { return time.Unix(0, t).UTC().Format(time.RFC3339Nano) }
