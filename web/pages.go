//go:build pages

package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Pages is the built pages, index.html at the root, and whether this binary was
// built with them.
func Pages() (fs.FS, bool) {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("web: the embedded folder has a fixed name: " + err.Error())
	}
	return sub, true
}
