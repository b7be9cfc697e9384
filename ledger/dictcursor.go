package ledger

import (
	"bytes"

	"bongsu/chain"
)

// dictionaryCursor looks up accounts of one chain that come in order of form,
// length and bytes: it goes through the dictionary's files from their beginning
// to their end, where find would go to a random place each time.
type dictionaryCursor struct{ groups []groupPart }

func (d *dictionary) cursor(id chain.ID) *dictionaryCursor {
	c := &dictionaryCursor{}
	if d == nil {
		return c
	}
	for _, f := range d.files {
		for i := range f.Groups {
			if g := &f.Groups[i]; g.Chain == id && g.Count > 0 {
				c.groups = append(c.groups, groupPart{f: f, g: g})
			}
		}
	}
	return c
}

// find looks up an account that is not before the last one.
func (c *dictionaryCursor) find(form byte, raw []byte) (AccountRef, bool) {
	for i := range c.groups {
		p := &c.groups[i]
		if byte(p.g.Form) != form || p.g.Len != len(raw) {
			continue
		}
		p.seek(raw)
		if p.i < p.g.Count && bytes.Equal(p.raw(), raw) {
			return AccountRef(p.ref()), true
		}
	}
	return 0, false
}

// seek goes on to the first account that is not before raw, in growing steps.
func (p *groupPart) seek(raw []byte) {
	before := func(i int) bool {
		at := p.g.Raw + int64(i)*int64(p.g.Len)
		return bytes.Compare(p.f.raw[at:at+int64(p.g.Len)], raw) < 0
	}
	lo, step := p.i, 1
	for lo+step <= p.g.Count && before(lo+step-1) {
		lo, step = lo+step, 2*step
	}
	hi := min(lo+step-1, p.g.Count) // all below lo are before raw, hi is not
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); before(mid) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	p.i = lo
}

// knownAccounts finds the references that accounts of one chain have, in the
// dictionary or given by the head.
type knownAccounts struct {
	chain  chain.ID
	cursor *dictionaryCursor
	head   map[chain.Account]AccountRef
}

func (n *names) known(id chain.ID) *knownAccounts {
	return &knownAccounts{chain: id, cursor: n.base.cursor(id), head: n.refs}
}

func (k *knownAccounts) find(form byte, raw []byte) (AccountRef, bool) {
	if ref, ok := k.cursor.find(form, raw); ok || len(k.head) == 0 {
		return ref, ok
	}
	a, ok := chain.NewAccount(k.chain, chain.Form(form), raw)
	if !ok {
		return 0, false
	}
	ref, ok := k.head[a]
	return ref, ok
}
