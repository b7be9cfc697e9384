package ledger

import (
	"os"
	"path/filepath"
	"testing"
)

// TestBoundOfControlGroups reads bounds as both versions of control groups
// write them, those of the groups around included.
func TestBoundOfControlGroups(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"a/memory.max":                         "max\n",
		"a/b/memory.max":                       "5000\n",
		"memory/memory.limit_in_bytes":         "9223372036854771712\n",
		"memory/x/memory.limit_in_bytes":       "700\n",
		"memory/x/y/memory.limit_in_bytes":     "9000\n",
		"memory/hurt/memory.limit_in_bytes":    "many\n",
		"cpu/x/y/memory.limit_in_bytes":        "1\n",
		"memory/another/memory.limit_in_bytes": "2\n",
	} {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		text string
		want uint64
	}{
		{"", ^uint64(0)},
		{"0::/a\n", ^uint64(0)},
		{"0::/a/b\n", 5000},
		{"0::/a/b/c\n", 5000},
		{"4:memory:/x/y\n3:cpu:/x/y\n0::/\n", 700},
		{"4:memory:/\n", 9223372036854771712},
		{"4:memory:/hurt\nno line\n", 9223372036854771712},
	} {
		if got := boundOf(root, c.text); got != c.want {
			t.Errorf("%q: %d, want %d", c.text, got, c.want)
		}
	}
}
