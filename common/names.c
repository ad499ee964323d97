/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Names: job ids, object paths and the names of temporaries, written and strictly read back. */
#include "config.h"

#include "common/names.h"

#include <string.h>

#define PART_PREFIX ".transferd-"
#define PART_SUFFIX ".part"

char *
tfd_job_id_new (void)
{
  g_autofree char *uuid = g_uuid_string_random ();

  return tfd_job_id_parse (uuid);
}

char *
tfd_job_id_parse (const char *id)
{
  g_return_val_if_fail (id != NULL, NULL);

  gsize length = strlen (id);
  gboolean dashed = length == TFD_JOB_ID_LENGTH + 4;
  if (length != TFD_JOB_ID_LENGTH && !dashed)
    return NULL;

  g_autofree char *result = g_malloc0 (TFD_JOB_ID_LENGTH + 1);
  gsize n = 0;
  for (gsize i = 0; i < length; i++)
    {
      if (dashed && (i == 8 || i == 13 || i == 18 || i == 23))
        {
          if (id[i] != '-')
            return NULL;
        }
      else if (g_ascii_isxdigit (id[i]))
        result[n++] = g_ascii_tolower (id[i]);
      else
        return NULL;
    }
  return g_steal_pointer (&result);
}

/* TRUE when @text begins with a job id as we write it ourselves. */
static gboolean
begins_with_id (const char *text)
{
  for (gsize i = 0; i < TFD_JOB_ID_LENGTH; i++)
    if (!g_ascii_isdigit (text[i]) && !(text[i] >= 'a' && text[i] <= 'f'))
      return FALSE;
  return TRUE;
}

char *
tfd_job_path (const char *id)
{
  return g_strconcat (TFD_JOBS_PATH "/", id, NULL);
}

char *
tfd_job_id_from_path (const char *path)
{
  g_return_val_if_fail (path != NULL, NULL);

  if (!g_str_has_prefix (path, TFD_JOBS_PATH "/"))
    return NULL;
  const char *id = path + strlen (TFD_JOBS_PATH "/");
  if (!begins_with_id (id) || id[TFD_JOB_ID_LENGTH] != '\0')
    return NULL;
  return g_strdup (id);
}

char *
tfd_part_name (const char *id, guint32 index, guint32 attempt)
{
  if (attempt == 0)
    return g_strdup_printf (PART_PREFIX "%s-%u" PART_SUFFIX, id, index);
  return g_strdup_printf (PART_PREFIX "%s-%u.%u" PART_SUFFIX, id, index, attempt);
}

/* Reads a number in the one form that we write, without leading zeros, and moves @cursor past it.
 */
static gboolean
read_number (const char **cursor, guint32 *number)
{
  const char *p = *cursor;
  guint64 value = 0;

  if (!g_ascii_isdigit (*p) || (*p == '0' && g_ascii_isdigit (p[1])))
    return FALSE;
  for (; g_ascii_isdigit (*p); p++)
    {
      value = value * 10 + (guint64) (*p - '0');
      if (value > G_MAXUINT32)
        return FALSE;
    }
  *cursor = p;
  *number = (guint32) value;
  return TRUE;
}

gboolean
tfd_part_name_parse (const char *name, char **id, guint32 *index, guint32 *attempt)
{
  g_return_val_if_fail (name != NULL, FALSE);

  if (!g_str_has_prefix (name, PART_PREFIX))
    return FALSE;
  const char *start = name + strlen (PART_PREFIX);
  if (!begins_with_id (start) || start[TFD_JOB_ID_LENGTH] != '-')
    return FALSE;

  const char *cursor = start + TFD_JOB_ID_LENGTH + 1;
  guint32 read_index = 0;
  guint32 read_attempt = 0;
  if (!read_number (&cursor, &read_index))
    return FALSE;
  if (cursor[0] == '.' && g_ascii_isdigit (cursor[1]))
    {
      cursor++;
      if (!read_number (&cursor, &read_attempt) || read_attempt == 0)
        return FALSE;
    }
  if (!g_str_equal (cursor, PART_SUFFIX))
    return FALSE;

  if (id != NULL)
    *id = g_strndup (start, TFD_JOB_ID_LENGTH);
  if (index != NULL)
    *index = read_index;
  if (attempt != NULL)
    *attempt = read_attempt;
  return TRUE;
}
