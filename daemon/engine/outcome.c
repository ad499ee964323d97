/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Outcome: what a Complete or Cancel did, file by file. */
#include "config.h"

#include "engine/engine-private.h"

#include <string.h>

TfdOutcome *
tfd_outcome_new (void)
{
  TfdOutcome *outcome = g_new0 (TfdOutcome, 1);

  outcome->kept = g_array_new (FALSE, FALSE, sizeof (guint32));
  outcome->discarded = g_array_new (FALSE, FALSE, sizeof (guint32));
  outcome->moved = g_array_new (FALSE, FALSE, sizeof (guint32));
  outcome->undeleted = g_ptr_array_new_with_free_func (g_free);
  return outcome;
}

void
tfd_outcome_free (TfdOutcome *outcome)
{
  g_clear_pointer (&outcome->kept_names, g_variant_unref);
  g_array_unref (outcome->kept);
  g_array_unref (outcome->discarded);
  g_array_unref (outcome->moved);
  g_ptr_array_unref (outcome->undeleted);
  g_free (outcome);
}

/* In the form of GVariant: number and path of each file, each row from a multiple of four bytes on.
 */
static void
add_row (GByteArray *bytes, guint32 number, const char *path)
{
  static const guint8 zeros[sizeof number] = { 0 };
  g_autofree char *valid = NULL;

  if (!g_utf8_validate (path, -1, NULL))
    path = valid = g_utf8_make_valid (path, -1);
  g_byte_array_append (bytes, zeros, -bytes->len % sizeof number);
  g_byte_array_append (bytes, (const guint8 *) &number, sizeof number);
  g_byte_array_append (bytes, (const guint8 *) path, (guint) strlen (path) + 1);
}

/* … and then where each ends, in numbers as wide as the size of the whole needs. */
static void
add_ends (GByteArray *bytes, const guint32 *ends, guint n)
{
  guint64 size = bytes->len;
  guint width = size + n <= G_MAXUINT8 ? 1 : size + 2 * (guint64) n <= G_MAXUINT16 ? 2 : 4;

  for (guint i = 0; i < n; i++)
    {
      guint32 end = GUINT32_TO_LE (ends[i]);

      g_byte_array_append (bytes, (const guint8 *) &end, width);
    }
}

/* There may be hundreds of thousands, which a builder takes ten times as long for. (transfer full)
 */
static GVariant *
name_files (TfdJobType type, GArray *indices, GPtrArray *files)
{
  GByteArray *bytes = g_byte_array_new ();
  g_autofree guint32 *ends = g_new (guint32, indices->len);

  for (guint i = 0; i < indices->len; i++)
    {
      const TfdFileRecord *file = files->pdata[g_array_index (indices, guint32, i)];

      add_row (bytes, tfd_file_shown_index (type, file->index),
               file->target != NULL ? file->target : file->path);
      ends[i] = bytes->len;
    }
  add_ends (bytes, ends, indices->len);
  g_autoptr (GBytes) owned = g_byte_array_free_to_bytes (bytes);
  return g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE ("a(us)"), owned, TRUE));
}

TfdTombstone *
tfd_outcome_to_tombstone (TfdOutcome *outcome, const TfdJob *job, gint64 now)
{
  const TfdJobRecord *record = job->record;
  TfdTombstone *tombstone = tfd_tombstone_new ();

  tombstone->id = g_strdup (record->id);
  tombstone->owner_uid = record->owner_uid;
  g_free (tombstone->sandbox);
  tombstone->sandbox = g_strdup (record->sandbox);
  tombstone->type = record->type;
  tombstone->result = outcome->result;
  tombstone->display_name = g_strdup (record->properties->display_name);
  tombstone->ended = now;
  if (record->failure.context != TFD_ERROR_CONTEXT_NONE)
    tombstone->error_name = g_strdup (tfd_error_code_to_name (record->failure.code));
  tombstone->kept_count = outcome->kept->len;
  tombstone->discarded_count = outcome->discarded->len;
  tombstone->undeleted = g_new0 (char *, outcome->undeleted->len + 1);
  for (guint i = 0; i < outcome->undeleted->len; i++)
    tombstone->undeleted[i] = g_strdup (outcome->undeleted->pdata[i]);
  tombstone->kept = name_files (record->type, outcome->kept, job->files);
  g_clear_pointer (&outcome->kept_names, g_variant_unref);
  outcome->kept_names = g_variant_ref (tombstone->kept);
  tombstone->discarded = name_files (record->type, outcome->discarded, job->files);
  return tombstone;
}
