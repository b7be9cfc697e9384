package ingest

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// Sizes of what an import holds at once.
const (
	batchRows       = 8192    // transfers handed over at a time
	batchesInFlight = 2       // handed over and not yet taken
	checkpointRows  = 4 << 20 // rows between two checkpoints
)

// Output takes what a format reads. It belongs to the goroutine that reads; a
// second goroutine hands full batches to the ledger.
type Output struct {
	ctx    context.Context
	run    *run
	source *sourceRun
	facts  *ledger.Facts
}

// Row counts one row of the source as read.
func (o *Output) Row() { o.source.rows.Add(1) }

// Transfer states a transfer. Nth is numbered later; t may be reused.
func (o *Output) Transfer(t *chain.Transfer) error {
	*o.Next() = *t
	return o.Keep()
}

// Next is the place of the next transfer, for formats that fill it in: what it
// holds is undefined until Keep. It is valid until the next call of a method of
// o, and Keep must be that one for the transfer to count.
func (o *Output) Next() *chain.Transfer {
	n := len(o.facts.Transfers)
	if n == cap(o.facts.Transfers) {
		o.facts.Transfers = slices.Grow(o.facts.Transfers, max(64, min(n, batchRows-n)))
	}
	return &o.facts.Transfers[:n+1][n]
}

// Keep states what Next gave out.
func (o *Output) Keep() error {
	o.facts.Transfers = o.facts.Transfers[:len(o.facts.Transfers)+1]
	o.source.report.Transfers++
	if len(o.facts.Transfers) >= batchRows {
		return o.flush()
	}
	return nil
}

// Tx states how and where a transaction ended.
func (o *Output) Tx(f ledger.TxFact) error {
	o.facts.Txs = append(o.facts.Txs, f)
	if len(o.facts.Txs) >= batchRows {
		return o.flush()
	}
	return nil
}

// Block states a block.
func (o *Output) Block(f ledger.BlockFact) error {
	o.facts.Blocks = append(o.facts.Blocks, f)
	if len(o.facts.Blocks) >= batchRows {
		return o.flush()
	}
	return nil
}

// UTXO states a transaction of a UTXO chain.
func (o *Output) UTXO(t ledger.UTXOTx) error {
	o.facts.UTXOs = append(o.facts.UTXOs, t)
	o.source.report.Transfers++
	if len(o.facts.UTXOs) >= batchRows {
		return o.flush()
	}
	return nil
}

// KeepsCall says whether links need the inputs of calls with a selector.
func (o *Output) KeepsCall(selector [4]byte) bool {
	return o.run.opts.KeepCall != nil && o.run.opts.KeepCall(selector)
}

// KeepsLog says whether links need the logs with a first topic.
func (o *Output) KeepsLog(topic [32]byte) bool {
	return o.run.opts.KeepLog != nil && o.run.opts.KeepLog(topic)
}

// Log states a call input or a log that links need.
func (o *Output) Log(f ledger.NoteFact) error {
	o.facts.Notes = append(o.facts.Notes, f)
	if len(o.facts.Notes) >= batchRows {
		return o.flush()
	}
	return nil
}

// Claim states what a source is complete for.
func (o *Output) Claim(c ledger.Claim) { o.facts.Claims = append(o.facts.Claims, c) }

// Asset returns what is known of an asset.
func (o *Output) Asset(a chain.Asset) (chain.AssetInfo, bool) { return o.run.registry.Info(a) }

// AssetBySymbol finds the one asset of a symbol on a chain; two assets of one
// symbol are none, because a symbol does not tell a look-alike apart.
func (o *Output) AssetBySymbol(id chain.ID, symbol string) (chain.AssetInfo, bool) {
	return o.run.registry.BySymbol(id, symbol)
}

// Register states what the source knows of an asset. Other decimals than those
// known are errs.Conflict, and change nothing.
func (o *Output) Register(info chain.AssetInfo) error {
	if _, known := o.run.registry.Info(info.Asset); !known {
		o.facts.Assets = append(o.facts.Assets, info)
	}
	return o.run.registry.Add(info)
}

// Join returns the join of a name that all sources of the run share, made by
// make when this is the first to ask. Joins finish after the last source, in
// the order in which they were asked for.
func (o *Output) Join(name string, make func(tempDir string, lim Limits) (Join, error)) (Join, error) {
	if j, ok := o.run.joins[name]; ok {
		return j, nil
	}
	j, err := make(o.run.opts.TempDir, o.run.opts.Limits)
	if err != nil {
		return nil, err
	}
	o.run.joins[name] = j
	o.run.order = append(o.run.order, name)
	return j, nil
}

// Source is the number of the source being read, for RejectOf.
func (o *Output) Source() int { return len(o.run.done) }

// RejectOf is Reject for a row of an earlier source of the run, while a join
// finishes.
func (o *Output) RejectOf(source int, at Place, row []byte, reason error) error {
	return o.run.done[source].rejects.add(at, row, reasonText(reason))
}

// Note adds something to the source's report that no row can carry.
func (o *Output) Note(format string, args ...any) {
	o.source.report.Notes = append(o.source.report.Notes, fmt.Sprintf(format, args...))
}

// Header names the columns of the source, as its first line writes them; the
// rejects file repeats them.
func (o *Output) Header(line string) { o.source.rejects.header = line }

// Reject writes a row to the rejects file with the reason. Nothing of the row
// may have been stated. The error is one that ends the import.
func (o *Output) Reject(at Place, row []byte, reason error) error {
	r := o.source.rejects
	if err := r.add(at, row, reasonText(reason)); err != nil {
		return err
	}
	if n := r.n.Load(); n >= o.run.opts.Limits.Rejects {
		return errs.New("import", errs.Limit, fmt.Sprintf("%s:%d", o.source.report.Name, at.Line),
			fmt.Sprintf("%d rows were rejected", n), "see "+r.path+" for the reasons, mend the file or name its --format")
	}
	return nil
}

// reasonText is an error without its operation: a rejects file says why.
func reasonText(err error) string {
	if e, ok := err.(*errs.Error); ok { //nolint:errorlint // only the outermost is re-printed
		c := *e
		c.Op = ""
		return c.Error()
	}
	return err.Error()
}

// flush hands the batch over.
func (o *Output) flush() error {
	f := o.facts
	if len(f.Transfers)+len(f.Txs)+len(f.Blocks)+len(f.UTXOs)+len(f.Notes)+len(f.Assets)+len(f.Claims) == 0 {
		return nil
	}
	select {
	case o.source.full <- f:
	case <-o.source.failed:
		return o.source.err
	case <-o.ctx.Done():
		return o.ctx.Err()
	}
	select {
	case o.facts = <-o.source.empty:
	case <-o.source.failed:
		return o.source.err
	}
	return nil
}

func reset(f *ledger.Facts) {
	f.Transfers, f.Txs, f.Blocks = f.Transfers[:0], f.Txs[:0], f.Blocks[:0]
	f.UTXOs, f.Notes, f.Assets, f.Claims = f.UTXOs[:0], f.Notes[:0], f.Assets[:0], f.Claims[:0]
}

// take is the second goroutine: it numbers equal movements and adds batch after
// batch to the ledger's import, leaving out what an earlier run had saved.
func (s *sourceRun) take() {
	defer close(s.done)
	for f := range s.full {
		if err := s.add(f); err != nil {
			s.err = err
			close(s.failed)
			for range s.full { //nolint:revive // let the reader see failed
			}
			return
		}
		reset(f)
		s.empty <- f
	}
}

func (s *sourceRun) add(f *ledger.Facts) error {
	s.number(f.Transfers)
	s.batches++
	if s.batches <= s.resume.Batches {
		if s.batches == s.resume.Batches && s.mark != s.resume.Mark {
			return errChanged
		}
		s.report.Resumed += int64(len(f.Transfers))
		return nil
	}
	if err := s.into.Add(f); err != nil {
		return err
	}
	if s.pending += len(f.Transfers) + len(f.Txs) + len(f.UTXOs) + len(f.Blocks); s.pending < s.every {
		return nil
	}
	s.pending = 0
	return s.into.Checkpoint(cursor{s.batches, s.mark}.bytes())
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
	*m = (*m ^ mark(t.Block) ^ mark(w[0]) ^ mark(t.Nth)<<32 ^ mark(t.Ordinal)) * 0x9e3779b97f4a7c15
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
