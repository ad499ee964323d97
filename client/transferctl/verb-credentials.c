/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* set-credentials, remove-credentials: what a job answers when a server asks for a log-in. */
#include "config.h"
#include "client/transferctl/ctl.h"

#include <string.h>

#include "client/transferctl/password.h"

static struct
{
  char *target;
  char *scheme;
  char *password_file;
} options;

#define TARGET                                                                                     \
  {                                                                                                \
    "target", 0, 0, G_OPTION_ARG_STRING, &options.target, "server (default)", "TARGET"             \
  }
#define SCHEME                                                                                     \
  {                                                                                                \
    "scheme", 0, 0, G_OPTION_ARG_STRING, &options.scheme, "basic (default) or digest", "SCHEME"    \
  }

const GOptionEntry *
ctl_options_set_credentials (void)
{
  static const GOptionEntry entries[] = {
    TARGET,
    SCHEME,
    { "password-file", 0, 0, G_OPTION_ARG_FILENAME, &options.password_file,
      "Read the password from the first line of FILE, - is standard input", "FILE" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

const GOptionEntry *
ctl_options_remove_credentials (void)
{
  static const GOptionEntry entries[] = {
    TARGET,
    SCHEME,
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

static const char *
target (void)
{
  return options.target != NULL ? options.target : "server";
}

static const char *
scheme (void)
{
  return options.scheme != NULL ? options.scheme : "basic";
}

int
ctl_run_set_credentials (Ctl *ctl, int n, char **arguments)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TransferJob) job = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *password = NULL;

  (void) n;
  job = ctl_find_job (ctl, arguments[0], &error);
  if (job == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  password = ctl_read_password (arguments[1], options.password_file, &error);
  if (password == NULL)
    return ctl_fail (ctl, "%s", error->message);
  transfer_job_set_credentials_async (job, target (), scheme (), arguments[1], password, NULL,
                                      ctl_async_cb, &result);
  explicit_bzero (password, strlen (password));
  ctl_await (&result);
  if (!transfer_job_set_credentials_finish (job, result, &error))
    return ctl_fail_error (ctl, arguments[0], g_steal_pointer (&error));
  return CTL_OK;
}

int
ctl_run_remove_credentials (Ctl *ctl, int n, char **arguments)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TransferJob) job = NULL;
  g_autoptr (GError) error = NULL;
  gboolean removed = FALSE;

  (void) n;
  job = ctl_find_job (ctl, arguments[0], &error);
  if (job == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  transfer_job_remove_credentials_async (job, target (), scheme (), NULL, ctl_async_cb, &result);
  ctl_await (&result);
  if (!transfer_job_remove_credentials_finish (job, result, &removed, &error))
    return ctl_fail_error (ctl, arguments[0], g_steal_pointer (&error));
  if (!removed)
    return ctl_fail (ctl, "%s: there are no such credentials", arguments[0]);
  return CTL_OK;
}
