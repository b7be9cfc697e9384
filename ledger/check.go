package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
)

// Damage is one finding of Check.
type Damage struct {
	File    string   `json:"file"`              // its name in the ledger's folder
	Segment string   `json:"segment,omitempty"` // the one hurt, if one is
	Chain   chain.ID `json:"chain,omitempty"`   // the range hurt: as narrow as the bytes tell
	From    uint64   `json:"from_block,omitempty"`
	To      uint64   `json:"to_block,omitempty"`
	What    string   `json:"what"` // what is wrong, for a person

	Segments []string `json:"segments,omitempty"` // those whose rows name accounts of a hurt dictionary
}

// CheckReport is what Check verified and found.
type CheckReport struct {
	Files, Bytes uint64
	Rows         uint64
	Damages      []Damage
}

// Check reads every byte of the ledger in dir and verifies it: checksums,
// order, references between files. It returns an error only when it could not
// look; what it found is in the report.
func Check(ctx context.Context, dir string) (CheckReport, error) {
	var rep CheckReport
	name := filepath.Join(dir, manifestName)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if lost := bereft(dir); errs.Is(lost) == errs.Corrupt {
			rep.damage(manifestName, lost)
			return rep, nil
		}
		return rep, errs.New("ledger check", errs.NotExist, dir, "there is no ledger here", "import something first, or name another folder with --data")
	}
	if err != nil {
		return rep, errs.Wrap("ledger check", name, err)
	}
	rep.Files, rep.Bytes = 1, uint64(len(data))
	m, err := decodeManifest(name, data)
	if err != nil {
		rep.damage(manifestName, err)
		return rep, nil
	}
	if err := rep.head(dir, m); err != nil {
		return rep, err
	}
	for _, n := range m.Dictionaries {
		rep.dictionary(dir, n, m.Segments)
	}
	rep.segments(ctx, dir, m)
	return rep, ctx.Err()
}

// wrongWith is an error's reason alone: what was being done, where, and the
// advice to check stand in the report already.
func wrongWith(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Why != "" {
		return e.Why
	}
	return err.Error()
}

func (rep *CheckReport) damage(file string, err error) {
	rep.Damages = append(rep.Damages, Damage{File: file, What: wrongWith(err)})
}

// head verifies the head log: both slots, every record, nothing behind them.
func (rep *CheckReport) head(dir string, m *manifest) error {
	f, err := osDisk{}.open(filepath.Join(dir, m.Head), false)
	if err != nil {
		if os.IsNotExist(err) || errs.Is(err) == errs.Other {
			rep.damage(m.Head, err)
			return nil
		}
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return errs.Wrap("ledger check", m.Head, err)
	}
	rep.Files, rep.Bytes = rep.Files+1, rep.Bytes+uint64(info.Size())
	log, err := openHead(f, m.Head, m.HeadGen)
	if err != nil {
		rep.damage(m.Head, err)
		return nil
	}
	if _, _, bad, _ := log.readSlots(); bad > 0 {
		rep.damage(m.Head, fmt.Errorf("one of its two commit slots is damaged"))
	}
	if err := rep.padding(log); err != nil {
		rep.damage(m.Head, err)
	}
	err = log.read(headData, m.HeadSeq, func(r *record) error {
		if r.facts != nil {
			rep.Rows += uint64(len(r.facts.Transfers))
		}
		return nil
	})
	if err != nil {
		rep.damage(m.Head, err)
	}
	return nil
}

// padding verifies that the bytes around the slots are zero.
func (rep *CheckReport) padding(log *headLog) error {
	b := make([]byte, headData)
	if _, err := log.f.ReadAt(b, 0); err != nil {
		return errs.Wrap("ledger check", log.name, err)
	}
	clear(b[:len(headMagic)])
	clear(b[headSlots : headSlots+slotLen])
	clear(b[headSlots+headSector : headSlots+headSector+slotLen])
	for i, c := range b {
		if c != 0 {
			return fmt.Errorf("byte %d of its first block should be zero", i)
		}
	}
	return nil
}

// sheet opens a sheet's file and counts it.
func (rep *CheckReport) sheet(dir, name string, about any) (*sheet, error) {
	s, err := openSheet(filepath.Join(dir, name), name, about)
	if err != nil {
		return nil, err
	}
	rep.Files, rep.Bytes = rep.Files+1, rep.Bytes+uint64(len(s.data))
	return s, nil
}

// wrong is what is wrong with a stretch.
func (s stretch) wrong(where string) error {
	return fmt.Errorf("bytes %d to %d are not what was written (%s)", s.from, s.to-1, where)
}

// segments verifies the segments' bytes, then what they say of one another.
func (rep *CheckReport) segments(ctx context.Context, dir string, m *manifest) {
	last := map[chain.ID]segmentInfo{}
	for _, info := range m.Segments {
		if ctx.Err() != nil {
			return
		}
		if prev, ok := last[info.Chain]; ok && info.From <= prev.To {
			rep.hurt(manifestName, &info, "its range meets that of segment "+pad8(prev.Number))
		}
		last[info.Chain] = info
		rep.Rows += info.Rows
		if rep.bytes(dir, &info) {
			rep.contents(dir, &info)
		}
	}
}

// bytes verifies every byte of a segment's files and says whether all are good.
func (rep *CheckReport) bytes(dir string, info *segmentInfo) bool {
	before := len(rep.Damages)
	x := &extent{info: info, sheets: map[string]*sheet{}, hurt: map[string][]bool{}}
	for _, part := range info.parts() {
		name := segmentFile(info.Number, part)
		s, err := rep.sheet(dir, name, &struct{}{})
		if err != nil {
			rep.hurt(name, info, wrongWith(err))
			continue
		}
		x.sheets[part], x.hurt[part] = s, s.hurtPages()
	}
	for _, part := range info.parts() {
		for _, hurt := range x.stretches(part) {
			names, from, to := x.of(part, hurt)
			where := hurt.wrong("section " + strings.Join(names, ", "))
			rep.Damages = append(rep.Damages, Damage{
				File: segmentFile(info.Number, part), Segment: pad8(info.Number), Chain: info.Chain, From: from, To: to, What: where.Error(),
			})
		}
	}
	return len(rep.Damages) == before
}

func (rep *CheckReport) hurt(file string, info *segmentInfo, what string) {
	rep.Damages = append(rep.Damages, Damage{
		File: file, Segment: pad8(info.Number), Chain: info.Chain, From: info.From, To: info.To, What: what,
	})
}

// contents verifies order and references inside a segment whose bytes are
// those that were written.
func (rep *CheckReport) contents(dir string, info *segmentInfo) {
	s, err := openSegment(dir, info.Number)
	if err == nil {
		err = s.consistent()
	}
	if err == nil && (s.Rows != info.Rows || s.Txs != info.Txs || s.Chain != info.Chain || s.Coins != info.Coins) {
		err = fmt.Errorf("the manifest and the segment disagree about its contents")
	}
	if err != nil {
		rep.hurt(segmentFile(info.Number, "idx"), info, wrongWith(err))
	}
}

// consistent walks the segment once: blocks ascend, transactions belong to
// them in order, each is found by its id, each row belongs to a transaction.
func (s *segment) consistent() (err error) {
	defer func() { caught(recover(), &err) }()
	for i := 1; i < s.blockCount; i++ {
		if s.blockNumber(i) <= s.blockNumber(i-1) {
			return fmt.Errorf("blocks %d and %d are out of order", s.blockNumber(i-1), s.blockNumber(i))
		}
	}
	var t, prev segmentTxn
	for n := range uint32(s.Txs) {
		s.txn(n, &t, true)
		if int(t.block) >= s.blockCount || n > 0 && (t.block < prev.block || t.block == prev.block && t.index < prev.index) {
			return fmt.Errorf("transaction %d is out of order", n)
		}
		if found, ok := s.findID(t.id); !ok || found != n {
			return fmt.Errorf("transaction %d is not found by its id", n)
		}
		prev = t
	}
	if s.coins != nil {
		if err := s.coins.consistent(s); err != nil {
			return err
		}
	}
	return s.consistentRows()
}

func (s *segment) consistentRows() error {
	var w segmentRow
	touched := uint64(0)
	last := uint32(0)
	for n := range uint32(s.Rows) {
		if s.row(n, &w); w.tx < last || uint64(w.tx) >= s.Txs {
			return fmt.Errorf("row %d is out of order", n)
		}
		last = w.tx
		for _, a := range [2]AccountRef{w.from, w.to} {
			if _, ok := s.dir.place(a); a != 0 && !ok {
				return fmt.Errorf("row %d touches an account that the index lacks", n)
			}
		}
		if w.from != 0 {
			touched++
		}
		if w.to != 0 && w.to != w.from {
			touched++
		}
	}
	return s.consistentBooks(touched)
}

// consistentBooks counts the postings and reads those of every account.
func (s *segment) consistentBooks(touched uint64) error {
	total := uint64(0)
	var buf [bigBook]uint32
	for a := range s.dir.accounts() {
		var bad error
		books, _ := s.booksOf(a)
		b := books.all()
		total += uint64(b.count)
		for j := range b.chunks() {
			for _, n := range b.chunk(j, &buf) {
				if uint64(n) >= s.Rows {
					bad = fmt.Errorf("account %d points behind the last row", a)
				}
			}
		}
		if placed := books.placed(); bad == nil && placed != b.count {
			bad = fmt.Errorf("account %d has %d rows and books of %d", a, b.count, placed)
		}
		if bad != nil {
			return bad
		}
	}
	if total != touched {
		return fmt.Errorf("the index holds %d entries where the rows call for %d", total, touched)
	}
	return nil
}
