/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload fields: readers of the header fields by which servers answer uploads. Pure; each is fed by
 * a hostile server and has a fuzz target. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Structured fields (RFC 8941), with parameters, which mean nothing here. */

/* A non-negative integer; FALSE when it is anything else, or more than a file can hold. */
gboolean tfd_field_parse_integer (const char *value, guint64 *number);

/* ?0 or ?1 */
gboolean tfd_field_parse_boolean (const char *value, gboolean *yes);

/* Upload-Limit, members that matter here. */
typedef struct
{
  guint64 max_size; /* 0 = not limited */
  guint64 max_append_size;
  guint64 min_append_size;
} TfdUploadLimits;

/* FALSE: the whole field is to be ignored. */
gboolean tfd_field_parse_limits (const char *value, TfdUploadLimits *limits);

/* The member sha-256 of Repr-Digest or Content-Digest (RFC 9530), in base64; NULL when there is
 * none. The result belongs to the caller. */
char *tfd_field_parse_digest (const char *value);

/* Lists with commas or blanks: TRUE when @token is one of @value (nullable), whatever its case;
 * what stands behind a semicolon does not matter. */
gboolean tfd_field_has_token (const char *value, const char *token);

/* BITS */

/* An error code or context: 0x and up to eight hexadecimal digits. */
gboolean tfd_field_parse_hex (const char *value, guint32 *code);

/* A session: 1…100 visible characters. */
gboolean tfd_field_is_session (const char *value);

/* BITS-Host-Id: a name or address with or without a port, at most 300 bytes, which can take the
 * place of the host of @url. The result belongs to the caller; NULL when it cannot. */
char *tfd_field_replace_host (const char *url, const char *host);

/* Writing */

/* @name as the value of a field that knows nothing but ASCII: other bytes as in a URL. The result
 * belongs to the caller. */
char *tfd_field_escape_name (const char *name);

/* A Content-Disposition (RFC 6266) that names a file. The result belongs to the caller. */
char *tfd_field_disposition (const char *name);

G_END_DECLS
