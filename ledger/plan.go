package ledger

import (
	"bongsu/chain"
)

// plan says which segments stay as they are and which are merged: those that
// share the range, and neighbours that are not much larger than what comes.
func (j *rewriteJob) plan(id ChainRef, from, to, rows uint64) (kept []segmentInfo, merged []*segment) {
	list := j.head.below.byChain[id]
	take := make([]bool, len(list))
	for i, seg := range list {
		if from <= to && seg.From <= to && seg.To >= from {
			take[i] = true
			rows += seg.Rows
		}
	}
	for again := true; again; { // what lies between two that are merged is too
		again = false
		for i, seg := range list {
			near := i > 0 && take[i-1] || i+1 < len(list) && take[i+1] || i == len(list)-1 && seg.To < from || i == 0 && seg.From > to
			if !take[i] && near && from <= to && seg.Rows < maxSegmentRows/2 && seg.Rows <= 4*rows && seg.Rows+rows <= maxSegmentRows {
				take[i], again = true, true
				rows += seg.Rows
			}
		}
	}
	for i, seg := range list {
		if take[i] {
			merged = append(merged, seg)
		} else {
			kept = append(kept, seg.segmentInfo)
		}
	}
	return kept, merged
}

// segmentOutput cuts merged blocks into segments. An index is built while the
// next segment is written.
type segmentOutput struct {
	job    *rewriteJob
	id     chain.ID
	w      *segmentWriter
	infos  []segmentInfo
	done   chan indexed // of the one index being built
	busy   bool
	blocks int
	err    error
}

type indexed struct {
	info segmentInfo
	err  error
}

func (o *segmentOutput) add(b *mergedBlock) error {
	if o.w == nil {
		w, err := newSegmentWriter(o.job.disk, o.job.l.dir, o.job.number(), o.id)
		if err != nil {
			return err
		}
		o.w = w
	}
	if err := o.w.add(b); err != nil {
		return err
	}
	if o.w.full() {
		o.cut()
	}
	return o.err
}

// cut ends the segment being written.
func (o *segmentOutput) cut() {
	o.wait()
	w := o.w
	o.w, o.busy = nil, true
	o.done = make(chan indexed, 1)
	go func(done chan<- indexed) {
		info, err := w.finish()
		done <- indexed{info, err}
	}(o.done)
}

func (o *segmentOutput) wait() {
	if !o.busy {
		return
	}
	r := <-o.done
	o.busy = false
	o.infos = append(o.infos, r.info)
	o.err = cmpErr(o.err, r.err)
}

func (o *segmentOutput) finish() ([]segmentInfo, error) {
	if o.w != nil {
		o.cut()
	}
	o.wait()
	return o.infos, o.err
}
