package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

func (b *bench) opening() error {
	best := time.Hour
	for range 5 {
		start := time.Now()
		_, shut, err := b.reader("main")
		if err != nil {
			return err
		}
		best = min(best, time.Since(start))
		shut()
	}
	b.Add("opening the ledger", best.Seconds()*1e3, "ms", 0, "")
	return nil
}

// pick names n accounts, evenly drawn; those that no row has are left out.
func (b *bench) pick(r ledger.Reader, n int, seed uint64) ([]ledger.AccountRef, error) {
	total := 1000 + b.rows/7
	rng := rand.New(rand.NewPCG(seed, 2))
	names := make([]chain.Account, 0, n)
	for range n {
		names = append(names, chain.EVM(chain.Ethereum, generate.Address(rng.Uint64N(total), false)))
	}
	refs, err := r.AccountRefs(b.ctx, names)
	return slices.DeleteFunc(refs, func(a ledger.AccountRef) bool { return a == 0 }), err
}

// draw picks accounts, with a book of each.
func (b *bench) draw(r ledger.Reader, n int) error {
	if b.accounts != nil {
		return nil
	}
	var err error
	if b.accounts, err = b.pick(r, n, 1); err != nil {
		return err
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
	hubPage   = 4096
)

func (b *bench) activity() error {
	r, shut, err := b.reader("main")
	if err != nil {
		return err
	}
	defer shut()
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

// hub measures what a tracer does with a huge book: its rows from the first to
// the last, a page at a time.
func (b *bench) hub() error {
	r, shut, err := b.reader("main")
	if err != nil {
		return err
	}
	defer shut()
	refs, err := r.AccountRefs(b.ctx, []chain.Account{chain.EVM(chain.Ethereum, generate.Address(0, false))})
	if err != nil {
		return err
	}
	degrees, err := r.Degrees(b.ctx, refs)
	if err != nil {
		return err
	}
	counts := map[ledger.AssetRef]int{}
	count := func(rows []ledger.Row) {
		for i := range rows {
			counts[rows[i].Asset]++
		}
	}
	if err := b.pages(r, "every asset, first time", ledger.Query{Account: refs[0]}, count); err != nil {
		return err
	}
	var asset ledger.AssetRef // of its largest book
	for a, n := range counts {
		if n > counts[asset] || n == counts[asset] && a < asset {
			asset = a
		}
	}
	for _, q := range []struct {
		name string
		ledger.Query
	}{
		{"every asset", ledger.Query{}},
		{"its largest book", ledger.Query{Asset: asset}},
		{"spends", ledger.Query{Direction: ledger.Out}},
	} {
		q.Account = refs[0]
		if err := b.pages(r, q.name, q.Query, func([]ledger.Row) {}); err != nil {
			return err
		}
	}
	cpu := figures.ProcessorTime()
	if _, err := r.Degrees(b.ctx, refs); err != nil {
		return err
	}
	b.Add("  its degree: processor time", float64((figures.ProcessorTime() - cpu).Microseconds()), "us", 0, "")
	b.Add("  rows that it has", float64(degrees[0].In+degrees[0].Out), "rows", 0, "")
	return nil
}

// pages reads all pages of a query.
func (b *bench) pages(r ledger.Reader, name string, q ledger.Query, use func([]ledger.Row)) error {
	q.Limit = hubPage
	var p ledger.Pages
	rows := 0
	var cpu time.Duration
	for more := true; more; {
		start := figures.ProcessorTime()
		if err := r.Activity(b.ctx, []ledger.Query{q}, &p); err != nil {
			return err
		}
		cpu += figures.ProcessorTime() - start
		var page []ledger.Row
		if page, more = p.Page(0); len(page) > 0 {
			q.After = page[len(page)-1].Key
		}
		use(page)
		rows += len(page)
	}
	b.Add(fmt.Sprintf("a hub's rows in pages of %d, %s: processor time of a row", hubPage, name), float64(cpu.Nanoseconds())/float64(rows), "ns", 0, "")
	return nil
}

func (b *bench) balances() error {
	r, shut, err := b.reader("main")
	if err != nil {
		return err
	}
	defer shut()
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
	r, shut, err := b.reader("main")
	if err != nil {
		return err
	}
	defer shut()
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
