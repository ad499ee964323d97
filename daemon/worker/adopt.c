/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Adopt: can this user go on with what another one has begun?
 *
 * A temporary is only ever written by the user to whom it belongs: whoever else it belongs to could
 * write to it at any time, and what Complete puts in place would be theirs. So what another user
 * has fetched is copied to a temporary of our own beside it, under the name of its next attempt.
 * The old one is left as it is: deleting it is a matter for its own user. */
#include "config.h"
#include "worker/adopt.h"

#include "common/names.h"
#include "worker/attached.h"
#include "worker/failure.h"
#include "worker/identity.h"
#include "worker/partial.h"
#include "worker/upload-source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK (1024 * 1024)

/* At once; a file system that shares blocks does not copy at all. */
#define MOST_AT_ONCE (G_GUINT64_CONSTANT (1) << 30)

typedef struct
{
  const char *job;
  TfdJobType type;
  guint64 keep_free;
  GHashTable *directories; /* see tfd_directory_cache_new () */
  GPtrArray *copies;       /* (owned) of TfdPart: made by this call */
} Context;

/* Gives the copy a name that nothing else has; what an Adopt that died has left under it goes. */
static int
create_copy (TfdDirectory *directory, const char *name)
{
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
  int fd = openat (directory->fd, name, flags, 0600);
  struct stat st;

  if (fd >= 0 || errno != EEXIST)
    return fd;
  if (fstatat (directory->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG (st.st_mode) &&
      st.st_uid == geteuid () && st.st_nlink == 1 && unlinkat (directory->fd, name, 0) == 0)
    return openat (directory->fd, name, flags, 0600);
  errno = EEXIST;
  return -1;
}

/* For file systems between which the kernel copies nothing by itself. */
static int
copy_by_hand (int from, int to, guint64 done, guint64 length)
{
  g_autofree char *block = g_malloc (BLOCK);

  while (done < length)
    {
      gssize n = pread (from, block, MIN (BLOCK, length - done), (off_t) done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return n < 0 ? errno : EIO;
      for (gssize written = 0, w; written < n; written += w)
        {
          w = pwrite (to, block + written, (gsize) (n - written), (off_t) done + written);
          if (w < 0 && errno == EINTR)
            w = 0;
          else if (w <= 0)
            return w < 0 ? errno : ENOSPC;
        }
      done += (guint64) n;
    }
  return 0;
}

/* 0 or an errno. */
static int
copy_bytes (int from, int to, guint64 length)
{
  loff_t in = 0, out = 0;

  while ((guint64) in < length)
    {
      gssize n =
          copy_file_range (from, &in, to, &out, MIN (MOST_AT_ONCE, length - (guint64) in), 0);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return copy_by_hand (from, to, (guint64) in, length);
    }
  return 0;
}

/* So much of what is there counts: of a file that is not finished, what was written since the boot
 * and by this mount, else what is known to be on the disk. */
static guint64
length_that_counts (int fd, const TfdFile *file, guint64 size)
{
  const TfdRecord *record = file->record;
  gboolean whole = file->state == TFD_FILE_STATE_TRANSFERRED ||
                   (record->sequential && record->boot != NULL && tfd_boot_id ()[0] != '\0' &&
                    g_str_equal (record->boot, tfd_boot_id ()) && record->mount != 0 &&
                    record->mount == tfd_mount_id (fd));

  return whole ? size : MIN (size, record->checkpoint);
}

static TfdRecord *
record_of_copy (const TfdFile *file, TfdPart *copy)
{
  g_autoptr (GVariant) before = g_variant_ref_sink (tfd_record_to_variant (file->record));
  TfdRecord *record = tfd_record_parse (before);

  g_bytes_unref (record->identity);
  record->identity = tfd_identity_of_fd (copy->fd);
  g_clear_pointer (&record->directory, g_bytes_unref);
  record->directory = g_bytes_ref (copy->directory->identity);
  record->checkpoint = copy->length;
  g_free (record->boot);
  record->boot = g_strdup (tfd_boot_id ());
  record->mount = tfd_mount_id (copy->fd);
  return record;
}

/* Copies what @from has to the name of the next attempt, durably. NULL with @failure filled. */
static TfdPart *
copy_part (
    Context *context, const TfdFile *file, TfdDirectory *directory, int from, TfdFailure *failure)
{
  g_autoptr (TfdPart) copy = g_new0 (TfdPart, 1);
  struct stat st;
  int error_number = 0;

  g_ref_count_init (&copy->references);
  copy->directory = tfd_directory_ref (directory);
  copy->name = tfd_part_name (context->job, file->index, file->attempt + 1);
  copy->record = tfd_record_new ();
  copy->fd = create_copy (directory, copy->name);
  if (copy->fd < 0 || fstat (from, &st) < 0)
    {
      tfd_failure_set_errno (failure, errno, "creating a temporary file in", directory->path);
      return NULL;
    }
  g_ptr_array_add (context->copies, tfd_part_ref (copy));
  copy->length = length_that_counts (from, file, (guint64) st.st_size);
  if (!tfd_part_check_space (copy, copy->length, context->keep_free, failure))
    return NULL;

  error_number = copy_bytes (from, copy->fd, copy->length);
  if (error_number == 0 && (fchmod (copy->fd, st.st_mode & 0777) < 0 || fdatasync (copy->fd) < 0))
    error_number = errno;
  if (error_number == 0)
    error_number = tfd_directory_sync (directory, copy->fd);
  g_clear_pointer (&copy->record, tfd_record_free);
  copy->record = record_of_copy (file, copy);
  close (copy->fd);
  copy->fd = -1;
  if (error_number == 0 && copy->record->identity != NULL)
    return g_steal_pointer (&copy);
  tfd_failure_set_errno (failure, error_number != 0 ? error_number : EIO,
                         "copying a temporary file in", directory->path);
  return NULL;
}

/* What has arrived of @file: "ok" as it is, "copied" with its record in @details, "absent" when it
 * is not there, or something else is (which the next start finds out by itself); NULL with @failure
 * filled. */
static const char *
adopt_part (Context *context, const TfdFile *file, GVariantDict *details, TfdFailure *failure)
{
  g_autoptr (TfdDirectory) directory = tfd_attached_directory (file, context->directories, failure);
  g_autofree char *name = tfd_part_name (context->job, file->index, file->attempt);
  g_autofree char *path = tfd_file_part_path (file, context->job);
  g_autoptr (GBytes) identity = NULL;
  g_autoptr (TfdPart) copy = NULL;
  gboolean same = FALSE;
  guint64 size;
  struct stat st;
  int fd, error_number;

  if (directory == NULL)
    return NULL;
  error_number = tfd_part_look (directory, name, file->record, TRUE, &same, &size);
  if (error_number == ENOENT || (error_number == 0 && !same))
    return "absent";

  fd = error_number == 0
           ? openat (directory->fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
           : -1;
  if (fd < 0)
    {
      tfd_failure_set_errno (failure, error_number != 0 ? error_number : errno,
                             "opening the temporary file", path);
      return NULL;
    }
  identity = tfd_identity_of_fd (fd);
  if (!tfd_identity_same (file->record->identity, identity))
    {
      close (fd);
      return "absent";
    }
  if (fstat (fd, &st) == 0 && st.st_uid == geteuid ())
    {
      close (fd);
      return "ok";
    }

  copy = copy_part (context, file, directory, fd, failure);
  close (fd);
  if (copy == NULL)
    return NULL;
  g_variant_dict_insert_value (details, "part", tfd_record_to_variant (copy->record));
  return "copied";
}

/* What is sent must be there to be read. */
static const char *
adopt_source (const TfdFile *file, TfdFailure *failure)
{
  TfdUploadFile *source;

  if (file->state == TFD_FILE_STATE_TRANSFERRED)
    return "ok";
  /* what was handed in is known by nothing else */
  source = tfd_upload_file_open (file, file->attached ? file->directory_identity : NULL, failure);
  if (source == NULL)
    return NULL;
  tfd_upload_file_unref (source);
  return "ok";
}

static const char *
adopt_one (Context *context, const TfdFile *file, GVariantDict *details, TfdFailure *failure)
{
  if (tfd_file_direction (context->type, file->index) == TFD_DIRECTION_SEND)
    return adopt_source (file, failure);
  return file->record != NULL ? adopt_part (context, file, details, failure) : "ok";
}

static void
read_options (Context *context, GVariant *options)
{
  const char *type = NULL;
  int value = TFD_JOB_TYPE_DOWNLOAD;

  if (g_variant_lookup (options, "type", "&s", &type))
    tfd_enum_from_string (TFD_TYPE_JOB_TYPE, type, &value);
  context->type = (TfdJobType) value;
  g_variant_lookup (options, "keep-free", "t", &context->keep_free);
}

/* One that is full is no matter of rights. */
static void
refuse (const TfdFailure *failure, GError **error)
{
  g_set_error_literal (error, TFD_ERROR,
                       failure->code == TFD_ERROR_INSUFFICIENT_SPACE ? TFD_ERROR_INSUFFICIENT_SPACE
                                                                     : TFD_ERROR_FILE_ACCESS_DENIED,
                       failure->message);
}

GVariant *
tfd_adopt (const char *job, GVariant *options, GPtrArray *files, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(usa{sv})"));
  g_autoptr (GHashTable) directories = tfd_directory_cache_new ();
  g_autoptr (GPtrArray) copies = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_part_unref);
  Context context = { .job = job, .directories = directories, .copies = copies };

  read_options (&context, options);
  for (guint i = 0; i < files->len; i++)
    {
      const TfdFile *file = files->pdata[i];
      g_auto (TfdFailure) failure = { 0 };
      g_auto (GVariantDict) details = G_VARIANT_DICT_INIT (NULL);
      const char *result = adopt_one (&context, file, &details, &failure);

      if (result == NULL)
        {
          for (guint k = 0; k < copies->len; k++)
            {
              const TfdPart *copy = copies->pdata[k];

              unlinkat (copy->directory->fd, copy->name, 0);
            }
          refuse (&failure, error);
          return NULL;
        }
      g_variant_builder_add (&builder, "(us@a{sv})", file->index, result,
                             g_variant_dict_end (&details));
    }
  return g_variant_builder_end (&builder);
}
