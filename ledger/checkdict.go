package ledger

import (
	"encoding/binary"
	"fmt"
	"slices"

	"bongsu/chain"
)

// dictionaryDamage is what hurt bytes of a dictionary tell of: accounts of one
// chain, whose rows stand as they were and name what cannot be read.
type dictionaryDamage struct {
	chain chain.ID
	what  string
	refs  []uint64 // nil: any
}

// dictionary verifies a dictionary's bytes. A hurt one hurts the blocks of every
// segment that has rows of the accounts in the hurt bytes.
func (rep *CheckReport) dictionary(dir string, number uint64, segments []segmentInfo) {
	name := dictionaryName(number)
	f := &dictionaryFile{}
	var err error
	if f.sheet, err = rep.sheet(dir, name, &f.dictionaryInfo); err != nil {
		for _, id := range chainsOf(segments) {
			rep.unnamed(dir, name, segments, &dictionaryDamage{chain: id, what: wrongWith(err) + ": none of its accounts has a name"})
		}
		if len(segments) == 0 {
			rep.damage(name, err)
		}
		return
	}
	hurt := f.sheet.hurtPages()
	f.raw, f.refs = f.sheet.section("raw"), f.sheet.section("refs")
	whole := &extent{sheets: map[string]*sheet{"dict": f.sheet}, hurt: map[string][]bool{"dict": hurt}}
	_, listed := whole.intact("dict", "refs")
	for _, s := range f.sheet.stretches(hurt) {
		found := f.damages(s, listed)
		if len(found) == 0 {
			rep.damage(name, s.wrong("no account's"))
		}
		for i := range found {
			rep.unnamed(dir, name, segments, &found[i])
		}
	}
}

func chainsOf(segments []segmentInfo) (out []chain.ID) {
	for i := range segments {
		if !slices.Contains(out, segments[i].Chain) {
			out = append(out, segments[i].Chain)
		}
	}
	return out
}

// damages says of which accounts hurt bytes tell. listed says that the list of
// references is whole.
func (f *dictionaryFile) damages(hurt stretch, listed bool) (out []dictionaryDamage) {
	for i := range f.Groups {
		g := &f.Groups[i]
		if d, ok := f.damage(g, hurt, listed); ok {
			out = append(out, d)
		}
	}
	return out
}

func (f *dictionaryFile) damage(g *dictionaryGroup, hurt stretch, listed bool) (d dictionaryDamage, ok bool) {
	d.chain = g.Chain
	within := func(section string, from, size int64) (lo, hi int64, ok bool) {
		at := f.sheet.trailer.Sections[section].At + from
		lo, hi = max(hurt.from, at)-at, min(hurt.to, at+size)-at
		return lo, hi, lo < hi
	}
	bytes, of := g.Len*g.Count, fmt.Sprintf("%d accounts of %s", g.Count, g.Chain)
	if g.Listed {
		_, _, refs := within("refs", g.Refs, 4*int64(g.Count))
		_, _, back := within("back", 0, f.sheet.trailer.Sections["back"].Len)
		if refs || back {
			d.what = hurt.wrong("references of " + of).Error()
			return d, true
		}
	}
	lo, hi, ok := within("raw", g.Raw, int64(bytes))
	if !ok {
		return d, false
	}
	first, last := int(lo)/g.Len, int(hi-1)/g.Len
	if n := last - first + 1; n < g.Count {
		of = fmt.Sprintf("%d of %s", n, of) + f.between(g, first-1, last+1)
	}
	d.what = hurt.wrong(of).Error()
	if g.Listed && !listed {
		return d, true
	}
	d.refs = make([]uint64, 0, last-first+1)
	for i := first; i <= last; i++ {
		ref := g.First + uint64(i)
		if g.Listed {
			ref = f.First + uint64(binary.LittleEndian.Uint32(f.refs[g.Refs+int64(i)*4:]))
		}
		d.refs = append(d.refs, ref)
	}
	return d, true
}

// between names the accounts around hurt ones, where they can be read.
func (f *dictionaryFile) between(g *dictionaryGroup, before, behind int) (text string) {
	for _, x := range []struct {
		side string
		i    int
	}{{" behind ", before}, {" before ", behind}} {
		if x.i < 0 || x.i >= g.Count {
			continue
		}
		at := f.sheet.trailer.Sections["raw"].At + g.Raw + int64(x.i*g.Len)
		if f.sheet.page(int(at/sheetPage)) == nil && f.sheet.page(int((at+int64(g.Len)-1)/sheetPage)) == nil {
			a, _ := chain.NewAccount(g.Chain, g.Form, f.raw[g.Raw+int64(x.i*g.Len):][:g.Len])
			text += x.side + a.Address()
		}
	}
	return text
}

// unnamed reports accounts that lost their names, with the segments whose rows
// name them.
func (rep *CheckReport) unnamed(dir, file string, segments []segmentInfo, d *dictionaryDamage) {
	out := Damage{File: file, Chain: d.chain, What: d.what}
	for i := range segments {
		info := &segments[i]
		if info.Chain != d.chain || !info.mayHold(dir, d.refs) {
			continue
		}
		if len(out.Segments) == 0 {
			out.From, out.To = info.From, info.To
		}
		out.Segments = append(out.Segments, pad8(info.Number))
		out.From, out.To = min(out.From, info.From), max(out.To, info.To)
	}
	rep.Damages = append(rep.Damages, out)
}

// mayHold says whether a segment has rows of one of some accounts, nil being any.
// One that cannot be read may.
func (info *segmentInfo) mayHold(dir string, refs []uint64) bool {
	if refs == nil {
		return true
	}
	s, err := openSegment(dir, info.Number)
	if err != nil {
		return true
	}
	return slices.ContainsFunc(refs, func(ref uint64) bool {
		_, there := s.dir.place(AccountRef(ref))
		return there
	})
}
