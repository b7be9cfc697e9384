package generate

import (
	"encoding/binary"
	"math"
	"math/bits"

	"bongsu/chain"
	"bongsu/ledger"
)

// Coins invents transactions in the shape of Bitcoin's: blocks of about 2,000,
// the first a coinbase; one to five inputs that spend outputs of all ages, most
// of them young; two outputs or some more, every twelfth with a payload beside
// it; addresses of all forms, a few of which are paid very often. The same seed
// gives the same transactions. Not safe for several goroutines.
type Coins struct {
	g       Generator // random numbers only
	made    uint64
	block   uint64
	left    int // transactions of this block
	index   uint32
	unspent []unspent
}

// unspent is an output that nothing spends yet: there are many.
type unspent struct {
	value     uint64
	tx, index uint32
}

// NewCoins starts a generator.
func NewCoins(seed uint64) *Coins {
	return &Coins{g: Generator{state: seed*0x9e3779b97f4a7c15 + 3}}
}

// coinTxID is the id of the n-th transaction.
func coinTxID(n uint64) chain.TxID {
	var id [32]byte
	for i := range uint64(4) {
		binary.BigEndian.PutUint64(id[8*i:], mix(n*4+i^0xb17c0195))
	}
	return chain.Hash32(id)
}

// CoinAddress is the address of the i-th account.
func CoinAddress(i uint64) chain.Account {
	var raw [34]byte
	for k := range uint64(4) {
		binary.LittleEndian.PutUint64(raw[2+8*k:], mix(i*4+k^0xadd4e55))
	}
	form, b := chain.FormP2PKH, raw[2:22]
	switch i % 8 {
	case 1:
		form = chain.FormP2SH
	case 2, 3, 4: // version 0, 20 bytes
		form, b = chain.FormWitness, raw[1:22]
	case 5: // version 1, 32 bytes
		raw[1] = 1
		form, b = chain.FormWitness, raw[1:34]
	}
	a, ok := chain.NewAccount(chain.Bitcoin, form, b)
	if !ok {
		panic("generate: an address of no form")
	}
	return a
}

// Accounts is how many accounts the transactions so far were drawn from.
func (c *Coins) Accounts() uint64 { return 1000 + c.made }

func (c *Coins) account() uint64 {
	n := c.Accounts()
	if c.g.random()%4 == 0 {
		return uint64(math.Pow(float64(n), c.g.unit())) - 1
	}
	return c.g.below(n)
}

// value is up to total, often round.
func (c *Coins) value(total uint64) uint64 {
	v := uint64(float64(total) * c.g.unit())
	if c.g.below(3) == 0 {
		for unit := uint64(1e8); unit > 1000; unit /= 10 {
			if v > 3*unit {
				return v - v%unit
			}
		}
	}
	return v
}

// Next is the next transaction.
func (c *Coins) Next() ledger.UTXOTx {
	if c.left == 0 {
		if c.made > 0 {
			c.block++
		}
		c.left, c.index = 1500+int(c.g.below(1000)), 0
	}
	u := ledger.UTXOTx{
		Chain: chain.Bitcoin, Tx: coinTxID(c.made), Block: c.block, Index: c.index,
		Time: chain.Time(1_300_000_000_000 + c.block*600_000), Coinbase: c.index == 0,
	}
	total := uint64(50e8)
	if u.Coinbase || len(c.unspent) == 0 {
		u.Coinbase, u.Inputs = true, []ledger.UTXOIn{{}}
	} else {
		total = c.spend(&u)
	}
	c.pay(&u, total)
	c.made, c.left, c.index = c.made+1, c.left-1, c.index+1
	return u
}

// spend draws inputs and gives their sum.
func (c *Coins) spend(u *ledger.UTXOTx) (total uint64) {
	n := 1 + bits.TrailingZeros64(c.g.random()|1<<4)
	for range min(n, len(c.unspent)) {
		last := len(c.unspent) - 1
		i := last - int(math.Pow(float64(last+1), c.g.unit())-1)
		o := c.unspent[i]
		c.unspent[i] = c.unspent[last]
		c.unspent = c.unspent[:last]
		u.Inputs = append(u.Inputs, ledger.UTXOIn{Prev: ledger.OutPoint{Tx: coinTxID(uint64(o.tx)), Index: o.index}})
		total += o.value
	}
	return total
}

// pay draws outputs of total.
func (c *Coins) pay(u *ledger.UTXOTx, total uint64) {
	n := 2
	switch c.g.below(10) {
	case 0:
		n = 1
	case 1:
		n = 3 + int(c.g.below(8))
	case 2:
		n = 3
	}
	for k := range n {
		v := c.value(total)
		if k == n-1 {
			v = total
		}
		total -= v
		a := c.account()
		c.unspent = append(c.unspent, unspent{v, uint32(c.made), uint32(k)})
		u.Outputs = append(u.Outputs, ledger.UTXOOut{Account: CoinAddress(a), Value: chain.Units(v)})
	}
	if c.g.below(12) == 0 {
		data := make([]byte, 20+c.g.below(60))
		for i := range data {
			data[i] = byte(c.g.random())
		}
		u.Outputs = append(u.Outputs, ledger.UTXOOut{Data: data})
	}
}
