/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The end of a job: Complete and Cancel, and what became of them when the service died on the way.
 *
 * The service commits what it is going to do, and rolls it forward by itself after a crash. So a
 * lost reply is answered by the history; and when the job is still there, by asking once more: the
 * service keeps that question until the end it is working on is reached, and a repeated Complete
 * skips what is already in place. */
#include "config.h"
#include "client/libtransfer/private.h"

#include "common/enums.h"
#include "common/names.h"

static const TransferMethod method_complete = { TFD_JOB_INTERFACE, "Complete", "(sa{sv})",
                                                TRANSFER_CALL_NO_TIMEOUT };
static const TransferMethod method_cancel = { TFD_JOB_INTERFACE, "Cancel", "(sa{sv})",
                                              TRANSFER_CALL_NO_TIMEOUT };

typedef struct
{
  const TransferMethod *method;
  GVariant *options; /* (owned) a{sv} */
  guint losses;      /* replies lost so far */
  GError *refused;   /* (owned) (nullable) answer of a repeated call: the job is over, ask how */
  TransferResult result;
  GVariant *details; /* (owned) (nullable) a{sv} */
} End;

static void call_end (GTask *task);

static void
end_free (End *end)
{
  g_variant_unref (end->options);
  g_clear_error (&end->refused);
  g_clear_pointer (&end->details, g_variant_unref);
  g_free (end);
}

static void
return_end (GTask *task, const char *name, GVariant *details)
{
  End *end = g_task_get_task_data (task);

  end->result = _transfer_enum_from_string (TFD_TYPE_RESULT, name);
  end->details = g_variant_ref (details);
  g_task_return_boolean (task, TRUE);
}

/* The job is over, and @row says how: as was asked, or because somebody else was faster. */
static void
return_history (GTask *task, GVariant *row)
{
  End *end = g_task_get_task_data (task);
  gboolean cancel = end->method == &method_cancel;
  const char *name = "";

  g_variant_lookup (row, "result", "&s", &name);
  if (cancel == g_str_equal (name, "cancelled") && !g_str_equal (name, "expired"))
    return_end (task, name, row);
  else
    g_task_return_new_error (task, TRANSFER_ERROR, TRANSFER_ERROR_INVALID_STATE,
                             "the job is over, it was %s",
                             g_str_equal (name, "partial") ? "completed in part" : name);
}

static gboolean
is_lost (End *end, const GError *error)
{
  return end->losses < TRANSFER_MAX_LOSSES &&
         (_transfer_error_is_lost_reply (error) ||
          (end->losses > 0 && _transfer_error_is_absent_service (error)));
}

static void
history_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  End *end = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) row = NULL;
  g_autoptr (GVariant) rows =
      transfer_client_get_job_history_finish (TRANSFER_CLIENT (source), result, &error);

  if (rows != NULL && g_variant_n_children (rows) > 0)
    {
      g_variant_get_child (rows, 0, "(&s@a{sv})", NULL, &row);
      return_history (task, row);
    }
  else if (end->refused != NULL)
    g_task_return_error (task, g_steal_pointer (&end->refused));
  else if (rows == NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else
    call_end (g_steal_pointer (&task));
}

static void
ask_history (GTask *task)
{
  TransferJob *job = g_task_get_source_object (task);

  transfer_client_get_job_history_async (transfer_job_get_client (job),
                                         _transfer_history_filter (job),
                                         g_task_get_cancellable (task), history_cb, task);
}

static void
back_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GError) error = NULL;

  if (!_transfer_wait_service_finish (TRANSFER_CLIENT (source), result, &error))
    g_task_return_error (task, g_steal_pointer (&error));
  else
    ask_history (g_steal_pointer (&task));
}

static void
called_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  End *end = g_task_get_task_data (task);
  TransferClient *client = TRANSFER_CLIENT (source);
  GCancellable *cancellable = g_task_get_cancellable (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = _transfer_call_finish (client, result, NULL, &error);
  g_autoptr (GVariant) details = NULL;
  const char *name;

  if (reply != NULL)
    {
      g_variant_get (reply, "(&s@a{sv})", &name, &details);
      return_end (task, name, details);
    }
  else if (is_lost (end, error))
    {
      end->losses++;
      _transfer_wait_service_async (client, cancellable, back_cb, g_steal_pointer (&task));
    }
  else if (end->losses > 0 &&
           (g_error_matches (error, TRANSFER_ERROR, TRANSFER_ERROR_NOT_FOUND) ||
            g_error_matches (error, TRANSFER_ERROR, TRANSFER_ERROR_INVALID_STATE)))
    {
      end->refused = g_steal_pointer (&error);
      ask_history (g_steal_pointer (&task));
    }
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

/* Takes @task. */
static void
call_end (GTask *task)
{
  TransferJob *job = g_task_get_source_object (task);
  End *end = g_task_get_task_data (task);

  _transfer_call_async (transfer_job_get_client (job), transfer_job_get_object_path (job),
                        end->method, g_variant_new ("(@a{sv})", end->options),
                        g_task_get_cancellable (task), called_cb, task);
}

static void
begin_end (TransferJob *job,
           const TransferMethod *method,
           GVariant *options,
           gpointer tag,
           GCancellable *cancellable,
           GAsyncReadyCallback callback,
           gpointer user_data)
{
  GTask *task = g_task_new (job, cancellable, callback, user_data);
  End *end = g_new0 (End, 1);

  g_task_set_source_tag (task, tag);
  end->method = method;
  end->result = TRANSFER_RESULT_UNKNOWN;
  end->options = g_variant_ref_sink (options != NULL ? options : g_variant_new ("a{sv}", NULL));
  g_task_set_task_data (task, end, (GDestroyNotify) end_free);
  call_end (task);
}

static gboolean
finish_end (TransferJob *job,
            GAsyncResult *result,
            TransferResult *job_result,
            GVariant **details,
            GError **error)
{
  End *end = g_task_get_task_data (G_TASK (result));

  g_return_val_if_fail (g_task_is_valid (result, job), FALSE);
  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;
  if (job_result != NULL)
    *job_result = end->result;
  if (details != NULL)
    *details = g_variant_ref (end->details);
  return TRUE;
}

void
transfer_job_complete_async (TransferJob *job,
                             GVariant *options,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_return_if_fail (TRANSFER_IS_JOB (job));
  begin_end (job, &method_complete, options, TRANSFER_TAG (transfer_job_complete_async),
             cancellable, callback, user_data);
}

gboolean
transfer_job_complete_finish (TransferJob *job,
                              GAsyncResult *result,
                              TransferResult *job_result,
                              GVariant **details,
                              GError **error)
{
  return finish_end (job, result, job_result, details, error);
}

void
transfer_job_cancel_async (TransferJob *job,
                           GVariant *options,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_return_if_fail (TRANSFER_IS_JOB (job));
  begin_end (job, &method_cancel, options, TRANSFER_TAG (transfer_job_cancel_async), cancellable,
             callback, user_data);
}

gboolean
transfer_job_cancel_finish (TransferJob *job,
                            GAsyncResult *result,
                            TransferResult *job_result,
                            GVariant **details,
                            GError **error)
{
  return finish_end (job, result, job_result, details, error);
}
