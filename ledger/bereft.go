package ledger

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"bongsu/errs"
)

// Exists says whether a ledger is in dir. One that has lost its manifest is
// errs.Corrupt.
func Exists(dir string) (bool, error) {
	if exists(filepath.Join(dir, manifestName)) {
		return true, nil
	}
	return false, bereft(dir)
}

// bereft holds that a folder without a manifest is none that had one: a
// dictionary, a segment, or a head log that something was written to is there
// only once a manifest named it. What a crash leaves of a ledger that was just
// being made is less. A folder that is not there is no error.
func bereft(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return errs.Wrap("open ledger", dir, err)
	}
	for _, e := range entries {
		name := e.Name()
		lost := strings.HasPrefix(name, "segment-") || strings.HasSuffix(name, ".dict")
		if strings.HasPrefix(name, "head-") {
			info, err := e.Info()
			lost = err == nil && info.Size() > headData
		}
		if lost && !exists(filepath.Join(dir, manifestName)) { // another process may just have made it
			return errs.New("open ledger", errs.Corrupt, dir, "the file "+manifestName+" is gone, and "+name+" belongs to a ledger that had it",
				"restore the file from a backup, or move the folder away and import again")
		}
	}
	return nil
}
