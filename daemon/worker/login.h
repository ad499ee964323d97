/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Login: what a job shows to servers of itself: its header fields and its credentials, and the
 * session that is used with them alone. libsoup keeps what a server has accepted for as long as a
 * session lives, and reuses connections without asking who opened them: jobs with other
 * credentials must never meet in one session. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _TfdLogin TfdLogin;

/* The sessions of a worker, one for each set of credentials in use. */
typedef struct _TfdLogins TfdLogins;

TfdLogins *tfd_logins_new (void);
/* Ends what is under way in any of them. */
void tfd_logins_abort (TfdLogins *logins);
/* No login of it may be used any more, but for unref. */
void tfd_logins_free (TfdLogins *logins);

/* @headers (nullable): a(ss), name and value. @credentials (nullable): a(ssss), target ("server"),
 * scheme ("basic", "digest"), user, password. */
TfdLogin *tfd_login_new (TfdLogins *logins, GVariant *headers, GVariant *credentials);
TfdLogin *tfd_login_ref (TfdLogin *login);
void tfd_login_unref (TfdLogin *login);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TfdLogin, tfd_login_unref)

/* (transfer none) */
SoupSession *tfd_login_get_session (TfdLogin *login);

/* TRUE when a server may ask for credentials that there are: a request with a body is better
 * preceded by one without. */
gboolean tfd_login_has_credentials (const TfdLogin *login);

/* TRUE when both show the same. */
gboolean tfd_login_is_same (const TfdLogin *a, const TfdLogin *b);

/* Puts the header fields on @message and lets it answer challenges; nothing of both when @message
 * goes to another origin than @url, which is where the owner wanted to go. What the program itself
 * says (Range, Accept-Encoding, …) is to be set afterwards: it wins. */
void tfd_login_prepare (TfdLogin *login, SoupMessage *message, const char *url);

G_END_DECLS
