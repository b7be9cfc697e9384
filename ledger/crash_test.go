package ledger

import (
	"errors"
	"os"
	"sync/atomic"
)

// errCrash is what everything gives after the crash.
var errCrash = errors.New("crashed")

// crashDisk lets a number of steps happen and then nothing more; the last
// write happens in part. Files may be written and synced at once.
type crashDisk struct {
	osDisk
	left *atomic.Int64 // below zero after the crash
}

// CrashAfter makes the ledger's process seem to die at its n-th step on the
// disk; the result says how many steps are left.
func CrashAfter(o *Options, n int) *atomic.Int64 {
	left := &atomic.Int64{}
	left.Store(int64(n))
	o.disk = crashDisk{left: left}
	return left
}

func (d crashDisk) step() error {
	if d.left.Add(-1) < 0 {
		return errCrash
	}
	return nil
}

type crashFile struct {
	file
	d crashDisk
}

func (f crashFile) WriteAt(b []byte, at int64) (int, error) {
	switch left := f.d.left.Add(-1); {
	case left < 0:
		return 0, errCrash
	case left == 0:
		if len(b) > headSector { // a disk writes a sector whole or not at all
			f.file.WriteAt(b[:len(b)/2], at) //nolint:errcheck // a torn write
		}
		return 0, errCrash
	}
	return f.file.WriteAt(b, at)
}

func (f crashFile) Truncate(size int64) error {
	if err := f.d.step(); err != nil {
		return err
	}
	return f.file.Truncate(size)
}

func (f crashFile) Sync() error { return f.d.step() }

func (d crashDisk) create(name string) (file, error) {
	if err := d.step(); err != nil {
		return nil, err
	}
	f, err := d.osDisk.create(name)
	return crashFile{f, d}, err
}

func (d crashDisk) open(name string, write bool) (file, error) {
	f, err := d.osDisk.open(name, write)
	return crashFile{f, d}, err
}

func (d crashDisk) rename(from, to string) error {
	if err := d.step(); err != nil {
		return err
	}
	return os.Rename(from, to)
}

func (d crashDisk) remove(name string) error {
	if err := d.step(); err != nil {
		return err
	}
	return d.osDisk.remove(name)
}

func (d crashDisk) syncDir(string) error { return d.step() }
