/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Wire, credentials: user and password for each target and scheme. They live with the properties of
 * a job but are none: nothing reads them back to a client, and no message quotes them. */
#include "config.h"

#include "common/wire-private.h"

#include <string.h>

#define MAX_USER 300       /* characters */
#define MAX_PASSWORD 65535 /* bytes */
#define ROW_TYPE "(ssss)"

static const struct
{
  const char *scheme;
  gboolean implemented;
} schemes[] = {
  { "basic", TRUE },      { "digest", TRUE }, { "ntlm", FALSE },
  { "negotiate", FALSE }, { "pin", FALSE },
};

static gboolean
check_scheme (const char *target, const char *scheme, GError **error)
{
  gboolean known = FALSE;
  gboolean implemented = g_str_equal (target, "server");

  if (!g_str_equal (target, "server") && !g_str_equal (target, "proxy") &&
      !g_str_equal (target, "certificate"))
    {
      tfd_throw_args (error, "‘target’ cannot be ‘%s’: use server, proxy or certificate", target);
      return FALSE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_str_equal (scheme, schemes[i].scheme))
      {
        known = TRUE;
        implemented = implemented && schemes[i].implemented;
      }
  if (!known)
    {
      tfd_throw_args (error, "‘scheme’ cannot be ‘%s’: use basic, digest, ntlm, negotiate or pin",
                      scheme);
      return FALSE;
    }
  if (g_str_equal (scheme, "pin") != g_str_equal (target, "certificate"))
    {
      tfd_throw_args (error, "‘pin’ is the scheme of target ‘certificate’, and its only one");
      return FALSE;
    }
  if (!implemented)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_NOT_SUPPORTED,
                   "credentials of scheme ‘%s’ for target ‘%s’ are not supported in this version",
                   scheme, target);
      return FALSE;
    }
  return TRUE;
}

static gboolean
has_control (const char *text)
{
  for (; *text != '\0'; text++)
    if (g_ascii_iscntrl (*text))
      return TRUE;
  return FALSE;
}

static gboolean
check_words (const char *scheme, const char *user, const char *password, GError **error)
{
  if (g_utf8_strlen (user, -1) > MAX_USER)
    g_set_error (error, TFD_ERROR, TFD_ERROR_STRING_TOO_LONG,
                 "‘user’ has %ld characters, at most %d are allowed", g_utf8_strlen (user, -1),
                 MAX_USER);
  else if (strlen (password) > MAX_PASSWORD)
    g_set_error (error, TFD_ERROR, TFD_ERROR_STRING_TOO_LONG,
                 "‘password’ is too long, at most %d bytes are allowed", MAX_PASSWORD);
  else if (user[0] == '\0')
    tfd_throw_args (error, "‘user’ is empty");
  else if (has_control (user) || has_control (password))
    tfd_throw_args (error, "‘user’ and ‘password’ cannot have control characters");
  else if (g_str_equal (scheme, "basic") && strchr (user, ':') != NULL)
    tfd_throw_args (error, "‘user’ cannot have a colon with scheme ‘basic’ (RFC 7617)");
  else
    return TRUE;
  return FALSE;
}

/* The rows of @properties but that of @target and @scheme. */
static gboolean
copy_others (const TfdJobProperties *properties,
             const char *target,
             const char *scheme,
             GVariantBuilder *rows)
{
  const char *other_target, *other_scheme, *user, *password;
  gboolean found = FALSE;
  GVariantIter iter;

  if (properties->credentials == NULL)
    return FALSE;
  g_variant_iter_init (&iter, properties->credentials);
  while (g_variant_iter_next (&iter, "(&s&s&s&s)", &other_target, &other_scheme, &user, &password))
    if (g_str_equal (other_target, target) && g_str_equal (other_scheme, scheme))
      found = TRUE;
    else
      g_variant_builder_add (rows, ROW_TYPE, other_target, other_scheme, user, password);
  return found;
}

static void
replace (TfdJobProperties *properties, GVariantBuilder *rows)
{
  g_autoptr (GVariant) credentials = g_variant_ref_sink (g_variant_builder_end (rows));

  g_clear_pointer (&properties->credentials, g_variant_unref);
  if (g_variant_n_children (credentials) > 0)
    properties->credentials = g_steal_pointer (&credentials);
}

gboolean
tfd_credentials_set (TfdJobProperties *properties,
                     const char *target,
                     const char *scheme,
                     const char *user,
                     const char *password,
                     GError **error)
{
  GVariantBuilder rows;

  if (!check_scheme (target, scheme, error) || !check_words (scheme, user, password, error))
    return FALSE;
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a" ROW_TYPE));
  copy_others (properties, target, scheme, &rows);
  g_variant_builder_add (&rows, ROW_TYPE, target, scheme, user, password);
  replace (properties, &rows);
  return TRUE;
}

gboolean
tfd_credentials_remove (TfdJobProperties *properties,
                        const char *target,
                        const char *scheme,
                        gboolean *removed,
                        GError **error)
{
  GVariantBuilder rows;

  if (!check_scheme (target, scheme, error))
    return FALSE;
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a" ROW_TYPE));
  *removed = copy_others (properties, target, scheme, &rows);
  replace (properties, &rows);
  return TRUE;
}
