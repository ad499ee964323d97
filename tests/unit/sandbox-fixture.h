/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sandbox fixture: what is made before the sandbox closes, and what counts as refused. */
#pragma once

#include "worker/sandbox.h"
#include "common/sanitizer.h"

#include <errno.h>
#include <sys/types.h>

extern guint sandbox_parts;         /* that hold */
extern long sandbox_landlock;       /* its version, 0 = none */
extern pid_t sandbox_sibling;       /* a process of the same user, outside */
extern int sandbox_dir;             /* a directory of ours */
extern char *sandbox_path;          /* its path */
extern guint16 sandbox_port;        /* where somebody listens */
extern gboolean sandbox_has_compat; /* calls of a second architecture are there */

/* Makes these, and confines this process. */
void sandbox_begin (void);
int sandbox_end (int status);

/* getpid () in the manner of the second architecture. */
long sandbox_compat_getpid (void);

/* What must still work. */
void sandbox_add_work_tests (void);

/* Leaves the test when this kernel has not got what it is about. */
#define sandbox_needs(part)                                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if ((sandbox_parts & (part)) == 0)                                                             \
      {                                                                                            \
        g_test_skip ("kernel: " #part " is not there");                                            \
        return;                                                                                    \
      }                                                                                            \
  }                                                                                                \
  G_STMT_END

#define assert_refused(call)                                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    long assert_refused_ = (long) (call);                                                          \
    int assert_errno_ = errno;                                                                     \
    if (assert_refused_ >= 0 || (assert_errno_ != EPERM && assert_errno_ != EACCES))               \
      g_error ("not refused: %s gave %ld, %s", #call, assert_refused_,                             \
               g_strerror (assert_errno_));                                                        \
  }                                                                                                \
  G_STMT_END

/* For what this machine may not have at all. */
#define assert_refused_or_absent(call)                                                             \
  G_STMT_START                                                                                     \
  {                                                                                                \
    long assert_refused_ = (long) (call);                                                          \
    int assert_errno_ = errno;                                                                     \
    if (assert_refused_ >= 0 ||                                                                    \
        (assert_errno_ != EPERM && assert_errno_ != EACCES && assert_errno_ != ENOENT &&           \
         assert_errno_ != EROFS && assert_errno_ != ENXIO && assert_errno_ != ENODEV))             \
      g_error ("not refused: %s gave %ld, %s", #call, assert_refused_,                             \
               g_strerror (assert_errno_));                                                        \
  }                                                                                                \
  G_STMT_END
