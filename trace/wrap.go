package trace

import (
	"context"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/trace/links"
)

// Wrapping is the first link: coin that an account sends to the contract that
// wraps it is from then on as much of the token, of the same account; coin that
// the contract sends is what the receiver had of the token. So one row of coin
// with the contract on one side (a wrap or an unwrap, both here "a link") takes
// lots out of one book of an account and puts them into another of its own:
// amounts, origins, rules and hops stay. The contract is no party, and its own
// coin has no book. See docs/design/tracing-links.md.

// Link names the rule by which a movement changed the asset and not the owner.
type Link string

// The links.
const (
	LinkNone   Link = ""
	LinkWrap   Link = "wrap"   // coin became the token of the contract that wraps it
	LinkUnwrap Link = "unwrap" // the token became coin again
)

// linkCode is a Link in one byte.
type linkCode uint8

const (
	noLink linkCode = iota
	wraps
	unwraps
)

var linkNames = [...]Link{LinkNone, LinkWrap, LinkUnwrap}

func (c linkCode) link() Link { return linkNames[c] }

// wrapper is a contract that wraps coin, by the references of a ledger.
type wrapper struct {
	*links.Wrapped
	contract ledger.AccountRef
	coin     ledger.AssetRef
	token    ledger.AssetRef   // one of our own where the ledger holds none of it
	nobody   ledger.AccountRef // the all-zero address, from which sources may say that a token was issued; 0 as well
}

// linked is what a row of coin is between an account and a wrapper.
type linked struct {
	code    linkCode
	by      *wrapper
	account ledger.AccountRef
	gives   ledger.AssetRef // what leaves the account's book of it
	gets    ledger.AssetRef // what comes to it
}

// wrappers are the wrapping contracts that a ledger knows, one a chain; in most
// ledgers one, or none.
type wrappers []wrapper

// wrappersOf are those of a ledger.
func wrappersOf(ctx context.Context, r ledger.Reader) (wrappers, error) {
	held, err := r.Chains(ctx)
	if err != nil {
		return nil, err
	}
	var out wrappers
	for i := range links.AllWrapped() {
		x := &links.AllWrapped()[i]
		id := x.Contract.Chain()
		if !slices.Contains(held, id) {
			continue
		}
		who, err := r.AccountRefs(ctx, []chain.Account{x.Contract, chain.EVM(id, [20]byte{})})
		if err != nil {
			return nil, err
		}
		assets, err := r.AssetRefs(ctx, []chain.Asset{x.Coin(), x.Token()})
		if err != nil {
			return nil, err
		}
		if who[0] == 0 || assets[0] == 0 {
			continue // no coin moved to it or from it
		}
		if assets[1] == 0 {
			assets[1] = wrappedAsset(i)
		}
		out = append(out, wrapper{x, who[0], assets[0], assets[1], who[1]})
	}
	return out, nil
}

// rewrap looks the contracts up in a newer Reader. It says no when the ledger
// has a reference by now for a token that had one of our own.
func (s *sim) rewrap(ctx context.Context, r ledger.Reader) (ok bool, err error) {
	if s.utxo != nil {
		return true, nil
	}
	had := s.wrappers
	if s.wrappers, err = wrappersOf(ctx, r); err != nil {
		return false, err
	}
	for i := range had {
		for k := range s.wrappers {
			if x := &s.wrappers[k]; x.Wrapped == had[i].Wrapped && x.token != had[i].token {
				return false, nil
			}
		}
	}
	return true, nil
}

// link says what a row of these sides is. A row between the contract and
// nobody, or itself, is none.
func (all wrappers) link(from, to ledger.AccountRef, asset ledger.AssetRef) linked {
	for i := range all {
		x := &all[i]
		switch {
		case x.coin != asset || from == to:
		case x.contract == to && from != 0:
			return linked{wraps, x, from, x.coin, x.token}
		case x.contract == from && to != 0:
			return linked{unwraps, x, to, x.token, x.coin}
		}
	}
	return linked{}
}

// sides are the books that a transfer takes from and gives to.
func (all wrappers) sides(from, to ledger.AccountRef, asset ledger.AssetRef) (gives, gets bookKey) {
	if l := all.link(from, to, asset); l.code != noLink {
		return bookKey{l.account, l.gives}, bookKey{l.account, l.gets}
	}
	return bookKey{from, asset}, bookKey{to, asset}
}

// wrapperOf is the wrapper whose token an account's book is of: coin rows take
// part in it. The contract's own tokens are lost in it and no link of its is
// theirs.
func (all wrappers) of(account ledger.AccountRef, token ledger.AssetRef) *wrapper {
	for i := range all {
		if x := &all[i]; x.token == token && x.contract != account {
			return x
		}
	}
	return nil
}

// contract is the wrapper that an account is; nil: none.
func (all wrappers) contract(account ledger.AccountRef) *wrapper {
	for i := range all {
		if all[i].contract == account {
			return &all[i]
		}
	}
	return nil
}

// change brings pieces of coin or token into the account's book of the other.
func (s *sim) change(ctx context.Context, w *ledger.Row, l *linked, to *book, pieces []lot) error {
	r := *w
	r.From, r.To, r.Asset = l.account, l.account, l.gets
	s.linking = l.code
	err := s.arrive(ctx, &r, to, pieces)
	s.linking = noLink
	return err
}

// spends says whether a row takes from a book: its account sends the book's
// asset, or unwraps it.
func (b *book) spends(w *ledger.Row) bool {
	return (w.From == b.account) == (w.Asset == b.asset)
}

// openWrapped opens the book of a wrapped coin: what the account held is what
// came and went of the token, and what it wrapped and unwrapped, in order.
func (s *sim) openWrapped(ctx context.Context, at uint32, w *ledger.Row, x *wrapper) (*book, error) {
	held, err := s.heldWrapped(ctx, x, w.To, w.Key)
	if err != nil {
		return nil, err
	}
	return s.openHolding(ctx, at, bookKey{w.To, w.Asset}, held, w.Key)
}

// each calls see with the rows of cursors, in the order in which they happened.
func (all wrappers) each(ctx context.Context, r ledger.Reader, pages *ledger.Pages, h *eventHeap, see func(*ledger.Row) error) error {
	t := turns{all: all, r: r, see: see}
	for len(h.entries) > 0 {
		c := h.sources[h.entries[0].source]
		if err := t.add(ctx, c); err != nil {
			return err
		}
		if err := c.fill(ctx, r, pages); err != nil {
			return err
		}
		h.next()
	}
	return t.end(ctx)
}

// turns takes rows by their places and shows them in the order in which they
// happened: those of one transaction when they are all there, and none that
// tells a link again.
type turns struct {
	all wrappers
	r   ledger.Reader
	see func(*ledger.Row) error
	tx  []ledger.Row // of one transaction
}

// add takes a cursor's next row.
func (t *turns) add(ctx context.Context, c *cursor) error {
	w := *c.row()
	c.at++
	if len(t.tx) > 0 && (w.Tx == 0 || w.Tx != t.tx[0].Tx) {
		if err := t.end(ctx); err != nil {
			return err
		}
	}
	again, err := t.all.retold(ctx, t.r, &w)
	if err == nil && !again {
		t.tx = append(t.tx, w)
	}
	return err
}

// end shows what was taken last.
func (t *turns) end(ctx context.Context) error {
	if err := t.all.reorder(ctx, t.r, t.tx); err != nil {
		return err
	}
	for i := range t.tx {
		if err := t.see(&t.tx[i]); err != nil {
			return err
		}
	}
	t.tx = t.tx[:0]
	return nil
}

// cursorOf streams a book's rows after a place.
func (s *sim) cursorOf(b *book, after, until ledger.Key) *cursor {
	return &cursor{
		more: true, beside: s.wrappers.of(b.account, b.asset),
		query: ledger.Query{Account: b.account, Asset: b.asset, After: after, Until: until, Limit: firstPage},
	}
}

// told is the link that a row of the token only tells once more: the contract's
// token comes from nobody, or goes there, in a transaction in which the same
// account wrapped or unwrapped as much. Of several alike the first tells the
// first link, and those beyond the links tell something else.
func (x *wrapper) told(ctx context.Context, r ledger.Reader, w *ledger.Row) (link ledger.Row, ok bool, err error) {
	minted, burnt := x.none(w.From), x.none(w.To)
	if w.Asset != x.token || minted == burnt || w.Tx == 0 {
		return link, false, nil
	}
	var pages ledger.Pages
	if err := r.Transactions(ctx, []ledger.TxRef{w.Tx}, &pages); err != nil {
		return link, false, err
	}
	var links []ledger.Row
	before := 0 // rows like this one
	for i := range pages.Rows {
		v := &pages.Rows[i]
		switch {
		case v.Amount != w.Amount:
		case v.Asset == x.coin:
			if l := x.link(v); minted && l.code == wraps && l.account == w.To || burnt && l.code == unwraps && l.account == w.From {
				links = append(links, *v)
			}
		case v.Asset == x.token && v.Key.Compare(w.Key) < 0 && (minted && x.none(v.From) && v.To == w.To || burnt && x.none(v.To) && v.From == w.From):
			before++
		}
	}
	if before >= len(links) {
		return link, false, nil
	}
	return links[before], true, nil
}

// none says whether an account is nobody's.
func (x *wrapper) none(ref ledger.AccountRef) bool { return ref == 0 || ref == x.nobody }

// retold says whether a row only tells again what a link did.
func (all wrappers) retold(ctx context.Context, r ledger.Reader, w *ledger.Row) (again bool, err error) {
	for i := range all {
		if x := &all[i]; x.token == w.Asset {
			_, again, err = x.told(ctx, r, w)
		}
	}
	return again, err
}

// toldOnce puts a link in the place of what tells it again among the transfers
// of thefts, and names it once.
func toldOnce(ctx context.Context, r ledger.Reader, rows []stolenRow) ([]stolenRow, error) {
	all, err := wrappersOf(ctx, r)
	if err != nil || len(all) == 0 {
		return rows, err
	}
	for i := range rows {
		for k := range all {
			if link, ok, err := all[k].told(ctx, r, &rows[i].row); err != nil {
				return nil, err
			} else if ok {
				rows[i].row = link
			}
		}
	}
	sortStolen(rows)
	return slices.CompactFunc(rows, func(a, b stolenRow) bool { return a.theft == b.theft && a.row.Key == b.row.Key }), nil
}

// via is the contract at which something turned into an asset.
func (all wrappers) via(asset ledger.AssetRef) chain.Account {
	for i := range all {
		if x := &all[i]; x.coin == asset || x.token == asset {
			return x.Contract
		}
	}
	return chain.Account{}
}

// beside adds to assets what links may turn them into, as far as the ledger
// holds it.
func (all wrappers) beside(assets []ledger.AssetRef) []ledger.AssetRef {
	for i := range all {
		x := &all[i]
		switch coin, token := slices.Contains(assets, x.coin), slices.Contains(assets, x.token); {
		case coin && !token && x.token < firstOwnAsset:
			assets = append(assets, x.token)
		case token && !coin:
			assets = append(assets, x.coin)
		}
	}
	return assets
}
