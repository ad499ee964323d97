/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: AddFiles, and the options of calls, as serialised a(ssa{sv}) that nobody checked. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/url.h"
#include "common/wire.h"

#include <string.h>

static void
check_spec (const TfdFileSpec *spec)
{
  guint32 number = 0;
  g_autoptr (GVariant) path = g_variant_lookup_value (spec->options, "path", NULL);

  fuzz_check (tfd_url_check (spec->url, NULL) && tfd_path_check (spec->path, NULL));
  fuzz_check (g_variant_is_of_type (spec->options, G_VARIANT_TYPE_VARDICT));
  fuzz_check (g_variant_is_normal_form (spec->options) && path == NULL);
  if (g_variant_lookup (spec->options, "mode", "u", &number))
    fuzz_check (number <= 0777);
}

static void
check_options (GVariant *files)
{
  const TfdOption *tables[] = { tfd_complete_options, tfd_no_options, tfd_list_jobs_options,
                                tfd_history_options, tfd_all_users_options };

  for (gsize i = 0; i < g_variant_n_children (files); i++)
    {
      g_autoptr (GVariant) row = g_variant_get_child_value (files, i);
      g_autoptr (GVariant) options = g_variant_get_child_value (row, 2);

      for (gsize j = 0; j < G_N_ELEMENTS (tables); j++)
        {
          g_autoptr (GError) error = NULL;
          gboolean valid = tfd_options_check (options, tables[j], &error);
          fuzz_check (valid == (error == NULL));
          if (tables[j] == tfd_no_options)
            fuzz_check (valid == (g_variant_n_children (options) == 0));
        }
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GVariant) files = g_variant_ref_sink (fuzz_variant (data, size, "a(ssa{sv})"));
  g_autoptr (GError) error = NULL;

  if (g_variant_n_children (files) > 64)
    return 0; /* millions of empty rows cost time and show nothing */
  g_autoptr (GPtrArray) specs = tfd_file_specs_new (TFD_JOB_TYPE_DOWNLOAD, files, &error);
  fuzz_check ((specs == NULL) == (error != NULL));
  if (specs != NULL)
    {
      fuzz_check (specs->len == g_variant_n_children (files));
      for (guint i = 0; i < specs->len; i++)
        check_spec (specs->pdata[i]);
    }
  else
    fuzz_check (error->domain == TFD_ERROR && g_utf8_validate (error->message, -1, NULL));
  check_options (files);

  /* the same with names below a directory that was handed in */
  g_autoptr (GPtrArray) at = tfd_file_specs_new_at (TFD_JOB_TYPE_DOWNLOAD, files, NULL);
  for (guint i = 0; at != NULL && i < at->len; i++)
    {
      const TfdFileSpec *spec = at->pdata[i];

      fuzz_check (strchr (spec->path, '/') == NULL && *spec->path != '\0');
      fuzz_check (!g_str_equal (spec->path, "..") && !g_str_equal (spec->path, "."));
    }
  return 0;
}
