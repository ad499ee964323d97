/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Wire, options: the tables of every a{sv} argument, and the one check that they go through. */
#include "config.h"

#include "common/wire-private.h"

#include "common/names.h"

gboolean
tfd_wire_check_type (const char *key, GVariant *value, const char *signature, GError **error)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE (signature)))
    return TRUE;
  tfd_throw_args (error, "‘%s’ has type ‘%s’, it must have ‘%s’", key,
                  g_variant_get_type_string (value), signature);
  return FALSE;
}

gboolean
tfd_wire_check_text (const char *key, const char *text, glong limit, gboolean lines, GError **error)
{
  if (!g_utf8_validate (text, -1, NULL))
    {
      tfd_throw_args (error, "‘%s’ is not valid UTF-8", key);
      return FALSE;
    }
  glong length = g_utf8_strlen (text, -1);
  if (length > limit)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_STRING_TOO_LONG,
                   "‘%s’ has %ld characters, at most %ld are allowed", key, length, limit);
      return FALSE;
    }
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      if (g_unichar_iscntrl (c) && !(lines && c == '\n'))
        {
          tfd_throw_args (error, "‘%s’ must not hold the control character U+%04X", key, c);
          return FALSE;
        }
    }
  return TRUE;
}

static const TfdOption *
find_option (const TfdOption *table, const char *key, guint *position)
{
  for (*position = 0; table[*position].key != NULL; (*position)++)
    if (g_str_equal (table[*position].key, key))
      return &table[*position];
  return NULL;
}

gboolean
tfd_options_check (GVariant *options, const TfdOption *table, GError **error)
{
  if (options == NULL)
    return TRUE;
  if (!tfd_wire_check_type ("options", options, "a{sv}", error))
    return FALSE;

  guint64 seen = 0;
  GVariantIter iter;
  g_variant_iter_init (&iter, options);
  for (;;)
    {
      g_autofree char *key = NULL;
      g_autoptr (GVariant) value = NULL;
      guint position = 0;

      if (!g_variant_iter_next (&iter, "{sv}", &key, &value))
        return TRUE;
      const TfdOption *option = find_option (table, key, &position);
      if (option == NULL)
        {
          tfd_throw_args (error, "there is no option ‘%s’", key);
          return FALSE;
        }
      g_assert (position < 64);
      if ((seen & (G_GUINT64_CONSTANT (1) << position)) != 0)
        {
          tfd_throw_args (error, "‘%s’ is given twice", key);
          return FALSE;
        }
      seen |= G_GUINT64_CONSTANT (1) << position;
      if (!tfd_wire_check_type (key, value, option->signature, error))
        return FALSE;
      if (option->validate != NULL && !option->validate (key, value, error))
        return FALSE;
    }
}

static gboolean
check_enum (const char *key, const char *string, GType type, GError **error)
{
  int value = 0;

  if (tfd_enum_from_string (type, string, &value))
    return TRUE;
  tfd_throw_args (error, "‘%s’ cannot be ‘%s’", key, string);
  return FALSE;
}

static gboolean
validate_overwrite (const char *key, GVariant *value, GError **error)
{
  return check_enum (key, g_variant_get_string (value, NULL), TFD_TYPE_OVERWRITE, error);
}

static gboolean
validate_states (const char *key, GVariant *value, GError **error)
{
  g_autofree const char **states = g_variant_get_strv (value, NULL);

  for (gsize i = 0; states[i] != NULL; i++)
    if (!check_enum (key, states[i], TFD_TYPE_JOB_STATE, error))
      return FALSE;
  return TRUE;
}

static gboolean
check_id (const char *key, const char *id, GError **error)
{
  g_autofree char *normal = tfd_job_id_parse (id);

  if (normal != NULL)
    return TRUE;
  tfd_throw_args (error, "‘%s’: ‘%s’ is no job id", key, id);
  return FALSE;
}

static gboolean
validate_id (const char *key, GVariant *value, GError **error)
{
  return check_id (key, g_variant_get_string (value, NULL), error);
}

static gboolean
validate_ids (const char *key, GVariant *value, GError **error)
{
  g_autofree const char **ids = g_variant_get_strv (value, NULL);

  for (gsize i = 0; ids[i] != NULL; i++)
    if (!check_id (key, ids[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
validate_job_path (const char *key, GVariant *value, GError **error)
{
  const char *path = g_variant_get_string (value, NULL);
  g_autofree char *id = tfd_job_id_from_path (path);

  if (id != NULL)
    return TRUE;
  tfd_throw_args (error, "‘%s’: ‘%s’ is not the path of a job", key, path);
  return FALSE;
}

const TfdOption tfd_complete_options[] = {
  { "require-all", "b", NULL },
  { "overwrite", "s", validate_overwrite },
  { NULL, NULL, NULL },
};

const TfdOption tfd_no_options[] = {
  { NULL, NULL, NULL },
};

const TfdOption tfd_credentials_options[] = {
  { "fd", "h", NULL },
  { NULL, NULL, NULL },
};

const TfdOption tfd_list_jobs_options[] = {
  { "all-users", "b", NULL },    { "states", "as", validate_states },
  { "display-name", "s", NULL }, { "properties", "as", NULL },
  { "limit", "u", NULL },        { "after", "o", validate_job_path },
  { NULL, NULL, NULL },
};

const TfdOption tfd_history_options[] = {
  { "ids", "as", validate_ids }, { "since", "t", NULL }, { "limit", "u", NULL },
  { "after", "s", validate_id }, { "files", "b", NULL }, { NULL, NULL, NULL },
};

const TfdOption tfd_all_users_options[] = {
  { "all-users", "b", NULL },
  { NULL, NULL, NULL },
};
