package ledger

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// writes records the writes of a disk's files.
type writes struct {
	osDisk
	made []section
}

func (d *writes) create(name string) (file, error) {
	f, err := d.osDisk.create(name)
	return &writtenFile{f, d}, err
}

type writtenFile struct {
	file
	disk *writes
}

func (f *writtenFile) WriteAt(b []byte, at int64) (int, error) {
	f.disk.made = append(f.disk.made, section{at, int64(len(b))})
	return f.file.WriteAt(b, at)
}

// TestSheetsAreWrittenInHugePages holds a sheet to what the system's cache
// needs in order to map it in huge pages, whatever the lengths of what is
// written, and to its bytes.
func TestSheetsAreWrittenInHugePages(t *testing.T) {
	var d writes
	path := filepath.Join(t.TempDir(), "sheet")
	w, err := newSheet(&d, path, "sheet")
	if err != nil {
		t.Fatal(err)
	}
	w.begin("all")
	var want []byte
	for n, fill := 1, byte(1); len(want) < 3*hugePage; n, fill = n*3, fill+1 {
		b := bytes.Repeat([]byte{fill}, n)
		w.write(b)
		want = append(want, b...)
	}
	size, err := w.close(json.RawMessage("{}"))
	if err != nil {
		t.Fatal(err)
	}
	pieces := d.made[:len(d.made)-2] // but for the rest and the trailer
	if len(pieces) < 3 {
		t.Fatalf("%d bytes in %d pieces", size, len(pieces))
	}
	for i, p := range pieces {
		if p != (section{int64(i) * hugePage, hugePage}) {
			t.Errorf("piece %d: %d bytes at %d", i, p.Len, p.At)
		}
	}
	var about json.RawMessage
	s, err := openSheet(path, "sheet", &about)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(s.hurtPages(), true) {
		t.Fatal("a page is hurt")
	}
	if got := s.section("all"); !bytes.Equal(got[:len(got)-sheetSlack], want) {
		t.Error("the section is not what was written")
	}
	if info, err := os.Stat(path); err != nil || info.Size() != size {
		t.Error("the file is not as long as was said", err)
	}
}

// TestLargerThanMemory says when a ledger is too much to be kept in memory.
func TestLargerThanMemory(t *testing.T) {
	for _, c := range []struct {
		memory, bytes uint64
		want          bool
	}{{0, 1 << 40, false}, {8 << 30, 4 << 30, false}, {8 << 30, 4<<30 + 1, true}} {
		if got := largerThan(c.memory, c.bytes); got != c.want {
			t.Errorf("%d bytes in %d: %v", c.bytes, c.memory, got)
		}
	}
}

// TestForgetter lets go of a section while it is read: never of what is not
// read yet, of all but a few pages behind, and nothing is lost.
func TestForgetter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sheet")
	w, err := newSheet(osDisk{}, path, "sheet")
	if err != nil {
		t.Fatal(err)
	}
	w.begin("before")
	w.write(make([]byte, 100))
	w.begin("read")
	b := bytes.Repeat([]byte("abcdefg"), 3*forgetAtOnce/7)
	w.write(b)
	if _, err := w.close(json.RawMessage("{}")); err != nil {
		t.Fatal(err)
	}
	var about json.RawMessage
	s, err := openSheet(path, "sheet", &about)
	if err != nil {
		t.Fatal(err)
	}
	got := s.section("read")[:len(b)]
	for _, from := range []int{0, hugePage + 5} {
		f := s.forgetFrom("read", uint64(from))
		for n := from; n < len(got); n += 100_000 {
			first := f.at
			if f.read(uint64(n)); f.at > 100+int64(len(sheetMagic)+n) && f.at != first || f.at < int64(n)-forgetAtOnce-hugePage || f.at < int64(from) {
				t.Fatalf("from %d, read to %d: let go of up to %d", from, n, f.at)
			}
		}
	}
	if !bytes.Equal(got, b) {
		t.Error("what was let go of did not come back")
	}
}
