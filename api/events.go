package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// screeningEvery is what screening events are thinned to.
const screeningEvery = 100 * time.Millisecond

// hub hands events to listeners.
type hub struct {
	behind int

	mu        sync.Mutex // owns the fields below
	next      uint64
	listeners map[*listener]struct{}
	lastHit   time.Time
}

// listener is one open event stream; its channel is closed when it lagged.
type listener struct{ events chan []byte }

func newHub(behind int) *hub { return &hub{behind: behind, listeners: map[*listener]struct{}{}} }

func (h *hub) publish(e Event) error {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next++
	text := fmt.Appendf(nil, "id: %d\nevent: %s\ndata: %s\n\n", h.next, e.Kind, data)
	for l := range h.listeners {
		select {
		case l.events <- text:
		default: // too far behind: it reconnects and reads anew
			close(l.events)
			delete(h.listeners, l)
		}
	}
	return nil
}

// wants says whether a hit should be published now: somebody listens, and no
// other was published a moment ago, so that bulk screening does not drown the
// pages.
func (h *hub) wants(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) == 0 || now.Sub(h.lastHit) < screeningEvery {
		return false
	}
	h.lastHit = now
	return true
}

func (h *hub) join() *listener {
	l := &listener{make(chan []byte, h.behind)}
	h.mu.Lock()
	h.listeners[l] = struct{}{}
	h.mu.Unlock()
	return l
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	delete(h.listeners, l)
	h.mu.Unlock()
}

// stands says whether who may still ask what he was admitted to: his session
// has not ended, his token was not withdrawn and has not expired.
func (s *Server) stands(who *principal) bool {
	if who.session != nil {
		return s.sessions.alive(who.session, s.clock())
	}
	return s.cfg.Tokens.stands(who.token.ID, s.clock())
}

// streamEvents is GET /api/v1/events. It ends when the client goes, the
// session ends, the listener lags too far behind, or the server closes.
func (s *Server) streamEvents(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	who := callOf(r.Context()).who
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	l := s.events.join()
	defer s.events.leave(l)
	send := func(text []byte) bool {
		_ = rc.SetWriteDeadline(time.Now().Add(s.limits.StreamIdle)) // a recorder has none
		if _, err := w.Write(text); err != nil {
			return false
		}
		return rc.Flush() == nil
	}
	if !send([]byte("retry: 2000\n\n")) {
		return
	}
	beat := time.NewTicker(s.limits.Beat)
	defer beat.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-r.Context().Done():
			return
		case text, ok := <-l.events:
			if !ok || !send(text) {
				return
			}
		case <-beat.C:
			if !s.stands(who) || !send([]byte(":\n\n")) {
				return
			}
		}
	}
}
