package api

import (
	"net/http"
	"sync"
	"time"

	"bongsu/errs"
)

// quotas count screened values by token: a bucket that holds a minute's quota
// and fills evenly.
type quotas struct {
	mu   sync.Mutex // owns left
	left map[string]*bucket
}

type bucket struct {
	values float64
	at     time.Time
}

func (q *quotas) init() { q.left = map[string]*bucket{} }

// take takes n values from a token's bucket, or says how long to wait. The map
// is bounded by MaxTokens: only known tokens come here.
func (q *quotas) take(id string, quota, n int, now time.Time) (wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.left) > 2*MaxTokens { // withdrawn tokens' buckets
		clear(q.left)
	}
	b := q.left[id]
	if b == nil {
		b = &bucket{float64(quota), now}
		q.left[id] = b
	}
	rate := float64(quota) / 60
	b.values = min(float64(quota), b.values+max(0, now.Sub(b.at).Seconds())*rate)
	b.at = now
	if b.values >= float64(n) {
		b.values -= float64(n)
		return 0
	}
	return time.Duration((float64(n) - b.values) / rate * float64(time.Second))
}

// spend charges n screened values to who asks.
func (s *Server) spend(who *principal, n int) *Problem {
	if who.token == nil || who.token.Quota == 0 {
		return nil
	}
	quota := who.token.Quota
	if n > quota {
		return problem(http.StatusTooManyRequests, errs.Limit, "more values at once than the token's quota for a minute", "send fewer at once").with("Retry-After", "60")
	}
	if wait := s.quotas.take(who.token.ID, quota, n, s.clock()); wait > 0 {
		return problem(http.StatusTooManyRequests, errs.Limit, "the token's quota is used up", "send it again after the time in Retry-After").with("Retry-After", retryAfter(wait))
	}
	return nil
}
