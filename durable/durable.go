// Package durable writes files that survive a crash.
//
// A file appears under its name whole or not at all, and is on the disk when
// WriteFile returns: write to a temporary file in the same folder, fsync the
// file, rename it over the name, fsync the folder (Pillai et al., "All File
// Systems Are Not Created Equal", OSDI 2014: each of the four steps is needed
// on some file system). What a disk does after it acknowledged fsync is beyond
// us. The package holds no formats and no locks other than the advisory one.
package durable

import (
	"io/fs"
	"os"
	"path/filepath"

	"bongsu/errs"

	"golang.org/x/sys/unix"
)

// WriteFile replaces name with data, atomically and durably. Keys are written
// with perm 0600.
func WriteFile(name string, data []byte, perm fs.FileMode) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, ".tmp-"+filepath.Base(name)+"-*")
	if err != nil {
		return errs.Wrap("write", name, err)
	}
	tmp := f.Name()
	defer os.Remove(tmp) // a no-op once renamed
	if err = f.Chmod(perm); err == nil {
		if _, err = f.Write(data); err == nil {
			err = f.Sync()
		}
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return errs.Wrap("write", name, err)
	}
	if err := os.Rename(tmp, name); err != nil {
		return errs.Wrap("write", name, err)
	}
	return SyncDir(dir)
}

// SyncDir makes the names in dir durable: created, renamed and removed ones.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return errs.Wrap("sync folder", dir, err)
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return errs.Wrap("sync folder", dir, err)
}

// MkdirAll makes dir and its missing parents, durably.
func MkdirAll(dir string, perm fs.FileMode) error {
	if err := os.MkdirAll(dir, perm); err != nil {
		return errs.Wrap("make folder", dir, err)
	}
	return SyncDir(filepath.Dir(filepath.Clean(dir)))
}

// A Lock is an advisory whole-file lock (flock) that the kernel drops when the
// process ends, however it ends.
type Lock struct{ f *os.File }

// TryLock takes the lock at name, which is created when missing, without
// waiting; another holder gives errs.Unavailable.
func TryLock(name string) (*Lock, error) { return lock(name, unix.LOCK_EX|unix.LOCK_NB) }

// WaitLock takes the lock at name, waiting for another holder to end.
func WaitLock(name string) (*Lock, error) { return lock(name, unix.LOCK_EX) }

func lock(name string, how int) (*Lock, error) {
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, errs.Wrap("lock", name, err)
		}
		for {
			err = unix.Flock(int(f.Fd()), how)
			if err != unix.EINTR {
				break
			}
		}
		if err == nil && !names(name, f) {
			f.Close() // its last holder removed it
			continue
		}
		if err == nil {
			return &Lock{f}, nil
		}
		f.Close()
		if err == unix.EWOULDBLOCK {
			return nil, errs.New("lock", errs.Unavailable, name, "another process holds it", "wait for it to end, or stop it")
		}
		return nil, errs.Wrap("lock", name, err)
	}
}

// names says whether name is still that of an open file.
func names(name string, f *os.File) bool {
	there, err := os.Stat(name)
	if err != nil {
		return false
	}
	here, err := f.Stat()
	return err == nil && os.SameFile(there, here)
}

// Unlock gives the lock back.
func (l *Lock) Unlock() error { return l.f.Close() }

// Remove removes the lock's file and gives the lock back.
func (l *Lock) Remove() error {
	err := os.Remove(l.f.Name())
	if cerr := l.f.Close(); err == nil {
		err = cerr
	}
	return errs.Wrap("unlock", l.f.Name(), err)
}
