/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sandbox id: reading what is said of a process into the name of its sandbox. */
#include "config.h"

#include "common/sandbox-id.h"

#include <string.h>

#define FLATPAK "flatpak:"
#define SNAP "snap:"
#define APPARMOR "apparmor:"

/* Names of applications and snaps. */
static gboolean
is_name (const char *text)
{
  if (!g_ascii_isalnum (*text))
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && strchr ("._-", *text) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
is_printable (const char *text)
{
  if (*text == '\0' || !g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (; *text != '\0'; text++)
    if (g_ascii_iscntrl (*text))
      return FALSE;
  return TRUE;
}

gboolean
tfd_sandbox_id_is_valid (const char *id)
{
  if (strlen (id) > TFD_SANDBOX_ID_MAX)
    return FALSE;
  if (g_str_has_prefix (id, FLATPAK))
    return is_name (id + strlen (FLATPAK));
  if (g_str_has_prefix (id, SNAP))
    return is_name (id + strlen (SNAP));
  if (g_str_has_prefix (id, APPARMOR))
    return is_printable (id + strlen (APPARMOR));
  return *id == '\0' || g_str_equal (id, TFD_SANDBOX_UNKNOWN);
}

/* Whoever has a name that we cannot write down is in a sandbox all the same. */
static char *
make_id (const char *kind, const char *name)
{
  g_autofree char *id = g_strconcat (kind, name, NULL);

  return tfd_sandbox_id_is_valid (id) ? g_steal_pointer (&id) : g_strdup (TFD_SANDBOX_UNKNOWN);
}

/* The name in "snap.<name>.<application>" or "snap.<name>", or NULL. */
static char *
snap_name (const char *tag)
{
  g_auto (GStrv) parts = g_strsplit (tag, ".", 3);

  if (g_strv_length (parts) < 2 || !g_str_equal (parts[0], "snap") || !is_name (parts[1]))
    return NULL;
  return g_strdup (parts[1]);
}

char *
tfd_sandbox_id_from_label (const char *label)
{
  const char *mode = g_strrstr (label, " (");
  g_autofree char *profile = NULL;
  g_autofree char *snap = NULL;

  /* without a mode it is "unconfined", or the label of another security module */
  if (mode == NULL || !g_str_has_suffix (mode, ")"))
    return NULL;
  /* a profile in these modes forbids nothing */
  if (g_str_equal (mode, " (complain)") || g_str_equal (mode, " (unconfined)"))
    return NULL;
  profile = g_strndup (label, (gsize) (mode - label));
  snap = snap_name (profile);
  return snap != NULL ? make_id (SNAP, snap) : make_id (APPARMOR, profile);
}

char *
tfd_sandbox_id_from_flatpak_info (const char *data, gsize length, gboolean *network)
{
  g_autoptr (GKeyFile) info = g_key_file_new ();
  g_autofree char *name = NULL;
  g_auto (GStrv) shared = NULL;

  *network = FALSE;
  if (length > TFD_FLATPAK_INFO_MAX ||
      !g_key_file_load_from_data (info, data, length, G_KEY_FILE_NONE, NULL))
    return NULL;
  name = g_key_file_get_string (info, "Application", "name", NULL);
  if (name == NULL)
    name = g_key_file_get_string (info, "Runtime", "name", NULL);
  if (name == NULL || !is_name (name) || strlen (name) + strlen (FLATPAK) > TFD_SANDBOX_ID_MAX)
    return NULL;
  shared = g_key_file_get_string_list (info, "Context", "shared", NULL, NULL);
  *network = shared != NULL && g_strv_contains ((const char *const *) shared, "network");
  return make_id (FLATPAK, name);
}

char *
tfd_sandbox_id_from_cgroups (const char *text)
{
  g_auto (GStrv) parts = g_strsplit_set (text, "/\n", -1);

  for (gsize i = 0; parts[i] != NULL; i++)
    {
      g_autofree char *snap = snap_name (parts[i]);

      if (snap != NULL)
        return make_id (SNAP, snap);
    }
  return NULL;
}

char *
tfd_sandbox_id_choose (const char *labelled, const char *seen)
{
  /* A snap cannot make itself look like anything else; others may have a sandbox within their
   * profile, and one profile may be that of many sandboxes. */
  if (labelled != NULL && (g_str_has_prefix (labelled, SNAP) || *seen == '\0'))
    return g_strdup (labelled);
  return g_strdup (seen);
}
