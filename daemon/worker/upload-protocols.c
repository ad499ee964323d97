/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload protocols: the table of their rules. */
#include "config.h"
#include "worker/upload-rules.h"

static const TfdUploadRules *const table[] = {
  [TFD_UPLOAD_PROTOCOL_AUTO] = &tfd_upload_auto,
  [TFD_UPLOAD_PROTOCOL_PUT] = &tfd_upload_put,
  [TFD_UPLOAD_PROTOCOL_POST] = &tfd_upload_post,
  [TFD_UPLOAD_PROTOCOL_TUS] = &tfd_upload_tus,
  [TFD_UPLOAD_PROTOCOL_RESUMABLE] = &tfd_upload_resumable,
  [TFD_UPLOAD_PROTOCOL_BITS] = &tfd_upload_bits,
};

const TfdUploadRules *
tfd_upload_rules (TfdUploadProtocol protocol)
{
  g_assert ((guint) protocol < G_N_ELEMENTS (table));

  return table[protocol];
}
