/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Target: which local file a URL is downloaded to. */
#include "config.h"
#include "client/transferctl/target.h"

#include <gio/gio.h>
#include <limits.h>
#include <string.h>

#define FALLBACK_NAME "index.html"

/* Appends the byte that the escape at @at is, if it is one. */
static gboolean
unescape (GString *name, const char *at)
{
  int high, low;

  if (at[0] != '%' || (high = g_ascii_xdigit_value (at[1])) < 0 ||
      (low = g_ascii_xdigit_value (at[2])) < 0)
    return FALSE;
  g_string_append_c (name, (char) (high << 4 | low));
  return TRUE;
}

/* Cuts @name to the length that file systems allow, its suffix kept and no character split. */
static void
shorten (GString *name)
{
  const char *suffix = strrchr (name->str, '.');
  gsize kept = suffix != NULL && strlen (suffix) <= 16 ? strlen (suffix) : 0;
  gsize cut = NAME_MAX - kept;

  if (name->len <= NAME_MAX)
    return;
  while (cut > 1 && ((guchar) name->str[cut] & 0xc0) == 0x80)
    cut--;
  g_string_erase (name, (gssize) cut, (gssize) (name->len - kept - cut));
}

char *
ctl_target_name (const char *url)
{
  const char *path = strstr (url, "://");
  g_autofree char *whole = NULL;
  const char *last;
  GString *name = g_string_new (NULL);

  if (path != NULL)
    path += strlen ("://") + strcspn (path + strlen ("://"), "/?#");
  whole = path != NULL ? g_strndup (path, strcspn (path, "?#")) : g_strdup ("");
  last = strrchr (whole, '/');
  for (const char *at = last != NULL ? last + 1 : whole; *at != '\0'; at++)
    if (unescape (name, at))
      at += 2;
    else
      g_string_append_c (name, *at);
  for (gsize i = 0; i < name->len; i++)
    if (name->str[i] == '/' || (guchar) name->str[i] < 0x20 || name->str[i] == 0x7f)
      name->str[i] = '_';
  shorten (name);
  if (name->len == 0 || g_str_equal (name->str, ".") || g_str_equal (name->str, ".."))
    g_string_assign (name, FALLBACK_NAME);
  return g_string_free (name, FALSE);
}

char *
ctl_target_path (const char *url, const char *said, GError **error)
{
  g_autofree char *name = ctl_target_name (url);
  g_autofree char *path = NULL;
  g_autofree char *directory = NULL;

  if (said == NULL)
    return g_canonicalize_filename (name, NULL);
  path = g_canonicalize_filename (said, NULL);
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return g_build_filename (path, name, NULL);
  directory = g_str_has_suffix (said, "/") ? g_strdup (path) : g_path_get_dirname (path);
  if (g_file_test (directory, G_FILE_TEST_IS_DIR))
    return g_steal_pointer (&path);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "there is no directory ‘%s’", directory);
  return NULL;
}
