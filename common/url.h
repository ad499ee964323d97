/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* URL: what may stand in remote_url and local_path. Pure. */
#pragma once

#include "common/error.h"

G_BEGIN_DECLS

/* Checks a remote URL: http, https (host not empty) or file; at most TFD_MAX_URL bytes
 * (StringTooLong); no userinfo, control characters, blanks or bytes above 127, nor anything else
 * that a URL holds only as an escape; percent signs only as escapes; fragments refused. A file URL
 * names a path that tfd_path_check () accepts. InvalidUrl says what is wrong. */
gboolean tfd_url_check (const char *url, GError **error);

/* Checks a local path (bytes): absolute, no ".", ".." or empty components, no control characters,
 * no trailing slash, < PATH_MAX, each component <= NAME_MAX. InvalidPath says what is wrong. */
gboolean tfd_path_check (const char *path, GError **error);

/* Whether two such paths are in the same directory. */
gboolean tfd_path_same_directory (const char *a, const char *b);

/* Scheme, host and port only, for logs: "https://example.org:8443". */
char *tfd_url_origin (const char *url);
gboolean tfd_url_same_origin (const char *a, const char *b);

/* TRUE when @url leads nowhere but to this machine: file, localhost, a loopback address. */
gboolean tfd_url_is_local (const char *url);

/* The decision on a 3xx answer: where to go next. */
typedef enum
{
  TFD_REDIRECT_FOLLOW,         /* to *target, same origin */
  TFD_REDIRECT_FOLLOW_FOREIGN, /* to *target, another origin: send nothing of the job's headers */
  TFD_REDIRECT_REFUSED,        /* policy, or https to http without AllowDowngrade */
  TFD_REDIRECT_INVALID,        /* no or bad Location, not http(s) */
  TFD_REDIRECT_TOO_MANY,       /* more than 20 */
  TFD_REDIRECT_NONE,           /* @status is no redirect */
} TfdRedirect;

/* @count redirects were followed before this one; @location is resolved against @from. @target
 * (nullable) is set, and belongs to the caller, when the redirect may be followed. */
TfdRedirect tfd_url_redirect (const char *from,
                              guint status,
                              const char *location,
                              guint count,
                              TfdRedirectPolicy policy,
                              gboolean allow_downgrade,
                              char **target);

G_END_DECLS
