/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Classify: the one table that turns an HTTP status, an errno or a GError into a failure. Pure. */
#pragma once

#include "common/error.h"

G_BEGIN_DECLS

/* A 4xx/5xx/other unusable status of an answer: 401, 407 fatal with their own codes; transient are
 * 408, 409, 425, 429, all 5xx but 501 and 505, and 1xx/2xx that cannot be used; of 3xx those that
 * nobody defined (306, 309 and up). @failure, which must be initialised, is filled; @reason
 * (nullable) is the phrase, for the message. */
void tfd_classify_http_status (guint status, const char *reason, TfdFailure *failure);

/* A system call on a local file failed with @error_number while @doing ("opening part file"). */
void tfd_classify_errno (int error_number, const char *doing, TfdFailure *failure);

/* A GError of GIO (GIOErrorEnum, GResolverError, GTlsError) from the network, or of TFD_ERROR. */
void tfd_classify_network_error (const GError *error, TfdFailure *failure);

G_END_DECLS
