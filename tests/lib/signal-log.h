/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Signal log: what was told, in order, as lines of text. A test names the lines it expects, all of
 * them; dies in teardown when some are left unread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TfdSignalLog TfdSignalLog;

TfdSignalLog *tfd_signal_log_new (void);
void tfd_signal_log_free (TfdSignalLog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdSignalLog, tfd_signal_log_free)

/* Something was told. */
void tfd_signal_log_add (TfdSignalLog *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* From now on a warning of the program is a line "warning" of this log, instead of the end of the
 * test. */
void tfd_signal_log_catch_warnings (TfdSignalLog *self);

/* The lines since the last time are exactly those of @expected, one a line ("" = none). */
void tfd_signal_log_assert (TfdSignalLog *self, const char *expected);

/* The same for tests to which only some lines matter: these are in it, in this order. */
void tfd_signal_log_assert_has (TfdSignalLog *self, const char *expected);

/* Nobody cares for what was told so far. */
void tfd_signal_log_clear (TfdSignalLog *self);

G_END_DECLS
