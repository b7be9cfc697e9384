package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

// How many rows the files of the test have: more than an import keeps in
// memory, so that runs, checkpoints (every 70,000 rows) and segments are written.
const (
	killRows = 160_000
	killTxs  = 80_000
)

// TestKillWhileImporting kills `bongsu import` with SIGKILL wherever it happens
// to be, again and again, on an account chain and on a UTXO chain. After each
// kill the ledger is whole and holds every row of the imports that ended, and
// of the killed one all rows or none. In the end it holds what an undisturbed
// ledger holds, each row once.
func TestKillWhileImporting(t *testing.T) {
	dir := t.TempDir()
	files := []string{
		killFile(t, dir, "token_transfers.csv", killTransfers),
		killFile(t, dir, "bitcoin.json", killTransactions),
	}
	quiet := newKilled(t, filepath.Join(dir, "quiet"))
	for _, f := range files {
		quiet.run("import", f)
	}
	want := quiet.contents()

	k := newKilled(t, filepath.Join(dir, "killed"))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // where to kill
	kills := 0
	for i, f := range files {
		// How far an import comes is told by what it has written so far; at its
		// end it has written its rows twice. The first kill is halfway.
		whole := quiet.grown[i]
		for _, part := range []int64{500, 1 + r.Int64N(2000)} {
			if !k.killed(f, k.bytes()+whole*part/1000) {
				break // it ended before
			}
			kills++
			k.run("ledger", "check")
			rows := k.rows()
			if before, after := quiet.after[i], quiet.after[i+1]; rows != before && rows != after {
				t.Fatalf("killed at %d thousandths of %s: %d rows, want %d or %d", part, f, rows, before, after)
			}
		}
		k.run("import", f)
		if rows := k.rows(); rows != quiet.after[i+1] {
			t.Fatalf("%s ended: %d rows, want %d", f, rows, quiet.after[i+1])
		}
	}
	if kills == 0 {
		t.Error("nothing was killed before its end")
	}
	k.run("ledger", "check")
	if got := k.contents(); got != want {
		t.Errorf("the ledger holds %s, an undisturbed one %s", got, want)
	}
	if again := k.run("import", "--json", files[0], files[1]); !strings.Contains(again, `"added": 0`) {
		t.Errorf("the same again added rows: %.300s", again)
	}
}

// killed is a node whose commands are run as processes of their own.
type killed struct {
	t     *testing.T
	dir   string
	after []uint64 // rows after each import, and before the first
	grown []int64  // bytes that each import left
}

func newKilled(t *testing.T, dir string) *killed {
	k := &killed{t: t, dir: dir}
	k.run("init", "--name", "Killed")
	k.after = []uint64{0}
	return k
}

func (k *killed) command(args ...string) *exec.Cmd {
	k.t.Helper()
	self, err := os.Executable()
	if err != nil {
		k.t.Fatal(err)
	}
	c := exec.Command(self, append(args, "--data", k.dir)...)
	c.Args[0] = "bongsu"
	c.Env = append(os.Environ(), "BONGSU_TEST_AS_MAIN=1", "BONGSU_CHECKPOINT_ROWS=70000")
	return c
}

// run runs a command to its end and returns its output.
func (k *killed) run(args ...string) string {
	k.t.Helper()
	before := k.bytes()
	c := k.command(args...)
	var errors strings.Builder
	c.Stderr = &errors
	out, err := c.Output()
	if err != nil {
		k.t.Fatalf("bongsu %s: %v\n%s%s", strings.Join(args, " "), err, out, errors.String())
	}
	if args[0] == "import" {
		k.after, k.grown = append(k.after, k.rows()), append(k.grown, k.bytes()-before)
	}
	return string(out)
}

// killed imports a file and kills the process as soon as the ledger's files
// have so many bytes; false when it ended before.
func (k *killed) killed(file string, bytes int64) bool {
	k.t.Helper()
	c := k.command("import", file)
	if err := c.Start(); err != nil {
		k.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				k.t.Fatalf("import %s: %v", file, err)
			}
			return false
		default:
		}
		if k.bytes() >= bytes {
			c.Process.Kill() //nolint:errcheck // it may have ended just now
			return <-ended != nil
		}
		time.Sleep(time.Millisecond)
	}
}

// bytes is what the ledger's files take; some may vanish meanwhile.
func (k *killed) bytes() (n int64) {
	filepath.WalkDir(filepath.Join(k.dir, "ledger"), func(_ string, d fs.DirEntry, err error) error { //nolint:errcheck // none is returned
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

// rows is what `ledger stats` counts, transactions of UTXO chains included.
func (k *killed) rows() (n uint64) {
	k.t.Helper()
	c := k.command("ledger", "stats", "--json")
	out, err := c.Output()
	var doc struct {
		Chains []chainStats `json:"chains"`
	}
	if err == nil {
		err = json.Unmarshal(out, &doc)
	}
	if err != nil {
		k.t.Fatal(err)
	}
	for _, s := range doc.Chains {
		if n += s.Rows; s.Chain.UTXO() {
			n += s.Txs
		}
	}
	return n
}

// contents is a digest of every transfer and every transaction's inputs and
// outputs.
func (k *killed) contents() string {
	k.t.Helper()
	ctx := context.Background()
	l, err := ledger.Open(ctx, filepath.Join(k.dir, "ledger"), ledger.Options{ReadOnly: true})
	if err != nil {
		k.t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Reader(ctx)
	if err != nil {
		k.t.Fatal(err)
	}
	defer r.Close()
	d := ledger.NewDigest()
	err = r.Scan(ctx, chain.Ethereum, ledger.Key{}, ledger.Key{}, func(rows []ledger.Row) error {
		list, err := ledger.Expand(ctx, r, rows)
		for i := range list {
			d.Add(&list[i], false)
		}
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	sum := sha256.New()
	for i := 0; i < killTxs; i += 1000 {
		var names []ledger.Tx
		for n := i; n < i+1000; n++ {
			names = append(names, ledger.Tx{Chain: chain.Bitcoin, ID: killTx(n)})
		}
		refs, err := r.TxRefs(ctx, names)
		if err != nil {
			k.t.Fatal(err)
		}
		held, err := r.UTXOs(ctx, refs)
		if err != nil {
			k.t.Fatal(err)
		}
		for _, u := range held {
			fmt.Fprintf(sum, "%+v\n", u)
		}
	}
	return d.Sum() + fmt.Sprintf(" %x", sum.Sum(nil))
}

func killFile(t *testing.T, dir, name string, write func(*bufio.Writer)) string {
	t.Helper()
	path := filepath.Join(dir, name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	write(w)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func killTransfers(w *bufio.Writer) {
	g := generate.New(generate.Options{Seed: 1, Rows: killRows, RandomShare: generate.Mixed})
	batch := make([]ledger.EVMTransfer, 1024)
	w.WriteString(generate.CSVHeader) //nolint:errcheck // Flush reports it
	var b []byte
	for n := g.Next(batch); n > 0; n = g.Next(batch) {
		for i := range n {
			b = generate.AppendCSV(b[:0], &batch[i])
			w.Write(b) //nolint:errcheck // Flush reports it
		}
	}
}

func killTx(n int) chain.TxID {
	id, _ := chain.NewTxID(killHash("tx", n))
	return id
}

func killHash(kind string, n int) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "kill test %s %d", kind, n))
	return sum[:]
}

// killTransactions writes transactions as bitcoin-etl does, a hundred a block:
// a coinbase, and payments of what the block before paid.
func killTransactions(w *bufio.Writer) {
	const perBlock = 100
	script := func(n int) string { return fmt.Sprintf("76a914%x88ac", killHash("key", n%5000)[:20]) }
	for n := range killTxs {
		block, index := n/perBlock, n%perBlock
		inputs := ""
		if index > 0 && block > 0 {
			spent := n - perBlock
			inputs = fmt.Sprintf(`{"index":0,"spent_transaction_hash":%q,"spent_output_index":0,"addresses":[],"value":%d}`, killTx(spent).Text(chain.Bitcoin), 5000)
		}
		fmt.Fprintf(w, `{"type":"transaction","hash":%q,"block_number":%d,"block_hash":"%x","block_timestamp":%d,"is_coinbase":%v,"index":%d,"inputs":[%s],`+
			`"outputs":[{"index":0,"script_hex":%q,"type":"pubkeyhash","addresses":[],"value":5000}],"fee":0}`+"\n",
			killTx(n).Text(chain.Bitcoin), block+1, killHash("block", block), 1_300_000_000+600*block, inputs == "", index, inputs, script(n))
	}
}
