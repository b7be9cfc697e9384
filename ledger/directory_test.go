package ledger

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestDirectory writes lists, near and far, of any accounts and finds each
// again, and none of the accounts between.
func TestDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sheet")
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Uint64Range(1, 1<<40).Draw(t, "first")
		accounts, lists, far := []uint64{}, [][]byte{}, []bool{}
		for a, n := first, rapid.IntRange(1, 300).Draw(t, "accounts"); n > 0; n-- {
			accounts = append(accounts, a)
			a += rapid.Uint64Range(1, 1<<rapid.IntRange(0, 11).Draw(t, "bits")).Draw(t, "gap")
			far = append(far, rapid.IntRange(0, 9).Draw(t, "far") == 0)
			size := maxNearList
			if far[len(far)-1] {
				size = 40_000
			}
			list := bytes.Repeat([]byte{byte(len(lists)) << 1}, rapid.IntRange(1, size).Draw(t, "size"))
			lists = append(lists, list)
		}
		set := rankedAccounts{first: first, words: make([]uint64, (accounts[len(accounts)-1]-first)/64+1)}
		for _, a := range accounts {
			set.words[(a-first)/64] |= 1 << ((a - first) % 64)
		}
		if n := set.count(); int(n) != len(accounts) {
			t.Fatalf("%d accounts counted, want %d", n, len(accounts))
		}
		x, err := newSheet(osDisk{}, path, "sheet")
		if err != nil {
			t.Fatal(err)
		}
		set.write(x)
		w := newListWriter(x)
		for i, list := range lists {
			w.add(list, far[i])
		}
		w.finish()
		if _, err := x.close(&struct{}{}); err != nil {
			t.Fatal(err)
		}
		s, err := openSheet(path, "sheet", &struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		if at := s.trailer.Sections["bitmap"].At | s.trailer.Sections["dir"].At; at%dirLine != 0 {
			t.Fatalf("a section of lines begins inside a line")
		}
		var d directory
		if err := d.attach(first, s.section); err != nil {
			t.Fatal(err)
		}
		d.regions(s)
		found := []uint64{}
		for a := range d.accounts() {
			found = append(found, uint64(a))
		}
		if !slices.Equal(found, accounts) {
			t.Fatalf("the bitmap has %v, want %v", found, accounts)
		}
		for i, a := range accounts {
			n, ok := d.place(AccountRef(a))
			if !ok || n != i || set.place(a) != uint64(i) {
				t.Fatalf("account %d is at place %d (%v), want %d", a, n, ok, i)
			}
			at, size := d.list(n)
			from, near := d.open(at)
			if near == far[i] || near && int(size) != len(lists[i]) {
				t.Fatalf("list %d is near %v with %d bytes; want far %v with %d", i, near, size, far[i], len(lists[i]))
			}
			if got := d.lists[from:][:len(lists[i])]; !bytes.Equal(got, lists[i]) {
				t.Fatalf("list %d begins with %v, want %v", i, got[:1], lists[i][:1])
			}
			if _, ok := d.place(AccountRef(a + 1)); ok != (i+1 < len(accounts) && accounts[i+1] == a+1) {
				t.Fatalf("account %d occurs: %v", a+1, ok)
			}
		}
		for _, a := range []uint64{0, first - 1, accounts[len(accounts)-1] + 1<<30} {
			if _, ok := d.place(AccountRef(a)); ok {
				t.Fatalf("account %d occurs", a)
			}
		}
	})
}

// TestShortLists reads lists of up to bigBook rows back, whole and for one
// asset: of the others only rows whose asset is of its class may be there. No
// list is too long to be near, however its rows lie.
func TestShortLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, bigBook).Draw(t, "rows")
		var entries []uint64
		row, top := uint64(0), uint64(1<<entryRowBits)/uint64(n)-1
		for range n {
			row += 1 + rapid.Uint64Range(0, top>>rapid.IntRange(0, 29).Draw(t, "shift")).Draw(t, "gap")
			entries = append(entries, rapid.Uint64Range(1, 9).Draw(t, "asset")<<32|row-1)
		}
		var out postingStretch
		w := postingWriter{s: &segment{}, out: &out}
		w.account(entries)
		if out.lists[0].far || len(out.b) > maxNearList {
			t.Fatalf("a list of %d rows has %d bytes, far: %v", n, len(out.b), out.lists[0].far)
		}
		d := directory{lists: append(out.b, make([]byte, sheetSlack)...)}
		d.listPages.good = goodPages(len(d.lists))
		a := (&segment{dir: d}).openBooks(0)
		var buf [bigBook]uint32
		for asset := range AssetRef(10) {
			var want []uint32
			for _, e := range entries {
				if asset == 0 || n == 1 || uint64(asset)%(1<<classBits) == e>>32%(1<<classBits) {
					want = append(want, entryRow(e))
				}
			}
			if got := a.readShort(asset, &buf); !slices.Equal(got, want) {
				t.Fatalf("asset %d: rows %v, want %v", asset, got, want)
			}
		}
	})
}
