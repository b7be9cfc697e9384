package ethereum

import (
	"encoding/binary"
	"maps"
	"slices"

	"bongsu/chain"
)

// simulated is a chain whose blocks hash as Ethereum's do, made for tests.
type simulated struct {
	blocks   map[hash]*block
	receipts map[hash][]receipt
	traces   map[hash][]traced
	best     []hash
	nonce    uint64
}

func newSimulated() *simulated {
	return &simulated{blocks: map[hash]*block{}, receipts: map[hash][]receipt{}, traces: map[hash][]traced{}}
}

// move is one transaction of a simulated block.
type move struct {
	from, to byte // accounts are called by one byte
	value    uint64
	failed   bool
	creates  bool
	frames   []frame
	logs     []event
	kind     uint64
	blobs    uint64
}

func who(b byte) address {
	var a address
	a[0], a[19] = b, b
	return a
}

func whom(b byte) *address { a := who(b); return &a }

func wei(n uint64) *amount { return &amount{chain.Units(n)} }

const gasPrice, gasUsed = 7, 21000

// grow adds a block.
func (s *simulated) grow(moves ...move) *block {
	height := uint64(len(s.best))
	b := &block{}
	b.Number, b.Timestamp, b.GasLimit = quantity(height), quantity(1_700_000_000+12*height), 30_000_000
	if height > 0 {
		b.ParentHash = s.best[height-1]
	}
	b.LogsBloom, b.Nonce, b.ExtraData, b.Difficulty, b.MixHash, b.BaseFee = make(data, 256), make(data, 8), data{}, wei(0), &hash{}, wei(5)
	s.nonce++
	binary.BigEndian.PutUint64(b.StateRoot[:], s.nonce) // no two blocks are equal
	b.Transactions = []transaction{}
	receipts, traces := []receipt{}, []traced{}
	logs, used := quantity(0), quantity(0)
	for i, m := range moves {
		t, r, tr := s.transaction(uint64(i), m)
		used += gasUsed
		r.Cumulative = used
		for j := range r.Logs {
			r.Logs[j].Index = logs
			logs++
		}
		b.Transactions, receipts, traces = append(b.Transactions, t), append(receipts, r), append(traces, tr)
	}
	b.GasUsed = used
	s.seal(b, receipts, traces)
	s.best = append(s.best, b.Hash)
	return b
}

func (s *simulated) transaction(i uint64, m move) (transaction, receipt, traced) {
	s.nonce++
	kind := quantity(m.kind)
	t := transaction{
		Index: quantity(i), Type: &kind, From: who(m.from), To: whom(m.to), Value: *wei(m.value), Nonce: quantity(s.nonce),
		Gas: 100_000, GasPrice: wei(gasPrice), Input: data{}, V: wei(27), R: *wei(1), S: *wei(2),
	}
	if m.kind > typeLegacy {
		id := quantity(31337)
		t.ChainID, t.MaxFee, t.MaxTip, t.MaxBlobFee = &id, wei(9), wei(2), wei(3)
		t.AccessList = []accessTuple{{who(9), []hash{{1}, {2}}}}
		t.BlobHashes, t.Authorities = []hash{{3}}, []authorization{{*wei(1), who(8), 7, 1, *wei(6), *wei(5)}}
	}
	one := quantity(1)
	r := receipt{Index: quantity(i), Type: &kind, Status: &one, GasUsed: gasUsed, Bloom: make(data, 256), Price: wei(gasPrice), Logs: m.logs}
	if r.Logs == nil {
		r.Logs = []event{}
	}
	if m.blobs > 0 {
		blobs := quantity(m.blobs)
		r.BlobGasUsed, r.BlobGasPrice = &blobs, wei(2)
	}
	root := frame{Type: "CALL", From: t.From, To: t.To, Value: wei(m.value), Input: data{}, Calls: m.frames}
	if m.creates {
		t.To, r.Contract, root.Type = nil, whom(m.to), "CREATE"
	}
	if m.failed {
		zero := quantity(0)
		r.Status, r.Logs, root.Error = &zero, []event{}, "execution reverted"
	}
	raw, _ := t.encode()
	t.Hash = keccak(raw)
	r.TxHash = t.Hash
	return t, r, traced{TxHash: &t.Hash, Result: &root}
}

// seal computes the roots and the hash, and stores the block.
func (s *simulated) seal(b *block, receipts []receipt, traces []traced) {
	var txs, rs, ws [][]byte
	for i := range b.Transactions {
		raw, _ := b.Transactions[i].encode()
		txs = append(txs, raw)
		raw, _ = receipts[i].encode()
		rs = append(rs, raw)
	}
	for i := range b.Withdrawals {
		ws = append(ws, b.Withdrawals[i].encode())
	}
	b.TransactionsRoot, b.ReceiptsRoot = listRoot(txs), listRoot(rs)
	if b.Withdrawals != nil {
		root := listRoot(ws)
		b.WithdrawalsRoot = &root
	}
	b.Hash = b.hashOf()
	for i := range b.Transactions {
		b.Transactions[i].BlockHash, receipts[i].BlockHash = b.Hash, b.Hash
	}
	s.blocks[b.Hash], s.receipts[b.Hash], s.traces[b.Hash] = b, receipts, traces
}

// reorganise drops blocks from the top.
func (s *simulated) reorganise(depth int) { s.best = s.best[:len(s.best)-depth] }

func (s *simulated) tip() *block { return s.blocks[s.best[len(s.best)-1]] }

// receiptOf finds a receipt by its transaction.
func (s *simulated) receiptOf(tx hash) *receipt {
	for _, h := range s.best {
		for i := range s.receipts[h] {
			if s.receipts[h][i].TxHash == tx {
				return &s.receipts[h][i]
			}
		}
	}
	return nil
}

func (s *simulated) frameOf(tx hash) *frame {
	for _, list := range slices.Collect(maps.Values(s.traces)) {
		for i := range list {
			if *list[i].TxHash == tx {
				return list[i].Result
			}
		}
	}
	return nil
}

func topicOf(a address) (h hash) {
	copy(h[12:], a[:])
	return h
}

// erc20 is the log of a token's transfer.
func erc20(token, from, to byte, value uint64) event {
	var word [32]byte
	binary.BigEndian.PutUint64(word[24:], value)
	var source address
	if from != 0 {
		source = who(from)
	}
	return event{Address: who(token), Topics: []hash{transferTopic, topicOf(source), topicOf(who(to))}, Data: word[:]}
}
