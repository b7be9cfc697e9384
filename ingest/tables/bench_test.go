package tables_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"bongsu/ingest"
	"bongsu/ingest/tables"
	"bongsu/ledger"
)

// tokenRows writes a token_transfers.csv of n rows: one account for seven rows,
// some of them hubs, forty tokens, amounts of which half are round.
func tokenRows(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a fixture
	address := func(kind, i uint64) string {
		var b [20]byte
		s := rand.New(rand.NewPCG(kind, i)) //nolint:gosec // a fixture
		for j := 0; j < 16; j += 8 {
			v := s.Uint64()
			for k := range 8 {
				b[j+k] = byte(v >> (8 * k))
			}
		}
		b[19] = byte(i)
		return "0x" + hex.EncodeToString(b[:])
	}
	accounts := make([]string, n/7+10)
	for i := range accounts {
		accounts[i] = address(1, uint64(i))
	}
	contracts := make([]string, 40)
	for i := range contracts {
		contracts[i] = address(2, uint64(i))
	}
	pick := func() string {
		f := r.Float64()
		return accounts[int(f*f*f*float64(len(accounts)))]
	}
	var b bytes.Buffer
	b.WriteString("token_address,from_address,to_address,value,transaction_hash,log_index,block_number\n")
	var line []byte
	var hash [32]byte
	for i := range n {
		line = append(line[:0], contracts[r.IntN(len(contracts))]...)
		line = append(append(line, ','), pick()...)
		line = append(append(line, ','), pick()...)
		line = append(line, ',')
		if i%2 == 0 {
			line = append(strconv.AppendUint(line, uint64(r.IntN(1000)+1), 10), "000000000000000000"...)
		} else {
			line = strconv.AppendUint(line, r.Uint64(), 10)
		}
		if i%2 == 0 {
			for j := 0; j < 32; j += 8 {
				v := r.Uint64()
				for k := range 8 {
					hash[j+k] = byte(v >> (8 * k))
				}
			}
		}
		line = append(append(line, ",0x"...), hex.EncodeToString(hash[:])...)
		line = strconv.AppendInt(append(line, ','), int64(i%200), 10)
		line = strconv.AppendInt(append(line, ','), int64(17_000_000+i/200), 10)
		b.Write(append(line, '\n'))
	}
	return b.Bytes()
}

// BenchmarkTokenTransfers reads token_transfers.csv, without a ledger and into
// one, and reports rows a second.
func BenchmarkTokenTransfers(b *testing.B) {
	n := 1_000_000
	if s := os.Getenv("ROWS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	file := filepath.Join(b.TempDir(), "token_transfers.csv")
	if err := os.WriteFile(file, tokenRows(n), 0o644); err != nil {
		b.Fatal(err)
	}
	run := func(b *testing.B, store ingest.Store) {
		b.Helper()
		rep, err := ingest.Run(b.Context(), store, []ingest.Source{{Name: file}}, ingest.Options{Formats: tables.Formats()})
		if err != nil || rep.Rows != int64(n) {
			b.Fatal(rep, err)
		}
	}
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			run(b, nothing{})
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("ledger", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			l, err := ledger.Open(b.Context(), filepath.Join(b.TempDir(), fmt.Sprint(i)), ledger.Options{})
			if err != nil {
				b.Fatal(err)
			}
			run(b, ingest.Into(l))
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
