// Package ledgertest holds what every implementation of ledger.Reader must
// pass, and the comparison of any two of them.
//
// Readers are compared by what they answer, written out with names: references
// mean nothing outside the Reader that gave them.
package ledgertest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
)

// TB is what the functions here need of a test; *rapid.T has it too.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

var _ TB = (*testing.T)(nil)

// Compare fails the test when the two Readers do not give the same answers to
// every question about everything that want holds.
func Compare(t TB, got, want ledger.Reader) {
	t.Helper()
	g, w := Dump(t, got), Dump(t, want)
	if g == w {
		return
	}
	gl, wl := strings.Split(g, "\n"), strings.Split(w, "\n")
	for i := range max(len(gl), len(wl)) {
		a, b := "", ""
		if i < len(gl) {
			a = gl[i]
		}
		if i < len(wl) {
			b = wl[i]
		}
		if a != b {
			t.Fatalf("answers differ at line %d\n got %s\nwant %s\n--- all of got\n%s\n--- all of want\n%s", i+1, a, b, g, w)
		}
	}
}

// Dump writes out every answer of a Reader.
func Dump(t TB, r ledger.Reader) string {
	t.Helper()
	d := &dumper{t: t, r: r, accounts: map[chain.Account]bool{}, assets: map[chain.Asset]bool{}, txs: map[ledger.Tx]bool{}, paid: map[chain.Account]bool{}}
	ids, err := r.Chains(context.Background())
	d.must(err)
	for _, id := range ids {
		d.chain(id)
	}
	d.books()
	d.transactions()
	d.outputs()
	return d.out.String()
}

type dumper struct {
	t        TB
	r        ledger.Reader
	out      strings.Builder
	accounts map[chain.Account]bool
	assets   map[chain.Asset]bool
	txs      map[ledger.Tx]bool
	paid     map[chain.Account]bool // by an output
}

func (d *dumper) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatalf("%v", err)
	}
}

func (d *dumper) chain(id chain.ID) {
	ctx := context.Background()
	c, err := d.r.Coverage(ctx, id)
	d.must(err)
	fmt.Fprintf(&d.out, "coverage %+v\n", c)
	var numbers []uint64
	for _, g := range c.Ranges {
		if g.To-g.From < 10000 {
			for n := g.From; n <= g.To; n++ {
				numbers = append(numbers, n)
			}
		}
	}
	blocks, err := d.r.Blocks(ctx, id, numbers)
	d.must(err)
	for _, b := range blocks {
		d.blockTxs(id, b.Number)
		if b.Known {
			fmt.Fprintf(&d.out, "block %d %x %x %d %v %v\n", b.Number, b.Hash[:2], b.Parent[:2], b.Time, b.HasTime, b.Final)
		}
	}
	var last ledger.Key
	var all []ledger.Row
	d.must(d.r.Scan(ctx, id, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		for i := range rows {
			if !last.IsZero() && last.Compare(rows[i].Key) >= 0 {
				d.t.Fatalf("scan out of order: %+v after %+v", rows[i].Key, last)
			}
			last = rows[i].Key
		}
		d.rows("scan", rows)
		all = append(all, rows...)
		return nil
	}))
	d.scanWhere(id, all)
	d.rowText(id, all)
}

// rowText holds AppendRows to what Digest says of the same rows.
func (d *dumper) rowText(id chain.ID, rows []ledger.Row) {
	transfers, err := ledger.Expand(context.Background(), d.r, rows)
	d.must(err)
	want := ledger.NewDigest()
	for i := range transfers {
		want.Add(&transfers[i], !rows[i].TimeUnknown)
	}
	text, err := ledger.AppendRows(context.Background(), d.r, rows, nil)
	d.must(err)
	if got := sha256.Sum256(text); fmt.Sprintf("sha256:%x", got) != want.Sum() {
		d.t.Fatalf("%s: AppendRows does not give what Digest is over:\n%s", id, text)
	}
}

// scanWhere holds ScanWhere to the rows that Scan gave, for some choices of
// bounds, assets and wishes; every other row changes the wishes.
func (d *dumper) scanWhere(id chain.ID, all []ledger.Row) {
	s, ok := d.r.(ledger.WhereScanner)
	if !ok {
		return
	}
	for cut := range min(len(all), 8) {
		var assets []ledger.AssetRef
		var after, until ledger.Key
		if cut%2 == 1 {
			assets = []ledger.AssetRef{all[cut].Asset, all[len(all)-1].Asset}
		}
		if cut%4 > 1 {
			after = all[cut*len(all)/9].Key
		}
		if cut > 3 {
			until = all[len(all)-1-cut*len(all)/20].Key
		}
		met := map[ledger.AccountRef]bool{all[0].From: true, all[0].To: true}
		want := func(from, to ledger.AccountRef, _ ledger.AssetRef) bool { return met[from] || met[to] }
		meet := func(w *ledger.Row) { met[w.From], met[w.To] = true, cut < 4 }
		var expected []ledger.Row
		for i := range all {
			w := &all[i]
			if (after.IsZero() || w.Key.Compare(after) > 0) && (until.IsZero() || w.Key.Compare(until) < 0) &&
				(assets == nil || slices.Contains(assets, w.Asset)) && want(w.From, w.To, w.Asset) {
				expected = append(expected, *w)
				meet(w)
			}
		}
		clear(met)
		met[all[0].From], met[all[0].To] = true, true
		by := &walker{want: want, meet: meet}
		d.must(s.ScanWhere(context.Background(), id, assets, after, until, by))
		if !slices.Equal(by.got, expected) {
			d.t.Fatalf("ScanWhere gave %d rows, %d of Scan's are wanted:\n%+v\n%+v", len(by.got), len(expected), by.got, expected)
		}
	}
}

// walker wants what want says, and guesses that of one row in three.
type walker struct {
	want  func(from, to ledger.AccountRef, asset ledger.AssetRef) bool
	meet  func(*ledger.Row)
	sides []ledger.Sides
	got   []ledger.Row
}

func (k *walker) Ahead(sides []ledger.Sides) (likely []int32) {
	k.sides = sides
	for i := range sides {
		if i%3 == 0 {
			likely = append(likely, int32(i))
		}
	}
	return likely
}

func (k *walker) Wants(i int) bool {
	return k.want(k.sides[i].From, k.sides[i].To, k.sides[i].Asset)
}

func (k *walker) Read(i int, w *ledger.Row) error {
	if (ledger.Sides{From: w.From, To: w.To, Asset: w.Asset}) != k.sides[i] {
		return fmt.Errorf("row %d was shown as %v and is %v", i, k.sides[i], *w)
	}
	k.got = append(k.got, *w)
	k.meet(w)
	return nil
}

// blockTxs writes out a block's transactions, which join those looked at.
func (d *dumper) blockTxs(id chain.ID, number uint64) {
	refs, err := d.r.BlockTxs(context.Background(), id, number)
	d.must(err)
	txs, err := d.r.Txs(context.Background(), refs)
	d.must(err)
	for _, x := range txs {
		d.txs[x] = true
		fmt.Fprintf(&d.out, "block %d has %s\n", number, x.ID.Text(x.Chain))
	}
}

func (d *dumper) rows(title string, rows []ledger.Row) {
	transfers, err := ledger.Expand(context.Background(), d.r, rows)
	d.must(err)
	for i := range transfers {
		x := &transfers[i]
		d.accounts[x.From], d.accounts[x.To], d.assets[x.Asset] = true, true, true
		d.txs[ledger.Tx{Chain: x.Chain, ID: x.Tx}] = true
		fmt.Fprintf(&d.out, "%s %s\n", title, Line(x, &rows[i]))
	}
}

// Line is one row with its names.
func Line(x *chain.Transfer, w *ledger.Row) string {
	return fmt.Sprintf("%s b%d i%d %s %s o%d r%d n%d %s>%s %s %s t%d key%d/%d/%d %v%v%v",
		x.Chain, x.Block, int32(x.Index), x.Tx.Text(x.Chain), x.Kind, int32(x.Ordinal), x.Row, x.Nth, x.From, x.To,
		x.Asset, x.Amount.Base(), x.Time, w.Time, w.Key.Tx, w.Rank, w.BlockInferred, w.TimeUnknown, w.Provisional)
}

func (d *dumper) books() {
	ctx := context.Background()
	delete(d.accounts, chain.Account{})
	var accounts []chain.Account
	for a := range d.accounts {
		accounts = append(accounts, a)
	}
	slices.SortFunc(accounts, chain.Account.Compare)
	var assets []chain.Asset
	for a := range d.assets {
		assets = append(assets, a)
	}
	slices.Sort(assets)
	refs, err := d.r.AccountRefs(ctx, accounts)
	d.must(err)
	names, err := d.r.Accounts(ctx, refs)
	d.must(err)
	if !slices.Equal(names, accounts) {
		d.t.Fatalf("accounts do not come back: %v %v", names, accounts)
	}
	assetRefs, err := d.r.AssetRefs(ctx, assets)
	d.must(err)
	degrees, err := d.r.Degrees(ctx, refs)
	d.must(err)
	for i, a := range accounts {
		fmt.Fprintf(&d.out, "account %s in %d out %d\n", a, degrees[i].In, degrees[i].Out)
		all := d.activity(a, ledger.Query{Account: refs[i]})
		d.pages(refs[i], all)
		for j, asset := range assets {
			d.book(a, asset, refs[i], assetRefs[j], all)
		}
	}
}

func (d *dumper) activity(a chain.Account, q ledger.Query) []ledger.Row {
	var p ledger.Pages
	d.must(d.r.Activity(context.Background(), []ledger.Query{q}, &p))
	rows, _ := p.Page(0)
	d.rows(fmt.Sprintf("activity %s %d %v", a, q.Direction, q.Reverse), rows)
	return rows
}

// pages asks again in brief, in small pages, both ways, and from every side.
func (d *dumper) pages(ref ledger.AccountRef, all []ledger.Row) {
	var p ledger.Pages
	d.must(d.r.Activity(context.Background(), []ledger.Query{{Account: ref, Brief: true}}, &p))
	if !slices.EqualFunc(p.Rows, all, func(a, b ledger.Row) bool {
		return a.From == b.From && a.To == b.To && a.Asset == b.Asset && a.Amount == b.Amount && a.Kind == b.Kind && a.Nth == b.Nth &&
			a.Chain == b.Chain && a.Block == b.Block && a.Time == b.Time && a.Stated == b.Stated && a.TimeUnknown == b.TimeUnknown && a.Provisional == b.Provisional
	}) {
		d.t.Fatalf("brief rows differ:\n got %+v\nwant %+v", p.Rows, all)
	}
	for _, reverse := range []bool{false, true} {
		for _, dir := range []ledger.Direction{ledger.Both, ledger.In, ledger.Out} {
			var want []ledger.Row
			for _, w := range all {
				if dir == ledger.Both || dir == ledger.In && w.To == ref || dir == ledger.Out && w.From == ref {
					want = append(want, w)
				}
			}
			if reverse {
				slices.Reverse(want)
			}
			if got := d.paged(ledger.Query{Account: ref, Direction: dir, Reverse: reverse, Limit: 2}); !slices.Equal(got, want) {
				d.t.Fatalf("pages of two differ from one page, direction %d, reverse %v:\n got %+v\nwant %+v", dir, reverse, got, want)
			}
		}
	}
}

func (d *dumper) paged(q ledger.Query) []ledger.Row {
	var out []ledger.Row
	for {
		var p ledger.Pages
		d.must(d.r.Activity(context.Background(), []ledger.Query{q}, &p))
		rows, more := p.Page(0)
		out = append(out, rows...)
		if !more {
			return out
		}
		if q.Reverse {
			q.Until = rows[len(rows)-1].Key
		} else {
			q.After = rows[len(rows)-1].Key
		}
	}
}

func (d *dumper) book(a chain.Account, asset chain.Asset, ref ledger.AccountRef, assetRef ledger.AssetRef, all []ledger.Row) {
	queries := []ledger.BalanceQuery{{Account: ref, Asset: assetRef}}
	n := 0
	for _, w := range all {
		if w.Asset == assetRef {
			queries = append(queries, ledger.BalanceQuery{Account: ref, Asset: assetRef, Before: w.Key})
			n++
		}
	}
	if n == 0 {
		return
	}
	balances, err := d.r.Balances(context.Background(), queries)
	d.must(err)
	for _, b := range balances {
		fmt.Fprintf(&d.out, "balance %s %s %s %v %v %s\n", a, asset, b.Amount.Base(), b.Exact, b.Short, b.Below.Base())
	}
	var p ledger.Pages
	d.must(d.r.Activity(context.Background(), []ledger.Query{{Account: ref, Asset: assetRef}}, &p))
	if rows, _ := p.Page(0); len(rows) != n {
		d.t.Fatalf("asset %s of %s: %d rows, want %d", asset, a, len(rows), n)
	}
	d.openings(ref, assetRef, all)
}

// openings holds OpenBooks to balances and rows, at every row of the account,
// of the book or not.
func (d *dumper) openings(ref ledger.AccountRef, asset ledger.AssetRef, all []ledger.Row) {
	ctx := context.Background()
	var openings []ledger.Opening
	var queries []ledger.BalanceQuery
	for i := range all {
		o := ledger.Opening{Account: ref, Asset: asset, At: &all[i], Limit: i % 4, IfSpent: i%2 == 0}
		if i%3 == 1 {
			o.Until = all[len(all)-1-i/5].Key
		}
		openings = append(openings, o)
		queries = append(queries, ledger.BalanceQuery{Account: ref, Asset: asset, Before: all[i].Key})
	}
	had, err := d.r.Balances(ctx, queries)
	d.must(err)
	held := make([]ledger.Held, len(openings))
	var pages ledger.Pages
	d.must(ledger.OpenBooks(ctx, d.r, openings, held, &pages))
	for i, o := range openings {
		want := slices.DeleteFunc(slices.Clone(all[i+1:]), func(w ledger.Row) bool {
			return w.Asset != asset || !o.Until.IsZero() && w.Key.Compare(o.Until) >= 0
		})
		rows, more := pages.Page(i)
		if !held[i].Known {
			spends := slices.ContainsFunc(want, func(w ledger.Row) bool { return w.From == ref && w.To != ref })
			if !o.IfSpent || more || o.Limit == 0 || spends {
				d.t.Fatalf("opened %+v: what it holds is not told", o)
			}
		} else if held[i].Amount != had[i].Amount {
			d.t.Fatalf("opened %+v: it holds %s, want %s", o, held[i].Amount.Base(), had[i].Amount.Base())
		}
		if more != (o.Limit > 0 && len(want) > o.Limit) || !slices.Equal(rows, want[:min(len(want), o.Limit)]) {
			d.t.Fatalf("opened %+v: %d rows, more %v; want of %d rows %d:\n%+v\n%+v", o, len(rows), more, len(want), o.Limit, rows, want)
		}
	}
}

func (d *dumper) transactions() {
	ctx := context.Background()
	var txs []ledger.Tx
	for x := range d.txs {
		if !x.ID.IsZero() {
			txs = append(txs, x)
		}
	}
	slices.SortFunc(txs, func(a, b ledger.Tx) int {
		if c := strings.Compare(string(a.Chain), string(b.Chain)); c != 0 {
			return c
		}
		return a.ID.Compare(b.ID)
	})
	d.txDetails(txs)
	refs, err := d.r.TxRefs(ctx, txs)
	d.must(err)
	var p ledger.Pages
	d.must(d.r.Transactions(ctx, refs, &p))
	for i := range txs {
		rows, _ := p.Page(i)
		d.rows("tx", rows)
	}
}

// txDetails writes out notes and outputs.
func (d *dumper) txDetails(txs []ledger.Tx) {
	ctx := context.Background()
	refs, err := d.r.TxRefs(ctx, txs)
	d.must(err)
	notes, err := d.r.Notes(ctx, refs)
	d.must(err)
	utxos, err := d.r.UTXOs(ctx, refs)
	d.must(err)
	for i, x := range txs {
		if len(notes[i].Calls)+len(notes[i].Logs) > 0 {
			fmt.Fprintf(&d.out, "notes %s %+v\n", x.ID.Text(x.Chain), notes[i])
		}
		if utxos[i].Outputs != nil {
			fmt.Fprintf(&d.out, "utxo %s %+v\n", x.ID.Text(x.Chain), utxos[i])
			for _, o := range utxos[i].Outputs {
				d.paid[o.Account] = true
			}
		}
	}
}
