package main

import (
	"encoding/binary"
	"fmt"
	"path/filepath"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
	"bongsu/trace"
)

// A hub is an account without a label through which everything passes: half of
// its transfers come in, half go out, from and to accounts that return. The
// theft pays into it all along.
const (
	hubAccounts = 1_000_000
	hubTheft    = 1_000 // transfers of the theft
)

// hubRows writes the i-th transfers of a hub's ledger, from first on.
func hubRows(batch []ledger.EVMTransfer, first, rows uint64) int {
	n := int(min(uint64(len(batch)), rows-first))
	for k := range n {
		i := first + uint64(k)
		x := (i + 1) * 0x9e3779b97f4a7c15
		x ^= x >> 29
		t := ledger.EVMTransfer{
			Block: 18_000_000 + i/150, Index: chain.NoIndex, Ordinal: uint32(i % 150), Kind: chain.KindToken, Contract: generate.Address(0, true),
			From: generate.Address(1+x%hubAccounts, false), To: generate.Address(0, false), Amount: chain.Units(1e15 + x>>8),
		}
		if i%2 == 1 {
			t.From, t.To, t.Amount = t.To, t.From, chain.Units(x>>9)
		}
		binary.BigEndian.PutUint64(t.Tx[:], x*0xbf58476d1ce4e5b9)
		binary.BigEndian.PutUint64(t.Tx[8:], i)
		batch[k] = t
	}
	return n
}

// openHub makes a hub's ledger with a theft: as many deposits as hubTheft,
// spread over the first half.
func (b *bench) openHub(rows uint64) (*bench, trace.Request, error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("hub-%d", rows))
	h, err := b.open(dir, rows, func(add func([]ledger.EVMTransfer) error) error {
		batch := make([]ledger.EVMTransfer, 1<<14)
		for i := uint64(0); i < rows; {
			n := hubRows(batch, i, rows)
			if err := add(batch[:n]); err != nil {
				return err
			}
			i += uint64(n)
		}
		return nil
	})
	if err != nil {
		return nil, trace.Request{}, err
	}
	theft := trace.Theft{ID: "hub"}
	var one [1]ledger.EVMTransfer
	for k := range uint64(hubTheft) {
		hubRows(one[:], k*(rows/2/hubTheft)&^1, rows)
		x := &one[0]
		tx, _ := chain.NewTxID(x.Tx[:])
		theft.Transfers = append(theft.Transfers, chain.Transfer{
			Chain: chain.Ethereum, Tx: tx, Kind: x.Kind, Ordinal: x.Ordinal, From: chain.EVM(chain.Ethereum, x.From), To: chain.EVM(chain.Ethereum, x.To),
			Asset: chain.Token(chain.EVM(chain.Ethereum, x.Contract)), Amount: x.Amount,
		})
	}
	return h, trace.Request{SkipAside: true, Thefts: []trace.Theft{theft}}, nil
}

// hub follows a theft through a hub with 10M transfers.
func (b *bench) hub() error {
	h, req, err := b.openHub(b.hubRows)
	if err != nil {
		return err
	}
	defer h.close()
	settle()
	memory := figures.WatchMemory()
	run, took, _, err := h.timed(req, 1)
	own, resident := memory.End()
	if err != nil {
		return err
	}
	b.Add(fmt.Sprintf("a theft through a hub with %d transfers, peak memory", b.hubRows), own, "MB", 2048, "goal")
	b.Add("  with the ledger's mapped files", resident, "MB", 2048, "goal, for less")
	b.Add("  transfers read", float64(run.Read)/took.Seconds(), "transfers/s", 0, "")
	b.Add("  accounts that received taint", float64(run.Result.Accounts), "", 0, "")
	b.Add("  flows", float64(len(run.Flows)), "", 0, "")
	return h.memory("  memory of a live lot", req)
}
