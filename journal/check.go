package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"bongsu/errs"
	"bongsu/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// Problem is one thing that Check found wrong.
type Problem struct {
	Log   string `json:"log"`   // log name, for a mirror "<OrgID>/<name>"; "" for what belongs to no log
	Seq   int64  `json:"seq"`   // the entry; -1 when it is not about one
	ID    string `json:"id"`    // the object's id, when known
	What  string `json:"what"`  // what is wrong, in a sentence
	Where string `json:"where"` // "entry journal/17 (indicator--...)"
}

// MaxProblems is how many problems one report lists.
const MaxProblems = 1000

// Report is what Check saw.
type Report struct {
	Logs        int
	Entries     uint64
	Payloads    uint64 // present and matching their commitments
	Erased      uint64 // absent, with their tombstones
	Withheld    uint64 // leaves of mirrors without payload: refused by us, or erased before they came
	Checkpoints uint64
	Superseded  uint64 // checkpoints by a key that was later revoked from before their time; newer ones cover the same entries
	Checkpoint  []byte // newest signed note of LogJournal
	Problems    []Problem
}

// Err is nil for a clean report, else errs.Corrupt naming the first problem.
func (r Report) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	p := r.Problems[0]
	why := p.What
	if n := len(r.Problems) - 1; n > 0 {
		why = fmt.Sprintf("%s (and %d more)", why, n)
	}
	return errs.New("journal check", errs.Corrupt, p.Where, why, "keep the file as evidence, and restore the journal from a backup")
}

// Check is CheckStore over this journal.
func (j *Journal) Check(ctx context.Context) (Report, error) { return CheckStore(ctx, j.store, j.own) }

// CheckStore recomputes every hash, tree, checkpoint, signature, certificate
// and commitment from what is stored of an organisation's journal, over one
// snapshot; it writes nothing, and does not need the journal to open.
// Problems are returned in the report; err is for what kept it from looking at
// all.
//
// What it cannot see from the file alone is a whole journal put back to an
// earlier state that was signed then, or a whole feed taken out with all its
// rows: that is seen by partners, who hold later checkpoints of their feeds.
func CheckStore(ctx context.Context, store Store, own identity.OrgID) (Report, error) {
	c := &checker{own: own, orgs: map[identity.OrgID]identity.Org{}}
	faults, err := store.Integrity(ctx)
	if err != nil {
		faults = append(faults, err.Error())
	}
	for _, f := range faults {
		c.problem("", -1, "", "the database file: "+f)
	}
	err = store.Read(ctx, func(st StoreTx) error {
		c.st = st
		for _, step := range []func(context.Context) error{c.checkOrgs, c.checkLogs, c.checkStrays, c.checkViews} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if ctx.Err() != nil {
		return c.report, errs.Wrap("journal check", "", ctx.Err())
	}
	if err != nil {
		c.problem("", -1, "", "the database cannot be read on: "+err.Error())
	}
	return c.report, nil
}

type checker struct {
	st     StoreTx
	own    identity.OrgID
	orgs   map[identity.OrgID]identity.Org
	report Report
}

func (c *checker) problem(log string, seq int64, id, what string) {
	p := Problem{Log: log, Seq: seq, ID: id, What: what, Where: "journal"}
	if log != "" {
		p.Where = "log " + log
	}
	if seq >= 0 {
		p.Where = fmt.Sprintf("entry %s/%d", log, seq)
		if id != "" {
			p.Where += " (" + id + ")"
		}
	}
	if len(c.report.Problems) < MaxProblems {
		c.report.Problems = append(c.report.Problems, p)
	}
}

// checkOrgs verifies every stored document and that each number adds to the
// one before.
func (c *checker) checkOrgs(ctx context.Context) error {
	rows, err := c.st.Query(ctx, "SELECT id, number, doc FROM orgs ORDER BY id, number")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var number int64
		var doc []byte
		if err := rows.Scan(&id, &number, &doc); err != nil {
			return err
		}
		o, err := identity.ParseOrg(doc)
		switch {
		case err != nil:
			c.problem("", -1, id, fmt.Sprintf("document %d of organisation %s: %v", number, id, err))
			continue
		case string(o.ID) != id || int64(o.Number) != number:
			c.problem("", -1, id, fmt.Sprintf("document %d of organisation %s is another one", number, id))
			continue
		}
		if old, ok := c.orgs[o.ID]; ok && !o.Supersedes(old) {
			c.problem("", -1, id, fmt.Sprintf("document %d of organisation %s unsays what an older one says", number, id))
		}
		c.orgs[o.ID] = o
	}
	if _, ok := c.orgs[c.own]; !ok {
		c.problem("", -1, string(c.own), "our own organisation's document is missing")
	}
	return rows.Err()
}

// logRow is a row of logs.
type logRow struct {
	id, size, micros int64
	org, name        string
	edge             []byte
}

// label names a log in problems.
func (c *checker) label(l logRow) string {
	if l.org == string(c.own) {
		return l.name
	}
	return l.org + "/" + l.name
}

func (c *checker) checkLogs(ctx context.Context) error {
	rows, err := c.st.Query(ctx, "SELECT id, org, name, size, time, edge FROM logs ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	var logs []logRow
	for rows.Next() {
		var l logRow
		if err := rows.Scan(&l.id, &l.org, &l.name, &l.size, &l.micros, &l.edge); err != nil {
			return err
		}
		logs = append(logs, l)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rows.Close()
	c.report.Logs = len(logs)
	for _, l := range logs {
		w := &logCheck{checker: c, row: l, name: c.label(l), tree: tree{edge: map[int64]tlog.Hash{}}, tombs: map[Commitment]bool{}}
		if err := w.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// checkStrays finds rows that belong to nothing.
func (c *checker) checkStrays(ctx context.Context) error {
	for _, q := range []struct{ query, what string }{
		{"SELECT count(*) FROM entries WHERE log NOT IN (SELECT id FROM logs)", "entries of no log"},
		{"SELECT count(*) FROM hashes WHERE log NOT IN (SELECT id FROM logs)", "hashes of no log"},
		{"SELECT count(*) FROM checkpoints WHERE log NOT IN (SELECT id FROM logs)", "checkpoints of no log"},
		{"SELECT count(*) FROM payloads WHERE commitment NOT IN (SELECT commitment FROM entries)", "payloads of no entry"},
		{"SELECT count(*) FROM logs l WHERE l.size > 0 AND NOT EXISTS (SELECT 1 FROM checkpoints c WHERE c.log = l.id AND c.size = l.size)", "logs whose newest state no checkpoint signs"},
	} {
		var n int64
		if err := c.st.QueryRow(ctx, q.query).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			c.problem("", -1, "", fmt.Sprintf("%d %s", n, q.what))
		}
	}
	var org string
	err := c.st.QueryRow(ctx, "SELECT value FROM meta WHERE key='org'").Scan(&org)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if org != string(c.own) {
		c.problem("", -1, "", "the journal names another organisation as its owner")
	}
	return nil
}

// checkViews finds views that claim to have seen what does not stand.
func (c *checker) checkViews(ctx context.Context) error {
	var n int64
	err := c.st.QueryRow(ctx, "SELECT count(*) FROM views WHERE applied > (SELECT coalesce(max(size), 0) FROM logs WHERE org=? AND name=?)", string(c.own), LogJournal).Scan(&n)
	if err == nil && n > 0 {
		c.problem("", -1, "", fmt.Sprintf("%d views have seen more statements than stand", n))
	}
	return err
}
