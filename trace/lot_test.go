package trace

import (
	"testing"
	"unsafe"
)

// Live lots are what a large trace keeps in memory.
func TestLotIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(lot{}); n > 128 {
		t.Errorf("a lot takes %d bytes, want at most 128", n)
	}
}
