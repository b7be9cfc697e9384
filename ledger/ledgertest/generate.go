package ledgertest

import (
	"bongsu/chain"
	"bongsu/ledger"

	"pgregory.net/rapid"
)

// World is a small invented chain, from which sources are drawn that each know
// a part of it. In some worlds sources put a transaction into different blocks;
// in nothing else do they contradict one another.
type World struct {
	Chain chain.ID
	Facts []ledger.Facts
}

// Draw makes a world and some sources' facts of it.
func Draw(t *rapid.T) World {
	id := rapid.SampledFrom([]chain.ID{chain.Ethereum, "eip155:56"}).Draw(t, "chain")
	w := World{Chain: id}
	txs := drawTxs(t, id)
	astray := drawAstray(t)
	for range rapid.IntRange(1, 4).Draw(t, "sources") {
		w.Facts = append(w.Facts, drawSource(t, id, txs, astray))
	}
	return w
}

// drawAstray draws whether sources put transactions into wrong blocks. Those of
// such a world give every time with its block: which block a time belongs to
// that comes without one depends on the order of import.
func drawAstray(t *rapid.T) bool { return rapid.IntRange(0, 2).Draw(t, "blocks differ") == 0 }

// stray is the block into which a source puts a transaction.
func stray(t *rapid.T, astray bool, block uint64) uint64 {
	if !astray || rapid.Bool().Draw(t, "right block") {
		return block
	}
	return max(3, block+3) - uint64(rapid.IntRange(0, 6).Draw(t, "wrong block"))
}

// trueTx is one transaction as it really was.
type trueTx struct {
	block uint64
	index uint32
	id    chain.TxID
	moves []chain.Transfer
}

func blockTime(n uint64) chain.Time { return chain.Time(1_000_000 + 12_000*n) }

func account(id chain.ID, n int) chain.Account {
	var b [20]byte
	b[0], b[19] = byte(7*n), byte(n)
	return chain.EVM(id, b)
}

func drawTxs(t *rapid.T, id chain.ID) []trueTx {
	var out []trueTx
	twins := rapid.IntRange(0, 3).Draw(t, "ids that begin alike") == 0
	for block := range uint64(rapid.IntRange(1, 6).Draw(t, "blocks")) {
		log := uint32(0)
		for index := range uint32(rapid.IntRange(0, 3).Draw(t, "txs")) {
			x := trueTx{block: 10 + block, index: index}
			raw := make([]byte, 32)
			raw[0], raw[1], raw[2], raw[3], raw[31] = byte(rapid.IntRange(0, 255).Draw(t, "hash")), byte(block), byte(index), 1, 1
			if twins {
				copy(raw[8:], raw[:3])
				raw[0], raw[1], raw[2] = 5, 5, 5
			}
			x.id, _ = chain.NewTxID(raw)
			for n := range rapid.IntRange(1, 4).Draw(t, "moves") {
				m := chain.Transfer{
					Chain: id, Time: blockTime(x.block), Block: x.block, Index: index, Tx: x.id,
					From:   account(id, rapid.IntRange(1, 4).Draw(t, "from")),
					To:     account(id, rapid.IntRange(1, 4).Draw(t, "to")),
					Amount: chain.Units(uint64(rapid.IntRange(0, 3).Draw(t, "amount"))),
				}
				m.Kind, m.Asset, m.Ordinal = chain.KindToken, chain.Token(account(id, 90+rapid.IntRange(0, 1).Draw(t, "asset"))), log
				if n == 0 {
					m.Kind, m.Asset, m.Ordinal = chain.KindNative, id.Native(), 0
				}
				log++
				x.moves = append(x.moves, m)
			}
			count(x.moves)
			out = append(out, x)
		}
	}
	return out
}

// count gives equal movements of one transaction their Nth.
func count(moves []chain.Transfer) {
	for i := range moves {
		moves[i].Nth = 0
		for j := range i {
			a, b := moves[i], moves[j]
			a.Nth, b.Nth = 0, 0
			if a.SameMovement(b) {
				moves[i].Nth++
			}
		}
	}
}

// drawSource draws what one source knows.
func drawSource(t *rapid.T, id chain.ID, txs []trueTx, astray bool) ledger.Facts {
	var f ledger.Facts
	blocks := rapid.Bool().Draw(t, "knows blocks") || astray
	times := rapid.Bool().Draw(t, "knows times") || !blocks
	indices := rapid.Bool().Draw(t, "knows indices")
	ordinals := rapid.Bool().Draw(t, "knows ordinals")
	ids := rapid.IntRange(0, 9).Draw(t, "knows ids") > 0
	for _, x := range txs {
		if rapid.IntRange(0, 3).Draw(t, "skips") == 0 {
			continue
		}
		x.block = stray(t, astray, x.block)
		if rapid.IntRange(0, 3).Draw(t, "header") == 0 {
			f.Blocks = append(f.Blocks, ledger.BlockFact{Chain: id, Number: x.block, Time: blockTime(x.block), HasTime: true, Hash: ledger.Hash{1, byte(x.block)}})
		}
		if rapid.IntRange(0, 3).Draw(t, "fact") == 0 {
			f.Txs = append(f.Txs, ledger.TxFact{Chain: id, Tx: x.id, Block: x.block, Index: x.index})
		}
		if rapid.IntRange(0, 9).Draw(t, "failed") == 0 {
			f.Txs = append(f.Txs, ledger.TxFact{Chain: id, Tx: x.id, Block: chain.NoBlock, Index: chain.NoIndex, Status: ledger.StatusFailed})
		}
		if rapid.IntRange(0, 5).Draw(t, "note") == 0 {
			f.Notes = append(f.Notes, ledger.NoteFact{Chain: id, Tx: x.id, Block: x.block, HasBlock: blocks, Log: &ledger.Log{Index: x.index, Address: account(id, 3), Topics: []ledger.Hash{{9}}, Data: []byte{1, 2}}})
		}
		part, rank := !ordinals && rapid.IntRange(0, 2).Draw(t, "part") == 0, uint32(0)
		for _, m := range x.moves {
			if part && rapid.Bool().Draw(t, "left out") {
				continue // and the ranks of those behind it are smaller
			}
			m.Block, m.Time = x.block, blockTime(x.block)
			if !blocks {
				m.Block = chain.NoBlock
			}
			if !times {
				m.Time = 0
			}
			if !indices {
				m.Index = chain.NoIndex
			}
			if !ordinals {
				m.Ordinal, m.Row = chain.NoOrdinal, rank
				rank++
			}
			if !ids && times {
				m.Tx = chain.TxID{}
			}
			f.Transfers = append(f.Transfers, m)
		}
	}
	if rapid.Bool().Draw(t, "claims") {
		from := uint64(rapid.IntRange(8, 14).Draw(t, "from"))
		f.Claims = append(f.Claims, ledger.Claim{Chain: id, From: from, To: from + uint64(rapid.IntRange(0, 5).Draw(t, "length")), What: rapid.SampledFrom([]ledger.Cover{ledger.CoverTokens, ledger.CoverAll}).Draw(t, "what")})
	}
	return f
}
