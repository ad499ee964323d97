/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: files packed as Start and AddFiles bring them. */
#include "config.h"

#include "common/url.h"
#include "tests/fuzz/input.h"
#include "worker/file.h"

#include <string.h>

static void
check_file (const TfdFile *file)
{
  fuzz_check (file->path != NULL && tfd_path_check (file->path, NULL));
  fuzz_check (file->directory != NULL && file->base != NULL && strchr (file->base, '/') == NULL);
  fuzz_check (file->state <= TFD_FILE_STATE_ERROR);
  fuzz_check (file->record == NULL || file->part != NULL);
  fuzz_check (file->directory_identity == NULL || g_bytes_get_size (file->directory_identity) > 0);
  fuzz_check (file->url == NULL || g_utf8_validate (file->url, -1, NULL));
  fuzz_check (file->target == NULL || tfd_path_check (file->target, NULL));
  if (file->reply != NULL)
    {
      fuzz_check (file->reply->index == TFD_REPLY_INDEX && file->reply->reply == NULL);
      check_file (file->reply);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GVariant) packed = g_variant_ref_sink (fuzz_variant (data, size, "ay"));
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) files = tfd_files_new_to_transfer (packed, &error);

  fuzz_check ((files == NULL) == (error != NULL));
  for (guint i = 0; files != NULL && i < files->len; i++)
    check_file (files->pdata[i]);
  return 0;
}
