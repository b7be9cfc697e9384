package share

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"bongsu/agreement"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxSynced = 500 // agreements between two nodes that one exchange compares, the newest
	maxOpen   = 50  // proposals of one partner that wait for our signature
)

// syncBody is both the request and the answer of POST /sync: the sender's
// document, what it has, and those agreements that the other does not have so.
type syncBody struct {
	Org        jsontext.Value    `json:"organisation"`
	Have       map[string]string `json:"have"`       // hex SHA-256 of the bundle, by agreement id
	Agreements []string          `json:"agreements"` // bundles
}

// syncWith measures the clocks, then exchanges documents and agreements.
func (s *Service) syncWith(ctx context.Context, l *link) error {
	ctx, cancel := context.WithTimeout(ctx, 2*s.limits.RequestTime)
	defer cancel()
	if _, err := s.ping(ctx, l); err != nil {
		return err
	}
	mine, err := s.bundlesWith(ctx, l.peer.ID)
	if err != nil {
		return err
	}
	req, err := s.syncBody(mine, func(b storedBundle) bool { return !b.sent })
	if err != nil {
		return err
	}
	var answer syncBody
	if err := l.call(ctx, http.MethodPost, "/sync", req, &answer, s.limits.BodyBytes); err != nil {
		return err
	}
	return s.takeSync(ctx, l.peer, answer)
}

func (s *Service) syncOnce(ctx context.Context, p peer) error {
	l, err := s.link(p)
	if err != nil {
		return err
	}
	defer l.close()
	return s.syncWith(ctx, l)
}

func (s *Service) bundlesWith(ctx context.Context, partner identity.OrgID) ([]storedBundle, error) {
	all, err := s.bundles(ctx)
	if err != nil {
		return nil, err
	}
	var list []storedBundle
	for _, b := range all {
		if b.partner == partner && !b.gone && len(list) < maxSynced {
			list = append(list, b)
		}
	}
	return list, nil
}

// syncBody says what we have and brings what send picks, as far as it fits.
func (s *Service) syncBody(mine []storedBundle, send func(storedBundle) bool) (syncBody, error) {
	own, err := s.journal.Org().Marshal()
	if err != nil {
		return syncBody{}, err
	}
	out := syncBody{Org: own, Have: map[string]string{}, Agreements: []string{}}
	room := int(s.limits.BodyBytes)/2 - len(own)
	for _, b := range mine {
		out.Have[b.id] = hex.EncodeToString(digest(b.raw))
		room -= 200
		if send(b) && len(b.raw) < room {
			room -= 2 * len(b.raw)
			out.Agreements = append(out.Agreements, string(b.raw))
		}
	}
	return out, nil
}

// handleSync is the other end of syncWith.
func (s *Service) handleSync(w http.ResponseWriter, r *http.Request, p peer) {
	var req syncBody
	err := readBody(r.Body, s.limits.BodyBytes, &req)
	if err == nil {
		err = s.takeSync(r.Context(), p, req)
	}
	if err != nil {
		s.log.Warn("agreements of a partner were refused", "partner", p.ID, "err", err)
		refuse(w, err)
		return
	}
	mine, err := s.bundlesWith(r.Context(), p.ID)
	if err != nil {
		refuse(w, err)
		return
	}
	answer, err := s.syncBody(mine, func(b storedBundle) bool { return req.Have[b.id] != hex.EncodeToString(digest(b.raw)) })
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// takeSync keeps what the other side brought, and what it has of ours.
func (s *Service) takeSync(ctx context.Context, p peer, body syncBody) error {
	if len(body.Have) > maxSynced || len(body.Agreements) > maxSynced {
		return errs.New("sync", errs.Limit, p.Name, fmt.Sprintf("more than %d agreements", maxSynced), "end those that are over")
	}
	org, err := identity.ParseOrg(body.Org)
	if err != nil {
		return err
	}
	if org.ID != p.ID {
		return errs.New("sync", errs.Forged, p.Name, "it shows another organisation's document", "")
	}
	if org.Number > p.org.Number {
		if _, err := s.addPartner(ctx, org, p.Address, ""); err != nil {
			return err
		}
		p.org = org
	}
	s.sawNow(p.ID)
	for _, raw := range body.Agreements {
		if err := s.takeAgreement(ctx, p, []byte(raw)); err != nil {
			return err
		}
	}
	return s.markDelivered(ctx, p, body.Have)
}

// takeAgreement verifies one agreement from a partner and adds to ours what is
// new in it.
func (s *Service) takeAgreement(ctx context.Context, p peer, raw []byte) error {
	const op = "take agreement"
	ag, err := agreement.ParseBundle(raw)
	if err != nil {
		return err
	}
	id := ag.Document.ID()
	if other, ok := ag.Document.Other(s.keys.ID()); !ok || other.ID != p.ID {
		return errs.New(op, errs.Permission, id, "its parties are not the two of us", "")
	}
	err = ag.Verify(func(of identity.OrgID) (identity.Org, error) {
		if of == p.ID {
			return p.org, nil
		}
		return s.journal.Org(), nil
	})
	if err != nil {
		return err
	}
	proposer := ag.Document.Terms().Parties[0].ID
	if !ag.SignedBy(proposer) {
		return errs.New(op, errs.Forged, id, "its proposer has not signed it", "")
	}
	return s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
		list, err := s.readBundles(ctx, tx, "")
		if err != nil {
			return err
		}
		open := 0
		for _, b := range list {
			if b.id == id {
				return s.mergeAgreement(ctx, tx, b, ag)
			}
			if b.partner == p.ID && b.ag.State(s.clock()) == agreement.Proposed {
				open++
			}
		}
		if proposer == s.keys.ID() {
			return errs.New(op, errs.NotExist, id, "it says that we proposed it, and we know nothing of it", "propose it again")
		}
		if open >= maxOpen {
			return errs.New(op, errs.Limit, id, fmt.Sprintf("%d proposals wait for a signature", open), "wait until some are signed or ended")
		}
		s.log.Info("a partner proposes an agreement", "partner", p.ID, "agreement", id, "title", ag.Title())
		s.event(Event{Kind: "agreement", Partner: p.ID, State: string(ag.State(s.clock()))})
		return s.stateAgreement(ctx, tx, ag, "")
	})
}

func (s *Service) mergeAgreement(ctx context.Context, tx *journal.Tx, have storedBundle, brought *agreement.Agreement) error {
	mine, err := agreement.ParseBundle(have.raw) // a copy: the parsed one is shared
	if err != nil {
		return err
	}
	added, err := mine.Merge(brought)
	if err != nil || !added {
		return err
	}
	state := mine.State(s.clock())
	s.log.Info("an agreement changed", "partner", have.partner, "agreement", have.id, "state", string(state))
	s.event(Event{Kind: "agreement", Partner: have.partner, State: string(state)})
	return s.stateAgreement(ctx, tx, mine, "")
}

// markDelivered keeps which of our agreements the partner has as we have them.
func (s *Service) markDelivered(ctx context.Context, p peer, have map[string]string) error {
	mine, err := s.bundlesWith(ctx, p.ID)
	if err != nil {
		return err
	}
	changed := map[string][]byte{}
	for _, b := range mine {
		if d := digest(b.raw); !b.sent && have[b.id] == hex.EncodeToString(d) {
			changed[b.id] = d
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
		for id, d := range changed {
			err := tx.Exec(ctx, `INSERT INTO share_delivered (agreement, digest) VALUES (?,?) ON CONFLICT (agreement) DO UPDATE SET digest=excluded.digest`, id, d)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// ping asks for the partner's time, several times on one connection, and
// takes the quickest answer: its clock is then known to half the round trip.
func (s *Service) ping(ctx context.Context, l *link) (Pong, error) {
	const tries = 4 // the first one also connects
	best := Pong{Partner: l.peer.Partner}
	for i := range tries {
		began := time.Now()
		sent := s.clock()
		var p pong
		if err := l.call(ctx, http.MethodGet, "/ping", nil, &p, s.limits.BodyBytes); err != nil {
			return Pong{}, err
		}
		if trip := time.Since(began); i == 1 || i > 1 && trip < best.RoundTrip {
			best.Version, best.RoundTrip, best.Uncertain = p.Protocol, trip, trip/2
			best.ClockOffset = p.Time.Sub(sent.Add(trip / 2))
		}
	}
	s.mu.Lock()
	s.clocks[l.peer.ID] = Clock{Offset: best.ClockOffset, Uncertain: best.Uncertain, Measured: true}
	s.mu.Unlock()
	s.sawNow(l.peer.ID)
	return best, nil
}

// Ping asks a partner's node for a sign of life.
func (s *Service) Ping(ctx context.Context, partner string) (Pong, error) {
	p, err := s.findPeer(ctx, partner)
	if err != nil {
		return Pong{}, err
	}
	l, err := s.link(p)
	if err != nil {
		return Pong{}, err
	}
	defer l.close()
	ctx, cancel := context.WithTimeout(ctx, s.limits.RequestTime)
	defer cancel()
	return s.ping(ctx, l)
}
