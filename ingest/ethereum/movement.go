package ethereum

import (
	"fmt"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// transferTopic is the topic of Transfer(address,address,uint256) (ERC-20).
var transferTopic = keccak([]byte("Transfer(address,address,uint256)"))

// MaxFrames bounds the frames of one transaction, and MaxFrameDepth their
// nesting: the EVM's own bound is 1024 calls deep.
const (
	MaxFrames     = 1 << 20
	MaxFrameDepth = 1025
)

// weiPerGwei scales the amounts of withdrawals (EIP-4895).
const weiPerGwei = 1_000_000_000

// Keep says which call inputs and logs are kept for links: by selector (the
// first four bytes of a call's input) and by first topic. Nil keeps none.
type Keep struct {
	Call func(selector [4]byte) bool
	Log  func(topic [32]byte) bool
}

// movements turns one checked block into facts.
type movements struct {
	id    chain.ID
	block *block
	time  chain.Time
	keep  Keep

	facts ledger.Facts
	what  ledger.Cover
	equal map[chain.Transfer]uint32 // Nth of the next equal movement of the transaction
}

// moved states what a block moved. frames holds the root frame of each
// transaction, or is nil when the node traces none.
func moved(id chain.ID, b *block, receipts []receipt, frames []*frame, keep Keep) (*ledger.LiveBlock, error) {
	m := movements{
		id: id, block: b, time: chain.Time(b.Timestamp) * 1000, keep: keep,
		what: ledger.CoverNative | ledger.CoverFees | ledger.CoverTokens,
	}
	if frames != nil {
		m.what |= ledger.CoverInternal
	}
	for i := range b.Transactions {
		var root *frame
		if frames != nil {
			root = frames[i]
		}
		if err := m.transaction(&b.Transactions[i], &receipts[i], root); err != nil {
			return nil, errs.Wrap("read block", b.Transactions[i].Hash.String(), err)
		}
	}
	m.withdrawals()
	return &ledger.LiveBlock{
		Block: ledger.BlockFact{
			Chain: id, Number: uint64(b.Number), Hash: ledger.Hash(b.Hash), Parent: ledger.Hash(b.ParentHash),
			Time: m.time, HasTime: true,
		},
		Facts: m.facts, What: m.what,
	}, nil
}

func (m *movements) transaction(t *transaction, r *receipt, root *frame) error {
	m.equal = nil
	status := statusOf(t, r, root)
	m.facts.Txs = append(m.facts.Txs, ledger.TxFact{
		Chain: m.id, Tx: t.Hash.tx(), Block: uint64(m.block.Number), Index: uint32(t.Index),
		Time: m.time, HasTime: true, Status: status,
	})
	fee, err := feeOf(t, r)
	if err != nil {
		return err
	}
	m.add(t, chain.KindFee, 0, m.account(t.From), chain.Account{}, m.id.Native(), fee)
	switch status {
	case ledger.StatusFailed:
		return nil
	case ledger.StatusUnknown: // nothing is invented: the value may not have moved
		m.what &^= ledger.CoverNative
		return nil
	}
	to := t.To
	if to == nil {
		to = r.Contract
	}
	if to == nil {
		return errs.New("", errs.Invalid, "", "it creates a contract, but its receipt names none", "ask another node")
	}
	m.add(t, chain.KindNative, 0, m.account(t.From), m.account(*to), m.id.Native(), t.Value.Amount)
	m.note(t, ledger.Call{From: m.account(t.From), To: m.account(*to), Input: t.Input})
	if root != nil {
		n := uint32(0)
		if err := m.frames(t, root.Calls, &n, 1); err != nil {
			return err
		}
	}
	return m.logs(t, r)
}

// statusOf reads how a transaction ended: from the receipt since Byzantium
// (EIP-658), before it from the trace where there is one. Without either, one
// that left gas over cannot have failed, because a failure took it all then
// (the REVERT instruction came with that fork).
func statusOf(t *transaction, r *receipt, root *frame) ledger.TxStatus {
	switch {
	case r.Status != nil && *r.Status == 0, r.Status == nil && root != nil && root.Error != "":
		return ledger.StatusFailed
	case r.Status != nil, root != nil, r.GasUsed < t.Gas:
		return ledger.StatusSucceeded
	}
	return ledger.StatusUnknown
}

// feeOf is gas used times the effective price, the blobs' gas (EIP-4844) and a
// rollup's data fee. Nodes from before EIP-1559 give the transaction's price.
func feeOf(t *transaction, r *receipt) (chain.Amount, error) {
	price := r.Price
	if price == nil {
		price = t.GasPrice
	}
	if price == nil {
		return chain.Amount{}, errs.New("", errs.Invalid, "", "neither receipt nor transaction gives the price of gas", "ask another node")
	}
	fee, ok := times(price.Amount, uint64(r.GasUsed))
	if ok && r.BlobGasUsed != nil && r.BlobGasPrice != nil {
		var blobs chain.Amount
		if blobs, ok = times(r.BlobGasPrice.Amount, uint64(*r.BlobGasUsed)); ok {
			fee, ok = fee.Add(blobs)
		}
	}
	if ok {
		fee, ok = fee.Add(r.L1Fee.value())
	}
	if !ok {
		return fee, errs.New("", errs.Invalid, "", "its fee is beyond 2^256", "ask another node")
	}
	return fee, nil
}

func times(a chain.Amount, n uint64) (chain.Amount, bool) {
	return a.MulDiv(chain.Units(n), chain.Units(1))
}

// frames states the internal transfers of successful frames. n is the rank of
// the last frame seen, in the order of trace addresses; the root has rank 0.
func (m *movements) frames(t *transaction, calls []frame, n *uint32, depth int) error {
	if depth > MaxFrameDepth {
		return errs.New("", errs.Limit, "", "its calls nest deeper than the EVM allows", "ask another node")
	}
	for i := range calls {
		f := &calls[i]
		if *n++; *n > MaxFrames {
			return errs.New("", errs.Limit, "", fmt.Sprintf("it has more than %d frames", MaxFrames), "ask another node")
		}
		if f.Error != "" {
			*n += count(f.Calls) // their ranks are taken all the same
			continue
		}
		if err := m.frame(t, f, *n); err != nil {
			return err
		}
		if err := m.frames(t, f.Calls, n, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// count is how many frames there are, at most a little over MaxFrames.
func count(calls []frame) uint32 {
	n := uint32(len(calls))
	for i := range calls {
		if n > MaxFrames {
			return n
		}
		n += count(calls[i].Calls)
	}
	return n
}

func (m *movements) frame(t *transaction, f *frame, rank uint32) error {
	switch f.Type {
	case "CALL", "CREATE", "CREATE2", "SELFDESTRUCT":
	case "DELEGATECALL", "CALLCODE", "STATICCALL":
		return nil
	default:
		return errs.New("", errs.Invalid, "", fmt.Sprintf("a frame of the unknown type %.20q", f.Type), "ask another node, or follow without the tracer")
	}
	if f.To == nil && f.Type == "SELFDESTRUCT" {
		m.what &^= ledger.CoverInternal // old tracers do not say whom it pays
		return nil
	}
	if f.To == nil {
		return errs.New("", errs.Invalid, "", "a frame of type "+f.Type+" does not say whom it pays", "ask another node")
	}
	from, to := m.account(f.From), m.account(*f.To)
	if f.Type == "CALL" {
		m.note(t, ledger.Call{Ordinal: rank, From: from, To: to, Input: f.Input})
	}
	m.add(t, chain.KindInternal, rank, from, to, m.id.Native(), f.Value.value())
	return nil
}

// logs states token transfers. The zero address in one is the zero account:
// minted or burnt (ERC-20, section Events).
func (m *movements) logs(t *transaction, r *receipt) error {
	for i := range r.Logs {
		l := &r.Logs[i]
		if len(l.Topics) == 0 {
			continue
		}
		m.noteLog(t, l)
		if l.Topics[0] != transferTopic || len(l.Topics) != 3 || len(l.Data) != 32 {
			continue
		}
		value, _ := chain.AmountFromBytes(l.Data)
		m.add(t, chain.KindToken, uint32(l.Index), m.party(l.Topics[1]), m.party(l.Topics[2]),
			chain.Token(m.account(l.Address)), value)
	}
	return nil
}

// party is the address in a topic; the zero address is no account.
func (m *movements) party(topic hash) chain.Account {
	a := address(topic[12:])
	if a == (address{}) {
		return chain.Account{}
	}
	return m.account(a)
}

func (m *movements) withdrawals() {
	m.equal = nil
	for i := range m.block.Withdrawals {
		w := &m.block.Withdrawals[i]
		value, _ := times(chain.Units(uint64(w.Gwei)), weiPerGwei)
		m.put(chain.Transfer{
			Chain: m.id, Time: m.time, Block: uint64(m.block.Number), Index: chain.NoIndex,
			Kind: chain.KindAdjustment, Ordinal: uint32(i),
			To: m.account(w.Address), Asset: m.id.Native(), Amount: value,
		})
	}
}

func (m *movements) account(a address) chain.Account { return chain.EVM(m.id, a) }

func (m *movements) add(t *transaction, kind chain.Kind, ordinal uint32, from, to chain.Account, asset chain.Asset, value chain.Amount) {
	m.put(chain.Transfer{
		Chain: m.id, Time: m.time, Block: uint64(m.block.Number), Index: uint32(t.Index), Tx: t.Hash.tx(),
		Kind: kind, Ordinal: ordinal, From: from, To: to, Asset: asset, Amount: value,
	})
}

// put numbers equal movements and leaves out native ones of nothing: most
// calls carry no value. A token transfer of nothing is kept, for it is how
// look-alike addresses are planted.
func (m *movements) put(tr chain.Transfer) {
	if tr.Amount.IsZero() && tr.Kind != chain.KindToken {
		return
	}
	key := tr
	key.Ordinal = 0
	if m.equal == nil {
		m.equal = map[chain.Transfer]uint32{}
	}
	tr.Nth = m.equal[key]
	m.equal[key]++
	m.facts.Transfers = append(m.facts.Transfers, tr)
}

func (m *movements) note(t *transaction, c ledger.Call) {
	if m.keep.Call == nil || len(c.Input) < 4 || !m.keep.Call([4]byte(c.Input)) {
		return
	}
	m.facts.Notes = append(m.facts.Notes, ledger.NoteFact{Chain: m.id, Tx: t.Hash.tx(), Call: &c})
}

func (m *movements) noteLog(t *transaction, l *event) {
	if m.keep.Log == nil || !m.keep.Log(l.Topics[0]) {
		return
	}
	topics := make([]ledger.Hash, len(l.Topics))
	for i, x := range l.Topics {
		topics[i] = ledger.Hash(x)
	}
	m.facts.Notes = append(m.facts.Notes, ledger.NoteFact{Chain: m.id, Tx: t.Hash.tx(), Log: &ledger.Log{
		Index: uint32(l.Index), Address: m.account(l.Address), Topics: topics, Data: l.Data,
	}})
}
