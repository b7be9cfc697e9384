package ingest

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"bongsu/durable"
	"bongsu/errs"
)

// What a rejects file keeps: bytes of one row, and bytes in all. A file that
// rejects more is not what it was taken for.
const (
	rejectedRow   = 64 << 10
	rejectedBytes = 1 << 30
)

// rejects is the rejects file of one source: line, column and reason, then the
// row as it stood. It appears under its name only when there is a rejected row,
// whole, when the source is done; one of an earlier run is replaced then.
//
// The columns after the first three are the source's own header, or one of
// jsonRow and jsonItem, so that a mended rejects file can be imported as it is.
// A source whose rows are not text has a column row too, and no such promise.
type rejects struct {
	path   string
	header string // of the source, without its line end; "" where it has none
	sep    byte   // between the columns of that header; 0 is a comma
	json   string // the column of JSON rows; "" where rows are not JSON
	f      *os.File
	w      *bufio.Writer
	n      atomic.Int64
	faults int64 // of n: not for ErrRounded
	unsaid int64 // of n: counted, and not written
	size   int64
	limit  int64  // for tests; 0: rejectedBytes
	first  string // where and why the first was rejected
}

// The columns of rejected rows of JSON: objects of a list, or one a line.
const (
	jsonRow  = "row"
	jsonItem = "item"
)

// ErrRounded is the reason for a row whose amount stands in floating point, too
// large to be exact there. It is no fault of the row: in such a file every large
// amount is rejected, so they do not end the import however many they are, and
// beyond the size of a rejects file they are only counted.
var ErrRounded = errors.New("the file keeps amounts as floating point, which may have rounded this one")

// mendable says whether a mended rejects file can be imported.
func (r *rejects) mendable() bool { return r.faults > 0 && (r.header != "" || r.json != "") }

func (r *rejects) add(at Place, row []byte, why error) error {
	reason, rounded := reasonText(why), errors.Is(why, ErrRounded)
	if !rounded {
		r.faults++
	}
	if r.f == nil {
		if err := r.create(); err != nil {
			return r.failed(err)
		}
	}
	if r.n.Add(1) == 1 {
		r.first = at.String() + ": " + reason
	}
	sep := r.separator()
	var b []byte
	b = strconv.AppendInt(b, at.Line, 10)
	b = append(b, sep)
	b = appendField(b, []byte(at.Column), sep)
	b = append(b, sep)
	b = appendField(b, []byte(reason), sep)
	b = append(b, sep)
	row = bytes.TrimRight(row, "\r\n")
	if len(row) > rejectedRow {
		row = row[:rejectedRow]
	}
	if r.header != "" && plainRow(row) {
		b = append(b, row...)
	} else {
		b = appendField(b, row, sep)
	}
	if r.size+int64(len(b)) > r.most() {
		if rounded {
			r.unsaid++
			return nil
		}
		return errs.New("import", errs.Limit, r.path, "the rejected rows fill more than a gigabyte", "see the reasons there, mend the file or name its --format")
	}
	r.size += int64(len(b))
	_, err := r.w.Write(append(b, '\n'))
	return r.failed(err)
}

func (r *rejects) most() int64 { return cmp.Or(r.limit, rejectedBytes) }

func (r *rejects) create() error {
	f, err := os.Create(r.path + ".partial") // one name, so that a killed run's is replaced
	if err != nil {
		return err
	}
	r.f, r.w = f, bufio.NewWriter(f)
	columns := r.header
	if columns == "" {
		columns = cmp.Or(r.json, jsonRow)
	}
	_, err = r.w.WriteString(rejectsHeader(r.separator()) + columns + "\n")
	return err
}

func (r *rejects) separator() byte { return cmp.Or(r.sep, ',') }

// rejectsHeader is what a rejects file has before the source's own columns.
func rejectsHeader(sep byte) string {
	return "line" + string(sep) + "column" + string(sep) + "reason" + string(sep)
}

// done puts the file under its name, or removes what an unfinished import
// wrote. It returns the name, or "" when there was nothing to reject.
func (r *rejects) done(finished bool) (string, error) {
	if r.f == nil {
		return "", nil
	}
	tmp := r.f.Name()
	defer os.Remove(tmp) // a no-op once renamed
	err := r.w.Flush()
	if err == nil {
		err = r.f.Sync()
	}
	if cerr := r.f.Close(); err == nil {
		err = cerr
	}
	if err == nil && finished {
		if err = os.Rename(tmp, r.path); err == nil {
			err = durable.SyncDir(filepath.Dir(r.path))
		}
	}
	return r.path, r.failed(err)
}

func (r *rejects) failed(err error) error {
	if err == nil {
		return nil
	}
	return &errs.Error{
		Op: "import", Kind: errs.Is(err), Where: r.path, Why: "the rejects file cannot be written", Err: err,
		Hint: "make its folder writable, or import a copy of the file from another folder",
	}
}

// join makes a row of cells.
func (r *rejects) join(fields [][]byte) (row []byte) {
	for i, f := range fields {
		if i > 0 {
			row = append(row, r.separator())
		}
		row = appendField(row, f, r.separator())
	}
	return row
}

// plainRow says whether a row can stand in a CSV file as it is.
func plainRow(row []byte) bool {
	return utf8.Valid(row) && bytes.IndexByte(row, 0) < 0 && bytes.IndexByte(row, '\n') < 0 &&
		bytes.IndexByte(row, '\r') < 0 && bytes.Count(row, []byte{'"'})%2 == 0
}

// appendField appends one CSV field (RFC 4180), quoted where needed. Bytes that
// are not UTF-8, and NULs, become U+FFFD.
func appendField(b, field []byte, sep byte) []byte {
	s := strings.ReplaceAll(strings.ToValidUTF8(string(field), "\uFFFD"), "\x00", "\uFFFD")
	if !strings.ContainsAny(s, "\"\r\n"+string(sep)) {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}
