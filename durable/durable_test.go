package durable_test

import (
	"os"
	"path/filepath"
	"testing"

	"bongsu/durable"
	"bongsu/errs"
)

// TestRemovedLock has one wait for a lock whose holder removes its file: what
// it gets is the lock at that name, which excludes others.
func TestRemovedLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	first, err := durable.TryLock(name)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *durable.Lock)
	go func() {
		second, err := durable.WaitLock(name)
		if err != nil {
			t.Error(err)
		}
		got <- second
	}()
	if err := first.Remove(); err != nil {
		t.Fatal(err)
	}
	second := <-got
	if _, err := durable.TryLock(name); errs.Is(err) != errs.Unavailable {
		t.Fatalf("a third holder: %v", err)
	}
	if err := second.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Fatalf("the file is still there (%v)", err)
	}
}
