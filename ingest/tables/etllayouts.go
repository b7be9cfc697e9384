package tables

// record is one row of a table of ethereum-etl, in the order of its layout's
// columns, whatever file it came from. A value that is missing or null is
// empty; a list is its items joined by commas.
type record [][]byte

// layout is one of ethereum-etl's tables: its columns (several names where
// versions or data sets differ) and what a row states.
type layout struct {
	name     string
	kind     string     // "type" in its JSON lines
	columns  [][]string // alternatives, the first is ethereum-etl's own
	required int        // the first so many columns must be there
	not      string     // a column that another project's table of this name has
	row      func(*etl, record) error
	end      func(*etl) error // after the last row, or nil
}

// The columns that a layout's record holds, in order.
const (
	blkNumber = iota
	blkTime
	blkHash
	blkParent
	blkWithdrawals
)

const (
	txHash = iota
	txBlock
	txIndex
	txFrom
	txTo
	txValue
	txGas
	txGasPrice
	txTime
	txInput
	txUsed // from here on of the receipt, where the export joined it
	txStatus
	txPrice
	txCreated
	txBlobUsed
	txBlobPrice
	txL1Fee
)

const (
	rcHash = iota
	rcBlock
	rcIndex
	rcUsed
	rcStatus
	rcPrice
	rcCreated
	rcBlobUsed
	rcBlobPrice
	rcL1Fee
)

const (
	ttToken = iota
	ttFrom
	ttTo
	ttValue
	ttHash
	ttLog
	ttBlock
	ttTime
)

const (
	lgIndex = iota
	lgHash
	lgBlock
	lgAddress
	lgData
	lgTopics
	lgTxIndex
	lgTime
)

const (
	trBlock = iota
	trHash
	trFrom
	trTo
	trValue
	trType
	trAddress
	trIndex
	trCall
	trReward
	trError
	trStatus
	trInput
	trTime
)

const (
	tkAddress = iota
	tkSymbol
	tkDecimals
)

// layouts are the tables that move something or help to read those that do. A
// table is recognised by its required columns; the first that fits is taken.
func layouts() []*layout {
	one := func(names ...string) (out [][]string) {
		for _, n := range names {
			out = append(out, []string{n})
		}
		return out
	}
	return []*layout{
		{
			name: "token_transfers", kind: "token_transfer", required: 7, row: (*etl).tokenTransfer,
			columns: one("token_address", "from_address", "to_address", "value", "transaction_hash", "log_index", "block_number", "block_timestamp"),
		},
		{
			name: "traces", kind: "trace", required: 7, row: (*etl).frame, end: (*etl).endTransaction,
			columns: one("block_number", "transaction_hash", "from_address", "to_address", "value", "trace_type", "trace_address",
				"transaction_index", "call_type", "reward_type", "error", "status", "input", "block_timestamp"),
		},
		{
			name: "transactions", kind: "transaction", required: 8, row: (*etl).transaction,
			columns: append(one("hash", "block_number", "transaction_index", "from_address", "to_address", "value", "gas", "gas_price", "block_timestamp", "input"),
				one("receipt_gas_used", "receipt_status", "receipt_effective_gas_price", "receipt_contract_address", "receipt_blob_gas_used", "receipt_blob_gas_price", "receipt_l1_fee")...),
		},
		{
			name: "receipts", kind: "receipt", required: 5, row: (*etl).receipt,
			columns: one("transaction_hash", "block_number", "transaction_index", "gas_used", "status",
				"effective_gas_price", "contract_address", "blob_gas_used", "blob_gas_price", "l1_fee"),
		},
		{
			name: "logs", kind: "log", required: 6, row: (*etl).log,
			columns: one("log_index", "transaction_hash", "block_number", "address", "data", "topics", "transaction_index", "block_timestamp"),
		},
		{
			name: "blocks", kind: "block", required: 4, not: "merkle_root", row: (*etl).block, // bitcoin-etl's
			columns: one("number", "timestamp", "hash", "parent_hash", "withdrawals"),
		},
		{
			name: "tokens", kind: "token", required: 3, row: (*etl).token,
			columns: one("address", "symbol", "decimals"),
		},
	}
}
