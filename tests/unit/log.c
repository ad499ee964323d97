/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the log: categories, and the fields that the journal gets; and of what the service
 * manager is told. */
#include "base/log.h"
#include "base/notify.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* "KEY=value" lines of the last message. */
static GString *last;

static GLogWriterOutput
log_writer (GLogLevelFlags level G_GNUC_UNUSED,
            const GLogField *fields,
            gsize n_fields,
            gpointer user_data G_GNUC_UNUSED)
{
  g_string_truncate (last, 0);
  for (gsize i = 0; i < n_fields; i++)
    g_string_append_printf (last, "%s=%s\n", fields[i].key, (const char *) fields[i].value);
  return G_LOG_WRITER_HANDLED;
}

static void
test_categories (void)
{
  g_autofree char *help = NULL;

  g_assert_true (tfd_log_set_categories (NULL, NULL));
  g_assert_false (tfd_log_is_enabled (TFD_LOG_ALL));
  g_assert_true (tfd_log_set_categories ("plan, store,", NULL));
  g_assert_true (tfd_log_is_enabled (TFD_LOG_PLAN));
  g_assert_true (tfd_log_is_enabled (TFD_LOG_STORE));
  g_assert_false (tfd_log_is_enabled (TFD_LOG_BUS));

  /* a mistake changes nothing */
  g_assert_false (tfd_log_set_categories ("bus,plans", &help));
  g_assert_nonnull (strstr (help, "‘plans’"));
  g_assert_false (tfd_log_is_enabled (TFD_LOG_BUS));
  g_clear_pointer (&help, g_free);
  g_assert_false (tfd_log_set_categories ("help", &help));
  g_assert_nonnull (strstr (help, "worker"));
  g_assert_null (strstr (help, "Unknown"));

  g_assert_true (tfd_log_set_categories ("all", NULL));
  for (guint bit = 1; bit <= TFD_LOG_ALL; bit <<= 1)
    g_assert_true (tfd_log_is_enabled ((TfdLogCategory) bit));
}

static void
test_fields (void)
{
  const TfdLogJob job = { "0123456789abcdef0123456789abcdef", 1000, "queued",
                          "https://example.org" };
  const TfdLogJob bare = { "fedcba9876543210fedcba9876543210", 0, NULL, NULL };

  tfd_log (G_LOG_LEVEL_MESSAGE, TFD_MESSAGE_JOB_ERROR, &job, "failed: %s", "why");
  g_assert_cmpstr (last->str, ==,
                   "MESSAGE=job 01234567: failed: why\nPRIORITY=5\nGLIB_DOMAIN=transferd\n"
                   "TFD_CATEGORY=life\nMESSAGE_ID=" TFD_MESSAGE_JOB_ERROR "\n"
                   "JOB_ID=0123456789abcdef0123456789abcdef\nUID=1000\nSTATE=queued\n"
                   "ORIGIN=https://example.org\n");
  tfd_job_info (&bare, "x");
  g_assert_cmpstr (last->str, ==,
                   "MESSAGE=job fedcba98: x\nPRIORITY=6\nGLIB_DOMAIN=transferd\nTFD_CATEGORY=life\n"
                   "JOB_ID=fedcba9876543210fedcba9876543210\nUID=0\n");
  tfd_warning ("%d%%", 5);
  g_assert_cmpstr (last->str, ==,
                   "MESSAGE=5%\nPRIORITY=4\nGLIB_DOMAIN=transferd\nTFD_CATEGORY=life\n");
}

static void
test_debug (void)
{
  guint evaluated = 0;

  g_assert_true (tfd_log_set_categories ("plan", NULL));
  g_string_truncate (last, 0);
  tfd_debug (TFD_LOG_BUS, "%u", ++evaluated);
  g_assert_cmpstr (last->str, ==, "");
  g_assert_cmpuint (evaluated, ==, 0);
  tfd_debug (TFD_LOG_PLAN, "%u", ++evaluated);
  g_assert_cmpstr (last->str, ==,
                   "MESSAGE=1\nPRIORITY=7\nGLIB_DOMAIN=transferd\nTFD_CATEGORY=plan\n");
}

/* What arrived at the socket of the service manager. */
static void
assert_told (GSocket *socket, const char *expected)
{
  char text[256] = { 0 };
  g_autoptr (GError) error = NULL;

  g_socket_receive (socket, text, sizeof text - 1, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (text, expected));
}

static void
test_notify (void)
{
  g_autofree char *dir = g_dir_make_tmp ("transferd-notify-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "socket", NULL);
  g_autofree char *pid = g_strdup_printf ("%d", (int) getpid ());
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GSocket) socket =
      g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);

  g_assert_true (g_socket_bind (socket, address, TRUE, NULL));
  g_socket_set_timeout (socket, 120);
  g_setenv ("NOTIFY_SOCKET", path, TRUE);
  g_setenv ("WATCHDOG_PID", pid, TRUE);
  g_setenv ("WATCHDOG_USEC", "20000", TRUE);

  tfd_notify_reloading ();
  assert_told (socket, "RELOADING=1\nMONOTONIC_USEC=");
  tfd_notify_ready ();
  assert_told (socket, "READY=1");
  for (guint i = 0; i < 2; i++)
    {
      g_main_context_iteration (NULL, TRUE);
      assert_told (socket, "WATCHDOG=1");
    }
  tfd_notify_stopping ();
  assert_told (socket, "STOPPING=1");
  g_assert_false (g_main_context_pending (NULL));

  g_unsetenv ("NOTIFY_SOCKET");
  tfd_notify_stopping ();
  g_unlink (path);
  g_rmdir (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  last = g_string_new (NULL);
  g_log_set_writer_func (log_writer, NULL, NULL);
  g_test_add_func ("/base/log/categories", test_categories);
  g_test_add_func ("/base/log/fields", test_fields);
  g_test_add_func ("/base/log/debug", test_debug);
  g_test_add_func ("/base/notify", test_notify);
  return g_test_run ();
}
