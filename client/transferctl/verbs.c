/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The verb table: help, completions, manual page and main () follow it. */
#include "config.h"
#include "client/transferctl/ctl.h"

#define TRANSFERS "Transfers"
#define LOOKING "Looking at jobs"
#define CHANGING "Changing jobs"

/* clang-format off */
const CtlVerb ctl_verbs[] = {
  { "get", "URL [FILE|DIRECTORY]", "Download a URL, and wait for it", TRANSFERS,
    ctl_options_get, 1, 2, ctl_run_get },
  { "put", "FILE URL", "Upload a file, and wait for it", TRANSFERS,
    ctl_options_put, 2, 2, ctl_run_put },
  { "create", "NAME", "Create a job; prints its id", TRANSFERS,
    ctl_options_create, 1, 1, ctl_run_create },
  { "add", "JOB [URL [FILE|DIRECTORY]]", "Add files to a job", TRANSFERS,
    ctl_options_add, 1, 3, ctl_run_add },
  { "wait", "JOB...", "Wait until jobs are transferred, or have failed", TRANSFERS,
    ctl_options_wait, 1, -1, ctl_run_wait },

  { "list", "", "List jobs (without a verb, this is it)", LOOKING,
    ctl_options_list, 0, 0, ctl_run_list },
  { "status", "JOB...", "Show how jobs stand", LOOKING,
    ctl_options_everybody, 1, -1, ctl_run_status },
  { "show", "JOB", "Show the properties of a job", LOOKING,
    ctl_options_show, 1, 1, ctl_run_show },
  { "files", "JOB", "List the files of a job", LOOKING,
    ctl_options_everybody, 1, 1, ctl_run_files },
  { "why", "JOB", "Show what keeps a job from running", LOOKING,
    ctl_options_everybody, 1, 1, ctl_run_why },
  { "log", "JOB", "Show what a job went through", LOOKING,
    ctl_options_log, 1, 1, ctl_run_log },
  { "history", "", "List jobs that are over", LOOKING,
    ctl_options_history, 0, 0, ctl_run_history },
  { "reply", "JOB", "Print what the server replied to an upload", LOOKING,
    NULL, 1, 1, ctl_run_reply },
  { "monitor", "[JOB...]", "Print what happens to jobs, until Ctrl-C", LOOKING,
    ctl_options_monitor, 0, -1, ctl_run_monitor },

  { "suspend", "JOB...", "Stop jobs until they are resumed", CHANGING,
    ctl_options_all, 0, -1, ctl_run_suspend },
  { "resume", "JOB...", "Start jobs, or start them again", CHANGING,
    ctl_options_all, 0, -1, ctl_run_resume },
  { "complete", "JOB...", "Put the files that have arrived in place, and end the jobs", CHANGING,
    ctl_options_complete, 0, -1, ctl_run_complete },
  { "cancel", "JOB...", "Remove what has arrived, and end the jobs", CHANGING,
    ctl_options_all, 0, -1, ctl_run_cancel },
  { "take-ownership", "JOB...", "Make jobs of others yours (administrators)", CHANGING,
    NULL, 1, -1, ctl_run_take_ownership },
  { "set-property", "JOB NAME=VALUE...", "Change properties of a job", CHANGING,
    NULL, 2, -1, ctl_run_set_property },
  { "set-credentials", "JOB USER", "Say as whom a job logs in to servers", CHANGING,
    ctl_options_set_credentials, 2, 2, ctl_run_set_credentials },
  { "remove-credentials", "JOB", "Forget as whom a job logs in to servers", CHANGING,
    ctl_options_remove_credentials, 1, 1, ctl_run_remove_credentials },

  { "help", "[VERB]", "Show this help, or that of a verb", "Help",
    NULL, 0, 1, ctl_run_help },
  { NULL, NULL, NULL, NULL, NULL, 0, 0, NULL },
};
/* clang-format on */

const CtlVerb *
ctl_find_verb (const char *name)
{
  for (const CtlVerb *verb = ctl_verbs; verb->name != NULL; verb++)
    if (g_str_equal (verb->name, name))
      return verb;
  return NULL;
}
