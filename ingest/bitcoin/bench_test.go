package bitcoin

import (
	"context"
	"os"
	"testing"

	"bongsu/chain"
	"bongsu/ingest"
	"bongsu/ledger"
)

// BenchmarkDecode decodes and checks a block of 2013.
func BenchmarkDecode(b *testing.B) {
	raw := framed(b, unpacked(b, "277647.dat.bz2"))[0]
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		block, err := DecodeBlock(raw)
		if err != nil {
			b.Fatal(err)
		}
		Facts(chain.Bitcoin, Placed{block, 277647})
	}
}

// BenchmarkImport imports the block files that BONGSU_BLOCKS names (one path)
// into a ledger on the disk.
func BenchmarkImport(b *testing.B) {
	name := os.Getenv("BONGSU_BLOCKS")
	if name == "" {
		name = "testdata/blocks1-256.bz2"
	}
	st, err := os.Stat(name)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(st.Size())
	for b.Loop() {
		l, err := ledger.Open(context.Background(), b.TempDir(), ledger.Options{})
		if err != nil {
			b.Fatal(err)
		}
		report, err := ingest.Run(context.Background(), ingest.Into(l), []ingest.Source{{Name: name}}, ingest.Options{Formats: Formats()})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(report.Rows)/report.Seconds, "rows/s")
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
