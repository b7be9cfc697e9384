package ingest

import (
	"cmp"
	"encoding/binary"
	"slices"

	"bongsu/chain"
	"bongsu/ledger"
)

// Sizes of what an import holds at once.
const (
	batchRows       = 8192    // transfers handed over at a time
	batchesInFlight = 2       // handed over and not yet taken
	checkpointRows  = 4 << 20 // rows between two checkpoints
)

// batch is what the reading goroutine hands over at a time.
type batch struct {
	ledger.Facts
	tokens []ledger.EVMTransfer
	chain  chain.ID // of tokens
}

func (f *batch) empty() bool {
	return len(f.Transfers)+len(f.tokens)+len(f.Txs)+len(f.Blocks)+len(f.UTXOs)+len(f.Notes)+len(f.Assets)+len(f.Claims) == 0
}

// reset empties the batch and keeps its memory.
func (f *batch) reset() {
	f.Transfers, f.tokens, f.Txs, f.Blocks = f.Transfers[:0], f.tokens[:0], f.Txs[:0], f.Blocks[:0]
	f.UTXOs, f.Notes, f.Assets, f.Claims = f.UTXOs[:0], f.Notes[:0], f.Assets[:0], f.Claims[:0]
}

// take is the second goroutine: it numbers equal movements and adds batch after
// batch to the ledger's import, leaving out what an earlier run had saved.
func (s *sourceRun) take() {
	defer close(s.done)
	for f := range s.full {
		if err := s.add(f); err != nil {
			s.err = s.refused(err)
			close(s.failed)
			for range s.full { //nolint:revive // let the reader see failed
			}
			return
		}
		f.reset()
		s.empty <- f
	}
}

func (s *sourceRun) add(f *batch) error {
	s.number(f.Transfers)
	s.numberTokens(f.tokens)
	s.batches++
	if s.batches <= s.resume.Batches {
		if s.batches == s.resume.Batches && s.mark != s.resume.Mark {
			return errChanged
		}
		s.report.Resumed += int64(len(f.Transfers) + len(f.tokens))
		return nil
	}
	if err := s.hand(f); err != nil {
		return err
	}
	if s.pending += len(f.Transfers) + len(f.tokens) + len(f.Txs) + len(f.UTXOs) + len(f.Blocks); s.pending < s.every {
		return nil
	}
	s.pending = 0
	return s.into.Checkpoint(cursor{s.batches, s.mark}.bytes())
}

// evmImport is an import with a shorter way for token transfers of EVM chains;
// *ledger.Import has it.
type evmImport interface {
	AddEVM(id chain.ID, transfers []ledger.EVMTransfer) error
}

// hand adds a batch to the ledger's import.
func (s *sourceRun) hand(f *batch) error {
	short, ok := s.into.(evmImport)
	if !ok {
		for i := range f.tokens {
			f.Transfers = append(f.Transfers, f.tokens[i].Transfer(f.chain))
		}
	}
	if err := s.into.Add(&f.Facts); err != nil || !ok || len(f.tokens) == 0 {
		return err
	}
	return short.AddEVM(f.chain, f.tokens)
}

// hashAhead is how many rows are hashed before the first of them is looked up,
// so that the memory they will need is fetched for all of them at once.
const hashAhead = 128

// number fills in what only neighbouring rows tell: the rank of a row without a
// position in its transaction, and that among equal movements. Rows of one
// transaction that stand together are numbered by their positions, whatever
// their order; across two batches, as they come.
func (s *sourceRun) number(list []chain.Transfer) {
	sortRuns(list)
	var keys [hashAhead]uint64
	for len(list) > 0 {
		part := list[:min(hashAhead, len(list))]
		list = list[len(part):]
		for i := range part {
			t := &part[i]
			if t.Kind == chain.KindToken {
				t.From, t.To = minted(t.From), minted(t.To)
			}
			keys[i] = t.IdentityHash(s.equals.seed)
		}
		s.equals.fetch(keys[:len(part)])
		for i := range part {
			t := &part[i]
			if t.Ordinal == chain.NoOrdinal {
				if t.Tx != s.lastTx || t.Tx.IsZero() {
					s.lastTx, s.rank = t.Tx, 0
				}
				t.Row = s.rank
				s.rank++
			}
			s.equals.number(t, keys[i])
			s.mark.note(t)
		}
	}
}

// sortRuns puts the rows of each transaction that stand together into the order
// of their positions.
func sortRuns(list []chain.Transfer) {
	for i := 0; i < len(list); {
		j, sorted := i+1, true
		for ; j < len(list) && !list[i].Tx.IsZero() && list[j].Tx == list[i].Tx; j++ {
			sorted = sorted && list[j-1].Ordinal <= list[j].Ordinal
		}
		if !sorted {
			slices.SortStableFunc(list[i:j], func(a, b chain.Transfer) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
		}
		i = j
	}
}

// numberTokens is number for token transfers of an EVM chain.
func (s *sourceRun) numberTokens(list []ledger.EVMTransfer) {
	for i := 0; i < len(list); {
		j, sorted := i+1, true
		for ; j < len(list) && list[j].Tx == list[i].Tx; j++ {
			sorted = sorted && list[j-1].Ordinal <= list[j].Ordinal
		}
		if !sorted {
			slices.SortStableFunc(list[i:j], func(a, b ledger.EVMTransfer) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
		}
		i = j
	}
	var keys [hashAhead]uint64
	for len(list) > 0 {
		part := list[:min(hashAhead, len(list))]
		list = list[len(part):]
		for i := range part {
			t := &part[i]
			t.NoFrom, t.NoTo = t.From == [20]byte{}, t.To == [20]byte{}
			keys[i] = s.equals.tokenKey(t)
		}
		s.equals.fetch(keys[:len(part)])
		for i := range part {
			t := &part[i]
			t.Nth = s.equals.nth(keys[i], t.Ordinal)
			w := t.Amount.Words()
			s.mark.add(t.Block, w[0], t.Nth, t.Ordinal)
		}
	}
}

// minted is the account at one end of a token transfer: none where the event
// names the null address.
func minted(a chain.Account) chain.Account {
	if a.IsNull() {
		return chain.Account{}
	}
	return a
}

// mark is a running hash of what was stated; it tells a source that changed
// under a resumed import. It guards against mistakes, not against malice.
type mark uint64

func (m *mark) note(t *chain.Transfer) {
	w := t.Amount.Words()
	m.add(t.Block, w[0], t.Nth, t.Ordinal)
}

func (m *mark) add(block, amount uint64, nth, ordinal uint32) {
	*m = (*m ^ mark(block) ^ mark(amount) ^ mark(nth)<<32 ^ mark(ordinal)) * 0x9e3779b97f4a7c15
	*m ^= *m >> 29
}

// cursor is how far an import came: batches handed to the ledger, and their
// mark. Parsing is deterministic, so a batch is the same in every run.
type cursor struct {
	Batches int64
	Mark    mark
}

const cursorVersion = 1

func (c cursor) bytes() []byte {
	b := []byte{cursorVersion}
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Batches))
	return binary.LittleEndian.AppendUint64(b, uint64(c.Mark))
}

// readCursor reads a cursor; one of another version starts the source anew.
func readCursor(b []byte) cursor {
	if len(b) != 17 || b[0] != cursorVersion {
		return cursor{}
	}
	return cursor{int64(binary.LittleEndian.Uint64(b[1:])), mark(binary.LittleEndian.Uint64(b[9:]))}
}
