/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Find: which job a word on the command line means. */
#include "config.h"
#include "client/transferctl/find.h"

#include <string.h>

#include "client/transferctl/ctl.h"

/* Candidates shown when a word means several jobs. */
#define MOST_CANDIDATES 5

gboolean ctl_everybody;

const GOptionEntry *
ctl_options_everybody (void)
{
  static const GOptionEntry entries[] = {
    CTL_OPTION_ALL_USERS,
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

/* Whoever means their own jobs is not asked for a password when there is no such job. */
static void
set_interactive (Ctl *ctl)
{
  if (!ctl_everybody)
    transfer_client_set_interactive (ctl->client, FALSE);
}

/* @word as the beginning of an id; NULL when it can be none. */
static char *
parse_prefix (const char *word)
{
  GString *prefix = g_string_new (NULL);

  for (const char *at = word; *at != '\0'; at++)
    {
      if (*at == '-' && at != word)
        continue;
      if (!g_ascii_isxdigit (*at))
        {
          g_string_free (prefix, TRUE);
          return NULL;
        }
      g_string_append_c (prefix, g_ascii_tolower (*at));
    }
  if (prefix->len == 0 || prefix->len > 32)
    {
      g_string_free (prefix, TRUE);
      return NULL;
    }
  return g_string_free (prefix, FALSE);
}

static void
set_ambiguous (const char *word,
               GArray *found,
               const char *const *ids,
               const char *const *names,
               GError **error)
{
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < found->len && i < MOST_CANDIDATES; i++)
    {
      guint index = g_array_index (found, guint, i);
      g_autofree char *id = ctl_short_id (ids[index]);

      g_string_append_printf (list, "%s%s (%s)", i > 0 ? ", " : "", id, names[index]);
    }
  if (found->len > MOST_CANDIDATES)
    g_string_append_printf (list, " and %u more", found->len - MOST_CANDIDATES);
  g_set_error (error, TRANSFER_ERROR, TRANSFER_ERROR_INVALID_ARGS,
               "‘%s’ means more than one job: %s; give more of the id", word, list->str);
}

int
ctl_match (
    const char *word, guint n, const char *const *ids, const char *const *names, GError **error)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autofree char *prefix = parse_prefix (word);

  for (guint i = 0; i < n; i++)
    if (g_str_equal (names[i], word))
      g_array_append_val (found, i);
  if (found->len == 0 && prefix != NULL)
    for (guint i = 0; i < n; i++)
      if (g_str_has_prefix (ids[i], prefix))
        g_array_append_val (found, i);
  if (found->len == 1)
    return (int) g_array_index (found, guint, 0);
  if (found->len > 1)
    set_ambiguous (word, found, ids, names, error);
  else
    g_set_error (error, TRANSFER_ERROR, TRANSFER_ERROR_NOT_FOUND, "there is no job ‘%s’", word);
  return -1;
}

GPtrArray *
ctl_list_jobs (Ctl *ctl, GVariant *filter, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  transfer_client_list_jobs_async (ctl->client, filter, NULL, ctl_async_cb, &result);
  ctl_await (&result);
  return transfer_client_list_jobs_finish (ctl->client, result, error);
}

GPtrArray *
ctl_list_names (Ctl *ctl, GError **error)
{
  static const char *const names[] = { "DisplayName", "State", NULL };
  GVariantDict filter;

  g_variant_dict_init (&filter, NULL);
  g_variant_dict_insert (&filter, "properties", "^as", names);
  if (ctl_everybody)
    g_variant_dict_insert (&filter, "all-users", "b", TRUE);
  return ctl_list_jobs (ctl, g_variant_dict_end (&filter), error);
}

static TransferJob *
match_job (GPtrArray *jobs, const char *word, GError **error)
{
  g_autofree const char **ids = g_new (const char *, jobs->len + 1);
  g_autofree const char **names = g_new (const char *, jobs->len + 1);
  int index;

  for (guint i = 0; i < jobs->len; i++)
    {
      ids[i] = transfer_job_get_id (g_ptr_array_index (jobs, i));
      names[i] = transfer_job_get_display_name (g_ptr_array_index (jobs, i));
    }
  index = ctl_match (word, jobs->len, ids, names, error);
  return index >= 0 ? g_object_ref (g_ptr_array_index (jobs, (guint) index)) : NULL;
}

static TransferJob *
get_job (Ctl *ctl, const char *id, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  transfer_client_get_job_async (ctl->client, id, NULL, ctl_async_cb, &result);
  ctl_await (&result);
  return transfer_client_get_job_finish (ctl->client, result, error);
}

TransferJob *
ctl_find_job (Ctl *ctl, const char *name, GError **error)
{
  g_autofree char *id = transfer_job_id_parse (name);
  g_autoptr (GPtrArray) jobs = NULL;
  g_autoptr (TransferJob) job = NULL;

  set_interactive (ctl);
  if (id != NULL)
    return get_job (ctl, id, error);
  jobs = ctl_list_names (ctl, error);
  if (jobs == NULL)
    return NULL;
  job = match_job (jobs, name, error);
  if (job == NULL)
    return NULL;
  return get_job (ctl, transfer_job_get_id (job), error);
}

GPtrArray *
ctl_find_jobs (Ctl *ctl, int n, char **names, GError **error)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) all = NULL;

  set_interactive (ctl);
  for (int i = 0; i < n; i++)
    {
      g_autofree char *id = transfer_job_id_parse (names[i]);
      TransferJob *job;

      if (id == NULL && all == NULL)
        {
          all = ctl_list_names (ctl, error);
          if (all == NULL)
            return NULL;
        }
      job = id != NULL ? get_job (ctl, id, error) : match_job (all, names[i], error);
      if (job == NULL)
        return NULL;
      g_ptr_array_add (found, job);
    }
  return g_steal_pointer (&found);
}

GVariant *
ctl_find_tombstone (Ctl *ctl, const char *name, char **id)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) rows = NULL;
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GVariant *row = NULL;
  int index;

  transfer_client_get_job_history_async (ctl->client, NULL, NULL, ctl_async_cb, &result);
  ctl_await (&result);
  rows = transfer_client_get_job_history_finish (ctl->client, result, NULL);
  if (rows == NULL)
    return NULL;
  for (gsize i = 0; i < g_variant_n_children (rows); i++)
    {
      g_autoptr (GVariant) values = NULL;
      const char *row_id, *row_name = "";

      g_variant_get_child (rows, i, "(&s@a{sv})", &row_id, &values);
      g_variant_lookup (values, "display-name", "&s", &row_name);
      g_ptr_array_add (ids, g_strdup (row_id));
      g_ptr_array_add (names, g_strdup (row_name));
    }
  index = ctl_match (name, ids->len, (const char *const *) ids->pdata,
                     (const char *const *) names->pdata, NULL);
  if (index >= 0)
    g_variant_get_child (rows, (gsize) index, "(s@a{sv})", id, &row);
  return row;
}

TransferResult
ctl_tombstone_result (GVariant *row)
{
  GEnumClass *results = g_type_class_ref (TRANSFER_TYPE_RESULT);
  const char *nick = "";
  GEnumValue *value;

  g_variant_lookup (row, "result", "&s", &nick);
  value = g_enum_get_value_by_nick (results, nick);
  g_type_class_unref (results);
  return value != NULL ? (TransferResult) value->value : TRANSFER_RESULT_UNKNOWN;
}

TransferResult
ctl_ended (Ctl *ctl, TransferJob *job)
{
  g_autofree char *id = NULL;
  g_autoptr (GVariant) row = NULL;

  if (transfer_job_get_result (job) != TRANSFER_RESULT_UNKNOWN)
    return transfer_job_get_result (job);
  row = ctl_find_tombstone (ctl, transfer_job_get_id (job), &id);
  return row != NULL ? ctl_tombstone_result (row) : TRANSFER_RESULT_UNKNOWN;
}
