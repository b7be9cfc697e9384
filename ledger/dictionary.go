package ledger

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"path/filepath"
	"slices"
	"sort"

	"bongsu/chain"
)

// dictionary names the accounts that segments refer to: references 1 to count,
// in files that each hold a stretch of them. A nil one is empty.
type dictionary struct {
	files []*dictionaryFile // by first reference
	count uint64
}

// dictionaryInfo describes a file.
type dictionaryInfo struct {
	Number uint64            `json:"number"`
	First  uint64            `json:"first"` // its lowest reference
	Count  uint64            `json:"count"`
	Groups []dictionaryGroup `json:"groups"`
	Bytes  int64             `json:"bytes"`
}

// dictionaryGroup is some accounts of one chain and form, sorted by their
// bytes. Their references follow one another from First, or, when Listed,
// stand in a list beside them.
type dictionaryGroup struct {
	Chain  chain.ID   `json:"chain"`
	Form   chain.Form `json:"form"`
	Len    int        `json:"len"`
	First  uint64     `json:"first"`
	Count  int        `json:"count"`
	Raw    int64      `json:"raw"` // where its bytes begin in section raw
	Listed bool       `json:"listed,omitempty"`
	Refs   int64      `json:"refs,omitempty"` // where its references begin in section refs, 4 bytes each beyond First of the file
}

type dictionaryFile struct {
	dictionaryInfo
	sheet     *sheet
	rawPages  region
	raw, refs []byte
	back      []byte // of listed references: group (2 bytes) and place in it (4 bytes)
}

// backEntry is the bytes of a listed reference's group and place.
const backEntry = 2 + 4

func dictionaryName(number uint64) string { return "accounts-" + pad8(number) + ".dict" }

func openDictionary(dir string, number uint64) (*dictionaryFile, error) {
	f := &dictionaryFile{}
	name := dictionaryName(number)
	var err error
	if f.sheet, err = openSheet(filepath.Join(dir, name), name, &f.dictionaryInfo); err != nil {
		return nil, err
	}
	f.raw, f.refs, f.back = f.sheet.section("raw"), f.sheet.section("refs"), f.sheet.section("back")
	if f.raw == nil || f.refs == nil || f.back == nil || f.Number != number {
		return nil, corruptSheet(name, "a section is missing")
	}
	f.rawPages = f.sheet.region("raw")
	return f, f.sheet.verifySections("refs", "back")
}

// key is the bytes of the i-th account of a group.
func (f *dictionaryFile) key(g *dictionaryGroup, i int) []byte {
	at := g.Raw + int64(i)*int64(g.Len)
	f.rawPages.touch(uint64(at))
	return f.raw[at : at+int64(g.Len)]
}

func (d *dictionary) len() uint64 {
	if d == nil {
		return 0
	}
	return d.count
}

// with is the dictionary and a file that follows it.
func (d *dictionary) with(f *dictionaryFile) *dictionary {
	if d == nil {
		return &dictionary{files: []*dictionaryFile{f}, count: f.Count}
	}
	return &dictionary{files: append(slices.Clip(d.files), f), count: d.count + f.Count}
}

// find looks an account up in every group of its chain and form. Where two
// hold it the first counts: see naming.
func (d *dictionary) find(a chain.Account) (AccountRef, bool) {
	if d == nil {
		return 0, false
	}
	var buf [64]byte
	raw := a.AppendRaw(buf[:0])
	for _, f := range d.files {
		for i := range f.Groups {
			g := &f.Groups[i]
			if g.Form != a.Form() || g.Len != len(raw) || g.Chain != a.Chain() {
				continue
			}
			if ref, ok := f.search(g, raw); ok {
				return ref, true
			}
		}
	}
	return 0, false
}

func (f *dictionaryFile) search(g *dictionaryGroup, raw []byte) (AccountRef, bool) {
	lo, hi := 0, g.Count
	if len(raw) >= 8 && g.Count > 64 { // addresses are hashes: guess where, then widen
		lo, hi = f.guess(g, raw)
	}
	i := lo + sort.Search(hi-lo, func(i int) bool {
		return bytes.Compare(f.key(g, i+lo), raw) >= 0
	})
	if i >= g.Count || !bytes.Equal(f.key(g, i), raw) {
		return 0, false
	}
	if g.Listed {
		return AccountRef(f.First + uint64(binary.LittleEndian.Uint32(f.refs[g.Refs+int64(i)*4:]))), true
	}
	return AccountRef(g.First + uint64(i)), true
}

// guess is a range that holds the place of raw, found from where evenly spread
// bytes would put it.
func (f *dictionaryFile) guess(g *dictionaryGroup, raw []byte) (lo, hi int) {
	count := g.Count
	v := binary.BigEndian.Uint64(raw)
	at := int(float64(v) / (1 << 64) * float64(count))
	step := 16
	lo, hi = max(0, at-step), min(count, at+step)
	for lo > 0 && bytes.Compare(f.key(g, lo), raw) >= 0 {
		step *= 4
		lo = max(0, lo-step)
	}
	for hi < count && bytes.Compare(f.key(g, hi-1), raw) < 0 {
		step *= 4
		hi = min(count, hi+step)
	}
	return lo, hi
}

// name is the account of a reference.
func (d *dictionary) name(ref uint64) chain.Account {
	f, g, i := d.place(ref)
	if f == nil {
		return chain.Account{}
	}
	return f.at(g, i)
}

// place is the file and group in which a reference's account is the i-th; nil
// when there is none.
func (d *dictionary) place(ref uint64) (f *dictionaryFile, g *dictionaryGroup, i int) {
	k := sort.Search(len(d.files), func(i int) bool { return d.files[i].First+d.files[i].Count > ref })
	if k == len(d.files) || ref < d.files[k].First {
		return nil, nil, 0
	}
	f = d.files[k]
	for k := range f.Groups {
		if g := &f.Groups[k]; !g.Listed && ref >= g.First && ref < g.First+uint64(g.Count) {
			return f, g, int(ref - g.First)
		}
	}
	b := f.back[backEntry*(ref-f.First):]
	if k = int(binary.LittleEndian.Uint16(b)); k >= len(f.Groups) {
		return nil, nil, 0
	}
	return f, &f.Groups[k], int(binary.LittleEndian.Uint32(b[2:]))
}

// touch touches the bytes of accounts. Put in place of its call, a sum that
// nobody asks for would be left out.
//
//go:noinline
func (d *dictionary) touch(refs []AccountRef) (sum byte) {
	for _, ref := range refs {
		if ref == 0 || uint64(ref) > d.len() {
			continue
		}
		if f, g, i := d.place(uint64(ref)); f != nil {
			sum += f.key(g, i)[0]
		}
	}
	return sum
}

func (f *dictionaryFile) at(g *dictionaryGroup, i int) chain.Account {
	a, _ := chain.NewAccount(g.Chain, g.Form, f.key(g, i))
	return a
}

// dictionaryWriter writes one file: first the accounts that the head log named
// (their references are given already), then new ones by group.
type dictionaryWriter struct {
	info  dictionaryInfo
	w     *sheetWriter
	start int64
	refs  []byte
	back  []byte
	next  uint64
}

func newDictionaryWriter(d disk, dir string, number, first uint64) (*dictionaryWriter, error) {
	name := dictionaryName(number)
	w, err := newSheet(d, filepath.Join(dir, name), name)
	if err != nil {
		return nil, err
	}
	w.begin("raw")
	return &dictionaryWriter{info: dictionaryInfo{Number: number, First: first}, w: w, start: w.at(), next: first}, nil
}

// listed adds accounts whose references are first, first+1 and so on.
func (d *dictionaryWriter) listed(accounts []chain.Account) {
	order := make([]int, len(accounts))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return accounts[a].Compare(accounts[b]) })
	d.back = make([]byte, backEntry*len(accounts))
	var g *dictionaryGroup
	for _, i := range order {
		a := accounts[i]
		raw := a.Raw()
		if g == nil || g.Chain != a.Chain() || g.Form != a.Form() || g.Len != len(raw) {
			d.info.Groups = append(d.info.Groups, dictionaryGroup{
				Chain: a.Chain(), Form: a.Form(), Len: len(raw), Raw: d.w.at() - d.start, Listed: true, Refs: int64(len(d.refs)),
			})
			g = &d.info.Groups[len(d.info.Groups)-1]
		}
		d.put(len(d.info.Groups)-1, g, uint64(i), raw)
	}
	d.next += uint64(len(accounts))
}

// group begins a group of new accounts, which follow in ascending order.
func (d *dictionaryWriter) group(id chain.ID, form chain.Form, width int) {
	d.info.Groups = append(d.info.Groups, dictionaryGroup{Chain: id, Form: form, Len: width, First: d.next, Raw: d.w.at() - d.start})
}

// add adds one to the group begun and gives its reference.
func (d *dictionaryWriter) add(raw []byte) uint64 {
	d.w.write(raw)
	d.info.Groups[len(d.info.Groups)-1].Count++
	d.next++
	return d.next - 1
}

func (d *dictionaryWriter) close() (dictionaryInfo, error) {
	d.w.begin("refs")
	d.w.write(d.refs)
	d.w.begin("back")
	d.w.write(d.back)
	d.info.Count = d.next - d.info.First
	size, err := d.w.close(&d.info)
	d.info.Bytes = size
	return d.info, err
}

// compareRaw is the order of accounts in runs: form, length, bytes.
func compareRaw(f1, f2 byte, a, b []byte) int {
	return cmp.Or(cmp.Compare(f1, f2), cmp.Compare(len(a), len(b)), bytes.Compare(a, b))
}
