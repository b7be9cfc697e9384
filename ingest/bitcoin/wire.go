package bitcoin

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
)

// Limits of a block, from the consensus rules (BIP 141: a weight of 4,000,000,
// so no more bytes than that; 21 million coins of 100,000,000 base units).
const (
	MaxBlockBytes = 4_000_000
	MaxMoney      = 21_000_000 * 100_000_000

	headerBytes = 80
	minTxBytes  = 60 // one input, one output, both with empty scripts
	minInBytes  = 41
	minOutBytes = 9
)

// Hash is a block's or transaction's double SHA-256 in the order in which it is
// printed, which is the reverse of the order on the wire.
type Hash [32]byte

// String is lower-case hexadecimal, as explorers print it.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero says whether h is no hash.
func (h Hash) IsZero() bool { return h == Hash{} }

// TxID is the hash as a transaction id.
func (h Hash) TxID() chain.TxID {
	id, _ := chain.NewTxID(h[:])
	return id
}

// ParseHash reads 64 hexadecimal digits in printed order.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != 64 {
		return h, errs.New("hash", errs.Invalid, clip(s), "not 64 hexadecimal digits", "copy it whole from its source")
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, errs.New("hash", errs.Invalid, clip(s), "not 64 hexadecimal digits", "copy it whole from its source")
	}
	return h, nil
}

func clip(s string) string {
	s = ingest.Printable(s)
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "..."
	}
	return s
}

func fromWire(b []byte) (h Hash) {
	for i := range h {
		h[i] = b[31-i]
	}
	return h
}

func doubleHash(b []byte) Hash {
	first := sha256.Sum256(b)
	second := sha256.Sum256(first[:])
	return fromWire(second[:])
}

// Header is a block's 80 bytes, decoded.
type Header struct {
	Hash    Hash // of the 80 bytes
	Version int32
	Prev    Hash // zero for a chain's first block
	Merkle  Hash
	Time    uint32 // seconds since 1970, as the miner stated it
	Bits    uint32 // the target in compact form
	Nonce   uint32
}

// OutPoint names an output: a transaction and the output's place in it.
type OutPoint struct {
	Tx    Hash
	Index uint32
}

func (o OutPoint) String() string { return fmt.Sprintf("%s:%d", o.Tx, o.Index) }

// In is an input. Script aliases the decoded bytes; the witness is not kept.
type In struct {
	Prev     OutPoint
	Script   []byte
	Sequence uint32
}

// Out is an output. Script aliases the decoded bytes.
type Out struct {
	Value  uint64 // base units
	Script []byte
}

// Tx is a transaction. In a coinbase the single input spends nothing.
type Tx struct {
	ID       Hash // without the witness (BIP 141), the id that outpoints name
	Coinbase bool
	In       []In
	Out      []Out
}

// Block is a decoded block, checked against itself. It aliases the bytes that
// it was decoded from.
type Block struct {
	Header
	Txs []Tx
}

// DecodeHeader reads the first 80 bytes of a block.
func DecodeHeader(raw []byte) (Header, error) {
	if len(raw) < headerBytes {
		return Header{}, badBlock("", "a block has a header of 80 bytes, this has %d", len(raw))
	}
	raw = raw[:headerBytes]
	return Header{
		Hash:    doubleHash(raw),
		Version: int32(binary.LittleEndian.Uint32(raw)),
		Prev:    fromWire(raw[4:36]),
		Merkle:  fromWire(raw[36:68]),
		Time:    binary.LittleEndian.Uint32(raw[68:]),
		Bits:    binary.LittleEndian.Uint32(raw[72:]),
		Nonce:   binary.LittleEndian.Uint32(raw[76:]),
	}, nil
}

// DecodeBlock reads a whole block and checks it against itself: see the package
// comment. The error is of kind errs.Invalid where the bytes are no block, and
// errs.Forged where they are one whose header does not vouch for its content.
func DecodeBlock(raw []byte) (*Block, error) {
	if len(raw) > MaxBlockBytes {
		return nil, errs.New("block", errs.Limit, "", fmt.Sprintf("%d bytes are more than a block may have (%d)", len(raw), MaxBlockBytes), "")
	}
	h, err := DecodeHeader(raw)
	if err != nil {
		return nil, err
	}
	b := &Block{Header: h}
	c := cursor{b: raw, at: headerBytes}
	n := c.count(minTxBytes)
	b.Txs = make([]Tx, 0, n)
	for range n {
		tx := decodeTx(&c)
		if c.bad != "" {
			break
		}
		b.Txs = append(b.Txs, tx)
	}
	if c.bad != "" {
		return nil, badBlock(h.Hash.String(), "transaction %d, byte %d: %s", len(b.Txs), c.at, c.bad)
	}
	if c.at != len(raw) {
		return nil, badBlock(h.Hash.String(), "%d bytes follow its last transaction", len(raw)-c.at)
	}
	return b, b.check()
}

// DecodeTx reads one transaction, with or without witness, and nothing else.
func DecodeTx(raw []byte) (*Tx, error) {
	if len(raw) > MaxBlockBytes {
		return nil, errs.New("transaction", errs.Limit, "", "larger than a block may be", "")
	}
	c := cursor{b: raw}
	tx := decodeTx(&c)
	if c.bad == "" && c.at != len(raw) {
		c.bad = "bytes follow its end"
	}
	if c.bad != "" {
		return nil, errs.New("transaction", errs.Invalid, "", fmt.Sprintf("byte %d: %s", c.at, c.bad), "")
	}
	return &tx, nil
}

// check holds what a block's bytes have to agree on among themselves.
func (b *Block) check() error {
	where := b.Hash.String()
	if len(b.Txs) == 0 {
		return badBlock(where, "it has no transaction, not even a coinbase")
	}
	for i := range b.Txs {
		if b.Txs[i].Coinbase != (i == 0) {
			return badBlock(where, "transaction %d: the first transaction and no other has to be a coinbase", i)
		}
	}
	root, mutated := merkleRoot(b.Txs)
	switch {
	case root != b.Merkle:
		return errs.New("block", errs.Forged, where, "its transactions do not match the Merkle root in its header", "fetch it again from another node")
	case mutated:
		return errs.New("block", errs.Forged, where, "transactions are listed twice so that the Merkle root still matches (CVE-2012-2459)", "fetch it again from another node")
	case !b.Worked():
		return errs.New("block", errs.Forged, where, "its hash does not meet the target that its header states", "fetch it again from another node")
	}
	return nil
}

// merkleRoot also says whether a level holds two equal neighbours that were not
// duplicated by the rule itself.
func merkleRoot(txs []Tx) (root Hash, mutated bool) {
	level := make([][32]byte, len(txs))
	for i := range txs {
		level[i] = fromWire(txs[i].ID[:])
	}
	var pair [64]byte
	for len(level) > 1 {
		for i := 0; i+1 < len(level); i += 2 {
			mutated = mutated || level[i] == level[i+1]
		}
		if len(level)%2 == 1 {
			level = append(level, level[len(level)-1])
		}
		for i := range len(level) / 2 {
			copy(pair[:32], level[2*i][:])
			copy(pair[32:], level[2*i+1][:])
			first := sha256.Sum256(pair[:])
			level[i] = sha256.Sum256(first[:])
		}
		level = level[:len(level)/2]
	}
	return fromWire(level[0][:]), mutated
}

func decodeTx(c *cursor) Tx {
	var tx Tx
	start := c.at
	c.skip(4) // version
	witness := false
	body := c.at
	if c.peek(0) == 0 && c.peek(1) == 1 { // BIP 144: marker and flag
		witness = true
		c.skip(2)
		body = c.at
	}
	ins := c.count(minInBytes)
	if ins == 0 && c.bad == "" {
		c.bad = "a transaction without inputs"
	}
	tx.In = make([]In, 0, ins)
	for range ins {
		tx.In = append(tx.In, c.input())
	}
	outs := c.count(minOutBytes)
	if outs == 0 && c.bad == "" {
		c.bad = "a transaction without outputs"
	}
	tx.Out = make([]Out, 0, outs)
	var sum uint64
	for range outs {
		o := Out{Value: c.u64(), Script: c.varBytes()}
		if sum += o.Value; (o.Value > MaxMoney || sum > MaxMoney) && c.bad == "" {
			c.bad = "outputs of more than all the money there is"
		}
		tx.Out = append(tx.Out, o)
	}
	end := c.at
	if witness {
		c.skipWitness(ins)
	}
	c.skip(4) // lock time
	if c.bad != "" {
		return Tx{}
	}
	tx.Coinbase = len(tx.In) == 1 && tx.In[0].Prev == OutPoint{Index: 0xffffffff}
	tx.ID = txid(c.b[start:start+4], c.b[body:end], c.b[c.at-4:c.at])
	return tx
}

func txid(version, body, lock []byte) Hash {
	h := sha256.New()
	h.Write(version)
	h.Write(body)
	h.Write(lock)
	var first [32]byte
	h.Sum(first[:0])
	second := sha256.Sum256(first[:])
	return fromWire(second[:])
}

func badBlock(where, format string, args ...any) error {
	return errs.New("block", errs.Invalid, where, fmt.Sprintf(format, args...), "fetch it again; a block file that Bitcoin Core is still writing may end in the middle")
}
