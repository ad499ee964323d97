/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload, what it has done in threads: opening, looking at and hashing the source. */
#include "config.h"
#include "worker/upload-private.h"

#include "worker/failure.h"
#include "worker/upload-fields.h"
#include "worker/upload-record.h"

/* A source that is not larger is hashed before it is sent, so that the server can be told. */
#define HASHED_FIRST (G_GUINT64_CONSTANT (8) << 20)

typedef struct
{
  TfdUpload *self;       /* (owned) only looked at in the main loop, but for what is atomic */
  const TfdFile *file;   /* (not owned) which lives as long as the upload */
  GBytes *expected;      /* (owned) (nullable) */
  TfdUploadFile *source; /* (owned) (nullable) */
  GChecksumType type;
  guint64 first, length;
  gboolean compares; /* the digest of all with what a server says */
  char *digest;      /* (owned) (nullable) */
  TfdFailure failure;
} Work;

static Work *
work_new (TfdUpload *self)
{
  Work *work = g_new0 (Work, 1);

  work->self = g_object_ref (self);
  work->file = self->file;
  work->source = self->source != NULL ? tfd_upload_file_ref (self->source) : NULL;
  self->pending++;

  return work;
}

static void
work_free (Work *work)
{
  g_clear_pointer (&work->expected, g_bytes_unref);
  g_clear_pointer (&work->source, tfd_upload_file_unref);
  tfd_failure_clear (&work->failure);
  g_free (work->digest);
  g_object_unref (work->self);
  g_free (work);
}

/* TRUE: the work has succeeded and is still wanted. */
static gboolean
conclude (Work *work)
{
  TfdUpload *self = work->self;

  tfd_upload_work_ended (self);
  if (self->phase >= TFD_UPLOAD_DONE)
    return FALSE;
  if (work->failure.context == TFD_ERROR_CONTEXT_NONE)
    return TRUE;

  tfd_upload_fail (self, &work->failure);
  return FALSE;
}

static void
open_work (gpointer data)
{
  Work *work = data;
  guint64 size;

  work->source = tfd_upload_file_open (work->file, work->expected, &work->failure);
  size = work->source != NULL ? tfd_upload_file_get_size (work->source) : G_MAXUINT64;
  if (size <= HASHED_FIRST)
    work->digest = tfd_upload_file_digest (work->source, G_CHECKSUM_SHA256, 0, size,
                                           &work->self->abort, &work->failure);
}

static void
open_done (gpointer data)
{
  Work *work = data;

  if (conclude (work))
    tfd_upload_opened (work->self, g_steal_pointer (&work->source),
                       g_steal_pointer (&work->digest));
  work_free (work);
}

/* As it was when it was added; nobody may have been able to look then: as it was at the start. */
static GBytes *
expected_source (const TfdFile *file)
{
  g_auto (TfdUploadState) state = { 0 };
  GBytes *source = NULL;

  if (file->directory_identity != NULL)
    return g_bytes_ref (file->directory_identity);
  if (file->part != NULL)
    tfd_upload_record_parse (file->part, 0, &state, &source);

  return source;
}

void
tfd_upload_work_open (TfdUpload *self)
{
  Work *work = work_new (self);

  work->expected = expected_source (self->file);
  tfd_pool_push (self->tools->pool, open_work, open_done, work);
}

static void
check_work (gpointer data)
{
  Work *work = data;

  if (work->compares)
    work->digest = tfd_upload_file_digest (work->source, G_CHECKSUM_SHA256, 0,
                                           tfd_upload_file_get_size (work->source),
                                           &work->self->abort, &work->failure);
  if (work->failure.context == TFD_ERROR_CONTEXT_NONE)
    tfd_upload_file_check (work->source, &work->failure);
}

static void
check_done (gpointer data)
{
  Work *work = data;

  if (conclude (work))
    {
      if (work->digest != NULL)
        tfd_upload_take_digest (work->self, g_steal_pointer (&work->digest));
      tfd_upload_checked (work->self);
    }
  work_free (work);
}

/* To hash a large file costs more than to send it: it is done when there is something to compare it
 * with. */
static gboolean
has_digest (TfdUpload *self)
{
  g_autofree char *theirs = NULL;

  if (self->phase != TFD_UPLOAD_JUDGING || self->digest != NULL || self->received.fields == NULL)
    return FALSE;

  theirs = tfd_field_parse_digest (tfd_upload_field ("Repr-Digest", self->received.fields));
  return theirs != NULL;
}

void
tfd_upload_work_check (TfdUpload *self)
{
  Work *work = work_new (self);

  work->compares = has_digest (self);
  tfd_pool_push (work->compares ? self->tools->hashers : self->tools->pool, check_work, check_done,
                 work);
}

static void
digest_work (gpointer data)
{
  Work *work = data;

  work->digest = tfd_upload_file_digest (work->source, work->type, work->first, work->length,
                                         &work->self->abort, &work->failure);
}

static void
digest_done (gpointer data)
{
  Work *work = data;

  if (conclude (work))
    tfd_upload_digested (work->self, g_steal_pointer (&work->digest));
  work_free (work);
}

void
tfd_upload_work_digest (TfdUpload *self)
{
  Work *work = work_new (self);

  work->type = self->request.digest_type;
  work->first = self->request.first;
  work->length = self->request.length;
  tfd_pool_push (self->tools->hashers, digest_work, digest_done, work);
}
