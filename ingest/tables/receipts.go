package tables

import (
	"encoding/hex"
	"errors"

	"bongsu/chain"
	"bongsu/ingest"
	"bongsu/ledger"
)

// A transaction says who sent how much to whom; only its receipt says whether
// that happened, what it cost and which contract was made. ethereum-etl writes
// the two into two tables, which come in either order.

// txPart is a transaction without its receipt.
type txPart struct {
	source int
	line   int64
	tx     chain.TxID
	block  uint64
	index  uint32
	time   chain.Time
	from   chain.Account
	to     chain.Account // the zero: a creation
	value  chain.Amount
	lost   []byte // how the row has a value that may have been rounded, and so is not known; else nil
	gas    uint64 // its limit; 0: not given
	price  chain.Amount
	priced bool
	input  []byte // as the row has it; nil unless links need it
}

// receiptPart is a receipt without its transaction.
type receiptPart struct {
	tx      chain.TxID
	used    uint64
	status  ledger.TxStatus
	price   chain.Amount
	priced  bool
	created chain.Account
	extra   chain.Amount // blob gas and a rollup's data fee
}

// transaction is a row of transactions, with the receipt's columns or without.
func (e *etl) transaction(r record) error {
	p := &e.tx
	if err := e.txPart(p, r); err != nil {
		return err
	}
	var err error
	var rc *receiptPart
	if len(r[txUsed]) > 0 {
		c := receiptPart{tx: p.tx}
		err = e.receiptCells(&c, r[txUsed:], &joinedNames)
		if err != nil {
			return err
		}
		rc = &c
	}
	fact := ledger.TxFact{Chain: e.id, Tx: p.tx, Block: p.block, Index: p.index, Time: p.time, HasTime: p.time != 0}
	if rc == nil {
		e.apart = true
		if err := e.out.Tx(fact); err != nil {
			return err
		}
		return e.join.addTx(p)
	}
	fact.Status = ended(p, rc)
	if fact.Status != ledger.StatusFailed && p.lost != nil || fact.Status == ledger.StatusUnknown && p.pays() { // traces may tell
		e.late = true
		if err := e.out.Tx(fact); err != nil {
			return err
		}
		if err := e.join.addTx(p); err != nil {
			return err
		}
		return e.join.addReceipt(rc)
	}
	list, err := settled(e.moves[:0], p, rc, fact.Status)
	if err != nil {
		return err
	}
	return e.tell(p, &fact, list)
}

// tell states how a transaction ended and what it moved.
func (e *etl) tell(p *txPart, fact *ledger.TxFact, list []chain.Transfer) error {
	e.moves = list
	if err := e.out.Tx(*fact); err != nil {
		return err
	}
	for i := range list {
		if err := e.out.Transfer(&list[i]); err != nil {
			return err
		}
	}
	if fact.Status != ledger.StatusSucceeded {
		return nil
	}
	return p.keepCall(e.out)
}

// pays says whether the transaction was to move coin.
func (p *txPart) pays() bool { return p.lost != nil || !p.value.IsZero() }

func (e *etl) txPart(p *txPart, r record) (err error) {
	*p = txPart{source: e.out.Source(), line: e.at.Line}
	if p.tx, err = e.hash(r[txHash], "hash"); err != nil {
		return err
	}
	if p.block, err = e.uint(r[txBlock], "block_number", chain.NoBlock); err != nil {
		return err
	}
	if p.index, err = e.uint32(r[txIndex], "transaction_index", chain.NoIndex); err != nil {
		return err
	}
	if p.time, err = e.when(r[txTime], "block_timestamp", p.block); err != nil {
		return err
	}
	if p.from, err = e.account(r[txFrom], "from_address"); err != nil {
		return err
	}
	if p.to, err = e.account(r[txTo], "to_address"); err != nil {
		return err
	}
	if p.value, err = e.amount(r[txValue], "value"); errors.Is(err, ingest.ErrRounded) {
		p.lost = r[txValue][1:]
	} else if err != nil {
		return err
	}
	if p.gas, err = e.uint(r[txGas], "gas", 0); err != nil {
		return err
	}
	if !p.to.IsZero() && keepsInput(e.out, r[txInput]) {
		p.input = r[txInput]
	}
	p.priced = len(r[txGasPrice]) > 0
	if p.price, err = e.amount(r[txGasPrice], "gas_price"); err != nil {
		return err
	}
	switch {
	case p.from.IsZero():
		return wrongf("from_address", "", "the row names no sender", "mend the row or export it again")
	case len(r[txValue]) == 0:
		return wrongf("value", "", "the row has no amount", "mend the row or export it again")
	case p.block == chain.NoBlock && p.time == 0:
		return wrongf("block_number", "", "the row has no block", "mend the row or export it again")
	}
	return nil
}

// receipt is a row of receipts.
func (e *etl) receipt(r record) error {
	var p receiptPart
	var err error
	if p.tx, err = e.hash(r[rcHash], "transaction_hash"); err != nil {
		return err
	}
	block, err := e.uint(r[rcBlock], "block_number", chain.NoBlock)
	if err != nil {
		return err
	}
	index, err := e.uint32(r[rcIndex], "transaction_index", chain.NoIndex)
	if err != nil {
		return err
	}
	if len(r[rcUsed]) == 0 {
		return wrongf("gas_used", "", "the receipt does not say what gas was used", "mend the row or export it again")
	}
	err = e.receiptCells(&p, r[rcUsed:], &receiptNames)
	if err != nil {
		return err
	}
	e.blocks.saw(block)
	t := e.times.of(block)
	if err := e.out.Tx(ledger.TxFact{Chain: e.id, Tx: p.tx, Block: block, Index: index, Time: t, HasTime: t != 0, Status: p.status}); err != nil {
		return err
	}
	return e.join.addReceipt(&p)
}

// The order in which both tables have a receipt's own columns.
const (
	cellUsed = iota
	cellStatus
	cellPrice
	cellCreated
	cellBlobUsed
	cellBlobPrice
	cellL1Fee
	receiptColumns
)

// The receipt's columns, as the two tables call them.
var (
	receiptNames = [receiptColumns]string{"gas_used", "status", "effective_gas_price", "contract_address", "blob_gas_used", "blob_gas_price", "l1_fee"}
	joinedNames  = [receiptColumns]string{
		"receipt_gas_used", "receipt_status", "receipt_effective_gas_price", "receipt_contract_address",
		"receipt_blob_gas_used", "receipt_blob_gas_price", "receipt_l1_fee",
	}
)

func (e *etl) receiptCells(p *receiptPart, r record, names *[receiptColumns]string) (err error) {
	if p.used, err = e.uint(r[cellUsed], names[cellUsed], 0); err != nil {
		return err
	}
	if p.status, err = ending(r[cellStatus], names[cellStatus]); err != nil {
		return err
	}
	p.priced = len(r[cellPrice]) > 0
	if p.price, err = e.amount(r[cellPrice], names[cellPrice]); err != nil {
		return err
	}
	if p.created, err = e.account(r[cellCreated], names[cellCreated]); err != nil {
		return err
	}
	blobs, err := e.uint(r[cellBlobUsed], names[cellBlobUsed], 0)
	if err != nil {
		return err
	}
	each, err := e.amount(r[cellBlobPrice], names[cellBlobPrice])
	if err != nil {
		return err
	}
	l1, err := e.amount(r[cellL1Fee], names[cellL1Fee])
	if err != nil {
		return err
	}
	extra, ok := each.MulDiv(chain.Units(blobs), chain.Units(1))
	if ok {
		p.extra, ok = extra.Add(l1)
	}
	if !ok {
		return wrongf(names[cellBlobPrice], "", "the fee is beyond 2^256", "mend the row or export it again")
	}
	return nil
}

// ending reads a status.
func ending(v []byte, column string) (ledger.TxStatus, error) {
	switch string(v) {
	case "":
		return ledger.StatusUnknown, nil
	case "1", "1.0": // see uint
		return ledger.StatusSucceeded, nil
	case "0", "0.0":
		return ledger.StatusFailed, nil
	}
	return ledger.StatusUnknown, wrongf(column, clip(string(v)), "neither 0 (failed) nor 1", "mend the row or export it again")
}

// ended says how a transaction ended. Receipts from before the Byzantium fork
// do not say; a transaction that left gas over cannot have failed then, because
// a failure took it all (the REVERT instruction came with that fork).
func ended(p *txPart, r *receiptPart) ledger.TxStatus {
	if r.status == ledger.StatusUnknown && p.gas > 0 && r.used < p.gas {
		return ledger.StatusSucceeded
	}
	return r.status
}

// settled appends what a transaction moved, by its receipt: its fee, and unless
// it failed its value.
func settled(out []chain.Transfer, p *txPart, r *receiptPart, status ledger.TxStatus) ([]chain.Transfer, error) {
	price := r.price
	if !r.priced {
		if !p.priced {
			return nil, wrongf("gas_price", "", "neither transaction nor receipt gives the price of gas", "export receipts with effective_gas_price")
		}
		price = p.price
	}
	fee, ok := price.MulDiv(chain.Units(r.used), chain.Units(1))
	if ok {
		fee, ok = fee.Add(r.extra)
	}
	if !ok {
		return nil, wrongf("gas_price", "", "the fee is beyond 2^256", "mend the row or export it again")
	}
	base := chain.Transfer{
		Chain: p.from.Chain(), Tx: p.tx, Block: p.block, Index: p.index, Time: p.time,
		Kind: chain.KindFee, From: p.from, Asset: p.from.Chain().Native(), Amount: fee,
	}
	if !fee.IsZero() {
		out = append(out, base)
	}
	if status == ledger.StatusFailed || p.value.IsZero() {
		return out, nil
	}
	base.Kind, base.Amount, base.To = chain.KindNative, p.value, p.to
	if p.to.IsZero() {
		if base.To = r.created.On(base.Chain); r.created.IsZero() {
			return nil, wrongf("to_address", "", "it creates a contract that its receipt does not name", "export the receipt again")
		}
	}
	return append(out, base), nil
}

// keepCall keeps the call input of a transaction that succeeded, where links
// need it.
func (p *txPart) keepCall(out *ingest.Output) error {
	if p.input == nil {
		return nil
	}
	return note(out, p.tx, p.block, 0, p.from, p.to, p.input)
}

// keepsInput says whether a call's input, in hexadecimal, is one that links need.
func keepsInput(out *ingest.Output, input []byte) bool {
	var selector [4]byte
	return len(input) >= 10 && unhex(selector[:], input[2:10]) && out.KeepsCall(selector)
}

// note keeps a call's input, in hexadecimal. block is its transaction's, or
// chain.NoBlock.
func note(out *ingest.Output, tx chain.TxID, block uint64, rank uint32, from, to chain.Account, input []byte) error {
	data, err := hex.DecodeString(string(input[2:]))
	if err != nil {
		return nil //nolint:nilerr // a link has nothing to read there; the transfer stands
	}
	n := ledger.NoteFact{Chain: from.Chain(), Tx: tx, Call: &ledger.Call{Ordinal: rank, From: from, To: to, Input: data}}
	if block != chain.NoBlock {
		n.Block, n.HasBlock = block, true
	}
	return out.Log(n)
}
