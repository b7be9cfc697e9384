package data

import (
	"bytes"
	"testing"
)

// TestFiles holds that the embedded files are those that the figures in the
// documentation were computed from.
func TestFiles(t *testing.T) {
	for name, lines := range map[string]int{"bybit-2025/hop1.csv": 50, "bybit-2025/theft.csv": 2, "bybit-2025/fbi-51.txt": 51} {
		b, err := Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(bytes.Fields(bytes.ReplaceAll(b, []byte(" "), nil))); n != lines {
			t.Errorf("%s has %d lines, want %d", name, n, lines)
		}
	}
	for _, name := range []string{"labels/lazarus.yaml", "labels/exchange-wallets-bybit.yaml", "labels/LICENSE"} {
		if _, err := Files.ReadFile(name); err != nil {
			t.Error(err)
		}
	}
}
