package ledger

import (
	"encoding/binary"
	"sort"

	"bongsu/chain"
)

// segmentInfo is what a segment's sheets and the manifest say of it.
type segmentInfo struct {
	Number       uint64   `json:"number"` // names its files
	Chain        chain.ID `json:"chain"`
	From         uint64   `json:"from"` // the first block known in it
	To           uint64   `json:"to"`   // the last; no other segment of the chain holds a block between
	Rows         uint64   `json:"rows"`
	Txs          uint64   `json:"txs"`
	Blocks       uint64   `json:"blocks"`
	Untimed      uint64   `json:"untimed"` // rows whose block has no time
	FirstTime    int64    `json:"first_time"`
	LastTime     int64    `json:"last_time"`
	Carry        int64    `json:"carry"`         // the time of its last timed block
	FirstAccount uint64   `json:"first_account"` // the bitmap of accounts begins here
	Accounts     uint64   `json:"accounts"`
	AssetBits    uint     `json:"asset_bits"`
	TxShift      uint     `json:"tx_shift"` // buckets of the transaction lookup
	Bytes        int64    `json:"bytes"`    // all three files
	HashBytes    int64    `json:"hash_bytes"`
	Coins        uint64   `json:"coins,omitempty"`   // transactions with inputs and outputs
	Inputs       uint64   `json:"inputs,omitempty"`  // theirs
	Outputs      uint64   `json:"outputs,omitempty"` // likewise
}

// A segment is a range of one chain's blocks with everything in them, in three
// sheets: rows, transactions, and the index. FORMAT.md draws them.
type segment struct {
	segmentInfo
	number         uint64
	chain          ChainRef
	idLen          int
	rows, txs, idx *sheet

	rowData, txData                []byte // blocks of rows, of transactions
	rowAt, txAt                    starts // where each begins; transactions' tag is how many bytes an index takes
	blocks, hashes, common         []byte
	dir                            directory // of accounts' rows
	marks, skips, balances         []byte
	txBuckets, txOrder             []byte
	extraAt, extras                []byte
	blockCount, hashCount, extraNo int
	rowPages, txPages              region
	extraPages, hashPages          region
	bucketPages, orderPages        region
	coins                          *coins // nil: no transaction has inputs and outputs

	// As one manifest has it:
	place  uint64     // among all its segments
	before chain.Time // of the last timed block in the chain's segments before
}

const (
	blockEntry = 24
	hashEntry  = 4 + 64
	extraEntry = 4 + 8
)

func segmentFile(number uint64, part string) string {
	return "segment-" + pad8(number) + "." + part
}

func pad8(n uint64) string {
	var b [20]byte
	i := len(b)
	for n > 0 || i > len(b)-8 {
		i--
		b[i] = '0' + byte(n%10)
		n /= 10
	}
	return string(b[i:])
}

// parts are the kinds of files that the segment has.
func (i *segmentInfo) parts() []string {
	if i.Coins == 0 {
		return []string{"rows", "txs", "idx"}
	}
	return []string{"rows", "txs", "idx", "utxo"}
}

// openSegment maps a segment's sheets.
func openSegment(dir string, number uint64) (*segment, error) {
	s, err := openSheets(dir, number)
	if err != nil || s.Coins == 0 {
		return s, err
	}
	return s, s.attachCoins(dir)
}

// openSheets maps the three sheets that every segment has.
func openSheets(dir string, number uint64) (*segment, error) {
	s := &segment{number: number}
	var err error
	var again segmentInfo
	for _, part := range []struct {
		to   **sheet
		name string
	}{{&s.rows, "rows"}, {&s.txs, "txs"}, {&s.idx, "idx"}} {
		name := segmentFile(number, part.name)
		path := dir + "/" + name
		if *part.to, err = openSheet(path, name, &again); err != nil {
			return nil, err
		}
		if again.Number != number {
			return nil, corruptSheet(path, "it belongs to another segment")
		}
		s.segmentInfo = again
	}
	return s, s.attach(dir)
}

// sheets are its open files.
func (s *segment) sheets() []*sheet {
	list := []*sheet{s.rows, s.txs, s.idx}
	if s.coins != nil {
		list = append(list, s.coins.sheet)
	}
	return list
}

// attach finds the sections and checks that they are as long as they must be.
func (s *segment) attach(dir string) error {
	s.attachRows()
	x := s.idx
	s.blocks, s.hashes, s.common = x.section("blocks"), x.section("hashes"), x.section("common")
	s.marks, s.skips, s.balances = x.section("marks"), x.section("skips"), x.section("balances")
	s.txBuckets, s.txOrder = x.section("txbuckets"), x.section("txorder")
	s.extraAt, s.extras = x.section("extraat"), x.section("extras")
	for _, sec := range [][]byte{s.rowAt, s.txAt, s.blocks, s.hashes, s.marks, s.skips, s.balances, s.txBuckets, s.txOrder, s.extraAt} {
		if len(sec) < sheetSlack {
			return corruptSheet(dir+"/"+segmentFile(s.number, "idx"), "a section is missing")
		}
	}
	if err := s.dir.attach(s.FirstAccount, x.section); err != nil {
		return corruptSheet(dir+"/"+segmentFile(s.number, "idx"), err.Error())
	}
	s.blockCount = (len(s.blocks) - sheetSlack) / blockEntry
	s.hashCount = (len(s.hashes) - sheetSlack) / hashEntry
	s.extraNo = (len(s.extraAt) - sheetSlack) / extraEntry
	return s.verifySmall()
}

func (s *segment) attachRows() {
	s.chain = RefOfChain(s.Chain)
	s.idLen = idLen(s.Chain)
	s.rowData, s.rowAt = s.rows.section("rows"), s.rows.section("at")
	s.txData, s.txAt = s.txs.section("txs"), s.txs.section("at")
	s.rowPages, s.txPages = s.rows.region("rows"), s.txs.region("txs")
}

// idLen is how long a chain's transaction ids are.
func idLen(id chain.ID) int {
	if id == chain.Solana {
		return 64
	}
	return 32
}

// rowBlock opens the block that row n is in.
func (s *segment) rowBlock(n uint32, b *rowBlock) {
	at := s.rowAt.of(n / blockRows)
	if s.rowPages.fresh(at) {
		s.rowPages.verify(at)
	}
	b.parse(s.rowData[at:])
}

// row reads row n.
func (s *segment) row(n uint32, w *segmentRow) {
	var b rowBlock
	s.rowBlock(n, &b)
	b.row(int(n%blockRows), s.common, w)
}

// blockAt is the i-th block of the table, without its hashes.
func (s *segment) blockAt(i uint32) blockState {
	b := s.blocks[int(i)*blockEntry:]
	t := binary.LittleEndian.Uint64(b[8:])
	if t&1 == 0 {
		return blockState{number: binary.LittleEndian.Uint64(b)}
	}
	return blockState{number: binary.LittleEndian.Uint64(b), time: chain.Time(t >> 2), timed: true, header: t&2 != 0}
}

// carried is the time of the last timed block up to the i-th.
func (s *segment) carried(i uint32) chain.Time {
	if t := binary.LittleEndian.Uint64(s.blocks[int(i)*blockEntry+8:]) >> 2; t != 0 {
		return chain.Time(t)
	}
	return s.before
}

func (s *segment) blockNumber(i int) uint64 {
	return binary.LittleEndian.Uint64(s.blocks[i*blockEntry:])
}

// findBlock is the place of the first block that is not below number.
func (s *segment) findBlock(number uint64) int {
	if number < s.From {
		return 0
	}
	// Most ranges have all their blocks: then it stands where it is looked for.
	if i := number - s.From; i < uint64(s.blockCount) && s.blockNumber(int(i)) == number {
		return int(i)
	}
	return sort.Search(s.blockCount, func(i int) bool { return s.blockNumber(i) >= number })
}

// fullBlock is blockAt with the hashes.
func (s *segment) fullBlock(i uint32) blockState {
	st := s.blockAt(i)
	n := sort.Search(s.hashCount, func(k int) bool {
		s.hashPages.touch(uint64(k) * hashEntry)
		return binary.LittleEndian.Uint32(s.hashes[k*hashEntry:]) >= i
	})
	if n < s.hashCount && binary.LittleEndian.Uint32(s.hashes[n*hashEntry:]) == i {
		s.hashPages.touch(uint64(n) * hashEntry)
		copy(st.hash[:], s.hashes[n*hashEntry+4:])
		copy(st.parent[:], s.hashes[n*hashEntry+36:])
	}
	return st
}

// findID looks a transaction up by its id.
func (s *segment) findID(id chain.TxID) (uint32, bool) {
	var raw [64]byte
	b := id.AppendRaw(raw[:0])
	if len(b) != s.idLen || s.Txs == 0 {
		return 0, false
	}
	prefix := binary.BigEndian.Uint64(b)
	from, to := s.bucket(prefix)
	from, to = s.narrow(from, to, b)
	for ; from < to; from++ {
		if n, ok := s.maybe(from, prefix); ok && string(s.idBytes(n)) == string(b) {
			return n, true
		}
	}
	return 0, false
}

// firsts are the numbers of the first transaction and the first row at or
// behind the i-th block of the table.
func (s *segment) firsts(i int) (tx, row uint32) {
	if i >= s.blockCount {
		return uint32(s.Txs), uint32(s.Rows)
	}
	b := s.blocks[i*blockEntry+16:]
	return binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
}

// placeOf is the place in the table of blocks of transaction n's.
func (s *segment) placeOf(n uint32) uint32 {
	var t segmentTxn
	s.txn(n, &t, false)
	return t.block
}

// rowOf is the first of the rows [from, to) that is of transaction n or behind
// it, to if none is.
func (s *segment) rowOf(n, from, to uint32) uint32 {
	var b rowBlock
	return from + uint32(sort.Search(int(to-from), func(i int) bool {
		s.rowBlock(from+uint32(i), &b)
		return b.tx(int((from+uint32(i))%blockRows)) >= n
	}))
}

// firstRow is the number of the first row at or after transaction n.
func (s *segment) firstRow(n uint32) uint32 {
	if uint64(n) >= s.Txs {
		return uint32(s.Rows)
	}
	place := int(s.placeOf(n))
	_, from := s.firsts(place)
	_, to := s.firsts(place + 1)
	return s.rowOf(n, from, to)
}
