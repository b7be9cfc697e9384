package tables

import (
	"bytes"
	"encoding/hex"
	"strings"

	"bongsu/chain"
	"bongsu/ledger"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// transferTopic is the topic of Transfer(address,address,uint256) (ERC-20).
var transferTopic = [32]byte{
	0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0, 0x68, 0xfc, 0x37, 0x8d, 0xaa,
	0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4, 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef,
}

// log is a row of logs: a token transfer when it is one, and kept for links
// when its topic is one that they need. A Transfer with four topics is
// ERC-721's and moves nothing that can be counted.
func (e *etl) log(r record) error {
	var topics [][32]byte
	for part := range bytes.SplitSeq(r[lgTopics], []byte{','}) {
		part = bytes.TrimSpace(part)
		if len(part) == 0 {
			continue
		}
		var t [32]byte
		if len(part) != 66 || !unhex(t[:], part[2:]) || len(topics) == 4 {
			return wrongf("topics", clip(string(r[lgTopics])), "not a list of at most four words", "mend the row or export it again")
		}
		topics = append(topics, t)
	}
	if len(topics) == 0 {
		return nil
	}
	keep := e.out.KeepsLog(topics[0])
	moves := topics[0] == transferTopic && len(topics) == 3 && len(r[lgData]) == 66
	if !keep && !moves {
		return nil
	}
	tx, err := e.hash(r[lgHash], "transaction_hash")
	if err != nil {
		return err
	}
	index, err := e.uint32(r[lgIndex], "log_index", chain.NoOrdinal)
	if err != nil {
		return err
	}
	contract, err := e.account(r[lgAddress], "address")
	if err != nil {
		return err
	}
	if contract.IsZero() {
		return wrongf("address", "", "the row names no contract", "mend the row or export it again")
	}
	data, err := hex.DecodeString(string(bytes.TrimPrefix(r[lgData], []byte("0x"))))
	if err != nil {
		return wrongf("data", clip(string(r[lgData])), "not hexadecimal", "mend the row or export it again")
	}
	if moves {
		if err := e.logged(r, tx, index, contract, topics, data); err != nil {
			return err
		}
	}
	if !keep {
		return nil
	}
	l := &ledger.Log{Index: index, Address: contract, Data: data}
	for _, t := range topics {
		l.Topics = append(l.Topics, ledger.Hash(t))
	}
	block, err := e.uint(r[lgBlock], "block_number", chain.NoBlock)
	if err != nil {
		return err
	}
	n := ledger.NoteFact{Chain: e.id, Tx: tx, Log: l}
	if block != chain.NoBlock {
		n.Block, n.HasBlock = block, true
	}
	return e.out.Log(n)
}

// logged states the token transfer of a log.
func (e *etl) logged(r record, tx chain.TxID, index uint32, contract chain.Account, topics [][32]byte, data []byte) error {
	t := chain.Transfer{
		Chain: e.id, Tx: tx, Kind: chain.KindToken, Ordinal: index, Asset: e.assetOf(contract),
		From: chain.EVM(e.id, [20]byte(topics[1][12:])), To: chain.EVM(e.id, [20]byte(topics[2][12:])),
	}
	var err error
	if t.Block, err = e.uint(r[lgBlock], "block_number", chain.NoBlock); err != nil {
		return err
	}
	if t.Index, err = e.uint32(r[lgTxIndex], "transaction_index", chain.NoIndex); err != nil {
		return err
	}
	if t.Time, err = e.when(r[lgTime], "block_timestamp", t.Block); err != nil {
		return err
	}
	if t.Block == chain.NoBlock && t.Time == 0 {
		return wrongf("block_number", "", "the row has no block", "mend the row or export it again")
	}
	t.Amount, _ = chain.AmountFromBytes(data)
	return e.out.Transfer(&t)
}

// withdrawal is one of a block's, as ethereum-etl writes it: the amount in gwei
// (EIP-4895), a number or, in data sets, text.
type withdrawal struct {
	Address string         `json:"address"`
	Amount  jsontext.Value `json:"amount"`
}

// wei is the amount.
func (w *withdrawal) wei() (chain.Amount, error) {
	gwei, err := chain.ParseBase(strings.Trim(string(w.Amount), `"`))
	if err != nil {
		return gwei, err
	}
	wei, ok := gwei.MulDiv(chain.Units(weiPerGwei), chain.Units(1))
	if !ok {
		return wei, wrongf("withdrawals", gwei.Base(), "more gwei than there can be", "export the blocks again")
	}
	return wei, nil
}

const weiPerGwei = 1_000_000_000

// withdrawals reads the column of a block: objects joined by commas, as the CSV
// has them, or a list.
func (e *etl) withdrawals(v []byte, block uint64, t chain.Time) ([]chain.Transfer, error) {
	v = bytes.TrimSpace(v)
	if len(v) == 0 {
		return nil, nil
	}
	if v[0] != '[' {
		v = append(append([]byte{'['}, v...), ']')
	}
	var list []withdrawal
	if err := json.Unmarshal(v, &list, jsontext.AllowDuplicateNames(false)); err != nil {
		return nil, wrongf("withdrawals", clip(string(v)), "not a list of withdrawals", "export the blocks again")
	}
	var out []chain.Transfer
	for i, w := range list {
		to, err := e.account([]byte(w.Address), "withdrawals")
		if err != nil || to.IsZero() {
			return nil, wrongf("withdrawals", clip(w.Address), "a withdrawal without its account", "export the blocks again")
		}
		value, err := w.wei()
		if err != nil {
			return nil, wrong("withdrawals", err)
		}
		if value.IsZero() {
			continue
		}
		out = append(out, chain.Transfer{
			Chain: e.id, Time: t, Block: block, Index: chain.NoIndex, Kind: chain.KindAdjustment,
			Ordinal: uint32(i), To: to, Asset: e.id.Native(), Amount: value,
		})
	}
	return out, nil
}
