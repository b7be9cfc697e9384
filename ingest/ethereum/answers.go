package ethereum

import (
	"bongsu/chain"
	"bongsu/ingest/jsonrpc"
)

// What a node answers with, as far as it is used. Pointers are fields that
// exist since some fork only.

// header is a block's header with its hash.
type header struct {
	Hash             hash     `json:"hash"`
	ParentHash       hash     `json:"parentHash"`
	UncleHash        hash     `json:"sha3Uncles"`
	Miner            address  `json:"miner"`
	StateRoot        hash     `json:"stateRoot"`
	TransactionsRoot hash     `json:"transactionsRoot"`
	ReceiptsRoot     hash     `json:"receiptsRoot"`
	LogsBloom        data     `json:"logsBloom"`
	Difficulty       *amount  `json:"difficulty"`
	Number           quantity `json:"number"`
	GasLimit         quantity `json:"gasLimit"`
	GasUsed          quantity `json:"gasUsed"`
	Timestamp        quantity `json:"timestamp"`
	ExtraData        data     `json:"extraData"`
	MixHash          *hash    `json:"mixHash"`
	Nonce            data     `json:"nonce"`

	BaseFee          *amount   `json:"baseFeePerGas"`         // EIP-1559
	WithdrawalsRoot  *hash     `json:"withdrawalsRoot"`       // EIP-4895
	BlobGasUsed      *quantity `json:"blobGasUsed"`           // EIP-4844
	ExcessBlobGas    *quantity `json:"excessBlobGas"`         // EIP-4844
	ParentBeaconRoot *hash     `json:"parentBeaconBlockRoot"` // EIP-4788
	RequestsHash     *hash     `json:"requestsHash"`          // EIP-7685
}

// block is a header with whole transactions.
type block struct {
	header
	Transactions jsonrpc.List[transaction] `json:"transactions"`
	Withdrawals  jsonrpc.List[withdrawal]  `json:"withdrawals"`
}

type withdrawal struct {
	Index     quantity `json:"index"`
	Validator quantity `json:"validatorIndex"`
	Address   address  `json:"address"`
	Gwei      quantity `json:"amount"`
}

type transaction struct {
	Hash      hash      `json:"hash"`
	BlockHash hash      `json:"blockHash"`
	Index     quantity  `json:"transactionIndex"`
	Type      *quantity `json:"type"`
	From      address   `json:"from"`
	To        *address  `json:"to"`
	Value     amount    `json:"value"`
	Nonce     quantity  `json:"nonce"`
	Gas       quantity  `json:"gas"`
	GasPrice  *amount   `json:"gasPrice"`
	Input     data      `json:"input"`

	ChainID     *quantity                   `json:"chainId"`
	MaxFee      *amount                     `json:"maxFeePerGas"`
	MaxTip      *amount                     `json:"maxPriorityFeePerGas"`
	AccessList  jsonrpc.List[accessTuple]   `json:"accessList"`
	MaxBlobFee  *amount                     `json:"maxFeePerBlobGas"`
	BlobHashes  jsonrpc.List[hash]          `json:"blobVersionedHashes"`
	Authorities jsonrpc.List[authorization] `json:"authorizationList"`
	V           *amount                     `json:"v"`
	YParity     *amount                     `json:"yParity"` // what V is called since EIP-2930
	R           amount                      `json:"r"`
	S           amount                      `json:"s"`
}

type accessTuple struct {
	Address address            `json:"address"`
	Keys    jsonrpc.List[hash] `json:"storageKeys"`
}

type authorization struct {
	ChainID amount   `json:"chainId"`
	Address address  `json:"address"`
	Nonce   quantity `json:"nonce"`
	YParity quantity `json:"yParity"`
	R       amount   `json:"r"`
	S       amount   `json:"s"`
}

type receipt struct {
	TxHash       hash                `json:"transactionHash"`
	BlockHash    hash                `json:"blockHash"`
	Index        quantity            `json:"transactionIndex"`
	Type         *quantity           `json:"type"`
	Status       *quantity           `json:"status"` // since Byzantium (EIP-658)
	Root         data                `json:"root"`   // before
	GasUsed      quantity            `json:"gasUsed"`
	Cumulative   quantity            `json:"cumulativeGasUsed"`
	Bloom        data                `json:"logsBloom"`
	Price        *amount             `json:"effectiveGasPrice"`
	BlobGasUsed  *quantity           `json:"blobGasUsed"`
	BlobGasPrice *amount             `json:"blobGasPrice"`
	L1Fee        *amount             `json:"l1Fee"` // rollups of the OP stack
	Contract     *address            `json:"contractAddress"`
	Logs         jsonrpc.List[event] `json:"logs"`
}

// event is a log.
type event struct {
	Address address            `json:"address"`
	Topics  jsonrpc.List[hash] `json:"topics"`
	Data    data               `json:"data"`
	Index   quantity           `json:"logIndex"`
	Removed bool               `json:"removed"`
}

// frame is one call of the call tracer.
type frame struct {
	Type  string              `json:"type"`
	From  address             `json:"from"`
	To    *address            `json:"to"`
	Value *amount             `json:"value"`
	Input data                `json:"input"`
	Error string              `json:"error"`
	Calls jsonrpc.List[frame] `json:"calls"`
}

type traced struct {
	TxHash *hash  `json:"txHash"`
	Result *frame `json:"result"`
	Error  string `json:"error"`
}

func (a *amount) value() chain.Amount {
	if a == nil {
		return chain.Amount{}
	}
	return a.Amount
}

// A hash takes 68 bytes with its quotes, an address 44, the least quantity 5, and
// each member its name and a colon; counted are those that every node gives.
func (transaction) Least() int64   { return 68*2 + 44 }
func (receipt) Least() int64       { return 68 * 2 }
func (event) Least() int64         { return 44 }
func (withdrawal) Least() int64    { return 44 + 5 }
func (accessTuple) Least() int64   { return 44 }
func (authorization) Least() int64 { return 44 + 4*5 }
func (traced) Least() int64        { return int64(len(`{"error":""}`)) }
func (frame) Least() int64         { return 44 }
func (hash) Least() int64          { return 68 }
