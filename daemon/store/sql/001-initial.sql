-- SPDX-License-Identifier: LGPL-2.1-or-later
-- SPDX-FileCopyrightText: 2026 The transferd authors
--
-- The first version of the database. Never edited once released: a change is a new numbered file.
--
-- Enumerations are stored as their strings, dictionaries as serialised GVariants of type a{sv},
-- local paths as BLOB because they need not be UTF-8. Sizes are unsigned: -1 is "unknown".
-- Times are microseconds: *_time, ended, created, last_try and events.time since the epoch; the
-- others of CLOCK_BOOTTIME in the boot that boot_id names; 0 is "none".

PRAGMA application_id = 1415988273;
PRAGMA user_version = 1;

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
  number              INTEGER PRIMARY KEY AUTOINCREMENT,
  id                  TEXT NOT NULL UNIQUE,
  type                TEXT NOT NULL,
  state               TEXT NOT NULL,
  operation           TEXT NOT NULL,
  operation_options   BLOB,
  owner_uid           INTEGER NOT NULL,
  owner_name          TEXT,
  properties          BLOB NOT NULL,
  creation_time       INTEGER NOT NULL,
  modification_time   INTEGER NOT NULL,
  completion_time     INTEGER NOT NULL,
  failure_name        TEXT NOT NULL,
  failure_context     TEXT NOT NULL,
  failure_transient   INTEGER NOT NULL CHECK (failure_transient IN (0, 1)),
  failure_file        INTEGER NOT NULL,
  failure_http_status INTEGER NOT NULL,
  failure_retry_after INTEGER NOT NULL,
  failure_message     TEXT,
  error_count         INTEGER NOT NULL,
  retry_attempt       INTEGER NOT NULL,
  retry_at            INTEGER NOT NULL,
  boot_id             TEXT,
  no_progress_since   INTEGER NOT NULL,
  active_time         INTEGER NOT NULL,
  last_activity       INTEGER NOT NULL,
  resumed             INTEGER NOT NULL CHECK (resumed IN (0, 1)),
  files_total         INTEGER NOT NULL,
  files_transferred   INTEGER NOT NULL,
  bytes_total         INTEGER NOT NULL,
  bytes_transferred   INTEGER NOT NULL,
  counts              INTEGER NOT NULL CHECK (counts IN (0, 1))
) STRICT;

CREATE INDEX jobs_counting ON jobs (owner_uid) WHERE counts = 1;

CREATE TABLE files (
  job         INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
  number      INTEGER NOT NULL,
  url         TEXT NOT NULL,
  path        BLOB NOT NULL,
  options     BLOB,
  state       TEXT NOT NULL,
  transferred INTEGER NOT NULL,
  total       INTEGER NOT NULL,
  attempt     INTEGER NOT NULL,
  part        BLOB CHECK (length (part) <= 4096),
  directory   BLOB,
  target      BLOB,
  PRIMARY KEY (job, number),
  UNIQUE (job, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  job     INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
  number  INTEGER NOT NULL,
  time    INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  details BLOB NOT NULL,
  PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE tombstones (
  number          INTEGER PRIMARY KEY AUTOINCREMENT,
  id              TEXT NOT NULL UNIQUE,
  owner_uid       INTEGER NOT NULL,
  type            TEXT NOT NULL,
  result          TEXT NOT NULL,
  display_name    TEXT,
  ended           INTEGER NOT NULL,
  error_name      TEXT,
  kept_count      INTEGER NOT NULL,
  discarded_count INTEGER NOT NULL,
  undeleted       BLOB
) STRICT;

CREATE INDEX tombstones_of_user ON tombstones (owner_uid);
CREATE INDEX tombstones_by_age ON tombstones (ended);

-- Apart, so that a listing does not read the long lists.
CREATE TABLE tombstone_files (
  number    INTEGER PRIMARY KEY REFERENCES tombstones (number) ON DELETE CASCADE,
  kept      BLOB,
  discarded BLOB
) STRICT;

CREATE TABLE leftovers (
  number     INTEGER PRIMARY KEY AUTOINCREMENT,
  owner_uid  INTEGER NOT NULL,
  owner_name TEXT,
  job_id     TEXT NOT NULL,
  file       INTEGER NOT NULL,
  attempt    INTEGER NOT NULL,
  path       BLOB NOT NULL,
  part       BLOB,
  directory  BLOB,
  created    INTEGER NOT NULL,
  last_try   INTEGER NOT NULL
) STRICT;

CREATE INDEX leftovers_of_user ON leftovers (owner_uid);
