package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"bongsu/durable"
	"bongsu/errs"
	"bongsu/ledger"
)

// ledgerMade is the file in the data folder that says that the node has a
// ledger. It stands beside the ledger's folder, so that it is still there when
// that is deleted, or is another disk that was not mounted: opening it would make
// an empty ledger, and whatever is asked of that would be answered wrongly.
const ledgerMade = "ledger.made"

// openLedger opens the node's ledger, and makes it where there has been none.
func (a *app) openLedger() (*ledger.Ledger, error) {
	if err := a.ledgerThere(); err != nil {
		return nil, err
	}
	l, err := ledger.Open(a.ctx, a.path("ledger"), ledger.Options{})
	if err != nil {
		return nil, err
	}
	if _, err = os.Stat(a.path(ledgerMade)); errors.Is(err, fs.ErrNotExist) {
		text := fmt.Sprintf("This node has a ledger since %s. Should the folder ledger be gone, it is not made anew while this file is here.\n",
			a.now().UTC().Format("2006-01-02"))
		err = durable.WriteFile(a.path(ledgerMade), []byte(text), 0o600)
	}
	if err != nil {
		l.Close() //nolint:errcheck // the first error is the one to report
		return nil, errs.Wrap("open ledger", a.path(ledgerMade), err)
	}
	return l, nil
}

// ledgerThere holds that the ledger is not gone whole. That there has been none
// is no error; what opening it or checking it finds wrong, they say.
func (a *app) ledgerThere() error {
	if there, err := ledger.Exists(a.path("ledger")); there || err != nil {
		return nil //nolint:nilerr // see above
	}
	if _, err := os.Stat(a.path(ledgerMade)); err != nil {
		return nil //nolint:nilerr // nothing says that there was one
	}
	return errs.New("open ledger", errs.Corrupt, a.path("ledger"), "the ledger that this node had is gone: the folder is empty or not there",
		"mount its disk or restore it from a backup; to begin with an empty one, remove "+a.path(ledgerMade))
}
