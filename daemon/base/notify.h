/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Notify: tells the service manager about the life of the daemon; does nothing without one. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The daemon serves calls from now on. Starts the watchdog when the service manager wants one: the
 * main loop then answers it by itself, from the thread-default main context. */
void tfd_notify_ready (void);

/* The configuration is being read again; tfd_notify_ready () ends it. */
void tfd_notify_reloading (void);

/* The daemon ends. Stops the watchdog. */
void tfd_notify_stopping (void);

G_END_DECLS
