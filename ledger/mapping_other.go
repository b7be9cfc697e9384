//go:build !linux

package ledger

// adviseHuge does nothing: other systems decide for themselves.
func adviseHuge([]byte) {}

// memory is not known.
func memory() uint64 { return 0 }
