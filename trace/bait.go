package trace

import (
	"context"
	"iter"

	"bongsu/chain"
	"bongsu/ledger"
)

// How many transfers are looked through for bait: of one account, from the
// moment that taint reached it, and of all accounts together, in the order in
// which taint reached them.
const (
	MaxGuardRows  = 1_000
	MaxGuardTotal = 20_000
)

// baitReader reads the transfers that the search for bait looks through, and
// keeps those that may be bait. Which of them are is known when all touched
// accounts are, and judged then; what is read depends on where taint arrived
// alone. So a goroutine reads while the simulation goes on. Whoever runs a
// simulation joins it before the reader may be closed.
type baitReader struct {
	s    *sim // its reader and request alone: they do not change meanwhile
	next []arrival
	late bool       // what arrives from now on is read at the end
	done chan error // gets one error; nil: no goroutine runs
	err  error      // of the last one: no other runs after an error

	// The goroutine's until it is joined.
	given  []arrival
	order  []arrival    // whose rows were read
	ends   []int        // of rows: where those of each of them end
	rows   []ledger.Row // those that may be bait
	left   int          // of MaxGuardTotal
	pages  ledger.Pages
	known  *chain.Registry
	assets map[ledger.AssetRef]baitAsset // of those met that are registered
	plain  [plainAssets]ledger.AssetRef  // some of those met that are not, by their last bits
}

// baitAsset is which rows of an asset are kept.
type baitAsset struct {
	foreign bool         // all: it is not built in, and may imitate another
	dust    chain.Amount // those of less
}

const (
	baitBatch   = 4       // accounts that are asked for at once, and for which a goroutine is worth while
	waiting     = 256     // accounts that wait to be read, at most
	plainAssets = 1 << 12 // so many make most rows cost no look into a table that is far
)

func (s *sim) newBaitReader() *baitReader {
	return &baitReader{s: s, left: MaxGuardTotal, known: chain.NewRegistry(), assets: map[ledger.AssetRef]baitAsset{}}
}

// reached takes note of where taint arrived, and has a goroutine read on when
// none does.
func (b *baitReader) reached(ctx context.Context, x arrival) {
	if b == nil || b.late {
		return
	}
	b.next = append(b.next, x)
	b.late = len(b.next) == waiting
	if b.done != nil {
		select {
		case b.err = <-b.done:
			b.done = nil
		default:
			return
		}
	}
	if b.err != nil || b.left <= 0 {
		b.late, b.next = true, nil
	}
	if len(b.next) < baitBatch {
		return
	}
	given, done := b.next, make(chan error, 1)
	b.next, b.given, b.done = b.given[:0], given, done
	go func() { done <- b.read(ctx, given) }()
}

// join waits for the goroutine.
func (b *baitReader) join() {
	if b != nil && b.done != nil {
		b.err, b.done = <-b.done, nil
	}
}

// finish reads what was not read yet. What was read in another order than this
// one is read again.
func (b *baitReader) finish(ctx context.Context, order iter.Seq[arrival]) error {
	if b.join(); b.err != nil {
		return b.err
	}
	done, rest := b.order, b.given[:0]
	for x := range order {
		switch {
		case len(done) > 0 && done[0] != x:
			*b = *b.s.newBaitReader()
			return b.finish(ctx, order)
		case len(done) > 0:
			done = done[1:]
			continue
		case b.left <= 0:
			return nil
		}
		if rest = append(rest, x); len(rest) == waiting {
			if err := b.read(ctx, rest); err != nil {
				return err
			}
			rest = rest[:0]
		}
	}
	return b.read(ctx, rest)
}

// of lists the rows of the i-th account that may be bait.
func (b *baitReader) of(i int) []ledger.Row {
	if i == 0 {
		return b.rows[:b.ends[0]]
	}
	return b.rows[b.ends[i-1]:b.ends[i]]
}

// read reads on. Accounts are asked for together while they have few rows, in
// batches that cannot exceed what is left of the total.
func (b *baitReader) read(ctx context.Context, order []arrival) (err error) {
	defer caught(&err)
	var queries []ledger.Query
	for n := 1; len(order) > 0 && b.left > 0; order = order[n:] {
		if n = min(baitBatch, len(order)); len(b.order) == 0 || len(b.pages.Rows) > MaxGuardRows/baitBatch || b.left < baitBatch*MaxGuardRows {
			n = 1
		}
		queries = queries[:0]
		for _, x := range order[:n] {
			queries = append(queries, ledger.Query{
				Account: x.account, After: x.at, Until: b.s.head(x.at.Chain.ID()), Limit: min(MaxGuardRows, b.left), Brief: true,
			})
		}
		b.pages.Reset()
		if err := b.s.r.Activity(ctx, queries, &b.pages); err != nil {
			return err
		}
		if err := b.learn(ctx, b.pages.Rows); err != nil {
			return err
		}
		for i, x := range order[:n] {
			b.look(b.pages.Page(i))
			b.order, b.ends = append(b.order, x), append(b.ends, len(b.rows))
		}
	}
	return nil
}

// look keeps those of an account's rows that may be bait.
func (b *baitReader) look(rows []ledger.Row, _ bool) {
	for i := range rows {
		w := &rows[i]
		if b.left--; b.s.until != 0 && w.Time > b.s.until {
			return
		}
		if b.suspects(w) {
			b.rows = append(b.rows, *w)
		}
	}
}

// suspects says whether a row may be bait: it moves nothing, or next to
// nothing, or an asset that may imitate another.
func (b *baitReader) suspects(w *ledger.Row) bool {
	if w.Kind == chain.KindFee || w.Kind == chain.KindAdjustment || w.From == w.To || w.From == 0 || w.To == 0 {
		return false
	}
	if w.Amount.IsZero() {
		return true
	}
	if b.plain[w.Asset%plainAssets] == w.Asset {
		return false
	}
	x, ok := b.assets[w.Asset]
	return ok && (x.foreign || w.Amount.Less(x.dust))
}

// learn looks the assets of rows up that were not met before.
func (b *baitReader) learn(ctx context.Context, rows []ledger.Row) error {
	var refs []ledger.AssetRef
	for i := range rows {
		a := rows[i].Asset
		if at := &b.plain[a%plainAssets]; *at != a {
			if _, ok := b.assets[a]; !ok {
				*at = a
				refs = append(refs, a)
			}
		}
	}
	names, err := b.s.r.Assets(ctx, refs)
	if err != nil {
		return err
	}
	for i, ref := range refs {
		info, ok := b.s.r.Registry().Info(names[i])
		if !ok {
			continue
		}
		if at := &b.plain[ref%plainAssets]; *at == ref {
			*at = 0
		}
		_, known := b.known.Info(names[i])
		b.assets[ref] = baitAsset{foreign: !known, dust: dustLimit(info.Decimals)}
	}
	return nil
}
