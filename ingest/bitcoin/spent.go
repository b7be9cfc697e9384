package bitcoin

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest/jsonrpc"
	"bongsu/ledger"
)

// spending is what getblock tells of a block's transactions with verbosity 3
// (Bitcoin Core since version 23): of each input, the output that it spends.
type spending struct {
	Txs jsonrpc.List[spendingTx] `json:"tx"`
}

type spendingTx struct {
	ID string                   `json:"txid"`
	In jsonrpc.List[spendingIn] `json:"vin"`
}

type spendingIn struct {
	Prevout *struct {
		Value  scalar `json:"value"` // in whole coins
		Script struct {
			Hex string `json:"hex"`
		} `json:"scriptPubKey"`
	} `json:"prevout"`
}

// An id takes 66 bytes with its quotes; an input says what it spends, or is a
// coinbase's.
func (spendingTx) Least() int64 { return 66 }
func (spendingIn) Least() int64 { return int64(len(`{"coinbase":"","sequence":0}`)) }

// spent fills in the accounts and amounts of inputs by the node's word, for a
// ledger that does not reach down to the chain's first block. The word is held
// against what can be: the transactions are the block's own, and none pays more
// than it spends. A node that does not tell leaves the inputs as they are.
func (n *Node) spent(ctx context.Context, b *Block, txs []ledger.UTXOTx) error {
	if !n.wantSpent.Load() || len(txs) < 2 {
		return nil
	}
	var s spending
	err := n.ask(ctx, &s, "getblock", b.Hash.String(), 3)
	var refused *jsonrpc.Error
	if errors.As(err, &refused) && errs.Is(err) != errs.NotExist {
		n.tellsNothing()
		return nil
	}
	if err != nil {
		return err
	}
	if len(s.Txs) != len(txs) {
		return n.contradicts(b, fmt.Sprintf("it has %d transactions, but the node tells what %d spend", len(txs), len(s.Txs)))
	}
	for i := range txs {
		if s.Txs[i].ID != b.Txs[i].ID.String() || len(s.Txs[i].In) != len(txs[i].Inputs) {
			return n.contradicts(b, fmt.Sprintf("what the node tells of transaction %d is of another", i))
		}
		if txs[i].Coinbase {
			continue
		}
		var in uint64
		for j := range txs[i].Inputs {
			p := s.Txs[i].In[j].Prevout
			if p == nil {
				n.tellsNothing()
				return nil
			}
			script, err := hex.DecodeString(p.Script.Hex)
			if err != nil {
				return n.contradicts(b, fmt.Sprintf("input %d of transaction %s spends a script that is no hexadecimal", j, b.Txs[i].ID))
			}
			value, err := chain.ParseDecimal(string(p.Value), coinDecimals)
			if err != nil || chain.Units(MaxMoney).Less(value) {
				return n.contradicts(b, fmt.Sprintf("input %d of transaction %s spends no amount of coins", j, b.Txs[i].ID))
			}
			account, _ := Classify(n.id, script)
			txs[i].Inputs[j].Account, txs[i].Inputs[j].Value, txs[i].Inputs[j].Known = account, value, true
			units, _ := value.Uint64()
			in += units
		}
		if in < paid(&b.Txs[i]) {
			return n.contradicts(b, fmt.Sprintf("transaction %s pays more than it spends by the node's word", b.Txs[i].ID))
		}
	}
	return nil
}

// coinDecimals is how many decimals a coin of every bip122 chain here has.
const coinDecimals = 8

func paid(t *Tx) (sum uint64) {
	for _, o := range t.Out {
		sum += o.Value
	}
	return sum
}

func (n *Node) contradicts(b *Block, why string) error {
	return errs.New("getblock", errs.Forged, fmt.Sprintf("%s block %s", n.rpc, b.Hash), why, "follow another node")
}

// tellsNothing gives up asking, and says so once.
func (n *Node) tellsNothing() {
	if n.wantSpent.Swap(false) && n.note != nil {
		n.note("the node does not tell which outputs are spent (getblock with verbosity 3): spends of outputs that the ledger does not hold have no account; import the blocks before, or follow Bitcoin Core 23 or later")
	}
}
