package ledger

import (
	"bongsu/chain"
)

// A run is a part of a large import, in order of blocks and written aside, so
// that an import of any size needs the memory of one. Accounts and assets in it
// have the numbers of an epoch's tables. FORMAT.md draws it.

// runRows is how many movements, transactions or blocks a run gathers: few
// enough that sorting and writing one finds most of it in the processor's
// cache, and that a small import is not one run, written by one core while the
// other waits.
const runRows = 1 << 18

// runBuffer gathers the placed facts of one chain.
type runBuffer struct {
	id       chain.ID
	idLen    int
	accounts *accountTable
	first    uint32 // of the accounts that this run meets first
	other    int    // likewise, among the table's others
	asset0   int    // of the assets that this run meets first
	ids      []byte // of txs, idLen bytes each
	txs      []runTx
	rows     []runRow // by transaction
	memory   struct { // of ids, txs and rows, when there are many
		ids  table[byte]
		txs  table[runTx]
		rows table[runRow]
	}
	blocks []BlockFact
	extras encoder // of txs: inputs and outputs, notes
	batch  lookups
	sorter runSorter
}

// runTx is what one source said of a transaction at one place; the same may
// come again.
type runTx struct {
	block  uint64
	time   chain.Time
	first  uint32 // of its rows, which end where the next one's begin
	index  uint32
	status TxStatus
	extra  uint32 // where it is in extras, plus one; 0: none
}

type runRow struct {
	from, to     uint32 // account numbers plus one; 0 is no account
	asset        AssetRef
	nth          uint32
	ordinal, row uint32
	kind         chain.Kind
	amount       chain.Amount
}

// reset empties a buffer and keeps its memory.
func (r *runBuffer) reset(id chain.ID, accounts *accountTable) {
	r.id, r.idLen, r.accounts = id, idLen(id), accounts
	r.first, r.other, r.asset0 = accounts.count, len(accounts.others), len(accounts.assets.names)
	r.ids, r.txs, r.rows, r.blocks = r.ids[:0], r.txs[:0], r.rows[:0], r.blocks[:0]
	r.extras.b = r.extras.b[:0]
}

// prepare gets all the memory of a run at once when it is clear that it will be
// needed; growing bit by bit would copy it.
func (r *runBuffer) prepare() {
	const most = runRows + evmBatch
	if len(r.rows) > runRows>>5 && cap(r.rows) < runRows {
		r.rows = moved(r.rows, &r.memory.rows, most)
	}
	if len(r.txs) > runRows>>5 && cap(r.txs) < runRows {
		r.txs = moved(r.txs, &r.memory.txs, most)
		r.ids = moved(r.ids, &r.memory.ids, r.idLen*most)
	}
}

// moved is a list with room for most, in memory that into keeps.
func moved[T any](list []T, into *table[T], most int) []T {
	old := *into
	*into = newTable[T](most)
	list = append(into.list[:0], list...)
	old.free()
	return list
}

// free gives the memory back.
func (r *runBuffer) free() {
	r.ids, r.txs, r.rows = nil, nil, nil
	r.memory.ids.free()
	r.memory.txs.free()
	r.memory.rows.free()
}

func (r *runBuffer) full() bool {
	return len(r.rows) >= runRows || len(r.txs) >= runRows || len(r.blocks) >= runRows || len(r.extras.b) >= runExtras
}

func (r *runBuffer) empty() bool { return len(r.txs)+len(r.blocks) == 0 }

// account numbers from 1; 0 is no account.
func (r *runBuffer) account(a chain.Account) uint32 {
	if a.IsZero() {
		return 0
	}
	if a.Form() == chain.FormEVM && a.Chain() == r.id {
		var raw [64]byte
		return r.accounts.evm((*[20]byte)(a.AppendRaw(raw[:0]))) + 1
	}
	return r.accounts.other(a) + 1
}

// idOf is the id of transaction i of the buffer.
func (r *runBuffer) idOf(i uint32) []byte { return r.ids[int(i)*r.idLen : (int(i)+1)*r.idLen] }

// tx adds a transaction, to which the rows belong that follow; what is said
// again of the one added last is merged with it, others that are the same meet
// when the run is sorted.
func (r *runBuffer) tx(id []byte, t runTx) {
	if n := len(r.txs); n > 0 && r.txs[n-1].block == t.block && string(r.idOf(uint32(n-1))) == string(id) {
		last := &r.txs[n-1]
		last.index, last.status = min(last.index, t.index), max(last.status, t.status)
		if t.time != 0 && (last.time == 0 || t.time < last.time) {
			last.time = t.time
		}
		return
	}
	t.first = uint32(len(r.rows))
	r.txs = append(r.txs, t)
	r.ids = append(r.ids, id...)
}

func (r *runBuffer) transfer(t *chain.Transfer) {
	var raw [64]byte
	r.tx(t.Tx.AppendRaw(raw[:0]), runTx{block: t.Block, time: t.Time, index: t.Index})
	m := runRow{
		from: r.account(t.From), to: r.account(t.To), asset: r.accounts.assets.number(t.Asset),
		nth: t.Nth, ordinal: t.Ordinal, row: t.Row, kind: t.Kind, amount: t.Amount,
	}
	r.add(&m)
}

func (r *runBuffer) fact(t *TxFact) {
	var raw [64]byte
	at := chain.Time(0)
	if t.HasTime {
		at = t.Time
	}
	r.tx(t.Tx.AppendRaw(raw[:0]), runTx{block: t.Block, time: at, index: t.Index, status: t.Status})
}

func (r *runBuffer) add(m *runRow) {
	if m.ordinal != chain.NoOrdinal {
		m.row = 0 // the row only orders what has no ordinal
	}
	if m.kind == chain.KindNative || m.kind == chain.KindFee {
		m.nth = 0 // one for each transaction
	}
	r.rows = append(r.rows, *m)
}

// evm adds transfers, at most evmBatch of them.
func (r *runBuffer) evm(transfers []EVMTransfer) {
	assets, n := r.accounts.assets, 0
	native := assets.number(r.id.Native())
	for i := range transfers {
		t := &transfers[i]
		if !t.NoFrom {
			r.batch.keys[n] = &t.From
			n++
		}
		if !t.NoTo {
			r.batch.keys[n] = &t.To
			n++
		}
	}
	r.accounts.evms(&r.batch, n)
	numbers := r.batch.out[:n]
	for i := range transfers {
		t := &transfers[i]
		r.tx(t.Tx[:], runTx{block: t.Block, time: t.Time, index: t.Index})
		m := runRow{asset: native, nth: t.Nth, ordinal: t.Ordinal, row: t.Row, kind: t.Kind, amount: t.Amount}
		if t.Kind == chain.KindToken {
			m.asset = assets.token(r.id, &t.Contract)
		}
		if !t.NoFrom {
			m.from, numbers = numbers[0]+1, numbers[1:]
		}
		if !t.NoTo {
			m.to, numbers = numbers[0]+1, numbers[1:]
		}
		r.add(&m)
	}
}

// evmBatch is how many transfers evm takes: two accounts each.
const evmBatch = tableBatch / 2

// runInfo is kept of a run that lies on disk.
type runInfo struct {
	Name     string        `json:"name"`
	Chain    chain.ID      `json:"chain"`
	Epoch    int           `json:"epoch"` // the accountTable that numbers its accounts
	First    uint32        `json:"first"` // the number of the first that is listed in it
	New      int           `json:"new"`   // how many are
	From     uint64        `json:"from"`
	To       uint64        `json:"to"`
	Rows     uint64        `json:"rows"`
	Assets   []chain.Asset `json:"new_assets"` // that it names first, in the epoch's order
	AtBlocks int64         `json:"at_blocks"`  // where blocks begin; accounts come first
	Bytes    int64         `json:"bytes"`
}
