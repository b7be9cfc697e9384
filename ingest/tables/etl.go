package tables

import (
	"bytes"
	"encoding/hex"
	"strconv"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ledger"
)

// etl reads rows of ethereum-etl's tables into facts.
type etl struct {
	in    *ingest.Input
	out   *ingest.Output
	id    chain.ID
	asset map[[20]byte]chain.Asset // names of token contracts, as they come up
	times *blockTimes
	join  *receiptJoin

	at     ingest.Place // of the row being read
	line   []byte       // that row, where it stands for a whole block
	frames []frame      // of the transaction being read, or the block where they name none
	tx     txPart       // the row of transactions being read
	moves  []chain.Transfer
	blocks blockRange
	apart  bool // transactions came without their receipts
	late   bool // some came with them, and only the join says what they moved
	silent int  // self-destructs that do not say whom they paid
}

func newETL(in *ingest.Input, out *ingest.Output) (*etl, error) {
	e := &etl{in: in, out: out, id: in.Chain, blocks: rangeOf(in.Name), asset: map[[20]byte]chain.Asset{}}
	if e.id == "" {
		e.id = chain.Ethereum
	}
	if !e.id.EVM() {
		return nil, errs.New("import", errs.Usage, string(e.id), "ethereum-etl exports chains of the namespace eip155", "name another chain or format")
	}
	j, err := out.Join("transactions with receipts", openReceiptJoin)
	if err != nil {
		return nil, err
	}
	e.join = j.(*receiptJoin) //nolint:forcetypeassert // the name is this type's alone
	e.times = e.join.times
	return e, nil
}

// cell readers: each rejects the row for its column.

func (e *etl) hash(v []byte, column string) (chain.TxID, error) {
	var raw [32]byte
	if len(v) == 66 && v[0] == '0' && unhex(raw[:], v[2:]) {
		id, _ := chain.NewTxID(raw[:])
		return id, nil
	}
	return chain.TxID{}, wrongf(column, clip(string(v)), "not 0x and 64 hexadecimal digits", "mend the row or export it again")
}

// account reads an address; empty is the zero account.
func (e *etl) account(v []byte, column string) (chain.Account, error) {
	if len(v) == 0 {
		return chain.Account{}, nil
	}
	var raw [20]byte
	if len(v) == 42 && v[0] == '0' && v[1] == 'x' && lowerHex(raw[:], v[2:]) {
		return chain.EVM(e.id, raw), nil
	}
	a, err := chain.ParseAccount(string(v), e.id) // upper case, with its checksum
	if err != nil {
		return a, wrong(column, err)
	}
	return a, nil
}

// uint reads a number. One that ends in ".0" passed through a data frame that
// had cells missing; numbers of this size it keeps exactly.
func (e *etl) uint(v []byte, column string, none uint64) (uint64, error) {
	if len(v) == 0 {
		return none, nil
	}
	if whole, ok := bytes.CutSuffix(v, []byte(".0")); ok && len(whole) > 0 && len(whole) <= 15 {
		v = whole
	}
	var n uint64
	for _, c := range v {
		if c < '0' || c > '9' || n > (1<<63)/10 {
			return 0, wrongf(column, clip(string(v)), "not a whole number", "mend the row or export it again")
		}
		n = n*10 + uint64(c-'0')
	}
	return n, nil
}

func (e *etl) uint32(v []byte, column string, none uint32) (uint32, error) {
	n, err := e.uint(v, column, uint64(none))
	if err == nil && n > uint64(none) {
		return 0, wrongf(column, clip(string(v)), "not a whole number below 2^32", "mend the row or export it again")
	}
	return uint32(n), err
}

// amount reads base units; empty is nothing.
func (e *etl) amount(v []byte, column string) (chain.Amount, error) {
	if len(v) == 0 {
		return chain.Amount{}, nil
	}
	a, ok := chain.AmountFromDigits(v)
	if !ok && v[0] == notExact {
		return a, wrong(column, rounded(v[1:]))
	}
	if !ok {
		return a, wrongf(column, clip(string(v)), "not a whole number of base units below 2^256", "mend the row or export it again")
	}
	return a, nil
}

// rounded is why an amount is refused that floating point may have rounded.
func rounded(v []byte) error {
	return &errs.Error{
		Kind: errs.Invalid, Where: clip(string(v)), Err: ingest.ErrRounded,
		Hint: "import the range from ethereum-etl, an explorer or a node, or ethereum-etl's traces in the same command: Amazon's set has the exact amounts of tokens in its table of logs, and those of ether in none",
	}
}

// time reads a block's time in seconds, or as text; empty is none.
func (e *etl) time(v []byte, column string) (chain.Time, error) {
	if len(v) == 0 {
		return 0, nil
	}
	if v[0] >= '0' && v[0] <= '9' && bytes.IndexByte(v, '-') < 0 {
		n, err := e.uint(v, column, 0)
		if err == nil && n < 1<<33 {
			return chain.Time(n * 1000), nil
		}
		return 0, wrongf(column, clip(string(v)), "not a time in seconds since 1970", "mend the row or export it again")
	}
	t, err := chain.ParseTime(string(v))
	if err != nil {
		return 0, wrong(column, err)
	}
	return t, nil
}

// when is the row's own time, or that of its block where the import holds it.
func (e *etl) when(v []byte, column string, block uint64) (chain.Time, error) {
	e.blocks.saw(block)
	if t, err := e.time(v, column); err != nil || t != 0 {
		return t, err
	}
	return e.times.of(block), nil
}

// token is the asset of a token contract.
func (e *etl) assetOf(contract chain.Account) chain.Asset {
	var key [20]byte
	contract.AppendRaw(key[:0])
	a, ok := e.asset[key]
	if !ok {
		if len(e.asset) >= 1<<20 { // a file of junk contracts
			clear(e.asset)
		}
		a = chain.Token(contract)
		e.asset[key] = a
	}
	return a
}

// tokenTransfer is a row of token_transfers. Its amounts are base units, exact
// without knowing the token's decimals.
//
// The table holds ERC-721 transfers too, and nothing in a row tells them apart:
// they come in as amounts of the token's number, of an asset without decimals.
func (e *etl) tokenTransfer(r record) error {
	t := chain.Transfer{Chain: e.id, Kind: chain.KindToken, Index: chain.NoIndex}
	contract, err := e.account(r[ttToken], "token_address")
	if err != nil {
		return err
	}
	if contract.IsZero() {
		return wrongf("token_address", "", "the row names no token", "mend the row or export it again")
	}
	if t.From, err = e.account(r[ttFrom], "from_address"); err != nil {
		return err
	}
	if t.To, err = e.account(r[ttTo], "to_address"); err != nil {
		return err
	}
	if t.Amount, err = e.amount(r[ttValue], "value"); err != nil {
		return err
	}
	if t.Tx, err = e.hash(r[ttHash], "transaction_hash"); err != nil {
		return err
	}
	if t.Ordinal, err = e.uint32(r[ttLog], "log_index", chain.NoOrdinal); err != nil {
		return err
	}
	if t.Block, err = e.uint(r[ttBlock], "block_number", chain.NoBlock); err != nil {
		return err
	}
	if t.Time, err = e.when(r[ttTime], "block_timestamp", t.Block); err != nil {
		return err
	}
	if len(r[ttValue]) == 0 {
		return wrongf("value", "", "the row has no amount", "mend the row or export it again")
	}
	if t.Block == chain.NoBlock && t.Time == 0 {
		return wrongf("block_number", "", "the row has no block", "mend the row or export it again")
	}
	if t.Block != chain.NoBlock && t.Tx != chain.Hash32([32]byte{}) {
		return e.short(&t, contract)
	}
	t.Asset = e.assetOf(contract)
	return e.out.Transfer(&t)
}

// short states a token transfer in the form that the fast reader uses too, so
// that equal ones of both are found equal.
func (e *etl) short(t *chain.Transfer, contract chain.Account) error {
	s := e.out.NextToken()
	s.Block, s.Time, s.Index, s.Ordinal, s.Amount = t.Block, t.Time, t.Index, t.Ordinal, t.Amount
	for _, a := range []struct {
		to   *[20]byte
		from chain.Account
	}{{&s.Contract, contract}, {&s.From, t.From}, {&s.To, t.To}} {
		*a.to = [20]byte{} // no account: the null address, as events write it
		a.from.AppendRaw(a.to[:0])
	}
	t.Tx.AppendRaw(s.Tx[:0])
	return e.out.KeepToken(e.id)
}

// block states a block's time, and its withdrawals (EIP-4895).
func (e *etl) block(r record) error {
	n, err := e.uint(r[blkNumber], "number", chain.NoBlock)
	if err != nil {
		return err
	}
	t, err := e.time(r[blkTime], "timestamp")
	if err != nil {
		return err
	}
	if n == chain.NoBlock || t == 0 && n != 0 {
		return wrongf("timestamp", "", "a block without number or time", "mend the row or export it again")
	}
	f := ledger.BlockFact{Chain: e.id, Number: n, Time: t, HasTime: true}
	for _, h := range []struct {
		to     *ledger.Hash
		v      []byte
		column string
	}{{&f.Hash, r[blkHash], "hash"}, {&f.Parent, r[blkParent], "parent_hash"}} {
		if len(h.v) > 0 && !(len(h.v) == 66 && unhex(h.to[:], h.v[2:])) {
			return wrongf(h.column, clip(string(h.v)), "not a block's hash", "mend the row or export it again")
		}
	}
	paid, err := e.withdrawals(r[blkWithdrawals], n, t)
	if err != nil {
		return err
	}
	e.times.put(n, t)
	for i := range paid {
		if err := e.out.Transfer(&paid[i]); err != nil {
			return err
		}
	}
	return e.out.Block(f)
}

// token registers what an export says of a token. A token whose decimals the
// export could not read stays unknown.
func (e *etl) token(r record) error {
	a, err := e.account(r[tkAddress], "address")
	if err != nil {
		return err
	}
	if a.IsZero() {
		return wrongf("address", "", "the row names no token", "mend the row or export it again")
	}
	if len(r[tkDecimals]) == 0 {
		return nil
	}
	d, err := strconv.ParseUint(string(r[tkDecimals]), 10, 8)
	if err != nil || d > 77 {
		return wrongf("decimals", clip(string(r[tkDecimals])), "not a number of decimals", "mend the row: write what the token contract's decimals() answers")
	}
	info := chain.AssetInfo{Asset: chain.Token(a), Symbol: clip(string(r[tkSymbol])), Decimals: uint8(d), Source: e.in.Name}
	if err := e.out.Register(info); err != nil {
		return wrong("decimals", err)
	}
	return nil
}

// lowerHex decodes lower-case hexadecimal digits; it reports false for others.
func lowerHex(dst, src []byte) bool {
	for i := range dst {
		a, b := hexDigit[src[2*i]], hexDigit[src[2*i+1]]
		if a|b > 15 {
			return false
		}
		dst[i] = a<<4 | b
	}
	return true
}

// unhex decodes exactly len(dst) bytes in either case.
func unhex(dst, src []byte) bool {
	if len(src) != 2*len(dst) {
		return false
	}
	_, err := hex.Decode(dst, src)
	return err == nil
}

// hexDigit is the value of a lower-case hexadecimal digit, or 255.
var hexDigit = func() (t [256]byte) {
	for i := range t {
		switch {
		case i >= '0' && i <= '9':
			t[i] = byte(i - '0')
		case i >= 'a' && i <= 'f':
			t[i] = byte(i - 'a' + 10)
		default:
			t[i] = 255
		}
	}
	return t
}()
