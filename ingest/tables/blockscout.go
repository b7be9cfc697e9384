package tables

import (
	"context"
	"slices"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ledger"
)

// blockscoutFormats are the downloads that Blockscout offers for an account:
// transactions, internal transactions, token transfers. They are told from
// Etherscan's by the columns FromAddress and ToAddress. Amounts are in base units,
// UnixTimestamp is a time as text, and nothing names the chain (the project's
// modules Explorer.Chain.CsvExport.Address.*).
func blockscoutFormats() []ingest.Format {
	format := func(name, title string, row func(*blockscout) error, note string, names ...string) ingest.Format {
		return ingest.Format{
			Name: name, Title: title,
			Recognise: withHeader(columns(append(names, "txhash", "blocknumber", "unixtimestamp", "fromaddress", "toaddress", "type")...)),
			Read: func(ctx context.Context, in *ingest.Input, out *ingest.Output) error {
				return readBlockscout(ctx, in, out, row, note)
			},
		}
	}
	return []ingest.Format{
		format("blockscout-internal", "Blockscout's CSV export of internal transactions", (*blockscout).internal,
			"it does not say which calls were undone together with the call that made them: import the transactions too, and traces where a transaction caught such a failure",
			"index", "calltype", "value", "contractaddress", "errcode"),
		format("blockscout-transactions", "Blockscout's CSV export of transactions", (*blockscout).normal, "", "value", "fee", "status", "contractaddress"),
		format("blockscout-tokens", "Blockscout's CSV export of token transfers", (*blockscout).token, "", "tokencontractaddress", "tokenstransferred"),
	}
}

// blockscout reads one export.
type blockscout struct {
	*table
	id    chain.ID
	items int // rows of tokens that are no amounts

	hash, block, time, from, to, kind, value int
	created, fee, status, code, index, call  int
	contract, symbol, decimals, tokens       int
}

func readBlockscout(ctx context.Context, in *ingest.Input, out *ingest.Output, row func(*blockscout) error, note string) error {
	if in.Chain == "" {
		return errs.New("import", errs.Usage, in.Name, "Blockscout's exports do not tell which chain they are of", "name it with --chain")
	}
	if !in.Chain.EVM() {
		return errs.New("import", errs.Usage, string(in.Chain), "these exports are of chains of the namespace eip155", "name another chain or format")
	}
	t, err := openTable(in, out)
	if err != nil {
		return err
	}
	h := &t.head
	b := &blockscout{
		table: t, id: in.Chain,
		hash: h.find("txhash"), block: h.find("blocknumber"), time: h.find("unixtimestamp"), from: h.find("fromaddress"), to: h.find("toaddress"),
		kind: h.find("type"), value: h.find("value"), created: h.find("contractaddress"), fee: h.find("fee"), status: h.find("status"),
		code: h.find("errcode"), index: h.find("index"), call: h.find("calltype"),
		contract: h.find("tokencontractaddress"), symbol: h.find("tokensymbol"), tokens: h.find("tokenstransferred"),
		decimals: slices.Index(h.names, "tokendecimals"), // it stands there twice, with one value
	}
	err = t.each(ctx, func() error { return row(b) })
	if b.items > 0 {
		out.Note("%d rows are of ERC-721 or other tokens that are no amounts, and are left out", b.items)
	}
	if note != "" {
		out.Note("%s", note)
	}
	return err
}

// at reads what the three exports share.
func (b *blockscout) at() (t chain.Transfer, err error) {
	t = chain.Transfer{Chain: b.id, Index: chain.NoIndex, Ordinal: chain.NoOrdinal, Asset: b.id.Native()}
	if t.Tx, err = chain.ParseTxID(b.cell(b.hash), b.id); err != nil {
		return t, wrong("txhash", err)
	}
	if t.Block, err = b.number(b.block, "blocknumber", 64, chain.NoBlock); err != nil {
		return t, err
	}
	if t.Block == chain.NoBlock {
		return t, wrongf("blocknumber", "", "the transaction is in no block yet", "export it again")
	}
	if t.Time, err = chain.ParseTime(b.cell(b.time)); err != nil {
		return t, wrong("unixtimestamp", err)
	}
	if t.From, err = b.account(b.from, "fromaddress", b.id); err != nil {
		return t, err
	}
	t.To, err = b.account(b.to, "toaddress", b.id)
	return t, err
}

// units reads base units; empty is nothing.
func (b *blockscout) units(i int, column string) (chain.Amount, error) {
	s := b.cell(i)
	if s == "" {
		return chain.Amount{}, nil
	}
	a, err := chain.ParseDecimal(s, 0)
	if err != nil {
		return a, wrong(column, err)
	}
	return a, nil
}

// paidTo fills the receiver of a creation from the column of the contract.
func (b *blockscout) paidTo(t *chain.Transfer) (err error) {
	if t.To.IsZero() {
		t.To, err = b.account(b.created, "contractaddress", b.id)
	}
	if err == nil && (t.From.IsZero() || t.To.IsZero()) {
		err = wrongf("toaddress", "", "the row moves an amount and does not name both accounts", "export it again")
	}
	return err
}

// normal is a row of the transactions' export.
func (b *blockscout) normal() error {
	t, err := b.at()
	if err != nil {
		return err
	}
	if t.From.IsZero() {
		return wrongf("fromaddress", "", "the row names no sender", "export it again")
	}
	value, err := b.units(b.value, "value")
	if err != nil {
		return err
	}
	fee, err := b.units(b.fee, "fee") // "Max of ..." while the transaction waits
	if err != nil {
		return err
	}
	fact := ledger.TxFact{Chain: b.id, Tx: t.Tx, Block: t.Block, Index: t.Index, Time: t.Time, HasTime: true}
	switch status := strings.ToLower(b.cell(b.status)); {
	case status == "error" || b.cell(b.code) != "":
		fact.Status, value = ledger.StatusFailed, chain.Amount{}
	case status == "ok":
		fact.Status = ledger.StatusSucceeded
	case status != "":
		return wrongf("status", clip(status), "neither ok nor error", "export it again")
	case !value.IsZero():
		return wrongf("status", "", "the row does not say whether the transaction failed", "import the transaction from a chain node or with its traces")
	}
	t.Kind, t.Ordinal, t.Amount = chain.KindNative, 0, value
	if !value.IsZero() {
		if err := b.paidTo(&t); err != nil {
			return err
		}
	}
	if err := b.out.Tx(fact); err != nil {
		return err
	}
	if !fee.IsZero() {
		paid := t
		paid.Kind, paid.To, paid.Amount = chain.KindFee, chain.Account{}, fee
		if err := b.out.Transfer(&paid); err != nil {
			return err
		}
	}
	if value.IsZero() {
		return nil
	}
	return b.out.Transfer(&t)
}

// internal is a row of the internal transactions' export. Of the frames at the
// root it lists creations alone; they are the transaction's own value.
func (b *blockscout) internal() error {
	t, err := b.at()
	if err != nil {
		return err
	}
	if t.Amount, err = b.units(b.value, "value"); err != nil {
		return err
	}
	switch kind := strings.ToLower(b.cell(b.kind)); kind {
	case "call":
		switch strings.ToLower(b.cell(b.call)) {
		case "delegatecall", "callcode", "staticcall":
			return nil
		}
	case "create", "create2", "selfdestruct", "suicide":
	default:
		return wrongf("type", clip(kind), "not a type of internal transaction", "expected call, create, create2 or selfdestruct")
	}
	if b.cell(b.code) != "" || t.Amount.IsZero() {
		return nil
	}
	if err := b.paidTo(&t); err != nil {
		return err
	}
	t.Kind = chain.KindInternal
	if b.cell(b.index) == "0" {
		t.Kind, t.Ordinal = chain.KindNative, 0
	}
	return b.out.Transfer(&t)
}

// token is a row of the token transfers' export.
func (b *blockscout) token() error {
	t, err := b.at()
	if err != nil {
		return err
	}
	contract, err := b.account(b.contract, "tokencontractaddress", b.id)
	if err != nil {
		return err
	}
	if contract.IsZero() {
		return wrongf("tokencontractaddress", "", "the row names no token contract", "export it again")
	}
	if t.From.IsZero() && t.To.IsZero() {
		return wrongf("fromaddress", "", "the row names no account", "export it again")
	}
	if b.cell(b.tokens) == "" {
		b.items++
		return nil
	}
	if t.Amount, err = b.units(b.tokens, "tokenstransferred"); err != nil {
		return err
	}
	t.Kind, t.Asset = chain.KindToken, chain.Token(contract)
	if d := b.cell(b.decimals); d != "" {
		if _, err := b.stated(d, b.cell(b.symbol), t.Asset); err != nil {
			return err
		}
	}
	return b.out.Transfer(&t)
}
