package ingest_test

import (
	"bytes"
	"strings"
	"testing"

	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/ingesttest"
)

// TestBehindCompressed: members and frames follow one another, zeros pad a gzip
// file, and of what else stands behind is said that it does, with the rows before
// it imported, from a file as from standard input.
func TestBehindCompressed(t *testing.T) {
	last := strings.TrimPrefix(rows(60), rows(50))
	empty := bytes.Repeat(gz(t, ""), 300)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, c := range map[string]struct {
		data []byte
		rows int
		why  string
	}{
		"gzip of two members":              {join(gz(t, rows(50)), gz(t, last)), 60, ""},
		"gzip with members of nothing":     {join(empty, gz(t, rows(50)), empty, gz(t, last)), 60, ""},
		"gzip padded with zeros":           {join(gz(t, rows(50)), make([]byte, 10_000)), 50, ""},
		"gzip padded with one zero":        {join(gz(t, rows(50)), make([]byte, 1)), 50, ""},
		"gzip and a letter":                {join(gz(t, rows(50)), []byte("x")), 50, "no gzip data"},
		"gzip and half a magic number":     {join(gz(t, rows(50)), []byte{0x1f}), 50, "no gzip data"},
		"gzip, zeros and another member":   {join(gz(t, rows(50)), make([]byte, 7), gz(t, last)), 50, "no gzip data"},
		"gzip and a signature":             {join(gz(t, rows(50)), bytes.Repeat([]byte("sig"), 10_000)), 50, "no gzip data"},
		"gzip and the beginning of a next": {join(gz(t, rows(50)), gz(t, last)[:5]), 50, "cut off"},
		"long gzip and a letter":           {join(gz(t, rows(2000)), []byte("x")), 2000, "no gzip data"},
		"zstd of two frames":               {join(zst(t, rows(50)), zst(t, last)), 60, ""},
		"zstd and a signature":             {join(zst(t, rows(50)), []byte("signature")), 50, "no zstd data"},
		"bzip2 of two streams":             {join(bz2(t, rows(50)), bz2(t, last)), 60, ""},
		"bzip2 and a signature":            {join(bz2(t, rows(50)), []byte("signature")), 50, "no bzip2 data"},
	} {
		for _, from := range []string{"file", "-"} {
			t.Run(name+"/"+from, func(t *testing.T) {
				var s ingesttest.Store
				o := options()
				name := write(t, "file", c.data)
				if from == "-" {
					t.Chdir(t.TempDir())
					name, o.Stdin = "-", bytes.NewReader(c.data)
				}
				rep, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: name}}, o)
				if (err == nil) != (c.why == "") || err != nil && (errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), c.why)) {
					t.Fatalf("%v, want %q", err, c.why)
				}
				if got := count(t, &s); got != c.rows || len(rep.Sources) != 1 {
					t.Fatalf("%d rows, want %d; %+v", got, c.rows, rep)
				}
			})
		}
	}
}

// TestOtherPackers: what is packed otherwise is told by name.
func TestOtherPackers(t *testing.T) {
	var s ingesttest.Store
	_, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: write(t, "file.xz", []byte("\xfd7zXZ\x00\x00\x04"))}}, options())
	if errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), "is packed by xz") {
		t.Fatal(err)
	}
}
