package share

import (
	"context"
	"math"
	"sync"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
)

const (
	receiptDelay = 50 * time.Millisecond // what happens within it goes out in one append
	receiptBatch = 1000                  // receipts of one append
	maxWaiting   = 1 << 20               // answers that wait to be written; more are dropped and, if arrivals, made up for at the next start
)

// answer is one receipt to write.
type answer struct {
	org       identity.OrgID
	feed      string
	pos       uint64
	statement string
	version   string
	state     string
	at        time.Time
	committed time.Time // by the author
	reason    string
	look      bool // feed, position and version are to be looked up by org and statement
}

// receiptQueue collects what is to be answered.
type receiptQueue struct {
	ready chan struct{} // capacity 1

	mu      sync.Mutex // owns the fields below
	waiting []answer
}

func newReceiptQueue() *receiptQueue {
	return &receiptQueue{ready: make(chan struct{}, 1)}
}

func (q *receiptQueue) add(a answer) {
	q.mu.Lock()
	if len(q.waiting) < maxWaiting {
		q.waiting = append(q.waiting, a)
	}
	q.mu.Unlock()
	wake(q.ready)
}

func (q *receiptQueue) drain(most int) (list []answer, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(most, len(q.waiting))
	list = append(list, q.waiting[:n]...)
	if q.waiting = q.waiting[n:]; len(q.waiting) == 0 {
		q.waiting = nil
	}
	return list, len(q.waiting) > 0
}

// Active tells the service that screening took a statement over, at now. Cheap
// and never blocking; the receipt goes out with the next ones. Statements that
// no partner sent are ignored. It is screen.Config.OnActive.
func (s *Service) Active(statement, author string) {
	if identity.OrgID(author) == s.keys.ID() {
		return
	}
	s.receipts.add(answer{org: identity.OrgID(author), statement: statement, state: stix.Active, at: s.clock(), look: true})
}

// Acted tells the partner who sent a statement what was done on it:
// stix.Acted (a deposit was stopped) or stix.Removed. It is written before it
// returns. errs.NotExist when that author sent no such statement.
func (s *Service) Acted(ctx context.Context, statement string, author identity.OrgID, state string) error {
	if state != stix.Acted && state != stix.Removed {
		return errs.New("receipt", errs.Usage, state, "not a state to report", "give acted or removed")
	}
	n, err := s.writeAnswers(ctx, []answer{{org: author, statement: statement, state: state, at: s.clock(), look: true}})
	if err == nil && n == 0 {
		err = errs.New("receipt", errs.NotExist, statement, "no such statement came from that partner, or it was answered so before", "")
	}
	return err
}

// writeReceipts writes what is to be answered, many in one append, until ctx
// ends. It first makes up for arrivals that an earlier run did not answer.
func (s *Service) writeReceipts(ctx context.Context) error {
	if err := s.makeUp(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("earlier arrivals could not be answered", "err", err)
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.receipts.ready:
		}
		timer := time.NewTimer(receiptDelay)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		for more := true; more; {
			var list []answer
			list, more = s.receipts.drain(receiptBatch)
			if _, err := s.writeAnswers(ctx, list); err != nil && ctx.Err() == nil {
				s.log.Error("receipts could not be written", "count", len(list), "err", err)
			}
		}
	}
}

// makeUp answers what arrived and was not answered before the node ended.
func (s *Service) makeUp(ctx context.Context) error {
	for {
		var list []answer
		err := s.journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) error {
			rows, err := tx.Query(ctx, `SELECT org, log, pos, statement, version, at, committed FROM share_received WHERE answered=0 LIMIT ?`, receiptBatch)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var org string
				var pos, at, committed int64
				a := answer{state: stix.Arrived}
				if err := rows.Scan(&org, &a.feed, &pos, &a.statement, &a.version, &at, &committed); err != nil {
					return err
				}
				a.org, a.pos, a.at = identity.OrgID(org), uint64(pos), time.UnixMicro(at).UTC()
				a.committed = time.UnixMicro(committed).UTC()
				list = append(list, a)
			}
			return rows.Err()
		})
		if err != nil || len(list) == 0 {
			return err
		}
		n, err := s.writeAnswers(ctx, list)
		if err != nil || n == 0 {
			return err
		}
	}
}

// writeAnswers appends receipts that were not given before, and says how many.
func (s *Service) writeAnswers(ctx context.Context, list []answer) (int, error) {
	if len(list) == 0 {
		return 0, nil
	}
	n := 0
	err := s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
		var drafts []journal.Draft
		given := map[string]bool{}
		for _, a := range list {
			d, ok, err := s.receipt(ctx, tx, a)
			if err != nil {
				return err
			}
			if ok && !given[d.Object.ID] {
				given[d.Object.ID] = true
				drafts = append(drafts, d)
			}
		}
		n = len(drafts)
		if n == 0 {
			return nil
		}
		_, err := tx.Append(ctx, drafts...)
		return err
	})
	if err != nil {
		return 0, errs.Wrap("receipt", "", err)
	}
	return n, nil
}

// receipt makes the statement of one answer; ok is false when it was given
// before or is about nothing that came from a partner.
func (s *Service) receipt(ctx context.Context, tx *journal.Tx, a answer) (d journal.Draft, ok bool, err error) {
	if a.look {
		var pos, committed int64
		row := tx.QueryRow(ctx, `SELECT log, pos, version, committed FROM share_received INDEXED BY share_received_statement WHERE org=? AND statement=? ORDER BY seq DESC LIMIT 1`, string(a.org), a.statement)
		if row.Scan(&a.feed, &pos, &a.version, &committed) != nil {
			return d, false, nil
		}
		a.pos = uint64(pos)
		a.committed = time.UnixMicro(committed).UTC()
	}
	var n int
	err = tx.QueryRow(ctx, `SELECT count(*) FROM share_answer WHERE log=? AND pos=? AND state=?`, a.feed, int64(a.pos), a.state).Scan(&n)
	if err != nil || n > 0 {
		return d, false, err
	}
	now := s.clock().UTC()
	r := stix.Receipt{
		Common:    stix.Common{Author: s.keys.ID(), Created: now, Modified: now, Marking: stix.TLPAmberStrict},
		Statement: a.statement, Version: a.version, Feed: a.feed, Position: a.pos, State: a.state,
		At: a.at.UTC(), CommittedAt: a.committed, Ms: s.elapsed(a.org, a.committed, a.at), Reason: printable(a.reason),
	}
	d.Object, err = r.Object()
	return d, err == nil, err
}

// elapsed is the time from a commit by the partner's clock to a moment of
// ours, in milliseconds, corrected by the measured difference of the clocks
// where that is more than the error of measuring it.
func (s *Service) elapsed(org identity.OrgID, committed, at time.Time) float64 {
	s.mu.Lock()
	c := s.clocks[org]
	s.mu.Unlock()
	d := at.Sub(committed)
	if c.Measured && c.Offset.Abs() > c.Uncertain {
		d += c.Offset
	}
	return math.Round(max(d.Seconds()*1000, 0)*1000) / 1000
}
