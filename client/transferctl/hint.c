/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Hints: what can be done about an error. */
#include "config.h"
#include "client/transferctl/ctl.h"

static const struct
{
  TransferError code;
  const char *hint;
} hints[] = {
  { TRANSFER_ERROR_NOT_FOUND,
    "\"transferctl list\" shows your jobs, \"transferctl history\" those that are over." },
  { TRANSFER_ERROR_INVALID_STATE, "\"transferctl status JOB\" shows what the job does now." },
  { TRANSFER_ERROR_EMPTY,
    "Add files with \"transferctl add JOB URL FILE\"; a job whose files have all arrived is ended\n"
    "with \"transferctl complete JOB\"." },
  { TRANSFER_ERROR_TOO_MANY_JOBS_PER_USER,
    "Complete or cancel some of your jobs first, see \"transferctl list\"." },
  { TRANSFER_ERROR_TOO_MANY_JOBS_PER_MACHINE,
    "This machine has all the jobs it may have. Try again later, or ask its administrator." },
  { TRANSFER_ERROR_TOO_MANY_FILES_IN_JOB, "Put the other files into another job." },
  { TRANSFER_ERROR_INVALID_URL, "The service knows http://, https:// and file:// URLs." },
  { TRANSFER_ERROR_INVALID_PATH,
    "What is sent must be a file; what is fetched needs a directory that exists." },
  { TRANSFER_ERROR_DUPLICATE_DESTINATION,
    "Another file of the job has this destination, see \"transferctl files JOB\"." },
  { TRANSFER_ERROR_COMMIT_FAILED,
    "The job is still there: \"transferctl files JOB\" shows which files are in place. Remove the\n"
    "cause and call \"transferctl complete JOB\" again." },
  { TRANSFER_ERROR_NOT_TRANSFERRED,
    "Wait for the rest with \"transferctl wait JOB\", or keep what has arrived with\n"
    "\"transferctl complete JOB\" without --require-all." },
  { TRANSFER_ERROR_READ_ONLY_AFTER_RESUME, "Set it before the job is started." },
  { TRANSFER_ERROR_READ_ONLY_AFTER_ADD_FILE, "Set it before files are added." },
  { TRANSFER_ERROR_STORAGE_FAILED,
    "The service could not write its database; is the disk full? See its log." },
  { TRANSFER_ERROR_ACCESS_DENIED, "This needs the rights of an administrator." },
  { TRANSFER_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
    "Somebody has to authenticate, and there is no agent that could ask." },
  { TRANSFER_ERROR_LIMITS_EXCEEDED, "The service has too much to do. Try again later." },
};

static const char *
hint_about_service (gboolean session_bus)
{
  if (session_bus)
    return "There is no transfer service on your session bus. \"transferd --user\" runs one; "
           "without\n"
           "--user, transferctl talks to the service of the system.";
  return "There is no transfer service on the system bus. \"systemctl start transferd\" starts it "
         "when it\n"
         "is installed; with --user, transferctl talks to a \"transferd --user\" of your own.";
}

const char *
ctl_hint (const GError *error, gboolean session_bus)
{
  if (error->domain == TRANSFER_ERROR)
    {
      for (guint i = 0; i < G_N_ELEMENTS (hints); i++)
        if ((int) hints[i].code == error->code)
          return hints[i].hint;
      return NULL;
    }
  if (error->domain != G_DBUS_ERROR)
    return NULL;
  switch (error->code)
    {
    case G_DBUS_ERROR_SERVICE_UNKNOWN:
    case G_DBUS_ERROR_NAME_HAS_NO_OWNER:
    case G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND:
      return hint_about_service (session_bus);
    case G_DBUS_ERROR_SPAWN_CHILD_EXITED:
    case G_DBUS_ERROR_SPAWN_CHILD_SIGNALED:
    case G_DBUS_ERROR_SPAWN_EXEC_FAILED:
    case G_DBUS_ERROR_SPAWN_FAILED:
    case G_DBUS_ERROR_TIMED_OUT:
      return "The transfer service does not start. Its log says why: \"journalctl -u transferd\".";
    case G_DBUS_ERROR_NO_REPLY:
      return "The transfer service died before it answered. \"transferctl list\" shows what it "
             "did.";
    case G_DBUS_ERROR_ACCESS_DENIED:
      return "The policy of the bus does not let you talk to the transfer service.";
    default:
      return NULL;
    }
}
