package trace_test

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"io"
	"os"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/ingest/bitcoin"
	"bongsu/ledger"
	"bongsu/trace"
)

// block277647 is a block of Bitcoin's public chain, and the transactions that
// made the 732 outputs that it spends, as far as btcd's test data tells: their
// ids, indexes and values.
func block277647(t *testing.T) (block, before []ledger.UTXOTx) {
	t.Helper()
	raw := unpack(t, "277647.dat.bz2")
	b, err := bitcoin.DecodeBlock(raw[8 : 8+binary.LittleEndian.Uint32(raw[4:])])
	if err != nil {
		t.Fatal(err)
	}
	block = bitcoin.Facts(chain.Bitcoin, bitcoin.Placed{Block: b, Height: 277_647}).Facts.UTXOs
	made, own := map[chain.TxID]int{}, map[chain.TxID]bool{}
	for i := range block {
		own[block[i].Tx] = true
	}
	for rest := unpack(t, "277647.utxostore.bz2"); len(rest) > 0; {
		id := slices.Clone(rest[:32])
		slices.Reverse(id)
		tx, _ := chain.NewTxID(id)
		index, n := int(binary.LittleEndian.Uint32(rest[32:])), binary.LittleEndian.Uint32(rest[36:])
		_, packed := compressed(rest[40 : 40+n])
		value, _ := compressed(packed)
		if rest = rest[40+n:]; own[tx] {
			continue // spent in the block that made it
		}
		at, ok := made[tx]
		if !ok {
			at = len(before)
			made[tx] = at
			before = append(before, ledger.UTXOTx{
				Chain: chain.Bitcoin, Tx: tx, Block: uint64(270_000 + at), Time: block[0].Time - 1, Coinbase: true, Inputs: []ledger.UTXOIn{{}},
			})
		}
		for len(before[at].Outputs) <= index {
			before[at].Outputs = append(before[at].Outputs, ledger.UTXOOut{Account: payee(100)})
		}
		before[at].Outputs[index] = ledger.UTXOOut{Account: payee(at % 90), Value: chain.Units(amountOf(value))}
	}
	return block, before
}

func unpack(t *testing.T, name string) []byte {
	t.Helper()
	packed, err := os.ReadFile("../ingest/bitcoin/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(bzip2.NewReader(bytes.NewReader(packed)))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// compressed reads a number as Bitcoin Core's serialize.h writes it.
func compressed(b []byte) (n uint64, rest []byte) {
	for {
		n = n<<7 | uint64(b[0]&0x7f)
		more := b[0]&0x80 != 0
		if b = b[1:]; !more {
			return n, b
		}
		n++
	}
}

// amountOf undoes DecompressAmount of Bitcoin Core's compressor.cpp.
func amountOf(x uint64) uint64 {
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
	for range e {
		n *= 10
	}
	return n
}

// Fees go on through a real block's coinbase: the clean subsidy of 25 coins
// first, then the fees of 212 transactions in their order, on the model and on
// the stored ledger. Backward they are told apart again.
func TestRealCoinbase(t *testing.T) {
	block, before := block277647(t)
	all := &ledger.Facts{UTXOs: append(slices.Clone(before), block...)}
	r, held := coinReader(t, all.UTXOs), stored(t, all)
	values := map[ledger.OutPoint]chain.Transfer{}
	for _, tx := range all.UTXOs {
		for k := range tx.Outputs {
			values[ledger.OutPoint{Tx: tx.Tx, Index: uint32(k)}] = paid(&tx, k)
		}
	}
	// The transaction that pays the highest fee spends what was stolen.
	var thefts []chain.Transfer
	var highest, fees uint64
	for i := range block[1:] {
		var spent []chain.Transfer
		fee := uint64(0)
		for _, in := range block[1+i].Inputs {
			spent = append(spent, values[in.Prev])
			n, _ := values[in.Prev].Amount.Uint64()
			fee += n
		}
		for _, o := range block[1+i].Outputs {
			n, _ := o.Value.Uint64()
			fee -= n
		}
		if fees += fee; fee > highest {
			highest, thefts = fee, spent
		}
	}
	const subsidy = 25_0000_0000
	if fees != 4_737_355 || len(block[0].Outputs) != 1 {
		t.Fatalf("fees of %d, %d outputs", fees, len(block[0].Outputs))
	}
	req := trace.Request{Fees: trace.FeesCoinbase, Thefts: []trace.Theft{{ID: "x", Transfers: thefts}}}
	run := follow(t, r, req)
	miner := block[0].Outputs[0].Account
	i := slices.IndexFunc(run.Result.Holdings, func(h trace.Holding) bool { return h.Account == miner })
	sunk := req
	sunk.Fees = trace.FeesSink
	sink := follow(t, r, sunk).Result.Fees // of that transaction, and of others in the block that spend its outputs
	if i < 0 || len(sink) != 1 || run.Result.Holdings[i].Base != sink[0].Base || sink[0].Base.Less(chain.Units(highest)) || len(run.Result.Fees) != 0 {
		t.Errorf("the miner should hold the fees, %+v: %+v", sink, run.Result)
	}
	if got := follow(t, held, req).Result.Digest; got != run.Result.Digest {
		t.Errorf("%s on the engine, %s on the model", got, run.Result.Digest)
	}
	req = trace.Request{Backward: true, Fees: trace.FeesCoinbase, Thefts: []trace.Theft{{ID: "d", Transfers: []chain.Transfer{paid(&block[0], 0)}}}}
	back := follow(t, r, req)
	var minted, paidFees uint64
	for _, h := range back.Result.Holdings {
		n, _ := h.Base.Uint64()
		if h.Account == miner {
			minted += n
		} else {
			paidFees += n
		}
	}
	if minted != subsidy || paidFees != fees || len(back.Result.Incomplete) != 0 {
		t.Errorf("the coinbase is %d minted and %d of fees: %+v", minted, paidFees, back.Result)
	}
	if got := follow(t, held, req).Result.Digest; got != back.Result.Digest {
		t.Errorf("backward %s on the engine, %s on the model", got, back.Result.Digest)
	}
}
