package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"bongsu/errs"
	"bongsu/identity"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"
)

// logState is a log as one transaction sees and changes it.
type logState struct {
	row   int64 // logs.id
	org   identity.OrgID
	name  string
	tree  tree
	time  time.Time // of the newest entry or checkpoint
	dirty bool
}

func (l *logState) size() uint64 { return uint64(l.tree.size) }

// loadLog reads a log; nil when there is none.
func loadLog(ctx context.Context, st StoreTx, org identity.OrgID, name string) (*logState, error) {
	l := &logState{org: org, name: name}
	var size, micros int64
	var edge []byte
	err := st.QueryRow(ctx, "SELECT id, size, time, edge FROM logs WHERE org=? AND name=?", string(org), name).Scan(&l.row, &size, &micros, &edge)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l.time = time.UnixMicro(micros).UTC()
	if l.tree, err = unpackTree(size, edge); err != nil {
		return nil, errs.Wrap("journal", origin(org, name), err)
	}
	return l, nil
}

func makeLog(ctx context.Context, st StoreTx, org identity.OrgID, name string) (*logState, error) {
	l := &logState{org: org, name: name, tree: tree{edge: map[int64]tlog.Hash{}}, time: time.UnixMicro(0).UTC()}
	err := st.QueryRow(ctx, "INSERT INTO logs (org, name, size, time, edge) VALUES (?, ?, 0, 0, ?) RETURNING id", string(org), name, []byte{}).Scan(&l.row)
	return l, err
}

// insertLeaf appends an entry and its hashes to a log.
func insertLeaf(ctx context.Context, st StoreTx, l *logState, e Entry, env []byte) error {
	if err := st.Exec(ctx, "INSERT INTO entries (log, seq, id, author, version, commitment, envelope) VALUES (?, ?, ?, ?, ?, ?, ?)",
		l.row, l.tree.size, e.ID, string(e.Author), e.Version, e.Commit[:], env); err != nil {
		return err
	}
	pos, hashes, err := l.tree.add(leafHash(env))
	if err != nil {
		return err
	}
	for i, h := range hashes {
		if err := st.Exec(ctx, "INSERT INTO hashes (log, pos, hash) VALUES (?, ?, ?)", l.row, pos+int64(i), h[:]); err != nil {
			return err
		}
	}
	l.dirty = true
	return nil
}

func insertPayload(ctx context.Context, st StoreTx, c Commitment, salt Salt, payload []byte) error {
	return st.Exec(ctx, "INSERT INTO payloads (commitment, salt, payload) VALUES (?, ?, ?) ON CONFLICT (commitment) DO NOTHING", c[:], salt[:], payload)
}

// saveLog writes a changed log's state and its checkpoint.
func saveLog(ctx context.Context, st StoreTx, l *logState, note []byte) error {
	if err := st.Exec(ctx, "INSERT INTO checkpoints (log, size, note) VALUES (?, ?, ?) ON CONFLICT (log, size) DO NOTHING", l.row, l.tree.size, note); err != nil {
		return err
	}
	l.dirty = false
	return st.Exec(ctx, "UPDATE logs SET size=?, time=?, edge=? WHERE id=?", l.tree.size, l.time.UnixMicro(), l.tree.pack(), l.row)
}

// storedHashes reads a log's hashes from the table.
func storedHashes(ctx context.Context, st StoreTx, row int64) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, idx := range indexes {
			var b []byte
			if err := st.QueryRow(ctx, "SELECT hash FROM hashes WHERE log=? AND pos=?", row, idx).Scan(&b); err != nil {
				return nil, err
			}
			if len(b) != tlog.HashSize {
				return nil, errs.New("journal", errs.Corrupt, "", "a stored hash has the wrong length", "run bongsu journal check")
			}
			out[i] = tlog.Hash(b)
		}
		return out, nil
	})
}

const selectStatements = "SELECT e.envelope, p.salt, p.payload FROM entries e LEFT JOIN payloads p ON p.commitment = e.commitment "

// queryStatements runs a query that begins with selectStatements.
func queryStatements(ctx context.Context, st StoreTx, query string, args ...any) ([]Statement, error) {
	rows, err := st.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Statement
	for rows.Next() {
		var env, salt, payload []byte
		if err := rows.Scan(&env, &salt, &payload); err != nil {
			return nil, err
		}
		s, err := decodeStatement(env, salt, payload)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// decodeStatement reads a row, and holds the payload to its commitment: a
// changed one is never used. It trusts the envelope, which Check verifies.
func decodeStatement(env, salt, payload []byte) (Statement, error) {
	var w envelope
	var s Statement
	err := json.Unmarshal(env, &w)
	if err == nil {
		var why string
		if s.Entry, why = w.entry(); why != "" {
			err = errors.New(why)
		}
	}
	if err != nil {
		return s, &errs.Error{Op: "journal", Kind: errs.Corrupt, Where: w.ID, Why: "a stored envelope cannot be read", Hint: "run bongsu journal check", Err: err}
	}
	if payload == nil {
		s.Erased = true
		return s, nil
	}
	if len(salt) != len(s.Salt) {
		return s, errs.New("journal", errs.Corrupt, s.ID, "a stored salt has the wrong length", "run bongsu journal check")
	}
	s.Salt, s.Payload = Salt(salt), payload
	if Commit(s.Salt, payload) != s.Commit {
		return s, errs.New("journal", errs.Corrupt, fmt.Sprintf("entry %s/%d (%s)", s.Log, s.Seq, s.ID), "its payload or salt was changed", "run bongsu journal check, and restore the journal from a backup")
	}
	return s, nil
}

func statementsFrom(ctx context.Context, st StoreTx, row int64, from uint64, limit int) ([]Statement, error) {
	return queryStatements(ctx, st, selectStatements+"WHERE e.log=? AND e.seq>=? ORDER BY e.seq LIMIT ?", row, int64(from), limit)
}
