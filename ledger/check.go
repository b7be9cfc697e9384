package ledger

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"bongsu/chain"
	"bongsu/errs"
)

// Damage is one finding of Check.
type Damage struct {
	File     string   // the file's name in the ledger's folder
	Segment  string   // the segment hurt, if one is
	Chain    chain.ID // the range hurt
	From, To uint64
	What     string // what is wrong, for a person
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
	return rep, ctx.Err()
}

func (rep *CheckReport) damage(file string, err error) {
	rep.Damages = append(rep.Damages, Damage{File: file, What: err.Error()})
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
