// Package generate invents transfers in the shape of a real chain, for
// benchmarks and load tests: a few accounts and tokens take part in most of
// the transfers (their ranks are log-uniform), the others in a handful; there
// is one account for seven transfers; blocks hold about 150 rows and
// transactions one to four; half of the amounts are drawn from real ones
// (amounts.txt) and half have random digits down to the last base unit.
//
// The same Options give the same rows. Nothing here is a statement about any
// chain, and no address belongs to anyone.
package generate

import (
	_ "embed"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"bongsu/chain"
	"bongsu/ledger"
)

//go:embed amounts.txt
var amountsText string

// Options say what to generate; the zero of a field is the value named.
type Options struct {
	Seed        uint64
	Rows        uint64
	PerAccount  uint64  // transfers for each account; 7
	RandomShare float64 // of the amounts: 0 all sampled, 1 all random; use Mixed for one half
	FirstBlock  uint64  // 18,000,000
}

// Mixed is the usual share of random amounts.
const Mixed = 0.5

// Generator gives the rows. Not safe for several goroutines.
type Generator struct {
	opt     Options
	state   uint64
	made    uint64
	sampled []chain.Amount
	block   uint64
	left    int // rows of this block
	log     uint32
	inTx    int
	tx      [32]byte
	txs     uint64
}

// New starts a generator.
func New(opt Options) *Generator {
	if opt.PerAccount == 0 {
		opt.PerAccount = 7
	}
	if opt.FirstBlock == 0 {
		opt.FirstBlock = 18_000_000
	}
	g := &Generator{opt: opt, state: opt.Seed*0x9e3779b97f4a7c15 + 1, block: opt.FirstBlock - 1}
	for _, line := range strings.Fields(amountsText) {
		a, err := chain.ParseBase(line)
		if err != nil {
			panic("generate: amounts.txt: " + err.Error()) // embedded; a test reads it
		}
		g.sampled = append(g.sampled, a)
	}
	return g
}

// random is splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom
// Number Generators, OOPSLA 2014).
func (g *Generator) random() uint64 {
	g.state += 0x9e3779b97f4a7c15
	return mix(g.state)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (g *Generator) below(n uint64) uint64 {
	hi, _ := bits.Mul64(g.random(), n)
	return hi
}

func (g *Generator) unit() float64 { return float64(g.random()>>11) / (1 << 53) }

// Accounts is how many accounts the rows so far were drawn from.
func (g *Generator) Accounts() uint64 { return 1000 + g.made/g.opt.PerAccount }

// account draws a number: half of the time by rank, half evenly.
func (g *Generator) account() uint64 {
	n := g.Accounts()
	if g.random()&1 == 0 {
		return uint64(math.Pow(float64(n), g.unit())) - 1
	}
	return g.below(n)
}

// Address is the address of the i-th account, or with token set, token.
func Address(i uint64, token bool) (a [20]byte) {
	k := i * 4
	if token {
		k += 2
	}
	binary.BigEndian.PutUint64(a[:], mix(k*0x9e3779b97f4a7c15+77))
	binary.BigEndian.PutUint64(a[8:], mix(k+1^0xabcdef))
	binary.BigEndian.PutUint32(a[16:], uint32(i))
	return a
}

// tokens is how many tokens there are.
const tokens = 2000

// Next fills batch with the next rows and says how many there were; 0 at the
// end.
func (g *Generator) Next(batch []ledger.EVMTransfer) int {
	n := int(min(uint64(len(batch)), g.opt.Rows-g.made))
	for i := range n {
		g.row(&batch[i])
		g.made++
	}
	return n
}

func (g *Generator) row(t *ledger.EVMTransfer) {
	if g.left == 0 {
		g.block++
		g.left, g.log, g.inTx = 100+int(g.below(100)), 0, 0
	}
	if g.inTx == 0 {
		g.txs++
		for i := range 4 {
			binary.BigEndian.PutUint64(g.tx[8*i:], mix(g.txs*4+uint64(i)^g.opt.Seed<<40))
		}
		g.inTx = 1 + int(g.below(8)/5)*int(1+g.below(3))
	}
	g.left, g.inTx, g.log = g.left-1, g.inTx-1, g.log+1+uint32(g.below(3))
	*t = ledger.EVMTransfer{
		Block: g.block, Index: chain.NoIndex, Ordinal: g.log, Kind: chain.KindToken, Tx: g.tx,
		From: Address(g.account(), false), To: Address(g.account(), false),
		Contract: Address(uint64(math.Pow(tokens, g.unit()))-1, true), Amount: g.amount(),
	}
}

func (g *Generator) amount() chain.Amount {
	if g.unit() >= g.opt.RandomShare {
		return g.sampled[g.below(uint64(len(g.sampled)))]
	}
	// up to 10^23 base units, evenly in the number of digits from 10^12
	hi, lo := bits.Mul64(g.random()>>1, uint64(math.Pow(10, 7+8*g.unit())))
	return chain.FromWords([4]uint64{lo>>13 | hi<<51, hi >> 13})
}

// CSVHeader is the header of ethereum-etl's token_transfers.
const CSVHeader = "token_address,from_address,to_address,value,transaction_hash,log_index,block_number\n"

// AppendCSV appends a row as ethereum-etl writes it.
func AppendCSV(b []byte, t *ledger.EVMTransfer) []byte {
	for _, a := range [3]*[20]byte{&t.Contract, &t.From, &t.To} {
		b = append(appendHex(b, a[:]), ',')
	}
	b = append(append(b, t.Amount.Base()...), ',')
	b = append(appendHex(b, t.Tx[:]), ',')
	b = append(strconv.AppendUint(b, uint64(t.Ordinal), 10), ',')
	return append(strconv.AppendUint(b, t.Block, 10), '\n')
}

func appendHex(b, v []byte) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '0', 'x')
	for _, c := range v {
		b = append(b, digits[c>>4], digits[c&15])
	}
	return b
}
