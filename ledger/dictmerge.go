package ledger

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
)

// Dictionary files follow one another by reference. A new one is merged with
// those before it that are not much larger, so that their number, and with it
// the cost of finding an account, stays logarithmic.
const (
	dictionaryGrowth = 4       // a file is merged when it has at most so many times the accounts that come
	maxMergedFile    = 1 << 24 // accounts: merging holds 10 bytes of each in memory
)

// mergeable are the last files that should be merged with one another; none
// when the last stays alone.
func (d *dictionary) mergeable() []*dictionaryFile {
	i, total := len(d.files)-1, uint64(0)
	if i < 0 {
		return nil
	}
	total = d.files[i].Count
	for i > 0 && d.files[i-1].Count <= dictionaryGrowth*total && total+d.files[i-1].Count <= maxMergedFile {
		i--
		total += d.files[i].Count
	}
	if i == len(d.files)-1 {
		return nil
	}
	return d.files[i:]
}

// mergeDictionary replaces the last files of the job's dictionary by one, where
// the policy says so. References do not change.
func (j *rewriteJob) mergeDictionary() error {
	files := j.names.base.mergeable()
	if files == nil {
		return nil
	}
	number := j.number()
	d, err := newDictionaryWriter(j.disk, j.l.dir, number, files[0].First)
	if err != nil {
		return err
	}
	if err := d.merge(files); err != nil {
		d.w.abandon()
		return err
	}
	if _, err := d.close(); err != nil {
		return err
	}
	f, err := openDictionary(j.l.dir, number)
	if err != nil {
		return err
	}
	base := &dictionary{count: j.names.base.count}
	base.files = append(slices.Clone(j.names.base.files[:len(j.names.base.files)-len(files)]), f)
	j.next.Dictionaries = append(slices.Clone(j.next.Dictionaries[:len(base.files)-1]), number)
	nm := newNames()
	nm.base = base
	j.names = nm
	return nil
}

// groupPart is what one file's group has yet to give to a merged group.
type groupPart struct {
	f *dictionaryFile
	g *dictionaryGroup
	i int
}

func (p *groupPart) raw() []byte {
	return p.f.key(p.g, p.i)
}

// ref is the reference of the account at hand.
func (p *groupPart) ref() uint64 {
	if p.g.Listed {
		return p.f.First + uint64(binary.LittleEndian.Uint32(p.f.refs[p.g.Refs+int64(p.i)*4:]))
	}
	return p.g.First + uint64(p.i)
}

// merge writes the groups of files that follow one another, each chain, form
// and length once.
func (d *dictionaryWriter) merge(files []*dictionaryFile) (err error) {
	defer func() { caught(recover(), &err) }()
	type kind struct {
		chain chain.ID
		form  chain.Form
		len   int
	}
	parts := map[kind][]*groupPart{}
	var kinds []kind
	count := uint64(0)
	for _, f := range files {
		count += f.Count
		for i := range f.Groups {
			g := &f.Groups[i]
			k := kind{g.Chain, g.Form, g.Len}
			if parts[k] == nil {
				kinds = append(kinds, k)
			}
			parts[k] = append(parts[k], &groupPart{f: f, g: g})
		}
	}
	slices.SortFunc(kinds, func(a, b kind) int {
		return cmp.Or(cmp.Compare(a.chain, b.chain), cmp.Compare(a.form, b.form), cmp.Compare(a.len, b.len))
	})
	d.back = make([]byte, backEntry*count)
	for _, k := range kinds {
		d.info.Groups = append(d.info.Groups, dictionaryGroup{
			Chain: k.chain, Form: k.form, Len: k.len, Raw: d.w.at() - d.start, Listed: true, Refs: int64(len(d.refs)),
		})
		if err := d.mergeGroup(parts[k]); err != nil {
			return err
		}
	}
	d.next = d.info.First + count
	return nil
}

func (d *dictionaryWriter) mergeGroup(parts []*groupPart) error {
	g, no := &d.info.Groups[len(d.info.Groups)-1], len(d.info.Groups)-1
	parts = slices.DeleteFunc(parts, func(p *groupPart) bool { return p.g.Count == 0 })
	for len(parts) > 0 {
		least := parts[0]
		for _, p := range parts[1:] {
			if bytes.Compare(p.raw(), least.raw()) < 0 {
				least = p
			}
		}
		n := least.ref() - d.info.First
		if (n+1)*backEntry > uint64(len(d.back)) {
			return errs.New("merge dictionary", errs.Corrupt, least.f.sheet.name, "a reference lies outside of its file", "run bongsu ledger check; restore the file from a copy")
		}
		d.put(no, g, n, least.raw())
		if least.i++; least.i == least.g.Count {
			parts = slices.DeleteFunc(parts, func(p *groupPart) bool { return p == least })
		}
	}
	return nil
}

// put adds an account to the listed group begun last: its reference is the
// n-th of the file.
func (d *dictionaryWriter) put(no int, g *dictionaryGroup, n uint64, raw []byte) {
	binary.LittleEndian.PutUint16(d.back[backEntry*n:], uint16(no))
	binary.LittleEndian.PutUint32(d.back[backEntry*n+2:], uint32(g.Count))
	d.refs = binary.LittleEndian.AppendUint32(d.refs, uint32(n))
	d.w.write(raw)
	g.Count++
}
