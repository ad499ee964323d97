/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Login: what a job shows to servers of itself, and the session that is used with it alone. */
#include "config.h"
#include "worker/login.h"

#include "common/url.h"
#include "worker/session.h"

struct _TfdLogins
{
  SoupSession *anonymous; /* (owned) */
  GHashTable *in_use;     /* (owned) key of credentials -> (not owned) Named */
};

static const struct
{
  const char *name;
  GType (*type) (void);
} schemes[] = {
  { "basic", soup_auth_basic_get_type },
  { "digest", soup_auth_digest_get_type },
};

/* A session with credentials; gone with the last login that uses it. */
typedef struct
{
  guint refs;
  TfdLogins *logins; /* (not owned) (nullable) */
  char *key;
  SoupSession *session; /* (owned) */
} Named;

struct _TfdLogin
{
  grefcount refs;
  TfdLogins *logins;     /* (not owned) */
  GVariant *headers;     /* (owned) (nullable) */
  GVariant *credentials; /* (owned) (nullable) */
  Named *named;          /* (owned) (nullable) */
};

TfdLogins *
tfd_logins_new (void)
{
  TfdLogins *logins = g_new0 (TfdLogins, 1);

  logins->anonymous = tfd_session_new (FALSE);
  logins->in_use = g_hash_table_new (g_str_hash, g_str_equal);

  return logins;
}

void
tfd_logins_abort (TfdLogins *logins)
{
  GHashTableIter iter;
  Named *named;

  soup_session_abort (logins->anonymous);
  g_hash_table_iter_init (&iter, logins->in_use);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &named))
    soup_session_abort (named->session);
}

void
tfd_logins_free (TfdLogins *logins)
{
  GHashTableIter iter;
  Named *named;

  /* a request that was given up may hold one until libsoup has let go of it */
  g_hash_table_iter_init (&iter, logins->in_use);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &named))
    named->logins = NULL;
  g_hash_table_unref (logins->in_use);
  g_object_unref (logins->anonymous);
  g_free (logins);
}

static gboolean
has_scheme (GVariant *credentials, const char *wanted)
{
  const char *scheme;
  GVariantIter iter;

  g_variant_iter_init (&iter, credentials);
  while (g_variant_iter_next (&iter, "(&s&s&s&s)", NULL, &scheme, NULL, NULL))
    if (g_str_equal (scheme, wanted))
      return TRUE;

  return FALSE;
}

/* libsoup takes the strongest scheme that a server offers: it shall know only those for which there
 * is a password, or it would not get to the weaker one. */
static SoupSession *
new_session (GVariant *credentials)
{
  SoupSession *session = tfd_session_new (TRUE);

  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (!has_scheme (credentials, schemes[i].name))
      soup_session_remove_feature_by_type (session, schemes[i].type ());

  return session;
}

static Named *
get_named (TfdLogins *logins, GVariant *credentials)
{
  g_autofree char *key = g_variant_print (credentials, FALSE);
  Named *named = g_hash_table_lookup (logins->in_use, key);

  if (named == NULL)
    {
      named = g_new0 (Named, 1);
      named->logins = logins;
      named->key = g_steal_pointer (&key);
      named->session = new_session (credentials);
      g_hash_table_insert (logins->in_use, named->key, named);
    }
  named->refs++;

  return named;
}

static void
named_unref (Named *named)
{
  if (--named->refs > 0)
    return;

  if (named->logins != NULL)
    g_hash_table_remove (named->logins->in_use, named->key);
  g_object_unref (named->session);
  g_free (named->key);
  g_free (named);
}

TfdLogin *
tfd_login_new (TfdLogins *logins, GVariant *headers, GVariant *credentials)
{
  TfdLogin *login = g_new0 (TfdLogin, 1);

  g_ref_count_init (&login->refs);
  login->logins = logins;
  if (headers != NULL && g_variant_n_children (headers) > 0)
    login->headers = g_variant_ref (headers);
  if (credentials != NULL && g_variant_n_children (credentials) > 0)
    {
      login->credentials = g_variant_ref (credentials);
      login->named = get_named (logins, credentials);
    }

  return login;
}

TfdLogin *
tfd_login_ref (TfdLogin *login)
{
  g_ref_count_inc (&login->refs);
  return login;
}

void
tfd_login_unref (TfdLogin *login)
{
  if (!g_ref_count_dec (&login->refs))
    return;

  g_clear_pointer (&login->headers, g_variant_unref);
  g_clear_pointer (&login->credentials, g_variant_unref);
  g_clear_pointer (&login->named, named_unref);
  g_free (login);
}

SoupSession *
tfd_login_get_session (TfdLogin *login)
{
  return login->named != NULL ? login->named->session : login->logins->anonymous;
}

gboolean
tfd_login_has_credentials (const TfdLogin *login)
{
  return login->credentials != NULL;
}

static gboolean
is_same (GVariant *a, GVariant *b)
{
  return a == b || (a != NULL && b != NULL && g_variant_equal (a, b));
}

gboolean
tfd_login_is_same (const TfdLogin *a, const TfdLogin *b)
{
  return a == b || (is_same (a->headers, b->headers) && is_same (a->credentials, b->credentials));
}

/* A scheme that the owner did not name gets nothing: a server that asks for Basic must not have the
 * password of one who wants Digest. */
static gboolean
find_credentials (GVariant *credentials, SoupAuth *auth, const char **user, const char **password)
{
  const char *target = soup_auth_is_for_proxy (auth) ? "proxy" : "server";
  const char *wanted, *scheme;
  GVariantIter iter;

  g_variant_iter_init (&iter, credentials);
  while (g_variant_iter_next (&iter, "(&s&s&s&s)", &wanted, &scheme, user, password))
    if (g_str_equal (wanted, target) &&
        g_ascii_strcasecmp (scheme, soup_auth_get_scheme_name (auth)) == 0)
      return TRUE;

  return FALSE;
}

static gboolean
authenticate_cb (SoupMessage *message G_GNUC_UNUSED,
                 SoupAuth *auth,
                 gboolean retrying,
                 gpointer user_data)
{
  GVariant *credentials = user_data;
  const char *user, *password;

  /* What was refused once is not right the second time. */
  if (retrying || !find_credentials (credentials, auth, &user, &password))
    return FALSE;

  soup_auth_authenticate (auth, user, password);
  return TRUE;
}

static void
unref_closure_data (gpointer data, GClosure *closure G_GNUC_UNUSED)
{
  g_variant_unref (data);
}

void
tfd_login_prepare (TfdLogin *login, SoupMessage *message, const char *url)
{
  g_autofree char *target = NULL;
  const char *name, *value;
  GVariantIter iter;

  /* nothing that one server may see and another may not */
  if (login->headers == NULL && login->credentials == NULL)
    return;

  target = g_uri_to_string (soup_message_get_uri (message));
  if (!tfd_url_same_origin (target, url))
    {
      soup_message_add_flags (message, SOUP_MESSAGE_DO_NOT_USE_AUTH_CACHE);
      return;
    }

  if (login->headers != NULL)
    {
      SoupMessageHeaders *headers = soup_message_get_request_headers (message);

      g_variant_iter_init (&iter, login->headers);
      while (g_variant_iter_next (&iter, "(&s&s)", &name, &value))
        soup_message_headers_append (headers, name, value);
    }
  if (login->credentials != NULL)
    g_signal_connect_data (message, "authenticate", G_CALLBACK (authenticate_cb),
                           g_variant_ref (login->credentials), unref_closure_data, 0);
}
