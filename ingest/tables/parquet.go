package tables

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"bongsu/errs"
	"bongsu/ingest"

	"github.com/parquet-go/parquet-go"
)

// parquetTables reads Parquet: the tables of ethereum-etl, and those of the
// public blockchain data sets in Amazon's cloud, which have the same columns
// (and a column date of their own) but keep amounts as floating point. A file
// is read column page by column page; its table is told from its columns.
//
// An amount in floating point is believed where it is exact, that is below
// 2^53 base units; a row with a larger one is rejected.
var parquetTables = ingest.Format{
	Name:      "parquet",
	Title:     "ethereum-etl's tables, and Amazon's public blockchain data sets, as Parquet",
	Whole:     true,
	Recognise: func(head []byte) bool { return bytes.HasPrefix(head, []byte("PAR1")) },
	RankFile:  rankParquet,
	Read:      readParquet,
}

// rankParquet is the rank of the table that a file's columns show; 0 where the
// file cannot be read, which reading it says.
func rankParquet(r io.ReaderAt, size int64) (rank int) {
	defer func() {
		if recover() != nil { // see readParquet
			rank = 0
		}
	}()
	if checkFooter(r, size) != nil {
		return 0
	}
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return 0
	}
	leaves := leavesOf(f.Root(), nil)
	if len(leaves) > maxParquetColumns || isBitcoinTable(leaves) {
		return 0
	}
	if l, _ := pickLayout(leafNames(leaves)); l != nil {
		return l.rank()
	}
	return 0
}

func leafNames(leaves []*parquet.Column) []string {
	names := make([]string, len(leaves))
	for i, l := range leaves {
		names[i] = strings.ToLower(l.Path()[0])
	}
	return names
}

// Limits of what a Parquet file may declare.
const (
	maxParquetColumns = 4096
	maxParquetChunk   = 2 << 30 // uncompressed bytes of one column in one row group
)

func readParquet(ctx context.Context, in *ingest.Input, out *ingest.Output) (err error) {
	// The library checks what it reads, but a crafted file may still make it
	// panic; such a file is invalid, not a reason to end the process.
	defer func() {
		if p := recover(); p != nil {
			err = damagedParquet(in, fmt.Errorf("%v", p))
		}
	}()
	r, size := in.File()
	if err := checkFooter(r, size); err != nil {
		return &errs.Error{
			Op: "import", Kind: errs.Invalid, Where: in.Name, Why: "not a whole, well-formed Parquet file", Err: err,
			Hint: "fetch the file again; nothing of it was imported: what it holds stands at its end",
		}
	}
	pages := &pageChecker{r: r}
	defer pages.close()
	f, err := parquet.OpenFile(pages, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(1<<20))
	if err != nil {
		return damagedParquet(in, err)
	}
	leaves := leavesOf(f.Root(), nil)
	if len(leaves) > maxParquetColumns {
		return errs.New("import", errs.Limit, in.Name, fmt.Sprintf("the file has more than %d columns", maxParquetColumns), "write the table with its own columns alone")
	}
	if isBitcoinTable(leaves) {
		return readBitcoinParquet(ctx, in, out, f, pages, leaves)
	}
	names := leafNames(leaves)
	l, places := pickLayout(names)
	if l == nil {
		return errs.New("import", errs.Invalid, in.Name, "its columns are those of no known table: "+clip(strings.Join(names, ", ")),
			"export the table with the columns of ethereum-etl")
	}
	e, err := newETL(in, out)
	if err != nil {
		return err
	}
	out.Header(strings.Join(l.columnNames(), ","), ',') // the rejects file is that of the same table as CSV
	e.join.columns[out.Source()] = l.columnNames()
	err = e.readGroups(ctx, f, pages, l, leaves, places)
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

func damagedParquet(in *ingest.Input, err error) error {
	return &errs.Error{
		Op: "import", Kind: errs.Invalid, Where: in.Name, Why: "not a whole, well-formed Parquet file", Err: err,
		Hint: "fetch the file again; rows before the damage are imported",
	}
}

func leavesOf(c *parquet.Column, out []*parquet.Column) []*parquet.Column {
	for _, child := range c.Columns() {
		if child.Leaf() {
			out = append(out, child)
		} else {
			out = leavesOf(child, out)
		}
	}
	return out
}

// pickLayout finds the table whose required columns are there.
func pickLayout(names []string) (*layout, []int) {
	for _, l := range layouts() {
		if places, ok := l.places(names); ok {
			return l, places
		}
	}
	return nil, nil
}

// readGroups reads row group after row group, row after row.
func (e *etl) readGroups(ctx context.Context, f *parquet.File, pages *pageChecker, l *layout, leaves []*parquet.Column, places []int) error {
	rec := make(record, len(places))
	e.at.Line = 0
	for g, group := range f.RowGroups() {
		var wanted []int
		for _, p := range places {
			if p >= 0 {
				for _, l := range parts(leaves, leaves[p]) {
					wanted = append(wanted, l.Index())
				}
			}
		}
		if err := pages.group(e.in, &f.Metadata().RowGroups[g], wanted); err != nil {
			return err
		}
		cols := make([]cellReader, len(places))
		for i, p := range places {
			if p < 0 {
				continue
			}
			c, err := openColumn(f, g, leaves, leaves[p])
			if err != nil {
				return damagedParquet(e.in, err)
			}
			cols[i] = c
			defer c.close() //nolint:gocritic // row groups are few, and an error leaves the loop
		}
		for n := int64(0); n < group.NumRows(); n++ {
			if n%4096 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			for i, c := range cols {
				rec[i] = nil
				if c == nil {
					continue
				}
				var err error
				if rec[i], err = c.next(e.in.Limits.Row); err != nil {
					return damagedParquet(e.in, err)
				}
			}
			if err := e.parquetRow(l, rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// parquetRow reads one row; rejects carry its number as their line.
func (e *etl) parquetRow(l *layout, rec record) error {
	e.out.Row()
	e.at.Line++
	err := l.row(e, rec)
	var c *cellError
	if errors.As(err, &c) {
		for i, v := range rec {
			rec[i] = bytes.TrimPrefix(v, []byte{notExact})
		}
		return e.out.RejectFields(ingest.Place{Line: e.at.Line, Column: c.column}, rec, c.err)
	}
	return err
}
