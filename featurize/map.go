package featurize

// The shape of a map. 
const (
	Rows     = 32 // destination hosts, by keyed hash
	Columns  = 48 // ports
	Channels = 8
)

// MaxValue is the largest value of a cell.
const MaxValue = 15

// Map is a picture of what one source touched in one window, row-major with
// channels last: cell (r, c) of channel k is at (r*Columns+c)*Channels+k. Every
// value is 0 to MaxValue.
type Map [Rows * Columns * Channels]uint8
