/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Service: org.transferd.Transfer1.Worker on the connection to transferd. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define TFD_TYPE_SERVICE (tfd_service_get_type ())
G_DECLARE_FINAL_TYPE (TfdService, tfd_service, TFD, SERVICE, GObject)

/* Speaks on @fd, one end of a socket pair, which it takes. @over is called once: when the other end
 * is closed, or after @idle_msec without a run or a request (0 = never). */
TfdService *tfd_service_new (
    int fd, guint idle_msec, void (*over) (gpointer user_data), gpointer user_data, GError **error);

G_END_DECLS
