/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* URL: what may stand in one, what may stand in a path, and where redirects may lead. */
#include "config.h"

#include "common/names.h"
#include "common/url.h"

#include <limits.h>
#include <string.h>

static void
expect_url (const char *url, int code)
{
  g_autoptr (GError) error = NULL;
  gboolean valid = tfd_url_check (url, &error);

  if (valid != (code < 0) || (!valid && !g_error_matches (error, TFD_ERROR, code)))
    g_error ("‘%s’: %s", url, error != NULL ? error->message : "accepted");
  g_assert_true (tfd_url_check (url, NULL) == valid);
}

static void
test_valid (void)
{
  const char *const urls[] = {
    "http://example.org",
    "http://example.org/",
    "https://example.org/a/b.iso",
    "HTTPS://EXAMPLE.ORG/",
    "http://example.org:8080/x",
    "http://example.org:/x",
    "http://example.org:65535/x",
    "http://127.0.0.1/x",
    "http://[::1]/x",
    "http://[2001:db8::1]:8443/x?y",
    "http://[::ffff:192.0.2.1]/",
    "http://localhost?query",
    "http://example.org/a?b=c&d[]=e;f",
    "http://example.org/%20%c3%a9",
    "http://xn--nxasmq6b.example/",
    "http://a_b.example/",
    "http://example.org./",
    "http://example.org/a:b@c",
    "http://example.org/~user/(x)!*'$,=+",
    "file:///srv/data",
    "file://localhost/srv/data",
    "file:///srv/with%20blank",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (urls); i++)
    expect_url (urls[i], -1);
}

static void
test_invalid (void)
{
  const char *const urls[] = {
    "",
    "http",
    "http:",
    "http:/",
    "http://",
    "http:///path",
    "http:example.org",
    "http:/example.org",
    "//example.org/",
    "/srv/data",
    "example.org",
    "ftp://example.org/",
    "javascript:alert(1)",
    "data:,x",
    " http://example.org/",
    "http://example.org/ ",
    "http://example.org/a b",
    "http://exa mple.org/",
    "http://example.org/\t",
    "http://example.org/\r\nHost: x",
    "http://example.org/\x7f",
    "http://ex\xc3\xa4mple.org/",
    "http://example.org/\xff",
    "http://user@example.org/",
    "http://user:password@example.org/",
    "http://@example.org/",
    "http://example.org@evil.example/",
    "http://example.org/#fragment",
    "http://example.org#",
    "http://example.org\\@evil.example/",
    "http://example.org/a\\b",
    "http://example.org/%",
    "http://example.org/%2",
    "http://example.org/%zz",
    "http://example.org/a|b",
    "http://example.org/{a}",
    "http://example.org/<a>",
    "http://example.org/\"",
    "http://example.org:0/",
    "http://example.org:65536/",
    "http://example.org:99999999999/",
    "http://example.org:-1/",
    "http://example.org:80a/",
    "http://example.org:80:80/",
    "http://:80/",
    "http://.example.org/",
    "http://-example.org/",
    "http://exam%70le.org/",
    "http://example,org/",
    "http://[::1/",
    "http://::1/",
    "http://[]/",
    "http://[::1]x/",
    "http://[127.0.0.1]/",
    "http://[::1%25eth0]/",
    "http://[zz::1]/",
    "file:relative",
    "file://",
    "file:///",
    "file://example.org/share",
    "file://localhost",
    "file://localhost:80x/srv",
    "file:///srv/../etc/passwd",
    "file:///srv/%2e%2e/etc/passwd",
    "file:///srv/a%2fb",
    "file:///srv/a%00b",
    "file:///srv/a%0ab",
    "file:///srv//a",
    "file:///srv/",
    "file:///srv/a?query",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (urls); i++)
    expect_url (urls[i], TFD_ERROR_INVALID_URL);
}

static void
test_length (void)
{
  g_autofree char *filler = g_strnfill (TFD_MAX_URL, 'a');
  g_autofree char *longest =
      g_strdup_printf ("http://e/%.*s", TFD_MAX_URL - (int) strlen ("http://e/"), filler);
  g_autofree char *longer = g_strconcat (longest, "a", NULL);
  g_autofree char *host = g_strdup_printf ("http://%.*s/", 256, filler);

  expect_url (longest, -1);
  expect_url (longer, TFD_ERROR_STRING_TOO_LONG);
  expect_url (host, TFD_ERROR_INVALID_URL);
}

static void
test_path (void)
{
  g_autofree char *component = g_strnfill (NAME_MAX, 'a');
  g_autofree char *longest_name = g_strconcat ("/", component, NULL);
  g_autofree char *longer_name = g_strconcat ("/", component, "a", NULL);
  g_autoptr (GString) deep = g_string_new (NULL);
  while (deep->len < PATH_MAX - 2)
    g_string_append (deep, "/a");
  if (deep->len < PATH_MAX - 1)
    g_string_append_c (deep, 'a');
  g_autofree char *too_deep = g_strconcat (deep->str, "a", NULL);

  const struct
  {
    const char *path;
    gboolean valid;
  } cases[] = {
    { "/a", TRUE },
    { "/home/user/file.iso", TRUE },
    { "/a b/c", TRUE },
    { "/...", TRUE },
    { "/.hidden/..x", TRUE },
    { "/\xff\xfe", TRUE }, /* bytes, not characters */
    { longest_name, TRUE },
    { deep->str, TRUE },
    { "", FALSE },
    { "a", FALSE },
    { "a/b", FALSE },
    { "~/a", FALSE },
    { "/", FALSE },
    { "//", FALSE },
    { "/a/", FALSE },
    { "//a", FALSE },
    { "/a//b", FALSE },
    { "/.", FALSE },
    { "/..", FALSE },
    { "/a/./b", FALSE },
    { "/a/../b", FALSE },
    { "/a/..", FALSE },
    { "/a\nb", FALSE },
    { "/a\x01", FALSE },
    { "/a\x7f", FALSE },
    { longer_name, FALSE },
    { too_deep, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      if (tfd_path_check (cases[i].path, &error) != cases[i].valid)
        g_error ("‘%s’: %s", cases[i].path, error != NULL ? error->message : "accepted");
      if (!cases[i].valid)
        g_assert_error (error, TFD_ERROR, TFD_ERROR_INVALID_PATH);
    }
}

static void
test_origin (void)
{
  static const struct
  {
    const char *url, *origin;
  } cases[] = {
    { "https://Example.org:8443/secret?token=1", "https://example.org:8443" },
    { "HTTP://example.org:80/x", "http://example.org" },
    { "https://example.org:443", "https://example.org" },
    { "https://example.org:80/", "https://example.org:80" },
    { "http://[::1]:8080/x", "http://[::1]:8080" },
    { "file:///home/user/secret", "file://" },
    /* nothing of what is no URL gets into a log */
    { "http://user:password@example.org/", "invalid:" },
    { "http://a\nb/", "invalid:" },
    { "secret", "invalid:" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *origin = tfd_url_origin (cases[i].url);
      g_assert_cmpstr (origin, ==, cases[i].origin);
    }

  g_assert_true (tfd_url_same_origin ("http://a.example/x", "HTTP://A.EXAMPLE:80/y?z"));
  g_assert_true (tfd_url_same_origin ("https://[::1]/x", "https://[::1]:443/"));
  g_assert_false (tfd_url_same_origin ("http://a.example/", "https://a.example/"));
  g_assert_false (tfd_url_same_origin ("http://a.example/", "http://a.example:81/"));
  g_assert_false (tfd_url_same_origin ("http://a.example/", "http://a.example.org/"));
  g_assert_false (tfd_url_same_origin ("nonsense", "nonsense"));
}

#define FROM "http://a.example/dir/file?q"
#define SECURE "https://a.example/dir/file"

static void
test_redirect (void)
{
  static const struct
  {
    const char *from;
    guint status;
    const char *location;
    guint count;
    TfdRedirectPolicy policy;
    gboolean downgrade;
    TfdRedirect expected;
    const char *target;
  } cases[] = {
    { FROM, 301, "http://a.example/new", 0, 0, FALSE, TFD_REDIRECT_FOLLOW, "http://a.example/new" },
    { FROM, 302, "/new", 0, 0, FALSE, TFD_REDIRECT_FOLLOW, "http://a.example/new" },
    { FROM, 303, "new", 0, 0, FALSE, TFD_REDIRECT_FOLLOW, "http://a.example/dir/new" },
    { FROM, 307, "../new?x", 0, 0, FALSE, TFD_REDIRECT_FOLLOW, "http://a.example/new?x" },
    { FROM, 308, "?x", 0, 0, FALSE, TFD_REDIRECT_FOLLOW, "http://a.example/dir/file?x" },
    { FROM, 302, "//b.example/x", 0, 0, FALSE, TFD_REDIRECT_FOLLOW_FOREIGN, "http://b.example/x" },
    { FROM, 302, "https://a.example/x", 0, 0, FALSE, TFD_REDIRECT_FOLLOW_FOREIGN,
      "https://a.example/x" },
    { FROM, 302, "http://a.example:81/x", 0, 0, FALSE, TFD_REDIRECT_FOLLOW_FOREIGN,
      "http://a.example:81/x" },
    { FROM, 302, "/x#fragment", 0, 0, FALSE, TFD_REDIRECT_FOLLOW, "http://a.example/x" },
    { FROM, 302, "/a b\xc3\xa9", 0, 0, FALSE, TFD_REDIRECT_FOLLOW, "http://a.example/a%20b%C3%A9" },
    { FROM, 302, "/a%20b", 0, 0, FALSE, TFD_REDIRECT_FOLLOW, "http://a.example/a%20b" },
    { FROM, 302, "/x", 19, 0, FALSE, TFD_REDIRECT_FOLLOW, "http://a.example/x" },
    { FROM, 302, "/x", 20, 0, FALSE, TFD_REDIRECT_TOO_MANY, NULL },
    { FROM, 302, "/x", 0, TFD_REDIRECT_POLICY_REPORT, FALSE, TFD_REDIRECT_FOLLOW,
      "http://a.example/x" },
    { FROM, 302, "/x", 0, TFD_REDIRECT_POLICY_REFUSE, FALSE, TFD_REDIRECT_REFUSED, NULL },
    { SECURE, 302, "/x", 0, 0, FALSE, TFD_REDIRECT_FOLLOW, "https://a.example/x" },
    { SECURE, 302, "http://a.example/x", 0, 0, FALSE, TFD_REDIRECT_REFUSED, NULL },
    { SECURE, 302, "http://a.example/x", 0, 0, TRUE, TFD_REDIRECT_FOLLOW_FOREIGN,
      "http://a.example/x" },
    { FROM, 302, NULL, 0, 0, FALSE, TFD_REDIRECT_INVALID, NULL },
    { FROM, 302, "", 0, 0, FALSE, TFD_REDIRECT_INVALID, NULL },
    { FROM, 302, "#x", 0, 0, FALSE, TFD_REDIRECT_INVALID, NULL },
    { FROM, 302, "file:///etc/passwd", 0, 0, TRUE, TFD_REDIRECT_INVALID, NULL },
    { FROM, 302, "ftp://b.example/", 0, 0, FALSE, TFD_REDIRECT_INVALID, NULL },
    { FROM, 302, "javascript:x", 0, 0, FALSE, TFD_REDIRECT_INVALID, NULL },
    { FROM, 302, "http://u:p@b.example/", 0, 0, FALSE, TFD_REDIRECT_INVALID, NULL },
    { FROM, 302, "http:///x", 0, 0, FALSE, TFD_REDIRECT_INVALID, NULL },
    { FROM, 302, "/a\r\nb", 0, 0, FALSE, TFD_REDIRECT_INVALID, NULL },
    { FROM, 302, "/%zz", 0, 0, FALSE, TFD_REDIRECT_INVALID, NULL },
    { FROM, 300, "/x", 0, 0, FALSE, TFD_REDIRECT_NONE, NULL },
    { FROM, 304, "/x", 0, 0, FALSE, TFD_REDIRECT_NONE, NULL },
    { FROM, 305, "/x", 0, 0, FALSE, TFD_REDIRECT_NONE, NULL },
    { FROM, 200, "/x", 0, TFD_REDIRECT_POLICY_REFUSE, FALSE, TFD_REDIRECT_NONE, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *target = NULL;
      TfdRedirect result =
          tfd_url_redirect (cases[i].from, cases[i].status, cases[i].location, cases[i].count,
                            cases[i].policy, cases[i].downgrade, &target);
      if (result != cases[i].expected)
        g_error ("case %" G_GSIZE_FORMAT " (%s): %d", i, cases[i].location, result);
      g_assert_cmpstr (target, ==, cases[i].target);
    }
}

static void
test_redirect_length (void)
{
  g_autofree char *filler = g_strnfill (TFD_MAX_URL, 'a');
  g_autofree char *location = g_strconcat ("/", filler, NULL);

  g_assert_cmpint (tfd_url_redirect (FROM, 302, location, 0, 0, FALSE, NULL), ==,
                   TFD_REDIRECT_INVALID);
}

/* What needs no network. */
static void
test_local (void)
{
  static const char *const local[] = {
    "http://localhost/a",   "https://LOCALHOST:8443/a", "http://localhost./a",
    "http://a.localhost/b", "http://127.0.0.1/a",       "http://127.255.0.9:80/a",
    "http://[::1]/a",       "http://[::1]:8080/a",      "file:///home/a",
  };
  static const char *const elsewhere[] = {
    "http://localhost.example.org/a",
    "http://notlocalhost/a",
    "http://128.0.0.1/a",
    "http://127.0.0.1.example.org/a",
    "http://[::2]/a",
    "http://[fe80::1]/a",
    "http://0.0.0.0/a",
    "http://example.org/localhost",
    "http://example.org/127.0.0.1",
    "nonsense",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (local); i++)
    g_assert_true (tfd_url_is_local (local[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (elsewhere); i++)
    g_assert_false (tfd_url_is_local (elsewhere[i]));
}

static void
test_same_directory (void)
{
  g_assert_true (tfd_path_same_directory ("/a/b", "/a/c"));
  g_assert_true (tfd_path_same_directory ("/a", "/b"));
  g_assert_true (tfd_path_same_directory ("/a/b", "/a/b"));
  g_assert_false (tfd_path_same_directory ("/a/b", "/a/b/c"));
  g_assert_false (tfd_path_same_directory ("/a/b/c", "/a/b"));
  g_assert_false (tfd_path_same_directory ("/a/x", "/b/x"));
  g_assert_false (tfd_path_same_directory ("/a", "/a/b"));
  g_assert_false (tfd_path_same_directory ("/ab/c", "/a/c"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/url/valid", test_valid);
  g_test_add_func ("/common/url/invalid", test_invalid);
  g_test_add_func ("/common/url/length", test_length);
  g_test_add_func ("/common/url/path", test_path);
  g_test_add_func ("/common/url/origin", test_origin);
  g_test_add_func ("/common/url/redirect", test_redirect);
  g_test_add_func ("/common/url/redirect-length", test_redirect_length);
  g_test_add_func ("/common/url/local", test_local);
  g_test_add_func ("/common/url/same-directory", test_same_directory);
  return g_test_run ();
}
