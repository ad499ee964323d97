/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: the readers of header fields by which servers answer uploads. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/url.h"
#include "worker/upload-fields.h"

#include <string.h>

#define MOST G_GUINT64_CONSTANT (999999999999999)

static void
check_structured (const char *text)
{
  TfdUploadLimits limits = { 0 };
  guint64 number = 0;
  gboolean yes = FALSE;

  if (tfd_field_parse_integer (text, &number))
    {
      fuzz_check (number <= MOST);
      fuzz_check (!tfd_field_parse_boolean (text, &yes));
    }
  if (tfd_field_parse_boolean (text, &yes))
    fuzz_check (yes == TRUE || yes == FALSE);
  if (tfd_field_parse_limits (text, &limits))
    fuzz_check (limits.max_size <= MOST && limits.max_append_size <= MOST);

  g_autofree char *digest = tfd_field_parse_digest (text);
  for (const char *p = digest; p != NULL && *p != '\0'; p++)
    fuzz_check (g_ascii_isalnum (*p) || strchr ("+/=", *p) != NULL);
}

static void
check_bits (const char *text)
{
  guint32 code = 0;

  if (tfd_field_parse_hex (text, &code))
    fuzz_check (strlen (text) >= 3 && strlen (text) <= 10);
  if (tfd_field_is_session (text))
    fuzz_check (strlen (text) <= 100 && strpbrk (text, " \r\n") == NULL);

  /* a host takes the place of another: the rest of the URL stays */
  g_autofree char *url = tfd_field_replace_host ("https://server:8080/a/b?c", text);
  if (url != NULL)
    {
      fuzz_check (tfd_url_check (url, NULL));
      fuzz_check (g_str_has_prefix (url, "https://"));
      fuzz_check (g_str_has_suffix (url, "/a/b?c"));
      fuzz_check (strchr (url + 8, '/') == url + strlen (url) - 6);
    }
}

static void
check_names (const char *text)
{
  g_autofree char *escaped = tfd_field_escape_name (text);
  for (const char *p = escaped; *p != '\0'; p++)
    fuzz_check (*p >= 0x20 && *p <= 0x7e);

  g_autofree char *disposition = tfd_field_disposition (text);
  for (const char *p = disposition; *p != '\0'; p++)
    fuzz_check (*p >= 0x20 && *p <= 0x7e);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = fuzz_text (data, size);

  check_structured (text);
  check_bits (text);
  check_names (text);
  if (tfd_field_has_token (text, "creation"))
    fuzz_check (strlen (text) >= strlen ("creation"));
  return 0;
}
