/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Transfer: one file under way, in either direction, as a run sees it. */
#include "config.h"
#include "worker/transfer.h"

G_DEFINE_INTERFACE (TfdTransfer, tfd_transfer, G_TYPE_OBJECT)

static void
tfd_transfer_default_init (G_GNUC_UNUSED TfdTransferInterface *iface)
{
}

void
tfd_transfer_start (TfdTransfer *self)
{
  TFD_TRANSFER_GET_IFACE (self)->start (self);
}

void
tfd_transfer_go (TfdTransfer *self)
{
  TFD_TRANSFER_GET_IFACE (self)->go (self);
}

void
tfd_transfer_committed (TfdTransfer *self)
{
  if (TFD_TRANSFER_GET_IFACE (self)->committed != NULL)
    TFD_TRANSFER_GET_IFACE (self)->committed (self);
}

void
tfd_transfer_stop (TfdTransfer *self)
{
  TFD_TRANSFER_GET_IFACE (self)->stop (self);
}

void
tfd_transfer_checkpoint (TfdTransfer *self)
{
  if (TFD_TRANSFER_GET_IFACE (self)->checkpoint != NULL)
    TFD_TRANSFER_GET_IFACE (self)->checkpoint (self);
}

gboolean
tfd_transfer_is_checkpointing (TfdTransfer *self)
{
  return TFD_TRANSFER_GET_IFACE (self)->is_checkpointing != NULL &&
         TFD_TRANSFER_GET_IFACE (self)->is_checkpointing (self);
}

void
tfd_transfer_tick (TfdTransfer *self, gint64 now)
{
  TFD_TRANSFER_GET_IFACE (self)->tick (self, now);
}

const TfdFile *
tfd_transfer_get_file (TfdTransfer *self)
{
  return TFD_TRANSFER_GET_IFACE (self)->get_file (self);
}

TfdPart *
tfd_transfer_get_part (TfdTransfer *self)
{
  return TFD_TRANSFER_GET_IFACE (self)->get_part != NULL
             ? TFD_TRANSFER_GET_IFACE (self)->get_part (self)
             : NULL;
}

GVariant *
tfd_transfer_get_record (TfdTransfer *self)
{
  return TFD_TRANSFER_GET_IFACE (self)->get_record (self);
}

guint64
tfd_transfer_get_length (TfdTransfer *self)
{
  return TFD_TRANSFER_GET_IFACE (self)->get_length (self);
}

guint64
tfd_transfer_get_total (TfdTransfer *self)
{
  return TFD_TRANSFER_GET_IFACE (self)->get_total (self);
}

const char *
tfd_transfer_get_url (TfdTransfer *self)
{
  return TFD_TRANSFER_GET_IFACE (self)->get_url (self);
}
