/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Limits: how many jobs, files and ranges there may be, and what is asked of who wants more. */
#include "config.h"

#include "engine/limits.h"

#include "engine/engine-private.h"

struct _TfdReservation
{
  TfdEngine *engine; /* (owned) */
  guint32 uid;
  TfdJobType type;
  TfdJob *job; /* (owned) (nullable) NULL = one that is to be created */
  guint n_files;
  guint n_ranges; /* of the file that has most */
  gboolean moves; /* it is one that counts already, of somebody else */
  /* what there was before, earlier reservations included */
  guint of_user, of_users, counted;
  guint64 files;
  gboolean granted[TFD_N_LIMITS];
};

static const char *const names[] = { "MaxJobsPerUser", "MaxJobsPerMachine", "MaxFilesPerJob",
                                     "MaxRangesPerFile" };
G_STATIC_ASSERT (G_N_ELEMENTS (names) == TFD_N_LIMITS);

void
tfd_engine_count_place (TfdEngine *self, guint32 uid, gboolean counts, int step)
{
  /* the administrator is never refused, and takes nothing from the others */
  if (uid == 0)
    return;
  tfd_engine_worker_state (self, uid)->counted += (guint) step;
  self->of_users += (guint) step;
  self->counted += counts ? (guint) step : 0;
}

void
tfd_engine_count_job (TfdEngine *self, const TfdJob *job, int step)
{
  const TfdJobRecord *record = job->record;

  tfd_engine_count_place (self, record->owner_uid, record->counts, step);
  /* whoever has the number of a user that is gone has nothing else of it, not its places either */
  if (record->owner_uid != 0 && record->gone_since != 0)
    tfd_engine_worker_state (self, record->owner_uid)->counted -= (guint) step;
}

static TfdReservation *
reservation_new (TfdEngine *engine, guint32 uid, TfdJobType type, guint n_files)
{
  TfdReservation *self = g_new0 (TfdReservation, 1);

  self->engine = g_object_ref (engine);
  self->uid = uid;
  self->type = type;
  self->n_files = n_files;
  self->of_user = tfd_engine_worker_state (engine, uid)->counted;
  self->of_users = engine->of_users;
  self->counted = engine->counted;
  return self;
}

TfdReservation *
tfd_reservation_new_job (TfdEngine *engine, guint32 uid, TfdJobType type, guint n_files)
{
  TfdReservation *self = reservation_new (engine, uid, type, n_files);

  tfd_engine_count_place (engine, uid, TRUE, 1);
  return self;
}

TfdReservation *
tfd_reservation_new_takeover (TfdEngine *engine, guint32 uid, TfdJob *job)
{
  TfdReservation *self = reservation_new (engine, uid, job->record->type, 0);

  self->moves = job->record->counts;
  tfd_engine_count_place (engine, uid, !self->moves, 1);
  return self;
}

TfdReservation *
tfd_reservation_new_files (TfdEngine *engine, TfdJob *job, guint n_files)
{
  TfdReservation *self = reservation_new (engine, tfd_job_uid (job), job->record->type, n_files);

  self->job = tfd_job_ref (job);
  self->files = (guint64) job->record->files_total + job->files_reserved;
  job->files_reserved += n_files;
  return self;
}

void
tfd_reservation_set_ranges (TfdReservation *self, guint n_ranges)
{
  self->n_ranges = n_ranges;
}

void
tfd_reservation_free (TfdReservation *self)
{
  if (self->job != NULL)
    self->job->files_reserved -= self->n_files;
  else
    tfd_engine_count_place (self->engine, self->uid,
                            !self->moves && !self->granted[TFD_LIMIT_JOBS_PER_MACHINE], -1);
  g_clear_pointer (&self->job, tfd_job_unref);
  g_object_unref (self->engine);
  g_free (self);
}

void
tfd_reservation_grant (TfdReservation *self, TfdLimit limit)
{
  if (limit == TFD_LIMIT_JOBS_PER_MACHINE && !self->granted[limit] && self->job == NULL &&
      !self->moves && self->uid != 0)
    self->engine->counted--;
  self->granted[limit] = TRUE;
}

gboolean
tfd_reservation_counts (const TfdReservation *self)
{
  return self->uid != 0 && !self->granted[TFD_LIMIT_JOBS_PER_MACHINE];
}

/* ---- the numbers ---- */

/* How many others there are: what came later does not matter, and what has ended since does not
 * either. */
static guint64
others (const TfdReservation *self, TfdLimit limit)
{
  TfdEngine *engine = self->engine;

  switch (limit)
    {
    case TFD_LIMIT_JOBS_PER_USER:
      return MIN (self->of_user, tfd_engine_worker_state (engine, self->uid)->counted - 1);
    case TFD_LIMIT_JOBS_PER_MACHINE:
      return MIN (self->counted,
                  engine->counted - (self->granted[TFD_LIMIT_JOBS_PER_MACHINE] ? 0 : 1));
    case TFD_LIMIT_RANGES_PER_FILE:
      return 0; /* each file has its own */
    case TFD_LIMIT_FILES_PER_JOB:
    default:
      return self->job == NULL ? 0
                               : MIN (self->files, (guint64) self->job->record->files_total +
                                                       self->job->files_reserved - self->n_files);
    }
}

static guint64
base (const TfdReservation *self, TfdLimit limit)
{
  const TfdConfig *config = self->engine->config;

  return limit == TFD_LIMIT_JOBS_PER_USER      ? config->max_jobs_per_user
         : limit == TFD_LIMIT_JOBS_PER_MACHINE ? config->max_jobs_per_machine
         : limit == TFD_LIMIT_FILES_PER_JOB    ? config->max_files_per_job
                                               : config->max_ranges_per_file;
}

/* How many files or ranges there are to be. */
static guint
wanted (const TfdReservation *self, TfdLimit limit)
{
  return limit == TFD_LIMIT_RANGES_PER_FILE ? self->n_ranges : self->n_files;
}

gboolean
tfd_reservation_exceeds (const TfdReservation *self, TfdLimit limit)
{
  if (limit >= TFD_LIMIT_FILES_PER_JOB)
    return others (self, limit) + wanted (self, limit) > base (self, limit);
  if (limit == TFD_LIMIT_JOBS_PER_MACHINE && self->moves)
    return FALSE;
  return self->uid != 0 && self->job == NULL && others (self, limit) >= base (self, limit);
}

static void
add_number (GVariantBuilder *builder, const char *key, guint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);

  g_variant_builder_add (builder, "{ss}", key, text);
}

GVariant *
tfd_reservation_describe (const TfdReservation *self, TfdLimit limit)
{
  GVariantBuilder details;

  g_variant_builder_init (&details, G_VARIANT_TYPE ("a{ss}"));
  g_variant_builder_add (&details, "{ss}", "limit", names[limit]);
  add_number (&details, "base", base (self, limit));
  g_variant_builder_add (&details, "{ss}", "job-type",
                         tfd_enum_to_string (TFD_TYPE_JOB_TYPE, (int) self->type));
  if (limit >= TFD_LIMIT_FILES_PER_JOB)
    add_number (&details, "count", others (self, limit) + wanted (self, limit));
  else
    {
      add_number (&details, "user-count", others (self, TFD_LIMIT_JOBS_PER_USER));
      add_number (&details, "machine-count", MIN (self->of_users, self->engine->of_users - 1));
    }
  return g_variant_builder_end (&details);
}

GError *
tfd_reservation_refuse (const TfdReservation *self, TfdLimit limit)
{
  guint64 count = others (self, limit);
  guint64 allowed = base (self, limit);

  if (limit == TFD_LIMIT_JOBS_PER_USER)
    return g_error_new (TFD_ERROR, TFD_ERROR_TOO_MANY_JOBS_PER_USER,
                        "you have %" G_GUINT64_FORMAT
                        " jobs, MaxJobsPerUser allows %" G_GUINT64_FORMAT
                        ": complete or cancel some",
                        count, allowed);
  if (limit == TFD_LIMIT_JOBS_PER_MACHINE)
    return g_error_new (TFD_ERROR, TFD_ERROR_TOO_MANY_JOBS_PER_MACHINE,
                        "there are %" G_GUINT64_FORMAT
                        " jobs, MaxJobsPerMachine allows %" G_GUINT64_FORMAT,
                        count, allowed);
  if (limit == TFD_LIMIT_RANGES_PER_FILE)
    return g_error_new (TFD_ERROR, TFD_ERROR_TOO_MANY_RANGES_IN_FILE,
                        "a file has %u ranges, MaxRangesPerFile allows %" G_GUINT64_FORMAT,
                        self->n_ranges, allowed);
  return g_error_new (TFD_ERROR, TFD_ERROR_TOO_MANY_FILES_IN_JOB,
                      "the job would have %" G_GUINT64_FORMAT
                      " files, MaxFilesPerJob allows %" G_GUINT64_FORMAT,
                      count + self->n_files, allowed);
}

gboolean
tfd_reservation_check (const TfdReservation *self, GError **error)
{
  for (TfdLimit limit = 0; limit < TFD_N_LIMITS; limit++)
    if (!self->granted[limit] && tfd_reservation_exceeds (self, limit))
      {
        g_propagate_error (error, tfd_reservation_refuse (self, limit));
        return FALSE;
      }
  return TRUE;
}
