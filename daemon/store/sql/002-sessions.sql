-- SPDX-License-Identifier: LGPL-2.1-or-later
-- SPDX-FileCopyrightText: 2026 The transferd authors
--
-- Leftovers are of two kinds: "file", a temporary that could not be deleted, and "session", what a
-- server keeps of an upload that was given up. A session has the URL and the options it was begun
-- with, and is given up in its turn when it was tried for span microseconds since "since", a boot
-- time of the boot that boot_id names.

ALTER TABLE leftovers ADD COLUMN kind    TEXT NOT NULL DEFAULT 'file';
ALTER TABLE leftovers ADD COLUMN url     TEXT;
ALTER TABLE leftovers ADD COLUMN options BLOB;
ALTER TABLE leftovers ADD COLUMN boot_id TEXT;
ALTER TABLE leftovers ADD COLUMN since   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE leftovers ADD COLUMN span    INTEGER NOT NULL DEFAULT 0;

CREATE INDEX leftovers_by_kind ON leftovers (kind);

PRAGMA user_version = 2;
