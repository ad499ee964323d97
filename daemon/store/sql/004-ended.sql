-- SPDX-License-Identifier: LGPL-2.1-or-later
-- SPDX-FileCopyrightText: 2026 The transferd authors
--
-- jobs.ended: the job is over, and its tombstone is there. Of a job with many files the rows are
-- deleted a few at a time; until they all are, its own row has nothing but its number, which holds
-- them together.

ALTER TABLE jobs ADD COLUMN ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1));

CREATE INDEX jobs_ended ON jobs (number) WHERE ended = 1;

PRAGMA user_version = 4;
