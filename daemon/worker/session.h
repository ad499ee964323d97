/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Session: how libsoup is set up. One session serves one transport identity (proxy, TLS rules,
 * credentials), because a connection is not verified again when it is used again. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* To be called before anything else uses libsoup: HTTP/2 in libsoup before 3.6.3 has no flow
 * control towards the reader, a whole file would end up in memory. */
void tfd_session_prepare_process (void);

/* A session without proxy, decoder, sniffer and cookies, whose limits are ours to keep; one that
 * @authenticates answers Basic and Digest challenges. */
SoupSession *tfd_session_new (gboolean authenticates);

/* The host of @url, lower case, for counting connections; "file" for local ones; NULL when @url has
 * none. */
char *tfd_session_host (const char *url);

G_END_DECLS
