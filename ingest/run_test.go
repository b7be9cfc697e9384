package ingest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/ingesttest"
	"bongsu/ingest/tables"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	head  = tables.OwnHeader + "\n"
	alice = "0x47666fab8bd0ac7003bce3f5c3585383f09486e2"
	bob   = "0xa4b2fd68593b6f34e51cb9edb66e71c1b4ab449e"
)

// row is a row of our own CSV with a transaction of its own.
func row(i int) string {
	return fmt.Sprintf("eip155:1,2025-02-21T14:29:47Z,%d,0x%064x,,native,%s,%s,ETH,%d\n", 21_000_000+i/10, i+1, alice, bob, i+1)
}

func rows(n int) string {
	var b strings.Builder
	b.WriteString(head)
	for i := range n {
		b.WriteString(row(i))
	}
	return b.String()
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func options() ingest.Options { return ingest.Options{Formats: tables.Formats()} }

// TestStates: the report says of each source how far it came, also when the
// store fails in the middle of a run.
func TestStates(t *testing.T) {
	names := []string{write(t, "a.csv", []byte(rows(5))), write(t, "b.csv", []byte(rows(9))), write(t, "c.csv", []byte(rows(3)))}
	var sources []ingest.Source
	for _, n := range names {
		sources = append(sources, ingest.Source{Name: n})
	}
	store := ingesttest.Store{KillAfter: 2}
	rep, err := ingest.Run(t.Context(), &store, sources, options())
	if !errors.Is(err, ingesttest.ErrKilled) || errs.Where(err) != names[1] || len(rep.Sources) != 3 {
		t.Fatalf("%v, %+v", err, rep)
	}
	for i, want := range []ingest.State{ingest.Done, ingest.Failed, ingest.Untouched} {
		s := rep.Sources[i]
		if s.Name != names[i] || s.State != want || (s.Error != "") != (want == ingest.Failed) {
			t.Errorf("%+v, want %s", s, want)
		}
	}
}

func count(t *testing.T, s *ingesttest.Store) int {
	t.Helper()
	list, err := s.Transfers(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func gz(t *testing.T, data string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zst(t *testing.T, data string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll([]byte(data), nil)
}

// bz2 compresses with the system's bzip2; Go's library only decompresses.
func bz2(t *testing.T, data string) []byte {
	t.Helper()
	path, err := exec.LookPath("bzip2")
	if err != nil {
		t.Fatal("bzip2 is missing; tools/setup.sh test installs it")
	}
	c := exec.CommandContext(t.Context(), path, "-c")
	c.Stdin = strings.NewReader(data)
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCompressed(t *testing.T) {
	plain := rows(50)
	for name, data := range map[string][]byte{"f.csv": []byte(plain), "f.csv.gz": gz(t, plain), "f.zst": zst(t, plain), "odd-name": gz(t, plain)} {
		t.Run(name, func(t *testing.T) {
			var s ingesttest.Store
			rep, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: write(t, name, data)}}, options())
			if err != nil || rep.Rows != 50 || rep.Added != 50 || count(t, &s) != 50 {
				t.Fatalf("%+v, %v", rep, err)
			}
		})
	}
	t.Run("bzip2", func(t *testing.T) {
		var s ingesttest.Store
		rep, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: write(t, "f.bz2", bz2(t, plain))}}, options())
		if err != nil || rep.Added != 50 {
			t.Fatalf("%+v, %v", rep, err)
		}
	})
}

func TestStandardInput(t *testing.T) {
	t.Chdir(t.TempDir())
	var s ingesttest.Store
	o := options()
	o.Stdin = bytes.NewReader(gz(t, rows(3)+"bad,row\n"))
	rep, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: "-"}}, o)
	if errs.Is(err) != errs.Partial || rep.Added != 3 || rep.Rejects != 1 || rep.Sources[0].RejectsFile != "stdin.rejects.csv" {
		t.Fatalf("%+v, %v", rep, err)
	}
	if _, err := os.Stat("stdin.rejects.csv"); err != nil {
		t.Fatal(err)
	}
	if _, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: "-"}}, options()); errs.Is(err) != errs.Usage {
		t.Fatal(err)
	}
}

// TestDamage: what stands before a cut goes in, nothing of what may be damaged
// anywhere, and the error says what to do.
func TestDamage(t *testing.T) {
	packed, zpacked := gz(t, rows(2000)), zst(t, rows(2000))
	flipped := bytes.Clone(packed)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	zflipped := bytes.Clone(zpacked)
	zflipped[len(zflipped)/2] ^= 1
	for _, c := range []struct {
		name string
		data []byte
		why  string
	}{
		{"gzip cut off", packed[:len(packed)*2/3], "cut off: unexpected EOF; fetch the file again; rows before the cut are imported"},
		{"gzip flipped", flipped, "damaged: gzip: invalid checksum; fetch the file again; nothing of it was imported"},
		{"zstd cut off", zpacked[:len(zpacked)*2/3], "cut off"},
		{"zstd flipped", zflipped, "damaged"},
		{"gzip of nothing known", gz(t, "hello"), "no known format"},
		{"gzip header alone", packed[:6], "cut off"},
		{"empty", nil, "is empty"},
		{"UTF-16", append([]byte{0xff, 0xfe}, "t\x00x\x00"...), "UTF-16"},
		{"noise", bytes.Repeat([]byte{0xde, 0xad, 0xbe, 0xef}, 1000), "no known format"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s ingesttest.Store
			path := write(t, "file", c.data)
			_, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: path}}, options())
			if errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), c.why) || !strings.Contains(err.Error(), path) {
				t.Fatalf("%v, want %q", err, c.why)
			}
			if part := count(t, &s); (part > 0 && part < 2000) != strings.HasSuffix(c.name, " cut off") {
				t.Errorf("%d rows imported", part)
			}
			if left, _ := filepath.Glob(filepath.Dir(path) + "/*"); len(left) != 1 {
				t.Fatalf("left behind: %q", left)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	var s ingesttest.Store
	file := write(t, "f.csv", []byte(rows(1)))
	for _, c := range []struct {
		name    string
		sources []ingest.Source
		format  string
		kind    errs.Kind
	}{
		{"no file", nil, "", errs.Usage},
		{"missing", []ingest.Source{{Name: file + "x"}}, "", errs.NotExist},
		{"folder", []ingest.Source{{Name: filepath.Dir(file)}}, "", errs.Usage},
		{"unknown format", []ingest.Source{{Name: file}}, "nonsense", errs.Usage},
		{"wrong format", []ingest.Source{{Name: file}}, "ethereum-etl-traces", errs.Invalid},
	} {
		o := options()
		o.Format = c.format
		if _, err := ingest.Run(t.Context(), &s, c.sources, o); errs.Is(err) != c.kind || errs.Hint(err) == "" {
			t.Errorf("%s: %v (%v)", c.name, err, errs.Is(err))
		}
	}
	if n := count(t, &s); n != 0 {
		t.Errorf("%d transfers went in", n)
	}
	// A bad source among good ones is found before anything is imported.
	if _, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: file}, {Name: file + "x"}}, options()); errs.Is(err) != errs.NotExist || count(t, &s) != 0 {
		t.Errorf("%v, %d transfers", err, count(t, &s))
	}
}

// TestResume: an import killed between two checkpoints goes on at the last one,
// a source that changed in between starts over, and both end with the same.
func TestResume(t *testing.T) {
	const n = 60_000
	text := rows(n)
	for _, changed := range []bool{false, true} {
		t.Run(fmt.Sprintf("changed=%v", changed), func(t *testing.T) {
			path := write(t, "f.csv", []byte(text))
			s := ingesttest.Store{KillAfter: 6}
			o := options()
			o.CheckpointRows = 16384
			if _, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: path}}, o); !errors.Is(err, ingesttest.ErrKilled) {
				t.Fatalf("not killed: %v", err)
			}
			if s.Len() != 0 || s.Checkpoints == 0 {
				t.Fatalf("%d transfers are visible, %d checkpoints", s.Len(), s.Checkpoints)
			}
			if changed { // in a row far behind the beginning, to the same length
				b := []byte(text)
				i := bytes.Index(b, []byte(row(5000)))
				copy(b[i:], strings.Replace(row(5000), alice, bob, 1))
				b = bytes.Replace(b, []byte(",5001\n"), []byte(",5002\n"), 1)
				if err := os.WriteFile(path, b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			rep, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: path}}, o)
			if err != nil {
				t.Fatal(err)
			}
			if got := rep.Sources[0].Resumed; (got > 0) == changed {
				t.Errorf("%d rows were skipped", got)
			}
			if got := s.Len(); got != n {
				t.Errorf("%d transfers, want %d", got, n)
			}
		})
	}
}

// TestEquals: two equal movements without a place are two, with the same place
// one, and a transaction has one native value.
func TestEquals(t *testing.T) {
	const h = "chain,time,block,tx,kind,from,to,asset,amount,log_index\n"
	line := func(kind, asset, log string) string {
		return fmt.Sprintf("eip155:1,2025-02-21T14:29:47Z,7,0x%064x,%s,%s,%s,%s,1,%s\n", 9, kind, alice, bob, asset, log)
	}
	for _, c := range []struct {
		name, file string
		want       int
	}{
		{"token without places", h + line("token", "stETH", "") + line("token", "stETH", ""), 2},
		{"token with places", h + line("token", "stETH", "3") + line("token", "stETH", "4"), 2},
		{"token twice in one place", h + line("token", "stETH", "3") + line("token", "stETH", "3"), 1},
		{"three, one of them twice", h + line("token", "stETH", "9") + line("token", "stETH", "4") + line("token", "stETH", "9") + line("token", "stETH", "2"), 3},
		{"native twice", h + line("native", "ETH", "") + line("native", "ETH", ""), 1},
		{"internal twice", h + line("internal", "ETH", "") + line("internal", "ETH", ""), 2},
		{"apart", h + line("internal", "ETH", "") + line("fee", "ETH", "") + line("internal", "ETH", ""), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s ingesttest.Store
			file := strings.ReplaceAll(c.file, "fee,"+alice+","+bob, "fee,"+alice+",")
			extra := strings.Count(file, ",fee,")
			for range 2 {
				if _, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: write(t, "f.csv", []byte(file))}}, options()); err != nil {
					t.Fatal(err)
				}
			}
			if got := count(t, &s) - extra; got != c.want {
				t.Errorf("%d transfers, want %d", got, c.want)
			}
		})
	}
}

// TestProgress: progress is told, ends with the whole, and needs no clock of
// the machine.
func TestProgress(t *testing.T) {
	var s ingesttest.Store
	var last ingest.Progress
	o := options()
	now := time.Unix(0, 0)
	o.Now = func() time.Time { now = now.Add(time.Second); return now }
	o.Progress = func(p ingest.Progress) { last = p }
	if _, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: write(t, "f.csv", []byte(rows(500)))}}, o); err != nil {
		t.Fatal(err)
	}
	if last.Rows != 500 || last.Rate != 500 || last.Format != "bongsu-csv" {
		t.Errorf("%+v", last)
	}
}

// TestCancelled: an import that is interrupted ends, and leaves nothing visible.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var s ingesttest.Store
	r := &interrupted{data: []byte(rows(100_000)), after: 1 << 20, cancel: cancel}
	_, err := ingest.Run(ctx, &s, []ingest.Source{{Name: "pipe", From: r}}, options())
	if !errors.Is(err, context.Canceled) || count(t, &s) != 0 {
		t.Fatalf("%v, %d transfers", err, count(t, &s))
	}
}

type interrupted struct {
	data   []byte
	after  int
	cancel func()
}

func (r *interrupted) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 4096)], r.data)
	r.data = r.data[n:]
	if r.after -= n; r.after < 0 {
		r.cancel()
	}
	return n, nil
}

// TestNoRejects: a file that goes in whole leaves no rejects file.
func TestNoRejects(t *testing.T) {
	var s ingesttest.Store
	path := write(t, "f.csv", []byte(rows(3)))
	rep, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: path}}, options())
	if err != nil || rep.Sources[0].RejectsFile != "" {
		t.Fatalf("%+v, %v", rep, err)
	}
	if left, _ := filepath.Glob(filepath.Dir(path) + "/*"); len(left) != 1 {
		t.Fatalf("left behind: %q", left)
	}
}

// TestDamageAmongOthers: a source that cannot be read to its end does not keep
// the next ones out, and the report says which it was.
func TestDamageAmongOthers(t *testing.T) {
	var s ingesttest.Store
	packed := gz(t, rows(500))
	bad := write(t, "bad.csv.gz", packed[:len(packed)-20])
	good := write(t, "good.csv", []byte(head+strings.ReplaceAll(row(9000), "9001", "7")))
	rep, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: bad}, {Name: good}}, options())
	if errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), bad) {
		t.Fatal(err)
	}
	if len(rep.Sources) != 2 || rep.Sources[0].Error == "" || rep.Sources[1].Error != "" || rep.Sources[1].Added != 1 {
		t.Fatalf("%+v", rep)
	}
}

// TestStreamsDoNotResume: what an interrupted import from standard input left is
// not taken for the beginning of another.
func TestStreamsDoNotResume(t *testing.T) {
	s := ingesttest.Store{KillAfter: 6}
	o := options()
	o.CheckpointRows = 8192
	from := func(text string) []ingest.Source {
		return []ingest.Source{{Name: "pipe", From: strings.NewReader(text)}}
	}
	if _, err := ingest.Run(t.Context(), &s, from(rows(60_000)), o); !errors.Is(err, ingesttest.ErrKilled) || s.Checkpoints == 0 {
		t.Fatal(err, s.Checkpoints)
	}
	rep, err := ingest.Run(t.Context(), &s, from(rows(5)), o)
	if err != nil || rep.Added != 5 || s.Len() != 5 {
		t.Fatalf("%+v, %v, %d held", rep, err, s.Len())
	}
}

// TestPipe: a named pipe is read once, as a stream.
func TestPipe(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := unix.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile("pipe", []byte(rows(2000)+"bad\n"), 0) }()
	var s ingesttest.Store
	rep, err := ingest.Run(t.Context(), &s, []ingest.Source{{Name: "pipe"}}, options())
	if werr := <-written; werr != nil {
		t.Fatal(werr)
	}
	if errs.Is(err) != errs.Partial || rep.Added != 2000 || rep.Sources[0].RejectsFile != "stdin.rejects.csv" {
		t.Fatalf("%+v, %v", rep, err)
	}
}
