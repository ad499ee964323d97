/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: the record of an upload as it was stored, perhaps by another version or by nobody's good
 * will: eight bytes of the file's size, then a serialised a{sv}. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "worker/upload-record.h"

#include <string.h>

/* What can be read can be kept, and is read as the same again. */
static void
check_again (const TfdUploadState *state, GBytes *source, guint64 size, gboolean resumable)
{
  g_autoptr (GVariant) record =
      g_variant_ref_sink (tfd_upload_record_new (state, source, resumable));
  g_auto (TfdUploadState) again = { 0 };
  g_autoptr (GBytes) source_again = NULL;

  fuzz_check (g_variant_get_size (record) <= 4096);
  tfd_upload_record_parse (record, size, &again, &source_again);
  if (source_again == NULL)
    return; /* longer than any that was ever written */

  fuzz_check (g_bytes_equal (source, source_again));
  fuzz_check (again.protocol == state->protocol && again.offset == state->offset);
  fuzz_check (again.begun == state->begun && again.sent == state->sent);
  fuzz_check (again.replied == state->replied && again.closed == state->closed);
  fuzz_check (g_strcmp0 (again.reply_url, state->reply_url) == 0);
  if (!state->closed)
    fuzz_check (g_strcmp0 (again.session, state->session) == 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  g_auto (TfdUploadState) state = { 0 };
  g_autoptr (GBytes) source = NULL;
  guint64 size;

  if (length < sizeof size)
    return 0;
  memcpy (&size, data, sizeof size);
  g_autoptr (GVariant) record =
      g_variant_ref_sink (fuzz_variant (data + sizeof size, length - sizeof size, "a{sv}"));

  tfd_upload_record_parse (record, size, &state, &source);
  fuzz_check (state.offset <= size);
  fuzz_check (state.sent || (!state.replied && !state.closed));
  fuzz_check (state.session == NULL || state.session[0] != '\0');
  if (source != NULL)
    check_again (&state, source, size, (size & 1) != 0);
  return 0;
}
