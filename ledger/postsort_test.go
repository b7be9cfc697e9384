package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"bongsu/chain"
)

// TestHands gives every account one hand, in order, and leaves its place
// recognisable there; a round's accounts are those of its hands.
func TestHands(t *testing.T) {
	set := rankedAccounts{first: 640, words: make([]uint64, 1<<9)}
	for i := range set.words {
		set.words[i] = 0x9249_2492_4924_9249 << (i % 3) & -uint64(i%5)
	}
	total := uint64(set.count())
	for _, room := range []uint64{1, 100, 1 << 20} {
		e := &entrySorter{set: set, handPlan: handPlan{bits: 10}}
		hands := uint32(0)
		for i := range total>>10 + 1 {
			low := []uint8{10, 3, 6}[i%3]
			e.groups = append(e.groups, handGroup{hands, low})
			hands += 1 << (10 - low)
		}
		sizes := make([]uint64, hands)
		for i := range sizes {
			sizes[i] = uint64(i % 7)
		}
		e.split(sizes, room)
		if e.rounds[0].has(0) {
			t.Fatal("no account is in a round")
		}
		last, place := uint32(0), uint64(0)
		for account := set.first; account < set.first+64*uint64(len(set.words)); account++ {
			if i := account - set.first; set.words[i/64]>>(i%64)&1 == 0 {
				continue
			}
			k := checkPlace(t, e, account, place)
			if k < last {
				t.Fatalf("place %d is in hand %d, the one before in %d", place, k, last)
			}
			last = k
			place++
		}
		if place != total {
			t.Fatalf("%d accounts of %d", place, total)
		}
	}
}

// checkPlace holds what the plan says of an account's place to one another, and
// gives its hand.
func checkPlace(t *testing.T, e *entrySorter, account, place uint64) uint32 {
	t.Helper()
	if got := e.set.place(account); got != place || e.set.account(place) != account {
		t.Fatalf("account %d has place %d, whose account is %d; want %d", account, got, e.set.account(place), place)
	}
	k, bits := e.handOf(place)
	first, same := e.accountsOf(k)
	if same != bits || first+place&(1<<bits-1) != place {
		t.Fatalf("place %d is in hand %d, of %d bits from %d", place, k, same, first)
	}
	for i := range e.rounds {
		if r := &e.rounds[i]; r.has(account) != (r.first <= k && k < r.end) {
			t.Fatalf("round %d of hands %d to %d has account %d of hand %d: %v", i, r.first, r.end, account, k, r.has(account))
		}
	}
	return k
}

// TestRounds: the lists of a segment do not depend on how many rounds they were
// made in.
func TestRounds(t *testing.T) {
	dir := t.TempDir()
	s := busySegment(t, dir, 100_000)
	var accounts accountSet
	var b rowBlock
	for n := range uint32(s.Rows) {
		s.rowBlock(n, &b)
		from, to, _, _ := b.sidesOf(int(n%blockRows), b.at(int(n%blockRows)))
		accounts.add(from)
		accounts.add(to)
	}
	for _, room := range []uint64{1 << 10, 1 << 16, roundEntries} {
		x, err := newSheet(osDisk{}, filepath.Join(dir, "x"), "x")
		if err != nil {
			t.Fatal(err)
		}
		again := *s
		writePostings(&again, x, accounts.words(), room)
		if _, err := x.close(&again.segmentInfo); err != nil {
			t.Fatal(err)
		}
		got, err := openSheet(filepath.Join(dir, "x"), "x", &again.segmentInfo)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"bitmap", "dir", "postings", "marks", "skips", "balances"} {
			if a, b := got.section(name), s.idx.section(name); !bytes.Equal(a[:len(a)-sheetSlack], b[:len(b)-sheetSlack]) {
				t.Errorf("room for %d entries: section %s differs", room, name)
			}
		}
	}
}

// busySegment is a segment of rows of which a few accounts have half.
func busySegment(t *testing.T, dir string, rows int) *segment {
	t.Helper()
	ctx := context.Background()
	l, err := Open(ctx, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	im, err := l.Begin(ctx, "rows")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	address := func(most uint64) (a [20]byte) {
		n := rng.Uint64N(most) + 1
		if rng.Uint64()&1 == 0 {
			n = n%9 + 1
		}
		binary.BigEndian.PutUint64(a[:], n*0x9e3779b97f4a7c15)
		return a
	}
	list := make([]EVMTransfer, rows)
	for i := range list {
		list[i] = EVMTransfer{
			Block: uint64(1 + i/50), Index: chain.NoIndex, Ordinal: uint32(i % 50), Kind: chain.KindToken,
			From: address(8000), To: address(8000), Contract: address(20), Amount: chain.Units(rng.Uint64()),
		}
		binary.BigEndian.PutUint64(list[i].Tx[:], uint64(1+i/2)*0x9e3779b97f4a7c15)
		if i%5 == 0 { // more than two words
			list[i].Amount = chain.FromWords([4]uint64{rng.Uint64(), rng.Uint64(), rng.Uint64(), 1})
		}
	}
	if err := im.AddEVM(chain.Ethereum, list); err != nil {
		t.Fatal(err)
	}
	if _, err := im.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	return l.head.below.list[0]
}
