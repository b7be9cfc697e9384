// Package data holds the real, public data that the demo and the tests share:
// the published transfers of one theft, and attribution of some of the accounts
// in it. The files are embedded as they were published; README.md in each
// folder states source and licence. Nothing here was made up, nothing is
// parsed here, and no real private person appears in it.
package data

import "embed"

// Files holds bybit-2025 (hop1.csv, theft.csv, fbi-51.txt) and labels (TagPacks,
// with their LICENSE), under those names.
//
//go:embed bybit-2025/* labels/*
var Files embed.FS
