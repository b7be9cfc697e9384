package tables

import (
	"context"
	"strconv"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
)

// ronin is the list of native transfers published about the theft of March
// 2022: block_time,from,to,total_eth with addresses as "\x..." and amounts as
// printed, in e-notation where they are small. It names neither transactions
// nor blocks: time, ends and amount are all that identifies a row.
var ronin = ingest.Format{
	Name:      "ronin-2022",
	Title:     "native transfers with block_time,from,to,total_eth",
	Recognise: withHeader(columns("block_time", "from", "to", "total_eth")),
	Read:      readRonin,
}

func readRonin(ctx context.Context, in *ingest.Input, out *ingest.Output) error {
	t, err := openTable(in, out)
	if err != nil {
		return err
	}
	id := in.Chain
	if id == "" {
		id = chain.Ethereum
	}
	if !id.EVM() {
		return errs.New("import", errs.Usage, string(id), "this list is of a chain of the namespace eip155", "name another chain")
	}
	out.Note("the rows name no transactions: the same transfers from a source that names them are counted beside these")
	when, from, to, amount := t.head.find("block_time"), t.head.find("from"), t.head.find("to"), t.head.find("total_eth")
	return t.each(ctx, func() error {
		tr := chain.Transfer{
			Chain: id, Block: chain.NoBlock, Index: chain.NoIndex, Ordinal: chain.NoOrdinal,
			Kind: chain.KindNative, Asset: id.Native(),
		}
		var err error
		if tr.Time, err = chain.ParseTime(t.cell(when)); err != nil {
			return wrong("block_time", err)
		}
		if tr.From, err = slashed(t.cell(from), "from", id); err != nil {
			return err
		}
		if tr.To, err = slashed(t.cell(to), "to", id); err != nil {
			return err
		}
		if tr.Amount, err = chain.ParseDecimal(t.cell(amount), 18); err != nil { // every chain of the EVM counts in wei
			return wrong("total_eth", err)
		}
		return out.Transfer(&tr)
	})
}

// slashed reads an address as PostgreSQL prints bytes.
func slashed(s, column string, id chain.ID) (chain.Account, error) {
	if rest, ok := strings.CutPrefix(s, `\x`); ok {
		s = "0x" + rest
	}
	a, err := chain.ParseAccount(s, id)
	if err != nil {
		return a, wrong(column, err)
	}
	return a, nil
}

// nomadBridge held the tokens that the theft of August 2022 released. The
// events name who received them, and not from where: it was always this
// contract (the bridge's router on Ethereum mainnet).
const nomadBridge = "0x88a69b4e698a4b090df6cf5bd7b2d47325ad30a3"

// nomad are the bridge events published about that theft, a JSON list. An event
// receive releases an amount of a token in base units; an event process says
// that a message was handled and moves nothing.
var nomad = ingest.Format{
	Name:  "nomad-2022",
	Title: "bridge events as a JSON list, with event, transactionHash, tokenAddress, tokenRecipient, amount",
	Recognise: func(head []byte) bool {
		return withItem("event", "emittedAt", "transactionHash", "blockNumber")(head)
	},
	Read: readNomad,
}

func readNomad(ctx context.Context, in *ingest.Input, out *ingest.Output) error {
	e, err := newETL(in, out)
	if err != nil {
		return err
	}
	from, err := chain.ParseAccount(nomadBridge, e.id)
	if err != nil {
		return err
	}
	var moves, still int64
	err = eachObject(ctx, in, out, func(f map[string][]byte, _ int64) error {
		if at := string(f["emittedAt"]); at != "ethereum" {
			return wrongf("emittedAt", clip(at), "an event of another chain", "import the events of Ethereum")
		}
		switch kind := string(f["event"]); kind {
		case "process":
			still++
			return nil
		case "receive":
			moves++
		default:
			return wrongf("event", clip(kind), "not an event of the bridge", "expected receive or process")
		}
		if len(f["removed"]) != 0 && string(f["removed"]) != "false" {
			return nil // a reorganisation took it back
		}
		t := chain.Transfer{Chain: e.id, Kind: chain.KindToken, Ordinal: chain.NoOrdinal, From: from}
		var err error
		if t.Tx, err = e.hash(f["transactionHash"], "transactionHash"); err != nil {
			return err
		}
		if t.Block, err = e.uint(f["blockNumber"], "blockNumber", chain.NoBlock); err != nil {
			return err
		}
		if t.Index, err = e.uint32(f["transactionIndex"], "transactionIndex", chain.NoIndex); err != nil {
			return err
		}
		t.Time = e.times.of(t.Block)
		if t.To, err = e.account(f["tokenRecipient"], "tokenRecipient"); err != nil {
			return err
		}
		contract, err := e.account(f["tokenAddress"], "tokenAddress")
		if err != nil {
			return err
		}
		if t.To.IsZero() || contract.IsZero() || t.Block == chain.NoBlock || len(f["amount"]) == 0 {
			return wrongf("", "", "the event lacks its block, token, receiver or amount", "mend the item")
		}
		t.Asset = e.assetOf(contract)
		if t.Amount, err = e.amount(f["amount"], "amount"); err != nil {
			return err
		}
		return out.Transfer(&t)
	})
	if still > 0 && moves == 0 {
		out.Note("events of the kind process move nothing themselves: what left the bridge is told by those of the kind receive")
	}
	return err
}

// explorerAPI are the token transfers that explorers' APIs answer (tokentx), a
// JSON list: amounts in base units, and what the explorer knows of the token.
var explorerAPI = ingest.Format{
	Name:      "explorer-api-erc20",
	Title:     "ERC-20 transfers as a block explorer's API answers them (JSON)",
	Recognise: withItem("blockNumber", "timeStamp", "from", "to", "value", "contractAddress", "tokenDecimal"),
	Read:      readExplorerAPI,
}

func readExplorerAPI(ctx context.Context, in *ingest.Input, out *ingest.Output) error {
	e, err := newETL(in, out)
	if err != nil {
		return err
	}
	return eachObject(ctx, in, out, func(f map[string][]byte, _ int64) error {
		t := chain.Transfer{Chain: e.id, Kind: chain.KindToken, Ordinal: chain.NoOrdinal}
		hash := f["hash"]
		if hash == nil {
			hash = f["transactionHash"]
		}
		var err error
		if t.Tx, err = e.hash(hash, "hash"); err != nil {
			return err
		}
		if t.Block, err = e.uint(f["blockNumber"], "blockNumber", chain.NoBlock); err != nil {
			return err
		}
		if t.Index, err = e.uint32(f["transactionIndex"], "transactionIndex", chain.NoIndex); err != nil {
			return err
		}
		if t.Time, err = e.time(f["timeStamp"], "timeStamp"); err != nil {
			return err
		}
		if t.From, err = e.account(f["from"], "from"); err != nil {
			return err
		}
		if t.To, err = e.account(f["to"], "to"); err != nil {
			return err
		}
		contract, err := e.account(f["contractAddress"], "contractAddress")
		if err != nil {
			return err
		}
		if contract.IsZero() || t.Block == chain.NoBlock && t.Time == 0 || len(f["value"]) == 0 {
			return wrongf("", "", "the item lacks its block, token or amount", "mend the item")
		}
		t.Asset = e.assetOf(contract)
		if t.Amount, err = e.amount(f["value"], "value"); err != nil {
			return err
		}
		e.learn(t.Asset, f["tokenSymbol"], f["tokenDecimal"])
		return out.Transfer(&t)
	})
}

// learn registers what a source says of a token whose amounts it gives in base
// units. A contradiction leaves the amounts as exact as they were, so it is
// noted and nothing is rejected.
func (e *etl) learn(a chain.Asset, symbol, decimals []byte) {
	d, err := strconv.ParseUint(string(decimals), 10, 8)
	if err != nil || d > 77 {
		return
	}
	if known, ok := e.out.Asset(a); ok {
		if known.Decimals != uint8(d) {
			e.out.Note("%s: the file says %d decimals, %s says %d", a, d, known.Source, known.Decimals)
		}
		return
	}
	info := chain.AssetInfo{Asset: a, Symbol: clip(string(symbol)), Decimals: uint8(d), Source: e.in.Name}
	if err := e.out.Register(info); err != nil {
		e.out.Note("%v", err)
	}
}
