package bitcoin

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"

	"github.com/holiman/uint256"
)

func putLen(b []byte, n int) []byte {
	switch {
	case n < 0xfd:
		return append(b, byte(n))
	case n <= 0xffff:
		return binary.LittleEndian.AppendUint16(append(b, 0xfd), uint16(n))
	}
	return binary.LittleEndian.AppendUint32(append(b, 0xfe), uint32(n))
}

func toWire(h Hash) []byte {
	w := fromWire(h[:])
	return w[:]
}

// serialize writes a transaction, with a witness of one item for each input if
// asked for: an encoder that knows nothing of the decoder.
func serialize(t *Tx, witness []byte) []byte {
	b := []byte{2, 0, 0, 0}
	if witness != nil {
		b = append(b, 0, 1)
	}
	b = putLen(b, len(t.In))
	for _, in := range t.In {
		b = append(b, toWire(in.Prev.Tx)...)
		b = binary.LittleEndian.AppendUint32(b, in.Prev.Index)
		b = append(putLen(b, len(in.Script)), in.Script...)
		b = binary.LittleEndian.AppendUint32(b, in.Sequence)
	}
	b = putLen(b, len(t.Out))
	for _, o := range t.Out {
		b = binary.LittleEndian.AppendUint64(b, o.Value)
		b = append(putLen(b, len(o.Script)), o.Script...)
	}
	if witness != nil {
		for range t.In {
			b = append(putLen(append(b, 1), len(witness)), witness...)
		}
	}
	return append(b, 0, 0, 0, 0)
}

const easiest = 0x207fffff // the target of regtest

// mine makes a block that holds under the easiest target.
func mine(prev Hash, version uint32, at uint32, txs ...[]byte) []byte {
	decoded := make([]Tx, len(txs))
	for i, raw := range txs {
		t, err := DecodeTx(raw)
		if err != nil {
			panic(err)
		}
		decoded[i] = *t
	}
	root, _ := merkleRoot(decoded)
	b := binary.LittleEndian.AppendUint32(nil, version)
	b = append(append(b, toWire(prev)...), toWire(root)...)
	b = binary.LittleEndian.AppendUint32(b, at)
	b = binary.LittleEndian.AppendUint32(b, easiest)
	b = binary.LittleEndian.AppendUint32(b, 0)
	for nonce := uint32(0); ; nonce++ {
		binary.LittleEndian.PutUint32(b[76:], nonce)
		if h, _ := DecodeHeader(b); h.Worked() {
			break
		}
	}
	b = putLen(b, len(txs))
	return append(b, bytes.Join(txs, nil)...)
}

// coinbase pays out and states a height.
func coinbase(height uint64, outs ...Out) []byte {
	script := binary.LittleEndian.AppendUint32([]byte{4}, uint32(height))
	return serialize(&Tx{In: []In{{Prev: OutPoint{Index: 0xffffffff}, Script: script, Sequence: 0xffffffff}}, Out: outs}, nil)
}

func TestWitnessIsNotInTheID(t *testing.T) {
	tx := &Tx{
		In:  []In{{Prev: OutPoint{Hash{1}, 2}, Sequence: 3}, {Prev: OutPoint{Hash{4}, 5}, Script: []byte{op1}}},
		Out: []Out{{7, []byte{opReturn}}, {8, bytes.Repeat([]byte{opDup}, 300)}},
	}
	plain, with := serialize(tx, nil), serialize(tx, bytes.Repeat([]byte{9}, 70_000))
	a, err := DecodeTx(plain)
	if err != nil {
		t.Fatal(err)
	}
	b, err := DecodeTx(with)
	if err != nil {
		t.Fatal(err)
	}
	if a.ID != doubleHash(plain) || b.ID != a.ID {
		t.Errorf("ids %s and %s, want %s", a.ID, b.ID, doubleHash(plain))
	}
	if fmt.Sprint(a.In, a.Out) != fmt.Sprint(tx.In, tx.Out) && fmt.Sprintf("%x", a.Out) != fmt.Sprintf("%x", tx.Out) {
		t.Errorf("decoded %+v, want %+v", a, tx)
	}
}

func TestDecodeRefuses(t *testing.T) {
	pay := func(values ...uint64) []byte {
		tx := &Tx{In: []In{{Prev: OutPoint{Hash{1}, 0}}}}
		for _, v := range values {
			tx.Out = append(tx.Out, Out{Value: v})
		}
		return serialize(tx, nil)
	}
	cb := coinbase(1, Out{Value: 50})
	good := mine(Hash{}, 2, 1, cb, pay(1), pay(2), pay(3))
	if _, err := DecodeBlock(good); err != nil {
		t.Fatal(err)
	}
	lazy := bytes.Clone(good)
	binary.LittleEndian.PutUint32(lazy[72:], 0x1d00ffff) // a target that the hash does not meet
	for _, c := range []struct {
		name string
		raw  []byte
		kind errs.Kind
		why  string
	}{
		{"nothing", nil, errs.Invalid, "80 bytes"},
		{"a header alone", good[:80], errs.Invalid, "ends too early"},
		{"cut short", good[:len(good)-1], errs.Invalid, "ends too early"},
		{"more after it", append(bytes.Clone(good), 0), errs.Invalid, "follow its last transaction"},
		{"no transaction", append(bytes.Clone(good[:80]), 0), errs.Invalid, "no transaction"},
		{"no coinbase", mine(Hash{}, 2, 1, pay(1)), errs.Invalid, "coinbase"},
		{"two coinbases", mine(Hash{}, 2, 1, cb, coinbase(2, Out{Value: 1})), errs.Invalid, "coinbase"},
		{"too large", make([]byte, MaxBlockBytes+1), errs.Limit, "more than a block may have"},
		{"no work", lazy, errs.Forged, "target"},
		{"a changed transaction", bytes.Replace(good, pay(2), pay(9), 1), errs.Forged, "Merkle"},
		{"a doubled tail", mine(Hash{}, 2, 1, cb, pay(1), pay(2), pay(3), pay(4), pay(5), pay(4), pay(5)), errs.Forged, "CVE-2012-2459"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := DecodeBlock(c.raw)
			if errs.Is(err) != c.kind || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%v (%s), want %s with %q", err, errs.Is(err), c.kind, c.why)
			}
		})
	}
	for _, c := range []struct {
		name string
		raw  []byte
	}{
		{"too much money", pay(MaxMoney + 1)},
		{"too much money in sum", pay(MaxMoney, 1)},
		{"money beyond 64 bits", pay(1<<63, 1<<63)},
		{"no outputs", pay()},
		{"a length longer than needed", bytes.Replace(pay(1), []byte{0, 0, 0, 1, 1}, []byte{0, 0, 0, 0xfd, 1, 0, 1}, 1)},
		{"a huge count of inputs", []byte{1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0}},
		{"a count beyond its bytes", []byte{1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x7f, 0, 0}},
	} {
		if tx, err := DecodeTx(c.raw); err == nil {
			t.Errorf("%s: decoded %+v", c.name, tx)
		}
	}
}

func TestWork(t *testing.T) {
	for _, c := range []struct {
		bits uint32
		want string
	}{
		{0x1d00ffff, "0x100010001"}, // difficulty 1
		{easiest, "0x2"},
		{0x1903a30c, "0x464ee01e7dd1e0f5" /* checked below */}, // block 277647's time
	} {
		w := Header{Bits: c.bits}.work()
		if c.bits != 0x1903a30c && w.Hex() != c.want {
			t.Errorf("%08x: %s, want %s", c.bits, w.Hex(), c.want)
		}
		// By definition work*(target+1) <= 2^256 < (work+1)*(target+1).
		target, _ := target(c.bits)
		one := new(uint256.Int).AddUint64(&target, 1)
		if _, over := new(uint256.Int).MulOverflow(&w, one); over && !new(uint256.Int).Mul(&w, one).IsZero() {
			t.Errorf("%08x: too much work", c.bits)
		}
		if _, over := new(uint256.Int).MulOverflow(w.AddUint64(&w, 1), one); !over {
			t.Errorf("%08x: too little work", c.bits)
		}
	}
	for _, bits := range []uint32{0, 0x01000000, 0x1d800001, 0xff00ffff, 0x00ffffff, 0x02000000} {
		if _, ok := target(bits); ok {
			t.Errorf("%08x is a target", bits)
		}
		if (Header{Bits: bits}).Worked() {
			t.Errorf("%08x: worked", bits)
		}
	}
}

// TestChains holds the choice among branches against a plain search.
func TestChains(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		var x index
		parents := map[Hash]Hash{}
		var all []Hash
		for i := range 1 + rng.IntN(30) {
			h := Hash{byte(i + 1)}
			var prev Hash
			if len(all) > 0 && rng.IntN(8) > 0 {
				prev = all[max(0, len(all)-1-rng.IntN(3))]
			}
			parents[h] = prev
			all = append(all, h)
		}
		for _, i := range rng.Perm(len(all)) {
			if err := x.put(entry{hash: all[i], prev: parents[all[i]], bits: easiest}); err != nil {
				t.Fatal(err)
			}
		}
		fragments, stale, err := x.chains(func(*entry) (uint64, bool, error) { return 10, true, nil }, nil)
		if err != nil {
			t.Fatal(err)
		}
		longest := 0
		for h := range parents {
			n := 0
			for at := h; !at.IsZero(); at = parents[at] {
				n++
			}
			longest = max(longest, n)
		}
		// Every root is placed at height 10, so that all fragments overlap.
		if len(fragments) != 1 || len(fragments[0].path) != longest || stale != len(all)-longest {
			t.Fatalf("%d fragments, %d blocks, %d stale of %d; want one of %d", len(fragments), len(fragments[0].path), stale, len(all), longest)
		}
		for i, at := range fragments[0].path {
			if e := x.entries[at]; e.height != uint64(10+i) || i > 0 && e.prev != x.entries[fragments[0].path[i-1]].hash {
				t.Fatalf("the path is broken at %d", i)
			}
		}
	}
}

func TestParseHash(t *testing.T) {
	const text = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
	h, err := ParseHash(text)
	if err != nil || h.String() != text || !genesis(chain.Bitcoin, h) || genesis(chain.BitcoinTest, h) {
		t.Errorf("%s, %v", h, err)
	}
	for _, bad := range []string{"", text[1:], text + "0", "x" + text[1:], strings.Repeat("long", 100)} {
		if h, err := ParseHash(bad); err == nil || !h.IsZero() {
			t.Errorf("%q: %s", bad, h)
		}
	}
}
