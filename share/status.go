package share

import (
	"context"
	"slices"
	"strings"
	"time"

	"bongsu/agreement"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
)

// latencySample is how many of the newest receipts a percentile is over.
const latencySample = 10_000

// Partners lists the partners by name.
func (s *Service) Partners(ctx context.Context) ([]Partner, error) {
	peers, err := s.peers(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Partner, len(peers))
	for i, p := range peers {
		list[i] = p.Partner
	}
	return list, nil
}

// everyPartner maps ids to partners, former ones included.
func (s *Service) everyPartner(ctx context.Context) (map[identity.OrgID]Partner, error) {
	all := map[identity.OrgID]Partner{}
	err := s.journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) error {
		rows, err := tx.Query(ctx, `SELECT org, name, fingerprint, address, since FROM share_partner`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p Partner
			var id string
			var since int64
			if err := rows.Scan(&id, &p.Name, &p.Fingerprint, &p.Address, &since); err != nil {
				return err
			}
			p.ID, p.Since = identity.OrgID(id), time.UnixMicro(since).UTC()
			all[p.ID] = p
		}
		return rows.Err()
	})
	return all, errs.Wrap("partners", "", err)
}

// Partner finds one partner by id, by name (whatever case), or by an
// unambiguous start of either.
func (s *Service) Partner(ctx context.Context, name string) (Partner, error) {
	p, err := s.findPeer(ctx, name)
	return p.Partner, err
}

func (s *Service) findPeer(ctx context.Context, name string) (peer, error) {
	peers, err := s.peers(ctx)
	if err != nil {
		return peer{}, err
	}
	var starts []peer
	low := strings.ToLower(strings.TrimSpace(name))
	for _, p := range peers {
		id := string(p.ID)
		if low == id || low == strings.ToLower(p.Name) {
			return p, nil
		}
		if low != "" && (strings.HasPrefix(id, low) || strings.HasPrefix(strings.TrimPrefix(id, "identity--"), low) || strings.HasPrefix(strings.ToLower(p.Name), low)) {
			starts = append(starts, p)
		}
	}
	switch {
	case len(starts) == 1:
		return starts[0], nil
	case len(starts) > 1:
		return peer{}, errs.New("partner", errs.Usage, printable(name), "that fits several partners", "give more of the name, or the id")
	}
	return peer{}, errs.New("partner", errs.NotExist, printable(name), "there is no such partner", "see the list of partners, or invite it")
}

// Leave ends a partnership: nothing passes any more in either direction. Its
// agreements stay as they are, without effect.
func (s *Service) Leave(ctx context.Context, partner, actor string) error {
	p, err := s.findPeer(ctx, partner)
	if err != nil {
		return err
	}
	document, err := p.org.Marshal()
	if err != nil {
		return err
	}
	err = s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
		now := s.clock().UTC()
		statement := stix.Partner{
			Common: stix.Common{Author: s.keys.ID(), Created: now, Modified: now, Revoked: true, Marking: stix.TLPAmberStrict},
			Org:    p.ID, Name: p.Name, Fingerprint: p.Fingerprint, Address: p.Address, Document: document,
		}
		return s.restate(ctx, tx, actor, &statement.Common, func() (stix.Object, error) { return statement.Object() })
	})
	s.poke()
	return errs.Wrap("leave partner", string(p.ID), err)
}

// Preview answers who would see a statement of this journal: one answer for
// each agreement, the most recent first. Nothing leaves.
func (s *Service) Preview(ctx context.Context, statement string) ([]Answer, error) {
	st, err := s.journal.Get(ctx, statement)
	if err != nil {
		return nil, err
	}
	answers, err := s.PreviewOf(ctx, statementOf(st.Entry))
	if err != nil {
		return nil, err
	}
	err = s.journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) error {
		for i := range answers {
			a := &answers[i]
			if a.Shared, err = s.view.sent(ctx, tx, a.Agreement, &st); err != nil {
				return err
			}
			if a.Decision.Allowed && len(st.Payload) > s.view.limit {
				a.Decision = agreement.Decision{Reason: TooLarge, Why: "it is larger than what is shared"}
			}
		}
		return nil
	})
	return answers, err
}

// PreviewOf is Preview for a statement that is not made yet: what `agreement
// test` asks.
func (s *Service) PreviewOf(ctx context.Context, st agreement.Statement) ([]Answer, error) {
	bundles, err := s.bundles(ctx)
	if err != nil {
		return nil, err
	}
	partners, err := s.everyPartner(ctx)
	if err != nil {
		return nil, err
	}
	list := []Answer{}
	for _, b := range bundles {
		a := Answer{Partner: partners[b.partner], Agreement: b.id, Title: b.ag.Title()}
		if b.gone {
			a.Decision = agreement.Decision{Reason: agreement.NotParty, Why: "the other party is no partner any more"}
		} else {
			a.Decision, a.Purpose = ask(b.ag, st, b.partner, st.TLP == stix.TLPRed, s.clock())
		}
		list = append(list, a)
	}
	return list, nil
}

// Status says for each partner what passed and what came back.
func (s *Service) Status(ctx context.Context) ([]Status, error) {
	peers, err := s.peers(ctx)
	if err != nil {
		return nil, err
	}
	bundles, err := s.bundles(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Status, len(peers))
	err = s.journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) error {
		for i, p := range peers {
			list[i] = Status{Partner: p.Partner, Reasons: map[agreement.Reason]int{}}
			for _, b := range bundles {
				if b.partner == p.ID {
					list[i].Agreements = append(list[i].Agreements, s.describe(b, p.Partner))
				}
			}
			if err := list[i].read(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range list {
		st := &list[i]
		if at, ok := s.seen[st.Partner.ID]; ok && at.After(st.LastSeen) {
			st.LastSeen = at.UTC()
		}
		if c := s.clocks[st.Partner.ID]; c.Measured {
			st.Clock = c
		}
		st.Fault = s.worstFault(st.Partner.ID)
	}
	return list, errs.Wrap("share status", "", err)
}

// worstFault is what disturbs a feed, else what disturbs the rest. s.mu is held.
func (s *Service) worstFault(partner identity.OrgID) string {
	var worst task
	why := ""
	for t, f := range s.faults {
		if t.partner == string(partner) && (why == "" || t.agreement > worst.agreement) {
			worst, why = t, f.text
		}
	}
	return why
}

// read fills in what the tables say.
func (st *Status) read(ctx context.Context, tx *journal.Tx) error {
	org := string(st.Partner.ID)
	const mine = ` agreement IN (SELECT id FROM share_agreement WHERE partner=?)`
	one := func(to any, query string, args ...any) error { return tx.QueryRow(ctx, query, args...).Scan(to) }
	err := one(&st.Shared, `SELECT count(*) FROM share_sent WHERE type<>? AND act='state' AND`+mine, stix.TypeReceipt, org)
	if err == nil {
		err = one(&st.Withheld, `SELECT count(DISTINCT seq) FROM share_withheld WHERE`+mine, org)
	}
	if err == nil {
		err = one(&st.Received, `SELECT count(*) FROM share_received WHERE org=? AND statement NOT LIKE 'bongsu-receipt--%'`, org)
	}
	if err == nil {
		err = one(&st.Unanswered, `SELECT count(*) FROM share_sent s WHERE type<>? AND act='state' AND`+mine+` AND NOT EXISTS
			(SELECT 1 FROM share_receipt r WHERE r.agreement=s.agreement AND r.pos=s.pos)`, stix.TypeReceipt, org)
	}
	var cosigned int64
	if err == nil {
		err = one(&cosigned, `SELECT coalesce(sum(size), 0) FROM share_cosigned WHERE`+mine, org)
		st.Cosigned = uint64(cosigned)
	}
	if err == nil {
		err = st.readGroups(ctx, tx, `SELECT reason, count(*) FROM share_withheld WHERE`+mine+` GROUP BY reason`, org, func(key string, n int) {
			st.Reasons[agreement.Reason(key)] = n
		})
	}
	if err == nil {
		err = st.readGroups(ctx, tx, `SELECT state, count(*) FROM share_receipt WHERE org=? GROUP BY state`, org, st.Receipts.set)
	}
	if err == nil {
		err = st.readSeen(ctx, tx, org)
	}
	if err == nil {
		err = st.readLatency(ctx, tx, org)
	}
	return err
}

func (c *Counts) set(state string, n int) {
	switch state {
	case stix.Arrived:
		c.Arrived = n
	case stix.Active:
		c.Active = n
	case stix.Acted:
		c.Acted = n
	case stix.Removed:
		c.Removed = n
	case stix.Refused:
		c.Refused = n
	}
}

func (st *Status) readGroups(ctx context.Context, tx *journal.Tx, query, org string, each func(string, int)) error {
	rows, err := tx.Query(ctx, query, org)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var n int
		if err := rows.Scan(&key, &n); err != nil {
			return err
		}
		each(key, n)
	}
	return rows.Err()
}

func (st *Status) readSeen(ctx context.Context, tx *journal.Tx, org string) error {
	var at, offset, uncertain int64
	if tx.QueryRow(ctx, `SELECT at, offset_us, uncertain_us FROM share_seen WHERE org=?`, org).Scan(&at, &offset, &uncertain) == nil {
		st.LastSeen = time.UnixMicro(at).UTC()
		st.Clock = Clock{time.Duration(offset) * time.Microsecond, time.Duration(uncertain) * time.Microsecond, uncertain > 0}
	}
	var last int64
	err := tx.QueryRow(ctx, `SELECT coalesce(max(at), 0) FROM share_received WHERE org=?`, org).Scan(&last)
	if t := time.UnixMicro(last).UTC(); last > 0 && t.After(st.LastSeen) {
		st.LastSeen = t
	}
	return err
}

func (st *Status) readLatency(ctx context.Context, tx *journal.Tx, org string) error {
	state := stix.Active
	if st.Receipts.Active == 0 {
		state = stix.Arrived
	}
	rows, err := tx.Query(ctx, `SELECT ms FROM share_receipt WHERE org=? AND state=? ORDER BY seq DESC LIMIT ?`, org, state, latencySample)
	if err != nil {
		return err
	}
	defer rows.Close()
	var list []float64
	for rows.Next() {
		var ms float64
		if err := rows.Scan(&ms); err != nil {
			return err
		}
		list = append(list, ms)
	}
	slices.Sort(list)
	st.P50, st.P99 = percentile(list, 50), percentile(list, 99)
	return rows.Err()
}

// percentile is the nearest-rank percentile of a sorted list; 0 of none.
func percentile(sorted []float64, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max((len(sorted)*p+99)/100-1, 0)]
}

// Receipts returns what partners said of one statement, oldest first.
func (s *Service) Receipts(ctx context.Context, statement string) ([]Receipt, error) {
	partners, err := s.everyPartner(ctx)
	if err != nil {
		return nil, err
	}
	list := []Receipt{}
	err = s.journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) error {
		rows, err := tx.Query(ctx, `SELECT org, statement, state, at, ms, reason FROM share_receipt WHERE statement=? ORDER BY at, seq`, statement)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r Receipt
			var org string
			var at int64
			if err := rows.Scan(&org, &r.Statement, &r.State, &at, &r.Ms, &r.Reason); err != nil {
				return err
			}
			r.Partner, r.At = partners[identity.OrgID(org)], time.UnixMicro(at).UTC()
			list = append(list, r)
		}
		return rows.Err()
	})
	return list, errs.Wrap("receipts", statement, err)
}
