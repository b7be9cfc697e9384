package trace

// ByBooks is the request read by cursors alone, ByLedger the one that reads the
// ledger on from the first book that it opens.
func (q Request) ByBooks() Request  { q.reading = readBooks; return q }
func (q Request) ByLedger() Request { q.reading = readLedger; return q }

// AtMost is the request of a run that may hold n flows.
func (q Request) AtMost(n int) Request { q.flows = n; return q }

// InRuns is the request of a haircut that keeps n runs of lots in order.
func (q Request) InRuns(n int) Request { q.runs = n; return q }

// EncodeUpTo is Encode where a run may have so many bytes.
func EncodeUpTo(r *Run, most int64) ([]byte, error) { return r.encode(most) }
