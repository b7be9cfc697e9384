package ledger

import (
	"context"

	"bongsu/chain"
)

// Reader answers questions about one unchanging state of a ledger. Every
// question takes many subjects at once, because a remote engine answers one
// round trip a batch. Answers stand in the order of the subjects. A Reader may
// be used by several goroutines; a subject that the ledger does not hold is
// answered with a zero, not an error. Close gives its resources back.
type Reader interface {
	// Version grows with every commit that this Reader can see.
	Version() uint64
	// Chains lists the chains that the ledger holds anything of, by name.
	Chains(ctx context.Context) ([]chain.ID, error)
	// Registry is what the ledger knows of assets. Read it only.
	Registry() *chain.Registry

	// AccountRefs, AssetRefs and TxRefs look names up; 0 is "not held".
	AccountRefs(ctx context.Context, accounts []chain.Account) ([]AccountRef, error)
	AssetRefs(ctx context.Context, assets []chain.Asset) ([]AssetRef, error)
	TxRefs(ctx context.Context, txs []Tx) ([]TxRef, error)
	// Accounts, Assets and Txs are their inverses.
	Accounts(ctx context.Context, refs []AccountRef) ([]chain.Account, error)
	Assets(ctx context.Context, refs []AssetRef) ([]chain.Asset, error)
	Txs(ctx context.Context, refs []TxRef) ([]Tx, error)

	// Activity fills into with one page for each query: the rows that touch
	// the account, in chain order (or from the latest with Reverse). A
	// transfer to oneself is one row.
	Activity(ctx context.Context, queries []Query, into *Pages) error
	// Transactions fills into with all rows of each transaction, in order.
	Transactions(ctx context.Context, refs []TxRef, into *Pages) error
	// Scan calls yield with the rows of a chain in chain order, a batch at a
	// time, after the place after and before the place until (zero: no bound).
	// The batch is reused. An error of yield ends the scan and is returned.
	Scan(ctx context.Context, id chain.ID, after, until Key, yield func([]Row) error) error

	// Balances answers with the running balance of each book before a place.
	Balances(ctx context.Context, queries []BalanceQuery) ([]Balance, error)
	// Degrees counts the rows that touch each account, all assets.
	Degrees(ctx context.Context, accounts []AccountRef) ([]Degree, error)

	// Coverage says what of a chain was imported.
	Coverage(ctx context.Context, id chain.ID) (Coverage, error)
	// Blocks looks blocks up by number; an unknown one has Known false.
	Blocks(ctx context.Context, id chain.ID, numbers []uint64) ([]Block, error)
	// BlockTxs lists the transactions that a source puts into the block, in
	// order: a coinbase first, then by index, those without one last, by id.
	// Nil when the ledger holds none. Transactions whose block is inferred and
	// rows without a transaction id are not among them.
	BlockTxs(ctx context.Context, id chain.ID, number uint64) ([]TxRef, error)

	// Notes returns the call inputs and logs kept of each transaction.
	Notes(ctx context.Context, refs []TxRef) ([]Notes, error)
	// UTXOs returns the inputs and outputs of each transaction of a UTXO
	// chain, every output with its spender; Outputs nil means not held.
	UTXOs(ctx context.Context, refs []TxRef) ([]UTXOTx, error)
	// OutputsOf lists for each query the outputs that pay the account, in
	// chain order. Asset, With and Direction of the query are ignored.
	OutputsOf(ctx context.Context, queries []Query) ([]OutputPage, error)

	Close() error
}

// Tx names a transaction.
type Tx struct {
	Chain chain.ID
	ID    chain.TxID
}

// Direction says which side of a row the account of a query stands on.
type Direction uint8

// The directions. Both includes transfers to oneself once.
const (
	Both Direction = iota
	In
	Out
)

// Query asks for the activity of an account.
type Query struct {
	Account   AccountRef
	Asset     AssetRef   // 0: every asset
	With      AccountRef // rows with this account on the other side; 0: any
	After     Key        // rows strictly after this place; zero: from the first
	Until     Key        // rows strictly before this place; zero: to the last
	Limit     int        // at most so many rows; 0: DefaultLimit
	Direction Direction
	Reverse   bool // from the latest row before Until back to the first after After
	// Brief: the rows may lack what only their transaction says: Index, Tx and
	// TxNext, TxRef and Rank. Such a page costs less, and one cannot go on from
	// its last row.
	Brief bool
}

// DefaultLimit is the page size of a query that names none; MaxLimit bounds one.
const (
	DefaultLimit = 1000
	MaxLimit     = 1_000_000
)

// Pages holds the answers to a batch of queries in two slices that are reused
// from one batch to the next.
type Pages struct {
	Rows []Row
	ends []int
	more []bool

	memory *gatherer // of the engine, for the next batch
}

// Reset empties p and keeps its memory.
func (p *Pages) Reset() { p.Rows, p.ends, p.more = p.Rows[:0], p.ends[:0], p.more[:0] }

// Len is the number of pages.
func (p *Pages) Len() int { return len(p.ends) }

// Page returns the rows of the i-th query and whether there are more beyond
// its limit; go on with After (or with Reverse, Until) set to the last row's Key.
func (p *Pages) Page(i int) (rows []Row, more bool) {
	start := 0
	if i > 0 {
		start = p.ends[i-1]
	}
	return p.Rows[start:p.ends[i]:p.ends[i]], p.more[i]
}

// EndPage closes the page whose rows were appended to Rows. For Readers.
func (p *Pages) EndPage(more bool) {
	p.ends, p.more = append(p.ends, len(p.Rows)), append(p.more, more)
}

// BalanceQuery asks for the balance of one book before a place.
type BalanceQuery struct {
	Account AccountRef
	Asset   AssetRef
	Before  Key // rows strictly before this place; zero: all rows
}

// Balance is a running balance: arrivals add, spends take, and a spend beyond
// the balance leaves zero.
type Balance struct {
	Amount chain.Amount
	// Exact says that nothing can be missing: the ledger holds every kind of
	// movement of the asset from the chain's first block to the place, without
	// a gap, and no spend went beyond the balance.
	Exact bool
	// Short says that some spend went beyond the balance, which proves that
	// the ledger lacks earlier arrivals; Below is how much these must have
	// been at least.
	Short bool
	Below chain.Amount
}

// Degree counts rows.
type Degree struct{ In, Out uint64 }

// Block is what is known of a block.
type Block struct {
	Number  uint64
	Hash    Hash // zero: unknown
	Parent  Hash // zero: unknown
	Time    chain.Time
	HasTime bool
	Known   bool // some source named it
	Final   bool
}

// Hash is a block hash as the chain prints it; the zero is unknown.
type Hash [32]byte

// Cover is a set of kinds of movement, for saying what an import was complete
// for.
type Cover uint8

// What a range can be complete for.
const (
	CoverNative   Cover = 1 << iota // transactions' own values
	CoverFees                       // receipts
	CoverInternal                   // traces
	CoverTokens                     // token transfer events
	CoverUTXO                       // whole transactions with inputs and outputs
	CoverAll      = CoverNative | CoverFees | CoverInternal | CoverTokens
)

// Range is a range of blocks, both ends included, and what it is complete for;
// What 0 means that rows were seen there and completeness was never claimed.
type Range struct {
	From, To uint64
	What     Cover
}

// Coverage is what a ledger holds of one chain.
type Coverage struct {
	Chain chain.ID
	// Ranges are disjoint, ascending, and adjacent ones differ in What.
	Ranges []Range
	// Gaps lie between the first and the last block held and were never
	// claimed complete for anything.
	Gaps                  []Range
	FirstBlock, LastBlock uint64 // of rows and claims with a stated block
	FirstTime, LastTime   chain.Time
	Rows                  uint64
	Txs                   uint64
	Noted                 uint64 // transactions of which call inputs or logs are kept
	Unplaced              uint64 // rows whose block is inferred from their time
	Untimed               uint64 // rows whose block's time no source gives
	Final                 uint64 // the last final block, when followed live
	Empty                 bool
}

// Complete says whether every block of [from, to] is complete for what.
func (c *Coverage) Complete(from, to uint64, what Cover) bool {
	for _, r := range c.Ranges {
		if r.To < from || r.What&what != what {
			continue
		}
		if r.From > from {
			return false
		}
		if r.To >= to {
			return true
		}
		from = r.To + 1
	}
	return false
}

// Needs is what a range must be complete for so that an asset's balances are.
func Needs(asset chain.Asset) Cover {
	switch id := asset.Chain(); {
	case id.UTXO():
		return CoverUTXO
	case asset == id.Native():
		return CoverNative | CoverFees | CoverInternal
	}
	return CoverTokens
}

// Notes are the call inputs and logs kept of one transaction: only those whose
// selector or topic a link rule knows.
type Notes struct {
	Calls []Call
	Logs  []Log
}

// Call is a call's input inside a transaction. Ordinal is as in
// chain.Transfer; the transaction's own call has ordinal 0.
type Call struct {
	Ordinal  uint32
	From, To chain.Account
	Input    []byte
}

// Log is an event. Topics[0] is the event's signature hash.
type Log struct {
	Index   uint32
	Address chain.Account
	Topics  []Hash
	Data    []byte
}

// OutPoint names an output.
type OutPoint struct {
	Tx    chain.TxID
	Index uint32
}

// UTXOTx is a transaction of a UTXO chain. Its fee is the inputs' sum less the
// outputs'; a coinbase has one input without a Prev.
type UTXOTx struct {
	Chain    chain.ID
	Tx       chain.TxID
	Block    uint64
	Index    uint32
	Time     chain.Time
	Coinbase bool
	Inputs   []UTXOIn
	Outputs  []UTXOOut
}

// UTXOIn is an input. Account and Value are known when the spent output is.
type UTXOIn struct {
	Prev    OutPoint
	Account chain.Account
	Value   chain.Amount
	Known   bool
}

// UTXOOut is an output. Data is the payload of an OP_RETURN output, whose
// Account is zero.
type UTXOOut struct {
	Account chain.Account
	Value   chain.Amount
	Data    []byte
	// Spender is the input that spends it; a zero Tx: unspent in this ledger.
	Spender OutPoint
}

// OutputPage is the answer to one query of OutputsOf.
type OutputPage struct {
	Outputs []AccountOutput
	More    bool
}

// AccountOutput is an output that pays an account, with its place.
type AccountOutput struct {
	Key     Key // Ordinal is the output's index
	Tx      TxRef
	Point   OutPoint
	Value   chain.Amount
	Spender OutPoint
}
