package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"

	"bongsu/errs"
)

// View is state derived from LogJournal and kept in the same transaction. It
// may also append to other logs (a feed), in that transaction.
//
// Every process that appends should open the journal with the same views; one
// that did not leaves them behind, and the next Open or Append that has them
// catches them up, each statement once.
type View interface {
	// Name prefixes its tables: "<name>_...". Lower-case letters and digits.
	Name() string
	// Version changes when the tables' form or meaning does; the view is then
	// dropped, created and applied from the first statement on. A view that
	// appends must find out by itself what it appended before.
	Version() int
	// Create makes the view's empty tables, dropping older ones.
	Create(ctx context.Context, tx *Tx) error
	// Apply takes statements of LogJournal in order of sequence, tombstones
	// (Act Erase) and received ones included.
	Apply(ctx context.Context, tx *Tx, statements []Statement) error
}

// catchUpBatch is how many statements a view that is behind takes at once.
const catchUpBatch = 1000

var viewName = regexp.MustCompile(`^[a-z][a-z0-9]{0,29}$`)

// prepareViews makes missing and outdated views anew and catches all up.
func (tx *Tx) prepareViews(ctx context.Context) error {
	seen := map[string]bool{}
	for _, v := range tx.j.opt.Views {
		if !viewName.MatchString(v.Name()) || seen[v.Name()] {
			return errs.New("journal", errs.Internal, v.Name(), "not a view's name, or one used twice", "")
		}
		seen[v.Name()] = true
		var version int
		err := tx.st.QueryRow(ctx, "SELECT version FROM views WHERE name=?", v.Name()).Scan(&version)
		if err == nil && version == v.Version() {
			continue
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := v.Create(ctx, tx); err != nil {
			return errs.Wrap("view", v.Name(), err)
		}
		if err := tx.st.Exec(ctx, "INSERT INTO views (name, version, applied) VALUES (?, ?, 0) ON CONFLICT (name) DO UPDATE SET version=excluded.version, applied=0",
			v.Name(), v.Version()); err != nil {
			return err
		}
	}
	return tx.catchUp(ctx)
}

// catchUp applies to each view what other processes appended without it.
func (tx *Tx) catchUp(ctx context.Context) error {
	if len(tx.j.opt.Views) == 0 {
		return nil
	}
	l, err := tx.log(ctx, tx.j.own, LogJournal)
	if err != nil {
		return err
	}
	// What views append meanwhile is beyond end, and reaches all of them by
	// finish.
	end := l.size()
	behind, err := tx.behind(ctx, end)
	if err != nil {
		return err
	}
	for _, v := range tx.j.opt.Views {
		for applied, ok := behind[v.Name()]; ok && applied < end; {
			batch, err := statementsFrom(ctx, tx.st, l.row, applied, int(min(catchUpBatch, end-applied)))
			if err != nil {
				return err
			}
			if len(batch) == 0 {
				return errs.New("journal", errs.Corrupt, fmt.Sprintf("journal/%d", applied), "the entry is missing", "run bongsu journal check")
			}
			if err := tx.apply(ctx, v, batch); err != nil {
				return err
			}
			applied += uint64(len(batch))
		}
	}
	return nil
}

// behind returns where the views stand that have not seen all of the journal.
func (tx *Tx) behind(ctx context.Context, size uint64) (map[string]uint64, error) {
	rows, err := tx.st.Query(ctx, "SELECT name, applied FROM views WHERE applied<?", int64(size))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]uint64{}
	for rows.Next() {
		var name string
		var applied int64
		if err := rows.Scan(&name, &applied); err != nil {
			return nil, err
		}
		out[name] = uint64(applied)
	}
	return out, rows.Err()
}

// applyViews gives fresh statements to every view.
func (tx *Tx) applyViews(ctx context.Context, fresh []Statement) error {
	for _, v := range tx.j.opt.Views {
		if err := tx.apply(ctx, v, fresh); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) apply(ctx context.Context, v View, batch []Statement) error {
	if err := v.Apply(ctx, tx, batch); err != nil {
		return errs.Wrap("view "+v.Name(), batch[0].ID, err)
	}
	return tx.st.Exec(ctx, "UPDATE views SET applied=? WHERE name=?", int64(batch[len(batch)-1].Seq)+1, v.Name())
}
