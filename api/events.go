package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	eventBeat      = 15 * time.Second       // a comment this often keeps proxies from closing the stream
	screeningEvery = 100 * time.Millisecond // screening events are thinned to this
)

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

func (h *hub) publish(e Event) {
	data, err := json.Marshal(e.Data)
	if err != nil { // a programmer's mistake: events are plain data
		panic("api: event " + e.Kind + ": " + err.Error())
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
}

// screening publishes a hit, unless another was a moment ago: bulk screening
// must not drown the pages.
func (h *hub) screening(v Screening) {
	now := time.Now()
	h.mu.Lock()
	skip := len(h.listeners) == 0 || now.Sub(h.lastHit) < screeningEvery
	if !skip {
		h.lastHit = now
	}
	h.mu.Unlock()
	if !skip {
		h.publish(Event{Kind: "screening", Data: v})
	}
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
	beat := time.NewTicker(eventBeat)
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
			if who.session != nil && !s.sessions.alive(who.session, s.clock()) || !send([]byte(":\n\n")) {
				return
			}
		}
	}
}
