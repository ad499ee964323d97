/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* TransferJob: what was last heard of a job. */
#include "config.h"
#include "client/libtransfer/private.h"

#include "common/enums.h"
#include "common/names.h"

struct _TransferJob
{
  GObject parent_instance;

  TransferClient *client; /* (owned) */
  char *path;
  char *id;
  GHashTable *values; /* (owned) (element-type utf8 GVariant) properties by name */
  gboolean watched;
  TransferResult result; /* how it ended, UNKNOWN before */
  gboolean ended;
};

G_DEFINE_FINAL_TYPE (TransferJob, transfer_job, G_TYPE_OBJECT)

enum
{
  PROP_CLIENT = 1,
  PROP_OBJECT_PATH,
  N_PROPS,
};
static GParamSpec *props[N_PROPS];

enum
{
  CHANGED,
  TRANSFERRED,
  ERROR,
  REMOVED,
  N_SIGNALS,
};
static guint signals[N_SIGNALS];

static void
transfer_job_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  TransferJob *self = TRANSFER_JOB (object);

  switch (id)
    {
    case PROP_CLIENT:
      self->client = g_value_dup_object (value);
      break;
    case PROP_OBJECT_PATH:
      self->path = g_value_dup_string (value);
      self->id = tfd_job_id_from_path (self->path);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
transfer_job_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  TransferJob *self = TRANSFER_JOB (object);

  switch (id)
    {
    case PROP_CLIENT:
      g_value_set_object (value, self->client);
      break;
    case PROP_OBJECT_PATH:
      g_value_set_string (value, self->path);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
transfer_job_dispose (GObject *object)
{
  TransferJob *self = TRANSFER_JOB (object);

  _transfer_job_set_watched (self, FALSE);
  G_OBJECT_CLASS (transfer_job_parent_class)->dispose (object);
}

static void
transfer_job_finalize (GObject *object)
{
  TransferJob *self = TRANSFER_JOB (object);

  g_free (self->path);
  g_free (self->id);
  g_hash_table_unref (self->values);
  g_clear_object (&self->client);
  G_OBJECT_CLASS (transfer_job_parent_class)->finalize (object);
}

#define SIGNAL(name, n, ...)                                                                       \
  g_signal_new (name, type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, n, __VA_ARGS__,   \
                G_TYPE_NONE)

static void
install_signals (GType type)
{
  /**
   * TransferJob::changed:
   * @job: the job
   * @changed: an `a{sv}` of the properties that changed, with their new values
   *
   * The job is not what it was.
   */
  signals[CHANGED] = SIGNAL ("changed", 1, G_TYPE_VARIANT);
  /**
   * TransferJob::transferred:
   * @job: the job
   *
   * All files have arrived: time for [method@Job.complete_async]. A restart of the service can
   * swallow it; look at the state as well.
   */
  signals[TRANSFERRED] = SIGNAL ("transferred", 0, G_TYPE_NONE);
  /**
   * TransferJob::error:
   * @job: the job
   * @name: the full D-Bus name of the error
   * @context: where it happened
   *
   * The job failed and waits for somebody.
   */
  signals[ERROR] = SIGNAL ("error", 2, G_TYPE_STRING, G_TYPE_STRING);
  /**
   * TransferJob::removed:
   * @job: the job
   * @result: how it ended
   *
   * The job is over.
   */
  signals[REMOVED] = SIGNAL ("removed", 1, TRANSFER_TYPE_RESULT);
}

static void
transfer_job_class_init (TransferJobClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->set_property = transfer_job_set_property;
  object_class->get_property = transfer_job_get_property;
  object_class->dispose = transfer_job_dispose;
  object_class->finalize = transfer_job_finalize;

  /**
   * TransferJob:client:
   *
   * The client it came from.
   */
  props[PROP_CLIENT] = g_param_spec_object ("client", NULL, NULL, TRANSFER_TYPE_CLIENT, flags);
  /**
   * TransferJob:object-path:
   *
   * Its D-Bus object path.
   */
  props[PROP_OBJECT_PATH] = g_param_spec_string ("object-path", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
  install_signals (G_TYPE_FROM_CLASS (klass));
}

static void
transfer_job_init (TransferJob *self)
{
  self->result = TRANSFER_RESULT_UNKNOWN;
  self->values =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
}

TransferJob *
_transfer_job_new (TransferClient *client, const char *path, GVariant *values)
{
  TransferJob *self = g_object_new (TRANSFER_TYPE_JOB, "client", client, "object-path", path, NULL);

  if (values != NULL)
    _transfer_job_merge (self, values, TRUE);
  return self;
}

void
_transfer_job_set_watched (TransferJob *self, gboolean watched)
{
  if (self->watched == watched || (watched && self->ended))
    return;
  self->watched = watched;
  if (watched)
    _transfer_news_watch (_transfer_client_get_news (self->client), self);
  else
    _transfer_news_unwatch (_transfer_client_get_news (self->client), self);
}

void
_transfer_job_merge (TransferJob *self, GVariant *changed, gboolean replace)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  if (replace)
    g_hash_table_remove_all (self->values);
  g_variant_iter_init (&iter, changed);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value))
    g_hash_table_replace (self->values, g_strdup (name), g_variant_ref (value));
  g_signal_emit (self, signals[CHANGED], 0, changed);
}

void
_transfer_job_tell_transferred (TransferJob *self)
{
  g_signal_emit (self, signals[TRANSFERRED], 0);
}

void
_transfer_job_tell_error (TransferJob *self, const char *name, const char *context)
{
  g_signal_emit (self, signals[ERROR], 0, name, context);
}

void
_transfer_job_tell_removed (TransferJob *self, TransferResult result)
{
  const char *state;

  if (self->ended)
    return;
  self->ended = TRUE;
  self->result = result;
  /* the last change may have been missed */
  state = result == TRANSFER_RESULT_COMPLETED || result == TRANSFER_RESULT_PARTIAL ? "acknowledged"
                                                                                   : "cancelled";
  g_hash_table_replace (self->values, g_strdup ("State"),
                        g_variant_ref_sink (g_variant_new_string (state)));
  g_hash_table_replace (self->values, g_strdup ("Operation"),
                        g_variant_ref_sink (g_variant_new_string ("")));
  _transfer_job_set_watched (self, FALSE);
  g_signal_emit (self, signals[REMOVED], 0, result);
}

TransferClient *
transfer_job_get_client (TransferJob *job)
{
  g_return_val_if_fail (TRANSFER_IS_JOB (job), NULL);
  return job->client;
}

const char *
transfer_job_get_id (TransferJob *job)
{
  g_return_val_if_fail (TRANSFER_IS_JOB (job), NULL);
  return job->id;
}

const char *
transfer_job_get_object_path (TransferJob *job)
{
  g_return_val_if_fail (TRANSFER_IS_JOB (job), NULL);
  return job->path;
}

gboolean
transfer_job_is_watched (TransferJob *job)
{
  g_return_val_if_fail (TRANSFER_IS_JOB (job), FALSE);
  return job->watched;
}

gboolean
transfer_job_is_ended (TransferJob *job)
{
  g_return_val_if_fail (TRANSFER_IS_JOB (job), FALSE);
  return job->ended;
}

TransferResult
transfer_job_get_result (TransferJob *job)
{
  g_return_val_if_fail (TRANSFER_IS_JOB (job), TRANSFER_RESULT_UNKNOWN);
  return job->result;
}

GVariant *
transfer_job_dup_value (TransferJob *job, const char *name)
{
  GVariant *value;

  g_return_val_if_fail (TRANSFER_IS_JOB (job), NULL);
  g_return_val_if_fail (name != NULL, NULL);
  value = g_hash_table_lookup (job->values, name);
  return value != NULL ? g_variant_ref (value) : NULL;
}

GVariant *
transfer_job_dup_values (TransferJob *job)
{
  GVariantDict dict;
  GHashTableIter iter;
  gpointer name, value;

  g_return_val_if_fail (TRANSFER_IS_JOB (job), NULL);
  g_variant_dict_init (&dict, NULL);
  g_hash_table_iter_init (&iter, job->values);
  while (g_hash_table_iter_next (&iter, &name, &value))
    g_variant_dict_insert_value (&dict, name, value);
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

/* The value of property @name when it is known and of @type. */
static GVariant *
peek (TransferJob *self, const char *name, const GVariantType *type)
{
  GVariant *value;

  g_return_val_if_fail (TRANSFER_IS_JOB (self), NULL);
  value = g_hash_table_lookup (self->values, name);
  return value != NULL && g_variant_is_of_type (value, type) ? value : NULL;
}

static const char *
peek_string (TransferJob *self, const char *name)
{
  GVariant *value = peek (self, name, G_VARIANT_TYPE_STRING);

  return value != NULL ? g_variant_get_string (value, NULL) : "";
}

static guint64
peek_uint64 (TransferJob *self, const char *name, guint64 otherwise)
{
  GVariant *value = peek (self, name, G_VARIANT_TYPE_UINT64);

  return value != NULL ? g_variant_get_uint64 (value) : otherwise;
}

static guint
peek_uint32 (TransferJob *self, const char *name)
{
  GVariant *value = peek (self, name, G_VARIANT_TYPE_UINT32);

  return value != NULL ? g_variant_get_uint32 (value) : 0;
}

TransferJobType
transfer_job_get_job_type (TransferJob *job)
{
  return _transfer_enum_from_string (TFD_TYPE_JOB_TYPE, peek_string (job, "Type"));
}

TransferJobState
transfer_job_get_state (TransferJob *job)
{
  return _transfer_enum_from_string (TFD_TYPE_JOB_STATE, peek_string (job, "State"));
}

TransferPriority
transfer_job_get_priority (TransferJob *job)
{
  return _transfer_enum_from_string (TFD_TYPE_PRIORITY, peek_string (job, "Priority"));
}

#define STRING_GETTER(name, Property)                                                              \
  const char *transfer_job_get_##name (TransferJob *job) { return peek_string (job, Property); }
#define UINT64_GETTER(name, Property, otherwise)                                                   \
  guint64 transfer_job_get_##name (TransferJob *job)                                               \
  {                                                                                                \
    return peek_uint64 (job, Property, otherwise);                                                 \
  }
#define UINT32_GETTER(name, Property)                                                              \
  guint transfer_job_get_##name (TransferJob *job) { return peek_uint32 (job, Property); }

STRING_GETTER (display_name, "DisplayName")
STRING_GETTER (description, "Description")
STRING_GETTER (status_text, "StatusText")
STRING_GETTER (operation, "Operation")
UINT64_GETTER (bytes_total, "BytesTotal", TRANSFER_SIZE_UNKNOWN)
UINT64_GETTER (bytes_transferred, "BytesTransferred", 0)
UINT64_GETTER (bytes_per_second, "BytesPerSecond", 0)
UINT64_GETTER (creation_time, "CreationTime", 0)
UINT64_GETTER (next_retry_time, "NextRetryTime", 0)
UINT32_GETTER (files_total, "FilesTotal")
UINT32_GETTER (files_transferred, "FilesTransferred")
UINT32_GETTER (error_count, "ErrorCount")

GError *
transfer_job_dup_error (TransferJob *job)
{
  GVariant *value = peek (job, "Error", G_VARIANT_TYPE_VARDICT);
  const char *name, *message = NULL;
  TransferError code;

  if (value == NULL || !g_variant_lookup (value, "name", "&s", &name))
    return NULL;
  g_variant_lookup (value, "message", "&s", &message);
  if (!transfer_error_from_name (name, &code))
    return g_error_new_literal (G_DBUS_ERROR, G_DBUS_ERROR_FAILED,
                                message != NULL ? message : name);
  if (message == NULL || *message == '\0')
    message = transfer_error_describe (code);
  return g_error_new_literal (TRANSFER_ERROR, (int) code, message);
}
