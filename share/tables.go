package share

import (
	"context"

	"bongsu/journal"
)

// derived are the tables that Apply fills from statements; Create drops and
// makes them anew. Times are microseconds since 1970, UTC.
var derived = []string{
	`DROP TABLE IF EXISTS share_partner`,
	`CREATE TABLE share_partner (
		org TEXT PRIMARY KEY, name TEXT NOT NULL, fingerprint TEXT NOT NULL, address TEXT NOT NULL,
		since INTEGER NOT NULL, gone INTEGER NOT NULL, document BLOB NOT NULL) STRICT`,
	`DROP TABLE IF EXISTS share_agreement`,
	`CREATE TABLE share_agreement (
		id TEXT PRIMARY KEY, partner TEXT NOT NULL, bundle BLOB NOT NULL, modified INTEGER NOT NULL,
		next INTEGER NOT NULL, since INTEGER NOT NULL) STRICT`,
	`DROP TABLE IF EXISTS share_sent`,
	`CREATE TABLE share_sent (
		agreement TEXT NOT NULL, pos INTEGER NOT NULL, statement TEXT NOT NULL, version TEXT NOT NULL,
		act TEXT NOT NULL, type TEXT NOT NULL, committed INTEGER NOT NULL,
		PRIMARY KEY (agreement, pos)) STRICT, WITHOUT ROWID`,
	// Without INDEXED BY the planner prefers the first column of the key.
	`CREATE INDEX share_sent_statement ON share_sent (statement, agreement, version)`,
	`DROP TABLE IF EXISTS share_withheld`,
	`CREATE TABLE share_withheld (
		agreement TEXT NOT NULL, seq INTEGER NOT NULL, statement TEXT NOT NULL, reason TEXT NOT NULL,
		PRIMARY KEY (agreement, seq)) STRICT, WITHOUT ROWID`,
	`DROP TABLE IF EXISTS share_received`,
	`CREATE TABLE share_received (
		org TEXT NOT NULL, log TEXT NOT NULL, pos INTEGER NOT NULL, statement TEXT NOT NULL, version TEXT NOT NULL,
		seq INTEGER NOT NULL, at INTEGER NOT NULL, committed INTEGER NOT NULL, answered INTEGER NOT NULL,
		PRIMARY KEY (org, log, pos)) STRICT, WITHOUT ROWID`,
	`CREATE INDEX share_received_statement ON share_received (org, statement)`,
	`CREATE INDEX share_received_open ON share_received (answered) WHERE answered = 0`,
	`DROP TABLE IF EXISTS share_answer`,
	`CREATE TABLE share_answer (
		log TEXT NOT NULL, pos INTEGER NOT NULL, state TEXT NOT NULL, PRIMARY KEY (log, pos, state)) STRICT, WITHOUT ROWID`,
	`DROP TABLE IF EXISTS share_receipt`,
	`CREATE TABLE share_receipt (
		agreement TEXT NOT NULL, pos INTEGER NOT NULL, state TEXT NOT NULL, org TEXT NOT NULL, statement TEXT NOT NULL,
		at INTEGER NOT NULL, ms REAL NOT NULL, reason TEXT NOT NULL, seq INTEGER NOT NULL,
		PRIMARY KEY (agreement, pos, state)) STRICT, WITHOUT ROWID`,
	`CREATE INDEX share_receipt_statement ON share_receipt (statement)`,
	`CREATE INDEX share_receipt_seq ON share_receipt (org, seq)`,
}

// kept are tables whose rows no statement holds: what is secret, passing, or
// about connections. Losing them loses open invitations and the last times of
// contact, no more.
var kept = []string{
	`CREATE TABLE IF NOT EXISTS share_invitation (
		hash BLOB PRIMARY KEY, made INTEGER NOT NULL, expires INTEGER NOT NULL, used_by TEXT NOT NULL) STRICT`,
	`CREATE TABLE IF NOT EXISTS share_seen (
		org TEXT PRIMARY KEY, at INTEGER NOT NULL, offset_us INTEGER NOT NULL, uncertain_us INTEGER NOT NULL,
		fault TEXT NOT NULL) STRICT`,
	`CREATE TABLE IF NOT EXISTS share_delivered (
		agreement TEXT PRIMARY KEY, digest BLOB NOT NULL) STRICT`,
	`CREATE TABLE IF NOT EXISTS share_cosigned (
		agreement TEXT PRIMARY KEY, size INTEGER NOT NULL, note BLOB NOT NULL) STRICT`,
}

// Create makes the view's tables, empty.
func (v *View) Create(ctx context.Context, tx *journal.Tx) error {
	for _, list := range [][]string{derived, kept} {
		for _, q := range list {
			if err := tx.Exec(ctx, q); err != nil {
				return err
			}
		}
	}
	return nil
}
