//go:build !linux

package ledger

// adviseHuge does nothing: other systems decide for themselves.
func adviseHuge([]byte) {}
