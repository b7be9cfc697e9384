package tables

import (
	"cmp"
	"slices"
	"strconv"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
)

// Traces that ethereum-etl takes from geth say at which place of its block a
// transaction stands, and not which it is: debug_traceBlockByNumber did not. The
// ledger names it, where it holds the block's transactions.

// stateUnnamed states the frames of one block, which name no transactions.
func (e *etl) stateUnnamed(list []frame) error {
	slices.SortStableFunc(list, func(a, b frame) int { return cmp.Compare(a.place.Index, b.place.Index) })
	count := int(list[len(list)-1].place.Index) + 1
	if count > len(list) {
		return e.rejectBlock(&list[0], "the block's traces lack those of some transactions, so nothing says which is which", "export the traces of the block again")
	}
	senders, groups := make([]chain.Account, count), make([][]frame, count)
	for rest := list; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].place.Index == rest[0].place.Index {
			n++
		}
		at := rest[0].place.Index
		groups[at], rest = rest[:n:n], rest[n:]
		if root := slices.IndexFunc(groups[at], func(f frame) bool { return len(f.path) == 0 }); root >= 0 {
			senders[at] = groups[at][root].from
		}
	}
	names, err := e.out.BlockTxs(e.id, list[0].place.Block, senders)
	if err != nil {
		return err
	}
	if names == nil {
		return e.rejectBlock(&list[0], "the frames name no transactions, and the ledger does not hold the "+strconv.Itoa(count)+" of the block at their places",
			"import the tables of transactions and receipts of these blocks, from ethereum-etl, before or in the same command")
	}
	for i, group := range groups {
		for k := range group {
			group[k].place.Tx = names[i]
		}
		if err := e.stateFrames(group); err != nil {
			return err
		}
	}
	return nil
}

// rejectBlock rejects the frames of a block in one row: that of the source where
// it stands for the whole block, else the block's number.
func (e *etl) rejectBlock(first *frame, why, hint string) error {
	row := e.line
	if row == nil {
		row = strconv.AppendUint(nil, first.place.Block, 10)
	}
	return e.out.Reject(ingest.Place{Line: first.line, Column: "transaction_hash"}, row,
		errs.New("", errs.Invalid, "block "+strconv.FormatUint(first.place.Block, 10), why, hint))
}
