// Package web holds the workspace: the pages that a person works with, built
// from the TypeScript and Svelte sources beside this file, and embedded.
//
// The pages are a view of the API (package api) and hold nothing of their own.
// `npm ci && npm run build` writes them to web/dist, which is not committed; a
// build with the tag `pages` embeds that folder and fails when it is missing. A
// build without the tag has no pages and says so (Pages returns false), so that
// a plain `go build` needs no Node.
//
// Invariants of what is embedded: no file asks anything of another host, none
// needs inline script or style, and every file but index.html and licenses.txt
// carries a hash of its content in its name under assets/, so that it may be
// cached for ever. The policy that the pages are tested under is CSP.
//
// The package serves nothing: package api does, with sessions and headers.
package web

// CSP is the Content-Security-Policy that the pages work under without a
// violation; the browser tests run with exactly this. Svelte makes its static
// templates through the one named Trusted Types policy. data: images are not
// used by the sources and are allowed for exports that a person makes.
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types svelte-trusted-html"
