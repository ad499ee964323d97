/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
#include "config.h"

#include "worker/lane-head.h"

#include "common/http.h"

#include <string.h>

void
tfd_lane_head_clear (TfdLaneHead *head)
{
  g_clear_pointer (&head->reason, g_free);
  g_clear_pointer (&head->headers, soup_message_headers_unref);
  *head = (TfdLaneHead){ 0 };
}

/* Two lengths are none, also where they are the same: libsoup knows what to make of them. */
gboolean
tfd_lane_head_is_ordinary (SoupMessageHeaders *headers, guint64 *length)
{
  const char *text = soup_message_headers_get_list (headers, "Content-Length");

  *length = 0;
  return soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH &&
         soup_message_headers_get_one (headers, "Transfer-Encoding") == NULL &&
         soup_message_headers_get_one (headers, "Upgrade") == NULL && text != NULL &&
         tfd_http_parse_length (text, length);
}

gboolean
tfd_lane_head_stays_open (SoupMessageHeaders *headers, SoupHTTPVersion version)
{
  const char *connection = soup_message_headers_get_list (headers, "Connection");

  return version == SOUP_HTTP_1_1 &&
         (connection == NULL || !soup_header_contains (connection, "close"));
}

/* The length of the head, if all of it is there, else 0; @fields: without the empty line that ends
 * it. As libsoup has it, lines may end without a carriage return. */
static gsize
find_end (const guint8 *data, gsize size, gsize *fields)
{
  const guint8 *end = data + size, *at = data;

  while (at < end && (at = memchr (at, '\n', (gsize) (end - at))) != NULL)
    {
      at++;
      *fields = (gsize) (at - data);
      if (at < end && *at == '\n')
        return *fields + 1;
      if (at + 1 < end && at[0] == '\r' && at[1] == '\n')
        return *fields + 2;
    }

  return 0;
}

TfdLaneHeadState
tfd_lane_head_parse (const guint8 *data, gsize size, TfdLaneHead *head)
{
  gsize fields, length = find_end (data, size, &fields);
  SoupHTTPVersion version = SOUP_HTTP_1_0;
  gboolean ordinary;

  *head = (TfdLaneHead){ 0 };
  if (length == 0 && size <= TFD_LANE_MAX_HEAD)
    return TFD_LANE_HEAD_MORE;
  if (length == 0 || length > TFD_LANE_MAX_HEAD)
    return TFD_LANE_HEAD_ODD;

  head->size = length;
  head->headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  if (!soup_headers_parse_response ((const char *) data, (int) fields, head->headers, &version,
                                    &head->status, &head->reason))
    {
      tfd_lane_head_clear (head);
      return TFD_LANE_HEAD_ODD;
    }
  ordinary = tfd_lane_head_is_ordinary (head->headers, &head->length);
  if (head->status < 200 || (!ordinary && head->status == SOUP_STATUS_OK))
    {
      tfd_lane_head_clear (head);
      return TFD_LANE_HEAD_ODD;
    }
  head->last = !ordinary || !tfd_lane_head_stays_open (head->headers, version);
  return TFD_LANE_HEAD_WHOLE;
}
