package ledger

import "bongsu/chain"

// TxFact is what a source says of a transaction beside its movements: its
// place, and how it ended. Facts of several sources merge.
type TxFact struct {
	Chain chain.ID
	Tx    chain.TxID
	Block uint64 // chain.NoBlock when the source gives none
	Index uint32 // chain.NoIndex when the source gives none
	Time  chain.Time
	// HasTime says that Time is stated.
	HasTime bool
	Status  TxStatus
}

// TxStatus is how a transaction ended. Append only.
type TxStatus uint8

// The states. Failed wins over Succeeded when sources disagree, because a
// failed transaction moves nothing but its fee.
const (
	StatusUnknown TxStatus = iota
	StatusSucceeded
	StatusFailed
)

// BlockFact is a block's header as a source gives it.
type BlockFact struct {
	Chain        chain.ID
	Number       uint64
	Hash, Parent Hash // zero: not given
	Time         chain.Time
	HasTime      bool
}

// NoteFact attaches a call input or a log to a transaction; exactly one of
// Call and Log is set. A Block is evidence of the transaction's place, as a
// TxFact's is; a large import streams the notes that have one, or whose
// transaction the same Facts place, and keeps the others in memory.
type NoteFact struct {
	Chain    chain.ID
	Tx       chain.TxID
	Block    uint64 // with HasBlock
	HasBlock bool
	Call     *Call
	Log      *Log
}

// Claim says that an import holds every movement of these kinds in a range of
// blocks, both ends included.
type Claim struct {
	Chain    chain.ID
	From, To uint64
	What     Cover
}

// Facts is a batch of what a source says. The order inside does not matter.
//
// A transfer's own Block, Index and Time are evidence of its transaction's
// place and its block's time: it needs no TxFact or BlockFact beside it. A
// transfer with NoBlock and Time 0 and one with a Block and Time 0 are taken
// as without a time: ethereum-etl's token_transfers.
type Facts struct {
	Transfers []chain.Transfer
	Txs       []TxFact
	Blocks    []BlockFact
	Notes     []NoteFact
	UTXOs     []UTXOTx // Spender and Known inputs are filled in by the ledger where they can be
	Assets    []chain.AssetInfo
	Claims    []Claim
}

// LiveBlock is one new block with everything in it. It is complete for What.
type LiveBlock struct {
	Block BlockFact
	Facts Facts
	What  Cover
}

// Stats is what an import or a block changed. A transfer is counted in one of
// Added and AlreadyThere; those that gained a better place in Improved too.
type Stats struct {
	Added, AlreadyThere, Improved uint64
	Txs, Blocks, Accounts         uint64 // new ones
	Written                       uint64 // transfers written into segments, those again that were merged with what came
}
