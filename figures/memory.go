package figures

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"time"
)

// MemoryWatch looks every few milliseconds at what memory this process has. Its
// fields are the watching goroutine's until it ends.
type MemoryWatch struct {
	stop, done    chan struct{}
	own, resident float64
}

// watchEvery is short beside anything that a benchmark does for long.
const watchEvery = 5 * time.Millisecond

// WatchMemory begins to watch; End ends it.
func WatchMemory() *MemoryWatch {
	w := &MemoryWatch{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			w.look()
			select {
			case <-w.stop:
				w.look()
				return
			case <-tick.C:
			}
		}
	}()
	return w
}

// End gives the most memory seen, in MB of 2^20 bytes: the process's own, which
// is what it needs, and all that was resident, which counts pages of mapped files
// too, as many as the system finds room for. Where the system does not tell (it
// is not Linux), both are 0.
func (w *MemoryWatch) End() (own, resident float64) {
	close(w.stop)
	<-w.done
	return w.own, w.resident
}

func (w *MemoryWatch) look() {
	own, resident := memory()
	w.own, w.resident = max(w.own, own), max(w.resident, resident)
}

// memory reads RssAnon and VmRSS; see proc_pid_status(5).
func memory() (own, resident float64) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		field := strings.Fields(lines.Text())
		if len(field) < 2 {
			continue
		}
		kB, _ := strconv.ParseFloat(field[1], 64)
		switch field[0] {
		case "RssAnon:":
			own = kB / 1024
		case "VmRSS:":
			resident = kB / 1024
		}
	}
	return own, resident
}
