package bitcoin

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
)

// withMagic frames raw blocks as the block file of another network.
func withMagic(magic uint32, raws ...[]byte) []byte {
	var b []byte
	for _, raw := range raws {
		b = binary.BigEndian.AppendUint32(b, magic)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(raw)))
		b = append(b, raw...)
	}
	return b
}

// TestKeyBeside reads block files of regtest, where nothing in a file gives the
// key away, with keys of every kind beside them.
func TestKeyBeside(t *testing.T) {
	s := newServer(t)
	s.grow(4, 1)
	var raws [][]byte
	for _, h := range s.best {
		raws = append(raws, s.raw[h])
	}
	mixed := [][]byte{raws[3], raws[1], raws[4], raws[0], raws[2]}
	const regtest = 0xfabfb5da
	plain := withMagic(regtest, mixed...)
	key, zero := []byte{0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4}, make([]byte, XORKeyBytes)
	spare := make([]byte, 333)
	for _, c := range []struct {
		name    string
		key     []byte // beside the file; nil: none
		file    []byte
		chain   chain.ID // asked for
		kind    errs.Kind
		want    string // of the error or the rejects
		ranges  string
		rejects int64
	}{
		{name: "no key", file: plain, ranges: "[{0 4 16}]"},
		{name: "a key of zeros", key: zero, file: plain, ranges: "[{0 4 16}]"},
		{name: "a key", key: key, file: xor(plain, key), ranges: "[{0 4 16}]"},
		{name: "a key, and a file from before it", key: key, file: plain, ranges: "[{0 4 16}]"},
		{name: "spare room", key: key, file: append(xor(plain, key), spare...), ranges: "[{0 4 16}]"},
		{name: "spare room under the key", key: key, file: xor(append(bytes.Clone(plain), spare...), key), ranges: "[{0 4 16}]"},
		{
			name: "cut off", key: key, file: xor(plain, key)[:len(plain)-9], ranges: "[{0 1 16} {2 2 0} {3 4 16}]", // a coinbase of regtest states its height
			kind: errs.Partial, want: "the file ends 9 bytes before this block does", rejects: 1,
		},
		{name: "another key", key: []byte("anotherk"), file: xor(plain, key), kind: errs.Invalid, want: "with or without the key of xor.dat"},
		{name: "the key is missing", file: xor(plain, key), kind: errs.Invalid, want: "keep the xor.dat of its folder beside it"},
		{name: "a short key", key: key[:7], file: xor(plain, key), kind: errs.Invalid, want: "xor.dat: the key of the block files is not 8 bytes long"},
		{name: "a long key", key: append(bytes.Clone(key), 9), file: xor(plain, key), kind: errs.Invalid, want: "is not 8 bytes long"},
		{name: "another chain asked for", file: plain, chain: chain.Bitcoin, kind: errs.Usage, want: "is a block file of chain " + string(chain.BitcoinRegtest)},
		{name: "another chain asked for, under a key", key: key, file: xor(plain, key), chain: chain.Ethereum, kind: errs.Usage, want: "leave --chain out"},
		{name: "its own chain asked for", key: key, file: xor(plain, key), chain: chain.BitcoinRegtest, ranges: "[{0 4 16}]"},
		{name: "signet", file: withMagic(0x0a03cf40, raws[1]), kind: errs.Usage, want: "is a block file of signet"},
		{name: "testnet4", file: withMagic(0x1c163f28, raws[1]), kind: errs.Usage, want: "is a block file of testnet4"},
		{name: "testnet4 under a key", key: key, file: xor(withMagic(0x1c163f28, raws[1]), key), kind: errs.Usage, want: "is a block file of testnet4"},
		{name: "junk", file: bytes.Repeat([]byte{7, 9}, 400), kind: errs.Invalid, want: "that of no block file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if c.key != nil {
				write(t, dir, KeyFile, c.key)
			}
			path := write(t, dir, "blk00000.dat", c.file)
			l, report, err := importFiles(t, ingest.Options{Chain: c.chain}, path)
			if c.kind == 0 && err != nil || errs.Is(err) != c.kind && c.kind != 0 || report.Rejects != c.rejects {
				t.Fatalf("%v, %d rejects", err, report.Rejects)
			}
			said := ""
			if err != nil {
				said = err.Error()
			}
			if c.rejects > 0 {
				b, _ := os.ReadFile(filepath.Join(dir, "blk00000.dat.rejects.csv"))
				said = string(b)
			}
			if !strings.Contains(said, c.want) || c.want == "" && said != "" {
				t.Errorf("said %q, want %q", said, c.want)
			}
			r, _ := l.Reader(context.Background())
			cov, _ := r.Coverage(context.Background(), chain.BitcoinRegtest)
			if got := fmt.Sprint(cov.Ranges); got != c.ranges && c.ranges != "" {
				t.Errorf("ranges %s, want %s", got, c.ranges)
			}
		})
	}
}
