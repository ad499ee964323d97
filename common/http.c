/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* HTTP: what the header fields of an answer say about its bytes, and whether to believe it. */
#include "config.h"

#include "common/http.h"

#include "common/names.h"

#include <string.h>

/* Reads digits, nothing else, up to what a file offset can hold, and moves @cursor past them. */
static gboolean
read_number (const char **cursor, guint64 *number)
{
  const char *p = *cursor;
  guint64 value = 0;

  if (!g_ascii_isdigit (*p))
    return FALSE;
  for (; g_ascii_isdigit (*p); p++)
    {
      guint64 digit = (guint64) (*p - '0');
      if (value > (G_MAXINT64 - digit) / 10)
        return FALSE;
      value = value * 10 + digit;
    }
  *cursor = p;
  *number = value;
  return TRUE;
}

gboolean
tfd_http_parse_length (const char *value, guint64 *length)
{
  g_return_val_if_fail (value != NULL, FALSE);

  guint64 number = 0;
  if (!read_number (&value, &number) || *value != '\0')
    return FALSE;
  if (length != NULL)
    *length = number;
  return TRUE;
}

gboolean
tfd_http_is_same_in_all (const char *list, const char *value)
{
  g_return_val_if_fail (list != NULL, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);

  if (strchr (list, ',') == NULL)
    return g_str_equal (list, value);

  g_auto (GStrv) values = g_strsplit (list, ",", -1);
  for (char **one = values; *one != NULL; one++)
    if (!g_str_equal (g_strstrip (*one), value))
      return FALSE;
  return TRUE;
}

gboolean
tfd_http_parse_content_range (const char *value, TfdContentRange *range)
{
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (range != NULL, FALSE);

  TfdContentRange found = { .total = TFD_SIZE_UNKNOWN };
  if (g_ascii_strncasecmp (value, "bytes ", 6) != 0)
    return FALSE;
  const char *cursor = value + 6;
  if (*cursor == '*')
    cursor++;
  else
    {
      found.satisfied = TRUE;
      if (!read_number (&cursor, &found.first) || *cursor++ != '-' ||
          !read_number (&cursor, &found.last) || found.last < found.first)
        return FALSE;
    }
  if (*cursor++ != '/')
    return FALSE;
  if (found.satisfied && g_str_equal (cursor, "*"))
    {
      *range = found;
      return TRUE;
    }
  if (!read_number (&cursor, &found.total) || *cursor != '\0')
    return FALSE;
  if (found.satisfied && found.last >= found.total)
    return FALSE;
  *range = found;
  return TRUE;
}

/* RFC 9110 8.8.3: DQUOTE, visible characters or bytes above 127, DQUOTE. */
static gboolean
is_strong_etag (const char *etag)
{
  gsize length = etag != NULL ? strlen (etag) : 0;

  if (length < 2 || etag[0] != '"' || etag[length - 1] != '"')
    return FALSE;
  for (gsize i = 1; i < length - 1; i++)
    {
      guchar c = (guchar) etag[i];
      if (c < 0x21 || c == '"' || c == 0x7f)
        return FALSE;
    }
  return TRUE;
}

char *
tfd_http_choose_validator (const char *etag, const char *last_modified, const char *date)
{
  if (is_strong_etag (etag))
    return g_strdup (etag);

  gint64 modified = 0;
  gint64 now = 0;
  if (last_modified == NULL || date == NULL || !tfd_http_parse_date (last_modified, &modified) ||
      !tfd_http_parse_date (date, &now))
    return NULL;
  return now - modified >= G_USEC_PER_SEC ? g_strdup (last_modified) : NULL;
}

/* Entity tags are compared as they stand, the mark of weak ones included; dates by their time, as
 * servers behind one name may write them differently. */
static gboolean
is_another_file (const TfdKnown *known, const TfdAnswer *answer)
{
  if (known->etag != NULL && answer->etag != NULL && !g_str_equal (known->etag, answer->etag))
    return TRUE;
  if (known->last_modified == NULL || answer->last_modified == NULL)
    return FALSE;

  gint64 before = 0;
  gint64 after = 0;
  if (tfd_http_parse_date (known->last_modified, &before) &&
      tfd_http_parse_date (answer->last_modified, &after))
    return before != after;
  return !g_str_equal (known->last_modified, answer->last_modified);
}

/* Without any of them nothing says that both parts would be of one file. */
static gboolean
has_validator (const TfdKnown *known)
{
  return is_strong_etag (known->etag) || known->last_modified != NULL;
}

static gboolean
is_coded (const TfdAnswer *answer)
{
  const char *coding = answer->content_encoding;

  return coding != NULL && coding[0] != '\0' && g_ascii_strcasecmp (coding, "identity") != 0;
}

static TfdAnswerKind
judge_whole (const TfdAnswer *answer, guint64 *total, const char **reason)
{
  guint64 length = TFD_SIZE_UNKNOWN;

  if (is_coded (answer))
    {
      *reason = "the body has a content coding, which was not asked for";
      return TFD_ANSWER_INVALID;
    }
  if (answer->content_length != NULL && !tfd_http_parse_length (answer->content_length, &length))
    {
      *reason = "Content-Length is not a length";
      return TFD_ANSWER_INVALID;
    }
  *total = length;
  *reason = "the whole file follows";
  return TFD_ANSWER_WHOLE;
}

/* The part of judge_part () that proves the server wrong: NULL = nothing of that kind. */
static const char *
find_fault (const TfdKnown *known, const TfdAnswer *answer, TfdContentRange *range)
{
  guint64 length = 0;

  if (known->offset == 0)
    return "status 206, but no range was asked for";
  if (is_coded (answer))
    return "the body has a content coding, which was not asked for";
  if (answer->content_range == NULL)
    return "status 206 without Content-Range";
  if (!tfd_http_parse_content_range (answer->content_range, range))
    return "Content-Range is malformed";
  if (!range->satisfied)
    return "status 206, but Content-Range says that there is no such range";
  if (range->first != known->offset)
    return "Content-Range begins elsewhere than asked for";
  if (answer->content_length == NULL)
    return NULL;
  if (!tfd_http_parse_length (answer->content_length, &length))
    return "Content-Length is not a length";
  if (length != range->last - range->first + 1)
    return "Content-Length and Content-Range contradict each other";
  return NULL;
}

/* A range that ends before the end of the file is as good as one that does not: the caller asks
 * for the rest. */
static TfdAnswerKind
judge_part (const TfdKnown *known, const TfdAnswer *answer, guint64 *total, const char **reason)
{
  TfdContentRange range = { 0 };

  *reason = find_fault (known, answer, &range);
  if (*reason != NULL)
    return TFD_ANSWER_INVALID;
  if (is_another_file (known, answer))
    {
      *reason = "the remote file changed: its validators differ";
      return TFD_ANSWER_RESTART;
    }
  if (!has_validator (known))
    {
      *reason = "nothing proves that the remote file did not change";
      return TFD_ANSWER_RESTART;
    }
  if (known->total != TFD_SIZE_UNKNOWN &&
      (range.last >= known->total ||
       (range.total != TFD_SIZE_UNKNOWN && range.total != known->total)))
    {
      *reason = "the remote file changed: its size differs";
      return TFD_ANSWER_RESTART;
    }
  if (range.total != TFD_SIZE_UNKNOWN)
    *total = range.total;
  *reason = "the rest of the file follows";
  return TFD_ANSWER_APPEND;
}

/* An answer 416 to a request without a range is an error like any other. */
static TfdAnswerKind
judge_unsatisfied (const TfdKnown *known,
                   const TfdAnswer *answer,
                   guint64 *total,
                   const char **reason)
{
  TfdContentRange range = { 0 };

  if (known->offset == 0)
    {
      *reason = "status 416, but no range was asked for";
      return TFD_ANSWER_STATUS;
    }
  gboolean readable = answer->content_range != NULL &&
                      tfd_http_parse_content_range (answer->content_range, &range) &&
                      !range.satisfied;
  if (!readable || range.total != known->offset ||
      (known->total != TFD_SIZE_UNKNOWN && known->total != range.total) ||
      is_another_file (known, answer) || !has_validator (known))
    {
      *reason = "the remote file is not the one that was begun";
      return TFD_ANSWER_RESTART;
    }
  *total = range.total;
  *reason = "the file is complete";
  return TFD_ANSWER_DONE;
}

TfdAnswerKind
tfd_http_judge (const TfdKnown *known, const TfdAnswer *answer, guint64 *total, const char **reason)
{
  g_return_val_if_fail (known != NULL, TFD_ANSWER_INVALID);
  g_return_val_if_fail (answer != NULL, TFD_ANSWER_INVALID);

  guint64 size = known->total;
  const char *why = NULL;
  TfdAnswerKind kind = TFD_ANSWER_STATUS;

  if (answer->status == 200)
    kind = judge_whole (answer, &size, &why);
  else if (answer->status == 206)
    kind = judge_part (known, answer, &size, &why);
  else if (answer->status == 416)
    kind = judge_unsatisfied (known, answer, &size, &why);
  else
    why = "the answer brings no data";

  if (total != NULL)
    *total = size;
  if (reason != NULL)
    *reason = why;
  return kind;
}
