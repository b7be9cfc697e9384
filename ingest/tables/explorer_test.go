package tables_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/ingesttest"
)

const (
	oldNormal   = `"Txhash","Blockno","UnixTimestamp","DateTime","From","To","ContractAddress","Value_IN(ETH)","Value_OUT(ETH)","CurrentValue @ $592.43/Eth","TxnFee(ETH)","TxnFee(USD)","Historical $Price/Eth","Status","ErrCode"`
	newNormal   = `"Transaction Hash","Blockno","UnixTimestamp","DateTime (UTC)","From","To","ContractAddress","Value_IN(ETH)","Value_OUT(ETH)","CurrentValue @ $2084.3165498016/Eth","TxnFee(ETH)","TxnFee(USD)","Historical $Price/Eth","Status","ErrCode","Method"`
	newInternal = `"Transaction Hash","Blockno","UnixTimestamp","DateTime (UTC)","ParentTxFrom","ParentTxTo","ParentTxETH_Value","From","TxTo","ContractAddress","Value_IN(ETH)","Value_OUT(ETH)","CurrentValue @ $2084.3165498016/Eth","Historical $Price/Eth","Status","ErrCode","Type"`
	newERC20    = `"Transaction Hash","Blockno","UnixTimestamp","DateTime (UTC)","From","To","TokenValue","USDValueDayOfTx","ContractAddress","TokenName","TokenSymbol"`
	oldERC20    = `"Txhash","UnixTimestamp","DateTime","From","To","Value","ContractAddress","TokenName","TokenSymbol"`
)

func TestExplorerRows(t *testing.T) {
	at := `"21895319","1740148187","2025-02-21 14:29:47"`
	row := func(cells ...string) string { return `"` + strings.Join(cells, `","`) + `"` }
	pre := "eip155:1,2025-02-21T14:29:47Z,21895319," + tx1 + ",,"
	for _, c := range []struct {
		name, file string
		chain      chain.ID
		want       []string
		reason     string
	}{
		{
			name: "transaction in, old header with a column more than it names",
			file: oldNormal + "\n" + row(tx1) + "," + at + "," + row(alice, bob, "", "1,234.5", "0", "1", "0.000441", "1", "2000", "", "", "Transfer") + "\n",
			want: []string{pre + "fee," + alice + ",,eip155:1/slip44:60,441000000000000,0", pre + "native," + alice + "," + bob + ",eip155:1/slip44:60,1234500000000000000000,0"},
		},
		{
			name: "failed",
			file: newNormal + "\n" + row(tx1) + "," + at + "," + row(alice, bob, "", "0", "2", "1", "0.000441", "1", "2000", "Error(0)", "Reverted", "Transfer") + "\n",
			want: []string{pre + "fee," + alice + ",,eip155:1/slip44:60,441000000000000,0"},
		},
		{
			name: "creation",
			file: newNormal + "\n" + row(tx1) + "," + at + "," + row(alice, "", bob, "0", "2", "1", "0", "1", "2000", "", "", "0x60806040") + "\n",
			want: []string{pre + "native," + alice + "," + bob + ",eip155:1/slip44:60,2000000000000000000,0"},
		},
		{
			name: "internal, status 0 is no failure, delegatecall moves nothing",
			file: newInternal + "\n" +
				row(tx1) + "," + at + "," + row(bob, alice, "0", alice, bob, "", "0.5", "0", "1", "2000", "0", "", "call") + "\n" +
				row(tx1) + "," + at + "," + row(bob, alice, "0", alice, bob, "", "0.5", "0", "1", "2000", "0", "", "call") + "\n" +
				row(tx1) + "," + at + "," + row(bob, alice, "0", alice, bob, "", "0.5", "0", "1", "2000", "1", "Out of gas", "call") + "\n" +
				row(tx1) + "," + at + "," + row(bob, alice, "0", alice, bob, "", "0.5", "0", "1", "2000", "0", "", "delegatecall") + "\n",
			want: []string{
				pre + "internal," + alice + "," + bob + ",eip155:1/slip44:60,500000000000000000,",
				pre + "internal," + alice + "," + bob + ",eip155:1/slip44:60,500000000000000000,",
			},
		},
		{
			name: "columns with spaces in their names, in dollars first, in capitals",
			file: strings.ToUpper(strings.NewReplacer(`"TxnFee(ETH)","TxnFee(USD)"`, `"Txn Fee(USD)","Txn Fee (ETH)"`, "Value_IN(", "Value_IN (").Replace(newNormal)) + "\n" +
				row(tx1) + "," + at + "," + row(alice, bob, "", "1", "0", "1", "3.7", "0.000441", "2000", "Success", "", "Transfer") + "\n",
			want: []string{pre + "fee," + alice + ",,eip155:1/slip44:60,441000000000000,0", pre + "native," + alice + "," + bob + ",eip155:1/slip44:60,1000000000000000000,0"},
		},
		{
			name: "failed in a word",
			file: newNormal + "\n" + row(tx1) + "," + at + "," + row(alice, bob, "", "0", "2", "1", "0.000441", "1", "2000", "Fail", "", "Transfer") + "\n",
			want: []string{pre + "fee," + alice + ",,eip155:1/slip44:60,441000000000000,0"},
		},
		{
			name: "an internal transaction's status is a flag of an error",
			file: newInternal + "\n" + row(tx1) + "," + at + "," + row(bob, alice, "0", alice, bob, "", "0.5", "0", "1", "2000", "1", "", "call") + "\n",
		},
		{
			name: "token, look-alike symbol", reason: "not the known stETH",
			file: newERC20 + "\n" + row(tx1) + "," + at + "," + row(alice, bob, "5", "N/A", bob, "Lido", "stETH") + "\n",
		},
		{
			name: "token, old header without a block",
			file: oldERC20 + "\n" + row(tx1, "1740148187", "2025-02-21 14:29:47", alice, bob, "1,000.25", steth, "stETH", "WRONG") + "\n",
			want: []string{"eip155:1,2025-02-21T14:29:47Z,," + tx1 + ",,token," + alice + "," + bob + ",eip155:1/erc20:" + steth + ",1000250000000000000000,"},
		},
		{
			name: "another chain's coin",
			file: strings.ReplaceAll(newNormal, "ETH", "BNB") + "\n" + row(tx1) + "," + at + "," + row(alice, bob, "", "1", "0", "1", "0", "1", "2000", "", "", "Transfer") + "\n",
			want: []string{"eip155:56,2025-02-21T14:29:47Z,21895319," + tx1 + ",,native," + alice + "," + bob + ",eip155:56/slip44:714,1000000000000000000,0"},
		},
		{
			name: "the chain named by the row, not guessed from the coin",
			file: newNormal + `,"ChainId","Chain","Value(ETH)"` + "\n" + row(tx1) + "," + at + "," + row(alice, bob, "", "1", "0", "1", "0", "1", "2000", "", "", "Transfer", "42161", "Arbitrum One", "1") + "\n" +
				row(tx1) + "," + at + "," + row(alice, bob, "", "2", "0", "1", "0", "1", "2000", "", "", "Transfer", "137", "Polygon", "2") + "\n",
			want: []string{
				"eip155:137,2025-02-21T14:29:47Z,21895319," + tx1 + ",,native," + alice + "," + bob + ",eip155:137/slip44:966,2000000000000000000,0",
				"eip155:42161,2025-02-21T14:29:47Z,21895319," + tx1 + ",,native," + alice + "," + bob + ",eip155:42161/slip44:60,1000000000000000000,0",
			},
		},
		{
			name: "the chain named by the row is another than the command's", chain: chain.Ethereum, reason: "the row is on chain eip155:42161, not on eip155:1",
			file: newNormal + `,"ChainId"` + "\n" + row(tx1) + "," + at + "," + row(alice, bob, "", "1", "0", "1", "0", "1", "2000", "", "", "Transfer", "42161") + "\n",
		},
		{
			name: "a time and no seconds since 1970",
			file: strings.Replace(newNormal, `"UnixTimestamp",`, "", 1) + "\n" + row(tx1, "21895319", "2025-02-21 14:29:47", alice, bob, "", "1", "0", "1", "0", "1", "2000", "", "", "Transfer") + "\n",
			want: []string{pre + "native," + alice + "," + bob + ",eip155:1/slip44:60,1000000000000000000,0"},
		},
		{
			name: "a decimal comma", reason: "not a decimal number",
			file: newNormal + "\n" + row(tx1) + "," + at + "," + row(alice, bob, "", "1,5", "0", "1", "0", "1", "2000", "", "", "Transfer") + "\n",
		},
		{
			name: "quotes never closed", reason: "opened and not closed",
			file: newNormal + "\n" + row(tx1) + "," + at + ",\"" + alice + "\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var store ingesttest.Store
			rep, err := imported(t, &store, ingest.Options{Chain: c.chain}, "export.csv", c.file)
			if c.reason != "" {
				rows := rejected(t, rep)
				if errs.Is(err) != errs.Partial || len(rows) != 1 || !strings.Contains(rows[0][2], c.reason) {
					t.Fatalf("error %v, rejects %q, want %q", err, rows, c.reason)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v; rejects %q", err, rejected(t, rep))
			}
			if got := held(t, &store); !slices.Equal(got, c.want) {
				t.Fatalf("held\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestExplorerWithoutFees: an export without fees says so.
func TestExplorerWithoutFees(t *testing.T) {
	var store ingesttest.Store
	rep, err := imported(t, &store, ingest.Options{}, "export.csv", strings.Replace(newNormal, "TxnFee(ETH)", "Fee", 1)+"\n")
	if err != nil || !slices.ContainsFunc(rep.Sources[0].Notes, func(n string) bool { return strings.Contains(n, "no column TxnFee(ETH)") }) {
		t.Fatalf("%v, %q", err, rep.Sources[0].Notes)
	}
}

// TestExplorerPage: what an explorer offers of a page of its list is rounded.
func TestExplorerPage(t *testing.T) {
	var store ingesttest.Store
	_, err := imported(t, &store, ingest.Options{}, "page.csv",
		`"Transaction Hash","Status","Method","Blockno","DateTime (UTC)","From","From_Nametag","To","To_Nametag","Amount","Value (USD)","Txn Fee"`+"\n")
	if errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), "rounded amounts") {
		t.Fatal(err)
	}
}

// fifteen is an amount as floating point prints it, with fifteen digits.
func fifteen(t *testing.T, a chain.Amount) chain.Amount {
	t.Helper()
	digits := a.Base()
	if len(digits) <= 15 {
		return a
	}
	cut := strings.Repeat("0", len(digits)-15)
	b, err := chain.ParseBase(digits[:15] + cut)
	if err == nil && digits[15] >= '5' {
		unit, _ := chain.ParseBase("1" + cut)
		b, _ = b.Add(unit)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestExplorerAndETL: one range from an explorer and again from ethereum-etl
// counts once, though the explorer may have rounded its amounts of coins. The
// explorer's files are made from what ethereum-etl's say.
func TestExplorerAndETL(t *testing.T) {
	const dir = "ethereum-etl/stream_17173049/"
	var etl ingesttest.Store
	if _, err := fromFiles(t, &etl, ingest.Options{}, dir+"transactions.json.gz", dir+"logs.json.gz"); err != nil {
		t.Fatal(err)
	}
	list, err := etl.Transfers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	normal, erc20, tokens := newNormal+"\n", newERC20+"\n", "address,symbol,name,decimals,total_supply,block_number\n"
	fees, seen := map[chain.TxID]string{}, map[chain.Asset]bool{chain.Ethereum.Native(): true}
	addr := func(a chain.Account) string {
		if a.IsZero() {
			return "0x0000000000000000000000000000000000000000"
		}
		return a.Checksummed()
	}
	rounded := 0
	for _, tr := range list {
		if tr.Kind != chain.KindToken && fifteen(t, tr.Amount) != tr.Amount {
			rounded++
		}
		at := fmt.Sprintf(`"%s","%d","%d","%s"`, tr.Tx.Text(tr.Chain), tr.Block, tr.Time/1000, tr.Time.Std().Format("2006-01-02 15:04:05"))
		switch tr.Kind {
		case chain.KindFee:
			fees[tr.Tx] = fifteen(t, tr.Amount).Decimal(18)
		case chain.KindNative:
			normal += fmt.Sprintf("%s,\"%s\",\"%s\",\"\",\"%s\",\"0\",\"1\",\"%s\",\"1\",\"2\",\"\",\"\",\"Call\"\n", at, addr(tr.From), addr(tr.To), fifteen(t, tr.Amount).Decimal(18), fees[tr.Tx])
		case chain.KindToken:
			if !seen[tr.Asset] {
				seen[tr.Asset] = true
				tokens += tr.Asset.Contract().Address() + ",X,Some token,6,,\n"
			}
			erc20 += fmt.Sprintf("%s,\"%s\",\"%s\",\"%s\",\"N/A\",\"%s\",\"Some token\",\"X\"\n", at, addr(tr.From), addr(tr.To), tr.Amount.Decimal(6), tr.Asset.Contract().Address())
		}
	}
	// Some of the tokens are built in with decimals of their own.
	for _, known := range chain.NewRegistry().All() {
		if known.Asset.Contract().IsZero() || known.Decimals == 6 {
			continue
		}
		contract := known.Asset.Contract().Address()
		tokens = strings.ReplaceAll(tokens, contract+",X,Some token,6,,\n", "")
		var kept []string
		for _, line := range strings.SplitAfter(erc20, "\n") {
			if !strings.Contains(line, `"`+contract+`"`) {
				kept = append(kept, line)
			}
		}
		erc20 = strings.Join(kept, "")
	}
	before := held(t, &etl)
	rep, err := imported(t, &etl, ingest.Options{}, "normal.csv", normal, "erc20.csv", erc20, "tokens.csv", tokens)
	if err != nil {
		t.Fatalf("%v; rejects %q", err, rejected(t, rep))
	}
	if rounded == 0 {
		t.Fatal("no amount was rounded")
	}
	if rep.Rows < 200 {
		t.Fatalf("only %d rows were compared", rep.Rows)
	}
	if after := held(t, &etl); !slices.Equal(before, after) {
		t.Fatalf("%d rows before, %d after", len(before), len(after))
	}
}
