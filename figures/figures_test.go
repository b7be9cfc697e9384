package figures

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	var out bytes.Buffer
	table := Table{Out: &out}
	table.Add("scan", 80e6, "rows/s", 160e6, "memory alone")
	table.Add("open", 1.5, "ms", 0, "")
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != 2 ||
		!strings.Contains(lines[0], "80.00 M") || !strings.Contains(lines[0], "0.5  memory alone") || strings.HasSuffix(lines[1], " ") {
		t.Errorf("printed %q", out.String())
	}
	path := filepath.Join(t.TempDir(), "build", "bench", "x.json")
	if err := table.Write(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []Figure
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := []Figure{{"scan", 80e6, "rows/s", 160e6, 0.5, "memory alone"}, {Name: "open", Value: 1.5, Unit: "ms"}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("written %+v, want %+v", got, want)
	}
}

// TestAppend: two programs share a file, and one that runs twice counts once.
func TestAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench", "x.json")
	for _, v := range []float64{1, 2} {
		for _, name := range []string{"a", "b"} {
			var table Table
			table.Add(name, v, "s", 0, "")
			if err := table.Append(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []Figure
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0] != (Figure{Name: "a", Value: 2, Unit: "s"}) || got[1] != (Figure{Name: "b", Value: 2, Unit: "s"}) {
		t.Errorf("%+v", got)
	}
}

func TestReadings(t *testing.T) {
	work := 0
	for i := range 50_000_000 {
		work += i
	}
	if ProcessorTime() <= 0 || PeakMemory() <= 0 || work == 0 {
		t.Errorf("processor time %v, peak memory %v MB", ProcessorTime(), PeakMemory())
	}
}
