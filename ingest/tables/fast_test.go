package tables_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bongsu/ingest"
	"bongsu/ingest/tables"

	"pgregory.net/rapid"
)

// TestFastTransfers: the fast reader of token_transfers and the general one
// (which reads the same columns in another order) state and reject the same.
func TestFastTransfers(t *testing.T) {
	dir := t.TempDir()
	hexa := func(n int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			return "0x" + rapid.StringOfN(rapid.RuneFrom([]rune("0123456789abcdef")), n, n, -1).Draw(t, "hex")
		})
	}
	odd := rapid.SampledFrom([]string{
		"", "0x", "x", "-1", "1e5", " 1", "1 ", "+1", "0x0000000000000000000000000000000000000000", "99999999999999999999", "4294967295", "4294967294",
		"115792089237316195423570985008687907853269984665640564039457584007913129639935", "115792089237316195423570985008687907853269984665640564039457584007913129639936",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", "0xg000000000000000000000000000000000000000", "\"1\"", "\x00",
	})
	number := rapid.StringMatching(`[0-9]{1,20}`)
	rapid.Check(t, func(rt *rapid.T) {
		a := "token_address,from_address,to_address,value,transaction_hash,log_index,block_number\n"
		b := "block_number,log_index,transaction_hash,value,to_address,from_address,token_address\n"
		for range rapid.IntRange(1, 8).Draw(rt, "rows") {
			cells := []string{
				hexa(40).Draw(rt, "token"), hexa(40).Draw(rt, "from"), hexa(40).Draw(rt, "to"),
				number.Draw(rt, "value"), hexa(64).Draw(rt, "tx"), rapid.StringMatching(`[0-9]{1,4}`).Draw(rt, "log"), rapid.StringMatching(`[0-9]{1,9}`).Draw(rt, "block"),
			}
			if rapid.Bool().Draw(rt, "odd") {
				cells[rapid.IntRange(0, 6).Draw(rt, "which")] = odd.Draw(rt, "cell")
			}
			end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(rt, "end")
			a += strings.Join(cells, ",") + end
			slices.Reverse(cells)
			b += strings.Join(cells, ",") + end
		}
		var fast, general collected
		o := ingest.Options{Formats: tables.Formats(), Rejects: filepath.Join(dir, "r.csv")}
		x, errX := ingest.Run(ctx, &fast, []ingest.Source{{Name: "a", From: strings.NewReader(a)}}, o)
		y, errY := ingest.Run(ctx, &general, []ingest.Source{{Name: "b", From: strings.NewReader(b)}}, o)
		if (errX == nil) != (errY == nil) || x.Rejects != y.Rejects || !slices.Equal(fast.list, general.list) {
			rt.Fatalf("%s%+v, %v\n%s%+v, %v", a, fast.list, errX, b, general.list, errY)
		}
	})
}
