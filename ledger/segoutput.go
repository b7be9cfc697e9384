package ledger

import (
	"bongsu/chain"
)

// segmentOutput cuts merged blocks into segments. An index is built while the
// next segment is written.
type segmentOutput struct {
	job    *rewriteJob
	id     chain.ID
	kept   []*segment // by block; no segment may hold blocks on both sides of one
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
	for len(o.kept) > 0 && o.kept[0].From < b.state.number {
		if o.kept = o.kept[1:]; o.w != nil {
			o.cut()
		}
	}
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
		var r indexed
		defer func() { caught(recover(), &r.err); done <- r }() // it reads back what was just written
		r.info, r.err = w.finish()
	}(o.done)
}

func (o *segmentOutput) wait() {
	if !o.busy {
		return
	}
	r := <-o.done
	o.busy = false
	o.infos = append(o.infos, r.info)
	o.job.stats.Written += r.info.Rows
	o.err = cmpErr(o.err, r.err)
}

func (o *segmentOutput) finish() ([]segmentInfo, error) {
	if o.w != nil {
		o.cut()
	}
	o.wait()
	return o.infos, o.err
}
