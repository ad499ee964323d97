/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Pool: the transport made of one worker process per user; and of short-lived ones that look. */
#include "config.h"

#include "platform/pool.h"

#include "platform/looks.h"

struct _TfdPool
{
  GObject parent_instance;

  char *program;
  char *runtime_dir;
  TfdWorkerSetup setup;
  GHashTable *workers; /* (owned) uid -> (owned) TfdWorker */
  TfdLooks *looks;     /* (owned) */
};

static void transport_init (TfdTransportInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfdPool,
                               tfd_pool,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TFD_TYPE_TRANSPORT, transport_init))

static void
tfd_pool_finalize (GObject *object)
{
  TfdPool *self = TFD_POOL (object);

  g_hash_table_unref (self->workers);
  tfd_looks_free (self->looks);
  g_free (self->program);
  g_free (self->runtime_dir);
  G_OBJECT_CLASS (tfd_pool_parent_class)->finalize (object);
}

static void
tfd_pool_class_init (TfdPoolClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tfd_pool_finalize;
}

static void
tfd_pool_init (TfdPool *self)
{
  self->workers = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) tfd_worker_free);
}

TfdPool *
tfd_pool_new (const char *program,
              const char *runtime_dir,
              gboolean change_user,
              const TfdConfig *config)
{
  TfdPool *self = g_object_new (TFD_TYPE_POOL, NULL);

  self->program = g_strdup (program);
  self->runtime_dir = g_strdup (runtime_dir);
  self->setup = (TfdWorkerSetup){ self->program, self->runtime_dir, change_user, config };
  self->looks = tfd_looks_new (&self->setup);
  return self;
}

void
tfd_pool_reconfigure (TfdPool *self)
{
  GHashTableIter iter;
  TfdWorker *worker;

  g_hash_table_iter_init (&iter, self->workers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &worker))
    tfd_worker_reconfigure (worker);
}

static void
pool_request_async (TfdTransport *transport,
                    const TfdOwner *owner,
                    const char *method,
                    GVariant *parameters,
                    GUnixFDList *fds,
                    GAsyncReadyCallback callback,
                    gpointer user_data)
{
  TfdPool *self = TFD_POOL (transport);
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  TfdWorker *worker = g_hash_table_lookup (self->workers, GUINT_TO_POINTER (owner->uid));

  g_task_set_name (task, method);
  if (g_str_equal (method, "LookAt"))
    {
      tfd_looks_request (self->looks, owner, task, parameters);
      return;
    }
  if (worker != NULL && !tfd_worker_is_of (worker, owner))
    {
      if (!tfd_worker_is_absent (worker))
        {
          g_variant_unref (g_variant_ref_sink (parameters));
          g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                                   "user id %u works under another name just now", owner->uid);
          return;
        }
      g_hash_table_remove (self->workers, GUINT_TO_POINTER (owner->uid));
      worker = NULL;
    }
  if (g_str_equal (method, "Detach") && (worker == NULL || tfd_worker_is_absent (worker)))
    {
      /* a process that is not there keeps nothing open */
      g_variant_unref (g_variant_ref_sink (parameters));
      g_task_return_pointer (task, g_variant_ref_sink (g_variant_new ("()")),
                             (GDestroyNotify) g_variant_unref);
      return;
    }
  if (worker == NULL)
    {
      worker = tfd_worker_new (&self->setup, transport, owner);
      g_hash_table_insert (self->workers, GUINT_TO_POINTER (owner->uid), worker);
    }
  tfd_worker_request (worker, task, method, parameters, fds);
}

static void
transport_init (TfdTransportInterface *iface)
{
  iface->request_async = pool_request_async;
}
