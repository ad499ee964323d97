-- SPDX-License-Identifier: LGPL-2.1-or-later
-- SPDX-FileCopyrightText: 2026 The transferd authors
--
-- jobs.sandbox names the sandbox whose program made the job, '' = none: only it and its user's
-- programs outside of any sandbox may use the job, and its tombstone. jobs.secrets and
-- leftovers.secrets are encrypted: what no file of the service may show. jobs.gone_since is when the
-- user of the job was first found to be nobody, or another person, a time of the epoch, 0 = is there.
-- files.attached: the directory (or the file that is sent) was handed in as a descriptor by a program
-- that may not name paths.

ALTER TABLE jobs ADD COLUMN sandbox    TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN secrets    BLOB;
ALTER TABLE jobs ADD COLUMN gone_since INTEGER NOT NULL DEFAULT 0;

ALTER TABLE files ADD COLUMN attached INTEGER NOT NULL DEFAULT 0 CHECK (attached IN (0, 1));

ALTER TABLE tombstones ADD COLUMN sandbox TEXT NOT NULL DEFAULT '';

ALTER TABLE leftovers ADD COLUMN secrets  BLOB;
ALTER TABLE leftovers ADD COLUMN attached INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 3;
