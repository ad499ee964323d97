/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Listings of a client: jobs and history, page after page. */
#include "config.h"
#include "client/libtransfer/private.h"

#include "common/names.h"
#include "common/wire.h"

static const TransferMethod method_list_jobs = { TFD_MANAGER_INTERFACE, "ListJobs", "(a(oa{sv}))",
                                                 TRANSFER_CALL_REPEATABLE };
static const TransferMethod method_get_job_history = { TFD_MANAGER_INTERFACE, "GetJobHistory",
                                                       "(a(sa{sv}))", TRANSFER_CALL_REPEATABLE };

typedef struct
{
  GVariant *filter; /* (owned) a{sv} as given */
  GPtrArray *rows;  /* (owned) TransferJob, or GVariant (sa{sv}) */
  char *last;       /* (owned) (nullable) path or id of the last row */
  guint32 limit;    /* rows wanted, 0 = all */
} Listing;

static void ask_jobs (GTask *task);
static void ask_history (GTask *task);

static void
listing_free (Listing *listing)
{
  g_variant_unref (listing->filter);
  g_clear_pointer (&listing->rows, g_ptr_array_unref);
  g_free (listing->last);
  g_free (listing);
}

static GTask *
listing_new (TransferClient *client,
             GVariant *filter,
             GDestroyNotify free_row,
             GCancellable *cancellable,
             GAsyncReadyCallback callback,
             gpointer user_data)
{
  GTask *task = g_task_new (client, cancellable, callback, user_data);
  Listing *listing = g_new0 (Listing, 1);

  if (filter == NULL)
    filter = g_variant_new ("a{sv}", NULL);
  listing->filter = g_variant_ref_sink (filter);
  listing->rows = g_ptr_array_new_with_free_func (free_row);
  g_variant_lookup (filter, "limit", "u", &listing->limit);
  g_task_set_task_data (task, listing, (GDestroyNotify) listing_free);
  return task;
}

/* The filter for the next page; @after_type is the type of the key "after". */
static GVariant *
next_filter (Listing *listing, const char *after_type)
{
  g_auto (GVariantDict) dict;

  g_variant_dict_init (&dict, listing->filter);
  if (listing->last != NULL)
    g_variant_dict_insert (&dict, "after", after_type, listing->last);
  if (listing->limit > 0)
    g_variant_dict_insert (&dict, "limit", "u", listing->limit - listing->rows->len);
  return g_variant_new ("(@a{sv})", g_variant_dict_end (&dict));
}

/* Whether another page has to be asked for after one of @n rows. A page may end early because of
 * its size, so only an empty one says for sure that there is no more. */
static gboolean
wants_more (Listing *listing, gsize n)
{
  return n > 0 && (listing->limit == 0 || listing->rows->len < listing->limit);
}

static void
jobs_page_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  Listing *listing = g_task_get_task_data (task);
  TransferClient *client = TRANSFER_CLIENT (source);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = _transfer_call_finish (client, result, NULL, &error);
  g_autoptr (GVariantIter) iter = NULL;
  const char *path;
  GVariant *values;
  gsize n = 0;

  if (reply == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  g_variant_get (reply, "(a(oa{sv}))", &iter);
  while (g_variant_iter_loop (iter, "(&o@a{sv})", &path, &values))
    {
      g_ptr_array_add (listing->rows, _transfer_job_new (client, path, values));
      if (++n == g_variant_iter_n_children (iter))
        {
          g_free (listing->last);
          listing->last = g_strdup (path);
        }
    }
  if (wants_more (listing, n))
    ask_jobs (g_steal_pointer (&task));
  else
    g_task_return_pointer (task, g_steal_pointer (&listing->rows),
                           (GDestroyNotify) g_ptr_array_unref);
}

/* Takes @task. */
static void
ask_jobs (GTask *task)
{
  _transfer_call_async (g_task_get_source_object (task), TFD_MANAGER_PATH, &method_list_jobs,
                        next_filter (g_task_get_task_data (task), "o"),
                        g_task_get_cancellable (task), jobs_page_cb, task);
}

void
transfer_client_list_jobs_async (TransferClient *client,
                                 GVariant *filter,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  GTask *task;

  g_return_if_fail (TRANSFER_IS_CLIENT (client));
  task = listing_new (client, filter, g_object_unref, cancellable, callback, user_data);
  g_task_set_source_tag (task, TRANSFER_TAG (transfer_client_list_jobs_async));
  ask_jobs (task);
}

GPtrArray *
transfer_client_list_jobs_finish (TransferClient *client, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, client), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

static GVariant *
join_rows (GPtrArray *rows)
{
  return g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("(sa{sv})"),
                                                  (GVariant *const *) rows->pdata, rows->len));
}

static void
history_page_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  Listing *listing = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      _transfer_call_finish (TRANSFER_CLIENT (source), result, NULL, &error);
  g_autoptr (GVariant) rows = NULL;
  gsize n;

  if (reply == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  g_variant_get (reply, "(@a(sa{sv}))", &rows);
  n = g_variant_n_children (rows);
  for (gsize i = 0; i < n; i++)
    g_ptr_array_add (listing->rows, g_variant_get_child_value (rows, i));
  if (n > 0)
    {
      g_free (listing->last);
      g_variant_get_child (rows, n - 1, "(sa{sv})", &listing->last, NULL);
    }
  if (wants_more (listing, n) && !g_variant_lookup (listing->filter, "ids", "as", NULL))
    ask_history (g_steal_pointer (&task));
  else
    g_task_return_pointer (task, join_rows (listing->rows), (GDestroyNotify) g_variant_unref);
}

/* Takes @task. */
static void
ask_history (GTask *task)
{
  _transfer_call_async (g_task_get_source_object (task), TFD_MANAGER_PATH, &method_get_job_history,
                        next_filter (g_task_get_task_data (task), "s"),
                        g_task_get_cancellable (task), history_page_cb, task);
}

void
transfer_client_get_job_history_async (TransferClient *client,
                                       GVariant *filter,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  GTask *task;

  g_return_if_fail (TRANSFER_IS_CLIENT (client));
  task = listing_new (client, filter, (GDestroyNotify) g_variant_unref, cancellable, callback,
                      user_data);
  g_task_set_source_tag (task, TRANSFER_TAG (transfer_client_get_job_history_async));
  ask_history (task);
}

GVariant *
transfer_client_get_job_history_finish (TransferClient *client,
                                        GAsyncResult *result,
                                        GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, client), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
called_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      _transfer_call_finish (TRANSFER_CLIENT (source), result, NULL, &error);

  if (reply == NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else
    g_task_return_pointer (task, g_steal_pointer (&reply), (GDestroyNotify) g_variant_unref);
}

void
transfer_client_call_async (TransferClient *client,
                            const char *method,
                            GVariant *parameters,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  GTask *task;
  TransferMethod *described;

  g_return_if_fail (TRANSFER_IS_CLIENT (client));
  g_return_if_fail (method != NULL);
  task = g_task_new (client, cancellable, callback, user_data);
  g_task_set_source_tag (task, TRANSFER_TAG (transfer_client_call_async));
  described = g_new0 (TransferMethod, 1);
  described->interface = TFD_MANAGER_INTERFACE;
  described->method = g_intern_string (method);
  g_task_set_task_data (task, described, g_free);
  _transfer_call_async (client, TFD_MANAGER_PATH, described, parameters, cancellable, called_cb,
                        task);
}

GVariant *
transfer_client_call_finish (TransferClient *client, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, client), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

char *
transfer_job_id_parse (const char *id)
{
  g_return_val_if_fail (id != NULL, NULL);
  return tfd_job_id_parse (id);
}

const char *
transfer_job_property_get_signature (const char *name)
{
  g_return_val_if_fail (name != NULL, NULL);
  for (const TfdPropertyInfo *info = tfd_job_property_table (); info->name != NULL; info++)
    if (g_str_equal (info->name, name))
      return info->signature;
  return NULL;
}

const char **
transfer_job_list_properties (void)
{
  GPtrArray *names = g_ptr_array_new ();

  for (const TfdPropertyInfo *info = tfd_job_property_table (); info->name != NULL; info++)
    g_ptr_array_add (names, (gpointer) info->name);
  g_ptr_array_add (names, NULL);
  return (const char **) g_ptr_array_free (names, FALSE);
}
