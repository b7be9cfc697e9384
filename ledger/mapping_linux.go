package ledger

import (
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// adviseHuge asks for huge pages; a kernel without them refuses, and all is as
// it was.
func adviseHuge(data []byte) { _ = unix.Madvise(data, unix.MADV_HUGEPAGE) }

// memory is how many bytes this process may use at most, the files that it maps
// included; 0: unknown.
func memory() uint64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	text, _ := os.ReadFile("/proc/self/cgroup")
	return min(info.Totalram*uint64(info.Unit), boundOf("/sys/fs/cgroup", string(text)))
}

// boundOf is the lowest bound on memory of the control groups that text, a
// /proc/PID/cgroup, names, and of those around them; see cgroups(7).
func boundOf(root, text string) uint64 {
	low := ^uint64(0)
	for line := range strings.Lines(text) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) < 3 {
			continue
		}
		dir, file := "", "memory.max"
		if part[1] != "" {
			dir, file = "memory", "memory.limit_in_bytes" // version 1
		}
		if part[1] != "" && part[1] != "memory" {
			continue
		}
		for group := path.Clean("/" + part[2]); ; group = path.Dir(group) {
			if b, err := os.ReadFile(path.Join(root, dir, group, file)); err == nil {
				if n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil {
					low = min(low, n)
				}
			}
			if group == "/" {
				break
			}
		}
	}
	return low
}
