package alert

import (
	"math"
	"slices"
	"strconv"

	"edgescan/capture"
	"edgescan/internal/detect"
)

// unknown stands where an Event holds a word that is none of its type's
// constants, so that no other text ever reaches a log.
const unknown = "unknown"

func stateWord(s detect.State) string {
	switch s {
	case detect.Start, detect.Update, detect.End:
		return string(s)
	}
	return unknown
}

func kindWord(k detect.Kind) string {
	switch k {
	case detect.Vertical, detect.Horizontal, detect.Block:
		return string(k)
	}
	return unknown
}

// probability returns s rounded to four digits within 0 to 1; what is not a
// number counts as 0.
func probability(s float64) float64 {
	if math.IsNaN(s) {
		return 0
	}
	return math.Round(min(max(s, 0), 1)*1e4) / 1e4
}

// protocolNames returns the protocols' names, each once, in the order given.
// It never returns nil.
func protocolNames(protocols []capture.Proto) []string {
	names := []string{}
	for _, p := range protocols {
		if n := p.String(); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// maxPorts is the most ports that a line lists, as detect.Event promises.
const maxPorts = 10

// topPorts returns the ports to list. It never returns nil.
func topPorts(ports []uint16) []uint16 {
	return append([]uint16{}, ports[:min(len(ports), maxPorts)]...)
}

// idString writes an incident's ID as 16 hex digits: JSON numbers lose
// integers past 2^53 in many readers.
func idString(id uint64) string {
	s := strconv.FormatUint(id, 16)
	return "0000000000000000"[len(s):] + s
}
