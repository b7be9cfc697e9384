package ledger

import (
	"bongsu/chain"
	"bongsu/errs"
)

// EVMTransfer is a token transfer or native payment of an EVM chain in the
// form in which bulk files have it. Block is known; the rest is as in
// chain.Transfer.
type EVMTransfer struct {
	Block    uint64
	Time     chain.Time // 0: not given
	Index    uint32     // chain.NoIndex: not given
	Ordinal  uint32
	Row, Nth uint32
	Kind     chain.Kind
	Tx       [32]byte
	From, To [20]byte // the zero address stays what it is on the chain: an account; NoFrom and NoTo leave a side out
	Contract [20]byte // the token; ignored unless Kind is KindToken
	NoFrom   bool
	NoTo     bool
	Amount   chain.Amount
}

// AddEVM gathers transfers of one EVM chain without the cost of Facts. The
// slice is the caller's again when it returns.
func (im *Import) AddEVM(id chain.ID, transfers []EVMTransfer) error {
	if err := checkChain(id); err != nil {
		return err
	}
	if !id.EVM() {
		return errs.New("import", errs.Usage, string(id), "not an EVM chain", "add its transfers as Facts")
	}
	if err := checkEVM(id, transfers); err != nil {
		return err
	}
	if !im.bulk && im.fits(len(transfers)) {
		im.hold(id, transfers)
		return nil
	}
	if !im.bulk {
		if err := im.grow(); err != nil {
			return err
		}
	}
	return im.routeEVM(id, transfers)
}

// heldEVM is transfers of an import that is small yet: as facts they would take
// twice the memory, and hold pointers that the collector follows.
type heldEVM struct {
	id   chain.ID
	list []EVMTransfer
}

// heldAtOnce is how many there is room for at once, at most.
const heldAtOnce = 1 << 12

func (im *Import) hold(id chain.ID, transfers []EVMTransfer) {
	im.holds += len(transfers)
	if n := len(im.held); n > 0 && im.held[n-1].id == id {
		last := &im.held[n-1]
		k := min(len(transfers), cap(last.list)-len(last.list))
		last.list = append(last.list, transfers[:k]...)
		transfers = transfers[k:]
	}
	if len(transfers) > 0 {
		list := make([]EVMTransfer, 0, max(min(im.holds, heldAtOnce), len(transfers)))
		im.held = append(im.held, heldEVM{id, append(list, transfers...)})
	}
}

// expand makes facts of what is held: the import is small for now.
func (im *Import) expand() {
	for _, h := range im.held {
		for i := range h.list {
			im.facts.Transfers = append(im.facts.Transfers, h.list[i].Transfer(h.id))
		}
	}
	im.held, im.holds = nil, 0
}

// routeEVM puts transfers into runs.
func (im *Import) routeEVM(id chain.ID, transfers []EVMTransfer) error {
	for len(transfers) > 0 {
		b, err := im.buffer(id)
		if err != nil {
			return err
		}
		n := min(len(transfers), evmBatch)
		b.evm(transfers[:n])
		transfers = transfers[n:]
	}
	return nil
}

func checkEVM(id chain.ID, transfers []EVMTransfer) error {
	for i := range transfers {
		if t := &transfers[i]; t.Block == chain.NoBlock || t.Tx == [32]byte{} || t.Kind == chain.KindNone {
			return errs.New("import", errs.Invalid, string(id), "a transfer without block, transaction or kind", "add it as a chain.Transfer")
		}
	}
	return nil
}

// Transfer is the same as a fact.
func (t *EVMTransfer) Transfer(id chain.ID) chain.Transfer {
	tx, _ := chain.NewTxID(t.Tx[:])
	f := chain.Transfer{
		Chain: id, Time: t.Time, Block: t.Block, Index: t.Index, Tx: tx, Kind: t.Kind,
		Ordinal: t.Ordinal, Row: t.Row, Nth: t.Nth, Asset: id.Native(), Amount: t.Amount,
	}
	if t.Kind == chain.KindToken {
		f.Asset = chain.Token(chain.EVM(id, t.Contract))
	}
	if !t.NoFrom {
		f.From = chain.EVM(id, t.From)
	}
	if !t.NoTo {
		f.To = chain.EVM(id, t.To)
	}
	return f
}
