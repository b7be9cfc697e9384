package screen

import (
	"fmt"
	"testing"

	"bongsu/journal"
)

func BenchmarkAppendJSON(b *testing.B) {
	x := New(Config{})
	defer x.Close()
	for i := range 1000 {
		x.Put(listing(i, "identity--a", epoch, address(i)))
	}
	x.Flush()
	mixed := "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
	for _, c := range []struct {
		name  string
		value func(i int) string
	}{
		{"lower", func(i int) string { return address(1_000_000 + i) }},
		{"checksummed", func(int) string { return mixed }},
		{"bitcoin", func(int) string { return "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4" }},
		{"domain", func(i int) string { return fmt.Sprintf("host-%d.example", i) }},
		{"hit", address},
	} {
		b.Run(c.name, func(b *testing.B) {
			values := make([]string, 100)
			for i := range values {
				values[i] = c.value(i)
			}
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				dst = x.AppendJSON(dst[:0], values, nil)
			}
		})
	}
}

// What one listing of the journal costs on the way into the index.
func BenchmarkTake(b *testing.B) {
	o, err := listed(1, exchange, epoch, false)
	if err != nil {
		b.Fatal(err)
	}
	st := journal.Statement{Entry: journal.Entry{Act: journal.State, ID: o.ID, Type: o.Type, Version: o.Version(), Author: exchange, Marking: o.Marking}, Payload: o.Raw}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := changeOf(&st); !ok || err != nil {
			b.Fatal(err)
		}
	}
}
