package ethereum

import (
	"fmt"

	"bongsu/chain"
	"bongsu/errs"
)

// plain are chains whose headers, transactions and receipts are encoded as
// Ethereum's: what does not hash to its name there is forged. On others a first
// block that does not match only says that the encoding is not known here.
func plain(id chain.ID) bool {
	switch id {
	case chain.Ethereum, "eip155:11155111", "eip155:17000", "eip155:560048", // Sepolia, Holesky, Hoodi
		"eip155:1337", "eip155:31337": // development chains
		return true
	}
	return false
}

// development says whether accounts of a chain may act without a signature, as
// development nodes let them.
func development(id chain.ID) bool { return id == "eip155:1337" || id == "eip155:31337" }

// checkSenders holds that each transaction was signed by the account that the
// node calls its sender.
func (b *block) checkSenders() error {
	for i := range b.Transactions {
		t := &b.Transactions[i]
		if a, ok := t.signer(); !ok || a != t.From {
			return b.forged(fmt.Sprintf("transaction %s was not signed by 0x%x, which the node calls its sender", t.Hash, t.From[:]))
		}
	}
	return nil
}

// checkList holds that a block's transactions are its own, in order, and (when
// strict) those that the header commits to.
func (b *block) checkList(strict bool) error {
	items := make([][]byte, 0, len(b.Transactions))
	known := true
	for i := range b.Transactions {
		t := &b.Transactions[i]
		if t.BlockHash != b.Hash || uint64(t.Index) != uint64(i) {
			return b.forged(fmt.Sprintf("transaction %d says that it stands in another place", i))
		}
		item, ok := t.encode()
		if known = known && ok; !known {
			continue
		}
		if strict && keccak(item) != t.Hash {
			return b.forged(fmt.Sprintf("transaction %d does not hash to %s", i, t.Hash))
		}
		items = append(items, item)
	}
	if strict && known && listRoot(items) != b.TransactionsRoot {
		return b.forged("its transactions are not those that its header commits to")
	}
	if strict && b.WithdrawalsRoot != nil {
		items = items[:0]
		for i := range b.Withdrawals {
			items = append(items, b.Withdrawals[i].encode())
		}
		if listRoot(items) != *b.WithdrawalsRoot {
			return b.forged("its withdrawals are not those that its header commits to")
		}
	}
	return nil
}

// checkReceipts holds that receipts belong to the transactions one by one, and
// (when strict) are those that the header commits to.
func (b *block) checkReceipts(receipts []receipt, strict bool) error {
	if len(receipts) != len(b.Transactions) {
		return b.forged(fmt.Sprintf("it has %d transactions, but the node gives %d receipts", len(b.Transactions), len(receipts)))
	}
	items := make([][]byte, 0, len(receipts))
	known, used := true, uint64(0)
	next := int64(0) // the least index of the next log
	for i := range receipts {
		r := &receipts[i]
		if r.TxHash != b.Transactions[i].Hash || r.BlockHash != b.Hash || uint64(r.Index) != uint64(i) {
			return b.forged(fmt.Sprintf("receipt %d is not that of transaction %s", i, b.Transactions[i].Hash))
		}
		if r.Status != nil && *r.Status > 1 {
			return b.forged(fmt.Sprintf("receipt %d: its status is neither 0 (failed) nor 1", i))
		}
		if uint64(r.Cumulative) < used || uint64(r.Cumulative)-used != uint64(r.GasUsed) {
			return b.forged(fmt.Sprintf("receipt %d: the gas used does not add up", i))
		}
		used = uint64(r.Cumulative)
		for j := range r.Logs {
			l := &r.Logs[j]
			if l.Removed || int64(l.Index) < next || l.Index > 1<<31 {
				return b.forged(fmt.Sprintf("receipt %d: log %d is out of order or removed", i, j))
			}
			next = int64(l.Index) + 1
		}
		item, ok := r.encode()
		known = known && ok
		items = append(items, item)
	}
	if strict && known && listRoot(items) != b.ReceiptsRoot {
		return b.forged("its receipts are not those that its header commits to")
	}
	return nil
}

// checkFrames holds that root frames belong to the transactions one by one.
func (b *block) checkFrames(traces []traced) ([]*frame, error) {
	if len(traces) != len(b.Transactions) {
		return nil, b.forged(fmt.Sprintf("it has %d transactions, but the node traces %d", len(b.Transactions), len(traces)))
	}
	frames := make([]*frame, len(traces))
	for i := range traces {
		t, tx := &traces[i], &b.Transactions[i]
		switch {
		case t.TxHash != nil && *t.TxHash != tx.Hash:
			return nil, b.forged(fmt.Sprintf("trace %d is not that of transaction %s", i, tx.Hash))
		case t.Result == nil:
			return nil, &errs.Error{
				Op: "trace", Kind: errs.Unavailable, Where: tx.Hash.String(),
				Why: fmt.Sprintf("the node could not trace it: %.200q", t.Error),
			}
		case t.Result.From != tx.From || t.Result.Value.value() != tx.Value.Amount ||
			tx.To != nil && (t.Result.To == nil || *t.Result.To != *tx.To):
			return nil, b.forged(fmt.Sprintf("the root frame of transaction %s is another call", tx.Hash))
		}
		frames[i] = t.Result
	}
	return frames, nil
}

func (b *block) forged(why string) error {
	return errs.New("read block", errs.Forged, fmt.Sprintf("block %d %s", uint64(b.Number), b.Hash), why, "follow another node")
}
