package share

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
)

// peer is a partner with its newest public document.
type peer struct {
	Partner
	org identity.Org
}

// peers reads the partners of today from the journal.
func (s *Service) peers(ctx context.Context) ([]peer, error) {
	var list []peer
	err := s.journal.Query(ctx, func(ctx context.Context, tx *journal.Tx) error {
		var err error
		list, err = s.readPeers(ctx, tx)
		return err
	})
	return list, errs.Wrap("partners", "", err)
}

func (s *Service) readPeers(ctx context.Context, tx *journal.Tx) ([]peer, error) {
	rows, err := tx.Query(ctx, `SELECT org, name, fingerprint, address, since, document FROM share_partner WHERE gone=0 ORDER BY name, org`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []peer
	for rows.Next() {
		var p peer
		var id string
		var since int64
		var document []byte
		if err := rows.Scan(&id, &p.Name, &p.Fingerprint, &p.Address, &since, &document); err != nil {
			return nil, err
		}
		p.ID, p.Since = identity.OrgID(id), time.UnixMicro(since).UTC()
		if p.org, err = s.parseOrg(document); err != nil {
			return nil, errs.Wrap("partner", id, err)
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// parseOrg verifies a document once: partners are read often.
func (s *Service) parseOrg(document []byte) (identity.Org, error) {
	key := sha256.Sum256(document)
	s.mu.Lock()
	org, ok := s.orgs[key]
	s.mu.Unlock()
	if ok {
		return org, nil
	}
	org, err := identity.ParseOrg(document)
	if err != nil {
		return identity.Org{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.orgs) >= maxParsed {
		clear(s.orgs)
	}
	s.orgs[key] = org
	return org, nil
}

// maxParsed is how many verified documents are kept in memory.
const maxParsed = 4096

// addPartner keeps an organisation as a partner: its document, and a statement
// of ours that it is one.
func (s *Service) addPartner(ctx context.Context, org identity.Org, address, actor string) (Partner, error) {
	if org.ID == s.keys.ID() {
		return Partner{}, errs.New("partner", errs.Invalid, string(org.ID), "that is this organisation itself", "give the invitation to another one")
	}
	if o, err := s.journal.OrgByID(ctx, org.ID); err != nil || o.Number < org.Number {
		if err := s.journal.PutOrg(ctx, org); err != nil {
			return Partner{}, err
		}
	}
	document, err := org.Marshal()
	if err != nil {
		return Partner{}, err
	}
	p := Partner{ID: org.ID, Name: printable(org.Name), Fingerprint: org.Fingerprint(), Address: address, Since: s.clock().UTC()}
	err = s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
		statement := stix.Partner{
			Common: stix.Common{Author: s.keys.ID(), Created: p.Since, Modified: p.Since, Marking: stix.TLPAmberStrict},
			Org:    org.ID, Name: p.Name, Fingerprint: p.Fingerprint, Address: address, Document: document,
		}
		return s.restate(ctx, tx, actor, &statement.Common, func() (stix.Object, error) { return statement.Object() })
	})
	if err != nil {
		return Partner{}, errs.Wrap("partner", string(org.ID), err)
	}
	return p, nil
}

// restate appends a statement of ours, as a later version of the one that
// stands under its id when there is one. The id may be left to make.
func (s *Service) restate(ctx context.Context, tx *journal.Tx, actor string, c *stix.Common, make func() (stix.Object, error)) error {
	o, err := make()
	if err != nil {
		return err
	}
	old, err := tx.GetBy(ctx, s.keys.ID(), o.ID)
	if err == nil {
		was, err := old.Object()
		if err != nil {
			return err
		}
		c.ID, c.Created = o.ID, was.Created
		if !c.Modified.Truncate(time.Millisecond).After(was.Modified) {
			c.Modified = was.Modified.Add(time.Millisecond)
		}
		if o, err = make(); err != nil {
			return err
		}
	} else if errs.Is(err) != errs.NotExist {
		return err
	}
	_, err = tx.Append(ctx, journal.Draft{Object: o, Actor: actor})
	return err
}

// serverTLS asks every client for a certificate. Which partner it belongs to,
// if any, is found for each request (Service.who): an unknown one may only
// join.
func (s *Service) serverTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert, NextProtos: []string{"http/1.1"},
		SessionTicketsDisabled: true,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c, err := s.keys.TLS(s.clock())
			return &c, err
		},
	}
}

// clientTLS accepts only a peer whose key org certified.
func (s *Service) clientTLS(org identity.Org) (*tls.Config, error) {
	c, err := s.keys.TLS(s.clock())
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{c}, NextProtos: []string{"http/1.1"},
		InsecureSkipVerify: true, // partners pin keys: VerifyConnection below is the verification
		VerifyConnection: func(cs tls.ConnectionState) error {
			return org.VerifyPeer(s.clock(), rawCerts(cs))
		},
	}, nil
}

func rawCerts(cs tls.ConnectionState) [][]byte {
	raw := make([][]byte, len(cs.PeerCertificates))
	for i, c := range cs.PeerCertificates {
		raw[i] = c.Raw
	}
	return raw
}

// dialer connects only to addresses that Config.AllowNets and the rules of
// mayDial allow, checked on the resolved address of each connection.
func (s *Service) dialer() *net.Dialer {
	return &net.Dialer{
		Timeout: s.limits.HeaderTime, KeepAlive: 15 * time.Second,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return errs.Wrap("connect", address, err)
			}
			return s.mayDial(at.Addr().Unmap())
		},
	}
}

// mayDial refuses private, loopback, link-local and other special addresses
// that the owner did not name.
func (s *Service) mayDial(a netip.Addr) error {
	for _, n := range s.allowed {
		if n.Contains(a) {
			return nil
		}
	}
	if a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || !a.IsGlobalUnicast() || special(a) {
		return errs.New("connect", errs.Permission, a.String(), "a private address that the configuration does not name", "add its range to the networks that partners may be in, if it is right")
	}
	return nil
}

// specialNets are further ranges that are nobody's public address (RFC 6890).
var specialNets = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
}

func special(a netip.Addr) bool {
	for _, n := range specialNets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// sameRoot reports whether a document is signed by the root of an invitation.
func sameRoot(org identity.Org, root ed25519.PublicKey) error {
	if !org.Root.Equal(root) {
		return errs.New("join", errs.Forged, org.Fingerprint(), fmt.Sprintf("the node that answers is not the one that invited: its root key is %s, the invitation's %s", org.Fingerprint(), identity.Fingerprint(root)), "ask for a new invitation, and compare by voice")
	}
	return nil
}
