/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Classify: every status, the errors of files and of the network. */
#include "config.h"

#include "common/classify.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

/* Statuses after which a job tries again; every other one up to 599 ends it, but for 1xx and 2xx,
 * which are no errors. */
static gboolean
expect_transient (guint status)
{
  const guint fatal[] = { 300, 301, 302, 303, 304, 305, 307, 308, 501, 505 };
  const guint transient[] = { 408, 409, 425, 429 };

  for (gsize i = 0; i < G_N_ELEMENTS (fatal); i++)
    if (status == fatal[i])
      return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (transient); i++)
    if (status == transient[i])
      return TRUE;
  return status < 400 || status >= 500;
}

static void
test_every_status (void)
{
  for (guint status = 100; status < 700; status++)
    {
      g_auto (TfdFailure) failure = { 0 };
      TfdErrorCode code = status == 401   ? TFD_ERROR_AUTHENTICATION_REQUIRED
                          : status == 407 ? TFD_ERROR_PROXY_AUTHENTICATION_REQUIRED
                                          : TFD_ERROR_HTTP_STATUS;

      tfd_classify_http_status (status, NULL, &failure);
      g_assert_cmpint (failure.code, ==, code);
      g_assert_cmpuint (failure.http_status, ==, status);
      g_assert_cmpuint (failure.file, ==, G_MAXUINT32);
      if (failure.transient != expect_transient (status))
        g_error ("status %u", status);
    }
}

static void
test_phrase (void)
{
  g_auto (TfdFailure) failure = { .message = g_strdup ("an older one") };
  g_autofree char *long_phrase = g_strnfill (5000, 'a');

  tfd_classify_http_status (404, "Not Found", &failure);
  g_assert_cmpstr (failure.message, ==, "the server answered 404 (Not Found)");
  tfd_classify_http_status (404, "", &failure);
  g_assert_cmpstr (failure.message, ==, "the server answered 404");

  /* hostile ones */
  tfd_classify_http_status (500, "a\xff\nb\x1b[31m", &failure);
  g_assert_true (g_utf8_validate (failure.message, -1, NULL));
  g_assert_null (strpbrk (failure.message, "\n\x1b"));
  tfd_classify_http_status (500, long_phrase, &failure);
  g_assert_cmpuint (strlen (failure.message), <, 200);
}

static void
test_errno (void)
{
  static const struct
  {
    int number;
    TfdErrorCode code;
    gboolean transient;
  } cases[] = {
    { ENOENT, TFD_ERROR_DESTINATION_UNAVAILABLE, TRUE },
    { ENOTDIR, TFD_ERROR_DESTINATION_UNAVAILABLE, TRUE },
    { ESTALE, TFD_ERROR_DESTINATION_UNAVAILABLE, TRUE },
    { EIO, TFD_ERROR_DESTINATION_UNAVAILABLE, TRUE },
    { EMFILE, TFD_ERROR_DESTINATION_UNAVAILABLE, TRUE },
    { EACCES, TFD_ERROR_FILE_ACCESS_DENIED, FALSE },
    { EPERM, TFD_ERROR_FILE_ACCESS_DENIED, FALSE },
    { EROFS, TFD_ERROR_FILE_ACCESS_DENIED, FALSE },
    { EISDIR, TFD_ERROR_FILE_ACCESS_DENIED, FALSE },
    { ELOOP, TFD_ERROR_FILE_ACCESS_DENIED, FALSE },
    { ENAMETOOLONG, TFD_ERROR_FILE_ACCESS_DENIED, FALSE },
    { EINVAL, TFD_ERROR_FILE_ACCESS_DENIED, FALSE },
    { ENOSPC, TFD_ERROR_INSUFFICIENT_SPACE, FALSE },
    { EDQUOT, TFD_ERROR_INSUFFICIENT_SPACE, FALSE },
    { EFBIG, TFD_ERROR_INSUFFICIENT_SPACE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (TfdFailure) failure = { 0 };
      tfd_classify_errno (cases[i].number, "opening part file", &failure);
      g_assert_cmpint (failure.code, ==, cases[i].code);
      g_assert_cmpint (failure.context, ==, TFD_ERROR_CONTEXT_LOCAL_FILE);
      g_assert_cmpint (failure.transient, ==, cases[i].transient);
      g_assert_true (g_str_has_prefix (failure.message, "opening part file: "));
    }
}

static void
test_network (void)
{
  const struct
  {
    GQuark domain;
    int code;
    TfdErrorCode expected;
    TfdErrorContext context;
  } cases[] = {
    { G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, TFD_ERROR_CONNECTION_FAILED,
      TFD_ERROR_CONTEXT_TRANSPORT },
    /* not NetworkDisconnected: see there */
    { G_IO_ERROR, G_IO_ERROR_NETWORK_UNREACHABLE, TFD_ERROR_CONNECTION_FAILED,
      TFD_ERROR_CONTEXT_TRANSPORT },
    { G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE, TFD_ERROR_CONNECTION_FAILED,
      TFD_ERROR_CONTEXT_TRANSPORT },
    { G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND, TFD_ERROR_NAME_NOT_RESOLVED,
      TFD_ERROR_CONTEXT_REMOTE_FILE },
    { G_IO_ERROR, G_IO_ERROR_TIMED_OUT, TFD_ERROR_TIMED_OUT, TFD_ERROR_CONTEXT_TRANSPORT },
    { G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, TFD_ERROR_CONNECTION_LOST,
      TFD_ERROR_CONTEXT_TRANSPORT },
    { G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, TFD_ERROR_CONNECTION_LOST,
      TFD_ERROR_CONTEXT_TRANSPORT },
    { G_IO_ERROR, G_IO_ERROR_PROXY_NEED_AUTH, TFD_ERROR_PROXY_AUTHENTICATION_REQUIRED,
      TFD_ERROR_CONTEXT_TRANSPORT },
    { G_IO_ERROR, G_IO_ERROR_FAILED, TFD_ERROR_CONNECTION_FAILED, TFD_ERROR_CONTEXT_TRANSPORT },
    { G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, TFD_ERROR_NAME_NOT_RESOLVED,
      TFD_ERROR_CONTEXT_REMOTE_FILE },
    { G_RESOLVER_ERROR, G_RESOLVER_ERROR_TEMPORARY_FAILURE, TFD_ERROR_NAME_NOT_RESOLVED,
      TFD_ERROR_CONTEXT_REMOTE_FILE },
    { G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, TFD_ERROR_CERTIFICATE_INVALID,
      TFD_ERROR_CONTEXT_TRANSPORT },
    { G_TLS_ERROR, G_TLS_ERROR_CERTIFICATE_REQUIRED, TFD_ERROR_AUTHENTICATION_REQUIRED,
      TFD_ERROR_CONTEXT_REMOTE_FILE },
    { G_TLS_ERROR, G_TLS_ERROR_EOF, TFD_ERROR_CONNECTION_LOST, TFD_ERROR_CONTEXT_TRANSPORT },
    { TFD_ERROR, TFD_ERROR_INSUFFICIENT_SPACE, TFD_ERROR_INSUFFICIENT_SPACE,
      TFD_ERROR_CONTEXT_LOCAL_FILE },
    { TFD_ERROR, TFD_ERROR_WORKER_LOST, TFD_ERROR_WORKER_LOST, TFD_ERROR_CONTEXT_QUEUE_MANAGER },
    { TFD_ERROR, TFD_ERROR_INVALID_ARGS, TFD_ERROR_INVALID_ARGS, TFD_ERROR_CONTEXT_UNKNOWN },
    { TFD_ERROR, 9999, TFD_ERROR_CONNECTION_FAILED, TFD_ERROR_CONTEXT_TRANSPORT },
    { G_FILE_ERROR, 1, TFD_ERROR_CONNECTION_FAILED, TFD_ERROR_CONTEXT_TRANSPORT },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = g_error_new (cases[i].domain, cases[i].code, "what happened");
      g_auto (TfdFailure) failure = { 0 };

      tfd_classify_network_error (error, &failure);
      g_assert_cmpint (failure.code, ==, cases[i].expected);
      g_assert_cmpint (failure.context, ==, cases[i].context);
      g_assert_cmpint (failure.transient, ==, tfd_error_code_is_transient (failure.code));
      g_assert_cmpstr (failure.message, ==, "what happened");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/classify/every-status", test_every_status);
  g_test_add_func ("/common/classify/phrase", test_phrase);
  g_test_add_func ("/common/classify/errno", test_errno);
  g_test_add_func ("/common/classify/network", test_network);
  return g_test_run ();
}
