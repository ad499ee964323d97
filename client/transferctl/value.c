/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Value: job properties as they are written on the command line. */
#include "config.h"
#include "client/transferctl/value.h"

#include <string.h>

#include "client/transferctl/ctl.h"
#include "client/transferctl/format.h"

/* Whether @name and @property are the same word but for case and dashes. */
static gboolean
is_same_word (const char *name, const char *property)
{
  for (; *name != '\0'; name++)
    {
      if (*name == '-' || *name == '_')
        continue;
      if (g_ascii_tolower (*name) != g_ascii_tolower (*property))
        return FALSE;
      property++;
    }
  return *property == '\0';
}

const char *
ctl_property_name (const char *name)
{
  g_autofree const char **all = transfer_job_list_properties ();

  for (guint i = 0; all[i] != NULL; i++)
    if (is_same_word (name, all[i]))
      return all[i];
  return NULL;
}

static gboolean
is_duration (const char *name)
{
  return g_str_has_suffix (name, "Delay") || g_str_has_suffix (name, "Timeout") ||
         g_str_has_suffix (name, "Time") || g_str_has_suffix (name, "Interval");
}

static GVariant *
parse_boolean (const char *text)
{
  static const char *const yes[] = { "yes", "true", "on", "1" };
  static const char *const no[] = { "no", "false", "off", "0" };

  for (guint i = 0; i < G_N_ELEMENTS (yes); i++)
    {
      if (g_ascii_strcasecmp (text, yes[i]) == 0)
        return g_variant_new_boolean (TRUE);
      if (g_ascii_strcasecmp (text, no[i]) == 0)
        return g_variant_new_boolean (FALSE);
    }
  return NULL;
}

/* "Name: value" lines, separated by newlines. */
static GVariant *
parse_headers (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ss)"));

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *colon = strchr (lines[i], ':');

      if (*g_strstrip (lines[i]) == '\0')
        continue;
      if (colon == NULL || colon == lines[i])
        return NULL;
      *colon = '\0';
      g_variant_builder_add (&builder, "(ss)", g_strstrip (lines[i]), g_strstrip (colon + 1));
    }
  return g_variant_builder_end (&builder);
}

static GVariant *
parse_list (const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  for (guint i = 0; words[i] != NULL; i++)
    g_strstrip (words[i]);
  if (words[0] != NULL && words[1] == NULL && *words[0] == '\0')
    return g_variant_new_strv (NULL, 0);
  return g_variant_new_strv ((const char *const *) words, -1);
}

static GVariant *
parse_as (const char *name, const char *signature, const char *text, GError **error)
{
  guint64 number;

  if (g_str_equal (signature, "s"))
    return g_utf8_validate (text, -1, NULL) ? g_variant_new_string (text) : NULL;
  if (g_str_equal (signature, "b"))
    return parse_boolean (text);
  if (g_str_equal (signature, "t"))
    return (is_duration (name) ? ctl_parse_duration (text, &number)
                               : ctl_parse_size (text, &number))
               ? g_variant_new_uint64 (number)
               : NULL;
  if (g_str_equal (signature, "u"))
    return g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &number, NULL)
               ? g_variant_new_uint32 ((guint32) number)
               : NULL;
  if (g_str_equal (signature, "as"))
    return parse_list (text);
  if (g_str_equal (signature, "a(ss)"))
    return parse_headers (text);
  return g_variant_parse (G_VARIANT_TYPE (signature), text, NULL, NULL, error);
}

GVariant *
ctl_property_parse (const char *name, const char *text, GError **error)
{
  const char *signature = transfer_job_property_get_signature (name);
  g_autoptr (GError) why = NULL;
  GVariant *value = parse_as (name, signature, text, &why);

  if (value == NULL)
    g_set_error (error, TRANSFER_ERROR, TRANSFER_ERROR_INVALID_ARGS, "‘%s’ is no value for %s%s%s",
                 text, name, why != NULL ? ": " : "", why != NULL ? why->message : "");
  return value != NULL ? g_variant_take_ref (value) : NULL;
}

gboolean
ctl_property_assign (GVariantDict *properties, const char *assignment, GError **error)
{
  const char *sign = strchr (assignment, '=');
  g_autofree char *said = NULL;
  const char *name;
  g_autoptr (GVariant) value = NULL;

  if (sign == NULL)
    {
      g_set_error (error, TRANSFER_ERROR, TRANSFER_ERROR_INVALID_ARGS,
                   "‘%s’ is not of the form NAME=VALUE", assignment);
      return FALSE;
    }
  said = g_strndup (assignment, (gsize) (sign - assignment));
  name = ctl_property_name (said);
  if (name == NULL)
    {
      g_set_error (error, TRANSFER_ERROR, TRANSFER_ERROR_INVALID_ARGS,
                   "there is no property ‘%s’ that can be set", said);
      return FALSE;
    }
  value = ctl_property_parse (name, sign + 1, error);
  if (value == NULL)
    return FALSE;
  g_variant_dict_insert_value (properties, name, value);
  return TRUE;
}
