-- The tables of a journal, schema version 1. FORMAT.md says what they mean.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE logs (
  id   INTEGER PRIMARY KEY,
  org  TEXT    NOT NULL,
  name TEXT    NOT NULL,
  size INTEGER NOT NULL,
  time INTEGER NOT NULL,
  edge BLOB    NOT NULL,
  UNIQUE (org, name)
);

CREATE TABLE entries (
  log        INTEGER NOT NULL REFERENCES logs (id),
  seq        INTEGER NOT NULL,
  id         TEXT    NOT NULL,
  author     TEXT    NOT NULL,
  version    TEXT    NOT NULL,
  commitment BLOB    NOT NULL,
  envelope   BLOB    NOT NULL,
  PRIMARY KEY (log, seq)
);
CREATE INDEX entries_id ON entries (id, log);
CREATE INDEX entries_commitment ON entries (commitment);

CREATE TABLE payloads (
  commitment BLOB PRIMARY KEY,
  salt       BLOB NOT NULL,
  payload    BLOB NOT NULL
);

CREATE TABLE hashes (
  log  INTEGER NOT NULL,
  pos  INTEGER NOT NULL,
  hash BLOB    NOT NULL,
  PRIMARY KEY (log, pos)
) WITHOUT ROWID;

CREATE TABLE checkpoints (
  log  INTEGER NOT NULL,
  size INTEGER NOT NULL,
  note BLOB    NOT NULL,
  PRIMARY KEY (log, size)
) WITHOUT ROWID;

CREATE TABLE orgs (
  id     TEXT    NOT NULL,
  number INTEGER NOT NULL,
  doc    BLOB    NOT NULL,
  PRIMARY KEY (id, number)
);

CREATE TABLE views (
  name    TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  applied INTEGER NOT NULL
) WITHOUT ROWID;
