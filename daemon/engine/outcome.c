/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Outcome: what a Complete or Cancel did, file by file. */
#include "config.h"

#include "engine/engine-private.h"

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
  g_array_unref (outcome->kept);
  g_array_unref (outcome->discarded);
  g_array_unref (outcome->moved);
  g_ptr_array_unref (outcome->undeleted);
  g_free (outcome);
}

static GVariant *
name_files (TfdJobType type, GArray *indices, GPtrArray *files)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(us)"));
  for (guint i = 0; i < indices->len; i++)
    {
      const TfdFileRecord *file = files->pdata[g_array_index (indices, guint32, i)];
      g_autofree char *path =
          g_utf8_make_valid (file->target != NULL ? file->target : file->path, -1);

      g_variant_builder_add (&builder, "(us)", tfd_file_shown_index (type, file->index), path);
    }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

TfdTombstone *
tfd_outcome_to_tombstone (const TfdOutcome *outcome, const TfdJob *job, gint64 now)
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
  tombstone->discarded = name_files (record->type, outcome->discarded, job->files);
  return tombstone;
}
