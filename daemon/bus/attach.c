/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Attach: AttachDirectory: what was handed in once is handed in again. The owner's worker looks at
 * it; later calls of the same client wait for that. */
#include "config.h"

#include "bus/bus-private.h"

static void
attach (TfdCall *call, const TfdFoundAgain *found)
{
  GError *error = NULL;
  guint32 changed = 0;

  /* it may have been given to somebody else meanwhile */
  if (!tfd_access_is_owner (call->peer, call->job))
    {
      tfd_call_fail (call, tfd_access_not_found ());
      return;
    }
  if (tfd_engine_attach_again (call->bus->engine, call->job, found, &changed, &error))
    tfd_call_return (call, g_variant_new ("(u)", changed));
  else
    tfd_call_fail (call, error);
}

typedef struct
{
  TfdCall *call;        /* (nullable) taken when it is answered */
  TfdFoundAgain *found; /* (owned) */
} Waiting;

static void
waiting_free (gpointer data)
{
  Waiting *waiting = data;

  if (waiting->call != NULL)
    tfd_call_free (waiting->call);
  tfd_found_again_free (waiting->found);
  g_free (waiting);
}

static void
free_again_cb (TfdJob *job G_GNUC_UNUSED, gpointer data)
{
  Waiting *waiting = data;

  attach (g_steal_pointer (&waiting->call), waiting->found);
}

static void
found_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TfdEngine *engine = TFD_ENGINE (source);
  TfdCall *call = user_data;
  GError *error = NULL;
  g_autoptr (TfdFoundAgain) found = tfd_engine_find_again_finish (engine, result, &error);

  if (found == NULL)
    tfd_call_fail (call, error);
  else if (tfd_engine_is_busy (engine, call->job))
    {
      /* a Complete or Cancel began while the worker looked: it is decided first */
      Waiting *waiting = g_new (Waiting, 1);

      *waiting = (Waiting){ call, g_steal_pointer (&found) };
      tfd_engine_when_free (engine, call->job, free_again_cb, waiting, waiting_free);
      tfd_call_release (call);
    }
  else
    attach (call, found);
}

void
tfd_job_attach_directory (TfdCall *call, GVariant *parameters)
{
  GError *error = NULL;
  guint32 file;
  gint32 handle;
  int fd;

  g_variant_get (parameters, "(uh)", &file, &handle);
  fd = tfd_call_take_fd (call, handle, &error);
  if (fd < 0)
    {
      tfd_call_fail (call, error);
      return;
    }
  tfd_call_hold (call);
  tfd_engine_find_again_async (call->bus->engine, call->job, file, fd, found_cb, call);
}
