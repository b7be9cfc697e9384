package evaluate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bongsu/errs"
	"bongsu/trace"
)

// addr is an address of one repeated digit.
func addr(digit string) string { return "0x" + strings.Repeat(digit, 40) }

const head = "Timestamp,Block,Tx_hash,From,From_label,To,To_label,Value_in_USD\n"

// row writes one row as the public files do.
func row(block int, tx, from, to, value string) string {
	return fmt.Sprintf("2024-08-20 10:00:%02d,%d,0x%s,%s,,%s,,%s\n", block%60, block, tx, addr(from), addr(to), value)
}

// folder makes a case.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// measured is the score of one method without traffic.
func measured(t *testing.T, dir string, m trace.Method) Score {
	t.Helper()
	c, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	scores, _, err := Run(context.Background(), c, Options{Methods: []trace.Method{m}, Traffic: []int{0}})
	if err != nil {
		t.Fatal(err)
	}
	return scores[0]
}

func attribution(s Score) float64 {
	if s.Attribution == nil {
		return -1
	}
	return *s.Attribution
}

// The definitions of the evaluation, each by a case worked by hand: s is the
// source, a and b pass on, t is the terminal.
func TestDefinitions(t *testing.T) {
	lists := func(flows string) map[string]string {
		return map[string]string{"x.csv": head + flows, "source addresses.csv": addr("5"), "terminal addresses.csv": addr("7") + "\n" + addr("8")}
	}
	for _, c := range []struct {
		say          string
		flows        string
		method       trace.Method
		reach        float64
		attribution  float64
		bound        float64
		rows         int
		intoTerminal string
	}{
		{
			"1: USD rounded half-even to a millionth", row(1, "1", "5", "a", "1e-5") + row(2, "2", "a", "7", "0.0000045") + row(3, "3", "a", "7", "0.0000055"),
			trace.FIFO, 1, 1, 1, 3, "0.00001", // 4 and 6 millionths of 10
		},
		{
			"1: duplicate rows dropped; labels ignored",
			row(1, "1", "5", "a", "10") + row(1, "1", "5", "a", "10") + strings.Replace(row(1, "1", "5", "a", "10"), ",,", ",Thief,", 1) + row(2, "2", "a", "7", "10"),
			trace.FIFO, 1, 1, 1, 2, "10",
		},
		{
			"1: order by Block, Tx_hash, row", // by hash the 10 arrive at a before a sends; in the file they come after
			row(9, "2", "a", "7", "10") + row(9, "1", "5", "a", "10"),
			trace.FIFO, 1, 1, 1, 2, "10",
		},
		{
			"2: sources never run dry, returns to them end there", row(1, "1", "5", "a", "10") + row(2, "2", "a", "5", "10") + row(3, "3", "5", "7", "40"),
			trace.FIFO, 1, 1, 1, 3, "40",
		},
		{
			"2: all rows that a source sends, to itself too: such a return ends there at once",
			row(1, "1", "5", "5", "30") + row(2, "2", "5", "a", "10") + row(3, "3", "b", "b", "20") + row(4, "4", "a", "7", "40"),
			trace.FIFO, .8, .25, .25, 4, "40", // 80 of 100; b's own row carries nothing
		},
		{
			"a source that is a terminal sends to itself", strings.ReplaceAll(row(1, "1", "5", "5", "10"), addr("7"), addr("5")),
			trace.FIFO, 1, 1, 1, 1, "10",
		},
		{
			"2: other books open empty; definition 4 applies", // a is known to have 10 of the 30 that it sends
			row(1, "1", "5", "a", "10") + row(2, "2", "a", "7", "30"),
			trace.FIFO, 1, .33333, .33333, 2, "30",
		},
		{
			"2: other books are tracked from the file's first row: b's 20 are clean and older",
			row(1, "1", "b", "a", "20") + row(2, "2", "5", "a", "10") + row(3, "3", "a", "7", "20"),
			trace.FIFO, .2, 0, .5, 3, "20",
		},
		{
			"4: attribution = sum of x over T / value of T; reachability counts whole rows with x > 0",
			row(1, "1", "b", "a", "20") + row(2, "2", "5", "a", "10") + row(3, "3", "a", "7", "24"),
			trace.Haircut, .62963, .33333, .41667, 3, "24", // floor(24*10/30)=8; (10+24)/54
		},
		{
			"5: maximum flow in time: what arrives later is no source of what left before",
			row(1, "1", "a", "7", "10") + row(2, "2", "5", "a", "10"),
			trace.FIFO, .5, 0, 0, 2, "10",
		},
		{
			"5: terminals drain and do not forward", // 8 gets what 7 passes on, which the bound leaves out
			row(1, "1", "5", "7", "10") + row(2, "2", "7", "8", "10"),
			trace.FIFO, 1, 1, .5, 2, "20",
		},
		{
			"a source that is a terminal, too, is both", strings.ReplaceAll(row(1, "1", "5", "a", "10")+row(2, "2", "a", "7", "10"), addr("7"), addr("5")),
			trace.FIFO, 1, 1, 1, 2, "10",
		},
		{
			"2: the address of zeros is a book like any other", row(1, "1", "5", "0", "10") + row(2, "2", "0", "7", "10"),
			trace.FIFO, 1, 1, 1, 2, "10",
		},
		{
			"TIHO: rows of one transaction are one batch: the 10 fill the highest spend",
			row(1, "1", "5", "a", "10") + row(2, "2", "b", "a", "20") + row(3, "3", "a", "b", "15") + row(3, "3", "a", "7", "15"),
			trace.TIHO, .41667, 0, .66667, 4, "15",
		},
	} {
		t.Run(c.say, func(t *testing.T) {
			files := lists(c.flows)
			if strings.HasPrefix(c.say, "a source that is a terminal") {
				files["terminal addresses.csv"] = addr("5")
			}
			s := measured(t, folder(t, files), c.method)
			if s.Reachability != c.reach || attribution(s) != c.attribution || *s.Bound != c.bound || s.Rows != c.rows || s.Arrived != c.intoTerminal || s.Precision != 1 {
				t.Errorf("%+v: attribution %v, bound %v", s, attribution(s), *s.Bound)
			}
		})
	}
}

// However a folder is written, the same flows give the same figures.
func TestLayouts(t *testing.T) {
	flows := row(1, "1", "5", "a", "1000.5") + row(2, "2", "a", "b", "600") + row(3, "3", "b", "7", "600")
	base := map[string]string{"case.csv": head + flows, "source addresses.csv": addr("5") + "\n", "terminal addresses.csv": addr("7") + "\n"}
	want := measured(t, folder(t, base), trace.FIFO)
	edit := func(name, text string) map[string]string {
		out := map[string]string{}
		for k, v := range base {
			out[k] = v
		}
		if out[name] = text; text == "" {
			delete(out, name)
		}
		return out
	}
	lines := strings.SplitAfter(flows, "\n")
	turned := slices.Clone(lines)
	slices.Reverse(turned)
	reordered := "to,value_in_usd,note,BLOCK,from,Tx_Hash,timestamp\n"
	for i, l := range lines[:3] {
		f := strings.Split(strings.TrimSpace(l), ",")
		reordered += fmt.Sprintf("%s,%s,\"n, %d\",%s,%s,%s,%s\n", f[5], f[7], i, f[1], f[3], f[2], f[0])
	}
	split := edit("case.csv", head+lines[0])
	split["more.csv"] = head + lines[1] + lines[2]
	for name, files := range map[string]map[string]string{
		"CRLF":                          edit("case.csv", strings.ReplaceAll(head+flows, "\n", "\r\n")),
		"a byte order mark":             edit("case.csv", "\ufeff"+head+flows),
		"rows in another order":         edit("case.csv", head+strings.Join(turned, "")),
		"columns in another order":      edit("case.csv", reordered),
		"blank lines at the end":        edit("case.csv", head+flows+"\n,,,,,,,\n\n"),
		"no newline at the end":         edit("case.csv", strings.TrimSpace(head+flows)),
		"semicolons":                    edit("case.csv", strings.ReplaceAll(head+flows, ",", ";")),
		"quoted fields":                 edit("case.csv", head+strings.ReplaceAll(flows, ",,", `,"A ""name"", of a label",`)),
		"quotes inside a label":         edit("case.csv", head+strings.ReplaceAll(flows, ",,", `,the "big" one,`)),
		"scientific values":             edit("case.csv", strings.NewReplacer(",1000.5\n", ",1.0005E+3\n", ",600\n", ",6e2\n").Replace(head+flows)),
		"many digits":                   edit("case.csv", strings.ReplaceAll(head+flows, ",600\n", ",600.00000000000000000000000000000000000000000000000001\n")),
		"addresses in capitals":         edit("case.csv", head+strings.ReplaceAll(flows, addr("a"), "0x"+strings.Repeat("A", 40))),
		"addresses without 0x":          edit("source addresses.csv", strings.Repeat("5", 40)),
		"sources with a header":         edit("source addresses.csv", "address,label\n"+addr("5")+",Thief\n"),
		"several files of transfers":    split,
		"a block with a fraction":       edit("case.csv", strings.ReplaceAll(head+flows, ",1,0x1", ",1.0,0x1")),
		"times nobody can read":         edit("case.csv", strings.ReplaceAll(head+flows, "2024-08-20 10:00:0", "Aug-20-2024 10:00:0")),
		"a readme, and other tables":    edit("notes.csv", "who,what\nme,"+addr("9")+"\n"),
		"lists as text":                 edit("source_addresses.txt", addr("5")),
		"terminals in several files":    edit("terminal 2.txt", addr("7")),
		"an address that takes no part": edit("terminal addresses.csv", addr("9")+"\n"+addr("7")+"\n"),
	} {
		t.Run(name, func(t *testing.T) {
			got := measured(t, folder(t, files), trace.FIFO)
			if got.Reachability != want.Reachability || attribution(got) != attribution(want) || *got.Bound != *want.Bound || got.Rows != want.Rows || got.Arrived != want.Arrived {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
	if got := measured(t, folder(t, edit("terminal addresses.csv", "")), trace.FIFO); got.Attribution != nil || got.Bound != nil || got.Reachability != want.Reachability {
		t.Errorf("without terminals: %+v", got)
	}
}

// What cannot be measured says why.
func TestRefused(t *testing.T) {
	sources := addr("5")
	for name, c := range map[string]struct {
		files map[string]string
		why   string
	}{
		"no transfers":     {map[string]string{"source.csv": sources}, "holds no file of transfers"},
		"no sources":       {map[string]string{"x.csv": head + row(1, "1", "5", "a", "1")}, "names no source address"},
		"no value":         {map[string]string{"x.csv": "Block,From,To\n1,a,b\n", "source.csv": sources}, "lacks a column for the value"},
		"no place":         {map[string]string{"x.csv": "From,To,Value_in_USD\n1,a,b\n", "source.csv": sources}, "lacks a column for block or time"},
		"no addresses":     {map[string]string{"x.csv": "Block,Value_in_USD\n1,2\n", "source.csv": sources}, "lacks a column for from or to"},
		"a bad value":      {map[string]string{"x.csv": head + row(1, "1", "5", "a", "1,000"), "source.csv": sources}, "more fields than the header"},
		"not a number":     {map[string]string{"x.csv": head + row(1, "1", "5", "a", "NaN"), "source.csv": sources}, "not a value"},
		"a fraction":       {map[string]string{"x.csv": head + row(1, "1", "5", "a", "1/3"), "source.csv": sources}, "not a value"},
		"less than none":   {map[string]string{"x.csv": head + row(1, "1", "5", "a", "-1"), "source.csv": sources}, "not a value"},
		"no value in it":   {map[string]string{"x.csv": head + row(1, "1", "5", "a", ""), "source.csv": sources}, "x.csv:2"},
		"too much":         {map[string]string{"x.csv": head + row(1, "1", "5", "a", "1e60"), "source.csv": sources}, "too large"},
		"too much in all":  {map[string]string{"x.csv": head + row(1, "1", "5", "a", "2e12") + row(2, "2", "5", "a", "2e12"), "source.csv": sources}, "add up to more"},
		"a bad address":    {map[string]string{"x.csv": head + strings.Replace(row(1, "1", "5", "a", "1"), addr("a"), "0xabc", 1), "source.csv": sources}, "not an address"},
		"no block, no day": {map[string]string{"x.csv": "Timestamp,From,To,Value_in_USD\nsoon," + addr("5") + "," + addr("a") + ",1\n", "source.csv": sources}, "not a time"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, c.files)
			_, err := Load(dir)
			if k := errs.Is(err); k != errs.Invalid && k != errs.Limit || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%v, want: %s", err, c.why)
			}
		})
	}
}
