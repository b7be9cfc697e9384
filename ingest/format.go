package ingest

import (
	"context"
	"fmt"
	"io"

	"bongsu/chain"
)

// HeadBytes is how much of a source Recognise may see.
const HeadBytes = 64 << 10

// Format is one way of writing transfers. The formats that a command knows
// stand in one explicit list (tables.Formats, then those of other rooms); the
// first that recognises a source reads it.
type Format struct {
	Name  string // what --format takes: "bongsu-csv"
	Title string // one line for a person
	// Recognise says whether data that begin with head are in this format. It
	// sees at most HeadBytes, decompressed, fewer only when there are fewer.
	Recognise func(head []byte) bool
	// Beside says the same for data that only a file beside the named one makes
	// readable; nil: never. It is asked after every format's Recognise.
	Beside func(name string, head []byte) bool
	// Read reads the whole source and states its transfers on out. It returns
	// an error only for what makes the rest unreadable; a bad row goes to
	// out.Reject.
	Read func(ctx context.Context, in *Input, out *Output) error
	// Rank is that of a source, by its beginning, among those of one import: lower
	// ones are read first (a list of tokens before their transfers). Equal ranks
	// keep the order in which they were named; nil: 0.
	Rank func(head []byte) int
	// RankFile is Rank for a Whole format whose beginning does not tell; nil: Rank.
	RankFile func(r io.ReaderAt, size int64) int
	// Refused, when set, says why data in this format hold nothing to import, and
	// Hint what to do: it is recognised only to be told so.
	Refused, Hint string
	// Whole formats need the file itself (Input.File), not a stream.
	Whole bool
}

// Input is one opened source: decompressed, positioned at its beginning.
type Input struct {
	io.Reader
	Name   string   // as the user named it
	Chain  chain.ID // of the options; "" when none was given
	Limits Limits
	file   *whole
}

// Place is where a row stands in its source. Line counts from 1, with the
// header; Column names the column at fault, or is empty.
type Place struct {
	Line   int64
	Column string
}

// String is the place for a message.
func (p Place) String() string {
	switch {
	case p.Column == "":
		return fmt.Sprintf("line %d", p.Line)
	case p.Line == 0:
		return p.Column
	}
	return fmt.Sprintf("line %d, %s", p.Line, p.Column)
}

// Limits bound what a hostile or broken source can make an import hold.
type Limits struct {
	Row     int   // bytes of one row; longer ones are rejected
	Columns int   // columns of one row
	Quoted  int   // lines that one quoted field may span
	Depth   int   // nesting of JSON
	Rejects int64 // rejected rows after which an import gives up
	Inflate int64 // decompressed bytes per compressed byte, beyond InflateFree
	Frames  int   // frames of one transaction
}

// DefaultLimits are what zero fields of Limits mean.
var defaultLimits = Limits{
	Row:     16 << 20,
	Columns: 512,
	Quoted:  16,
	Depth:   64,
	Rejects: 1_000_000,
	Inflate: 200,
	Frames:  1 << 20,
}

// InflateFree is how much any compressed source may expand before Limits.Inflate counts.
const InflateFree = 64 << 20

func (l Limits) withDefaults() Limits {
	d := defaultLimits
	set := func(dst *int, v int) {
		if v > 0 {
			*dst = v
		}
	}
	set(&d.Row, l.Row)
	set(&d.Columns, l.Columns)
	set(&d.Quoted, l.Quoted)
	set(&d.Depth, l.Depth)
	set(&d.Frames, l.Frames)
	if l.Rejects > 0 {
		d.Rejects = l.Rejects
	}
	if l.Inflate > 0 {
		d.Inflate = l.Inflate
	}
	return d
}
