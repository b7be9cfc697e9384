package web

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// TestPages holds what doc.go promises of the embedded files; a build without
// the tag `pages` has none, and says so.
func TestPages(t *testing.T) {
	pages, built := Pages()
	if !built {
		if pages != nil {
			t.Error("there are pages in a build that says it has none")
		}
		return
	}
	index, err := fs.ReadFile(pages, "index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script>", "<style", " style=", " onclick="} {
		if strings.Contains(string(index), bad) {
			t.Errorf("index.html holds %q, which the policy forbids", bad)
		}
	}
	elsewhere := regexp.MustCompile(`(?:src|href|url\()=?["']?(?:https?:)?//`)
	hashed := regexp.MustCompile(`^assets/.+-[A-Za-z0-9_-]{8}\.[a-z0-9]+$`)
	err = fs.WalkDir(pages, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "index.html" || name == "licenses.txt" {
			return err
		}
		if !hashed.MatchString(name) {
			t.Errorf("%s carries no hash of its content", name)
		}
		body, err := fs.ReadFile(pages, name)
		if err == nil && elsewhere.Match(body) {
			t.Errorf("%s asks something of another host: %s", name, elsewhere.Find(body))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCSP(t *testing.T) {
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(CSP, part) {
			t.Errorf("the policy lacks %s", part)
		}
	}
	if strings.Contains(CSP, "unsafe") || strings.Contains(CSP, "http") {
		t.Errorf("the policy allows too much: %s", CSP)
	}
}
