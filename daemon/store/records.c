/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Records: making and freeing the rows. */
#include "config.h"

#include "store/records.h"

#include "common/names.h"

/* clang-format off */
G_DEFINE_ENUM_TYPE (TfdLeftoverKind, tfd_leftover_kind,
  G_DEFINE_ENUM_VALUE (TFD_LEFTOVER_FILE, "file"),
  G_DEFINE_ENUM_VALUE (TFD_LEFTOVER_SESSION, "session"))
/* clang-format on */

TfdJobRecord *
tfd_job_record_new (void)
{
  TfdJobRecord *record = g_new0 (TfdJobRecord, 1);

  record->properties = tfd_job_properties_new ();
  record->sandbox = g_strdup ("");
  return record;
}

void
tfd_job_record_free (TfdJobRecord *record)
{
  g_free (record->id);
  g_clear_pointer (&record->operation_options, g_variant_unref);
  g_free (record->owner_name);
  g_clear_pointer (&record->properties, tfd_job_properties_free);
  tfd_failure_clear (&record->failure);
  g_free (record->boot_id);
  g_free (record->sandbox);
  g_free (record);
}

TfdFileRecord *
tfd_file_record_new (void)
{
  TfdFileRecord *record = g_new0 (TfdFileRecord, 1);

  record->total = TFD_SIZE_UNKNOWN;
  return record;
}

void
tfd_file_record_free (TfdFileRecord *record)
{
  g_free (record->url);
  g_free (record->path);
  g_clear_pointer (&record->options, g_variant_unref);
  g_clear_pointer (&record->part, g_variant_unref);
  g_clear_pointer (&record->directory, g_bytes_unref);
  g_free (record->target);
  g_free (record);
}

TfdTombstone *
tfd_tombstone_new (void)
{
  TfdTombstone *tombstone = g_new0 (TfdTombstone, 1);

  tombstone->sandbox = g_strdup ("");
  return tombstone;
}

void
tfd_tombstone_free (TfdTombstone *tombstone)
{
  g_free (tombstone->id);
  g_free (tombstone->sandbox);
  g_free (tombstone->display_name);
  g_free (tombstone->error_name);
  g_strfreev (tombstone->undeleted);
  g_clear_pointer (&tombstone->kept, g_variant_unref);
  g_clear_pointer (&tombstone->discarded, g_variant_unref);
  g_free (tombstone);
}

TfdLeftover *
tfd_leftover_new (void)
{
  return g_new0 (TfdLeftover, 1);
}

void
tfd_leftover_free (TfdLeftover *leftover)
{
  g_free (leftover->owner_name);
  g_free (leftover->job_id);
  g_free (leftover->path);
  g_clear_pointer (&leftover->part, g_variant_unref);
  g_clear_pointer (&leftover->directory, g_bytes_unref);
  g_free (leftover->url);
  g_clear_pointer (&leftover->options, g_variant_unref);
  g_free (leftover->boot_id);
  g_free (leftover);
}

void
tfd_event_row_free (TfdEventRow *row)
{
  g_free (row->kind);
  g_clear_pointer (&row->details, g_variant_unref);
  g_free (row);
}
