package api

import (
	"sync"
	"time"
)

const (
	maxAuditPath  = 300                    // bytes of a path in the audit
	maxAuditValue = 2048                   // bytes of a screened value in the audit
	strangerEvery = 100 * time.Millisecond // one record of a stranger this often
	strangerBurst = 50                     // and as many at once
)

// strangers thins the audit's records of requests that nobody answers for, so
// that whoever can reach the port cannot fill the disk. What is left out is
// counted in the next record.
type strangers struct {
	mu   sync.Mutex // owns the fields below
	room float64    // records that may be written now
	at   time.Time
	left int
}

// admit says whether a stranger's record is written, and completes it.
func (st *strangers) admit(a *Asked) bool {
	now := time.Now()
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.at.IsZero() {
		st.room = strangerBurst
	} else {
		st.room = min(strangerBurst, st.room+float64(now.Sub(st.at))/float64(strangerEvery))
	}
	st.at = now
	if st.room < 1 {
		st.left++
		return false
	}
	st.room--
	a.Left, st.left = st.left, 0
	return true
}

// auditValues are values as the audit keeps them.
func auditValues(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = clip(v, maxAuditValue)
	}
	return out
}
