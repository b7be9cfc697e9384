package ledger

import (
	"io/fs"
	"os"
	"path/filepath"

	"bongsu/durable"
	"bongsu/errs"
)

// disk is what the ledger does to its folder, so that tests can make any
// single step fail, or be the last that happens.
type disk interface {
	create(name string) (file, error)           // empty, for reading and writing
	open(name string, write bool) (file, error) // existing
	rename(from, to string) error
	remove(name string) error
	syncDir(dir string) error
}

// osDisk is the real one.
type osDisk struct{}

// osFile is a file of it.
type osFile struct{ *os.File }

func (osDisk) create(name string) (file, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, errs.Wrap("create", name, err)
	}
	return osFile{f}, nil
}

func (osDisk) open(name string, write bool) (file, error) {
	flag := os.O_RDONLY
	if write {
		flag = os.O_RDWR
	}
	f, err := os.OpenFile(name, flag, 0)
	if err != nil {
		return nil, errs.Wrap("open", name, err)
	}
	return osFile{f}, nil
}

func (osDisk) rename(from, to string) error { return errs.Wrap("rename", to, os.Rename(from, to)) }
func (osDisk) syncDir(dir string) error     { return durable.SyncDir(dir) }

func (osDisk) remove(name string) error {
	if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
		return errs.Wrap("remove", name, err)
	}
	return nil
}

// replace puts data under name, whole or not at all, and durably: write aside,
// sync, rename, sync the folder. It gives what sameFile knows the file by.
func replace(d disk, name string, data []byte) (info fs.FileInfo, err error) {
	tmp := name + ".new"
	f, err := d.create(tmp)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteAt(data, 0)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		info, err = f.Stat()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, errs.Wrap("write", name, err)
	}
	if err := d.rename(tmp, name); err != nil {
		return nil, err
	}
	return info, d.syncDir(filepath.Dir(name))
}

// exists says whether a file is there.
func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// sameFile says whether two looks at a name saw one file, unchanged.
func sameFile(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
