// Command livebench measures how long after a block is in the ledger a watched
// theft's movement is in the journal: a real `bongsu serve` process watches, and
// this process follows, as `bongsu follow` beside it would. The theft lies on
// many accounts, every block carries traffic that has nothing to do with it, and
// in each block one of the accounts moves its share on. The baseline is what the
// disk alone takes for the two commits in series, the run's file and the
// journal's: durable 4 KB writes, measured in the same run. It writes
// build/bench/live.json, is a measuring tool and is not shipped.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"bongsu/chain"
	"bongsu/figures"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/journal/sqlite"
	"bongsu/ledger"
	"bongsu/stix"
)

func main() {
	binary := flag.String("bongsu", "build/bench/bongsu", "the program to measure")
	blocks := flag.Int("blocks", 100, "blocks with a movement")
	accounts := flag.Int("accounts", 1000, "accounts on which the theft lies")
	traffic := flag.Int("traffic", 200, "other transfers in each block")
	out := flag.String("out", "build/bench/live.json", "where the figures go")
	flag.Parse()
	if err := run(*binary, *out, *blocks, *accounts, *traffic); err != nil {
		fmt.Fprintln(os.Stderr, "livebench:", err)
		os.Exit(1)
	}
}

// bench is a node's folder with a serve process, and this process beside it.
type bench struct {
	binary, dir string
	ledger      *ledger.Ledger
	serve       *exec.Cmd
	height      uint64
	parent      ledger.Hash
}

func run(binary, out string, blocks, accounts, traffic int) (err error) {
	dir, err := os.MkdirTemp("", "livebench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{binary: binary, dir: filepath.Join(dir, "node")}
	if err := b.prepare(accounts); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.ledger.Close()) }()
	took, err := b.measure(blocks, accounts, traffic)
	if err != nil {
		return err
	}
	disk, err := durableWrites(dir, blocks)
	if err != nil {
		return err
	}
	t := figures.Table{Out: os.Stdout}
	at := func(list []time.Duration, q int) float64 {
		slices.Sort(list)
		return float64(list[min(len(list)-1, len(list)*q/100)].Microseconds()) / 1000
	}
	const against = "two durable 4 KB writes on this disk"
	t.Add("block in the ledger to statement in the journal, median", at(took, 50), "ms", at(disk, 50), against)
	t.Add("block in the ledger to statement in the journal, 99th percentile", at(took, 99), "ms", at(disk, 99), against)
	u := b.serve.ProcessState
	t.Add("processor time of the serving node for each block", float64((u.UserTime()+u.SystemTime()).Microseconds())/1000/float64(blocks), "ms", 0, "")
	return t.Write(out)
}

func account(kind string, n int) chain.Account {
	sum := sha256.Sum256(fmt.Append(nil, kind, " ", n))
	return chain.EVM(chain.Ethereum, [20]byte(sum[:20]))
}

func pay(name string, from, to chain.Account, amount uint64) chain.Transfer {
	sum := sha256.Sum256([]byte(name))
	tx, _ := chain.NewTxID(sum[:])
	return chain.Transfer{
		Chain: chain.Ethereum, Tx: tx, Kind: chain.KindNative, Ordinal: chain.NoOrdinal, From: from, To: to,
		Asset: chain.Ethereum.Native(), Amount: chain.Units(amount),
	}
}

// block applies the next block of the chain.
func (b *bench) block(transfers ...chain.Transfer) error {
	b.height++
	at := chain.Time(1_700_000_000_000 + 12_000*b.height)
	for i := range transfers {
		transfers[i].Block, transfers[i].Time, transfers[i].Index = b.height, at, uint32(i)
	}
	hash := ledger.Hash(sha256.Sum256(fmt.Append(nil, "block ", b.height)))
	_, err := b.ledger.ApplyBlock(context.Background(), ledger.LiveBlock{
		Block: ledger.BlockFact{Chain: chain.Ethereum, Number: b.height, Hash: hash, Parent: b.parent, Time: at, HasTime: true},
		Facts: ledger.Facts{Transfers: transfers}, What: ledger.CoverAll,
	})
	b.parent = hash
	return err
}

const share = 1_000_000 // stolen base units on each account

// prepare makes the node, the theft and its first trace.
func (b *bench) prepare(accounts int) error {
	if err := b.command(nil, "init", "--name", "Bench"); err != nil {
		return err
	}
	var err error
	if b.ledger, err = ledger.Open(context.Background(), filepath.Join(b.dir, "ledger"), ledger.Options{}); err != nil {
		return err
	}
	theft := pay("theft", account("victim", 0), account("thief", 0), uint64(accounts)*share)
	if err := b.block(theft); err != nil {
		return err
	}
	for at := 0; at < accounts; {
		var fan []chain.Transfer
		for ; at < accounts && len(fan) < 500; at++ {
			fan = append(fan, pay(fmt.Sprint("fan ", at), account("thief", 0), account("fan", at), share))
		}
		if err := b.block(fan...); err != nil {
			return err
		}
	}
	var stated struct{ ID string }
	if err := b.command(&stated, "theft", "state", "--title", "Bench", "--tx", theft.Tx.Text(chain.Ethereum)); err != nil {
		return err
	}
	return b.command(nil, "trace", stated.ID)
}

func (b *bench) command(into any, args ...string) error {
	cmd := exec.Command(b.binary, append([]string{"--data", b.dir, "--json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(out, into)
}

// measure runs the serving node and applies blocks, one after the other was
// stated.
func (b *bench) measure(blocks, accounts, traffic int) ([]time.Duration, error) {
	b.serve = exec.Command(b.binary, "--data", b.dir, "serve", "--listen", "127.0.0.1:0", "--share-listen", "127.0.0.1:0")
	b.serve.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := b.serve.Start(); err != nil {
		return nil, err
	}
	took, err := b.watch(blocks, accounts, traffic)
	return took, errors.Join(err, b.serve.Process.Signal(syscall.SIGINT), b.serve.Wait())
}

func (b *bench) watch(blocks, accounts, traffic int) ([]time.Duration, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stated, err := b.statements(ctx)
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for n := range blocks {
		list := []chain.Transfer{pay(fmt.Sprint("move ", n), account("fan", n%accounts), account("next", n), share)}
		for k := range traffic {
			list = append(list, pay(fmt.Sprint("traffic ", n, " ", k), account("other", k), account("other", n+k+1), 1))
		}
		if err := b.block(list...); err != nil {
			return nil, err
		}
		began := time.Now()
		for {
			select {
			case m := <-stated:
				if m.Account != account("next", n) {
					continue
				}
			case <-time.After(time.Minute):
				return nil, fmt.Errorf("the movement of block %d was not stated within a minute", b.height)
			}
			break
		}
		if n > 0 { // the first waits for the node's start
			took = append(took, time.Since(began))
		}
	}
	return took, nil
}

// statements hands over movements as they are committed.
func (b *bench) statements(ctx context.Context) (<-chan stix.Movement, error) {
	keys, err := identity.Load(b.dir)
	if err != nil {
		return nil, err
	}
	store, err := sqlite.Open(ctx, filepath.Join(b.dir, "journal.db"))
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(ctx, store, keys, journal.Options{Poll: time.Millisecond})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	out := make(chan stix.Movement, 1000)
	go func() {
		defer store.Close()
		defer j.Close()
		for list, err := range j.Follow(ctx, journal.LogJournal, 0, 1000) {
			if err != nil {
				return
			}
			for _, st := range list {
				if o, err := st.Object(); err == nil {
					if m, err := stix.ReadMovement(o); err == nil {
						out <- m
					}
				}
			}
		}
	}()
	return out, nil
}

// durableWrites times pairs of durable writes.
func durableWrites(dir string, n int) ([]time.Duration, error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	block := make([]byte, 4096)
	var out []time.Duration
	for range max(n, 2) {
		began := time.Now()
		for range 2 {
			if _, err := f.Write(block); err != nil {
				return nil, err
			}
			if err := f.Sync(); err != nil {
				return nil, err
			}
		}
		out = append(out, time.Since(began))
	}
	return out, nil
}
