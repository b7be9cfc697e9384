package trace

import (
	"testing"
	"unsafe"
)

// What a large trace keeps in memory, by the piece.
func TestPiecesAreSmall(t *testing.T) {
	for name, n := range map[string][2]uintptr{
		"lot": {unsafe.Sizeof(lot{}), 64}, "book": {unsafe.Sizeof(book{}), 128}, "party": {unsafe.Sizeof(party{}), 128}, "flow": {unsafe.Sizeof(flow{}), 208},
	} {
		if n[0] > n[1] {
			t.Errorf("a %s takes %d bytes, want at most %d", name, n[0], n[1])
		}
	}
}
