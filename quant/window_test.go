package quant

import "testing"

// TestGeometryGivesTheOutput holds Geometry to what a program without "same"
// padding makes of it.
func TestGeometryGivesTheOutput(t *testing.T) {
	for n := 1; n <= 9; n++ {
		for k := 1; k <= 7; k++ {
			for stride := range 20 {
				in := Shape{n, 10 - n, 1}
				l := Layer{Kind: Conv, Height: k, Width: 8 - k, Stride: 1 + stride%4, Across: stride / 4, Out: 1}
				steps, pads := l.Geometry(in)
				got := Shape{
					(in.Height+pads[0]+pads[2]-l.Height)/steps[0] + 1,
					(in.Width+pads[1]+pads[3]-l.Width)/steps[1] + 1,
					1,
				}
				if want := l.Output(in); got != want {
					t.Errorf("%v on %v: steps %v and padding %v give %v, want %v", l, in, steps, pads, got, want)
				}
				if pads[0] > pads[2] || pads[1] > pads[3] {
					t.Errorf("%v on %v: padding %v has its larger half before", l, in, pads)
				}
			}
		}
	}
}
