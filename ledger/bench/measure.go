package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

type bench struct {
	figures.Table
	ctx      context.Context
	dir      string
	rows     uint64
	opt      generate.Options
	accounts []ledger.AccountRef // evenly drawn
	assets   []ledger.AssetRef   // of a book of each
}

func (b *bench) open(name string) (*ledger.Ledger, error) {
	return ledger.Open(b.ctx, filepath.Join(b.dir, name), ledger.Options{})
}

// importCSV measures text to finished segments; the text is made beforehand
// and the parse alone is measured on the same file.
func (b *bench) importCSV() error {
	csv := filepath.Join(b.dir, "token_transfers.csv")
	if err := writeCSV(csv, b.opt); err != nil {
		return err
	}
	defer os.Remove(csv)
	start := time.Now()
	if err := eachRow(csv, func([]ledger.EVMTransfer) error { return nil }); err != nil {
		return err
	}
	parse := float64(b.rows) / time.Since(start).Seconds()
	l, err := b.open("main")
	if err != nil {
		return err
	}
	defer l.Close()
	start = time.Now()
	cpu := figures.ProcessorTime()
	im, err := l.Begin(b.ctx, csv)
	if err != nil {
		return err
	}
	if err := parseAhead(csv, func(rows []ledger.EVMTransfer) error { return im.AddEVM(chain.Ethereum, rows) }); err != nil {
		return err
	}
	runs := time.Since(start)
	if _, err := im.Commit(b.ctx); err != nil {
		return err
	}
	b.Add("import of token_transfers CSV into finished segments", float64(b.rows)/time.Since(start).Seconds(), "rows/s", parse, "the same CSV parsed only")
	b.Add("  processor time of it, all cores", float64((figures.ProcessorTime()-cpu).Nanoseconds())/float64(b.rows), "ns/row", 0, "")
	b.Add("  of which parsed and sorted into runs", runs.Seconds()*1e9/float64(b.rows), "ns/row", 0, "")
	b.Add("  of which merged and indexed", (time.Since(start)-runs).Seconds()*1e9/float64(b.rows), "ns/row", 0, "")
	b.Add("memory while importing, highest resident", figures.PeakMemory(), "MB", 0, "")
	return nil
}

func writeCSV(name string, opt generate.Options) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	g := generate.New(opt)
	rows := make([]ledger.EVMTransfer, 4096)
	buf := []byte(generate.CSVHeader)
	for n := g.Next(rows); n > 0; n = g.Next(rows) {
		for i := range n {
			buf = generate.AppendCSV(buf, &rows[i])
		}
		if _, err := f.Write(buf); err != nil {
			return err
		}
		buf = buf[:0]
	}
	return f.Close()
}

// eachRow is a hand splitter for exactly what writeCSV writes.
func eachRow(name string, use func([]ledger.EVMTransfer) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	buf, rows, have := make([]byte, 4<<20), make([]ledger.EVMTransfer, 0, 1<<14), 0
	header := true
	for {
		n, err := f.Read(buf[have:])
		have += n
		text := buf[:have]
		for {
			i := bytes.IndexByte(text, '\n')
			if i < 0 {
				break
			}
			if !header {
				rows = append(rows, ledger.EVMTransfer{})
				if perr := parseRow(text[:i], &rows[len(rows)-1]); perr != nil {
					return perr
				}
			}
			header, text = false, text[i+1:]
			if len(rows) == cap(rows) {
				if uerr := use(rows); uerr != nil {
					return uerr
				}
				rows = rows[:0]
			}
		}
		have = copy(buf, text)
		if err == io.EOF {
			return use(rows)
		}
		if err != nil {
			return err
		}
	}
}

// parseAhead is eachRow with the parsing in a goroutine of its own.
func parseAhead(name string, use func([]ledger.EVMTransfer) error) error {
	full, empty := make(chan []ledger.EVMTransfer, 2), make(chan []ledger.EVMTransfer, 3)
	for range 3 {
		empty <- nil
	}
	failed := make(chan error, 1)
	go func() {
		failed <- eachRow(name, func(rows []ledger.EVMTransfer) error {
			full <- append((<-empty)[:0], rows...)
			return nil
		})
		close(full)
	}()
	var err error
	for rows := range full {
		if err == nil {
			err = use(rows)
		}
		empty <- rows
	}
	if perr := <-failed; err == nil {
		err = perr
	}
	return err
}

func parseRow(line []byte, t *ledger.EVMTransfer) error {
	if len(line) < 3*43+2+67+2 {
		return fmt.Errorf("a line is too short: %q", line)
	}
	t.Kind, t.Index = chain.KindToken, chain.NoIndex
	unhex(t.Contract[:], line[2:42])
	unhex(t.From[:], line[45:85])
	unhex(t.To[:], line[88:128])
	line = line[129:]
	i := bytes.IndexByte(line, ',')
	amount, ok := decimal(line[:i])
	if !ok {
		return fmt.Errorf("not an amount: %q", line[:i])
	}
	t.Amount = amount
	line = line[i+1:]
	unhex(t.Tx[:], line[2:66])
	line = line[67:]
	i = bytes.IndexByte(line, ',')
	t.Ordinal, t.Block = uint32(digits(line[:i])), digits(line[i+1:])
	return nil
}

var nibbles = func() (t [256]byte) {
	for i := range 10 {
		t['0'+i] = byte(i)
	}
	for i := range 6 {
		t['a'+i], t['A'+i] = byte(10+i), byte(10+i)
	}
	return t
}()

func unhex(out, in []byte) {
	for i := range out {
		out[i] = nibbles[in[2*i]]<<4 | nibbles[in[2*i+1]]
	}
}

func digits(b []byte) (v uint64) {
	for _, c := range b {
		v = v*10 + uint64(c-'0')
	}
	return v
}

func decimal(b []byte) (chain.Amount, bool) {
	if len(b) <= 19 {
		return chain.Units(digits(b)), true
	}
	high, ok := chain.Units(digits(b[:len(b)-19])).MulDiv(chain.Units(1e19), chain.Units(1))
	if !ok || len(b) > 38 {
		a, err := chain.ParseBase(string(b))
		return a, err == nil
	}
	return high.Add(chain.Units(digits(b[len(b)-19:])))
}

func (b *bench) opening() error {
	best := time.Hour
	for range 5 {
		start := time.Now()
		l, err := b.open("main")
		if err != nil {
			return err
		}
		r, err := l.Reader(b.ctx)
		if err != nil {
			return err
		}
		best = min(best, time.Since(start))
		r.Close()
		l.Close()
	}
	b.Add("opening the ledger", best.Seconds()*1e3, "ms", 0, "")
	return nil
}

func (b *bench) sizes() error { return b.sizesOf("main", "mixed amounts") }

func (b *bench) sizesOf(name, what string) error {
	s, err := ledger.Describe(b.ctx, filepath.Join(b.dir, name))
	if err != nil {
		return err
	}
	n := float64(s.Rows)
	b.Add("bytes a transfer, both directions, balances, dictionary; "+what, float64(s.Bytes-s.HashBytes)/n, "bytes", 0, "")
	for _, p := range s.Parts {
		b.Add("  "+p.Name, float64(p.Bytes)/n, "bytes", 0, "")
	}
	b.Add("  transaction ids and their lookup, beside that", float64(s.HashBytes)/n, "bytes", 0, "")
	return nil
}

// draw picks accounts evenly, with a book of each.
func (b *bench) draw(r ledger.Reader, n int) error {
	if b.accounts != nil {
		return nil
	}
	g := generate.New(b.opt)
	total := 1000 + b.rows/7
	rng := rand.New(rand.NewPCG(1, 2))
	names := make([]chain.Account, 0, n)
	for range n {
		names = append(names, chain.EVM(chain.Ethereum, generate.Address(rng.Uint64N(total), false)))
	}
	_ = g
	refs, err := r.AccountRefs(b.ctx, names)
	if err != nil {
		return err
	}
	for _, a := range refs {
		if a != 0 {
			b.accounts = append(b.accounts, a)
		}
	}
	var p ledger.Pages
	queries := make([]ledger.Query, len(b.accounts))
	for i, a := range b.accounts {
		queries[i] = ledger.Query{Account: a, Limit: 1}
	}
	if err := r.Activity(b.ctx, queries, &p); err != nil {
		return err
	}
	for i := range queries {
		rows, _ := p.Page(i)
		b.assets = append(b.assets, rows[0].Asset)
	}
	return nil
}

const (
	drawn     = 200_000
	batchSize = 1000
	pageSize  = 16
)

func (b *bench) activity() error {
	l, err := b.open("main")
	if err != nil {
		return err
	}
	defer l.Close()
	r, err := l.Reader(b.ctx)
	if err != nil {
		return err
	}
	if err := b.draw(r, drawn); err != nil {
		return err
	}
	limit := gather()
	for _, workers := range []int{1, 2} {
		var rows uint64
		best := 0.0
		cpu := figures.ProcessorTime()
		for range 3 {
			start := time.Now()
			n, err := b.activityBy(r, workers)
			if err != nil {
				return err
			}
			rows = n
			best = max(best, float64(len(b.accounts))/time.Since(start).Seconds())
		}
		b.Add(fmt.Sprintf("activity of random accounts, first page of %d, %d worker(s)", pageSize, workers), best, "accounts/s", limit, "a random gather of 8 bytes, one worker")
		b.Add("  processor time of an account", float64((figures.ProcessorTime()-cpu).Nanoseconds())/float64(3*len(b.accounts)), "ns", 0, "")
		b.Add("  rows in these pages", best*float64(rows)/float64(len(b.accounts)), "rows/s", 0, "")
	}
	return nil
}

func (b *bench) activityBy(r ledger.Reader, workers int) (uint64, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var total uint64
	var first error
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var p ledger.Pages
			queries := make([]ledger.Query, 0, batchSize)
			n := uint64(0)
			for at := w * batchSize; at < len(b.accounts); at += workers * batchSize {
				queries = queries[:0]
				for _, a := range b.accounts[at:min(at+batchSize, len(b.accounts))] {
					queries = append(queries, ledger.Query{Account: a, Limit: pageSize})
				}
				if err := r.Activity(b.ctx, queries, &p); err != nil {
					mu.Lock()
					first = err
					mu.Unlock()
					return
				}
				n += uint64(len(p.Rows))
			}
			mu.Lock()
			total += n
			mu.Unlock()
		}()
	}
	wg.Wait()
	return total, first
}

// gather is how many random 8-byte reads a second the memory gives, from 512
// MB.
func gather() float64 {
	list := make([]uint64, 64<<20)
	for i := range list {
		list[i] = uint64(i) * 0x9e3779b97f4a7c15
	}
	const reads = 20_000_000
	start := time.Now()
	sum, x := uint64(0), uint64(88172645463325252)
	for range reads {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		sum += list[x&(64<<20-1)]
	}
	took := time.Since(start)
	if sum == 1 {
		fmt.Println()
	}
	return reads / took.Seconds()
}

func (b *bench) balances() error {
	l, err := b.open("main")
	if err != nil {
		return err
	}
	defer l.Close()
	r, err := l.Reader(b.ctx)
	if err != nil {
		return err
	}
	if err := b.draw(r, drawn); err != nil {
		return err
	}
	queries := make([]ledger.BalanceQuery, 0, batchSize)
	best, cpu := 0.0, figures.ProcessorTime()
	for range 3 {
		start := time.Now()
		for at := 0; at < len(b.accounts); at += batchSize {
			queries = queries[:0]
			for i := at; i < min(at+batchSize, len(b.accounts)); i++ {
				queries = append(queries, ledger.BalanceQuery{Account: b.accounts[i], Asset: b.assets[i]})
			}
			if _, err := r.Balances(b.ctx, queries); err != nil {
				return err
			}
		}
		best = max(best, float64(len(b.accounts))/time.Since(start).Seconds())
	}
	b.Add("balance of a random book, one worker", 1e9/best, "ns", 0, "")
	b.Add("  processor time of it", float64((figures.ProcessorTime()-cpu).Nanoseconds())/float64(3*len(b.accounts)), "ns", 0, "")
	return nil
}

func (b *bench) scan() error {
	l, err := b.open("main")
	if err != nil {
		return err
	}
	defer l.Close()
	r, err := l.Reader(b.ctx)
	if err != nil {
		return err
	}
	var sum uint64
	best, cpu := time.Hour, figures.ProcessorTime()
	for range 3 {
		start := time.Now()
		if err := ledger.ScanColumns(b.ctx, r, chain.Ethereum, ledger.WantFrom|ledger.WantAmount, func(c *ledger.Columns) error {
			for i := range c.From {
				w, _ := c.Amount[i].Uint64()
				sum += c.From[i] + c.Place[i] + w
			}
			return nil
		}); err != nil {
			return err
		}
		best = min(best, time.Since(start))
	}
	cpu = figures.ProcessorTime() - cpu
	limit := plainScan(int(min(b.rows, 20_000_000)))
	b.Add("sequential scan: account, place, amount; one core", float64(b.rows)/best.Seconds(), "rows/s", limit, "the same columns as plain arrays in memory")
	b.Add("  by processor time", 3*float64(b.rows)/cpu.Seconds(), "rows/s", 0, "")
	return nil
}

func plainScan(n int) float64 {
	from, place, amount := make([]uint64, n), make([]uint64, n), make([]chain.Amount, n)
	for i := range from {
		from[i], place[i], amount[i] = uint64(i), uint64(i), chain.Units(uint64(i))
	}
	start := time.Now()
	sum := uint64(0)
	for i := range from {
		w, _ := amount[i].Uint64()
		sum += from[i] + place[i] + w
	}
	took := time.Since(start)
	if sum == 1 {
		fmt.Println()
	}
	return float64(n) / took.Seconds()
}

// liveBlocks measures blocks of 300 transfers, one by one, over the ledger.
func (b *bench) liveBlocks() error {
	l, err := b.open("main")
	if err != nil {
		return err
	}
	defer l.Close()
	const blocks, size = 100, 300
	g := generate.New(generate.Options{Seed: 9, Rows: blocks * size})
	rows := make([]ledger.EVMTransfer, size)
	var took []float64
	cpu := figures.ProcessorTime()
	var parent ledger.Hash
	for n := range uint64(blocks) {
		g.Next(rows)
		live := liveBlock(rows, 90_000_000+n, parent)
		parent = live.Block.Hash
		start := time.Now()
		if _, err := l.ApplyBlock(b.ctx, live); err != nil {
			return err
		}
		r, err := l.Reader(b.ctx)
		if err != nil {
			return err
		}
		took = append(took, time.Since(start).Seconds()*1e3)
		r.Close()
	}
	sort.Float64s(took)
	b.Add("a new block of 300 transfers, durable and visible, median", took[len(took)/2], "ms", syncs(b.dir), "two synced appends of 64 kB and 28 bytes")
	b.Add("  processor time of it", (figures.ProcessorTime()-cpu).Seconds()*1e3/blocks, "ms", 0, "")
	b.Add("  99th percentile", took[len(took)*99/100], "ms", 0, "")
	return nil
}

func liveBlock(rows []ledger.EVMTransfer, number uint64, parent ledger.Hash) ledger.LiveBlock {
	b := ledger.LiveBlock{What: ledger.CoverTokens, Block: ledger.BlockFact{
		Chain: chain.Ethereum, Number: number, Hash: ledger.Hash{1, byte(number), byte(number >> 8), byte(number >> 16)}, Parent: parent,
		Time: chain.Time(1_700_000_000_000 + 12_000*int64(number)), HasTime: true,
	}}
	for i := range rows {
		t := &rows[i]
		id, _ := chain.NewTxID(t.Tx[:])
		b.Facts.Transfers = append(b.Facts.Transfers, chain.Transfer{
			Chain: chain.Ethereum, Time: b.Block.Time, Block: number, Index: uint32(i), Tx: id, Kind: chain.KindToken, Ordinal: uint32(i),
			From: chain.EVM(chain.Ethereum, t.From), To: chain.EVM(chain.Ethereum, t.To),
			Asset: chain.Token(chain.EVM(chain.Ethereum, t.Contract)), Amount: t.Amount,
		})
	}
	return b
}

func syncs(dir string) float64 {
	f, err := os.CreateTemp(dir, "sync")
	if err != nil {
		return 0
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var took []float64
	for i := range 50 {
		start := time.Now()
		f.WriteAt(make([]byte, 64<<10), int64(i+1)<<16)
		f.Sync()
		f.WriteAt(make([]byte, 28), 0)
		f.Sync()
		took = append(took, time.Since(start).Seconds()*1e3)
	}
	sort.Float64s(took)
	return took[len(took)/2]
}

// amountKinds measures the bytes again for sampled and for random amounts
// alone.
func (b *bench) amountKinds() error {
	rows := min(b.rows, 4_000_000)
	for name, share := range map[string]float64{"sampled": 0, "random": 1} {
		l, err := b.open(name)
		if err != nil {
			return err
		}
		im, err := l.Begin(b.ctx, name)
		if err != nil {
			return err
		}
		g := generate.New(generate.Options{Seed: 1, Rows: rows, RandomShare: share})
		batch := make([]ledger.EVMTransfer, 4096)
		for n := g.Next(batch); n > 0; n = g.Next(batch) {
			if err := im.AddEVM(chain.Ethereum, batch[:n]); err != nil {
				return err
			}
		}
		if _, err := im.Commit(b.ctx); err != nil {
			return err
		}
		l.Close()
		if err := b.sizesOf(name, name+" amounts"); err != nil {
			return err
		}
	}
	return nil
}
