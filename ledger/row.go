package ledger

import (
	"cmp"

	"bongsu/chain"
)

// AccountRef stands for a chain.Account inside one ledger. 0 is the zero
// account: minted, burnt, fee sink, coinbase. References are valid for the
// Reader that gave them and for later Readers of the same ledger; they never
// leave the process and never enter a result.
type AccountRef uint64

// AssetRef stands for a chain.Asset inside one ledger; 0 is no asset.
type AssetRef uint32

// TxRef stands for a transaction inside one Reader only; 0 is none.
type TxRef uint64

// ChainRef stands for a chain. Unlike the other references it is a pure
// function of the chain's name (RefOfChain) and ordered as names are.
type ChainRef uint64

// Key is the place of a row in chain order, and within one Reader it is that
// of one row only: the same transfer seen from both of its accounts has one
// Key. Compare agrees with chain.Transfer.Compare. The zero comes before every
// place. Carry a Key over to a later Reader only as a bound.
type Key struct {
	Time    chain.Time // for the order across chains: the row's, or the latest known one before it
	Chain   ChainRef
	Block   uint64 // stated or inferred
	Tx      uint64 // the first 8 bytes of the transaction id, big-endian
	TxNext  uint64 // the next 8: two ids that agree in 16 cost 2^64 hashes to make
	Index   uint32 // chain.NoIndex when unknown
	Ordinal uint32 // chain.NoOrdinal when unknown
	Row     uint32
	Rank    uint32 // among rows that agree in all the rest, by transaction and content
	Kind    chain.Kind
}

// Compare orders keys as chain.Transfer.Compare orders transfers.
func (k Key) Compare(o Key) int {
	if k.Chain != o.Chain {
		return cmp.Or(cmp.Compare(k.Time, o.Time), cmp.Compare(k.Chain, o.Chain))
	}
	switch {
	case k.Block != o.Block:
		return cmp.Compare(k.Block, o.Block)
	case k.Index != o.Index:
		return cmp.Compare(k.Index, o.Index)
	case k.Index == chain.NoIndex && k.Time != o.Time:
		return cmp.Compare(k.Time, o.Time)
	case k.Tx != o.Tx:
		return cmp.Compare(k.Tx, o.Tx)
	case k.TxNext != o.TxNext:
		return cmp.Compare(k.TxNext, o.TxNext)
	}
	return cmp.Or(
		cmp.Compare(k.Kind, o.Kind), cmp.Compare(k.Ordinal, o.Ordinal),
		cmp.Compare(k.Row, o.Row), cmp.Compare(k.Rank, o.Rank),
	)
}

// IsZero says whether k is the place before every other.
func (k Key) IsZero() bool { return k == Key{} }

// AtBlock is the place before the first row of a block: a bound for queries.
func AtBlock(id chain.ID, block uint64) Key {
	return Key{Chain: RefOfChain(id), Block: block}
}

// Row is one transfer as readers see it. It holds no pointers.
type Row struct {
	Key
	Stated   chain.Time // the block's time; 0 with TimeUnknown
	From, To AccountRef
	Asset    AssetRef
	Nth      uint32
	Tx       TxRef
	Amount   chain.Amount

	TimeUnknown   bool // no source gives the time of this row's block
	BlockInferred bool // the ledger supplied the block, from the time
	Provisional   bool // in a block that is not final

	number uint32 // of a row of a segment: which of its rows; valid where Tx is
}

// IndexInferred says whether the place inside the block is not known and
// stands after those that are.
func (r *Row) IndexInferred() bool { return r.Index == chain.NoIndex }

// RefOfChain packs a chain's name so that refs order as names do: 4 bits of
// namespace, then 5 bits for each of the first 12 characters of the reference.
// It is 0 for a chain that a ledger cannot hold (see checkChain).
func RefOfChain(id chain.ID) ChainRef {
	var ns uint64
	name := id.Namespace()
	switch name {
	case "bip122":
		ns = 1
	case "eip155":
		ns = 2
	case "solana":
		ns = 3
	case "tron":
		ns = 4
	default:
		return 0
	}
	v := ns
	ref := string(id)[len(name):]
	if ref != "" {
		ref = ref[1:]
	}
	for i := range maxChainRef {
		v <<= 5
		if ns <= 2 && i < len(ref) {
			v |= refDigit(ref[i])
		}
	}
	return ChainRef(v)
}

// maxChainRef is how many characters of a CAIP-2 reference a ChainRef holds.
// Solana and Tron are one chain each; the bip122 chains that bongsu knows
// differ within it; an eip155 number that is longer is refused.
const maxChainRef = 12

func refDigit(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c-'0') + 1
	case c >= 'a' && c <= 'f':
		return uint64(c-'a') + 11
	}
	return 0
}

// chainOfRef is the inverse of RefOfChain; "" for what it never gave.
func chainOfRef(ref ChainRef) chain.ID {
	for _, id := range []chain.ID{
		chain.Ethereum, chain.Bitcoin, chain.Tron, chain.Solana,
		chain.BitcoinTest, chain.BitcoinRegtest, chain.BitcoinSimnet,
	} {
		if RefOfChain(id) == ref {
			return id
		}
	}
	if ref>>(5*maxChainRef) != 2 {
		return ""
	}
	name := []byte("eip155:")
	for i := maxChainRef - 1; i >= 0; i-- {
		if d := byte(ref >> (5 * i) & 31); d > 0 {
			name = append(name, '0'+d-1)
		}
	}
	return chain.ID(name)
}
