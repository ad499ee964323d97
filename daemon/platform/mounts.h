/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Mounts: tells when a file system came or went. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TfdMounts TfdMounts;
typedef void (*TfdMountsFunc) (gpointer data);

/* Has @func called a moment after the mounts of this process changed; NULL when the kernel does not
 * tell (then destinations are found again by their retries). */
TfdMounts *tfd_mounts_watch (TfdMountsFunc func, gpointer data);
void tfd_mounts_free (TfdMounts *mounts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdMounts, tfd_mounts_free)

G_END_DECLS
