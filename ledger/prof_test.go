package ledger_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/ledger"
	"bongsu/ledger/generate"
)

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestProfile(t *testing.T) {
	dir := "/tmp/profledger"
	rows := uint64(2_000_000)
	os.RemoveAll(dir)
	l := open(t, dir, ledger.Options{})
	im, _ := l.Begin(context.Background(), "x")
	batch := make([]ledger.EVMTransfer, 4096)
	g := generate.New(generate.Options{Seed: 1, Rows: rows, RandomShare: .5})
	c0 := cpu()
	for n := g.Next(batch); n > 0; n = g.Next(batch) {
	}
	gen := cpu() - c0
	g = generate.New(generate.Options{Seed: 1, Rows: rows, RandomShare: .5})
	c0 = cpu()
	for n := g.Next(batch); n > 0; n = g.Next(batch) {
		im.AddEVM(chain.Ethereum, batch[:n])
	}
	c1 := cpu()
	if _, err := im.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	fmt.Println("gen", gen/time.Duration(rows), "add", (c1-c0-gen)/time.Duration(rows), "commit", (cpu()-c1)/time.Duration(rows), "per row cpu")
	r := reader(t, l)
	var accts []chain.Account
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100000 {
		accts = append(accts, chain.EVM(chain.Ethereum, generate.Address(rng.Uint64N(rows/7), false)))
	}
	refs, _ := r.AccountRefs(context.Background(), accts)
	var p ledger.Pages
	c0 = cpu()
	total := 0
	for at := 0; at+1000 <= len(refs); at += 1000 {
		var qs []ledger.Query
		for _, a := range refs[at : at+1000] {
			qs = append(qs, ledger.Query{Account: a, Limit: 100})
		}
		r.Activity(context.Background(), qs, &p)
		total += len(p.Rows)
	}
	d := cpu() - c0
	fmt.Println("activity cpu/account", d/time.Duration(len(refs)), "cpu/row", d/time.Duration(total))
	c0 = cpu()
	n := 0
	sum := uint64(0)
	ledger.ScanColumns(context.Background(), r, chain.Ethereum, func(c *ledger.Columns) error {
		for i := range c.From {
			w, _ := c.Amount[i].Uint64()
			sum += c.From[i] + c.Place[i] + w
			n++
		}
		return nil
	})
	d = cpu() - c0
	fmt.Println("scan rows/s cpu", float64(n)/d.Seconds()/1e6, "M", sum)
}
