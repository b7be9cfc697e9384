package figures

import (
	"os"
	"testing"
)

// TestWatchMemory sees at least what is there at the end.
func TestWatchMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("the system does not tell")
	}
	before, _ := memory()
	w := WatchMemory()
	held := make([]byte, 64<<20)
	for i := 0; i < len(held); i += 4096 {
		held[i] = 1
	}
	own, resident := w.End()
	if own < before+60 || resident < own || held[0] != 1 {
		t.Errorf("watched %.0f MB of %.0f resident; had %.0f, and took 64", own, resident, before)
	}
}
