/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Create: CreateJob, and what all calls that add files (add.c) have in common. Before a file is
 * accepted its owner's worker looks at its directory, or at the file if it is to be sent; later
 * calls of the same client wait for that, those of others do not. */
#include "config.h"
#include "bus/create.h"

#include "base/identity.h"
#include "bus/bus-private.h"

#include <glib/gstdio.h>

/* For so long the name of a caller is believed to be what it was, unless it is heard of another. */
#define NAME_TIME (10 * (gint64) TFD_USEC_PER_SEC)

/* What a call wants to create, while it is prepared. */
typedef struct
{
  TfdCall *call; /* (owned) until it is answered */
  TfdJobType type;
  TfdJobProperties *properties; /* (owned) (nullable) of CreateJob */
  GPtrArray *files;             /* (owned) (nullable) of TfdFileSpec */
  gboolean start;
  char *owner_name;
  guint persons;               /* of the engine, when it was asked who the caller is */
  int fd;                      /* of AddFileFd and AddFilesAt, or -1 */
  TfdReservation *reservation; /* (owned) (nullable) */
} Creation;

static void
creation_free (Creation *creation)
{
  g_clear_pointer (&creation->properties, tfd_job_properties_free);
  g_clear_pointer (&creation->files, g_ptr_array_unref);
  g_clear_pointer (&creation->reservation, tfd_reservation_free);
  g_free (creation->owner_name);
  if (creation->fd >= 0)
    g_close (creation->fd, NULL);
  g_free (creation);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Creation, creation_free)

static void
finish_create (Creation *creation, GHashTable *found)
{
  TfdCall *call = creation->call;
  const TfdOwner owner = { call->peer->uid, creation->owner_name, call->peer->sandbox };
  GError *error = NULL;
  TfdJob *job = tfd_engine_create_job (call->bus->engine, &owner, creation->type,
                                       g_steal_pointer (&creation->properties), creation->files,
                                       found, creation->start, creation->reservation, &error);
  g_autofree char *path = job != NULL ? tfd_job_path (tfd_job_id (job)) : NULL;

  if (job != NULL)
    tfd_call_return (call, g_variant_new ("(o)", path));
  else
    tfd_call_fail (call, error);
}

static void
finish_add (Creation *creation, GHashTable *found)
{
  TfdCall *call = creation->call;
  GError *error = NULL;
  guint32 first = 0;

  /* somebody else has taken it over meanwhile */
  if (!tfd_access_is_owner (call->peer, call->job))
    {
      tfd_call_fail (call, tfd_access_not_found ());
      return;
    }
  if (tfd_engine_add_files (call->bus->engine, call->job, creation->files, found,
                            creation->reservation, &first, &error))
    tfd_call_return (call, g_variant_new ("(u)", first));
  else
    tfd_call_fail (call, error);
}

typedef struct
{
  Creation *creation; /* (owned) (nullable) */
  GHashTable *found;  /* (owned) (nullable) */
} Waiting;

static void
waiting_free (gpointer data)
{
  Waiting *waiting = data;

  if (waiting->creation != NULL)
    {
      tfd_call_free (waiting->creation->call);
      creation_free (waiting->creation);
    }
  g_clear_pointer (&waiting->found, g_hash_table_unref);
  g_free (waiting);
}

static void
free_again_cb (TfdJob *job G_GNUC_UNUSED, gpointer data)
{
  Waiting *waiting = data;
  g_autoptr (Creation) creation = g_steal_pointer (&waiting->creation);

  finish_add (creation, waiting->found);
}

/* The worker has looked: @seen, or @error; neither when it need not. Takes all three. */
static void
go_on (Creation *looked_for, GHashTable *seen, GError *error)
{
  g_autoptr (Creation) creation = looked_for;
  g_autoptr (GHashTable) found = seen;
  TfdCall *call = creation->call;
  TfdEngine *engine = call->bus->engine;

  if (error != NULL)
    tfd_call_fail (call, error);
  else if (creation->properties != NULL)
    finish_create (creation, found);
  else if (tfd_engine_is_busy (engine, call->job))
    {
      /* a Complete or Cancel began while the worker looked: it is decided first */
      Waiting *waiting = g_new (Waiting, 1);

      *waiting = (Waiting){ g_steal_pointer (&creation), g_steal_pointer (&found) };
      tfd_engine_when_free (engine, call->job, free_again_cb, waiting, waiting_free);
      /* only now may the client's next calls get in line */
      tfd_call_release (call);
    }
  else
    finish_add (creation, found);
}

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  GHashTable *found = tfd_engine_probe_finish (TFD_ENGINE (source), result, &error);

  go_on (user_data, found, error);
}

static void
attached_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  GHashTable *found = tfd_engine_attach_finish (TFD_ENGINE (source), result, &error);

  go_on (user_data, found, error);
}

static void
probe (Creation *creation)
{
  TfdCall *call = creation->call;
  const TfdOwner owner = { call->peer->uid, creation->owner_name, call->peer->sandbox };

  if (creation->files == NULL || creation->files->len == 0)
    {
      finish_create (creation, NULL);
      creation_free (creation);
    }
  else if (creation->fd >= 0)
    {
      int fd = creation->fd;

      creation->fd = -1;
      tfd_engine_attach_async (call->bus->engine, call->job, fd, creation->files, attached_cb,
                               creation);
    }
  else if (tfd_engine_probe_is_known (call->bus->engine, owner.uid, creation->type,
                                      creation->files))
    go_on (creation, NULL, NULL);
  else
    tfd_engine_probe_async (call->bus->engine, &owner, creation->type,
                            creation->properties != NULL ? creation->properties
                                                         : tfd_job_record (call->job)->properties,
                            creation->files, probed_cb, creation);
}

/* A script that creates jobs one after the other need not wait for the name service each time. */
static char *
known_name (TfdCall *call)
{
  const TfdPeer *peer = call->peer;
  TfdEngine *engine = call->bus->engine;
  gint64 age = tfd_clock_now_boot (tfd_engine_get_clock (engine)) - peer->named;

  return peer->person != NULL && age < NAME_TIME && peer->persons == tfd_engine_get_persons (engine)
             ? g_strdup (peer->person)
             : NULL;
}

static void
remember_name (const Creation *creation)
{
  TfdPeer *peer = creation->call->peer;

  g_free (peer->person);
  peer->person = g_strdup (creation->owner_name);
  peer->named = tfd_clock_now_boot (tfd_engine_get_clock (peer->bus->engine));
  peer->persons = creation->persons;
}

static void
looked_up_cb (GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Creation) creation = user_data;
  GError *error = NULL;
  g_autoptr (TfdIdentity) identity = tfd_identity_look_up_finish (result, &error);

  if (identity == NULL)
    {
      /* a job belongs to a person with a name, not to a number that may be given to another */
      tfd_call_fail_code (creation->call, TFD_ERROR_ACCESS_DENIED, "your user is not known: %s",
                          error->message);
      g_error_free (error);
      return;
    }
  creation->owner_name = g_strdup (identity->name);
  remember_name (creation);
  probe (g_steal_pointer (&creation));
}

/* ---- reading the calls ---- */

static gboolean
read_options (Creation *creation, GVariant *options, GError **error)
{
  g_autoptr (GVariant) start = g_variant_lookup_value (options, "start", NULL);
  g_autoptr (GVariant) files = g_variant_lookup_value (options, "files", NULL);

  if (start != NULL && !g_variant_is_of_type (start, G_VARIANT_TYPE_BOOLEAN))
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, "‘start’ must be of type b");
      return FALSE;
    }
  if (files != NULL && !g_variant_is_of_type (files, G_VARIANT_TYPE ("a(ssa{sv})")))
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS,
                           "‘files’ must be of type a(ssa{sv})");
      return FALSE;
    }
  creation->start = start != NULL && g_variant_get_boolean (start);
  if (files != NULL && g_variant_n_children (files) > 0)
    {
      creation->files = tfd_file_specs_new (creation->type, files, error);
      if (creation->files == NULL)
        return FALSE;
    }
  return TRUE;
}

/* The options say more than the name that stands before them. */
static gboolean
read_properties (Creation *creation, const char *name, GVariant *options, GError **error)
{
  g_autoptr (GVariant) other = g_variant_lookup_value (options, "DisplayName", NULL);
  GVariantBuilder builder;
  g_autoptr (GVariant) named = NULL;

  creation->properties = tfd_job_properties_new ();
  if (!tfd_job_properties_apply (creation->properties, creation->type, options, TRUE, TFD_LIFE_NEW,
                                 error))
    return FALSE;
  if (other != NULL || *name == '\0')
    return TRUE;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "DisplayName", g_variant_new_string (name));
  named = g_variant_ref_sink (g_variant_builder_end (&builder));
  return tfd_job_properties_apply (creation->properties, creation->type, named, TRUE, TFD_LIFE_NEW,
                                   error);
}

static Creation *
read_create (TfdCall *call, GVariant *parameters, GError **error)
{
  g_autoptr (Creation) creation = g_new0 (Creation, 1);
  /* one by one: a borrowed string would have all that there is of files serialised first */
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 2);
  const char *name, *type_name;
  int type;

  g_variant_get_child (parameters, 0, "&s", &name);
  g_variant_get_child (parameters, 1, "&s", &type_name);
  creation->call = call;
  creation->fd = -1;
  if (!tfd_enum_from_string (TFD_TYPE_JOB_TYPE, type_name, &type))
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS,
                   "‘%s’ is no type of job: use download, upload or upload-reply", type_name);
      return NULL;
    }
  creation->type = type;
  if (!read_properties (creation, name, options, error) || !read_options (creation, options, error))
    return NULL;
  return g_steal_pointer (&creation);
}

/* Ranges are looked at and counted, so that nobody relies on what is refused later, but nothing
 * fetches them as yet. */
static gboolean
check_supported (const Creation *creation, GError **error)
{
  for (guint i = 0; creation->files != NULL && i < creation->files->len; i++)
    if (((const TfdFileSpec *) creation->files->pdata[i])->n_ranges > 0)
      {
        g_set_error (error, TFD_ERROR, TFD_ERROR_NOT_SUPPORTED,
                     "file %u of the call: ‘ranges’ cannot be used in this version", i);
        return FALSE;
      }
  return TRUE;
}

static void
permitted_cb (gpointer data, TfdReservation *reservation, GError *error)
{
  g_autoptr (Creation) creation = data;
  TfdCall *call = creation->call;

  if (error != NULL)
    {
      tfd_call_fail (call, error);
      return;
    }
  creation->reservation = reservation;
  if (!check_supported (creation, &error))
    tfd_call_fail (call, error);
  else if (creation->properties == NULL)
    probe (g_steal_pointer (&creation));
  else if ((creation->owner_name = known_name (call)) != NULL)
    probe (g_steal_pointer (&creation));
  else
    {
      creation->persons = tfd_engine_get_persons (call->bus->engine);
      tfd_identity_look_up_async (call->peer->uid, NULL, looked_up_cb, g_steal_pointer (&creation));
    }
}

void
tfd_manager_create_job (TfdCall *call, GVariant *parameters)
{
  GError *error = NULL;
  Creation *creation = read_create (call, parameters, &error);

  if (creation == NULL)
    {
      tfd_call_fail (call, error);
      return;
    }
  tfd_call_hold (call);
  tfd_permit_job (call, creation->type, creation->properties, creation->files, permitted_cb,
                  creation);
}

void
tfd_create_add (TfdCall *call, GPtrArray *files, int fd)
{
  Creation *creation = g_new0 (Creation, 1);
  TfdOwner owner = tfd_job_owner (call->job);
  GError *error = NULL;

  creation->call = call;
  creation->type = tfd_job_record (call->job)->type;
  creation->files = files;
  creation->fd = fd;
  creation->owner_name = g_strdup (owner.name);
  if (!tfd_engine_check_add_files (call->bus->engine, call->job, files->len, &error))
    {
      tfd_call_fail (call, error);
      creation_free (creation);
      return;
    }
  tfd_call_hold (call);
  tfd_permit_files (call, files, permitted_cb, creation);
}
