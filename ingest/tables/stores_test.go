package tables_test

import (
	"context"

	"bongsu/chain"
	"bongsu/ingest"
	"bongsu/ledger"
	"bongsu/ledger/model"
)

// nothing is a store that keeps nothing.
type nothing struct{}

func (nothing) Begin(context.Context, string) (ingest.Import, error) { return nothing{}, nil }
func (nothing) Reader(context.Context) (ledger.Reader, error)        { return new(model.Model).Reader() }
func (nothing) Add(*ledger.Facts) error                              { return nil }
func (nothing) Checkpoint([]byte) error                              { return nil }
func (nothing) Cursor() []byte                                       { return nil }
func (nothing) Commit(context.Context) (stats ledger.Stats, _ error) { return stats, nil }
func (nothing) Abort() error                                         { return nil }

// collected keeps the transfers as they were stated, short of the number from
// which on token transfers go the shorter way.
type collected struct {
	nothing
	list []chain.Transfer
}

func (c *collected) Begin(context.Context, string) (ingest.Import, error) { return c, nil }

func (c *collected) Add(f *ledger.Facts) error {
	c.list = append(c.list, f.Transfers...)
	return nil
}

func (c *collected) AddEVM(id chain.ID, list []ledger.EVMTransfer) error {
	for i := range list {
		c.list = append(c.list, list[i].Transfer(id))
	}
	return nil
}

// ctx is the context of tests that never cancel.
var ctx = context.Background()

func (nothing) AddEVM(chain.ID, []ledger.EVMTransfer) error { return nil }
