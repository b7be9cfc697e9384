package bongsu_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// floors is the house: a package imports only from floors below its own, or
// from the room it lies in (trace/findings may import trace). A package that is
// not here inherits its parent's floor.
var floors = map[string]int{
	"errs":    0,
	"chain":   1,
	"durable": 1,
	"figures": 1,
	"stix":    2, "identity": 2,
	"ledger": 3, "journal": 3,
	"ingest": 4, "labels": 4, "agreement": 4, "data": 4,
	"trace":  5,
	"screen": 6, "share": 6,
	"api": 8, "web": 8,
	"cmd": 9, "testenv": 9,
}

// exceptions are imports that the floors forbid, each with its reason.
var exceptions = map[string]string{
	"stix -> identity": "statements name organisations by identity.OrgID; identity knows no statements",
}

// forbidden are modules that must not be linked into what ships.
var forbidden = map[string]string{
	"C":                               "what ships builds without cgo",
	"github.com/ethereum/go-ethereum": "LGPL: a peer for tests, never linked",
	"github.com/mattn/go-sqlite3":     "needs cgo; modernc.org/sqlite is the store",
}

// baselines may import what ships must not: they measure against it.
var baselines = regexp.MustCompile(`bench|generate`)

type source struct {
	dir, path string
	file      *ast.File
	test      bool
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (p != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() == "build" || d.Name() == "dist") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		out = append(out, source{filepath.ToSlash(filepath.Dir(p)), p, f, strings.HasSuffix(p, "_test.go")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func floorOf(dir string) (int, bool) {
	for d := dir; d != "."; d = filepath.ToSlash(filepath.Dir(d)) {
		if f, ok := floors[d]; ok {
			return f, true
		}
	}
	return 0, false
}

func TestFloors(t *testing.T) {
	for _, s := range sources(t) {
		if s.dir == "." || s.test {
			continue
		}
		own, ok := floorOf(s.dir)
		if !ok {
			t.Errorf("%s: package has no floor; give it one in house_test.go", s.dir)
			continue
		}
		for _, imp := range s.file.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			for mod, why := range forbidden {
				if (path == mod || strings.HasPrefix(path, mod+"/")) && !baselines.MatchString(s.dir) {
					t.Errorf("%s imports %s: %s", s.path, path, why)
				}
			}
			to, inside := strings.CutPrefix(path, "bongsu/")
			if !inside || strings.HasPrefix(to, s.dir+"/") || strings.HasPrefix(s.dir, to+"/") {
				continue
			}
			floor, ok := floorOf(to)
			if !ok {
				t.Errorf("%s imports %s, which has no floor", s.path, path)
				continue
			}
			if floor < own || (own == 9 && strings.HasPrefix(s.dir, "cmd/")) {
				continue
			}
			if room(s.dir) == room(to) { // siblings of one room: trace/links, trace/findings
				continue
			}
			if _, ok := exceptions[s.dir+" -> "+to]; !ok {
				t.Errorf("%s (floor %d) imports %s (floor %d): a package imports only from floors below its own", s.path, own, to, floor)
			}
		}
	}
}

func room(dir string) string {
	r, _, _ := strings.Cut(dir, "/")
	return r
}

func TestPackageComments(t *testing.T) {
	has, seen := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		seen[s.dir] = true
		if s.file.Doc != nil && len(s.file.Doc.Text()) > 60 {
			has[s.dir] = true
		}
	}
	for dir := range seen {
		if !has[dir] {
			t.Errorf("%s: no package comment that says what it is, its invariants and what it is not", dir)
		}
	}
}

func TestNames(t *testing.T) {
	bad := regexp.MustCompile(`^(util|utils|common|models?|managers?|helpers?)$`)
	for _, s := range sources(t) {
		if name := s.file.Name.Name; bad.MatchString(name) && s.dir != "ledger/model" {
			t.Errorf("%s: package name %q says nothing; name it after the field", s.path, name)
		}
	}
}

// TestNothingOutside holds that a clone alone is enough.
func TestNothingOutside(t *testing.T) {
	bad := []string{"../" + "shared", "/work/" + "shared", "/work/" + "main"}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != "." && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "build" || d.Name() == "dist") {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil || info.Size() > 4<<20 {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		for _, s := range bad {
			if strings.Contains(string(b), s) {
				t.Errorf("%s refers to %s, which a clone does not have", p, s)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFormats holds that every room that writes a format of its own draws it.
func TestFormats(t *testing.T) {
	for _, dir := range []string{"agreement", "api", "identity", "journal", "ledger", "share", "trace"} {
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		if b, err := os.ReadFile(filepath.Join(dir, "FORMAT.md")); err != nil || len(b) < 500 {
			t.Errorf("%s/FORMAT.md is missing or empty: every on-disk and wire format is drawn beside its code", dir)
		}
	}
}
