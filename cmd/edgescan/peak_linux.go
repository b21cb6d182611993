package main

import (
	"bytes"
	"os"
	"strconv"
)

// peakMemory returns the most memory that was ever resident, bytes, or 0 where
// the system does not tell.
func peakMemory() byteSize {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := bytes.Cut(status, []byte("\nVmHWM:"))
	if fields := bytes.Fields(rest); len(fields) > 0 {
		kib, _ := strconv.ParseInt(string(fields[0]), 10, 64)
		return byteSize(kib << 10)
	}
	return 0
}
