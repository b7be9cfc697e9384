package ledger

import (
	"bytes"
	"cmp"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
)

// coinTx is what is known of the inputs and outputs of a transaction of a UTXO
// chain, with accounts by reference. It is not changed once another part of
// the ledger has it.
type coinTx struct {
	coinbase bool
	ins      []coinIn
	outs     []coinOut
}

// coinIn is an input; the zero prev belongs to a coinbase. known says that a
// source stated account and value, which count only while the spent output is
// not held itself.
type coinIn struct {
	prev    OutPoint
	known   bool
	account AccountRef
	value   chain.Amount
}

type coinOut struct {
	account AccountRef
	value   chain.Amount
	data    []byte
}

// size is the number of inputs and outputs.
func (c *coinTx) size() int {
	if c == nil {
		return 0
	}
	return len(c.ins) + len(c.outs)
}

// coinsOf takes over a fact. account gives references, always in the same
// order for the same fact.
func coinsOf(u *UTXOTx, account func(chain.Account) AccountRef) *coinTx {
	c := &coinTx{coinbase: u.Coinbase}
	for i := range u.Outputs {
		o := &u.Outputs[i]
		out := coinOut{account: account(o.Account), value: o.Value}
		if len(o.Data) > 0 {
			out.data = slices.Clone(o.Data)
		}
		c.outs = append(c.outs, out)
	}
	for i := range u.Inputs {
		in := &u.Inputs[i]
		own := coinIn{prev: in.Prev, known: in.Known}
		if in.Known {
			own.account, own.value = account(in.Account), in.Value
		}
		c.ins = append(c.ins, own)
	}
	return c
}

// checkCoins refuses a transaction that no UTXO chain has.
func checkCoins(u *UTXOTx) error {
	if err := checkTx(u.Chain, u.Tx); err != nil {
		return err
	}
	for i := range u.Outputs {
		if err := checkHome(u.Chain, u.Tx, u.Outputs[i].Account); err != nil {
			return err
		}
	}
	for i := range u.Inputs {
		if err := checkHome(u.Chain, u.Tx, u.Inputs[i].Account); err != nil {
			return err
		}
	}
	why := ""
	switch {
	case !u.Chain.UTXO():
		why = "inputs and outputs on a chain that has none"
	case u.Time < 0:
		why = "its time is before 1970"
	}
	for i := range u.Inputs {
		var id [64]byte
		if p := &u.Inputs[i].Prev; p.Tx.IsZero() && p.Index != 0 || !p.Tx.IsZero() && len(p.Tx.AppendRaw(id[:0])) != coinIDLen {
			why = "an input names no output"
		}
	}
	if why == "" {
		return nil
	}
	return errs.New("import", errs.Invalid, u.Tx.Text(u.Chain), why, "check the source")
}

// mergeCoins is what two sources together know of one transaction. Its id
// commits to its inputs and outputs, so two true sources differ in what they
// know of spent outputs alone. Where they differ in more, the one with more
// outputs counts, then the one with more inputs, then the smaller: a rule, so
// that the order of import changes nothing. Neither a nor b is changed.
func mergeCoins(a, b *coinTx, nm *names) *coinTx {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	if c := a.compare(b, nm); c < 0 {
		return a
	} else if c > 0 {
		return b
	}
	var ins []coinIn // a's, unless b knows more
	for i := range b.ins {
		if x, y := &a.ins[i], &b.ins[i]; y.known && (!x.known || y.compareStated(x, nm) < 0) {
			if ins == nil {
				ins = slices.Clone(a.ins)
			}
			ins[i] = *y
		}
	}
	if ins == nil {
		return a
	}
	return &coinTx{coinbase: a.coinbase, ins: ins, outs: a.outs}
}

// compare is negative when a is the better of two different statements of one
// transaction, 0 when they agree in all that its id commits to.
func (a *coinTx) compare(b *coinTx, nm *names) int {
	if c := cmp.Or(cmp.Compare(len(b.outs), len(a.outs)), cmp.Compare(len(b.ins), len(a.ins))); c != 0 {
		return c
	}
	if a.coinbase != b.coinbase {
		if a.coinbase {
			return -1
		}
		return 1
	}
	for i := range a.ins {
		if c := a.ins[i].prev.compare(b.ins[i].prev); c != 0 {
			return c
		}
	}
	for i := range a.outs {
		x, y := &a.outs[i], &b.outs[i]
		if c := cmp.Or(compareAccounts(x.account, y.account, nm), x.value.Cmp(y.value), bytes.Compare(x.data, y.data)); c != 0 {
			return c
		}
	}
	return 0
}

func (p OutPoint) compare(q OutPoint) int {
	return cmp.Or(p.Tx.Compare(q.Tx), cmp.Compare(p.Index, q.Index))
}

func (x *coinIn) compareStated(y *coinIn, nm *names) int {
	return cmp.Or(compareAccounts(x.account, y.account, nm), x.value.Cmp(y.value))
}

// compareAccounts orders references as their names are.
func compareAccounts(a, b AccountRef, nm *names) int {
	if a == b {
		return 0
	}
	who := nm.accountNames([]AccountRef{a, b})
	return who[0].Compare(who[1])
}

// The encoding of a coinTx in a run: fields, as FORMAT.md calls them.
const (
	coinStated = 1 // the input's account and value follow
	coinNoPrev = 2 // a coinbase's input
)

// appendTo writes c with accounts by number.
func (c *coinTx) appendTo(e *encoder, number func(AccountRef) AccountRef) {
	coinbase := byte(0)
	if c.coinbase {
		coinbase = 1
	}
	e.byte(coinbase)
	e.uint(uint64(len(c.ins)))
	for i := range c.ins {
		c.ins[i].appendTo(e, number)
	}
	e.uint(uint64(len(c.outs)))
	for i := range c.outs {
		o := &c.outs[i]
		e.uint(uint64(number(o.account)))
		e.amount(o.value)
		e.bytes(o.data)
	}
}

func (in *coinIn) appendTo(e *encoder, number func(AccountRef) AccountRef) {
	flags := byte(0)
	if in.known {
		flags |= coinStated
	}
	if in.prev.Tx.IsZero() {
		flags |= coinNoPrev
	}
	e.byte(flags)
	if flags&coinNoPrev == 0 {
		e.b = in.prev.Tx.AppendRaw(e.b)
		e.uint(uint64(in.prev.Index))
	}
	if in.known {
		e.uint(uint64(number(in.account)))
		e.amount(in.value)
	}
}

// read reads what appendTo wrote into c, whose memory is used again.
func (c *coinTx) read(d *decoder, account func(uint64) AccountRef) {
	c.coinbase = d.byte() == 1
	c.ins, c.outs = c.ins[:0], c.outs[:0]
	for n := d.count(); n > 0 && d.err == nil; n-- {
		c.ins = append(c.ins, coinIn{})
		c.ins[len(c.ins)-1].read(d, account)
	}
	for n := d.count(); n > 0 && d.err == nil; n-- {
		o := coinOut{account: account(d.uint()), value: d.amount()}
		if data := d.bytes(); len(data) > 0 {
			o.data = slices.Clone(data)
		}
		c.outs = append(c.outs, o)
	}
}

func (in *coinIn) read(d *decoder, account func(uint64) AccountRef) {
	flags := d.byte()
	if flags&coinNoPrev == 0 {
		in.prev.Tx, _ = chain.NewTxID(d.take(coinIDLen))
		in.prev.Index = uint32(d.uint())
	}
	if flags&coinStated != 0 {
		in.known, in.account, in.value = true, account(d.uint()), d.amount()
	}
}

// coinIDLen is the length of transaction ids on every UTXO chain.
const coinIDLen = 32
