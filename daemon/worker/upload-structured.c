/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload fields: structured fields (RFC 8941), as far as uploads have them. */
#include "config.h"
#include "worker/upload-fields.h"

#include <string.h>

#define MAXIMUM_DIGITS 15 /* of an integer */

/* Section 4.2. Each reader moves the cursor past what it took. */

static void
skip_blanks (const char **cursor)
{
  while (**cursor == ' ')
    (*cursor)++;
}

/* What is allowed between the members of a list. */
static void
skip_spaces (const char **cursor)
{
  while (**cursor == ' ' || **cursor == '\t')
    (*cursor)++;
}

static gboolean
skip_key (const char **cursor)
{
  const char *p = *cursor;

  if (!g_ascii_islower (*p) && *p != '*')
    return FALSE;
  while (g_ascii_islower (*p) || g_ascii_isdigit (*p) || (*p != '\0' && strchr ("_-.*", *p)))
    p++;
  *cursor = p;
  return TRUE;
}

static gboolean
skip_string (const char **cursor)
{
  const char *p = *cursor + 1;

  for (; *p != '"'; p++)
    {
      if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
        p++;
      else if (*p == '\\' || *p < 0x20 || *p > 0x7e)
        return FALSE;
    }
  *cursor = p + 1;
  return TRUE;
}

static gboolean
skip_bytes (const char **cursor)
{
  const char *p = *cursor + 1;

  while (g_ascii_isalnum (*p) || *p == '+' || *p == '/' || *p == '=')
    p++;
  if (*p != ':')
    return FALSE;
  *cursor = p + 1;
  return TRUE;
}

/* An integer or a decimal; *number is set for integers that are not negative. */
static gboolean
read_number (const char **cursor, gboolean *natural, guint64 *number)
{
  const char *p = *cursor;
  gboolean negative = *p == '-';
  guint64 value = 0;
  guint digits = 0;

  if (negative)
    p++;
  for (; g_ascii_isdigit (*p) && digits <= MAXIMUM_DIGITS; p++, digits++)
    value = value * 10 + (guint64) (*p - '0');
  if (digits == 0 || digits > MAXIMUM_DIGITS)
    return FALSE;
  *natural = !negative && *p != '.';
  *number = value;
  if (*p == '.')
    {
      const char *fraction = ++p;
      while (g_ascii_isdigit (*p))
        p++;
      if (digits > 12 || p == fraction || p - fraction > 3)
        return FALSE;
    }
  *cursor = p;
  return TRUE;
}

static gboolean
skip_token (const char **cursor)
{
  const char *p = *cursor + 1;

  while (g_ascii_isalnum (*p) || (*p != '\0' && strchr ("!#$%&'*+-.^_`|~:/", *p)))
    p++;
  *cursor = p;
  return TRUE;
}

typedef enum
{
  ITEM_NATURAL, /* an integer, not negative */
  ITEM_BOOLEAN,
  ITEM_BYTES,
  ITEM_OTHER,
} ItemKind;

typedef struct
{
  ItemKind kind;
  guint64 number;    /* NATURAL; BOOLEAN: 0 or 1 */
  const char *bytes; /* BYTES: base64, not terminated */
  gsize length;
} Item;

static gboolean
read_bare_item (const char **cursor, Item *item)
{
  const char *start = *cursor;
  gboolean natural = FALSE;

  *item = (Item){ .kind = ITEM_OTHER };
  if (g_ascii_isdigit (*start) || *start == '-')
    {
      if (!read_number (cursor, &natural, &item->number))
        return FALSE;
      item->kind = natural ? ITEM_NATURAL : ITEM_OTHER;
      return TRUE;
    }
  if (*start == '"')
    return skip_string (cursor);
  if (*start == ':')
    {
      item->kind = ITEM_BYTES;
      item->bytes = start + 1;
      if (!skip_bytes (cursor))
        return FALSE;
      item->length = (gsize) (*cursor - start) - 2;
      return TRUE;
    }
  if (*start == '?')
    {
      item->kind = ITEM_BOOLEAN;
      item->number = start[1] == '1';
      *cursor += 2;
      return start[1] == '0' || start[1] == '1';
    }
  return (g_ascii_isalpha (*start) || *start == '*') && skip_token (cursor);
}

static gboolean
skip_parameters (const char **cursor)
{
  while (**cursor == ';')
    {
      Item item;

      (*cursor)++;
      skip_blanks (cursor);
      if (!skip_key (cursor))
        return FALSE;
      if (**cursor == '=')
        {
          (*cursor)++;
          if (!read_bare_item (cursor, &item))
            return FALSE;
        }
    }
  return TRUE;
}

static gboolean
read_item (const char **cursor, Item *item)
{
  return read_bare_item (cursor, item) && skip_parameters (cursor);
}

static gboolean
skip_inner_list (const char **cursor)
{
  Item item;

  (*cursor)++;
  for (;;)
    {
      skip_blanks (cursor);
      if (**cursor == ')')
        break;
      if (!read_item (cursor, &item) || (**cursor != ' ' && **cursor != ')'))
        return FALSE;
    }
  (*cursor)++;
  return skip_parameters (cursor);
}

/* The field as one item; FALSE when it is none, or of another kind. */
static gboolean
parse_item (const char *value, ItemKind kind, guint64 *number)
{
  Item item;

  skip_blanks (&value);
  if (!read_item (&value, &item))
    return FALSE;
  skip_blanks (&value);
  if (*value != '\0' || item.kind != kind)
    return FALSE;
  *number = item.number;
  return TRUE;
}

gboolean
tfd_field_parse_integer (const char *value, guint64 *number)
{
  return value != NULL && parse_item (value, ITEM_NATURAL, number);
}

gboolean
tfd_field_parse_boolean (const char *value, gboolean *yes)
{
  guint64 number = 0;

  if (value == NULL || !parse_item (value, ITEM_BOOLEAN, &number))
    return FALSE;
  *yes = number == 1;
  return TRUE;
}

/* Calls @member for each member; FALSE when the field is no dictionary, or a member is refused. */
static gboolean
parse_dictionary (
    const char *value,
    gboolean (*member) (const char *key, gsize length, const Item *item, gpointer data),
    gpointer data)
{
  skip_blanks (&value);
  while (*value != '\0')
    {
      const char *key = value;
      Item item = { .kind = ITEM_BOOLEAN, .number = 1 };

      if (!skip_key (&value))
        return FALSE;
      gsize length = (gsize) (value - key);
      if (*value != '=')
        {
          if (!skip_parameters (&value))
            return FALSE;
        }
      else if (*++value == '(')
        {
          item.kind = ITEM_OTHER;
          if (!skip_inner_list (&value))
            return FALSE;
        }
      else if (!read_item (&value, &item))
        return FALSE;
      if (!member (key, length, &item, data))
        return FALSE;
      skip_spaces (&value);
      if (*value == '\0')
        return TRUE;
      if (*value++ != ',')
        return FALSE;
      skip_spaces (&value);
      if (*value == '\0') /* a comma at the end */
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_key (const char *key, gsize length, const char *name)
{
  return strlen (name) == length && strncmp (key, name, length) == 0;
}

/* All members that are known have integers; one that has not spoils the field. */
static gboolean
take_limit (const char *key, gsize length, const Item *item, gpointer data)
{
  static const char *const known[] = { "max-size", "min-size", "max-append-size", "min-append-size",
                                       "max-age" };
  TfdUploadLimits *limits = data;

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (is_key (key, length, known[i]) && item->kind != ITEM_NATURAL)
      return FALSE;
  if (is_key (key, length, "max-size"))
    limits->max_size = item->number;
  else if (is_key (key, length, "max-append-size"))
    limits->max_append_size = item->number;
  else if (is_key (key, length, "min-append-size"))
    limits->min_append_size = item->number;
  return TRUE;
}

gboolean
tfd_field_parse_limits (const char *value, TfdUploadLimits *limits)
{
  TfdUploadLimits found = { 0 };

  if (value == NULL || !parse_dictionary (value, take_limit, &found))
    return FALSE;
  *limits = found;
  return TRUE;
}

static gboolean
take_digest (const char *key, gsize length, const Item *item, gpointer data)
{
  char **digest = data;

  if (is_key (key, length, "sha-256") && item->kind == ITEM_BYTES)
    {
      g_free (*digest);
      *digest = g_strndup (item->bytes, item->length);
    }
  return TRUE;
}

char *
tfd_field_parse_digest (const char *value)
{
  g_autofree char *digest = NULL;

  if (value == NULL || !parse_dictionary (value, take_digest, &digest))
    return NULL;
  return g_steal_pointer (&digest);
}
