package bitcoin

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/follow/inmemory"
	"bongsu/ledger"
)

var magicMain = []byte{0xf9, 0xbe, 0xb4, 0xd9}

// blockFile frames raw blocks as Bitcoin Core does.
func blockFile(raws ...[]byte) []byte {
	var b []byte
	for _, raw := range raws {
		b = append(b, magicMain...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(raw)))
		b = append(b, raw...)
	}
	return b
}

func write(t testing.TB, dir, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// importFiles imports files into a new ledger.
func importFiles(t testing.TB, opts ingest.Options, files ...string) (*inmemory.Ledger, ingest.Report, error) {
	t.Helper()
	var sources []ingest.Source
	for _, f := range files {
		sources = append(sources, ingest.Source{Name: f})
	}
	if opts.Formats == nil {
		opts.Formats = Formats()
	}
	l := &inmemory.Ledger{}
	report, err := ingest.Run(context.Background(), l, sources, opts)
	return l, report, err
}

// contents is all that a ledger holds of Bitcoin, as text: equal contents are
// equal texts.
func contents(t testing.TB, l *inmemory.Ledger, txs []Hash) string {
	t.Helper()
	ctx := context.Background()
	r, err := l.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out strings.Builder
	cov, err := r.Coverage(ctx, chain.Bitcoin)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "ranges %v gaps %v\n", cov.Ranges, cov.Gaps)
	names := make([]ledger.Tx, len(txs))
	for i, h := range txs {
		names[i] = ledger.Tx{Chain: chain.Bitcoin, ID: h.TxID()}
	}
	refs, err := r.TxRefs(ctx, names)
	if err != nil {
		t.Fatal(err)
	}
	held, err := r.UTXOs(ctx, refs)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range held {
		fmt.Fprintf(&out, "%+v\n", u)
	}
	return out.String()
}

func hashesOf(blocks []*Block) (txs []Hash) {
	for _, b := range blocks {
		for i := range b.Txs {
			txs = append(txs, b.Txs[i].ID)
		}
	}
	return txs
}

func shuffled(raws [][]byte) [][]byte {
	out := append([][]byte(nil), raws...)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// TestImportAnyWay imports the same blocks in every layout that there is, in
// disorder and in order, whole and in parts: the ledger holds the same.
func TestImportAnyWay(t *testing.T) {
	dir := t.TempDir()
	plain := unpacked(t, "blocks1-256.bz2")
	raws := framed(t, plain)
	txs := hashesOf(decodeAll(t, raws))
	mixed := shuffled(raws)
	key := []byte{0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4}
	under := filepath.Join(dir, "masked")
	if err := os.Mkdir(under, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, under, KeyFile, key)
	whole := write(t, dir, "blk00000.dat", plain)
	var singles []string
	for i, raw := range raws {
		b := raw
		if i%2 == 0 {
			b = []byte(hex.EncodeToString(raw) + "\n")
		}
		singles = append(singles, write(t, dir, fmt.Sprintf("single%d", i), b))
	}
	ways := map[string][]string{
		"in order":        {whole},
		"compressed":      {filepath.Join("testdata", "blocks1-256.bz2")},
		"in disorder":     {write(t, dir, "blk00001.dat", blockFile(mixed...))},
		"two files":       {write(t, dir, "blk00002.dat", blockFile(mixed[100:]...)), write(t, dir, "blk00003.dat", blockFile(mixed[:100]...))},
		"twice":           {whole, write(t, dir, "blk00004.dat", blockFile(mixed...))},
		"with spare room": {write(t, dir, "blk00005.dat", append(bytes.Clone(plain), make([]byte, 4096)...))},
		"masked":          {write(t, under, "blk00006.dat", xor(blockFile(mixed...), key))},
		"single blocks":   singles,
	}
	l, report, err := importFiles(t, ingest.Options{}, whole)
	if err != nil {
		t.Fatal(err)
	}
	want := contents(t, l, txs)
	if !strings.Contains(want, "ranges [{From:1 To:255 What:16}]") && !strings.Contains(want, "ranges [{1 255 16}]") {
		t.Errorf("coverage: %.200s", want)
	}
	if report.Rejects != 0 {
		t.Errorf("%d rejects", report.Rejects)
	}
	for name, files := range ways {
		t.Run(name, func(t *testing.T) {
			l, report, err := importFiles(t, ingest.Options{}, files...)
			if err != nil || report.Rejects != 0 {
				t.Fatalf("%v, %d rejects", err, report.Rejects)
			}
			if got := contents(t, l, txs); got != want {
				t.Errorf("other contents than in order:\n%.500s\nwant\n%.500s", got, want)
			}
			// The same, with each file stating all that it completes but three blocks.
			l, report, err = importFiles(t, ingest.Options{Formats: formats(nil, 3)}, files...)
			if err != nil || report.Rejects != 0 {
				t.Fatalf("%v, %d rejects", err, report.Rejects)
			}
			if got := contents(t, l, txs); got != want {
				t.Errorf("file by file, other contents than in order:\n%.500s\nwant\n%.500s", got, want)
			}
		})
	}
}

// TestSpent holds that the ledger joins inputs with the outputs that they spend.
func TestSpent(t *testing.T) {
	l, _, err := importFiles(t, ingest.Options{}, filepath.Join("testdata", "blocks1-256.bz2"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := ParseHash("f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r, err := l.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	refs, err := r.TxRefs(ctx, []ledger.Tx{{Chain: chain.Bitcoin, ID: h.TxID()}})
	if err != nil {
		t.Fatal(err)
	}
	held, err := r.UTXOs(ctx, refs)
	if err != nil {
		t.Fatal(err)
	}
	u := held[0]
	if u.Block != 170 || u.Index != 1 || len(u.Inputs) != 1 || !u.Inputs[0].Known ||
		u.Inputs[0].Account.Address() != "12cbQLTFMXRnSzktFkuoG3eHoMeFtpTu3S" || u.Inputs[0].Value != chain.Units(50_0000_0000) {
		t.Errorf("the first payment: %+v", u)
	}
	// Its change was spent in block 181.
	if u.Outputs[1].Spender.Tx.Text(chain.Bitcoin) != "a16f3ce4dd5deb92d98ef5cf8afeaf0775ebca408f708b2146c4fb42b41e14be" {
		t.Errorf("its change is spent by %s", u.Outputs[1].Spender.Tx.Text(chain.Bitcoin))
	}
}

// TestBranches holds that of two branches the one with more work is taken,
// in whatever order the files come.
func TestBranches(t *testing.T) {
	at := func(name string) string { return filepath.Join("testdata", name) }
	files := []string{at("blk_0_to_4.dat.bz2"), at("blk_3A.dat.bz2"), at("blk_4A.dat.bz2"), at("blk_5A.dat.bz2")}
	branch := decodeAll(t, append(framed(t, unpacked(t, "blk_3A.dat.bz2")), framed(t, unpacked(t, "blk_4A.dat.bz2"))...))
	branch = append(branch, decodeAll(t, framed(t, unpacked(t, "blk_5A.dat.bz2")))...)
	tip := branch[len(branch)-1]
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}} {
		var named []string
		for _, n := range order {
			named = append(named, files[n])
		}
		l, report, err := importFiles(t, ingest.Options{}, named...)
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Reader(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		blocks, err := r.Blocks(context.Background(), chain.Bitcoin, []uint64{0, 2, 3, 4, 5})
		if err != nil {
			t.Fatal(err)
		}
		if Hash(blocks[4].Hash) != tip.Hash || Hash(blocks[2].Hash) != branch[0].Hash || !genesis(chain.Bitcoin, Hash(blocks[0].Hash)) {
			t.Errorf("order %v: heights 0, 2 to 5 are %v", order, blocks)
		}
		var notes []string
		for _, s := range report.Sources {
			notes = append(notes, s.Notes...)
		}
		if got := strings.Join(notes, "; "); got != "2 blocks of stale branches left out" {
			t.Errorf("order %v: notes %q", order, got)
		}
	}
	// The short branch alone is the chain.
	l, _, err := importFiles(t, ingest.Options{}, files[0])
	if err != nil {
		t.Fatal(err)
	}
	r, _ := l.Reader(context.Background())
	if cov, _ := r.Coverage(context.Background(), chain.Bitcoin); len(cov.Ranges) != 1 || cov.LastBlock != 4 {
		t.Errorf("coverage %+v", cov)
	}
}

// TestOneFileAfterTheOther holds that a file finds its place on what an earlier
// run imported, though its blocks state no height.
func TestOneFileAfterTheOther(t *testing.T) {
	dir := t.TempDir()
	raws := framed(t, unpacked(t, "blocks1-256.bz2"))
	whole, _, err := importFiles(t, ingest.Options{}, filepath.Join("testdata", "blocks1-256.bz2"))
	if err != nil {
		t.Fatal(err)
	}
	var l inmemory.Ledger
	for i, part := range [][][]byte{raws[:90], raws[90:200], raws[200:]} {
		path := write(t, dir, fmt.Sprintf("blk%05d.dat", i), blockFile(shuffled(part)...))
		report, err := ingest.Run(context.Background(), &l, []ingest.Source{{Name: path}}, ingest.Options{Formats: Formats(HeldBy(l.Reader))})
		if err != nil {
			t.Fatalf("part %d: %v, %+v", i, err, report)
		}
	}
	txs := hashesOf(decodeAll(t, raws))
	if got, want := contents(t, &l, txs), contents(t, whole, txs); got != want {
		t.Errorf("other contents than in one run:\n%.500s\nwant\n%.500s", got, want)
	}
}

// TestAnotherBranchThanTheLedgers holds that a branch imported earlier is not
// mixed with the one that won later.
func TestAnotherBranchThanTheLedgers(t *testing.T) {
	at := func(name string) string { return filepath.Join("testdata", name) }
	var l inmemory.Ledger
	dir := t.TempDir()
	run := func(names ...string) (string, error) {
		t.Helper()
		var sources []ingest.Source
		for _, n := range names {
			b, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, ingest.Source{Name: write(t, dir, filepath.Base(n), b)})
		}
		_, err := ingest.Run(context.Background(), &l, sources, ingest.Options{Formats: Formats(HeldBy(l.Reader))})
		rejects, _ := os.ReadFile(sources[0].Name + ".rejects.csv")
		return string(rejects), err
	}
	held := func() string {
		r, err := l.Reader(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		blocks, err := r.Blocks(context.Background(), chain.Bitcoin, []uint64{0, 1, 2, 3, 4, 5})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(blocks)
	}
	if _, err := run(at("blk_0_to_4.dat.bz2")); err != nil {
		t.Fatal(err)
	}
	before := held()
	rejects, err := run(at("blk_3A.dat.bz2"), at("blk_4A.dat.bz2"), at("blk_5A.dat.bz2"))
	if errs.Is(err) != errs.Partial || !strings.Contains(rejects, "stand on another branch than the ledger") || !strings.Contains(rejects, "at height 3") {
		t.Errorf("%v, rejects %q", err, rejects)
	}
	if held() != before {
		t.Errorf("holds %s, was %s", held(), before)
	}
	// The same again, and what goes on from it, is no conflict.
	if rejects, err := run(at("blk_0_to_4.dat.bz2")); err != nil {
		t.Errorf("%v, rejects %q", err, rejects)
	}
}

// TestFileByFile holds what stating a branch before all files are read must not
// change: doubles, branches that lost long ago, damage beside its own file.
func TestFileByFile(t *testing.T) {
	dir := t.TempDir()
	raws := framed(t, unpacked(t, "blocks1-256.bz2"))
	flipped := bytes.Clone(raws[120])
	flipped[len(flipped)-10] ^= 1
	second := append(append([][]byte{raws[3]}, raws[100:120]...), append([][]byte{flipped}, raws[121:200]...)...)
	first := write(t, dir, "blk0.dat", blockFile(raws[:100]...))
	damaged := write(t, dir, "blk1.dat", blockFile(second...))
	last := write(t, dir, "blk2.dat", blockFile(append(shuffled(raws[200:]), raws[7])...))
	l, report, err := importFiles(t, ingest.Options{Formats: formats(nil, 4)}, first, damaged, last)
	if errs.Is(err) != errs.Partial || report.Rejects != 1 {
		t.Fatalf("%v, %d rejects", err, report.Rejects)
	}
	if rejects, err := os.ReadFile(damaged + ".rejects.csv"); err != nil || !strings.Contains(string(rejects), "Merkle") {
		t.Errorf("rejects %q, %v", rejects, err)
	}
	notes := strings.Join(report.Sources[len(report.Sources)-1].Notes, "; ")
	if notes != "2 blocks seen twice" {
		t.Errorf("notes %q", notes)
	}
	r, _ := l.Reader(context.Background())
	if cov, _ := r.Coverage(context.Background(), chain.Bitcoin); fmt.Sprint(cov.Ranges) != "[{1 120 16} {121 121 0} {122 255 16}]" {
		t.Errorf("ranges %v", cov.Ranges)
	}
	// With each file its own part became visible.
	for i, want := range []int64{96, 96} {
		if report.Sources[i].UTXOs < want {
			t.Errorf("source %d stated %d transactions, want at least %d", i, report.Sources[i].UTXOs, want)
		}
	}
}

// TestLostLongAgo holds that a branch that lost against one that is stated
// already is left out, not rejected.
func TestLostLongAgo(t *testing.T) {
	at := func(name string) string { return filepath.Join("testdata", name) }
	for keep, want := range map[int]uint64{0: 4, 10: 4} {
		l, report, err := importFiles(t, ingest.Options{Formats: formats(nil, keep)}, at("blk_0_to_4.dat.bz2"), at("blk_3A.dat.bz2"))
		if err != nil {
			t.Fatal(err)
		}
		if notes := report.Sources[len(report.Sources)-1].Notes; len(notes) != 1 || notes[0] != "1 block of stale branches left out" {
			t.Errorf("keeping %d: notes %q", keep, notes)
		}
		r, _ := l.Reader(context.Background())
		if cov, _ := r.Coverage(context.Background(), chain.Bitcoin); !cov.Complete(0, want, ledger.CoverUTXO) || cov.LastBlock != want {
			t.Errorf("keeping %d: %+v", keep, cov)
		}
	}
}

// TestGoesOnAfterAKill holds that what the ledger holds whole is not read again.
func TestGoesOnAfterAKill(t *testing.T) {
	dir := t.TempDir()
	raws := framed(t, unpacked(t, "blocks1-256.bz2"))
	var l inmemory.Ledger
	run := func(name string, parts ...[]byte) (ingest.Report, error) {
		t.Helper()
		path := write(t, dir, name, blockFile(parts...))
		return ingest.Run(context.Background(), &l, []ingest.Source{{Name: path}}, ingest.Options{Formats: Formats(HeldBy(l.Reader))})
	}
	if _, err := run("before", raws[:150]...); err != nil {
		t.Fatal(err)
	}
	unreadable := make([][]byte, len(raws))
	for i, raw := range raws {
		unreadable[i] = bytes.Clone(raw)
		if i < 150 {
			clear(unreadable[i][headerBytes:])
		}
	}
	report, err := run("after", unreadable...)
	if err != nil || report.Rejects != 0 {
		t.Fatalf("%v, %d rejects", err, report.Rejects)
	}
	whole, _, err := importFiles(t, ingest.Options{}, filepath.Join("testdata", "blocks1-256.bz2"))
	if err != nil {
		t.Fatal(err)
	}
	txs := hashesOf(decodeAll(t, raws))
	if got, want := contents(t, &l, txs), contents(t, whole, txs); got != want {
		t.Errorf("other contents than in one run:\n%.500s\nwant\n%.500s", got, want)
	}
}

func TestLaterBlockIsPlacedByItsCoinbase(t *testing.T) {
	l, _, err := importFiles(t, ingest.Options{}, filepath.Join("testdata", "277647.dat.bz2"))
	if err != nil {
		t.Fatal(err)
	}
	r, _ := l.Reader(context.Background())
	if cov, _ := r.Coverage(context.Background(), chain.Bitcoin); !cov.Complete(277647, 277647, ledger.CoverUTXO) || cov.Txs != 213 {
		t.Errorf("coverage %+v", cov)
	}
}

// TestDamage holds that damage is written down, with its place, and keeps no
// sound block out.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	raws := framed(t, unpacked(t, "blocks1-256.bz2"))
	flipped := bytes.Clone(raws[3])
	flipped[len(flipped)-10] ^= 1 // in an output: the Merkle root tells
	cut := blockFile(raws[:20]...)
	for _, c := range []struct {
		name    string
		file    []byte
		want    string // of the rejects
		rejects int64
		ranges  string
	}{
		{"noise between blocks", append(append(blockFile(raws[:5]...), "noise"...), blockFile(raws[5:9]...)...), "5 bytes are no block of this chain", 1, "[{1 9 16}]"},
		{"ends in the middle of a block", cut[:len(cut)-7], "the file ends 7 bytes before this block does", 1, "[{1 19 16}]"},
		{"a changed amount", blockFile(append([][]byte{raws[0], raws[1], raws[2], flipped}, raws[4:8]...)...), "Merkle root", 1, "[{1 3 16} {4 4 0} {5 8 16}]"},
		{"a block is missing", blockFile(append(append([][]byte{}, raws[:3]...), raws[4:8]...)...), "4 blocks from 000000009b7262315dbf071787ad3656097b892abffd1f95a1a022f896f533fc on hang on no block whose height is known", 1, "[{1 3 16}]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, dir, strings.ReplaceAll(c.name, " ", "-"), c.file)
			l, report, err := importFiles(t, ingest.Options{}, path)
			if errs.Is(err) != errs.Partial || report.Rejects != c.rejects {
				t.Fatalf("%v, %d rejects", err, report.Rejects)
			}
			rejects, err := os.ReadFile(path + ".rejects.csv")
			if err != nil || !strings.Contains(string(rejects), c.want) {
				t.Errorf("rejects %q, %v; want %q", rejects, err, c.want)
			}
			r, _ := l.Reader(context.Background())
			cov, _ := r.Coverage(context.Background(), chain.Bitcoin)
			if got := fmt.Sprint(cov.Ranges); got != c.ranges {
				t.Errorf("ranges %s, want %s", got, c.ranges)
			}
		})
	}
}

func TestRecognise(t *testing.T) {
	raws := framed(t, unpacked(t, "blocks1-256.bz2"))
	late := framed(t, unpacked(t, "277647.dat.bz2"))
	key := []byte{9, 8, 7, 6, 5, 4, 3, 2}
	for name, c := range map[string]struct {
		head []byte
		want layout
	}{
		"block file":          {blockFile(raws[0]), records},
		"single":              {raws[0], single},
		"hexadecimal":         {[]byte(hex.EncodeToString(late[0])), text},
		"masked":              {xor(blockFile(late[0]), key), masked},
		"empty":               {nil, notBlocks},
		"text":                {bytes.Repeat([]byte("chain,time,block,tx,index,kind\n"), 20), notBlocks},
		"zeros":               {make([]byte, 1000), notBlocks},
		"header without more": {raws[0][:80], notBlocks},
	} {
		if got := layoutOf(c.head); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	// The key is given away by a block of real difficulty, without xor.dat.
	if got, ok := guessKey(xor(blockFile(late[0]), key)); !ok || !bytes.Equal(got, key) {
		t.Errorf("guessed the key %x, %v", got, ok)
	}
}
