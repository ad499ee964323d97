/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Pool: the transport made of one worker process per user. */
#pragma once

#include "platform/worker.h"

G_BEGIN_DECLS

#define TFD_TYPE_POOL (tfd_pool_get_type ())
G_DECLARE_FINAL_TYPE (TfdPool, tfd_pool, TFD, POOL, GObject)

/* Workers run @program; their locks lie in @runtime_dir. @change_user: each as its user, else all
 * as ourselves. @config is not copied. */
TfdPool *tfd_pool_new (const char *program,
                       const char *runtime_dir,
                       gboolean change_user,
                       const TfdConfig *config);

/* The configuration has changed. */
void tfd_pool_reconfigure (TfdPool *self);

G_END_DECLS
