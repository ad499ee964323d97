/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* status, show: one job in depth. */
#include "config.h"
#include "client/transferctl/ctl.h"

#include <stdio.h>
#include <string.h>

#include "client/transferctl/follow.h"
#include "client/transferctl/format.h"
#include "client/transferctl/value.h"

static struct
{
  char **properties;
  gboolean value;
} options;

const GOptionEntry *
ctl_options_show (void)
{
  static const GOptionEntry entries[] = {
    { "property", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &options.properties,
      "Only this property; may be repeated", "NAME" },
    { "value", 0, 0, G_OPTION_ARG_NONE, &options.value, "Values without names", NULL },
    CTL_OPTION_ALL_USERS,
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

static void
print_field (Ctl *ctl, const char *name, const char *text)
{
  g_autofree char *clean = ctl_clean_text (text);

  printf ("%s%12s%s  %s\n", ctl_style_begin (CTL_STYLE_DIM, ctl->colour), name,
          ctl_style_end (CTL_STYLE_DIM, ctl->colour), clean);
}

static void
print_time (Ctl *ctl, const char *name, guint64 time)
{
  g_autofree char *text = ctl_format_time (time);

  if (time != 0 && time != G_MAXUINT64)
    print_field (ctl, name, text);
}

static void
print_amount (Ctl *ctl, TransferJob *job)
{
  guint64 bytes = transfer_job_get_bytes_transferred (job);
  guint64 all = transfer_job_get_bytes_total (job);
  guint64 speed = transfer_job_get_bytes_per_second (job);
  g_autofree char *done = ctl_format_size (bytes);
  g_autofree char *total = ctl_format_size (all);
  g_autofree char *percent = ctl_format_percent (bytes, all);
  g_autofree char *rate = ctl_format_rate (speed);
  g_autofree char *files = g_strdup_printf ("%u of %u", transfer_job_get_files_transferred (job),
                                            transfer_job_get_files_total (job));
  g_autofree char *text = g_strdup_printf ("%s of %s (%s)%s%s", done, total, percent,
                                           speed > 0 ? ", " : "", speed > 0 ? rate : "");

  print_field (ctl, "files", files);
  print_field (ctl, "transferred", text);
}

static void
print_status (Ctl *ctl, TransferJob *job)
{
  const char *state = transfer_job_state_to_string (transfer_job_get_state (job));
  g_autoptr (GError) failure = transfer_job_dup_error (job);
  g_autofree char *note = ctl_follow_note (job, (guint64) g_get_real_time ());
  g_autofree char *name = ctl_clean_text (transfer_job_get_display_name (job));
  CtlStyle style = ctl_state_style (state);

  printf ("%s%s%s %s\n", ctl_style_begin (style, ctl->colour), ctl->unicode ? "●" : "*",
          ctl_style_end (style, ctl->colour), name);
  print_field (ctl, "id", transfer_job_get_id (job));
  if (*transfer_job_get_description (job) != '\0')
    print_field (ctl, "description", transfer_job_get_description (job));
  print_field (ctl, "type", transfer_job_type_to_string (transfer_job_get_job_type (job)));
  print_field (ctl, "state", state);
  if (failure != NULL && g_str_equal (failure->message, transfer_job_get_status_text (job)))
    ; /* stands below */
  else if (*transfer_job_get_status_text (job) != '\0' &&
           !g_str_equal (transfer_job_get_status_text (job), state))
    print_field (ctl, "doing", transfer_job_get_status_text (job));
  else if (note != NULL && !g_str_equal (note, state))
    print_field (ctl, "waiting", note);
  print_field (ctl, "priority", transfer_priority_to_string (transfer_job_get_priority (job)));
  print_amount (ctl, job);
  if (failure != NULL)
    print_field (ctl, "error", failure->message);
  if (transfer_job_get_state (job) == TRANSFER_JOB_STATE_TRANSIENT_ERROR)
    print_time (ctl, "next try", transfer_job_get_next_retry_time (job));
  print_time (ctl, "created", transfer_job_get_creation_time (job));
}

static void
print_tombstone (Ctl *ctl, const char *id, GVariant *row)
{
  const char *result = "unknown", *name = "", *failure = "";
  guint64 ended = 0;
  guint32 kept = 0, discarded = 0;
  g_autofree char *clean = NULL;
  g_autofree char *files = NULL;

  g_variant_lookup (row, "result", "&s", &result);
  g_variant_lookup (row, "display-name", "&s", &name);
  g_variant_lookup (row, "error", "&s", &failure);
  g_variant_lookup (row, "ended", "t", &ended);
  g_variant_lookup (row, "kept-count", "u", &kept);
  g_variant_lookup (row, "discarded-count", "u", &discarded);
  clean = ctl_clean_text (name);
  files = g_strdup_printf ("%u kept, %u discarded", kept, discarded);
  printf ("%s%s%s %s\n", ctl_style_begin (ctl_state_style (result), ctl->colour),
          ctl->unicode ? "○" : "-", ctl_style_end (ctl_state_style (result), ctl->colour), clean);
  print_field (ctl, "id", id);
  print_field (ctl, "over", result);
  print_time (ctl, "ended", ended);
  print_field (ctl, "files", files);
  if (*failure != '\0')
    print_field (ctl, "error", ctl_error_name (failure));
}

/* A job that is over is not found any more, but for a while it is known how it ended. */
static int
status_of_ended (Ctl *ctl, const char *name, GError *error)
{
  g_autofree char *id = NULL;
  g_autoptr (GVariant) row = NULL;

  if (g_error_matches (error, TRANSFER_ERROR, TRANSFER_ERROR_NOT_FOUND))
    row = ctl_find_tombstone (ctl, name, &id);
  if (row == NULL)
    return ctl_fail_error (ctl, NULL, error);
  g_error_free (error);
  if (ctl->json)
    ctl_print_json (g_variant_new ("(s@a{sv})", id, row));
  else
    print_tombstone (ctl, id, row);
  return CTL_OK;
}

int
ctl_run_status (Ctl *ctl, int n, char **arguments)
{
  int status = CTL_OK;

  for (int i = 0; i < n; i++)
    {
      GError *error = NULL;
      g_autoptr (TransferJob) job = ctl_find_job (ctl, arguments[i], &error);

      if (i > 0 && !ctl->json)
        putchar ('\n');
      if (job == NULL)
        {
          int ended = status_of_ended (ctl, arguments[i], error);

          status = MAX (status, ended);
        }
      else if (ctl->json)
        {
          g_autoptr (GVariant) values = transfer_job_dup_values (job);

          ctl_print_json (values);
        }
      else
        print_status (ctl, job);
    }
  return status;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* The properties of @values that were asked for, by name; NULL when one is not known. */
static GPtrArray *
pick_names (Ctl *ctl, GVariant *values)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GVariantIter iter;
  const char *name;

  if (options.properties == NULL)
    {
      g_variant_iter_init (&iter, values);
      while (g_variant_iter_next (&iter, "{&sv}", &name, NULL))
        g_ptr_array_add (names, g_strdup (name));
      g_ptr_array_sort (names, compare_names);
    }
  for (guint i = 0; options.properties != NULL && options.properties[i] != NULL; i++)
    {
      const char *known = ctl_property_name (options.properties[i]);
      g_autoptr (GVariant) value = NULL;

      name = known != NULL ? known : options.properties[i];
      value = g_variant_lookup_value (values, name, NULL);
      if (value == NULL)
        {
          ctl_fail (ctl, "there is no property ‘%s’", name);
          return NULL;
        }
      g_ptr_array_add (names, g_strdup (name));
    }
  return g_steal_pointer (&names);
}

static void
show_as_json (GPtrArray *names, GVariant *values)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autoptr (GVariant) value = g_variant_lookup_value (values, name, NULL);

      g_variant_builder_add (&builder, "{sv}", name, value);
    }
  ctl_print_json (g_variant_builder_end (&builder));
}

int
ctl_run_show (Ctl *ctl, int n, char **arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TransferJob) job = ctl_find_job (ctl, arguments[0], &error);
  g_autoptr (GVariant) values = NULL;
  g_autoptr (GPtrArray) names = NULL;

  (void) n;
  if (job == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  values = transfer_job_dup_values (job);
  names = pick_names (ctl, values);
  if (names == NULL)
    return CTL_FAILED;
  if (ctl->json)
    {
      show_as_json (names, values);
      return CTL_OK;
    }
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autoptr (GVariant) value = g_variant_lookup_value (values, name, NULL);
      g_autofree char *text = ctl_format_value (value);
      g_autofree char *clean = ctl_clean_text (text);

      if (options.value)
        puts (clean);
      else
        printf ("%s=%s\n", name, clean);
    }
  return CTL_OK;
}
