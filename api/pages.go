package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"

	"bongsu/errs"
)

const (
	maxPages     = 2000     // files
	maxPageBytes = 64 << 20 // of them together
)

// pages are the built files, read once into memory.
type pages struct{ files map[string]*page }

type page struct {
	body      []byte
	mediaType string
	tag       string
	immutable bool
}

// noPages is what / shows when the binary was built without the pages.
const noPages = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>bongsu</title>" +
	"<h1>bongsu</h1><p>This binary was built without its pages. Run <code>make build</code> for one that has them; the API under <code>/api/v1</code> works.</p></html>\n"

// hashed matches names that carry a hash of their content, as Vite writes them
// ("index-Dk3bX9a1.js"): such a file never changes under its name.
var hashed = regexp.MustCompile(`-[A-Za-z0-9_-]{8}\.[a-z0-9]+$`)

// mediaTypes are fixed here: the system's own table differs between machines.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".json": "application/json", ".map": "application/json", ".svg": "image/svg+xml",
	".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
}

func readPages(root fs.FS) (*pages, error) {
	p := &pages{files: map[string]*page{}}
	if root == nil {
		p.add("index.html", []byte(noPages))
		return p, nil
	}
	total := 0
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		if total += len(body); total > maxPageBytes || len(p.files) >= maxPages {
			return errors.New("more than any built pages")
		}
		p.add(name, body)
		return nil
	})
	if err != nil {
		return nil, errs.Wrap("pages", "", err)
	}
	if p.files["index.html"] == nil {
		p.add("index.html", []byte(noPages))
	}
	return p, nil
}

func (p *pages) add(name string, body []byte) {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	t := mediaTypes[ext]
	if t == "" {
		if t = mime.TypeByExtension(ext); t == "" {
			t = "application/octet-stream"
		}
	}
	p.files[name] = &page{body, t, `"` + hex.EncodeToString(sum[:12]) + `"`, hashed.MatchString(name)}
}

// serve answers GET / and the files below it. Unknown names are 404: routes of
// the pages are behind the # and never reach the node.
func (p *pages) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		problem(405, errs.Usage, "pages can only be read", "use GET").with("Allow", "GET, HEAD").write(w)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	f := p.files[name]
	if f == nil {
		problem(404, errs.NotExist, "no such page", "start at /").write(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("ETag", f.tag)
	h.Set("Cache-Control", "no-cache")
	if f.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(f.body))
}
