//go:build !amd64 && !arm64

package ledger

// prefetch does nothing: the reads that follow wait a little longer.
func prefetch(*byte, uintptr) {}

// prefetchAll does nothing, likewise.
func prefetchAll([]*byte, uintptr) {}

// prefetchLines does nothing, likewise.
func prefetchLines([]*byte) {}
