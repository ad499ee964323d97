/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Looks: one process for each, so many at a time, and not for long. */
#include "config.h"

#include "platform/looks.h"

#include "base/log.h"
#include "platform/spawn.h"

#include <string.h>

/* Processes at a time: those of one user leave room for others. */
#define MAX_OF_ALL 16
#define MAX_OF_USER 4

/* More than any line that a process of ours writes. */
#define MAX_LINE 512

struct _TfdLooks
{
  const TfdWorkerSetup *setup;
  GQueue waiting; /* of (owned) Look */
  GList *running; /* of (owned) Look */
};

typedef struct
{
  TfdLooks *looks; /* (not owned) (nullable) NULL: nobody waits any more */
  GTask *task;     /* (owned) (nullable) until it is answered */
  TfdOwner owner;  /* name (owned) */
  guint32 pid;
  guint64 since;
  GSubprocess *process; /* (owned) (nullable) */
  GCancellable *cancellable;
  guint timeout;
  char line[MAX_LINE];
  gsize length;
} Look;

static void
look_free (Look *look)
{
  g_clear_handle_id (&look->timeout, g_source_remove);
  g_clear_object (&look->process);
  g_clear_object (&look->cancellable);
  g_clear_object (&look->task);
  g_free ((char *) look->owner.name);
  g_free (look);
}

/* Answers, takes @error or @answer. The struct lives on while an operation of it is under way. */
static void
settle (Look *look, GVariant *answer, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&look->task);

  g_clear_handle_id (&look->timeout, g_source_remove);
  g_cancellable_cancel (look->cancellable);
  if (look->process != NULL)
    g_subprocess_force_exit (look->process);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, g_variant_ref_sink (answer), (GDestroyNotify) g_variant_unref);
}

static void
settle_lost (Look *look, const char *message)
{
  settle (look, NULL, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, message));
}

/* Of a look that had been started and has no operation under way. */
static void
end (Look *look)
{
  if (look->looks != NULL)
    look->looks->running = g_list_remove (look->looks->running, look);
  look_free (look);
}

static gboolean
timed_out_cb (gpointer user_data)
{
  Look *look = user_data;
  gboolean waited = g_queue_remove (&look->looks->waiting, look);

  look->timeout = 0;
  settle (look, NULL,
          g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "nobody could look at process %u in time",
                       look->pid));
  if (waited)
    look_free (look);
  return G_SOURCE_REMOVE;
}

/* "0 id" or "1 id": whether it has no network, and which sandbox it is in. */
static void
read_line (Look *look)
{
  char *end_of_line = memchr (look->line, '\n', look->length);
  const char *id = look->line + 2;

  if (end_of_line == NULL || look->length < 3 || (look->line[0] != '0' && look->line[0] != '1') ||
      look->line[1] != ' ')
    {
      settle_lost (look, "the process that looks says nothing");
      return;
    }
  *end_of_line = '\0';
  if (g_utf8_validate (id, -1, NULL))
    settle (look, g_variant_new ("(sb)", id, look->line[0] == '1'), NULL);
  else
    settle_lost (look, "the process that looks says what is no text");
}

static void read_more (Look *look);
static void start_waiting (TfdLooks *looks);

/* Others may take the place of one that has ended. */
static void
end_and_go_on (Look *look)
{
  TfdLooks *looks = look->looks;

  end (look);
  if (looks != NULL)
    start_waiting (looks);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Look *look = user_data;
  gssize count = g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);

  if (count > 0)
    look->length += (gsize) count;
  if (look->task != NULL && count > 0 && memchr (look->line, '\n', look->length) == NULL &&
      look->length < MAX_LINE)
    {
      read_more (look);
      return;
    }
  if (look->task != NULL)
    read_line (look);
  end_and_go_on (look);
}

static void
read_more (Look *look)
{
  g_input_stream_read_async (g_subprocess_get_stdout_pipe (look->process),
                             look->line + look->length, MAX_LINE - look->length, G_PRIORITY_DEFAULT,
                             look->cancellable, read_cb, look);
}

/* FALSE: it could not be started, and the look is answered. */
static gboolean
start_process (Look *look, const TfdIdentity *identity)
{
  g_autofree char *pid = g_strdup_printf ("--look-at=%u", look->pid);
  g_autofree char *since = g_strdup_printf ("--since=%" G_GUINT64_FORMAT, look->since);
  const char *arguments[] = { pid, since, NULL };
  GError *error = NULL;

  look->process = tfd_spawn_reader (look->looks->setup->program, arguments, identity, &error);
  if (look->process == NULL)
    {
      tfd_warning ("cannot look at a process of user %u: %s", look->owner.uid, error->message);
      error->domain = G_IO_ERROR;
      error->code = G_IO_ERROR_CONNECTION_CLOSED;
      settle (look, NULL, error);
      return FALSE;
    }
  read_more (look);
  return TRUE;
}

static void
looked_up_cb (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  Look *look = user_data;
  GError *error = NULL;
  g_autoptr (TfdIdentity) identity = tfd_identity_look_up_finish (result, &error);

  if (look->task != NULL && identity != NULL && start_process (look, identity))
    return;
  if (look->task != NULL)
    settle (look, NULL, g_steal_pointer (&error));
  g_clear_error (&error);
  end_and_go_on (look);
}

static void
start (Look *look)
{
  look->looks->running = g_list_prepend (look->looks->running, look);
  if (look->looks->setup->change_user)
    tfd_identity_look_up_async (look->owner.uid, look->owner.name, looked_up_cb, look);
  else if (!start_process (look, NULL))
    end (look);
}

static gboolean
may_start (const TfdLooks *looks, const Look *look)
{
  guint of_all = 0, of_user = 0;

  for (const GList *l = looks->running; l != NULL; l = l->next)
    {
      of_all++;
      of_user += ((const Look *) l->data)->owner.uid == look->owner.uid;
    }
  return of_all < MAX_OF_ALL && of_user < MAX_OF_USER;
}

static void
start_waiting (TfdLooks *looks)
{
  GList *next;

  for (GList *l = looks->waiting.head; l != NULL; l = next)
    {
      Look *look = l->data;

      next = l->next;
      if (!may_start (looks, look))
        continue;
      g_queue_delete_link (&looks->waiting, l);
      start (look);
      /* it may have ended at once, and have started others */
      next = looks->waiting.head;
    }
}

void
tfd_looks_request (TfdLooks *looks, const TfdOwner *owner, GTask *task, GVariant *parameters)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (parameters);
  Look *look = g_new0 (Look, 1);

  look->looks = looks;
  look->task = g_object_ref (task);
  look->owner = (TfdOwner){ owner->uid, g_strdup (owner->name), NULL };
  g_variant_get (owned, "(ut)", &look->pid, &look->since);
  look->cancellable = g_cancellable_new ();
  look->timeout =
      g_timeout_add ((guint) (looks->setup->config->probe_timeout / 1000), timed_out_cb, look);
  g_queue_push_tail (&looks->waiting, look);
  start_waiting (looks);
}

TfdLooks *
tfd_looks_new (const TfdWorkerSetup *setup)
{
  TfdLooks *looks = g_new0 (TfdLooks, 1);

  looks->setup = setup;
  g_queue_init (&looks->waiting);
  return looks;
}

void
tfd_looks_free (TfdLooks *looks)
{
  for (GList *l = looks->running; l != NULL; l = l->next)
    {
      Look *look = l->data;

      /* its callback comes later and frees it */
      look->looks = NULL;
      if (look->task != NULL)
        settle_lost (look, "the service ends");
    }
  g_list_free (looks->running);
  for (Look *look = g_queue_pop_head (&looks->waiting); look != NULL;
       look = g_queue_pop_head (&looks->waiting))
    {
      settle_lost (look, "the service ends");
      look_free (look);
    }
  g_free (looks);
}
