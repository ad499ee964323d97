/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Limits: how many jobs, files and ranges there may be, and what is asked of who wants more.
 *
 * A call first reserves what it is about to create: from then on that is counted, so that no two
 * calls pass the same count while somebody is asked about one of them. What was not created is
 * given back. */
#pragma once

#include "engine/engine.h"

G_BEGIN_DECLS

typedef enum
{
  TFD_LIMIT_JOBS_PER_USER,
  TFD_LIMIT_JOBS_PER_MACHINE,
  TFD_LIMIT_FILES_PER_JOB,
  TFD_LIMIT_RANGES_PER_FILE,
  TFD_N_LIMITS,
} TfdLimit;

/* Counts one job more of user @uid, with @n_files; jobs of user 0 are neither counted nor limited.
 */
TfdReservation *
tfd_reservation_new_job (TfdEngine *engine, guint32 uid, TfdJobType type, guint n_files);

/* Counts @job, of somebody else, as one of user @uid, who is about to have it. */
TfdReservation *tfd_reservation_new_takeover (TfdEngine *engine, guint32 uid, TfdJob *job);

/* Counts @n_files more of @job. */
TfdReservation *tfd_reservation_new_files (TfdEngine *engine, TfdJob *job, guint n_files);

/* No file among those that are to be added has more ranges than @n_ranges. */
void tfd_reservation_set_ranges (TfdReservation *self, guint n_ranges);

/* Gives back what was reserved. */
void tfd_reservation_free (TfdReservation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdReservation, tfd_reservation_free)

/* More than the configuration allows, as it is now. */
gboolean tfd_reservation_exceeds (const TfdReservation *self, TfdLimit limit);

/* The numbers, for those who decide: a{ss}, floating. */
GVariant *tfd_reservation_describe (const TfdReservation *self, TfdLimit limit);

/* @limit does not hold for what was reserved. A job that the limit of the machine does not hold for
 * takes nothing from what others may have. */
void tfd_reservation_grant (TfdReservation *self, TfdLimit limit);

/* Why it is too much: (transfer full). */
GError *tfd_reservation_refuse (const TfdReservation *self, TfdLimit limit);

G_END_DECLS
