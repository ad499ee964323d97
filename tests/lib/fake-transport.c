/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fake transport: records requests until the test answers them. */
#include "fake-transport.h"

#include "common/packed.h"
#include "packed-rows.h"
#include "worker-interface.h"

#include <string.h>

typedef struct
{
  guint32 uid;
  char *owner;          /* (owned) */
  char *method;         /* (owned) */
  GVariant *parameters; /* (owned) */
  GUnixFDList *fds;     /* (owned) (nullable) */
  GTask *task;          /* (owned) (nullable) */
} Request;

struct _TfdFakeTransport
{
  GObject parent;

  GQueue requests; /* (owned) of (owned) Request, the oldest first */
  TfdFakeTransportGuard guard;
  gpointer guard_data;
};

static void tfd_fake_transport_iface_init (TfdTransportInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TfdFakeTransport,
                               tfd_fake_transport,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TFD_TYPE_TRANSPORT,
                                                      tfd_fake_transport_iface_init))

static void
request_free (Request *request)
{
  g_free (request->owner);
  g_free (request->method);
  g_variant_unref (request->parameters);
  g_clear_object (&request->fds);
  g_clear_object (&request->task);
  g_free (request);
}

/* The type of a tuple of @arguments, as the interface describes it. */
static GVariantType *
type_of (GDBusArgInfo **arguments)
{
  GString *text = g_string_new ("(");

  for (guint i = 0; arguments != NULL && arguments[i] != NULL; i++)
    g_string_append (text, arguments[i]->signature);
  g_string_append_c (text, ')');
  g_autofree char *string = g_string_free (text, FALSE);
  return g_variant_type_new (string);
}

static const GDBusMethodInfo *
method_info (const char *method)
{
  const GDBusMethodInfo *info =
      g_dbus_interface_info_lookup_method ((GDBusInterfaceInfo *) &tfd_worker_interface, method);

  if (info == NULL)
    g_error ("the interface of workers has no method ‘%s’", method);
  return info;
}

static void
check_type (GVariant *value, GDBusArgInfo **arguments, const char *method)
{
  g_autoptr (GVariantType) type = type_of (arguments);

  if (!g_variant_is_of_type (value, type))
    g_error ("%s: ‘%s’ instead of ‘%s’", method, g_variant_get_type_string (value),
             g_variant_type_peek_string (type));
}

/* Files that came packed for a run are kept as a(ua{sv}). */
static GVariant *
readable (const char *method, GVariant *parameters)
{
  g_autoptr (GPtrArray) children = NULL;
  gsize n = g_variant_n_children (parameters);

  if (!g_str_equal (method, "Start") && !g_str_equal (method, "AddFiles"))
    return parameters;
  children = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (parameters, i);

      g_ptr_array_add (children, i + 1 < n ? g_variant_ref (child)
                                           : g_variant_ref_sink (tfd_unpack_rows_of_files (child)));
    }
  g_variant_unref (parameters);
  return g_variant_ref_sink (g_variant_new_tuple ((GVariant *const *) children->pdata, n));
}

static void
request_async (TfdTransport *transport,
               const TfdOwner *owner,
               const char *method,
               GVariant *parameters,
               GUnixFDList *fds,
               GAsyncReadyCallback callback,
               gpointer user_data)
{
  TfdFakeTransport *self = TFD_FAKE_TRANSPORT (transport);
  Request *request = g_new0 (Request, 1);

  request->uid = owner->uid;
  request->owner = g_strdup (owner->name);
  request->method = g_strdup (method);
  request->parameters = parameters != NULL ? g_variant_ref_sink (parameters)
                                           : g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
  request->fds = fds != NULL ? g_object_ref (fds) : NULL;
  request->task = g_task_new (self, NULL, callback, user_data);
  check_type (request->parameters, method_info (method)->in_args, method);
  request->parameters = readable (method, request->parameters);
  if (self->guard != NULL)
    self->guard (method, request->parameters, self->guard_data);
  g_queue_push_tail (&self->requests, request);
}

static void
tfd_fake_transport_iface_init (TfdTransportInterface *iface)
{
  iface->request_async = request_async;
}

static void
tfd_fake_transport_finalize (GObject *object)
{
  TfdFakeTransport *self = TFD_FAKE_TRANSPORT (object);
  g_autofree char *left = tfd_fake_transport_list (self);

  g_assert_cmpstr (left, ==, "");
  G_OBJECT_CLASS (tfd_fake_transport_parent_class)->finalize (object);
}

static void
tfd_fake_transport_class_init (TfdFakeTransportClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tfd_fake_transport_finalize;
}

static void
tfd_fake_transport_init (TfdFakeTransport *self)
{
  g_queue_init (&self->requests);
}

TfdFakeTransport *
tfd_fake_transport_new (void)
{
  return g_object_new (TFD_TYPE_FAKE_TRANSPORT, NULL);
}

void
tfd_fake_transport_set_guard (TfdFakeTransport *self, TfdFakeTransportGuard guard, gpointer data)
{
  self->guard = guard;
  self->guard_data = data;
}

guint
tfd_fake_transport_count (TfdFakeTransport *self)
{
  return g_queue_get_length (&self->requests);
}

char *
tfd_fake_transport_list (TfdFakeTransport *self)
{
  GString *text = g_string_new (NULL);

  for (GList *link = self->requests.head; link != NULL; link = link->next)
    g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "",
                            ((Request *) link->data)->method);
  return g_string_free (text, FALSE);
}

static GList *
find (TfdFakeTransport *self, const char *method)
{
  g_autofree char *list = NULL;

  for (GList *link = self->requests.head; link != NULL; link = link->next)
    if (g_str_equal (((Request *) link->data)->method, method))
      return link;
  list = tfd_fake_transport_list (self);
  g_error ("no request ‘%s’ waits for an answer, only: %s", method, list);
}

GVariant *
tfd_fake_transport_peek (TfdFakeTransport *self, const char *method)
{
  return ((Request *) find (self, method)->data)->parameters;
}

static GVariant *
bytes_of (const char *path)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, path, strlen (path), 1);
}

static GVariant *
describe (const TfdPackedFile *file)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "attempt", "u", file->attempt);
  g_variant_dict_insert (&dict, "state", "s",
                         tfd_enum_to_string (TFD_TYPE_FILE_STATE, file->state));
  if (file->mode != G_MAXUINT32)
    g_variant_dict_insert (&dict, "mode", "u", file->mode);
  if (file->attached)
    g_variant_dict_insert (&dict, "attached", "b", TRUE);
  if (file->path != NULL)
    g_variant_dict_insert_value (&dict, "path", bytes_of (file->path));
  if (file->target != NULL)
    g_variant_dict_insert_value (&dict, "target", bytes_of (file->target));
  if (file->directory != NULL)
    g_variant_dict_insert_value (
        &dict, "directory",
        g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, file->directory, TRUE));
  if (file->part != NULL)
    g_variant_dict_insert_value (&dict, "part", file->part);
  return g_variant_new ("(u@a{sv})", file->index, g_variant_dict_end (&dict));
}

GVariant *
tfd_fake_transport_files (GVariant *parameters)
{
  g_autoptr (GVariant) files =
      g_variant_get_child_value (parameters, g_variant_n_children (parameters) - 1);
  g_auto (TfdPackedFile) file = { 0 };
  GVariantBuilder builder;
  TfdUnpacker from;

  if (!g_variant_is_of_type (files, G_VARIANT_TYPE_BYTESTRING))
    return g_steal_pointer (&files);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ua{sv})"));
  tfd_unpacker_init (&from, g_variant_get_data (files), g_variant_get_size (files));
  while (tfd_unpack_file (&from, &file))
    {
      g_variant_builder_add_value (&builder, describe (&file));
      tfd_packed_file_clear (&file);
    }
  g_assert_false (from.bad);
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

const char *
tfd_fake_transport_peek_owner (TfdFakeTransport *self, const char *method)
{
  return ((Request *) find (self, method)->data)->owner;
}

GUnixFDList *
tfd_fake_transport_peek_fds (TfdFakeTransport *self, const char *method)
{
  return ((Request *) find (self, method)->data)->fds;
}

static Request *
take (TfdFakeTransport *self, const char *method)
{
  GList *link = find (self, method);
  Request *request = link->data;

  g_queue_delete_link (&self->requests, link);
  return request;
}

/* Takes @request. */
static void
answer_request (Request *request, GVariant *answer, GUnixFDList *fds)
{
  GVariant *owned = g_variant_ref_sink (answer);

  check_type (owned, method_info (request->method)->out_args, request->method);
  tfd_transport_answer_set_fds (request->task, fds);
  g_task_return_pointer (request->task, owned, (GDestroyNotify) g_variant_unref);
  request_free (request);
}

void
tfd_fake_transport_answer_with_fds (TfdFakeTransport *self,
                                    const char *method,
                                    GVariant *answer,
                                    GUnixFDList *fds)
{
  answer_request (take (self, method), answer, fds);
}

static GList *
find_nth (TfdFakeTransport *self, guint32 uid, guint n)
{
  GList *link = self->requests.head;

  while (link != NULL && (((Request *) link->data)->uid != uid || n-- > 0))
    link = link->next;
  return link;
}

const char *
tfd_fake_transport_next (TfdFakeTransport *self, guint32 uid, GVariant **parameters)
{
  return tfd_fake_transport_nth (self, uid, 0, parameters);
}

const char *
tfd_fake_transport_nth (TfdFakeTransport *self, guint32 uid, guint n, GVariant **parameters)
{
  GList *link = find_nth (self, uid, n);

  if (link == NULL)
    return NULL;
  *parameters = ((Request *) link->data)->parameters;
  return ((Request *) link->data)->method;
}

void
tfd_fake_transport_answer_next (TfdFakeTransport *self, guint32 uid, GVariant *answer)
{
  GList *link = find_nth (self, uid, 0);
  Request *request = link->data;

  g_queue_delete_link (&self->requests, link);
  answer_request (request, answer, NULL);
}

void
tfd_fake_transport_answer (TfdFakeTransport *self, const char *method, GVariant *answer)
{
  tfd_fake_transport_answer_with_fds (self, method, answer, NULL);
}

void
tfd_fake_transport_answer_text (TfdFakeTransport *self, const char *method, const char *answer)
{
  g_autoptr (GVariantType) type = type_of (method_info (method)->out_args);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = g_variant_parse (type, answer, NULL, NULL, &error);

  g_assert_no_error (error);
  tfd_fake_transport_answer (self, method, value);
}

static void
fail_request (Request *request, GIOErrorEnum code)
{
  g_task_return_new_error (request->task, G_IO_ERROR, (int) code, "the test has %s fail",
                           request->method);
  request_free (request);
}

void
tfd_fake_transport_fail (TfdFakeTransport *self, const char *method, GIOErrorEnum code)
{
  fail_request (take (self, method), code);
}

void
tfd_fake_transport_refuse (TfdFakeTransport *self,
                           const char *method,
                           const char *name,
                           const char *message)
{
  Request *request = take (self, method);

  g_task_return_error (request->task, g_dbus_error_new_for_dbus_error (name, message));
  request_free (request);
}

void
tfd_fake_transport_lose (TfdFakeTransport *self, guint32 uid)
{
  GQueue requests = self->requests;

  /* what comes while these fail is for the next worker */
  g_queue_init (&self->requests);
  for (Request *request = g_queue_pop_head (&requests); request != NULL;
       request = g_queue_pop_head (&requests))
    if (request->uid == uid)
      fail_request (request, G_IO_ERROR_CONNECTION_CLOSED);
    else
      g_queue_push_tail (&self->requests, request);
  tfd_transport_emit_lost (TFD_TRANSPORT (self), uid);
}

void
tfd_fake_transport_news (TfdFakeTransport *self,
                         guint32 uid,
                         const char *name,
                         GVariant *parameters)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (parameters);

  if (g_str_equal (name, "FilesDone") &&
      g_variant_is_of_type (owned, G_VARIANT_TYPE ("(ta(uta{sv}))")))
    {
      g_autoptr (GVariant) rows = owned;
      guint64 run;
      GVariant *files;

      g_variant_get (rows, "(t@a(uta{sv}))", &run, &files);
      owned = g_variant_ref_sink (g_variant_new ("(t@ay)", run, tfd_pack_rows_done (files)));
      g_variant_unref (files);
    }
  tfd_transport_emit_news (TFD_TRANSPORT (self), uid, name, owned);
}

void
tfd_fake_transport_abandon (TfdFakeTransport *self)
{
  static GPtrArray *abandoned;

  /* what they belong to is never freed, as nobody is left to do it: keep it in sight of those who
   * look for leaks */
  if (abandoned == NULL)
    abandoned = g_ptr_array_new ();
  for (Request *request = g_queue_pop_head (&self->requests); request != NULL;
       request = g_queue_pop_head (&self->requests))
    {
      g_ptr_array_add (abandoned, g_steal_pointer (&request->task));
      request_free (request);
    }
}
