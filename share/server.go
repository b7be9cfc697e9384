package share

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
)

// handler is all that other nodes can ask (FORMAT.md, "Requests").
func (s *Service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /organisation", s.stranger(s.handleOrganisation))
	mux.HandleFunc("POST /organisation", s.stranger(s.handleRenew))
	mux.HandleFunc("POST /join", s.stranger(s.handleJoin))
	mux.HandleFunc("GET /ping", s.partner(s.handlePing))
	mux.HandleFunc("POST /sync", s.partner(s.handleSync))
	mux.HandleFunc("GET /feed/{agreement}", s.partner(s.handleFeed))
	mux.HandleFunc("POST /feed/{agreement}/cosigned", s.partner(s.handleCosigned))
	mux.HandleFunc("GET /exchange/{agreement}", s.partner(s.handleExchange))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, errs.New("request", errs.NotExist, "", "there is no such request", "check that both nodes speak the same version"))
	})
	return mux
}

// stranger bounds requests that anybody may make.
func (s *Service) stranger(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		leave, err := s.guard.stranger()
		if err != nil {
			refuse(w, err)
			return
		}
		defer leave()
		s.bounded(w, r)
		next(w, r)
	}
}

// partner finds out which partner is at the other end, and refuses everybody
// else.
func (s *Service) partner(next func(http.ResponseWriter, *http.Request, peer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, err := s.who(r.Context(), rawCerts(*r.TLS))
		if err == nil {
			err = s.guard.request(p.ID)
		}
		if err != nil {
			s.log.Warn("refused a node", "from", r.RemoteAddr, "path", r.URL.Path, "err", err)
			refuse(w, err)
			return
		}
		s.bounded(w, r)
		s.sawNow(p.ID)
		next(w, r, p)
	}
}

// bounded limits a request's body and time. Streams lift the time again.
func (s *Service) bounded(w http.ResponseWriter, r *http.Request) {
	deadline := time.Now().Add(s.limits.RequestTime)
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(deadline) // a connection that cannot have one is broken, and says so when read
	_ = c.SetWriteDeadline(deadline)
	r.Body = http.MaxBytesReader(w, r.Body, s.limits.BodyBytes)
}

// who is the partner whose root certified the key at the other end.
func (s *Service) who(ctx context.Context, certs [][]byte) (peer, error) {
	s.mu.Lock()
	known := s.known
	s.mu.Unlock()
	if p, ok := s.match(known, certs); ok {
		return p, nil
	}
	// A partner of the last moment is in the journal already. Strangers come
	// here too, so only a few at once may make us read it.
	leave, err := s.guard.stranger()
	if err != nil {
		return peer{}, err
	}
	defer leave()
	known, err = s.peers(ctx)
	if err != nil {
		return peer{}, err
	}
	if p, ok := s.match(known, certs); ok {
		return p, nil
	}
	return peer{}, errs.New("connect", errs.Permission, "", "your key is not certified by any partner's root key", "join with an invitation first; after a change of keys, send the newest organisation document")
}

func (s *Service) match(known []peer, certs [][]byte) (peer, bool) {
	now := s.clock()
	for _, p := range known {
		if p.org.VerifyPeer(now, certs) == nil {
			return p, true
		}
	}
	return peer{}, false
}

// pong is the answer to GET /ping.
type pong struct {
	Protocol int       `json:"protocol"`
	Time     time.Time `json:"time"`
}

func (s *Service) handlePing(w http.ResponseWriter, _ *http.Request, _ peer) {
	writeJSON(w, http.StatusOK, pong{Protocol, s.clock().UTC()})
}

func (s *Service) handleFeed(w http.ResponseWriter, r *http.Request, p peer) {
	id := r.PathValue("agreement")
	after, err := strconv.ParseUint(r.URL.Query().Get("after"), 10, 62)
	if err != nil {
		refuse(w, errs.New("feed", errs.Invalid, "", "after is the number of statements that you have", ""))
		return
	}
	leave, err := s.guard.stream(p.ID)
	if err != nil {
		refuse(w, err)
		return
	}
	defer leave()
	if err := s.mayRead(r.Context(), p.ID, id, after); err != nil {
		refuse(w, err)
		return
	}
	c := http.NewResponseController(w)
	if err := c.SetReadDeadline(time.Time{}); err != nil { // else the request's own ends the stream
		refuse(w, errs.Wrap("feed", id, err))
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	out := &frameWriter{
		w: w, flush: c.Flush, patience: s.limits.WriteTime,
		deadline: func(t time.Time) error { return c.SetWriteDeadline(t) },
	}
	if err := out.write(&frame{Hello: &hello{Protocol: Protocol, Time: s.clock().UTC()}}); err != nil {
		return
	}
	s.logEnd(p, id, s.sendFeed(r.Context(), p, id, after, out))
}

// mayRead refuses a feed that is not the partner's, is not active, or is
// shorter than what the partner says it has: then one of the two lost
// something, and going on would fork the log.
func (s *Service) mayRead(ctx context.Context, partner identity.OrgID, id string, after uint64) error {
	if err := s.activeWith(ctx, partner, id); err != nil {
		return err
	}
	size, err := s.journal.Size(ctx, feedOf(id))
	if err != nil {
		return err
	}
	if after > size {
		return errs.New("feed", errs.Conflict, id, "the feed holds "+strconv.FormatUint(size, 10)+" statements, fewer than the "+strconv.FormatUint(after, 10)+" that were received", "the author's node lost some, or was restored from an old backup: ask it")
	}
	return nil
}

func (s *Service) handleCosigned(w http.ResponseWriter, r *http.Request, p peer) {
	var c cosigned
	err := readBody(r.Body, 4*journal.MaxNote, &c)
	if err == nil {
		err = s.takeCosigned(r.Context(), p, r.PathValue("agreement"), c)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, http.StatusOK, struct{}{})
}

// sawNow keeps the moment of the last contact, for keepSeen to write.
func (s *Service) sawNow(id identity.OrgID) {
	s.mu.Lock()
	s.seen[id] = s.clock()
	s.mu.Unlock()
}

// keepSeen writes the last contacts down, now and then.
func (s *Service) keepSeen(ctx context.Context) error {
	tick := time.NewTicker(seenEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		s.mu.Lock()
		seen, clocks := s.seen, s.clocks
		s.seen = map[identity.OrgID]time.Time{}
		rows := map[identity.OrgID]Clock{}
		for id := range seen {
			rows[id] = clocks[id]
		}
		s.mu.Unlock()
		if len(rows) == 0 {
			continue
		}
		err := s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
			for id, c := range rows {
				err := tx.Exec(ctx, `INSERT INTO share_seen (org, at, offset_us, uncertain_us, fault) VALUES (?,?,?,?,'')
					ON CONFLICT (org) DO UPDATE SET at=excluded.at, offset_us=excluded.offset_us, uncertain_us=excluded.uncertain_us`,
					string(id), micros(seen[id]), c.Offset.Microseconds(), c.Uncertain.Microseconds())
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			s.log.Warn("last contacts could not be written", "err", err)
		}
	}
}

// seenEvery is how often last contacts are written; Status may lag that much
// in another process.
const seenEvery = 5 * time.Second
