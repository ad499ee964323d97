/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: URLs, paths and redirects. Lines: URL, Location, status, policy and downgrade as digits. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/names.h"
#include "common/url.h"

#include <limits.h>
#include <string.h>

#define N_LINES 4

/* GLib reads the same from it as we do: what we check and what is used cannot differ. */
static void
check_agreement (const char *url)
{
  g_autofree char *scheme = NULL;
  g_autofree char *userinfo = NULL;
  g_autofree char *host = NULL;
  g_autofree char *fragment = NULL;
  g_autofree char *origin = tfd_url_origin (url);
  int port = -1;

  fuzz_check (g_uri_split (url, G_URI_FLAGS_ENCODED, &scheme, &userinfo, &host, &port, NULL, NULL,
                           &fragment, NULL));
  fuzz_check (userinfo == NULL && fragment == NULL && !g_str_equal (origin, "invalid:"));
  fuzz_check (g_ascii_strncasecmp (origin, scheme, strlen (scheme)) == 0);
  if (g_str_has_prefix (origin, "file:"))
    return;
  fuzz_check (host != NULL && host[0] != '\0');

  g_autofree char *lower = g_ascii_strdown (host, -1);
  fuzz_check (strstr (origin, lower) != NULL);
  fuzz_check (tfd_url_check (origin, NULL) && tfd_url_same_origin (origin, url));
}

static void
check_url (const char *url)
{
  g_autoptr (GError) error = NULL;

  if (!tfd_url_check (url, &error))
    {
      fuzz_check (g_error_matches (error, TFD_ERROR, TFD_ERROR_INVALID_URL) ||
                  g_error_matches (error, TFD_ERROR, TFD_ERROR_STRING_TOO_LONG));
      return;
    }
  fuzz_check (strlen (url) <= TFD_MAX_URL);
  for (const char *p = url; *p != '\0'; p++)
    fuzz_check (*p > 0x20 && *p < 0x7f);
  check_agreement (url);
}

static void
check_path (const char *path)
{
  g_autoptr (GError) error = NULL;

  if (!tfd_path_check (path, &error))
    {
      fuzz_check (g_error_matches (error, TFD_ERROR, TFD_ERROR_INVALID_PATH));
      return;
    }
  g_autofree char *canonical = g_canonicalize_filename (path, "/");
  fuzz_check (g_str_equal (canonical, path) && strlen (path) < PATH_MAX);
}

static void
check_redirect (const char *from, const char *location, guint status, guint policy)
{
  g_autofree char *target = NULL;
  gboolean downgrade = (policy & 4) != 0;
  TfdRedirect redirect = tfd_url_redirect (from, status, location, 0,
                                           (TfdRedirectPolicy) (policy & 1), downgrade, &target);
  gboolean follow = redirect == TFD_REDIRECT_FOLLOW || redirect == TFD_REDIRECT_FOLLOW_FOREIGN;

  fuzz_check (follow == (target != NULL));
  if (!follow)
    return;
  fuzz_check (status >= 301 && status <= 308);
  check_url (target);
  fuzz_check (tfd_url_check (target, NULL));
  fuzz_check (g_ascii_strncasecmp (target, "http", 4) == 0);
  fuzz_check (tfd_url_same_origin (from, target) == (redirect == TFD_REDIRECT_FOLLOW));
  if (g_ascii_strncasecmp (from, "https:", 6) == 0 && !downgrade)
    fuzz_check (g_ascii_strncasecmp (target, "https:", 6) == 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  char **lines = fuzz_lines (data, size, N_LINES);

  if (lines[0] != NULL)
    {
      guint64 status = lines[2] != NULL ? g_ascii_strtoull (lines[2], NULL, 10) : 302;
      guint64 policy = lines[3] != NULL ? g_ascii_strtoull (lines[3], NULL, 10) : 0;

      check_url (lines[0]);
      check_path (lines[0]);
      check_redirect (lines[0], lines[1], (guint) status, (guint) policy);
    }
  fuzz_lines_free (lines, N_LINES);
  return 0;
}
