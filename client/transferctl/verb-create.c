/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* create, add: jobs made by hand. */
#include "config.h"
#include "client/transferctl/ctl.h"

#include <stdio.h>
#include <string.h>

#include "client/transferctl/target.h"
#include "client/transferctl/value.h"

static struct
{
  char *type;
  char **properties;
  char *digest;
  char *mode;
  char *from;
} options;

const GOptionEntry *
ctl_options_create (void)
{
  static const GOptionEntry entries[] = {
    { "type", 't', 0, G_OPTION_ARG_STRING, &options.type,
      "download (default), upload or upload-reply", "TYPE" },
    { "property", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &options.properties,
      "Property of the job; may be repeated", "NAME=VALUE" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

const GOptionEntry *
ctl_options_add (void)
{
  static const GOptionEntry entries[] = {
    { "digest", 'd', 0, G_OPTION_ARG_STRING, &options.digest,
      "What the file must be, e.g. sha256:HEX", "DIGEST" },
    { "mode", 'm', 0, G_OPTION_ARG_STRING, &options.mode, "Permissions of the file", "OCTAL" },
    { "from", 0, 0, G_OPTION_ARG_FILENAME, &options.from,
      "Read lines of URL and FILE, separated by a tab or blanks; - is the standard input", "LIST" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  return entries;
}

static gboolean
read_type (const char *text, TransferJobType *type)
{
  GEnumClass *types = g_type_class_ref (TRANSFER_TYPE_JOB_TYPE);
  GEnumValue *value = g_enum_get_value_by_nick (types, text);

  if (value != NULL)
    *type = value->value;
  g_type_class_unref (types);
  return value != NULL && *type != TRANSFER_JOB_TYPE_UNKNOWN;
}

int
ctl_run_create (Ctl *ctl, int n, char **arguments)
{
  TransferJobType type = TRANSFER_JOB_TYPE_DOWNLOAD;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TransferJob) job = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  (void) n;
  if (options.type != NULL && !read_type (options.type, &type))
    return ctl_fail_usage (ctl, "there is no type of job ‘%s’", options.type);
  for (guint i = 0; options.properties != NULL && options.properties[i] != NULL; i++)
    if (!ctl_property_assign (&dict, options.properties[i], &error))
      return ctl_fail_usage (ctl, "%s", error->message);
  transfer_client_create_job_async (ctl->client, arguments[0], type, g_variant_dict_end (&dict),
                                    NULL, ctl_async_cb, &result);
  ctl_await (&result);
  job = transfer_client_create_job_finish (ctl->client, result, &error);
  if (job == NULL)
    return ctl_fail_error (ctl, arguments[0], g_steal_pointer (&error));
  if (ctl->json)
    ctl_print_json (g_variant_new_parsed ("{'id': %s}", transfer_job_get_id (job)));
  else
    puts (transfer_job_get_id (job));
  return CTL_OK;
}

/* The options of each file, from the command line. */
static GVariant *
file_options (GError **error)
{
  GVariantDict dict;
  guint64 mode;

  g_variant_dict_init (&dict, NULL);
  if (options.digest != NULL)
    g_variant_dict_insert (&dict, "digest", "s", options.digest);
  if (options.mode != NULL)
    {
      if (!g_ascii_string_to_unsigned (options.mode, 8, 0, 07777, &mode, error))
        {
          g_variant_dict_clear (&dict);
          return NULL;
        }
      g_variant_dict_insert (&dict, "mode", "u", (guint32) mode);
    }
  return g_variant_dict_end (&dict);
}

static gboolean
add_entry (GVariantBuilder *files, const char *url, const char *said, GError **error)
{
  g_autofree char *path = ctl_target_path (url, said, error);
  GVariant *given = path != NULL ? file_options (error) : NULL;

  if (given == NULL)
    return FALSE;
  g_variant_builder_add_value (files, transfer_file_entry (url, path, given));
  return TRUE;
}

/* Adds the files that lines of @text say; empty lines and lines that begin with # do not count. */
static gboolean
add_lines (GVariantBuilder *files, char *text, GError **error)
{
  guint number = 0;
  char *next;

  for (char *line = text; line != NULL; line = next)
    {
      gsize length;

      number++;
      next = strchr (line, '\n');
      if (next != NULL)
        *next++ = '\0';
      g_strstrip (line);
      if (*line == '\0' || *line == '#')
        continue;
      length = strcspn (line, "\t ");
      g_autofree char *url = g_strndup (line, length);
      const char *said = line + length + strspn (line + length, "\t ");
      if (!add_entry (files, url, *said != '\0' ? said : NULL, error))
        {
          g_prefix_error (error, "line %u: ", number);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
add_list (GVariantBuilder *files, GError **error)
{
  g_autofree char *text = NULL;

  if (!g_str_equal (options.from, "-"))
    return g_file_get_contents (options.from, &text, NULL, error) && add_lines (files, text, error);

  g_autoptr (GIOChannel) input = g_io_channel_unix_new (0);
  g_io_channel_set_encoding (input, NULL, NULL);
  return g_io_channel_read_to_end (input, &text, NULL, error) == G_IO_STATUS_NORMAL &&
         add_lines (files, text, error);
}

int
ctl_run_add (Ctl *ctl, int n, char **arguments)
{
  g_auto (GVariantBuilder) files = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ssa{sv})"));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TransferJob) job = NULL;
  g_autoptr (GError) error = NULL;
  gboolean read;
  guint first;

  if ((options.from != NULL) != (n == 1))
    return ctl_fail_usage (ctl, "say either a URL or --from");
  if (options.from != NULL)
    read = add_list (&files, &error);
  else
    read = add_entry (&files, arguments[1], n > 2 ? arguments[2] : NULL, &error);
  if (!read)
    return ctl_fail (ctl, "%s", error->message);
  job = ctl_find_job (ctl, arguments[0], &error);
  if (job == NULL)
    return ctl_fail_error (ctl, NULL, g_steal_pointer (&error));
  transfer_job_add_files_async (job, g_variant_builder_end (&files), NULL, ctl_async_cb, &result);
  ctl_await (&result);
  if (!transfer_job_add_files_finish (job, result, &first, &error))
    return ctl_fail_error (ctl, n > 1 ? arguments[1] : NULL, g_steal_pointer (&error));
  if (ctl->json)
    ctl_print_json (g_variant_new_parsed ("{'first': %u}", first));
  return CTL_OK;
}
