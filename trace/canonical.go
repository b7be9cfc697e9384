package trace

import (
	"io"
	"strconv"

	"bongsu/chain"

	"github.com/go-json-experiment/json/jsontext"
)

// canonical writes the RFC 8785 text of a result: keys in order, no white
// space, the least escapes. A test holds it to what encoding the result and
// canonicalizing the text would give, so that a field added to a result cannot
// be forgotten here. Numbers are below 2^53, where an integer is its own text;
// fits says so beforehand.
type canonical struct {
	to  io.Writer
	b   []byte // not written yet
	err error  // of to
}

const (
	canonicalChunk = 16 << 10 // bytes that are written at once
	canonicalRow   = 1 << 10  // of a row, but for a long name
)

// maxInteger is the largest integer that RFC 8785 writes as it is.
const maxInteger = 1<<53 - 1

// fits says whether every number of the result is written as it is.
func (r *Result) fits() bool {
	small := func(n int) bool { return n >= 0 && n <= maxInteger }
	ok := small(r.Accounts) && small(r.Transfers)
	for i := range r.Ledger {
		g := &r.Ledger[i]
		ok = ok && g.From <= maxInteger && g.To <= maxInteger && small(g.Gaps)
	}
	for i := range r.Aside {
		ok = ok && small(r.Aside[i].Count)
	}
	return ok
}

// key begins a member: in and what to write before it say where it stands.
func (c *canonical) key(before, name string) {
	c.b = append(append(append(c.b, before...), '"'), name...)
	c.b = append(c.b, '"', ':')
}

func (c *canonical) string(before, name, v string) {
	c.key(before, name)
	c.quote(v)
}

// quote writes a string. Most need no escape at all.
func (c *canonical) quote(v string) {
	for i := range len(v) {
		if v[i] < ' ' || v[i] >= 0x7f || v[i] == '"' || v[i] == '\\' {
			// Bytes that are no UTF-8 become U+FFFD, as in the encoded result.
			c.b, _ = jsontext.AppendQuote(c.b, v)
			return
		}
	}
	c.b = append(append(append(c.b, '"'), v...), '"')
}

func (c *canonical) account(before, name string, v chain.Account) {
	c.key(before, name)
	c.b = append(c.b, '"')
	c.b, _ = v.AppendText(c.b)
	c.b = append(c.b, '"')
}

// time writes a time that is known.
func (c *canonical) time(before, name string, v chain.Time) {
	if v == 0 {
		return
	}
	c.key(before, name)
	c.b = append(c.b, '"')
	c.b, _ = v.AppendText(c.b)
	c.b = append(c.b, '"')
}

func (c *canonical) integer(before, name string, v uint64) {
	c.key(before, name)
	c.b = strconv.AppendUint(c.b, v, 10)
}

func (c *canonical) bool(before, name string, v bool) {
	c.key(before, name)
	c.b = strconv.AppendBool(c.b, v)
}

// list writes an array under a key, with what writes its i-th element.
func list[T any](c *canonical, before, name string, rows []T, element func(*T)) {
	c.key(before, name)
	if rows == nil {
		c.b = append(c.b, "null"...)
		return
	}
	c.b = append(c.b, '[')
	for i := range rows {
		if i > 0 {
			c.b = append(c.b, ',')
		}
		if element(&rows[i]); len(c.b) >= canonicalChunk {
			c.flush()
		}
	}
	c.b = append(c.b, ']')
}

// flush writes what is not written yet.
func (c *canonical) flush() {
	if c.err == nil {
		_, c.err = c.to.Write(c.b)
	}
	c.b = c.b[:0]
}

// money writes amount, asset and base, which stand together in every row.
func (c *canonical) money(before string, a *Amount) {
	c.string(before, "amount", a.Amount)
	c.string(",", "asset", string(a.Asset))
	c.key(",", "base")
	c.b = append(c.b, '"')
	c.b = append(a.Base.AppendBase(c.b), '"')
}

// amount is an amount by itself.
func (c *canonical) amount(a *Amount) {
	c.money("{", a)
	c.string(",", "symbol", a.Symbol)
	c.b = append(c.b, '}')
}

func (c *canonical) origin(o *Amount) {
	if o != nil {
		c.key(",", "origin")
		c.amount(o)
	}
}

func (c *canonical) rule(r Rule) {
	if r != "" {
		c.string(",", "rule", string(r))
	}
}

func (c *canonical) holding(h *Holding) {
	c.account("{", "account", h.Account)
	c.money(",", &h.Amount)
	c.string(",", "basis", string(h.Basis))
	c.origin(h.Origin)
	c.bool(",", "provisional", h.Provisional)
	c.rule(h.Rule)
	c.time(",", "since", h.Since)
	c.string(",", "symbol", h.Symbol)
	c.string(",", "theft", h.Theft)
	c.b = append(c.b, '}')
}

func (c *canonical) exit(x *Exit) {
	c.account("{", "account", x.Account)
	c.money(",", &x.Amount)
	c.string(",", "basis", string(x.Basis))
	c.string(",", "category", x.Category)
	c.time(",", "first", x.First)
	c.string(",", "label", x.Label)
	c.time(",", "last", x.Last)
	c.origin(x.Origin)
	c.bool(",", "provisional", x.Provisional)
	c.rule(x.Rule)
	c.string(",", "source", x.Source)
	c.string(",", "symbol", x.Symbol)
	c.string(",", "theft", x.Theft)
	c.b = append(c.b, '}')
}

func (c *canonical) unfollowed(u *Unfollowed) {
	c.account("{", "account", u.Account)
	c.money(",", &u.Amount)
	c.string(",", "basis", string(u.Basis))
	c.origin(u.Origin)
	c.bool(",", "provisional", u.Provisional)
	c.string(",", "reason", string(u.Reason))
	c.rule(u.Rule)
	c.time(",", "since", u.Since)
	c.string(",", "symbol", u.Symbol)
	c.string(",", "theft", u.Theft)
	c.b = append(c.b, '}')
}

func (c *canonical) incomplete(x *Incomplete) {
	c.account("{", "account", x.Account)
	c.key(",", "known")
	c.amount(&x.Known)
	c.key(",", "missing")
	c.amount(&x.Missing)
	c.key(",", "spent")
	c.amount(&x.Spent)
	c.b = append(c.b, '}')
}

func (c *canonical) part(p *Part) {
	c.money("{", &p.Amount)
	c.string(",", "basis", string(p.Basis))
	c.origin(p.Origin)
	c.string(",", "symbol", p.Symbol)
	c.string(",", "theft", p.Theft)
	c.b = append(c.b, '}')
}

func (c *canonical) aside(a *Aside) {
	c.account("{", "account", a.Account)
	c.string(",", "asset", string(a.Asset))
	c.integer(",", "count", uint64(a.Count))
	c.time(",", "first", a.First)
	c.time(",", "last", a.Last)
	if a.Like != "" {
		c.string(",", "like", a.Like)
	}
	c.string(",", "reason", string(a.Reason))
	c.string(",", "symbol", a.Symbol)
	c.account(",", "touched", a.Touched)
	c.b = append(c.b, '}')
}

func (c *canonical) ledger(g *Range) {
	c.string("{", "chain", string(g.Chain))
	c.string(",", "digest", g.Digest)
	c.integer(",", "from", g.From)
	c.integer(",", "gaps", uint64(g.Gaps))
	c.integer(",", "to", g.To)
	c.b = append(c.b, '}')
}

// result writes the result without digest and elapsed_ms.
func (c *canonical) result(r *Result) {
	c.integer("{", "accounts", uint64(r.Accounts))
	list(c, ",", "adjustments", r.Adjustments, c.part)
	list(c, ",", "aside", r.Aside, c.aside)
	list(c, ",", "collided", r.Collided, c.part)
	c.bool(",", "conserved", r.Conserved)
	list(c, ",", "exits", r.Exits, c.exit)
	list(c, ",", "fees", r.Fees, c.part)
	list(c, ",", "holdings", r.Holdings, c.holding)
	list(c, ",", "incomplete", r.Incomplete, c.incomplete)
	list(c, ",", "labels", r.Labels, func(s *string) { c.quote(*s) })
	list(c, ",", "ledger", r.Ledger, c.ledger)
	if len(r.Links) > 0 {
		list(c, ",", "links", r.Links, func(s *string) { c.quote(*s) })
	}
	c.string(",", "method", string(r.Method))
	c.integer(",", "transfers", uint64(r.Transfers))
	list(c, ",", "turned", r.Turned, c.amount)
	list(c, ",", "unfollowed", r.Unfollowed, c.unfollowed)
	c.b = append(c.b, '}')
}
