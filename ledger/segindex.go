package ledger

import (
	"encoding/binary"
	"path/filepath"
	"slices"
)

// index writes the third sheet from the first two.
func (w *segmentWriter) index() (int64, error) {
	s := &segment{segmentInfo: w.info, number: w.info.Number}
	var err error
	var about segmentInfo
	for part, to := range map[string]**sheet{"rows": &s.rows, "txs": &s.txs} {
		name := segmentFile(w.info.Number, part)
		if *to, err = openSheet(filepath.Join(w.dir, name), name, &about); err != nil {
			return 0, err
		}
	}
	s.attachRows()
	x, err := w.sheet("idx")
	if err != nil {
		return 0, err
	}
	x.begin("blocks")
	x.write(w.blocks)
	x.begin("hashes")
	x.write(w.hashes)
	x.begin("extraat")
	x.write(w.extraAt)
	x.begin("extras")
	x.write(w.extras)
	x.begin("common")
	for _, a := range w.rowEnc.common.list {
		s.common = appendAmount(s.common, a)
	}
	x.write(s.common)
	s.common = append(s.common, make([]byte, sheetSlack)...) // as readers have it
	var byID *txsByID
	both(func() { writePostings(s, x, w.accounts.words(), roundEntries) }, func() { byID = sortTxs(s, &w.idPrefixes) })
	w.idPrefixes.free()
	byID.write(x)
	s.rows.forget()
	s.txs.forget()
	w.info.Accounts = s.Accounts
	return x.close(&w.info)
}

func uint64Bytes(list []uint64) []byte {
	b := make([]byte, 8*len(list), 8*len(list)+sheetSlack)
	for i, v := range list {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
	return b
}

func uint32Bytes(list []uint32) []byte {
	b := make([]byte, 4*len(list), 4*len(list)+sheetSlack)
	for i, v := range list {
		binary.LittleEndian.PutUint32(b[4*i:], v)
	}
	return b
}

// listPiece is how many numbers are turned into bytes at once.
const listPiece = 1 << 13

func writeUint64s(w *sheetWriter, section string, list []uint64) {
	w.begin(section)
	for part := range slices.Chunk(list, listPiece) {
		w.write(uint64Bytes(part))
	}
}

func writeUint32s(w *sheetWriter, section string, list []uint32) {
	w.begin(section)
	for part := range slices.Chunk(list, listPiece) {
		w.write(uint32Bytes(part))
	}
}
