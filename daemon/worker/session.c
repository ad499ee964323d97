/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Session: how libsoup is set up. */
#include "config.h"
#include "worker/session.h"

#include <string.h>

/* More than we ever use at a time: libsoup shall not queue behind our back. */
#define SOUP_CONNECTIONS 256

/* Seconds that an unused connection is kept. */
#define KEEP_ALIVE 15

void
tfd_session_prepare_process (void)
{
  g_setenv ("SOUP_FORCE_HTTP1", "1", TRUE);
}

SoupSession *
tfd_session_new (gboolean authenticates)
{
  SoupSession *session =
      g_object_new (SOUP_TYPE_SESSION, "max-conns", SOUP_CONNECTIONS, "max-conns-per-host",
                    SOUP_CONNECTIONS, "timeout", 0, "idle-timeout", KEEP_ALIVE, "user-agent",
                    "transferd/" VERSION, "proxy-resolver", NULL, NULL);

  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_SNIFFER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_COOKIE_JAR);
  if (!authenticates)
    soup_session_remove_feature_by_type (session, SOUP_TYPE_AUTH_MANAGER);

  return session;
}

char *
tfd_session_host (const char *url)
{
  g_autoptr (GUri) uri = NULL;

  if (g_ascii_strncasecmp (url, "file:", 5) == 0)
    return g_strdup ("file");

  uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  if (uri == NULL || g_uri_get_host (uri) == NULL || g_uri_get_host (uri)[0] == '\0')
    return NULL;

  return g_ascii_strdown (g_uri_get_host (uri), -1);
}
