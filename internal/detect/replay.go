package detect

import (
	"errors"
	"io"

	"edgescan/capture"
)

// Replay gives the packets of a file to an Engine and closes the Engine, also
// where the file cannot be read to its end: then the error says why. Frames that
// only does not accept are passed over (see capture.Decoder).
func Replay(e *Engine, src capture.Source, only capture.Bytecode) error {
	defer e.Close()
	decoder := capture.Decoder{Only: only}
	var frame capture.Frame
	var packet capture.Packet
	for {
		switch err := src.Next(&frame); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if decoder.Decode(frame.Link, frame.Time, frame.Data, frame.Wire, &packet) == capture.ReasonOK {
			e.Add(&packet)
		}
	}
}
