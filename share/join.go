package share

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"

	"github.com/go-json-experiment/json/jsontext"
)

// joinRequest is the body of POST /join.
type joinRequest struct {
	Secret  []byte         `json:"secret"`
	Org     jsontext.Value `json:"organisation"`
	Address string         `json:"address"` // "" when partners cannot connect to it
}

// joinAnswer is its answer.
type joinAnswer struct {
	Org jsontext.Value `json:"organisation"`
}

// Invite makes an invitation for one partner: a one-time text to hand over by
// a channel that both trust, valid for Limits.InviteLife. address is how the
// partner reaches this node; "" takes Config.Address.
func (s *Service) Invite(ctx context.Context, address string) (Invitation, error) {
	const op = "invite"
	if address == "" {
		address = s.address
	}
	if address == "" {
		return Invitation{}, errs.New(op, errs.Usage, "", "this node has no address where a partner could reach it", "give one, or let the partner invite you")
	}
	inv, err := newInvitation(s.journal.Org().Root, address)
	if err != nil {
		return Invitation{}, err
	}
	now := s.clock()
	expires := now.Add(s.limits.InviteLife)
	err = s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
		if err := tx.Exec(ctx, `DELETE FROM share_invitation WHERE expires < ?`, micros(now)); err != nil {
			return err
		}
		var open int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM share_invitation WHERE used_by=''`).Scan(&open); err != nil {
			return err
		}
		if open >= s.limits.Invites {
			return errs.New(op, errs.Limit, "", "too many open invitations", "wait until some are used or expire")
		}
		return tx.Exec(ctx, `INSERT INTO share_invitation (hash, made, expires, used_by) VALUES (?,?,?,'')`, inv.hash(), micros(now), micros(expires))
	})
	if err != nil {
		return Invitation{}, errs.Wrap(op, "", err)
	}
	return Invitation{Text: inv.text(), Address: address, Fingerprint: s.journal.Org().Fingerprint(), Expires: expires.UTC()}, nil
}

// Join accepts an invitation: it connects to the inviting node, checks that it
// is who the invitation says, and makes the two partners of each other.
// Compare Partner.Fingerprint by voice afterwards.
func (s *Service) Join(ctx context.Context, text string) (Partner, error) {
	const op = "join"
	inv, err := parseInvitation(text)
	if err != nil {
		return Partner{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*s.limits.RequestTime)
	defer cancel()
	org, err := s.fetchOrg(ctx, inv)
	if err != nil {
		return Partner{}, err
	}
	if org.ID == s.keys.ID() {
		return Partner{}, errs.New(op, errs.Usage, inv.address, "this invitation is your own", "hand it to the partner")
	}
	p := peer{Partner: Partner{ID: org.ID, Name: printable(org.Name), Fingerprint: org.Fingerprint(), Address: inv.address}, org: org}
	l, err := s.link(p)
	if err != nil {
		return Partner{}, err
	}
	defer l.close()
	own, err := s.journal.Org().Marshal()
	if err != nil {
		return Partner{}, errs.Wrap(op, "", err)
	}
	address := s.address
	if s.cfg.DialOut {
		address = ""
	}
	if err := l.call(ctx, http.MethodPost, "/join", joinRequest{inv.secret[:], own, address}, &joinAnswer{}, s.limits.BodyBytes); err != nil {
		return Partner{}, errs.Wrap(op, "", err)
	}
	return s.addPartner(ctx, org, inv.address, "")
}

// fetchOrg asks the inviting node for its document and accepts only one that
// is signed by the invitation's root key and certifies the key at the other
// end of this very connection. Nothing secret is sent before.
func (s *Service) fetchOrg(ctx context.Context, inv invitation) (identity.Org, error) {
	at := peer{Partner: Partner{Name: "the inviting node", Address: inv.address}}
	l, err := s.link(at)
	if err != nil {
		return identity.Org{}, err
	}
	defer l.close()
	var seen tls.ConnectionState
	l.client.Transport.(*http.Transport).TLSClientConfig.VerifyConnection = func(cs tls.ConnectionState) error {
		seen = cs
		return nil
	}
	var answer joinAnswer
	if err := l.call(ctx, http.MethodGet, "/organisation", nil, &answer, identity.MaxOrg+1024); err != nil {
		return identity.Org{}, errs.Wrap("join", "", err)
	}
	org, err := identity.ParseOrg(answer.Org)
	if err != nil {
		return identity.Org{}, errs.Wrap("join", inv.address, err)
	}
	if err := sameRoot(org, inv.root); err != nil {
		return identity.Org{}, err
	}
	return org, errs.Wrap("join", inv.address, org.VerifyPeer(s.clock(), rawCerts(seen)))
}

// handleOrganisation shows who this node is. It is public: the document is.
func (s *Service) handleOrganisation(w http.ResponseWriter, r *http.Request) {
	own, err := s.journal.Org().Marshal()
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, http.StatusOK, joinAnswer{own})
}

// handleJoin takes up an invitation of ours.
func (s *Service) handleJoin(w http.ResponseWriter, r *http.Request) {
	var req joinRequest
	if err := readBody(r.Body, identity.MaxOrg+4096, &req); err != nil {
		refuse(w, err)
		return
	}
	p, err := s.admit(r.Context(), req, rawCerts(*r.TLS))
	if err != nil {
		s.log.Warn("a node could not join", "from", r.RemoteAddr, "err", err)
		refuse(w, err)
		return
	}
	s.log.Info("partner joined", "partner", p.ID, "name", p.Name, "fingerprint", p.Fingerprint)
	s.event(Event{Kind: "partner", Partner: p.ID, State: "joined"})
	s.poke()
	s.handleOrganisation(w, r)
}

// admit checks an invitation's secret and makes its bearer a partner. The
// same organisation may ask again, should it have missed the answer.
func (s *Service) admit(ctx context.Context, req joinRequest, certs [][]byte) (Partner, error) {
	const op = "join"
	org, err := identity.ParseOrg(req.Org)
	if err != nil {
		return Partner{}, err
	}
	if err := org.VerifyPeer(s.clock(), certs); err != nil {
		return Partner{}, err
	}
	if req.Address != "" {
		if err := checkAddress(req.Address); err != nil {
			return Partner{}, err
		}
	}
	now := s.clock()
	err = s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
		var expires int64
		var usedBy string
		hash := hashSecret(req.Secret)
		if tx.QueryRow(ctx, `SELECT expires, used_by FROM share_invitation WHERE hash=?`, hash).Scan(&expires, &usedBy) != nil {
			return errs.New(op, errs.Permission, "", "this invitation is not known here", "ask for a new one")
		}
		if now.After(time.UnixMicro(expires)) {
			return errs.New(op, errs.Permission, "", "the invitation has expired", "ask for a new one")
		}
		if usedBy != "" && usedBy != string(org.ID) {
			return errs.New(op, errs.Permission, "", "the invitation was used before, by another organisation", "ask for a new one, and tell the inviting organisation")
		}
		return tx.Exec(ctx, `UPDATE share_invitation SET used_by=? WHERE hash=?`, string(org.ID), hash)
	})
	if err != nil {
		return Partner{}, err
	}
	return s.addPartner(ctx, org, req.Address, "")
}
