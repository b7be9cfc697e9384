package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/journal/journaltest"
	"bongsu/journal/sqlite"
)

// victim is a folder with a journal of every kind of entry: own, shared,
// received, erased. Returned are its folder, keys and a received statement.
func victim(t *testing.T) (dir string, keys *identity.Keys) {
	t.Helper()
	a, p := journaltest.NewNode(t, open, "Agency", journal.Options{}), journaltest.NewNode(t, open, "Partner", journal.Options{})
	journaltest.Meet(t, a, p)
	own := a.Add(t, a.Listing(t, 0, journaltest.T0), a.Listing(t, 1, journaltest.T0))
	a.Share(t, "feed/x", own[1])
	for i := 2; i < 6; i++ {
		a.Add(t, a.Listing(t, i, journaltest.T0))
	}
	p.Share(t, "feed/y", p.Add(t, p.Listing(t, 10, journaltest.T0), p.Listing(t, 11, journaltest.T0))...)
	b, err := p.Batch(t.Context(), "feed/y", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Receive(t.Context(), p.Keys.ID(), "feed/y", b); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Erase(t.Context(), 5, "kim", "retention"); err != nil {
		t.Fatal(err)
	}
	a.Clean(t)
	a.Close()
	return a.Dir, a.Keys
}

// checkCopy copies the journal, lets tamper change the copy, and checks it.
// When the copy cannot be opened any more, that is the finding.
func checkCopy(t *testing.T, dir string, keys *identity.Keys, tamper func(path string) error) (problems string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := tamper(path); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), path)
	if err != nil {
		return err.Error()
	}
	defer store.Close()
	r, err := journal.CheckStore(t.Context(), store, keys.ID())
	if err != nil {
		t.Fatal(err)
	}
	if (r.Err() == nil) != (len(r.Problems) == 0) || (r.Err() != nil && errs.Is(r.Err()) != errs.Corrupt) {
		t.Errorf("report %v with %d problems", r.Err(), len(r.Problems))
	}
	for _, p := range r.Problems {
		problems += p.Where + ": " + p.What + "\n"
	}
	return problems
}

// Each change is found, and where it concerns an entry, the entry is named.
func TestTampering(t *testing.T) {
	dir, keys := victim(t)
	if p := checkCopy(t, dir, keys, func(string) error { return nil }); p != "" {
		t.Fatalf("the untouched copy: %s", p)
	}
	const own = "(SELECT id FROM logs WHERE name='journal')"
	const mirror = "(SELECT id FROM logs WHERE name='feed/y')"
	at := func(seq int) string { return fmt.Sprintf(" WHERE log=%s AND seq=%d", own, seq) }
	for name, c := range map[string]struct{ sql, want string }{
		"payload changed":            {"UPDATE payloads SET payload=replace(payload, 'd2.', 'd3.') WHERE commitment=(SELECT commitment FROM entries" + at(2) + ")", "journal/2"},
		"payload bit flipped":        {"UPDATE payloads SET payload=CAST(replace(CAST(payload AS TEXT), 'test', 'tesu') AS BLOB) WHERE commitment=(SELECT commitment FROM entries" + at(2) + ")", "journal/2"},
		"salt changed":               {"UPDATE payloads SET salt=zeroblob(32) WHERE commitment=(SELECT commitment FROM entries" + at(3) + ")", "journal/3"},
		"payload removed":            {"DELETE FROM payloads WHERE commitment=(SELECT commitment FROM entries" + at(4) + ")", "journal/4"},
		"payload of another":         {"UPDATE payloads SET payload=(SELECT payload FROM payloads WHERE commitment=(SELECT commitment FROM entries" + at(3) + ")) WHERE commitment=(SELECT commitment FROM entries" + at(2) + ")", "journal/2"},
		"payload of nothing":         {"INSERT INTO payloads VALUES (zeroblob(32), zeroblob(32), x'7b7d')", "payloads of no entry"},
		"author changed":             {"UPDATE entries SET author='identity--00000000-0000-4000-8000-000000000000'" + at(1), "journal/1"},
		"id changed":                 {"UPDATE entries SET id='note--00000000-0000-4000-8000-000000000000'" + at(1), "journal/1"},
		"version changed":            {"UPDATE entries SET version='2027-01-01T00:00:00.000000000Z'" + at(1), "journal/1"},
		"commitment changed":         {"UPDATE entries SET commitment=zeroblob(32)" + at(1), "journal/1"},
		"envelope marking lowered":   {"UPDATE entries SET envelope=CAST(replace(CAST(envelope AS TEXT), 'GREEN', 'CLEAR') AS BLOB)" + at(1), "journal/1"},
		"envelope actor changed":     {"UPDATE entries SET envelope=CAST(replace(CAST(envelope AS TEXT), 'kim', 'lee') AS BLOB)" + at(1), "journal/1"},
		"envelope not JSON":          {"UPDATE entries SET envelope=x'00'" + at(1), "journal/1"},
		"entry removed":              {"DELETE FROM entries" + at(3), "journal/4"},
		"first entry removed":        {"DELETE FROM entries" + at(0), "journal/1"},
		"last entry removed":         {"DELETE FROM entries" + at(8), "log journal"},
		"entries swapped":            {"UPDATE entries SET seq=-1" + at(1) + "; UPDATE entries SET seq=1" + at(2) + "; UPDATE entries SET seq=2 WHERE seq=-1", "journal/1"},
		"entry repeated":             {"INSERT INTO entries SELECT log, 9, id, author, version, commitment, envelope FROM entries" + at(8), "journal/9"},
		"entry moved to another log": {"UPDATE entries SET log=" + mirror + ", seq=2" + at(8), "feed/y/2"},
		"hash changed":               {"UPDATE hashes SET hash=zeroblob(32) WHERE log=" + own + " AND pos=3", "journal/2"},
		"hash removed":               {"DELETE FROM hashes WHERE log=" + own + " AND pos=3", "journal/2"},
		"hash added":                 {"INSERT INTO hashes VALUES (" + own + ", 99, zeroblob(32))", "more stored hashes"},
		"checkpoint changed":         {"UPDATE checkpoints SET note=CAST(replace(CAST(note AS TEXT), '\n2\n', '\n3\n') AS BLOB) WHERE log=" + own + " AND size=2", "checkpoint of size 2"},
		"checkpoint of another log":  {"UPDATE checkpoints SET note=(SELECT note FROM checkpoints WHERE log=" + mirror + ") WHERE log=" + own + " AND size=2", "checkpoint of size 2"},
		"newest checkpoint removed":  {"DELETE FROM checkpoints WHERE log=" + own + " AND size=9", "no checkpoint signs"},
		"log shortened":              {"UPDATE logs SET size=8 WHERE name='journal'", ""},
		"tail cut":                   {"DELETE FROM entries" + at(8) + "; UPDATE logs SET size=8 WHERE name='journal'", ""},
		"edge changed":               {"UPDATE logs SET edge=zeroblob(length(edge)) WHERE name='journal'", "edge"},
		"edge cut":                   {"UPDATE logs SET edge=x'' WHERE name='journal'", "edge"},
		"log removed":                {"PRAGMA foreign_keys=0; DELETE FROM logs WHERE name='feed/x'", "of no log"},
		"log renamed":                {"UPDATE logs SET name='feed/z' WHERE name='feed/x'", "feed/z"},
		"log time set back":          {"UPDATE logs SET time=0 WHERE name='journal'", "time"},
		"mirror removed":             {"PRAGMA foreign_keys=0; DELETE FROM entries WHERE log=" + mirror + "; DELETE FROM hashes WHERE log=" + mirror + "; DELETE FROM checkpoints WHERE log=" + mirror + "; DELETE FROM logs WHERE name='feed/y'", "journal/6"},
		"mirror's owner changed":     {"UPDATE logs SET org=(SELECT value FROM meta) WHERE name='feed/y'", "feed/y"},
		"partner's document removed": {"DELETE FROM orgs WHERE id<>(SELECT value FROM meta)", "feed/y"},
		"partner's document changed": {"UPDATE orgs SET doc=CAST(replace(CAST(doc AS TEXT), 'Partner', 'Partnes') AS BLOB)", "Partner"},
		"owner changed":              {"UPDATE meta SET value='identity--00000000-0000-4000-8000-000000000000'", "another organisation"},
	} {
		t.Run(name, func(t *testing.T) {
			got := checkCopy(t, dir, keys, func(path string) error { return script(path, c.sql) })
			if got == "" {
				t.Fatal("not found")
			}
			if name == "partner's document changed" {
				return // its name is in the changed bytes
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("found without naming %q:\n%s", c.want, got)
			}
		})
	}
}

// A changed payload is not read, not sent and not exported.
func TestTamperedPayloadIsNotUsed(t *testing.T) {
	n := journaltest.NewNode(t, open, "Agency", journal.Options{})
	e := n.Add(t, n.Listing(t, 1, journaltest.T0))[0]
	n.Share(t, "feed/x", e)
	if err := script(filepath.Join(n.Dir, "journal.db"), "UPDATE payloads SET payload=CAST(replace(CAST(payload AS TEXT), 'd1.', 'd2.') AS BLOB)"); err != nil {
		t.Fatal(err)
	}
	_, get := n.Get(t.Context(), e.ID)
	_, read := n.Read(t.Context(), journal.LogJournal, 0, 10)
	_, batch := n.Batch(t.Context(), "feed/x", 0, 10)
	_, export := n.Export(t.Context(), []string{e.ID})
	for name, err := range map[string]error{"get": get, "read": read, "batch": batch, "export": export} {
		if errs.Is(err) != errs.Corrupt || !strings.Contains(err.Error(), e.ID) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Bytes of rows are changed in the file itself, one at a time, all over it.
// Whatever holds content is found; what is not found must have changed
// nothing that can be read.
func TestFlippedFileBytes(t *testing.T) {
	dir, keys := victim(t)
	name := filepath.Join(dir, "journal.db")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	tried := 0
	deadline := time.Now().Add(2 * time.Second)
	for _, needle := range []string{"d2.example", "GREEN", `"act":"state"`, "GDPR 6(1)(e)", "\u2014 identity--", "\"not_after\""} {
		for from := 0; time.Now().Before(deadline); {
			i := strings.Index(text[from:], needle)
			if i < 0 {
				break
			}
			at := from + i
			from = at + 1
			tried++
			got := checkCopy(t, dir, keys, func(path string) error {
				bad := append([]byte{}, b...)
				bad[at] ^= 1
				return os.WriteFile(path, bad, 0o600)
			})
			if got == "" {
				t.Errorf("byte %d changed unseen, in %q", at, b[max(0, at-40):min(len(b), at+40)])
			}
		}
	}
	if tried < 6 {
		t.Errorf("only %d bytes were tried", tried)
	}
}
