package featurize

import "unsafe"

// Footprint returns the bytes of a T as 64-bit systems lay it out, where T
// has its 8-byte fields at multiples of 8 and no pointers: tables are equally large
// everywhere, and forget the same.
func Footprint[T any]() int64 {
	var v T
	return (int64(unsafe.Sizeof(v)) + 7) &^ 7
}
