/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
#include "config.h"

#include "file-limit.h"

#include <signal.h>

rlim_t
tfd_file_limit_set (rlim_t most)
{
  struct rlimit limit;
  rlim_t before;

  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  before = limit.rlim_cur;
  limit.rlim_cur = most;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);

  return before;
}
