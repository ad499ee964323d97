/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Partial: the temporary of a file, hidden beside its destination. */
#include "config.h"
#include "worker/partial.h"

#include "common/names.h"
#include "worker/failure.h"
#include "worker/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MAGIC_TMPFS 0x01021994

/* Below this, reserving costs more than it saves. */
#define RESERVE_MINIMUM (G_GUINT64_CONSTANT (1) << 20)

TfdPart *
tfd_part_ref (TfdPart *part)
{
  g_ref_count_inc (&part->references);
  return part;
}

void
tfd_part_close (TfdPart *part)
{
  if (part->fd >= 0)
    close (part->fd);
  part->fd = -1;
}

void
tfd_part_unref (TfdPart *part)
{
  if (!g_ref_count_dec (&part->references))
    return;

  tfd_part_close (part);
  tfd_directory_unref (part->directory);
  tfd_record_free (part->record);
  g_free (part->name);
  g_free (part);
}

/* @name and @record are taken. */
static TfdPart *
part_new (TfdDirectory *directory, char *name, int fd, TfdRecord *record)
{
  TfdPart *part = g_new0 (TfdPart, 1);

  g_ref_count_init (&part->references);
  part->directory = tfd_directory_ref (directory);
  part->name = name;
  part->fd = fd;
  part->record = record;

  return part;
}

/* The bytes that are written from now on belong to this boot and this mount. */
static void
stamp (TfdPart *part)
{
  g_free (part->record->boot);
  part->record->boot = g_strdup (tfd_boot_id ());
  part->record->mount = tfd_mount_id (part->fd);
}

TfdPart *
tfd_part_new (TfdDirectory *directory, const char *job, const TfdFile *file)
{
  TfdRecord *record = tfd_record_new ();

  record->directory = g_bytes_ref (directory->identity);
  return part_new (directory, tfd_part_name (job, file->index, file->attempt), -1, record);
}

static TfdPartOutcome
create (TfdDirectory *directory,
        const char *job,
        const TfdFile *file,
        guint32 default_umask,
        TfdPart **part,
        TfdFailure *failure)
{
  g_autoptr (TfdPart) made = tfd_part_new (directory, job, file);
  TfdPartOutcome outcome = tfd_part_make (made, file, default_umask, failure);

  if (outcome == TFD_PART_CREATED)
    *part = g_steal_pointer (&made);
  return outcome;
}

static TfdRecord *
copy_record (const TfdRecord *record)
{
  g_autoptr (GVariant) variant = g_variant_ref_sink (tfd_record_to_variant (record));

  return tfd_record_parse (variant);
}

TfdPartOutcome
tfd_part_open (TfdDirectory *directory,
               const char *job,
               const TfdFile *file,
               guint32 default_umask,
               TfdPart **part,
               TfdFailure *failure)
{
  g_autofree char *name = tfd_part_name (job, file->index, file->attempt);
  g_autoptr (GBytes) identity = NULL;
  gboolean same = FALSE;
  guint64 size = 0;
  int fd, error_number;

  if (file->record == NULL)
    return create (directory, job, file, default_umask, part, failure);

  /* Looked at before it is opened: opening a device or a FIFO can do something. */
  error_number = tfd_part_look (directory, name, file->record, TRUE, &same, &size);
  if (error_number == ENOENT)
    return tfd_record_has_source (file->record)
               ? TFD_PART_MISSING
               : create (directory, job, file, default_umask, part, failure);
  if (error_number == 0 && !same)
    return TFD_PART_FOREIGN;

  fd = error_number == 0
           ? openat (directory->fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
           : -1;
  if (fd < 0)
    {
      tfd_failure_set_errno (failure, error_number ? error_number : errno,
                             "opening the temporary file in", directory->path);
      return TFD_PART_FAILED;
    }
  identity = tfd_identity_of_fd (fd);
  if (!tfd_identity_same (file->record->identity, identity))
    {
      close (fd);
      return TFD_PART_FOREIGN;
    }

  *part = part_new (directory, g_steal_pointer (&name), fd, copy_record (file->record));
  (*part)->length = size;
  (*part)->reopened = TRUE;

  return TFD_PART_REOPENED;
}

int
tfd_part_look (TfdDirectory *directory,
               const char *name,
               const TfdRecord *record,
               gboolean links_matter,
               gboolean *same,
               guint64 *size)
{
  TfdSight sight;
  int error_number =
      tfd_identity_look (directory->fd, &directory->file_system, name, record->identity, &sight);

  *same = error_number == 0 && sight.same && (!links_matter || sight.links == 1);
  if (*same)
    *size = sight.size;
  return error_number;
}

gboolean
tfd_part_length_counts (const TfdPart *part)
{
  return part->record->sequential && part->record->boot != NULL && tfd_boot_id ()[0] != '\0' &&
         g_str_equal (part->record->boot, tfd_boot_id ()) && part->record->mount != 0 &&
         part->record->mount == tfd_mount_id (part->fd);
}

gboolean
tfd_part_truncate (TfdPart *part, guint64 length, TfdFailure *failure)
{
  if (ftruncate (part->fd, (off_t) length) < 0 || lseek (part->fd, (off_t) length, SEEK_SET) < 0)
    {
      tfd_failure_set_errno (failure, errno, "cutting the temporary file in",
                             part->directory->path);
      return FALSE;
    }

  part->length = length;
  part->begun = MIN (part->begun, length);
  part->reserved = FALSE;
  part->record->checkpoint = MIN (part->record->checkpoint, length);
  stamp (part);

  return TRUE;
}

void
tfd_part_date (const TfdPart *part)
{
  struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } };

  /* without a time of birth the other one says when it was begun */
  if (part->directory->file_system.births && tfd_record_get_time (part->record, &times[1]))
    futimens (part->fd, times);
}

gboolean
tfd_part_check_space (TfdPart *part, guint64 total, guint64 keep_free, TfdFailure *failure)
{
  struct stat st = { 0 };
  struct statvfs fs;
  guint64 available, keep, present, needed, room;

  if (fstatvfs (part->fd >= 0 ? part->fd : part->directory->fd, &fs) < 0 || fs.f_blocks == 0 ||
      (part->fd >= 0 && fstat (part->fd, &st) < 0))
    return TRUE;

  available = (guint64) fs.f_bavail * fs.f_frsize;
  keep = MIN (keep_free, (guint64) fs.f_blocks * fs.f_frsize / 20);
  present = MAX ((guint64) st.st_blocks * 512, part->length);
  needed = total > present ? total - present : 0;
  room = available > keep ? available - keep : 0;
  /* asked after the disk: what is written between the two must not count twice */
  if (needed == 0 ||
      (needed <= room && (guint64) g_atomic_int_get (&part->directory->coming) <= room - needed))
    return TRUE;

  g_autofree char *need_text = g_format_size (needed);
  g_autofree char *have_text = g_format_size (available);
  g_autofree char *keep_text = g_format_size (keep);
  g_autofree char *shown = g_filename_display_name (part->directory->path);
  tfd_failure_set (failure, TFD_ERROR_INSUFFICIENT_SPACE, TFD_ERROR_CONTEXT_LOCAL_FILE,
                   "%s more are needed in ‘%s’, where %s are free and %s must stay free", need_text,
                   shown, have_text, keep_text);

  return FALSE;
}

gboolean
tfd_part_should_reserve (const TfdPart *part, guint64 total)
{
  struct statfs fs;

  /* tmpfs fills memory page by page when asked to reserve. */
  return total >= RESERVE_MINIMUM && total > part->length && total <= G_MAXINT64 &&
         fstatfs (part->fd, &fs) == 0 && ((guint64) fs.f_type & 0xffffffff) != MAGIC_TMPFS;
}
