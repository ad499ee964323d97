/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload fields: readers of the header fields by which servers answer uploads. */
#include "config.h"
#include "worker/upload-fields.h"

#include "common/http.h"
#include "common/url.h"

#include <string.h>

#define MAXIMUM_SESSION 100
#define MAXIMUM_HOST_ID 300

gboolean
tfd_field_has_token (const char *value, const char *token)
{
  gsize length = strlen (token);

  for (const char *p = value; p != NULL && *p != '\0';)
    {
      p += strspn (p, ", \t");
      gsize here = strcspn (p, ",; \t");
      if (here == length && g_ascii_strncasecmp (p, token, length) == 0)
        return TRUE;
      p += here;
      if (p[strspn (p, " \t")] == ';')
        p += strcspn (p, ",");
    }
  return FALSE;
}

gboolean
tfd_field_parse_hex (const char *value, guint32 *code)
{
  guint32 number = 0;
  guint digits = 0;

  if (value == NULL || value[0] != '0' || (value[1] != 'x' && value[1] != 'X'))
    return FALSE;
  for (const char *p = value + 2; *p != '\0'; p++, digits++)
    {
      if (!g_ascii_isxdigit (*p) || digits == 8)
        return FALSE;
      number = number << 4 | (guint32) g_ascii_xdigit_value (*p);
    }
  if (digits == 0)
    return FALSE;
  *code = number;
  return TRUE;
}

gboolean
tfd_field_is_session (const char *value)
{
  gsize length = value != NULL ? strlen (value) : 0;

  if (length == 0 || length > MAXIMUM_SESSION)
    return FALSE;
  for (const char *p = value; *p != '\0'; p++)
    if (*p <= 0x20 || *p >= 0x7f)
      return FALSE;
  return TRUE;
}

/* A host must not bring a user, a path or a query of its own with it. */
static gboolean
is_host (const char *host)
{
  gsize length = strlen (host);

  if (length == 0 || length > MAXIMUM_HOST_ID)
    return FALSE;
  for (const char *p = host; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("-._:[]", *p) == NULL)
      return FALSE;
  return TRUE;
}

char *
tfd_field_replace_host (const char *url, const char *host)
{
  const char *start = strstr (url, "://");

  if (start == NULL || !is_host (host))
    return NULL;
  start += 3;
  const char *rest = start + strcspn (start, "/?");
  g_autofree char *authority = g_strndup (start, (gsize) (rest - start));
  const char *port = strrchr (authority, ':');
  const char *own = strrchr (host, ':');
  if (port != NULL && strchr (port, ']') != NULL) /* an IPv6 address, and no port */
    port = NULL;
  if (own != NULL && strchr (own, ']') != NULL)
    own = NULL;

  g_autofree char *result = g_strdup_printf ("%.*s%s%s%s", (int) (start - url), url, host,
                                             own == NULL && port != NULL ? port : "", rest);
  return tfd_url_check (result, NULL) ? g_steal_pointer (&result) : NULL;
}

char *
tfd_field_escape_name (const char *name)
{
  GString *text = g_string_new (NULL);

  for (const char *p = name; *p != '\0'; p++)
    if (*p < 0x20 || *p > 0x7e)
      g_string_append_printf (text, "%%%02X", (guchar) *p);
    else
      g_string_append_c (text, *p);
  return g_string_free (text, FALSE);
}

/* The simple form for old readers, in which what is not plain is an underscore, and RFC 8187's. */
char *
tfd_field_disposition (const char *name)
{
  g_autofree char *plain = g_strdup (name);
  g_autofree char *escaped = g_uri_escape_string (name, "!#$&+-.^_`|~", FALSE);
  gboolean same = TRUE;

  for (char *p = plain; *p != '\0'; p++)
    if (*p < 0x20 || *p > 0x7e || *p == '"' || *p == '\\' || *p == '%')
      {
        *p = '_';
        same = FALSE;
      }
  if (same)
    return g_strdup_printf ("inline; filename=\"%s\"", plain);
  return g_strdup_printf ("inline; filename=\"%s\"; filename*=UTF-8''%s", plain, escaped);
}
