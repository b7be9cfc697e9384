package ledger

import (
	"encoding/binary"
	"errors"
	"iter"
	"math/bits"
	"sort"
)

// A directory says which accounts a sheet tells of, and where the list of each
// begins. Finding a list takes three reads that wait for one another, of one
// line of memory each: a line of the bitmap, which begins with how many
// accounts occur before it; a line of the lists' lengths, which begins with
// where the first of them is; the list. FORMAT.md draws them.
const (
	dirLine     = 64                // bytes
	dirBitmap   = (dirLine - 4) * 8 // accounts that a line of the bitmap tells of
	dirAccounts = dirLine - 8       // lists that a line of lengths tells of
	maxNearList = 255               // bytes; a longer list is far
	farBytes    = 8                 // of what stands for a list that is far
)

// directory is that of a sheet being read.
type directory struct {
	first            uint64 // the account of the bitmap's first bit
	bitmap           []byte
	lengths, lists   []byte
	pages, listPages region // of lengths and lists
}

// attach finds the sections.
func (d *directory) attach(first uint64, section func(string) []byte) error {
	d.first, d.bitmap, d.lengths, d.lists = first, section("bitmap"), section("dir"), section("postings")
	if min(len(d.bitmap), len(d.lengths), len(d.lists)) < sheetSlack {
		return errors.New("a section is missing")
	}
	return nil
}

func (d *directory) regions(s *sheet) { d.pages, d.listPages = s.region("dir"), s.region("postings") }

// bit is where the bitmap tells of an account: a byte at which a line begins,
// and a bit of that line; false when no line does.
func (d *directory) bit(a AccountRef) (line uint64, bit uint, ok bool) {
	i := uint64(a) - d.first
	line = i / dirBitmap * dirLine
	return line, uint(i%dirBitmap) + 32, uint64(a) >= d.first && line < uint64(len(d.bitmap)-sheetSlack)
}

// at is how many accounts occur before the one that a bit of a line stands for,
// if that one does.
func (d *directory) at(line uint64, bit uint) (int, bool) {
	b := d.bitmap[line : line+dirLine]
	word := binary.LittleEndian.Uint64(b[bit/64*8:])
	if word>>(bit%64)&1 == 0 {
		return 0, false
	}
	count := binary.LittleEndian.Uint32(b) // which is counted among the bits, too
	n := int(count) - bits.OnesCount32(count) + bits.OnesCount64(word&(1<<(bit%64)-1))
	for k := uint(0); k < bit/64; k++ {
		n += bits.OnesCount64(binary.LittleEndian.Uint64(b[8*k:]))
	}
	return n, true
}

// place is the place of an account among those that occur.
func (d *directory) place(a AccountRef) (int, bool) {
	line, bit, ok := d.bit(a)
	if !ok {
		return 0, false
	}
	return d.at(line, bit)
}

// list is where the n-th account's list stands, or what stands for it, and how
// many bytes that has.
func (d *directory) list(n int) (at, size uint64) {
	line := uint64(n) / dirAccounts * dirLine
	d.pages.touch(line)
	b := d.lengths[line : line+dirLine]
	// Lengths are added up eight at a time, in lanes of 16 bits.
	const lanes, ones = 0x00ff00ff00ff00ff, 0x0001000100010001
	sum, i, k := uint64(0), n%dirAccounts, 8
	for ; i >= 8; i, k = i-8, k+8 {
		v := binary.LittleEndian.Uint64(b[k:])
		sum += v&lanes + v>>8&lanes
	}
	v := binary.LittleEndian.Uint64(b[k:]) & (1<<(8*i) - 1)
	sum += v&lanes + v>>8&lanes
	return binary.LittleEndian.Uint64(b) + sum*ones>>48, uint64(b[k+i])
}

// open is where the list begins that stands at a place that list gave, or that
// what stands there tells; near says that it is the former.
func (d *directory) open(at uint64) (from uint64, near bool) {
	d.listPages.touch(at)
	word := binary.LittleEndian.Uint64(d.lists[at:])
	if word&1 == 0 {
		return at, true
	}
	from = at + word>>1
	d.listPages.touch(from)
	return from, false
}

// accounts are those that occur, in order.
func (d *directory) accounts() iter.Seq[AccountRef] {
	return func(yield func(AccountRef) bool) {
		a := AccountRef(d.first)
		for line := 0; line < len(d.bitmap)-sheetSlack; line += dirLine {
			for i := range dirBitmap {
				if d.bitmap[line+4+i/8]>>(i%8)&1 == 1 && !yield(a) {
					return
				}
				a++
			}
		}
	}
}

// rankedAccounts is which accounts occur in a sheet while it is made, and how
// many before each.
type rankedAccounts struct {
	first  uint64
	words  []uint64 // a bit for each account from first on
	before []uint32 // how many occur before each word
}

// count counts the accounts, so that place knows.
func (s *rankedAccounts) count() uint32 {
	total := uint32(0)
	s.before = make([]uint32, len(s.words))
	for i, w := range s.words {
		s.before[i] = total
		total += uint32(bits.OnesCount64(w))
	}
	return total
}

// place is the place of an account among those that occur, of which it is one.
func (s *rankedAccounts) place(account uint64) uint64 {
	i := account - s.first
	return uint64(s.before[i/64]) + uint64(bits.OnesCount64(s.words[i/64]&(1<<(i%64)-1)))
}

// account is the account at a place; beyond the last place, one that is beyond
// all.
func (s *rankedAccounts) account(place uint64) uint64 {
	i := sort.Search(len(s.before), func(i int) bool { return uint64(s.before[i]) > place }) - 1
	if i < 0 {
		return s.first
	}
	w := s.words[i]
	for n := place - uint64(s.before[i]); n > 0 && w != 0; n-- {
		w &= w - 1
	}
	return s.first + 64*uint64(i) + uint64(bits.TrailingZeros64(w))
}

// write writes the bitmap.
func (s *rankedAccounts) write(x *sheetWriter) {
	x.align(dirLine)
	x.begin("bitmap")
	line := make([]byte, 0, dirLine)
	total := uint32(0)
	for i := range 2 * len(s.words) {
		if len(line) == 0 {
			line = binary.LittleEndian.AppendUint32(line, total)
		}
		half := uint32(s.words[i/2] >> (i % 2 * 32))
		total += uint32(bits.OnesCount32(half))
		if line = binary.LittleEndian.AppendUint32(line, half); len(line) == dirLine {
			x.write(line)
			line = line[:0]
		}
	}
	if len(line) > 0 {
		x.write(append(line, make([]byte, dirLine-len(line))...))
	}
}

// listWriter writes the lists of accounts one behind the other, and their
// lengths. Those that are far stand behind the near ones of their line.
type listWriter struct {
	x         *sheetWriter // at postings
	start     int64
	lengths   []byte
	sizes     []byte // of the line begun
	near, far []byte // likewise
	fars      []farList
}

// farList is where a list stands among the far ones of a line, and what stands
// for it among the near ones.
type farList struct{ stub, at int }

func newListWriter(x *sheetWriter) *listWriter {
	x.begin("postings")
	return &listWriter{x: x, start: x.at()}
}

// add writes the next account's list. The first bit of a near one is 0.
func (w *listWriter) add(list []byte, far bool) {
	if far {
		w.fars = append(w.fars, farList{len(w.near), len(w.far)})
		w.far = append(w.far, list...)
		list = make([]byte, farBytes)
	}
	if len(list) > maxNearList {
		panic("ledger: a short list is long")
	}
	w.near, w.sizes = append(w.near, list...), append(w.sizes, byte(len(list)))
	if len(w.sizes) == dirAccounts {
		w.line()
	}
}

// line ends a line of lengths.
func (w *listWriter) line() {
	w.lengths = binary.LittleEndian.AppendUint64(w.lengths, uint64(w.x.at()-w.start))
	w.lengths = append(w.lengths, w.sizes...)
	for _, f := range w.fars {
		binary.LittleEndian.PutUint64(w.near[f.stub:], uint64(len(w.near)-f.stub+f.at)<<1|1)
	}
	w.x.write(w.near)
	w.x.write(w.far)
	w.sizes, w.near, w.far, w.fars = w.sizes[:0], w.near[:0], w.far[:0], w.fars[:0]
}

// finish ends the lists and writes the lengths.
func (w *listWriter) finish() {
	if len(w.sizes) > 0 {
		w.sizes = append(w.sizes, make([]byte, dirAccounts-len(w.sizes))...)
		w.line()
	}
	w.x.align(dirLine)
	w.x.begin("dir")
	w.x.write(w.lengths)
}
