package journal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"bongsu/errs"
	"bongsu/identity"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	exportKind    = "bongsu statements with proofs"
	exportVersion = 1
	// MaxExport is the most bytes that Verify reads and Export writes.
	MaxExport = 64 << 20
	// MaxExported is the most statements of one exported document.
	MaxExported = 10_000
)

// exported is the document (FORMAT.md). Every member is bound by a signature,
// or by a hash that is.
type exported struct {
	Kind       string           `json:"kind"`
	V          int              `json:"v"`
	Statements []exportedOne    `json:"statements"`
	Orgs       []jsontext.Value `json:"organisations"` // canonical identity.Org documents, by id
}

// exportedOne is one statement. Stated is the author's own leaf; Received the
// exporter's, for what came from a partner.
type exportedOne struct {
	Payload  *string      `json:"payload,omitempty"` // exactly the bytes committed to; none when erased
	Salt     []byte       `json:"salt,omitempty"`
	Stated   proven       `json:"stated"`
	Received *proven      `json:"received,omitempty"`
	Erased   *exportedOne `json:"erased,omitempty"` // the tombstone, when there is no payload
}

// proven is a leaf, its inclusion proof and the checkpoint that it leads to.
type proven struct {
	Org        identity.OrgID `json:"organisation"` // whose log it is
	Envelope   jsontext.Value `json:"envelope"`
	Proof      [][]byte       `json:"proof"`
	Checkpoint string         `json:"checkpoint"`
}

// Export writes the newest versions of the objects (by STIX id, or
// "<log>/<seq>" for one entry of an own log) with their proofs as one JSON
// document that Verify reads offline. Each carries the first checkpoint that
// covered it, so its time of signing is that of its commit.
func (j *Journal) Export(ctx context.Context, ids []string) ([]byte, error) {
	if len(ids) == 0 || len(ids) > MaxExported {
		return nil, errs.New("journal export", errs.Usage, "", fmt.Sprintf("between 1 and %d statements can be exported at once", MaxExported), "name the statements' ids")
	}
	doc := exported{Kind: exportKind, V: exportVersion}
	err := j.Query(ctx, func(ctx context.Context, tx *Tx) error {
		x := &exporter{tx: tx, orgs: map[identity.OrgID]jsontext.Value{}}
		for _, id := range ids {
			s, err := x.find(ctx, id)
			if err != nil {
				return errs.Wrap("journal export", fmt.Sprintf("%.120s", id), err)
			}
			one, err := x.statement(ctx, s)
			if err != nil {
				return errs.Wrap("journal export", s.ID, err)
			}
			doc.Statements = append(doc.Statements, one)
		}
		doc.Orgs = x.documents()
		return nil
	})
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(doc)
	if err == nil && len(b) > MaxExport {
		return nil, errs.New("journal export", errs.Limit, "", fmt.Sprintf("more than %d bytes", MaxExport), "export fewer at once")
	}
	if err != nil {
		return nil, errs.Wrap("journal export", "", err)
	}
	b = append(b, '\n')
	// What leaves as proof must prove: a damaged journal shows here, not in
	// front of a court.
	if _, err := Verify(b, VerifyOptions{}); err != nil {
		return nil, &errs.Error{Op: "journal export", Kind: errs.Corrupt, Why: "what is stored does not prove it", Hint: "run bongsu journal check", Err: err}
	}
	return b, nil
}

type exporter struct {
	tx   *Tx
	orgs map[identity.OrgID]jsontext.Value
}

// find reads what an id or "<log>/<seq>" names.
func (x *exporter) find(ctx context.Context, id string) (Statement, error) {
	i := strings.LastIndexByte(id, '/')
	if i < 0 {
		return x.tx.Get(ctx, id)
	}
	seq, err := strconv.ParseUint(id[i+1:], 10, 52)
	if err != nil {
		return Statement{}, errs.New("journal", errs.Usage, "", "not a statement's id and not a position in a log", "write an id such as indicator--..., or journal/17")
	}
	found, err := x.tx.Read(ctx, id[:i], seq, 1)
	if err == nil && len(found) == 0 {
		err = errs.New("journal", errs.NotExist, "", "there is no such entry", "check the position")
	}
	if err != nil {
		return Statement{}, err
	}
	return found[0], nil
}

// statement collects what proves one.
func (x *exporter) statement(ctx context.Context, s Statement) (exportedOne, error) {
	var one exportedOne
	own, err := x.prove(ctx, x.tx.j.own, s.Log, s.Seq)
	if err != nil {
		return one, err
	}
	if s.From == nil {
		one.Stated = own
	} else {
		one.Received = &own
		if one.Stated, err = x.prove(ctx, s.From.Org, s.From.Log, s.From.Seq); err != nil {
			return one, err
		}
	}
	if !s.Erased {
		text := string(s.Payload)
		one.Payload, one.Salt = &text, s.Salt[:]
		return one, nil
	}
	tomb, err := x.tombstone(ctx, s)
	if err != nil {
		return one, err
	}
	e, err := x.statement(ctx, tomb)
	one.Erased = &e
	return one, err
}

// tombstone finds the entry that says that s was erased.
func (x *exporter) tombstone(ctx context.Context, s Statement) (Statement, error) {
	l, err := x.tx.log(ctx, x.tx.j.own, s.Log)
	if err != nil {
		return Statement{}, err
	}
	for from := s.Seq + 1; from < l.size(); {
		batch, err := statementsFrom(ctx, x.tx.st, l.row, from, catchUpBatch)
		if err != nil || len(batch) == 0 {
			return Statement{}, err
		}
		for _, t := range batch {
			if t.Act == Erase && tombstoneOf(t) == s.Commit {
				return t, nil
			}
		}
		from += uint64(len(batch))
	}
	return Statement{}, errs.New("journal", errs.Corrupt, s.ID, "its payload is missing, and no tombstone says that it was erased", "run bongsu journal check")
}

// prove reads one leaf with its proof in the first checkpoint that covers it.
func (x *exporter) prove(ctx context.Context, org identity.OrgID, log string, seq uint64) (proven, error) {
	l, err := x.tx.log(ctx, org, log)
	if err != nil {
		return proven{}, err
	}
	if l == nil {
		return proven{}, errs.New("journal", errs.Corrupt, origin(org, log), "the log is missing", "run bongsu journal check")
	}
	p := proven{Org: org, Proof: [][]byte{}}
	if err := x.org(ctx, org); err != nil {
		return p, err
	}
	var env []byte
	if err := x.tx.st.QueryRow(ctx, "SELECT envelope FROM entries WHERE log=? AND seq=?", l.row, int64(seq)).Scan(&env); err != nil {
		return p, err
	}
	size, note, err := x.covering(ctx, l, seq)
	if err != nil {
		return p, err
	}
	proof, err := tlog.ProveRecord(size, int64(seq), storedHashes(ctx, x.tx.st, l.row))
	if err != nil {
		return p, err
	}
	for _, h := range proof {
		p.Proof = append(p.Proof, h[:])
	}
	p.Envelope, p.Checkpoint = env, string(note)
	return p, nil
}

// covering is the first checkpoint that covers an entry and whose key held:
// one that was revoked later from before that time proves nothing any more,
// but a newer one signs the same entries.
func (x *exporter) covering(ctx context.Context, l *logState, seq uint64) (size int64, note []byte, err error) {
	org, err := identity.ParseOrg(x.orgs[l.org])
	if err != nil {
		return 0, nil, err
	}
	rows, err := x.tx.st.Query(ctx, "SELECT size, note FROM checkpoints WHERE log=? AND size>? ORDER BY size", l.row, int64(seq))
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&size, &note); err != nil {
			return 0, nil, err
		}
		if _, err = OpenCheckpoint(org, l.name, note); err == nil {
			return size, note, nil
		}
	}
	if rerr := rows.Err(); rerr != nil {
		return 0, nil, rerr
	}
	if err == nil {
		err = errs.New("journal", errs.Corrupt, origin(l.org, l.name), "no checkpoint covers the entry", "run bongsu journal check")
	}
	return 0, nil, err
}

// org adds an organisation's newest document.
func (x *exporter) org(ctx context.Context, id identity.OrgID) error {
	if _, ok := x.orgs[id]; ok {
		return nil
	}
	o, err := x.tx.OrgByID(ctx, id)
	if err != nil {
		return err
	}
	x.orgs[id], err = o.Marshal()
	return err
}

// documents lists the collected documents by id.
func (x *exporter) documents() []jsontext.Value {
	var out []jsontext.Value
	for _, id := range slices.Sorted(maps.Keys(x.orgs)) {
		out = append(out, x.orgs[id])
	}
	return out
}
