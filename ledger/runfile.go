package ledger

import (
	"bongsu/errs"
)

// maxAside is how many runs wait for a checkpoint that makes them durable,
// each with its file open.
const maxAside = 64

// runFile is the file of a run that is written and not yet durable. Syncing
// would hold up the runs behind it, so it is left to the checkpoint that names
// the run: an import without one never waits for the disk. Once there was a
// checkpoint there will be another, and syncing begins at once, beside.
type runFile struct {
	f      file
	synced chan error // nil: syncing has not begun
}

func (r *runFile) sync() {
	if r.synced != nil {
		return
	}
	r.synced = make(chan error, 1)
	go func(f file, done chan<- error) { done <- f.Sync() }(r.f, r.synced)
}

// close waits for syncing that has begun.
func (r *runFile) close() (err error) {
	if r.synced != nil {
		err = <-r.synced
	}
	return cmpErr(err, r.f.Close())
}

// putAside keeps the file of a run until a checkpoint.
func (im *Import) putAside(r runFile) error {
	if im.aside = append(im.aside, r); len(im.aside) > maxAside {
		return im.harden()
	}
	if im.log != nil {
		im.aside[len(im.aside)-1].sync()
	}
	return nil
}

// harden makes all runs durable. An error stays: what is lost is lost.
func (im *Import) harden() error {
	for i := range im.aside {
		im.aside[i].sync()
	}
	for i := range im.aside {
		im.lost = cmpErr(im.lost, im.aside[i].close())
	}
	im.aside = nil
	return errs.Wrap("import", im.spool, im.lost)
}

// letGo closes runs that no checkpoint will name any more.
func (im *Import) letGo() {
	for i := range im.aside {
		im.aside[i].close() //nolint:errcheck // they need not be durable
	}
	im.aside = nil
}
