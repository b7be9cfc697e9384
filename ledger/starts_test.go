package ledger

import (
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// What a starts section says is what was added, whatever lies before it.
func TestStarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sheet")
	rapid.Check(t, func(t *rapid.T) {
		var w startsWriter
		n := rapid.IntRange(0, 5*startsOf).Draw(t, "blocks")
		begins, tags := make([]uint64, n), make([]int, n)
		at := rapid.Uint64Range(0, 1<<40).Draw(t, "first")
		for i := range n {
			begins[i], tags[i] = at, rapid.IntRange(0, 1<<startsTag-1).Draw(t, "tag")
			w.add(begins[i], tags[i])
			at += rapid.Uint64Range(1, startsFar/(startsOf-1)).Draw(t, "size")
		}
		sw, err := newSheet(osDisk{}, path, "sheet")
		if err != nil {
			t.Fatal(err)
		}
		sw.begin("rows")
		sw.write(make([]byte, rapid.IntRange(0, 200).Draw(t, "before")))
		w.write(sw, "at")
		if _, err := sw.close(&struct{}{}); err != nil {
			t.Fatal(err)
		}
		s, err := openSheet(path, "sheet", &struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		if s.trailer.Sections["at"].At%startsLine != 0 {
			t.Fatal("a line of it is two of memory")
		}
		list := starts(s.section("at"))
		for i := range n {
			if begin, tag := list.at(uint32(i)); begin != begins[i] || tag != tags[i] || list.of(uint32(i)) != begins[i] {
				t.Fatalf("block %d of %d begins at %d with tag %d, read %d with %d", i, n, begins[i], tags[i], begin, tag)
			}
		}
	})
}
