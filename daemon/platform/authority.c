/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Authority: asks polkit whether a client may do something. The one file that knows polkit, by its
 * interface on the bus: its library makes its connection in a thread and reads properties first,
 * for which a polkit that hangs would be waited for beyond our time.
 *
 * A polkit that is not there, hangs or crashes refuses, in time, what needs it, and nothing else:
 * so many questions are open at a time, so many of them of one user, and the others wait. */
#include "config.h"

#include "platform/authority.h"

#include "base/log.h"
#include "common/error.h"
#include "common/names.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define ALLOW_USER_INTERACTION 1

#define MAX_OPEN 64
#define MAX_OPEN_OF_USER 16
#define MAX_WAITING_OF_USER 256
/* A password is typed slowly: these would keep the others from being asked. */
#define MAX_INTERACTIVE 32
#define MAX_INTERACTIVE_OF_USER 4
#define INTERACTION_MSEC (5 * 60 * 1000)

struct _TfdAuthority
{
  GObject parent_instance;

  gboolean enabled;
  const TfdConfig *config;     /* (not owned) */
  GDBusConnection *connection; /* (owned) (nullable) */
  guint subscriptions[2];
  GQueue waiting; /* of (owned) Question: not asked yet */
  GQueue open;    /* of (owned) Question: asked */
  guint64 last_id;
  gboolean answering;
};

G_DEFINE_FINAL_TYPE (TfdAuthority, tfd_authority, G_TYPE_OBJECT)

typedef struct
{
  grefcount refs;
  GTask *task; /* (owned) (nullable) until it is answered */
  char *sender;
  guint32 uid;
  char *action;
  GVariant *details; /* (owned) */
  gboolean interactive;
  char *id;           /* (nullable) polkit's name for it, once it is asked */
  GCancellable *call; /* (owned) of the call to polkit */
  guint timeout;
  gulong cancelled;
  guint cancel_source;
} Question;

static void
question_unref (Question *question)
{
  if (!g_ref_count_dec (&question->refs))
    return;
  g_free (question->sender);
  g_free (question->action);
  g_free (question->id);
  g_variant_unref (question->details);
  g_object_unref (question->call);
  g_free (question);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Question, question_unref)

static Question *
question_ref (Question *question)
{
  g_ref_count_inc (&question->refs);
  return question;
}

/* ---- answers ---- */

static void ask_next (TfdAuthority *self);

/* Takes @error; NULL = it may. */
static void
answer (Question *question, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&question->task);
  TfdAuthority *self = g_task_get_source_object (task);
  GCancellable *cancellable = g_task_get_cancellable (task);

  if (question->cancelled != 0)
    g_signal_handler_disconnect (cancellable, question->cancelled);
  g_clear_handle_id (&question->cancel_source, g_source_remove);
  g_clear_handle_id (&question->timeout, g_source_remove);
  if (g_queue_remove (&self->open, question) || g_queue_remove (&self->waiting, question))
    question_unref (question); /* the caller has a reference */
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
  ask_next (self);
}

/* Nobody waits for the answer any more; a dialog that asks for a password is to go away. */
static void
give_up (Question *question, const char *reason)
{
  TfdAuthority *self = g_task_get_source_object (question->task);

  if (question->id != NULL)
    {
      g_dbus_connection_call (self->connection, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                              "CancelCheckAuthorization", g_variant_new ("(s)", question->id), NULL,
                              G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
      g_cancellable_cancel (question->call);
    }
  answer (question, g_error_new_literal (TFD_ERROR, TFD_ERROR_ACCESS_DENIED, reason));
}

static gboolean
timeout_cb (gpointer data)
{
  g_autoptr (Question) question = question_ref (data);
  TfdAuthority *self = g_task_get_source_object (question->task);

  question->timeout = 0;
  if (question->interactive)
    give_up (question, "nobody has given permission in time");
  else
    {
      if (self->answering)
        tfd_warning ("polkit does not answer: what needs its permission is refused");
      self->answering = FALSE;
      give_up (question, "nobody can say whether this is permitted: polkit does not answer");
    }
  return G_SOURCE_REMOVE;
}

static gboolean
cancelled_cb (gpointer data)
{
  g_autoptr (Question) question = question_ref (data);

  question->cancel_source = 0;
  give_up (question, "whoever wanted it has gone");
  return G_SOURCE_REMOVE;
}

/* A handler of this signal may not disconnect itself. */
static void
cancel_later_cb (GCancellable *cancellable G_GNUC_UNUSED, gpointer data)
{
  Question *question = data;

  if (question->cancel_source == 0)
    question->cancel_source = g_idle_add (cancelled_cb, question);
}

static GError *
explain_failure (const Question *question, const GError *error)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);
  const char *why = "polkit failed";

  if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
      g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_DISCONNECTED))
    why = "polkit ended while it was asked";
  else if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
           g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
           (name != NULL && g_str_has_prefix (name, TFD_STANDARD_ERROR_PREFIX "Spawn.")))
    why = "polkit does not run";
  else if (strstr (error->message, "not registered") != NULL)
    why = "polkit does not know this action, is its policy installed?";
  tfd_warning ("polkit, asked about %s%s: %s", TFD_ACTION_PREFIX, question->action, error->message);
  return g_error_new (TFD_ERROR, TFD_ERROR_ACCESS_DENIED,
                      "nobody can say whether this is permitted: %s", why);
}

static GError *
explain_answer (const Question *question, gboolean challenge)
{
  if (challenge && !question->interactive)
    return g_error_new_literal (
        TFD_ERROR, TFD_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
        "somebody with a password has to permit this, and the call does not "
        "allow to ask");
  if (challenge)
    return g_error_new_literal (TFD_ERROR, TFD_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                "somebody with a password has to permit this, and there is no "
                                "program to ask for it");
  return g_error_new_literal (TFD_ERROR, TFD_ERROR_ACCESS_DENIED,
                              "you are not permitted to do this");
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Question) question = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  TfdAuthority *self;
  gboolean permitted, challenge;

  if (question->task == NULL)
    return; /* given up */
  self = g_task_get_source_object (question->task);
  self->answering = value != NULL;
  if (value == NULL)
    {
      answer (question, explain_failure (question, error));
      return;
    }
  g_variant_get (value, "((bb@a{ss}))", &permitted, &challenge, NULL);
  tfd_debug (TFD_LOG_BUS, "%s asks for %s: %s", question->sender, question->action,
             permitted   ? "yes"
             : challenge ? "with a password"
                         : "no");
  answer (question, permitted ? NULL : explain_answer (question, challenge));
}

/* ---- questions ---- */

static guint
count (GQueue *questions, guint32 uid, gboolean interactive_only)
{
  guint n = 0;

  for (GList *link = questions->head; link != NULL; link = link->next)
    {
      const Question *question = link->data;

      n += (uid == G_MAXUINT32 || question->uid == uid) &&
           (!interactive_only || question->interactive);
    }
  return n;
}

static void
ask (TfdAuthority *self, Question *question)
{
  g_auto (GVariantBuilder) subject = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autofree char *action = g_strconcat (TFD_ACTION_PREFIX, question->action, NULL);

  g_queue_push_tail (&self->open, question);
  question->id = g_strdup_printf ("transferd-%" G_GUINT64_FORMAT, ++self->last_id);
  g_variant_builder_add (&subject, "{sv}", "name", g_variant_new_string (question->sender));
  /* by the name of its connection: a process may become another while it is asked about */
  g_dbus_connection_call (
      self->connection, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE, "CheckAuthorization",
      g_variant_new ("((sa{sv})s@a{ss}us)", "system-bus-name", &subject, action, question->details,
                     question->interactive ? ALLOW_USER_INTERACTION : 0, question->id),
      G_VARIANT_TYPE ("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, G_MAXINT, question->call, answered_cb,
      question_ref (question));
}

static void
ask_next (TfdAuthority *self)
{
  GList *next;

  for (GList *link = self->waiting.head; link != NULL && self->open.length < MAX_OPEN; link = next)
    {
      Question *question = link->data;

      next = link->next;
      if (count (&self->open, question->uid, FALSE) >= MAX_OPEN_OF_USER)
        continue;
      g_queue_delete_link (&self->waiting, link);
      ask (self, question);
    }
}

static gboolean
is_too_much (TfdAuthority *self, guint32 uid, gboolean interactive)
{
  if (count (&self->waiting, uid, FALSE) >= MAX_WAITING_OF_USER)
    return TRUE;
  return interactive && (count (&self->open, G_MAXUINT32, TRUE) >= MAX_INTERACTIVE ||
                         count (&self->open, uid, TRUE) >= MAX_INTERACTIVE_OF_USER);
}

void
tfd_authority_check_async (TfdAuthority *self,
                           const char *sender,
                           guint32 uid,
                           const char *action,
                           GVariant *details,
                           gboolean interactive,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (GVariant) owned =
      g_variant_ref_sink (details != NULL ? details : g_variant_new ("a{ss}", NULL));
  guint64 patience = interactive ? INTERACTION_MSEC : self->config->authorization_timeout / 1000;
  Question *question;

  g_task_set_name (task, G_STRFUNC);
  g_task_set_check_cancellable (task, FALSE); /* the answer is one of ours */
  if (!self->enabled || uid == 0)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (is_too_much (self, uid, interactive))
    {
      g_task_return_new_error (task, TFD_ERROR, TFD_ERROR_LIMITS_EXCEEDED,
                               "you wait for too many permissions already");
      return;
    }
  question = g_new0 (Question, 1);
  g_ref_count_init (&question->refs);
  question->task = g_steal_pointer (&task);
  question->sender = g_strdup (sender);
  question->uid = uid;
  question->action = g_strdup (action);
  question->details = g_steal_pointer (&owned);
  question->interactive = interactive;
  question->call = g_cancellable_new ();
  question->timeout = g_timeout_add ((guint) patience, timeout_cb, question);
  g_queue_push_tail (&self->waiting, question);
  if (cancellable != NULL)
    question->cancelled =
        g_cancellable_connect (cancellable, G_CALLBACK (cancel_later_cb), question, NULL);
  ask_next (self);
}

gboolean
tfd_authority_check_finish (TfdAuthority *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- the object ---- */

gboolean
tfd_authority_is_enabled (TfdAuthority *self)
{
  return self->enabled;
}

gboolean
tfd_authority_is_answering (TfdAuthority *self)
{
  return self->answering;
}

static void
changed_cb (GDBusConnection *connection G_GNUC_UNUSED,
            const char *sender G_GNUC_UNUSED,
            const char *path G_GNUC_UNUSED,
            const char *interface G_GNUC_UNUSED,
            const char *signal G_GNUC_UNUSED,
            GVariant *parameters G_GNUC_UNUSED,
            gpointer user_data)
{
  g_signal_emit_by_name (user_data, "changed");
}

void
tfd_authority_connect (TfdAuthority *self, GDBusConnection *connection)
{
  if (!self->enabled || self->connection != NULL)
    return;
  self->connection = g_object_ref (connection);
  self->subscriptions[0] = g_dbus_connection_signal_subscribe (
      connection, POLKIT_NAME, POLKIT_INTERFACE, "Changed", POLKIT_PATH, NULL,
      G_DBUS_SIGNAL_FLAGS_NONE, changed_cb, self, NULL);
  /* one that was started again has read its rules again */
  self->subscriptions[1] = g_dbus_connection_signal_subscribe (
      connection, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
      "/org/freedesktop/DBus", POLKIT_NAME, G_DBUS_SIGNAL_FLAGS_NONE, changed_cb, self, NULL);
}

TfdAuthority *
tfd_authority_new (gboolean enabled, const TfdConfig *config)
{
  TfdAuthority *self = g_object_new (TFD_TYPE_AUTHORITY, NULL);

  self->enabled = enabled;
  self->config = config;
  return self;
}

/* There are no questions: each has a reference. */
static void
tfd_authority_dispose (GObject *object)
{
  TfdAuthority *self = TFD_AUTHORITY (object);

  for (gsize i = 0; i < G_N_ELEMENTS (self->subscriptions); i++)
    if (self->subscriptions[i] != 0)
      g_dbus_connection_signal_unsubscribe (self->connection, self->subscriptions[i]);
  self->subscriptions[0] = self->subscriptions[1] = 0;
  g_clear_object (&self->connection);
  G_OBJECT_CLASS (tfd_authority_parent_class)->dispose (object);
}

static void
tfd_authority_class_init (TfdAuthorityClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tfd_authority_dispose;
  g_signal_new ("changed", TFD_TYPE_AUTHORITY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                0);
}

static void
tfd_authority_init (TfdAuthority *self)
{
  g_queue_init (&self->waiting);
  g_queue_init (&self->open);
  self->answering = TRUE;
}
