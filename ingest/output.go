package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ledger"
)

// Output takes what a format reads. It belongs to the goroutine that reads; a
// second goroutine hands full batches to the ledger.
type Output struct {
	ctx    context.Context
	run    *run
	source *sourceRun
	facts  *batch
	rows   int64 // read and not yet in source.rows
}

// rowsAtOnce is how many rows are read before the count that progress shows is
// told: a shared counter is dear where a row is cheap.
const rowsAtOnce = 512

// Row counts one row of the source as read.
func (o *Output) Row() {
	if o.rows++; o.rows >= rowsAtOnce {
		o.tellRows()
	}
}

func (o *Output) tellRows() {
	o.source.rows.Add(o.rows)
	o.rows = 0
}

// Transfer states a transfer. Nth is numbered later; t may be reused.
func (o *Output) Transfer(t *chain.Transfer) error {
	o.facts.Transfers = append(o.facts.Transfers, *t)
	o.source.report.Transfers++
	if len(o.facts.Transfers) >= batchRows {
		return o.flush()
	}
	return nil
}

// NextToken is the place of the next token transfer of an EVM chain, for formats
// that fill it in; its kind is set. It holds what an earlier one left, and counts
// with KeepToken, which must be the next call of o's.
func (o *Output) NextToken() *ledger.EVMTransfer {
	n := len(o.facts.tokens)
	if n == cap(o.facts.tokens) {
		o.facts.tokens = slices.Grow(o.facts.tokens, max(64, min(n, batchRows-n)))
	}
	t := &o.facts.tokens[:n+1][n]
	t.Kind, t.Row, t.Nth, t.NoFrom, t.NoTo = chain.KindToken, 0, 0, false, false
	return t
}

// KeepToken states what NextToken gave out, on the chain. A source states such
// transfers of one chain only.
func (o *Output) KeepToken(id chain.ID) error {
	o.facts.tokens, o.facts.chain = o.facts.tokens[:len(o.facts.tokens)+1], id
	o.source.report.Transfers++
	if len(o.facts.tokens) >= batchRows {
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
	o.source.report.UTXOs++
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
	o.source.report.Kept++
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
	return o.run.done[source].rejects.add(at, row, reason)
}

// RejectFields is Reject for a row of cells under the columns of Header.
func (o *Output) RejectFields(at Place, fields [][]byte, reason error) error {
	return o.Reject(at, o.source.rejects.join(fields), reason)
}

// RejectFieldsOf is RejectOf for such a row.
func (o *Output) RejectFieldsOf(source int, at Place, fields [][]byte, reason error) error {
	return o.RejectOf(source, at, o.run.done[source].rejects.join(fields), reason)
}

// Rejects is how many rows of the source were rejected so far.
func (o *Output) Rejects() int64 { return o.source.rejects.n.Load() }

// RejectsOf is Rejects of an earlier source of the run, while a join finishes.
func (o *Output) RejectsOf(source int) int64 { return o.run.done[source].rejects.n.Load() }

// maxNotes is how many notes a source's report holds: each row of a strange
// file may give rise to one.
const maxNotes = 100

// Note adds something to the source's report that no row can carry. Beyond
// maxNotes it says only that there are more.
func (o *Output) Note(format string, args ...any) {
	r := o.source.report
	switch n := len(r.Notes); {
	case n < maxNotes:
		r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
	case n == maxNotes:
		r.Notes = append(r.Notes, "and more of the kind")
	}
}

// Header names the columns of the source, as its first line writes them, and
// their separator; the rejects file repeats them.
func (o *Output) Header(line string, sep byte) {
	o.source.rejects.header, o.source.rejects.sep = line, sep
}

// JSON says that the rows of the source are objects, one a line or the items of a
// list; the rejects file is read back as such a source.
func (o *Output) JSON(items bool) {
	o.source.rejects.json = jsonRow
	if items {
		o.source.rejects.json = jsonItem
	}
}

// Reject writes a row to the rejects file with the reason. Nothing of the row
// may have been stated. The error is one that ends the import.
func (o *Output) Reject(at Place, row []byte, reason error) error {
	r := o.source.rejects
	if err := r.add(at, row, reason); err != nil {
		return err
	}
	if r.faults >= o.run.opts.Limits.Rejects {
		return errs.New("import", errs.Limit, fmt.Sprintf("%s:%d", o.source.report.Name, at.Line),
			fmt.Sprintf("%d rows were rejected", r.faults), "see "+r.path+" for the reasons, mend the file or name its --format")
	}
	return nil
}

// reasonText is an error without its operation, in one line: a rejects file says
// why. What it repeats of a source could hold line ends, and what moves the cursor
// of a terminal.
func reasonText(err error) string {
	text := err.Error()
	if e, ok := err.(*errs.Error); ok { //nolint:errorlint // only the outermost is re-printed
		c := *e
		c.Op = ""
		text = c.Error()
	}
	return Printable(text)
}

// Printable replaces what is no sign on one line of text, for messages that repeat
// what a source holds.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// flush hands the batch over.
func (o *Output) flush() error {
	f := o.facts
	if f.empty() {
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
