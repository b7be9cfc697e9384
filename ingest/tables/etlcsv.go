package tables

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"bongsu/errs"
	"bongsu/ingest"
)

// afterTransactions ranks what the tables of transactions give names to.
const afterTransactions = 1

// rank is that of a table for reading: tokens before what they give decimals to,
// blocks before what they give times to, traces after the transactions that they
// may not name.
func (l *layout) rank() int {
	switch l.name {
	case "tokens":
		return -2
	case "blocks":
		return -1
	case "traces":
		return afterTransactions
	}
	return 0
}

// etlCSV are the formats of ethereum-etl's CSV, one a table.
func etlCSV() (out []ingest.Format) {
	for _, l := range layouts() {
		out = append(out, ingest.Format{
			Name:      "ethereum-etl-" + dashed(l.name),
			Title:     "ethereum-etl's table " + l.name + " as CSV",
			Rank:      func([]byte) int { return l.rank() },
			Recognise: withHeader(func(h *header) bool { _, ok := l.places(h.names); return ok }),
			Read: func(ctx context.Context, in *ingest.Input, out *ingest.Output) error {
				return readETL(ctx, in, out, l)
			},
		})
	}
	return out
}

func dashed(s string) string { return string(bytes.ReplaceAll([]byte(s), []byte{'_'}, []byte{'-'})) }

// places finds the layout's columns among names; -1 for one that is not there.
// ok says whether the required ones all are.
func (l *layout) places(names []string) (places []int, ok bool) {
	h := header{names: names}
	ok = l.not == "" || !h.has(l.not)
	for i, alternatives := range l.columns {
		p := h.find(alternatives...)
		places = append(places, p)
		ok = ok && (p >= 0 || i >= l.required)
	}
	return places, ok
}

// noNFT is what a reader of token_transfers should know.
const noNFT = "its rows do not tell ERC-721 from ERC-20: the number of such a token stands as an amount; the table of logs tells them apart"

func readETL(ctx context.Context, in *ingest.Input, out *ingest.Output, l *layout) error {
	t, err := openTable(in, out)
	if err != nil {
		return err
	}
	places, ok := l.places(t.head.names)
	if !ok {
		return errs.New("import", errs.Invalid, in.Name+":1", "the header lacks a column of ethereum-etl's table "+l.name, "export the table with all its columns")
	}
	for _, alternatives := range l.columns {
		t.head.find(alternatives...) // a column of two places
	}
	e, err := newETL(in, out)
	if err != nil {
		return err
	}
	if l.name == "token_transfers" && slices.Equal(t.head.names, fastColumns) && t.head.sep == ',' {
		t.fast = (&fastTransfers{e: e}).line
	}
	e.join.columns[out.Source()] = t.head.names
	rec := make(record, len(places))
	err = t.each(ctx, func() error {
		for i, p := range places {
			rec[i] = nil
			if p >= 0 {
				rec[i] = t.row.fields[p]
			}
		}
		e.at.Line = t.row.line
		return l.row(e, rec)
	})
	if l.end != nil && (err == nil || errs.Is(err) == errs.Invalid) {
		err = errors.Join(err, l.end(e))
	}
	if err == nil {
		e.claim(l)
	}
	e.noteSilent()
	if l.name == "token_transfers" {
		out.Note("%s", noNFT)
	}
	return err
}
