package trace

import (
	"context"

	"bongsu/chain"
	"bongsu/ledger"
)

// What an account held of a wrapped coin is what came and went of the token, and
// what it wrapped and unwrapped, in order, by definition 3: a spend beyond the
// balance leaves zero. The ledger keeps running balances of the token's own
// rows, and two that are cut off at zero do not combine to the one of both. But
// between two links only the token's own rows count, and there the ledger's sums
// often say what they do (leap). So the account's links are read, few of its
// rows of coin as they may be, and the token's own rows where they have to be.

// heldWrapped is the running balance of a wrapped coin before a place.
func (s *sim) heldWrapped(ctx context.Context, x *wrapper, account ledger.AccountRef, before ledger.Key) (chain.Amount, error) {
	h := holding{
		pages: &s.pages, key: bookKey{account, x.token}, before: before,
		links: cursor{more: true, query: ledger.Query{Account: account, Asset: x.coin, With: x.contract, Until: before, Limit: lastPage}},
		own:   cursor{query: ledger.Query{Account: account, Asset: x.token, Until: before, Limit: leapPage}},
	}
	h.own.more = x.token < firstOwnAsset
	h.turns = turns{all: s.wrappers, r: s.r, see: func(w *ledger.Row) (err error) {
		h.held, err = s.wrappers.running(h.key, h.held, w)
		return err
	}}
	err := h.run(ctx)
	return h.held, err
}

// leapPage is how many of the token's own rows are read before a leap is tried:
// so many cost about as much.
const leapPage = 64

// holding sums up a book of a wrapped coin.
type holding struct {
	turns
	pages  *ledger.Pages
	key    bookKey
	before ledger.Key

	links, own cursor
	held       chain.Amount // before what turns has
	linked     ledger.TxRef // of the last link
	met        bool         // a link came among the rows of the last page of own
}

func (h *holding) run(ctx context.Context) error {
	for {
		if err := h.links.fill(ctx, h.r, h.pages); err != nil {
			return err
		}
		if err := h.next(ctx); err != nil {
			return err
		}
		switch {
		case h.own.empty() && h.links.empty():
			return h.end(ctx)
		case h.links.empty() || !h.own.empty() && h.own.row().Key.Compare(h.links.row().Key) < 0:
			if err := h.add(ctx, &h.own); err != nil {
				return err
			}
		default:
			h.linked, h.met = h.links.row().Tx, h.met || h.own.at > 0
			if err := h.add(ctx, &h.links); err != nil {
				return err
			}
		}
	}
}

// next loads the next page of the token's own rows when the last one is used
// up, beyond what a leap passes over.
func (h *holding) next(ctx context.Context) error {
	own := &h.own
	if !own.empty() || !own.more {
		return nil
	}
	last, until := own.query.After, h.before // all up to last was read
	if !h.links.empty() {
		until = firstOf(h.links.row().Key)
	}
	within := len(h.tx) > 0 && h.linked != 0 && h.tx[0].Tx == h.linked // of a link, of which there may be more
	if !h.met && !within && last.Compare(until) < 0 {
		if err := h.end(ctx); err != nil {
			return err
		}
		leapt, err := h.leap(ctx, last, until)
		if err != nil {
			return err
		}
		if leapt {
			own.more = !h.links.empty()
			own.query.After, own.query.Limit = until, leapPage
			if !own.more {
				return nil
			}
		}
	}
	h.met = false
	return own.fill(ctx, h.r, h.pages)
}

// leap lets all of the token's own rows from one place to another happen at
// once, without a link between them, where the running balances of its own rows
// at both places say what they do.
//
// With A the balance and D what it lacked (ledger.Balance.Below) at a place, the
// rows of a stretch add up to (A2-D2) - (A1-D1), and the sum of some first of
// them is as low as -(A1+D2-D1) or, where D2 = D1, not below -A1. So a balance
// of A1+D2-D1 or more is never cut off at zero; a lower one is where D2 > D1, and
// ends as the token's own; and else only the rows tell.
func (h *holding) leap(ctx context.Context, after, until ledger.Key) (bool, error) {
	asked := []ledger.BalanceQuery{{Account: h.key.account, Asset: h.key.asset, Before: until}}
	if !after.IsZero() {
		after.Rank++ // a row's place, and it happened
		asked = append(asked, ledger.BalanceQuery{Account: h.key.account, Asset: h.key.asset, Before: after})
	}
	had, err := h.r.Balances(ctx, asked)
	if err != nil {
		return false, err
	}
	var from ledger.Balance
	to := had[0]
	if len(had) > 1 {
		from = had[1]
	}
	need, ok := from.Amount.Add(to.Below.MustSub(from.Below))
	switch {
	case !ok:
		return false, nil
	case !h.held.Less(need):
		if h.held, ok = h.held.MustSub(need).Add(to.Amount); !ok {
			return false, overflow()
		}
	case from.Below.Less(to.Below):
		h.held = to.Amount
	default:
		return false, nil
	}
	return true, nil
}

// firstOf is the place before the first row of a row's transaction.
func firstOf(k ledger.Key) ledger.Key {
	k.Kind, k.Ordinal, k.Row, k.Rank = 0, 0, 0, 0
	return k
}
