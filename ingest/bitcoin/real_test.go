package bitcoin

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"bongsu/chain"
	"bongsu/ledger"
)

// unpacked is a file of testdata without its compression.
func unpacked(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(bzip2.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// framed splits a block file into raw blocks, without the scanner under test.
func framed(t testing.TB, b []byte) (blocks [][]byte) {
	t.Helper()
	for len(b) > 0 {
		n := binary.LittleEndian.Uint32(b[4:])
		blocks = append(blocks, b[8:8+n])
		b = b[8+n:]
	}
	return blocks
}

func decodeAll(t testing.TB, raws [][]byte) (blocks []*Block) {
	t.Helper()
	for i, raw := range raws {
		b, err := DecodeBlock(raw)
		if err != nil {
			t.Fatalf("block %d: %v", i, err)
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// TestFirstBlocks holds the facts that everybody knows of the chain's beginning.
func TestFirstBlocks(t *testing.T) {
	blocks := decodeAll(t, framed(t, unpacked(t, "blocks1-256.bz2")))
	if len(blocks) != 255 {
		t.Fatalf("%d blocks, want 255", len(blocks))
	}
	if !genesis(chain.Bitcoin, blocks[0].Prev) {
		t.Errorf("block 1 stands on %s", blocks[0].Prev)
	}
	txs, minted, height170 := 0, uint64(0), blocks[169]
	for i, b := range blocks {
		if i > 0 && b.Prev != blocks[i-1].Hash {
			t.Fatalf("block %d does not stand on block %d", i+1, i)
		}
		txs += len(b.Txs)
		for _, o := range b.Txs[0].Out {
			minted += o.Value
		}
	}
	if minted != 255*50_0000_0000 {
		t.Errorf("minted %d base units, want 50 coins a block", minted)
	}
	if txs != 262 {
		t.Errorf("%d transactions, want 262: a coinbase a block and the first seven payments", txs)
	}
	// Block 170 holds the first payment: 50 coins in, 10 to one key, 40 back.
	if got := height170.Hash.String(); got != "00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee" {
		t.Errorf("block 170 is %s", got)
	}
	pay := height170.Txs[1]
	if pay.ID.String() != "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16" {
		t.Errorf("the first payment is %s", pay.ID)
	}
	if pay.In[0].Prev.Tx != blocks[8].Txs[0].ID || pay.Out[0].Value != 10_0000_0000 || pay.Out[1].Value != 40_0000_0000 {
		t.Errorf("the first payment: %+v", pay)
	}
	for i, want := range []string{"1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3", "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S"} {
		if a, kind := Classify(chain.Bitcoin, pay.Out[i].Script); a.Address() != want || kind != P2PK {
			t.Errorf("output %d pays %s (%s), want %s (pubkey)", i, a.Address(), kind, want)
		}
	}
}

// TestBlock277647 joins a later block with the outputs that it spends.
func TestBlock277647(t *testing.T) {
	raws := framed(t, unpacked(t, "277647.dat.bz2"))
	b := decodeAll(t, raws)[0]
	if h, ok := b.StatedHeight(chain.Bitcoin); !ok || h != 277647 {
		t.Errorf("states height %d, %v", h, ok)
	}
	spent := spentOutputs(t, unpacked(t, "277647.utxostore.bz2"))
	own := map[OutPoint]Out{}
	var in, out uint64
	inputs, outputs, inside := 0, 0, 0
	for i, tx := range b.Txs {
		for n, o := range tx.Out {
			own[OutPoint{tx.ID, uint32(n)}] = o
			outputs++
		}
		if i == 0 {
			continue
		}
		for _, o := range tx.Out {
			out += o.Value
		}
		for _, x := range tx.In {
			inputs++
			o, ok := spent[x.Prev]
			if !ok {
				o, ok = own[x.Prev]
				inside++
			}
			if !ok {
				t.Fatalf("transaction %d spends %s, which is nowhere", i, x.Prev)
			}
			in += o.Value
		}
	}
	var coinbase uint64
	for _, o := range b.Txs[0].Out {
		coinbase += o.Value
	}
	const subsidy = 25_0000_0000
	if fees := in - out; coinbase != subsidy+fees || fees != 4_737_355 {
		t.Errorf("fees %d, coinbase %d: want 4737355 and the subsidy of 25 coins more", fees, coinbase)
	}
	if len(b.Txs) != 213 || inputs != 732 || inside != 0 || outputs != 769 || in != 1754_66312176 || out != 1754_61574821 {
		t.Errorf("%d transactions, %d inputs (%d of outputs of the same block), %d outputs, %d in, %d out", len(b.Txs), inputs, inside, outputs, in, out)
	}
	facts := Facts(chain.Bitcoin, Placed{b, 277647})
	if len(facts.Facts.UTXOs) != len(b.Txs) || facts.What != ledger.CoverUTXO || facts.Block.Number != 277647 {
		t.Errorf("facts: %d transactions, %+v", len(facts.Facts.UTXOs), facts.Block)
	}
}

// spentOutputs reads btcd's utxostore: compressed as in Bitcoin Core's
// compressor.cpp.
func spentOutputs(t testing.TB, b []byte) map[OutPoint]Out {
	t.Helper()
	out := map[OutPoint]Out{}
	for len(b) > 0 {
		p := OutPoint{fromWire(b[:32]), binary.LittleEndian.Uint32(b[32:])}
		n := binary.LittleEndian.Uint32(b[36:])
		o, err := expand(b[40 : 40+n])
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		out[p] = o
		b = b[40+n:]
	}
	return out
}

func varLen(b []byte) (n uint64, rest []byte) {
	for {
		n = n<<7 | uint64(b[0]&0x7f)
		more := b[0]&0x80 != 0
		b = b[1:]
		if !more {
			return n, b
		}
		n++
	}
}

func expand(b []byte) (Out, error) {
	_, b = varLen(b) // height and coinbase
	packed, b := varLen(b)
	o := Out{Value: expandAmount(packed)}
	kind, b := varLen(b)
	switch {
	case kind == 0:
		o.Script = append(append([]byte{opDup, opHash160, 20}, b...), opEqualVerify, opCheckSig)
	case kind == 1:
		o.Script = append(append([]byte{opHash160, 20}, b...), opEqual)
	case kind <= 3:
		o.Script = append(append([]byte{33, byte(kind)}, b...), opCheckSig)
	case kind <= 5:
		key, ok := uncompress(byte(kind-2), b)
		if !ok {
			return o, errors.New("not a point of the curve")
		}
		o.Script = append(append([]byte{65}, key...), opCheckSig)
	default:
		o.Script = bytes.Clone(b)
	}
	return o, nil
}

func expandAmount(x uint64) uint64 {
	if x == 0 {
		return 0
	}
	x--
	e := x % 10
	x /= 10
	n := x + 1
	if e < 9 {
		n = x/9*10 + x%9 + 1
	}
	for ; e > 0; e-- {
		n *= 10
	}
	return n
}

// uncompress finds y of secp256k1: y^2 = x^3 + 7.
func uncompress(parity byte, x []byte) ([]byte, bool) {
	p, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f", 16)
	y := new(big.Int).Exp(new(big.Int).SetBytes(x), big.NewInt(3), p)
	y.Mod(y.Add(y, big.NewInt(7)), p)
	if y.ModSqrt(y, p) == nil {
		return nil, false
	}
	if byte(y.Bit(0)) != parity&1 {
		y.Sub(p, y)
	}
	key := make([]byte, 65)
	key[0] = 4
	copy(key[1:], x)
	y.FillBytes(key[33:])
	return key, true
}
