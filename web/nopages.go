//go:build !pages

package web

import "io/fs"

// Pages is the built pages, index.html at the root, and whether this binary was
// built with them. This one was not: it lacks the build tag `pages`.
func Pages() (fs.FS, bool) { return nil, false }
