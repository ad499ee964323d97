/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: the arguments of SetCredentials, and the header fields of a job: nothing of them may end a
 * line of HTTP, or of the log. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/wire.h"

#include <string.h>

static gboolean
is_one_line (const char *text)
{
  return strpbrk (text, "\r\n") == NULL;
}

static void
check_headers (const char *name, const char *value)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  GVariant *row = g_variant_new ("(ss)", name, value);
  GVariant *fields = g_variant_new_array (NULL, &row, 1);
  g_autoptr (GVariant) changes =
      g_variant_ref_sink (g_variant_new_parsed ("{'Headers': <%*>}", fields));
  g_autoptr (GError) error = NULL;
  gboolean applied = tfd_job_properties_apply (properties, TFD_JOB_TYPE_DOWNLOAD, changes, TRUE,
                                               TFD_LIFE_NEW, &error);

  fuzz_check (applied == (error == NULL));
  if (applied)
    fuzz_check (is_one_line (name) && is_one_line (value) && *name != '\0' &&
                strchr (name, ':') == NULL && strchr (name, ' ') == NULL);
  else
    fuzz_check (error->domain == TFD_ERROR);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  char **lines = fuzz_lines (data, size, 4);
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *rest = fuzz_text (data, size);
  g_autofree char *all = g_utf8_make_valid (rest, -1);
  char *valid[4];

  for (gsize i = 0; i < G_N_ELEMENTS (valid); i++)
    valid[i] = g_utf8_make_valid (lines[i] != NULL ? lines[i] : "", -1);
  fuzz_check (tfd_credentials_set (properties, valid[0], valid[1], valid[2], valid[3], &error) ==
              (error == NULL));
  if (error == NULL)
    {
      gboolean removed = FALSE;

      fuzz_check (tfd_credentials_remove (properties, valid[0], valid[1], &removed, NULL));
      fuzz_check (removed);
    }
  check_headers (valid[0], valid[1]);
  check_headers ("X-Name", all);
  check_headers (all, "value");
  for (gsize i = 0; i < G_N_ELEMENTS (valid); i++)
    g_free (valid[i]);
  fuzz_lines_free (lines, 4);
  return 0;
}
