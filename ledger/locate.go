package ledger

// Finding a row takes four reads that wait for one another: where its block
// begins, the block's header, the row's record, its transaction and block. A
// step does one of them for a few rows and asks the memory for what the next
// one reads; meanwhile the other steps work on rows whose bytes have come. So
// the processor works while the memory does.
//
// Lines of memory (64 bytes) that one row takes, most of them far away: where
// its block begins 1, header 2 or 3, record 1 or 2, where its transaction
// begins 1, the transaction 1 or 2, its block 1. An account takes 3 or 4 beside
// that in each segment: bitmap, lengths, its list (directory.go).

// gathered is a row to be read.
type gathered struct {
	s     *segment
	block uint64 // where its block begins
	row   uint32
	at    uint32 // bits from there to its record
	tx    uint32 // its transaction
	place uint32 // of its block in the segment's table
}

// stepRows is how many rows a step takes, and stepLag how many others it works on
// until the next step takes these: what the memory brings meanwhile. More at
// once pay where a ledger is large and addresses are long in looking up, until
// the first level's cache loses what it was brought.
const (
	stepRows = 8
	stepLag  = 8
)

const (
	blockAhead  = 1024 // likewise a block of rows
	recordAhead = 12   // likewise a record
	idAhead     = 18   // of a transaction a row needs its index and 16 bytes of its id
)

// stepOf is the rows from i on that a step takes: none below the first and
// behind the last.
func stepOf(rows []gathered, i int) []gathered {
	return rows[min(max(i, 0), len(rows)):min(max(i+stepRows, 0), len(rows))]
}

// locate finds the records of rows.
func (g *gatherer) locate(rows []gathered) {
	g.fetches.now()
	for i := -stepLag; i < len(rows); i += stepRows {
		locateBlocks(stepOf(rows, i+stepLag))
		locateRecords(stepOf(rows, i), false)
	}
}

// march locates rows, with their transactions and blocks, as they are asked
// for, so that the memory works while they are written.
type march struct {
	g    *gatherer
	rows []gathered
	next int // the last step's next row
}

func (g *gatherer) march(rows []gathered) march {
	g.fetches.now()
	return march{g: g, rows: rows, next: -2 * stepLag}
}

// to locates the rows up to the n-th.
func (m *march) to(n int) {
	for m.next <= n+stepLag && m.next < len(m.rows) {
		locateBlocks(stepOf(m.rows, m.next+2*stepLag))
		locateRecords(stepOf(m.rows, m.next+stepLag), !m.g.brief)
		m.g.locateTxs(stepOf(m.rows, m.next))
		m.next += stepRows
	}
}

// locateBlocks finds the blocks of a step's rows and fetches their headers.
func locateBlocks(rows []gathered) {
	var headers [stepRows]*byte
	for i := range rows {
		r := &rows[i]
		if uint64(r.row) >= r.s.Rows {
			panic(damage("an account's list goes beyond the last row"))
		}
		r.block = r.s.rowAt.of(r.row / blockRows)
		if r.s.rows.larger {
			r.s.rowPages.demand(r.block, blockAhead)
		}
		headers[i%stepRows] = &r.s.rowData[r.block]
	}
	prefetchAll(headers[:len(rows)], rowHeader-1)
}

// locateRecords finds the records of a step's rows and fetches them. With txs it fetches
// as well where their transactions begin; in most blocks the header tells the
// transaction.
func locateRecords(rows []gathered, txs bool) {
	var b rowBlock
	var records [stepRows]*byte
	var begin fetches
	for i := range rows {
		r := &rows[i]
		if r.s.rowPages.fresh(r.block) {
			r.s.rowPages.verify(r.block)
		}
		b.parse(r.s.rowData[r.block:])
		n := int(r.row % blockRows)
		r.at = uint32(b.at(n))
		records[i%stepRows] = &r.s.rowData[r.block+uint64(r.at>>3)]
		if txs && b.h[hdrTx] == 0 {
			begin.add(r.s.txAt.line(b.tx(n) / blockTxs))
		}
	}
	prefetchAll(records[:len(rows)], recordAhead)
	begin.now()
}

// locateTxs finds the transactions and blocks of a step's rows whose records are found,
// and fetches them; no transactions when the rows are brief.
func (g *gatherer) locateTxs(rows []gathered) {
	var b rowBlock
	var blocks, txs [stepRows]*byte
	for i := range rows {
		r := &rows[i]
		b.parse(r.s.rowData[r.block:])
		n := int(r.row % blockRows)
		r.tx, r.place = b.tx(n), b.place(n, int(r.at))
		blocks[i%stepRows] = &r.s.blocks[int(r.place)*blockEntry]
		if g.brief {
			continue
		}
		begin, index := r.s.txAt.at(r.tx / blockTxs)
		record := uint64(index + r.s.idLen)
		at := begin + txHeader + uint64(r.tx%blockTxs)*record
		if r.s.txs.larger {
			r.s.txPages.demand(begin, at-begin+record)
		}
		txs[i%stepRows] = &r.s.txData[at]
	}
	prefetchAll(blocks[:len(rows)], blockEntry-1)
	if !g.brief {
		prefetchAll(txs[:len(rows)], idAhead-1)
	}
}
