/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Credentials: user and password for the servers of a job. Used from its next start on; gone with
 * the job. */
#include "config.h"

#include "engine/engine-private.h"

static gboolean
record_change (TfdEngine *self, TfdJob *job, GError **error)
{
  if (!tfd_engine_apply (self, job, TFD_EVENT_SET_PROPERTY, TFD_GUARD_NONE, NULL, error))
    return FALSE;
  tfd_engine_tell_changed (self, job, TFD_CHANGED_TIMES);
  tfd_engine_configure_run_later (self, job);
  return TRUE;
}

gboolean
tfd_engine_set_credentials (TfdEngine *self,
                            TfdJob *job,
                            const char *target,
                            const char *scheme,
                            const char *user,
                            const char *password,
                            GError **error)
{
  return tfd_engine_check (self, job, TFD_EVENT_SET_PROPERTY, error) &&
         tfd_credentials_set (job->record->properties, target, scheme, user, password, error) &&
         record_change (self, job, error);
}

gboolean
tfd_engine_remove_credentials (TfdEngine *self,
                               TfdJob *job,
                               const char *target,
                               const char *scheme,
                               gboolean *removed,
                               GError **error)
{
  return tfd_engine_check (self, job, TFD_EVENT_SET_PROPERTY, error) &&
         tfd_credentials_remove (job->record->properties, target, scheme, removed, error) &&
         (!*removed || record_change (self, job, error));
}
