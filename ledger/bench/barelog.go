package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// bareLog is a file that is written as a head log is when a block is committed,
// and no more: what the disk itself takes for that at the same time.
type bareLog struct {
	f      *os.File
	record []byte
	at     int64
	took   []float64 // ms of each append
}

const (
	bareRecord = 56_100  // bytes, as a block of 300 transfers takes
	bareRoom   = 8 << 20 // bytes that are there before they are written, likewise
)

func newBareLog(dir string) (bareLog, error) {
	f, err := os.CreateTemp(dir, "bare")
	if err != nil {
		return bareLog{}, err
	}
	b := bareLog{f: f, record: make([]byte, bareRecord), at: 4096}
	if _, err = f.Write(make([]byte, bareRoom)); err == nil {
		err = f.Sync()
	}
	return b, err
}

// append syncs a record, and then a slot that says how far records go.
func (b *bareLog) append() error {
	if b.at+bareRecord > bareRoom {
		b.at = 4096
	}
	start := time.Now()
	for _, w := range []struct {
		bytes []byte
		at    int64
	}{{b.record, b.at}, {b.record[:28], 512}} {
		if _, err := b.f.WriteAt(w.bytes, w.at); err != nil {
			return err
		}
		if err := unix.Fdatasync(int(b.f.Fd())); err != nil {
			return err
		}
	}
	b.took = append(b.took, time.Since(start).Seconds()*1e3)
	b.at += bareRecord
	return nil
}

func (b *bareLog) close() {
	b.f.Close()
	os.Remove(b.f.Name())
}
