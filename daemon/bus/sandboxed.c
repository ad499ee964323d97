/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sandboxed: what a program in a sandbox may not ask for, although its user may. It sees other
 * files than we do, under other names, and shall not reach through us what it does not reach
 * itself: so it names no files, but hands in the directories that it has opened. */
#include "config.h"

#include "bus/bus-private.h"

#include <string.h>

gboolean
tfd_peer_is_sandboxed (const TfdPeer *peer)
{
  return *peer->sandbox != '\0';
}

static GError *
refuse (const char *what, const char *instead)
{
  return g_error_new (TFD_ERROR, TFD_ERROR_SANDBOXED, "a program in a sandbox may not %s: %s", what,
                      instead);
}

/* Whether @path names a file of this machine by itself. */
static gboolean
is_file_url (const char *url)
{
  return g_ascii_strncasecmp (url, "file:", strlen ("file:")) == 0;
}

static GError *
refuse_file_url (void)
{
  return refuse ("name files by URLs", "only http and https are open to it");
}

static GError *
refuse_path (void)
{
  return refuse ("name local files", "open the directory and use AddFileFd or AddFilesAt");
}

gboolean
tfd_access_check_urls (const TfdPeer *peer, GPtrArray *files, GError **error)
{
  for (guint i = 0; tfd_peer_is_sandboxed (peer) && i < files->len; i++)
    if (is_file_url (((const TfdFileSpec *) files->pdata[i])->url))
      {
        g_propagate_error (error, refuse_file_url ());
        return FALSE;
      }
  return TRUE;
}

/* Its own application, as Flatpak names it: the one that may be told. */
static gboolean
is_own_application (const TfdPeer *peer, const char *application)
{
  const char *own = strchr (peer->sandbox, ':');
  gsize length;

  if (*application == '\0')
    return TRUE;
  if (own == NULL || !g_str_has_prefix (peer->sandbox, "flatpak:"))
    return FALSE;
  length = strlen (++own);
  return g_str_has_prefix (application, own) &&
         (application[length] == '\0' || g_str_equal (application + length, ".desktop"));
}

static GError *
check_property (const TfdPeer *peer, const char *name, GVariant *value)
{
  const char *text =
      g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) ? g_variant_get_string (value, NULL) : "";

  if (*text != '\0' && g_str_equal (name, "ReplyFileName"))
    return refuse_path ();
  if (*text != '\0' && g_str_equal (name, "ClientCertificate"))
    return refuse ("use the certificates of its user", "there is nothing instead");
  if (g_str_equal (name, "NotifyApplication") && !is_own_application (peer, text))
    return refuse ("have another application notified", "name your own");
  if (g_str_equal (name, "files") && g_variant_is_container (value) &&
      g_variant_n_children (value) > 0)
    return refuse_path ();
  if (g_str_equal (name, "all-users") && g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN) &&
      g_variant_get_boolean (value))
    return refuse ("act for other users", "leave ‘all-users’ out");
  return NULL;
}

static GError *
check_dictionary (const TfdPeer *peer, GVariant *dictionary)
{
  GError *error = NULL;
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, dictionary);
  while (error == NULL && g_variant_iter_next (&iter, "{&sv}", &name, &value))
    {
      error = check_property (peer, name, value);
      g_variant_unref (value);
    }
  return error;
}

/* Whatever is called: the dictionaries among its arguments. */
static GError *
check_dictionaries (const TfdPeer *peer, GVariant *parameters)
{
  GError *error = NULL;

  for (gsize i = 0; error == NULL && i < g_variant_n_children (parameters); i++)
    {
      g_autoptr (GVariant) argument = g_variant_get_child_value (parameters, i);

      if (g_variant_is_of_type (argument, G_VARIANT_TYPE_VARDICT))
        error = check_dictionary (peer, argument);
    }
  return error;
}

static GError *
check_set (const TfdPeer *peer, GVariant *parameters)
{
  g_autoptr (GVariant) value = NULL;
  const char *name;

  g_variant_get (parameters, "(&s&sv)", NULL, &name, &value);
  return check_property (peer, name, value);
}

static GError *
check_remote_name (const TfdPeer *peer G_GNUC_UNUSED, GVariant *parameters)
{
  const char *url;

  g_variant_get_child (parameters, 1, "&s", &url);
  return is_file_url (url) ? refuse_file_url () : NULL;
}

/* Together with the rest of some URL anything shorter could become one of a file. */
static GError *
check_remote_prefix (const TfdPeer *peer G_GNUC_UNUSED, GVariant *parameters)
{
  const char *replacement;

  g_variant_get_child (parameters, 1, "&s", &replacement);
  if (g_ascii_strncasecmp (replacement, "http://", strlen ("http://")) == 0 ||
      g_ascii_strncasecmp (replacement, "https://", strlen ("https://")) == 0)
    return NULL;
  return refuse ("choose what its URLs begin with, unless that is http:// or https://",
                 "give all of it");
}

/* Its user's ticket opens doors that the program cannot open. */
static GError *
check_credentials (const TfdPeer *peer G_GNUC_UNUSED, GVariant *parameters)
{
  const char *scheme;

  g_variant_get_child (parameters, 1, "&s", &scheme);
  return g_str_equal (scheme, "negotiate")
             ? refuse ("log in as its user", "use another scheme than negotiate")
             : NULL;
}

static GError *
check_path (const TfdPeer *peer G_GNUC_UNUSED, GVariant *parameters G_GNUC_UNUSED)
{
  return refuse_path ();
}

static GError *
check_administration (const TfdPeer *peer G_GNUC_UNUSED, GVariant *parameters G_GNUC_UNUSED)
{
  return refuse ("administrate", "there is nothing instead");
}

static const struct
{
  const char *method;
  GError *(*check) (const TfdPeer *peer, GVariant *parameters);
} checks[] = {
  { "AddFile", check_path },
  { "AddFiles", check_path },
  { "Set", check_set },
  { "SetRemoteName", check_remote_name },
  { "ReplaceRemotePrefix", check_remote_prefix },
  { "SetCredentials", check_credentials },
  { "TakeOwnership", check_administration },
  { "Reload", check_administration },
};

/* What is left to a program that has no network: to wait for what is under way, to give it up, and
 * to read. Anything else could have something sent, if only a name that somebody resolves. */
static gboolean
may_without_network (TfdCall *call)
{
  static const char *const methods[] = { "Cancel",
                                         "CancelJobs",
                                         "Complete",
                                         "CompleteJobs",
                                         "DescribeError",
                                         "Explain",
                                         "Get",
                                         "GetAll",
                                         "GetEvents",
                                         "GetFilledRanges",
                                         "GetJob",
                                         "GetJobHistory",
                                         "GetReplyData",
                                         "GetResponseHeaders",
                                         "ListFiles",
                                         "ListJobs",
                                         "OpenReply",
                                         "OpenTemporary",
                                         "RemoveCredentials",
                                         "Subscribe",
                                         "Suspend",
                                         "SuspendAll",
                                         "Unsubscribe",
                                         NULL };

  return g_strv_contains (methods, g_dbus_method_invocation_get_method_name (call->invocation));
}

GError *
tfd_sandboxed_check (TfdCall *call)
{
  const char *method = g_dbus_method_invocation_get_method_name (call->invocation);
  const TfdPeer *peer = call->peer;
  GVariant *parameters = tfd_call_parameters (call);

  if (!tfd_peer_is_sandboxed (peer))
    return NULL;
  if (peer->no_network && !may_without_network (call))
    return refuse ("use a network through transferd that it has not itself",
                   "it may look at what it has, suspend, complete and cancel");
  for (gsize i = 0; i < G_N_ELEMENTS (checks); i++)
    if (g_str_equal (method, checks[i].method))
      {
        GError *error = checks[i].check (peer, parameters);

        if (error != NULL)
          return error;
      }
  return check_dictionaries (peer, parameters);
}
