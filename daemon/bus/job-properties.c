/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Properties of a job: from its row to the bus, and which of them change together. */
#include "config.h"

#include "bus/bus-private.h"

typedef GVariant *(*Getter) (TfdBus *bus, TfdJob *job);

static GVariant *
get_id (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_string (tfd_job_id (job));
}

static GVariant *
get_type (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_string (tfd_enum_to_string (TFD_TYPE_JOB_TYPE, tfd_job_record (job)->type));
}

static GVariant *
get_state (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_string (
      tfd_enum_to_string (TFD_TYPE_JOB_STATE, tfd_job_record (job)->state));
}

static GVariant *
get_operation (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_string (
      tfd_enum_to_string (TFD_TYPE_OPERATION, tfd_job_record (job)->operation));
}

static GVariant *
get_owner_uid (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_uint32 (tfd_job_uid (job));
}

static GVariant *
get_owner_name (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_string (tfd_job_record (job)->owner_name);
}

static GVariant *
get_bytes_total (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_uint64 (tfd_job_record (job)->bytes_total);
}

static GVariant *
get_bytes_transferred (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_uint64 (tfd_job_record (job)->bytes_transferred);
}

static GVariant *
get_rate (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_uint64 (tfd_job_rate (job));
}

static GVariant *
get_files_total (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_uint32 (tfd_job_record (job)->files_total);
}

static GVariant *
get_files_transferred (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_uint32 (tfd_job_record (job)->files_transferred);
}

static GVariant *
get_reply_total (TfdBus *bus, TfdJob *job)
{
  guint64 transferred, total;

  tfd_engine_get_reply_progress (bus->engine, job, &transferred, &total);
  return g_variant_new_uint64 (total);
}

static GVariant *
get_reply_transferred (TfdBus *bus, TfdJob *job)
{
  guint64 transferred, total;

  tfd_engine_get_reply_progress (bus->engine, job, &transferred, &total);
  return g_variant_new_uint64 (transferred);
}

static GVariant *
get_creation_time (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_uint64 ((guint64) tfd_job_record (job)->creation_time);
}

static GVariant *
get_modification_time (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_uint64 ((guint64) tfd_job_record (job)->modification_time);
}

static GVariant *
get_completion_time (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_uint64 ((guint64) tfd_job_record (job)->completion_time);
}

static GVariant *
get_error (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  const TfdFailure *failure = &tfd_job_record (job)->failure;
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  if (failure->context != TFD_ERROR_CONTEXT_NONE)
    {
      g_variant_dict_insert (&dict, "name", "s", tfd_error_code_to_name (failure->code));
      g_variant_dict_insert (&dict, "context", "s",
                             tfd_enum_to_string (TFD_TYPE_ERROR_CONTEXT, failure->context));
      g_variant_dict_insert (&dict, "message", "s",
                             failure->message != NULL ? failure->message : "");
      if (failure->file != G_MAXUINT32)
        g_variant_dict_insert (&dict, "file", "u",
                               tfd_file_shown_index (tfd_job_record (job)->type, failure->file));
      if (failure->file != G_MAXUINT32 &&
          tfd_file_is_reply (tfd_job_record (job)->type, failure->file))
        g_variant_dict_insert (&dict, "reply", "b", TRUE);
      if (failure->http_status != 0)
        g_variant_dict_insert (&dict, "http-status", "u", failure->http_status);
    }
  return g_variant_dict_end (&dict);
}

static GVariant *
get_error_count (TfdBus *bus G_GNUC_UNUSED, TfdJob *job)
{
  return g_variant_new_uint32 (tfd_job_record (job)->error_count);
}

static GVariant *
get_next_retry (TfdBus *bus, TfdJob *job)
{
  return g_variant_new_uint64 (
      (guint64) tfd_job_next_retry (job, tfd_engine_get_clock (bus->engine)));
}

static GVariant *
get_status_text (TfdBus *bus, TfdJob *job)
{
  g_autofree char *text = tfd_job_status_text (job, tfd_engine_get_clock (bus->engine));

  return g_variant_new_string (text);
}

static const struct
{
  const char *name;
  guint changes; /* with what: TfdChanged; 0 = never */
  Getter get;
} table[] = {
  { "Id", 0, get_id },
  { "Type", 0, get_type },
  { "State", TFD_CHANGED_STATE, get_state },
  { "Operation", TFD_CHANGED_STATE, get_operation },
  { "OwnerUID", TFD_CHANGED_OWNER, get_owner_uid },
  { "OwnerName", TFD_CHANGED_OWNER, get_owner_name },
  { "BytesTotal", TFD_CHANGED_PROGRESS, get_bytes_total },
  { "BytesTransferred", TFD_CHANGED_PROGRESS, get_bytes_transferred },
  { "BytesPerSecond", TFD_CHANGED_PROGRESS, get_rate },
  { "FilesTotal", TFD_CHANGED_PROGRESS, get_files_total },
  { "FilesTransferred", TFD_CHANGED_PROGRESS, get_files_transferred },
  { "ReplyBytesTotal", TFD_CHANGED_REPLY, get_reply_total },
  { "ReplyBytesTransferred", TFD_CHANGED_REPLY, get_reply_transferred },
  { "CreationTime", 0, get_creation_time },
  { "ModificationTime", TFD_CHANGED_TIMES, get_modification_time },
  { "TransferCompletionTime", TFD_CHANGED_TIMES, get_completion_time },
  { "Error", TFD_CHANGED_ERROR, get_error },
  { "ErrorCount", TFD_CHANGED_ERROR, get_error_count },
  { "NextRetryTime", TFD_CHANGED_ERROR, get_next_retry },
  { "StatusText", TFD_CHANGED_STATE | TFD_CHANGED_ERROR, get_status_text },
};

/* What a job does not say the configuration does. */
static GVariant *
get_writable (TfdJob *job, const char *name)
{
  if (g_str_equal (name, "MaximumDownloadTime"))
    return g_variant_new_uint64 (tfd_job_maximum_download_time (job));
  return tfd_job_properties_get (tfd_job_record (job)->properties, name);
}

GVariant *
tfd_job_get_property (const TfdPeer *peer, TfdJob *job, const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (g_str_equal (table[i].name, name))
      return table[i].get (peer->bus, job);
  /* the keys to other people's accounts are nobody else's business */
  if (g_str_equal (name, "Headers") && !tfd_access_is_owner (peer, job))
    return g_variant_new_array (G_VARIANT_TYPE ("(ss)"), NULL, 0);
  return get_writable (job, name);
}

void
tfd_job_add_changed (
    TfdBus *bus, TfdJob *job, guint mask, GVariantBuilder *changed, GVariantBuilder *invalidated)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (table[i].changes & mask)
      g_variant_builder_add (changed, "{sv}", table[i].name, table[i].get (bus, job));
  if (!(mask & TFD_CHANGED_PROPERTIES))
    return;
  for (const TfdPropertyInfo *info = tfd_job_property_table (); info->name != NULL; info++)
    /* header fields may be secrets: whoever needs them asks */
    if (g_str_equal (info->name, "Headers"))
      g_variant_builder_add (invalidated, "s", info->name);
    else
      g_variant_builder_add (changed, "{sv}", info->name, get_writable (job, info->name));
}
