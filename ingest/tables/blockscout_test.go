package tables_test

import (
	"slices"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/ingesttest"
)

const (
	scoutNormal   = "TxHash,BlockNumber,UnixTimestamp,FromAddress,ToAddress,ContractAddress,Type,Value,Fee,Status,ErrCode,CurrentPrice,TxDateOpeningPrice,TxDateClosingPrice,MethodName"
	scoutInternal = "TxHash,Index,BlockNumber,BlockHash,TxIndex,BlockIndex,UnixTimestamp,FromAddress,ToAddress,ContractAddress,Type,CallType,Gas,GasUsed,Value,Input,Output,ErrCode,Fee"
	scoutTokens   = "TxHash,BlockNumber,UnixTimestamp,FromAddress,ToAddress,TokenContractAddress,Type,TokenDecimals,TokenSymbol,TokenDecimals,TokensTransferred,TransactionFee,Status,ErrCode"
	scoutFormer   = "TxHash,BlockNumber,UnixTimestamp,FromAddress,ToAddress,TokenContractAddress,Type,TokenSymbol,TokensTransferred,TransactionFee,Status,ErrCode"
)

func TestBlockscoutRows(t *testing.T) {
	const gnosis = chain.ID("eip155:100")
	at := tx1 + ",21895319,2025-02-21 14:29:47.000000Z"
	frame := func(index, from, to, created, kind, call, value, code string) string {
		return strings.Join([]string{tx1, index, "21895319", "0xb", "0", "3", "2025-02-21 14:29:47.000000Z", from, to, created, kind, call, "21000", "900", value, "0x", "0x", code, "99"}, ",")
	}
	pre := "eip155:100,2025-02-21T14:29:47Z,21895319," + tx1 + ",,"
	coin := string(gnosis.Native())
	token := "eip155:100/erc20:" + steth
	for _, c := range []struct {
		name, header, row string
		want              []string
		column, reason    string
	}{
		{
			name: "transaction", header: scoutNormal, row: at + "," + alice + "," + bob + ",,OUT,1234567890123456789,441000000000000,ok,,1.0,1.0,1.0,\"transfer, of all\"",
			want: []string{pre + "fee," + alice + ",," + coin + ",441000000000000,0", pre + "native," + alice + "," + bob + "," + coin + ",1234567890123456789,0"},
		},
		{
			name: "an exponent", header: scoutNormal, row: at + "," + alice + "," + bob + ",,OUT,1E+18,0,ok,,,,,",
			want: []string{pre + "native," + alice + "," + bob + "," + coin + ",1000000000000000000,0"},
		},
		{
			name: "failed", header: scoutNormal, row: at + "," + alice + "," + bob + ",,OUT,5,7,error,Reverted,,,,",
			want: []string{pre + "fee," + alice + ",," + coin + ",7,0"},
		},
		{
			name: "creation", header: scoutNormal, row: at + "," + alice + ",," + bob + ",OUT,5,0,ok,,,,,",
			want: []string{pre + "native," + alice + "," + bob + "," + coin + ",5,0"},
		},
		{name: "status missing", header: scoutNormal, row: at + "," + alice + "," + bob + ",,OUT,5,7,,,,,,", column: "status", reason: "does not say whether"},
		{name: "waiting", header: scoutNormal, row: tx1 + ",,," + alice + "," + bob + ",,OUT,5,Max of 7,,,,,,", column: "blocknumber", reason: "in no block"},
		{name: "fee not settled", header: scoutNormal, row: at + "," + alice + "," + bob + ",,OUT,5,Max of 7,ok,,,,,", column: "fee", reason: "not a decimal number"},
		{
			name: "call", header: scoutInternal, row: frame("2", alice, bob, "", "call", "call", "5", ""),
			want: []string{pre + "internal," + alice + "," + bob + "," + coin + ",5,"},
		},
		{name: "delegatecall", header: scoutInternal, row: frame("2", alice, bob, "", "call", "delegatecall", "5", "")},
		{name: "undone", header: scoutInternal, row: frame("2", alice, bob, "", "call", "call", "5", "Reverted")},
		{
			name: "creation at the root", header: scoutInternal, row: frame("0", alice, "", bob, "create", "", "5", ""),
			want: []string{pre + "native," + alice + "," + bob + "," + coin + ",5,0"},
		},
		{
			name: "self-destruct", header: scoutInternal, row: frame("4", alice, bob, "", "selfdestruct", "", "5", ""),
			want: []string{pre + "internal," + alice + "," + bob + "," + coin + ",5,"},
		},
		{name: "a reward", header: scoutInternal, row: frame("4", "", bob, "", "reward", "", "5", ""), column: "type", reason: "not a type"},
		{
			name: "token", header: scoutTokens, row: at + "," + alice + "," + bob + "," + steth + ",IN,6,stETH,6,1500000,441000000000000,ok,",
			want: []string{pre + "token," + alice + "," + bob + "," + token + ",1500000,"},
		},
		{
			name: "token of a former version", header: scoutFormer, row: at + "," + alice + "," + bob + "," + steth + ",IN,stETH,1500000,441000000000000,ok,",
			want: []string{pre + "token," + alice + "," + bob + "," + token + ",1500000,"},
		},
		{name: "item", header: scoutTokens, row: at + "," + alice + "," + bob + "," + steth + ",IN,,CAT,,,441000000000000,ok,"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var store ingesttest.Store
			rep, err := imported(t, &store, ingest.Options{Chain: gnosis}, "export.csv", c.header+"\r\n"+c.row+"\r\n")
			rows := rejected(t, rep)
			if c.reason != "" {
				if errs.Is(err) != errs.Partial || len(rows) != 1 || rows[0][1] != c.column || !strings.Contains(rows[0][2], c.reason) {
					t.Fatalf("error %v, rejects %q, want %q", err, rows, c.reason)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v; rejects %q", err, rows)
			}
			if got := held(t, &store); !slices.Equal(got, c.want) {
				t.Fatalf("held\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestBlockscoutChain: the file does not tell its chain, and a guess would state
// what never moved there.
func TestBlockscoutChain(t *testing.T) {
	var store ingesttest.Store
	for _, c := range []struct {
		chain chain.ID
		why   string
	}{{"", "--chain"}, {chain.Bitcoin, "eip155"}} {
		_, err := imported(t, &store, ingest.Options{Chain: c.chain}, "export.csv", scoutNormal+"\n")
		if errs.Is(err) != errs.Usage || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%q: %v", c.chain, err)
		}
	}
}

// TestBlockscoutAndEtherscan: the same transaction from both explorers counts once.
func TestBlockscoutAndEtherscan(t *testing.T) {
	at := tx1 + ",21895319,2025-02-21 14:29:47.000000Z"
	files := []string{
		"a.csv", newNormal + "\n\"" + strings.Join([]string{tx1, "21895319", "1740148187", "2025-02-21 14:29:47", alice, bob, "", "1.5", "0", "1", "0.000441", "1", "2000", "", "", "Transfer"}, `","`) + "\"\n",
		"b.csv", scoutNormal + "\n" + at + "," + alice + "," + bob + ",,OUT,1500000000000000000,441000000000000,ok,,,,,\n",
		"c.csv", newERC20 + "\n\"" + strings.Join([]string{tx1, "21895319", "1740148187", "2025-02-21 14:29:47", alice, bob, "1.5", "N/A", steth, "x", "stETH"}, `","`) + "\"\n",
		"d.csv", scoutTokens + "\n" + at + "," + alice + "," + bob + "," + steth + ",IN,18,stETH,18,1500000000000000000,441000000000000,ok,\n",
	}
	var store ingesttest.Store
	rep, err := imported(t, &store, ingest.Options{Chain: chain.Ethereum}, files...)
	if got := held(t, &store); err != nil || len(got) != 3 {
		t.Fatalf("%v, rejects %q, held %q", err, rejected(t, rep), got)
	}
}
