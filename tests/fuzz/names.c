/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: ids, object paths and names of temporaries. What is taken for ours is deleted by that
 * name: it must be exactly what we would have written. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/error.h"
#include "common/names.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = fuzz_text (data, size);
  g_autofree char *id = tfd_job_id_parse (text);
  g_autofree char *path_id = tfd_job_id_from_path (text);
  g_autofree char *part_id = NULL;
  guint32 index = 0;
  guint32 attempt = 0;
  TfdErrorCode code = TFD_N_ERRORS;

  if (id != NULL)
    {
      fuzz_check (strlen (id) == TFD_JOB_ID_LENGTH);
      fuzz_check (strspn (id, "0123456789abcdef") == TFD_JOB_ID_LENGTH);
    }
  if (path_id != NULL)
    {
      g_autofree char *path = tfd_job_path (path_id);
      fuzz_check (g_str_equal (path, text));
    }
  if (tfd_part_name_parse (text, &part_id, &index, &attempt))
    {
      g_autofree char *name = tfd_part_name (part_id, index, attempt);
      fuzz_check (g_str_equal (name, text));
    }
  if (tfd_error_code_from_name (text, &code))
    fuzz_check (g_str_equal (tfd_error_code_to_name (code), text));
  return 0;
}
