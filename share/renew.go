package share

import (
	"context"
	"net/http"

	"bongsu/errs"
	"bongsu/identity"
)

// renew mends what a change of keys broke: the one side does not know the
// other's new key yet. Documents are signed by the root key, so they may come
// by any way; a new one is taken only when it certifies the key at the other
// end of the connection that brought it.
func (s *Service) renew(ctx context.Context, l *link, cause error) error {
	switch errs.Is(cause) {
	case errs.Forged: // the partner's key is new to us
		org, err := s.fetchOrg(ctx, invitation{root: l.peer.org.Root, address: l.peer.Address})
		if err != nil || org.Number <= l.peer.org.Number {
			return cause
		}
		s.log.Info("a partner renewed its keys", "partner", l.peer.ID, "number", org.Number)
		_, err = s.addPartner(ctx, org, l.peer.Address, "")
		return err
	case errs.Permission: // our key may be new to the partner
		own, err := s.journal.Org().Marshal()
		if err != nil {
			return err
		}
		if l.call(ctx, http.MethodPost, "/organisation", joinAnswer{own}, nil, s.limits.BodyBytes) != nil {
			return cause
		}
		return s.syncWith(ctx, l)
	}
	return cause
}

// handleRenew takes a partner's newer document.
func (s *Service) handleRenew(w http.ResponseWriter, r *http.Request) {
	var req joinAnswer
	err := readBody(r.Body, identity.MaxOrg+1024, &req)
	if err == nil {
		err = s.takeRenewed(r.Context(), req, rawCerts(*r.TLS))
	}
	if err != nil {
		refuse(w, err)
		return
	}
	s.poke()
	writeJSON(w, http.StatusOK, struct{}{})
}

func (s *Service) takeRenewed(ctx context.Context, req joinAnswer, certs [][]byte) error {
	org, err := identity.ParseOrg(req.Org)
	if err != nil {
		return err
	}
	if err := org.VerifyPeer(s.clock(), certs); err != nil {
		return err
	}
	peers, err := s.peers(ctx)
	if err != nil {
		return err
	}
	for _, p := range peers {
		if p.ID != org.ID {
			continue
		}
		if org.Number <= p.org.Number {
			return errs.New("organisation document", errs.Exist, string(org.ID), "this one or a newer one is here", "")
		}
		s.log.Info("a partner renewed its keys", "partner", p.ID, "number", org.Number)
		_, err := s.addPartner(ctx, org, p.Address, "")
		return err
	}
	return errs.New("organisation document", errs.Permission, string(org.ID), "not a partner", "join with an invitation first")
}
