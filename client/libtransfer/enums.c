/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Enumerations of the library: the values and strings of common/enums.h under public type names, so
 * that there is one table of them. */
#include "config.h"
#include "transfer/transfer-enums.h"

#include "client/libtransfer/private.h"
#include "common/enums.h"

#include <string.h>

G_STATIC_ASSERT ((int) TRANSFER_JOB_TYPE_UPLOAD_REPLY == (int) TFD_JOB_TYPE_UPLOAD_REPLY);
G_STATIC_ASSERT ((int) TRANSFER_JOB_STATE_SUSPENDED == (int) TFD_JOB_STATE_SUSPENDED);
G_STATIC_ASSERT ((int) TRANSFER_JOB_STATE_QUEUED == (int) TFD_JOB_STATE_QUEUED);
G_STATIC_ASSERT ((int) TRANSFER_JOB_STATE_CONNECTING == (int) TFD_JOB_STATE_CONNECTING);
G_STATIC_ASSERT ((int) TRANSFER_JOB_STATE_TRANSFERRING == (int) TFD_JOB_STATE_TRANSFERRING);
G_STATIC_ASSERT ((int) TRANSFER_JOB_STATE_TRANSIENT_ERROR == (int) TFD_JOB_STATE_TRANSIENT_ERROR);
G_STATIC_ASSERT ((int) TRANSFER_JOB_STATE_ERROR == (int) TFD_JOB_STATE_ERROR);
G_STATIC_ASSERT ((int) TRANSFER_JOB_STATE_TRANSFERRED == (int) TFD_JOB_STATE_TRANSFERRED);
G_STATIC_ASSERT ((int) TRANSFER_JOB_STATE_ACKNOWLEDGED == (int) TFD_JOB_STATE_ACKNOWLEDGED);
G_STATIC_ASSERT ((int) TRANSFER_JOB_STATE_CANCELLED == (int) TFD_JOB_STATE_CANCELLED);
G_STATIC_ASSERT ((int) TRANSFER_FILE_STATE_WAITING == (int) TFD_FILE_STATE_WAITING);
G_STATIC_ASSERT ((int) TRANSFER_FILE_STATE_TRANSFERRED == (int) TFD_FILE_STATE_TRANSFERRED);
G_STATIC_ASSERT ((int) TRANSFER_FILE_STATE_COMPLETED == (int) TFD_FILE_STATE_COMPLETED);
G_STATIC_ASSERT ((int) TRANSFER_FILE_STATE_ERROR == (int) TFD_FILE_STATE_ERROR);
G_STATIC_ASSERT ((int) TRANSFER_PRIORITY_FOREGROUND == (int) TFD_PRIORITY_FOREGROUND);
G_STATIC_ASSERT ((int) TRANSFER_PRIORITY_LOW == (int) TFD_PRIORITY_LOW);
G_STATIC_ASSERT ((int) TRANSFER_RESULT_PARTIAL == (int) TFD_RESULT_PARTIAL);
G_STATIC_ASSERT ((int) TRANSFER_RESULT_EXPIRED == (int) TFD_RESULT_EXPIRED);

/* Registers a copy of enumeration @from, TFD_ in the names of values replaced by TRANSFER_, with
 * one value more, -1, for strings of a newer service. The table lives as long as the process. */
static GType
register_enum (const char *name, GType from, const char *unknown)
{
  GEnumClass *common = g_type_class_ref (from);
  GEnumValue *values = g_new0 (GEnumValue, common->n_values + 2);
  guint n = 0;

  values[n++] = (GEnumValue){ -1, unknown, "unknown" };
  for (guint i = 0; i < common->n_values; i++)
    {
      g_autofree char *value_name =
          g_strconcat ("TRANSFER_", common->values[i].value_name + strlen ("TFD_"), NULL);

      values[n++] = (GEnumValue){ common->values[i].value, g_intern_string (value_name),
                                  common->values[i].value_nick };
    }
  return g_enum_register_static (name, values);
}

int
_transfer_enum_from_string (GType common_type, const char *string)
{
  int value = -1;

  if (string == NULL || !tfd_enum_from_string (common_type, string, &value))
    return -1;
  return value;
}

gboolean
transfer_job_state_is_final (TransferJobState state)
{
  return state == TRANSFER_JOB_STATE_ACKNOWLEDGED || state == TRANSFER_JOB_STATE_CANCELLED;
}

#define DEFINE_ENUM(TypeName, type_name, COMMON_TYPE, UNKNOWN)                                     \
  GType type_name##_get_type (void)                                                                \
  {                                                                                                \
    static gsize once = 0;                                                                         \
    if (g_once_init_enter (&once))                                                                 \
      g_once_init_leave (&once, register_enum (#TypeName, COMMON_TYPE, #UNKNOWN));                 \
    return once;                                                                                   \
  }                                                                                                \
                                                                                                   \
  const char *type_name##_to_string (TypeName value)                                               \
  {                                                                                                \
    return (int) value < 0 ? "unknown" : tfd_enum_to_string (COMMON_TYPE, (int) value);            \
  }

DEFINE_ENUM (TransferJobType, transfer_job_type, TFD_TYPE_JOB_TYPE, TRANSFER_JOB_TYPE_UNKNOWN)
DEFINE_ENUM (TransferJobState, transfer_job_state, TFD_TYPE_JOB_STATE, TRANSFER_JOB_STATE_UNKNOWN)
DEFINE_ENUM (TransferFileState,
             transfer_file_state,
             TFD_TYPE_FILE_STATE,
             TRANSFER_FILE_STATE_UNKNOWN)
DEFINE_ENUM (TransferPriority, transfer_priority, TFD_TYPE_PRIORITY, TRANSFER_PRIORITY_UNKNOWN)
DEFINE_ENUM (TransferResult, transfer_result, TFD_TYPE_RESULT, TRANSFER_RESULT_UNKNOWN)
