/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* URL: checks of URLs and paths before anything is done with them, and the way of redirects. */
#include "config.h"

#include "common/url.h"

#include "common/names.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MAXIMUM_REDIRECTS 20
#define MAXIMUM_HOST 255

typedef enum
{
  SCHEME_HTTP,
  SCHEME_HTTPS,
  SCHEME_FILE,
  SCHEME_NONE,
} Scheme;

static const struct
{
  const char *prefix;
  guint port;
} schemes[SCHEME_NONE] = {
  [SCHEME_HTTP] = { "http://", 80 },
  [SCHEME_HTTPS] = { "https://", 443 },
  [SCHEME_FILE] = { "file://", 0 },
};

typedef struct
{
  Scheme scheme;
  const char *host; /* not terminated; brackets of an IPv6 address included */
  gsize host_length;
  guint port;       /* 0 = the usual one */
  const char *rest; /* from the path on */
} Parts;

#define throw_url(error, ...) g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_URL, __VA_ARGS__)
#define throw_path(error, ...) g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_PATH, __VA_ARGS__)

/* RFC 3986: everything else must be written as an escape, but for brackets, which many sites have
 * in their queries. The backslash is not among them: readers differ on what it means. */
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define USUAL LETTERS DIGITS "-._~:/?[]@!$&'()*+,;="

static gboolean
refuse_character (guchar c, GError **error)
{
  if (c <= 0x20 || c >= 0x7f)
    throw_url (error, "invalid URL: byte 0x%02x must be written as %%%02X", c, c);
  else if (c == '#')
    throw_url (error, "invalid URL: fragments (‘#…’) are not allowed");
  else
    throw_url (error, "invalid URL: ‘%c’ must be written as %%%02X", c, c);
  return FALSE;
}

static gboolean
check_characters (const char *url, GError **error)
{
  for (const char *p = url + strspn (url, USUAL); *p != '\0'; p += strspn (p, USUAL))
    {
      if (*p != '%')
        return refuse_character ((guchar) *p, error);
      if (!g_ascii_isxdigit (p[1]) || !g_ascii_isxdigit (p[2]))
        {
          throw_url (error, "invalid URL: ‘%%’ must be followed by two hexadecimal digits");
          return FALSE;
        }
      p += 3;
    }
  return TRUE;
}

static gboolean
check_host (const char *host, gsize length)
{
  if (length == 0 || length > MAXIMUM_HOST)
    return FALSE;
  if (host[0] == '[')
    {
      if (length < 4 || host[length - 1] != ']')
        return FALSE;
      g_autofree char *address = g_strndup (host + 1, length - 2);
      return strspn (address, "0123456789abcdefABCDEF:.") == length - 2 &&
             strchr (address, ':') != NULL && g_hostname_is_ip_address (address);
    }
  if (host[0] == '.' || host[0] == '-')
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (host[i]) && strchr ("-._", host[i]) == NULL)
      return FALSE;
  return TRUE;
}

/* Digits, 1 to 65535. An empty port is the usual one (RFC 3986 3.2.3). */
static gboolean
read_port (const char *digits, gsize length, guint *port)
{
  guint value = 0;

  if (length > 5)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isdigit (digits[i]))
        return FALSE;
      value = value * 10 + (guint) (digits[i] - '0');
    }
  if (length > 0 && (value == 0 || value > 65535))
    return FALSE;
  *port = value;
  return TRUE;
}

static gboolean
split_authority (const char *authority, gsize length, Parts *parts, GError **error)
{
  if (memchr (authority, '@', length) != NULL)
    {
      throw_url (error, "invalid URL: it must not hold a user name or password");
      return FALSE;
    }

  const char *end = authority + length;
  const char *bracket = length > 0 && authority[0] == '[' ? memchr (authority, ']', length) : NULL;
  const char *from = bracket != NULL ? bracket + 1 : authority;
  const char *colon = memchr (from, ':', (gsize) (end - from));
  const char *host_end = colon != NULL ? colon : end;

  parts->host = authority;
  parts->host_length = (gsize) (host_end - authority);
  if (parts->scheme != SCHEME_FILE && !check_host (parts->host, parts->host_length))
    {
      throw_url (error, "invalid URL: it has no valid host");
      return FALSE;
    }
  if (colon != NULL && !read_port (colon + 1, (gsize) (end - colon - 1), &parts->port))
    {
      throw_url (error, "invalid URL: its port is not a number from 1 to 65535");
      return FALSE;
    }
  if (parts->port == schemes[parts->scheme].port)
    parts->port = 0;
  return TRUE;
}

static gboolean
split (const char *url, Parts *parts, GError **error)
{
  *parts = (Parts){ .scheme = SCHEME_NONE };
  for (Scheme scheme = 0; scheme < SCHEME_NONE; scheme++)
    if (g_ascii_strncasecmp (url, schemes[scheme].prefix, strlen (schemes[scheme].prefix)) == 0)
      parts->scheme = scheme;
  if (parts->scheme == SCHEME_NONE)
    {
      throw_url (error, "invalid URL: it must begin with http://, https:// or file://");
      return FALSE;
    }

  const char *authority = url + strlen (schemes[parts->scheme].prefix);
  gsize length = strcspn (authority, "/?#");
  parts->rest = authority + length;
  return split_authority (authority, length, parts, error);
}

/* A file URL names a file of this machine by an absolute path. */
static gboolean
check_file_url (const Parts *parts, GError **error)
{
  if (parts->host_length != 0 &&
      !(parts->host_length == strlen ("localhost") && parts->rest[0] == '/' &&
        g_ascii_strncasecmp (parts->host, "localhost", parts->host_length) == 0))
    {
      throw_url (error, "invalid URL: a file URL must not name another machine");
      return FALSE;
    }
  if (strchr (parts->rest, '?') != NULL)
    {
      throw_url (error, "invalid URL: a file URL has no query");
      return FALSE;
    }

  g_autoptr (GError) local_error = NULL;
  g_autofree char *path = g_uri_unescape_string (parts->rest, "/");
  if (path == NULL || !tfd_path_check (path, &local_error))
    {
      throw_url (error, "invalid URL: %s",
                 local_error != NULL ? local_error->message : "its path has illegal escapes");
      return FALSE;
    }
  return TRUE;
}

gboolean
tfd_url_check (const char *url, GError **error)
{
  g_return_val_if_fail (url != NULL, FALSE);

  if (strlen (url) > TFD_MAX_URL)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_STRING_TOO_LONG,
                   "the URL has %" G_GSIZE_FORMAT " bytes, at most %d are allowed", strlen (url),
                   TFD_MAX_URL);
      return FALSE;
    }

  Parts parts;
  if (!check_characters (url, error) || !split (url, &parts, error))
    return FALSE;
  return parts.scheme != SCHEME_FILE || check_file_url (&parts, error);
}

static gboolean
check_component (const char *component, gsize length, GError **error)
{
  if (length == 0)
    throw_path (error, "invalid path: it has an empty component or ends in a slash");
  else if (length > NAME_MAX)
    throw_path (error, "invalid path: a component is longer than %d bytes", NAME_MAX);
  else if ((length == 1 && component[0] == '.') ||
           (length == 2 && component[0] == '.' && component[1] == '.'))
    throw_path (error, "invalid path: ‘%.*s’ is not allowed in it", (int) length, component);
  else
    return TRUE;
  return FALSE;
}

gboolean
tfd_path_check (const char *path, GError **error)
{
  g_return_val_if_fail (path != NULL, FALSE);

  if (path[0] != '/')
    {
      throw_path (error, "invalid path: it must be absolute");
      return FALSE;
    }
  if (strlen (path) >= PATH_MAX)
    {
      throw_path (error, "invalid path: it has %d bytes or more", PATH_MAX);
      return FALSE;
    }
  for (const char *p = path; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      {
        throw_path (error, "invalid path: control character 0x%02x is not allowed in it", *p);
        return FALSE;
      }
  for (const char *component = path + 1;;)
    {
      gsize length = strcspn (component, "/");
      if (!check_component (component, length, error))
        return FALSE;
      if (component[length] == '\0')
        return TRUE;
      component += length + 1;
    }
}

gboolean
tfd_path_same_directory (const char *a, const char *b)
{
  const char *name = strrchr (a, '/');
  gsize length = name != NULL ? (gsize) (name - a) + 1 : 0;

  return strncmp (a, b, length) == 0 && strchr (b + length, '/') == NULL;
}

/* Nothing but the origin, whatever @url is: this goes to logs. */
char *
tfd_url_origin (const char *url)
{
  g_return_val_if_fail (url != NULL, NULL);

  Parts parts;
  if (!split (url, &parts, NULL))
    return g_strdup ("invalid:");
  if (parts.scheme == SCHEME_FILE)
    return g_strdup (schemes[SCHEME_FILE].prefix);

  g_autofree char *host = g_ascii_strdown (parts.host, (gssize) parts.host_length);
  if (parts.port == 0)
    return g_strconcat (schemes[parts.scheme].prefix, host, NULL);
  return g_strdup_printf ("%s%s:%u", schemes[parts.scheme].prefix, host, parts.port);
}

gboolean
tfd_url_same_origin (const char *a, const char *b)
{
  Parts parts_a;
  Parts parts_b;

  return split (a, &parts_a, NULL) && split (b, &parts_b, NULL) &&
         parts_a.scheme == parts_b.scheme && parts_a.port == parts_b.port &&
         parts_a.host_length == parts_b.host_length &&
         g_ascii_strncasecmp (parts_a.host, parts_b.host, parts_a.host_length) == 0;
}

/* Servers write blanks and UTF-8 into Location although they must not: browsers escape them, and so
 * do we. The fragment is of no use to a download. NULL when it cannot be a URL: GUri would silently
 * leave out the control characters. */
static char *
clean_location (const char *location)
{
  g_autoptr (GString) clean = g_string_new (NULL);

  for (const char *p = location; *p != '\0' && *p != '#'; p++)
    {
      guchar c = (guchar) *p;
      if (g_ascii_iscntrl (*p))
        return NULL;
      if (c == ' ' || c >= 0x80)
        g_string_append_printf (clean, "%%%02X", c);
      else
        g_string_append_c (clean, *p);
    }
  if (clean->len > TFD_MAX_URL || clean->len == 0)
    return NULL;
  return g_string_free (g_steal_pointer (&clean), FALSE);
}

static gboolean
is_redirect (guint status)
{
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* RFC 6761 6.3: this name, and all below it; written with the dot of the root or without. */
static gboolean
is_localhost (const char *host)
{
  static const char name[] = "localhost";
  gsize length = strlen (host);

  if (length > 0 && host[length - 1] == '.')
    length--;
  if (length < strlen (name) ||
      g_ascii_strncasecmp (host + length - strlen (name), name, strlen (name)) != 0)
    return FALSE;
  length -= strlen (name);
  return length == 0 || host[length - 1] == '.';
}

gboolean
tfd_url_is_local (const char *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  const char *host = uri == NULL ? NULL : g_uri_get_host (uri);
  guint first, rest[3];
  char end;

  if (uri == NULL)
    return FALSE;
  if (g_str_equal (g_uri_get_scheme (uri), "file"))
    return TRUE;
  if (host == NULL)
    return FALSE;
  if (is_localhost (host) || g_str_equal (host, "::1"))
    return TRUE;
  return sscanf (host, "%3u.%3u.%3u.%3u%c", &first, &rest[0], &rest[1], &rest[2], &end) == 4 &&
         first == 127;
}

TfdRedirect
tfd_url_redirect (const char *from,
                  guint status,
                  const char *location,
                  guint count,
                  TfdRedirectPolicy policy,
                  gboolean allow_downgrade,
                  char **target)
{
  g_return_val_if_fail (from != NULL, TFD_REDIRECT_INVALID);

  if (!is_redirect (status))
    return TFD_REDIRECT_NONE;
  if (policy == TFD_REDIRECT_POLICY_REFUSE)
    return TFD_REDIRECT_REFUSED;
  if (count >= MAXIMUM_REDIRECTS)
    return TFD_REDIRECT_TOO_MANY;

  Parts old;
  Parts new;
  g_autofree char *clean = location != NULL ? clean_location (location) : NULL;
  if (clean == NULL || !split (from, &old, NULL) || old.scheme == SCHEME_FILE)
    return TFD_REDIRECT_INVALID;
  g_autofree char *resolved = g_uri_resolve_relative (from, clean, G_URI_FLAGS_ENCODED, NULL);
  if (resolved == NULL || !tfd_url_check (resolved, NULL) || !split (resolved, &new, NULL) ||
      new.scheme == SCHEME_FILE)
    return TFD_REDIRECT_INVALID;
  if (old.scheme == SCHEME_HTTPS && new.scheme == SCHEME_HTTP && !allow_downgrade)
    return TFD_REDIRECT_REFUSED;

  gboolean same = tfd_url_same_origin (from, resolved);
  if (target != NULL)
    *target = g_steal_pointer (&resolved);
  return same ? TFD_REDIRECT_FOLLOW : TFD_REDIRECT_FOLLOW_FOREIGN;
}
