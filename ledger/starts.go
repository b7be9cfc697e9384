package ledger

import "encoding/binary"

// starts is a section that says where the blocks of another one begin, each with
// a tag: a line of memory for every 18 blocks, so that the section stays near
// where a u64 for each would not.
type starts []byte

const (
	startsOf   = 18        // blocks in a line
	startsBase = 8         // bytes: where the first of them begins
	startsStep = 3         // bytes for each block: how far beyond, and the tag
	startsTag  = 3         // bits
	startsFar  = 1<<21 - 1 // bytes a line spans at most
	startsLine = dirLine   // bytes
	startsMask = 1<<24 - 1 // of an entry
)

// at is where block i begins, and its tag.
func (s starts) at(i uint32) (begin uint64, tag int) {
	line := s[int(i/startsOf)*startsLine:]
	entry := binary.LittleEndian.Uint32(line[startsBase+startsStep*(i%startsOf):]) & startsMask
	return binary.LittleEndian.Uint64(line) + uint64(entry>>startsTag), int(entry & (1<<startsTag - 1))
}

// of is where block i begins.
func (s starts) of(i uint32) uint64 {
	begin, _ := s.at(i)
	return begin
}

// line is the first byte of the line that block i is in.
func (s starts) line(i uint32) *byte { return &s[int(i/startsOf)*startsLine] }

// startsWriter gathers such a section.
type startsWriter struct {
	b    []byte
	n    int
	base uint64
}

// add takes where the next block begins.
func (w *startsWriter) add(begin uint64, tag int) {
	if w.n%startsOf == 0 {
		w.b = append(w.b, make([]byte, startsLine)...)
		w.base = begin
		binary.LittleEndian.PutUint64(w.b[len(w.b)-startsLine:], begin)
	}
	beyond := begin - w.base
	if beyond > startsFar || tag >= 1<<startsTag {
		panic("ledger: a block of rows or transactions is larger than one can be")
	}
	entry := w.b[len(w.b)-startsLine+startsBase+startsStep*(w.n%startsOf):]
	v := uint32(beyond)<<startsTag | uint32(tag)
	entry[0], entry[1], entry[2] = byte(v), byte(v>>8), byte(v>>16)
	w.n++
}

// write writes the section at the beginning of a line.
func (w *startsWriter) write(to *sheetWriter, section string) {
	to.align(startsLine)
	to.begin(section)
	to.write(w.b)
}
