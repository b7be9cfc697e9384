package tables

import (
	"context"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ledger"
)

// explorerFormats are the three downloads that Etherscan and its kin offer for
// an account: transactions, internal transactions, ERC-20 transfers. They list
// what touched one account, without positions inside a transaction; headers
// vary with the year and with the chain's own coin.
func explorerFormats() []ingest.Format {
	format := func(name, title string, test func(*header) bool, row func(*explorer) error) ingest.Format {
		return ingest.Format{
			Name: name, Title: title,
			Recognise: withHeader(func(h *header) bool { h.close(); return test(h) }),
			Read: func(ctx context.Context, in *ingest.Input, out *ingest.Output) error {
				return readExplorer(ctx, in, out, row)
			},
		}
	}
	listed := func(h *header) bool {
		return h.find("txhash", "transactionhash") >= 0 && h.find("unixtimestamp", "datetime(utc)", "datetime") >= 0 && h.has("from")
	}
	valued := func(h *header) bool { return listed(h) && h.coin() != "" }
	return []ingest.Format{
		format("explorer-internal", "a block explorer's CSV export of internal transactions",
			func(h *header) bool { return valued(h) && h.has("parenttxfrom", "txto") }, (*explorer).internal),
		format("explorer-transactions", "a block explorer's CSV export of transactions",
			func(h *header) bool { return valued(h) && h.has("to") && !h.has("parenttxfrom") }, (*explorer).normal),
		format("explorer-erc20", "a block explorer's CSV export of ERC-20 transfers",
			func(h *header) bool {
				return listed(h) && h.has("to", "contractaddress", "tokensymbol") && h.find("tokenvalue", "value") >= 0 && h.find("tokenid") < 0
			}, (*explorer).token),
	}
}

// close takes the spaces out of the columns' names: some exports write
// "TxnFee(ETH)", others "Txn Fee (ETH)".
func (h *header) close() {
	for i, name := range h.names {
		h.names[i] = strings.ReplaceAll(name, " ", "")
	}
}

// coin is what the header counts in: what stands in brackets after value_in; ""
// where there is no such column.
func (h *header) coin() string {
	for _, name := range h.names {
		if rest, ok := strings.CutPrefix(name, "value_in("); ok {
			return strings.TrimSuffix(rest, ")")
		}
	}
	return ""
}

// coinChains tells the chain of an explorer from the coin in its header. ETH is
// mainnet's and that of many others, which --chain has to name.
var coinChains = map[string]chain.ID{
	"eth": chain.Ethereum, "bnb": "eip155:56", "matic": "eip155:137", "pol": "eip155:137", "mnt": "eip155:5000",
}

// explorer reads one export.
type explorer struct {
	*table
	id   chain.ID        // of the row being read
	coin string          // what the header counts in, lower-case; "" in a token export
	info chain.AssetInfo // of that chain's own coin

	chainID, hash, block, unix, date, from, to, created, valueIn, valueOut, fee, status, code, kind int
	value, symbol, decimals                                                                         int
}

func readExplorer(ctx context.Context, in *ingest.Input, out *ingest.Output, row func(*explorer) error) error {
	t, err := openTable(in, out)
	if err != nil {
		return err
	}
	h := &t.head
	h.close()
	x := &explorer{
		table: t, id: in.Chain, chainID: h.find("chainid"),
		hash: h.find("txhash", "transactionhash"), block: h.find("blockno", "block"), unix: h.find("unixtimestamp"),
		date: h.find("datetime(utc)", "datetime"), from: h.find("from"), to: h.find("txto", "to"),
		created: h.find("contractaddress"), status: h.find("status"), code: h.find("errcode"), kind: h.find("type"),
		value: h.find("tokenvalue", "value"), symbol: h.find("tokensymbol"), decimals: h.find("tokendecimal", "decimals"), coin: h.coin(),
	}
	x.valueIn, x.valueOut = h.find("value_in("+x.coin+")"), h.find("value_out("+x.coin+")")
	if x.fee = h.find("txnfee(" + x.coin + ")"); x.fee < 0 && x.valueIn >= 0 && !h.has("parenttxfrom") {
		out.Note("the header has no column TxnFee(%s): fees are missing", strings.ToUpper(x.coin))
	}
	if x.chainID < 0 {
		if err := x.guess(); err != nil {
			return err
		}
	}
	if x.id != "" {
		if err := x.counts(); err != nil {
			return err
		}
	}
	return t.each(ctx, func() error { return row(x) })
}

// guess takes the chain from the coin in the header, where nothing names one.
func (x *explorer) guess() error {
	if x.id != "" {
		return nil
	}
	if x.id = coinChains[x.coin]; x.id == "" && x.coin == "" {
		x.id = chain.Ethereum
	}
	if x.id == "" {
		return errs.New("import", errs.Usage, x.in.Name+":1", "the header does not tell which chain this is", "name it with --chain")
	}
	x.out.Note("read as %s, which the file does not say; name another chain with --chain", x.id)
	return nil
}

// counts looks up the coin of the chain.
func (x *explorer) counts() error {
	if !x.id.EVM() {
		return errs.New("import", errs.Usage, string(x.id), "these exports are of chains of the namespace eip155", "name another chain or format")
	}
	var ok bool
	if x.info, ok = x.out.Asset(x.id.Native()); ok {
		return nil
	}
	x.info = chain.AssetInfo{Asset: x.id.Native(), Symbol: strings.ToUpper(x.coin), Decimals: 18, Source: x.in.Name}
	return x.out.Register(x.info) // every chain of the EVM counts its coin in wei
}

// named takes the chain from the row, where the export has a column for it:
// explorers of several chains write one header for all.
func (x *explorer) named() error {
	if x.chainID < 0 {
		return nil
	}
	s := x.cell(x.chainID)
	id, err := chain.ParseID("eip155:" + s)
	switch {
	case s == "" && x.in.Chain != "":
		id = x.in.Chain
	case s == "":
		return wrongf("chainid", "", "the row names no chain", "fill the column, or name the chain with --chain")
	case err != nil:
		return wrong("chainid", err)
	case x.in.Chain != "" && id != x.in.Chain:
		return wrongf("chainid", clip(s), "the row is on chain %s, not on %s", "leave --chain out: the file names its chain", id, x.in.Chain)
	}
	if id == x.id {
		return nil
	}
	x.id = id
	return x.counts()
}

// place reads what the three exports share.
func (x *explorer) place() (t chain.Transfer, err error) {
	if err = x.named(); err != nil {
		return t, err
	}
	t = chain.Transfer{Chain: x.id, Index: chain.NoIndex, Ordinal: chain.NoOrdinal, Asset: x.info.Asset}
	if t.Tx, err = chain.ParseTxID(x.cell(x.hash), x.id); err != nil {
		return t, wrong("txhash", err)
	}
	if t.Block, err = x.number(x.block, "blockno", 64, chain.NoBlock); err != nil {
		return t, err
	}
	seconds, err := x.number(x.unix, "unixtimestamp", 33, 0)
	if err != nil {
		return t, err
	}
	t.Time = chain.Time(seconds) * 1000
	if s := x.cell(x.date); t.Time == 0 && s != "" {
		if t.Time, err = chain.ParseTime(s); err != nil {
			return t, wrong("datetime", err)
		}
	}
	if t.Time == 0 && t.Block == chain.NoBlock {
		return t, wrongf("unixtimestamp", "", "the row has neither time nor block", "export it again")
	}
	if t.From, err = x.account(x.from, "from", x.id); err != nil {
		return t, err
	}
	if t.To, err = x.account(x.to, "to", x.id); err != nil {
		return t, err
	}
	return t, nil
}

// coins reads an amount of the chain's own coin.
func (x *explorer) coins(i int, column string) (chain.Amount, error) {
	s := ungroup(x.cell(i))
	if s == "" {
		return chain.Amount{}, nil
	}
	a, err := chain.ParseDecimal(s, x.info.Decimals)
	if err != nil {
		return a, wrong(column, err)
	}
	return a, nil
}

// moved is the amount of a row that shows it as in or out, as seen from the
// account of the export; a transfer to oneself shows it twice.
func (x *explorer) moved() (chain.Amount, error) {
	in, err := x.coins(x.valueIn, "value_in")
	if err != nil {
		return in, err
	}
	out, err := x.coins(x.valueOut, "value_out")
	switch {
	case err != nil:
		return out, err
	case in.IsZero():
		return out, nil
	case !out.IsZero() && in != out:
		return in, wrongf("value_out", "", "the row moves one amount in and another out", "export it again")
	}
	return in, nil
}

// failed says whether the explorer marks the row as failed: an error code, or
// a status of "Error(n)" or "Fail". The plain status of a transaction is 0 for
// both in some years.
func (x *explorer) failed() bool {
	status := strings.ToLower(x.cell(x.status))
	return x.cell(x.code) != "" || strings.HasPrefix(status, "error") || strings.HasPrefix(status, "fail")
}

// creator fills the receiver of a creation from the column of the contract.
func (x *explorer) creator(t *chain.Transfer) (err error) {
	if t.To.IsZero() {
		t.To, err = x.account(x.created, "contractaddress", x.id)
	}
	return err
}

// normal is a row of the transactions' export.
func (x *explorer) normal() error {
	t, err := x.place()
	if err != nil {
		return err
	}
	fee, err := x.coins(x.fee, "txnfee")
	if err != nil {
		return err
	}
	value, err := x.moved()
	if err != nil {
		return err
	}
	status := ledger.StatusSucceeded
	if x.failed() {
		status = ledger.StatusFailed
	} else if err := x.creator(&t); err != nil {
		return err
	}
	if t.From.IsZero() {
		return wrongf("from", "", "the row names no sender", "export it again")
	}
	if status == ledger.StatusSucceeded && !value.IsZero() && t.To.IsZero() {
		return wrongf("to", "", "the row names no receiver", "export it again")
	}
	fact := ledger.TxFact{Chain: x.id, Tx: t.Tx, Block: t.Block, Index: t.Index, Time: t.Time, HasTime: t.Time != 0, Status: status}
	if err := x.out.Tx(fact); err != nil {
		return err
	}
	if !fee.IsZero() {
		paid := t
		paid.Kind, paid.To, paid.Amount, paid.Ordinal = chain.KindFee, chain.Account{}, fee, 0
		if err := x.out.Transfer(&paid); err != nil {
			return err
		}
	}
	if status == ledger.StatusFailed || value.IsZero() {
		return nil
	}
	t.Kind, t.Amount, t.Ordinal = chain.KindNative, value, 0
	return x.out.Transfer(&t)
}

// internal is a row of the internal transactions' export.
func (x *explorer) internal() error {
	t, err := x.place()
	if err != nil {
		return err
	}
	switch strings.ToLower(x.cell(x.kind)) {
	case "delegatecall", "callcode", "staticcall":
		return nil
	}
	if t.Amount, err = x.moved(); err != nil {
		return err
	}
	if x.failed() || x.cell(x.status) == "1" || t.Amount.IsZero() { // here the status is a flag of an error
		return nil
	}
	if err := x.creator(&t); err != nil {
		return err
	}
	if t.From.IsZero() || t.To.IsZero() {
		return wrongf("to", "", "the row does not name both accounts", "export it again")
	}
	t.Kind = chain.KindInternal
	return x.out.Transfer(&t)
}

// token is a row of the ERC-20 transfers' export.
func (x *explorer) token() error {
	t, err := x.place()
	if err != nil {
		return err
	}
	t.Kind = chain.KindToken
	if x.cell(x.created) == "" {
		return wrongf("contractaddress", "", "the row names no token contract", "export it again")
	}
	info, err := x.contractOrNative(x.created, x.symbol, x.decimals, &t)
	if err != nil {
		return err
	}
	t.Asset = info.Asset
	s := ungroup(x.cell(x.value))
	if t.Amount, err = chain.ParseDecimal(s, info.Decimals); err != nil {
		return wrong("tokenvalue", err)
	}
	if t.From.IsZero() && t.To.IsZero() {
		return wrongf("from", "", "the row names no account", "export it again")
	}
	return x.out.Transfer(&t)
}

// ungroup takes out the commas of a number written in groups of three, and
// leaves any other text as it is: "1,234.5" but not "1,5".
func ungroup(s string) string {
	whole, frac, dotted := strings.Cut(s, ".")
	parts := strings.Split(whole, ",")
	if len(parts) == 1 || len(parts[0]) == 0 || len(parts[0]) > 3 || strings.Contains(frac, ",") {
		return s
	}
	for _, p := range parts[1:] {
		if len(p) != 3 {
			return s
		}
	}
	whole = strings.Join(parts, "")
	if dotted {
		return whole + "." + frac
	}
	return whole
}
