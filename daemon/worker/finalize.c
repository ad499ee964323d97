/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Finalize: temporaries get their final names, durably, or stay what they are. */
#include "config.h"
#include "worker/finalize.h"

#include "common/names.h"
#include "worker/failure.h"
#include "worker/identity.h"
#include "worker/partial.h"
#include "worker/places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* From so many on, one syncfs () for all is cheaper than fsync () for each. */
#define SYNCFS_FROM 8

typedef struct
{
  const char *job;
  TfdOverwrite overwrite;
  gboolean recovering; /* an earlier call may have done part of the work */
  gboolean keep_newer; /* nobody asked just now: what somebody put there meanwhile stays */
  TfdOwned *owned;
  TfdPlaces *places;  /* those touched are to be synced */
  GPtrArray *changed; /* (owned) (element-type Changed) files with a new mode or time */
} Context;

typedef struct
{
  TfdDirectory *directory;
  char *name;
} Changed;

static void
changed_free (Changed *changed)
{
  tfd_directory_unref (changed->directory);
  g_free (changed->name);
  g_free (changed);
}

static const char *
refuse (
    TfdFailure *failure, TfdErrorCode code, const TfdFile *file, const char *name, const char *why)
{
  g_autofree char *path =
      g_strconcat (file->directory[1] != '\0' ? file->directory : "", "/", name, NULL);
  g_autofree char *shown = g_filename_display_name (path);

  tfd_failure_set (failure, code, TFD_ERROR_CONTEXT_LOCAL_FILE, "‘%s’: %s", shown, why);
  return "failed";
}

/* Renames within @directory, never onto something. 0 or an errno. */
static int
rename_to_free_name (int directory, const char *from, const char *to)
{
  struct stat st;

  if (renameat2 (directory, from, directory, to, RENAME_NOREPLACE) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
    return errno;

  /* This file system cannot; two names for a moment do as well. */
  if (linkat (directory, from, directory, to, 0) == 0)
    return unlinkat (directory, from, 0) < 0 ? errno : 0;
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
    return errno;

  /* It has no second names either (FAT through FUSE): look, then rename. */
  if (fstatat (directory, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
    return EEXIST;
  return renameat (directory, from, directory, to) < 0 ? errno : 0;
}

/* Was @name written after the temporary @part was begun? */
static gboolean
is_newer (TfdDirectory *directory, const char *name, const char *part)
{
  struct statx there, ours;

  if (statx (directory->fd, name, AT_SYMLINK_NOFOLLOW, STATX_MTIME, &there) < 0 ||
      statx (directory->fd, part, AT_SYMLINK_NOFOLLOW, STATX_MTIME | STATX_BTIME, &ours) < 0)
    return FALSE;

  const struct statx_timestamp *begun =
      ours.stx_mask & STATX_BTIME ? &ours.stx_btime : &ours.stx_mtime;
  return there.stx_mtime.tv_sec > begun->tv_sec ||
         (there.stx_mtime.tv_sec == begun->tv_sec && there.stx_mtime.tv_nsec > begun->tv_nsec);
}

/* May what stands under @name be replaced by @part? NULL = yes, or there is nothing. */
static const char *
judge_destination (Context *context,
                   const TfdFile *file,
                   TfdDirectory *directory,
                   const char *part,
                   const char *name,
                   TfdFailure *failure)
{
  g_autoptr (GBytes) identity = NULL;
  struct stat st;

  if (fstatat (directory->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT
               ? NULL
               : refuse (failure, TFD_ERROR_COMMIT_FAILED, file, name, g_strerror (errno));

  if (context->overwrite == TFD_OVERWRITE_KEEP_BOTH)
    return "taken";
  identity = tfd_identity_at (directory->fd, name);
  if (identity != NULL && tfd_owned_contains (context->owned, identity))
    return refuse (failure, TFD_ERROR_COMMIT_FAILED, file, name,
                   "another file of this job has been put there");
  if (context->overwrite == TFD_OVERWRITE_FAIL)
    return refuse (failure, TFD_ERROR_COMMIT_FAILED, file, name, "a file of that name exists");
  if (S_ISDIR (st.st_mode))
    return refuse (failure, TFD_ERROR_COMMIT_FAILED, file, name, "a directory stands there");
  if (!S_ISREG (st.st_mode) && !S_ISLNK (st.st_mode))
    return refuse (failure, TFD_ERROR_COMMIT_FAILED, file, name,
                   "a FIFO, socket or device stands there");
  if (context->keep_newer && is_newer (directory, name, part))
    return refuse (failure, TFD_ERROR_COMMIT_FAILED, file, name,
                   "a file that is newer than the transfer stands there");

  return NULL;
}

/* A descriptor of the temporary, which may not be ours to read, or -1 with errno set. Between two
 * looks at a name somebody who may write the directory can have put something else there, a link
 * to another file of the owner, say. */
static int
open_temporary (const TfdFile *file, TfdDirectory *directory, const char *part)
{
  int fd = openat (directory->fd, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  g_autoptr (GBytes) identity = fd >= 0 ? tfd_identity_of_fd (fd) : NULL;

  if (fd < 0 || (identity != NULL && tfd_identity_same (file->record->identity, identity)))
    return fd;
  close (fd);
  errno = ESTALE;
  return -1;
}

/* The mode that was asked for, and the time that the server told, of the file @path, which is a
 * descriptor. 0 or an errno. */
static int
set_attributes (const TfdFile *file, const char *path)
{
  struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } };

  if (file->mode != TFD_MODE_NONE && chmod (path, file->mode & 07777) < 0)
    return errno;
  /* A time that the file system cannot keep is no reason to fail. */
  if (tfd_record_get_time (file->record, &times[1]) && utimensat (AT_FDCWD, path, times, 0) < 0 &&
      errno != EINVAL && errno != EPERM && errno != EOVERFLOW)
    return errno;
  return 0;
}

/* It has this mode and time already. */
static gboolean
is_dressed (const TfdFile *file, const TfdSight *sight)
{
  struct timespec time;

  if (file->mode != TFD_MODE_NONE && (sight->mode & 07777) != (file->mode & 07777))
    return FALSE;
  return !tfd_record_get_time (file->record, &time) ||
         (time.tv_sec == sight->mtime.tv_sec && time.tv_nsec == sight->mtime.tv_nsec);
}

/* Mode and time. 0 or an errno. */
static int
dress (Context *context,
       const TfdFile *file,
       TfdDirectory *directory,
       const char *part,
       const char *final)
{
  g_autofree char *path = NULL;
  Changed *changed;
  int fd, error_number;

  fd = open_temporary (file, directory, part);
  if (fd < 0)
    return errno;
  /* the only name of a descriptor that cannot be read from: not the name that others can change */
  path = g_strdup_printf ("/proc/self/fd/%d", fd);
  error_number = set_attributes (file, path);
  close (fd);
  if (error_number != 0)
    return error_number;

  changed = g_new0 (Changed, 1);
  changed->directory = tfd_directory_ref (directory);
  changed->name = g_strdup (final);
  g_ptr_array_add (context->changed, changed);

  return 0;
}

static gboolean
is_same_file (TfdDirectory *directory, const char *a, const char *b)
{
  struct stat sa, sb;

  return fstatat (directory->fd, a, &sa, AT_SYMLINK_NOFOLLOW) == 0 &&
         fstatat (directory->fd, b, &sb, AT_SYMLINK_NOFOLLOW) == 0 && sa.st_dev == sb.st_dev &&
         sa.st_ino == sb.st_ino;
}

/* The temporary is there and ours, and something may stand under its final name. */
static const char *
replace (Context *context,
         const TfdFile *file,
         TfdDirectory *directory,
         const char *part,
         const char *final,
         gboolean dressed,
         TfdFailure *failure)
{
  const char *verdict;
  int error_number = 0;

  /* Renaming one of two names of a file to the other does nothing at all: the temporary stays. */
  if (is_same_file (directory, part, final))
    {
      if (unlinkat (directory->fd, part, 0) < 0)
        return refuse (failure, TFD_ERROR_COMMIT_FAILED, file, part, g_strerror (errno));
      return "renamed";
    }

  verdict = judge_destination (context, file, directory, part, final, failure);
  if (verdict != NULL)
    return verdict;

  if (!dressed)
    error_number = dress (context, file, directory, part, final);
  if (error_number == 0 && context->overwrite != TFD_OVERWRITE_REPLACE)
    error_number = rename_to_free_name (directory->fd, part, final);
  else if (error_number == 0 && renameat (directory->fd, part, directory->fd, final) < 0)
    error_number = errno;

  if (error_number == 0)
    return "renamed";
  if (error_number == EEXIST && context->overwrite == TFD_OVERWRITE_KEEP_BOTH)
    return "taken";
  return refuse (failure, TFD_ERROR_COMMIT_FAILED, file, final, g_strerror (error_number));
}

/* The temporary is there and ours. */
static const char *
put_in_place (Context *context,
              const TfdFile *file,
              TfdDirectory *directory,
              const char *part,
              const char *final,
              const TfdSight *sight,
              TfdFailure *failure)
{
  gboolean dressed = is_dressed (file, sight);

  /* Most often nothing stands there, and then there is nothing to judge. */
  if (dressed && renameat2 (directory->fd, part, directory->fd, final, RENAME_NOREPLACE) == 0)
    return "renamed";
  if (dressed && errno != EEXIST && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
    return refuse (failure, TFD_ERROR_COMMIT_FAILED, file, final, g_strerror (errno));
  return replace (context, file, directory, part, final, dressed, failure);
}

/* After a crash: the temporary is gone. Was it renamed? */
static const char *
judge_absent (Context *context,
              const TfdFile *file,
              TfdDirectory *directory,
              const char *part,
              const char *final,
              TfdFailure *failure)
{
  gboolean same = FALSE;
  guint64 size;

  if (!context->recovering)
    return refuse (failure, TFD_ERROR_FILE_MISSING, file, part,
                   "the temporary file is not there any more");

  tfd_part_look (directory, final, file->record, FALSE, &same, &size);
  return same ? "renamed" : "moved";
}

static const char *
walk_one (Context *context, const TfdFile *file, TfdFailure *failure)
{
  g_autofree char *part = tfd_part_name (context->job, file->index, file->attempt);
  const char *final = context->overwrite == TFD_OVERWRITE_KEEP_BOTH && file->target != NULL
                          ? strrchr (file->target, '/') + 1
                          : file->base;
  TfdDirectory *directory;
  TfdSight sight;
  int error_number;

  if (file->record == NULL)
    return refuse (failure, TFD_ERROR_COMMIT_FAILED, file, part, "nothing is known about it");

  error_number = tfd_places_look (context->places, file, part, &sight, failure);
  directory = context->places->present;
  if (error_number < 0)
    return "failed";
  if (error_number == ENOENT)
    return judge_absent (context, file, directory, part, final, failure);
  if (error_number > 0)
    return refuse (failure, TFD_ERROR_COMMIT_FAILED, file, part, g_strerror (error_number));
  if (!sight.same)
    return refuse (failure, TFD_ERROR_COMMIT_FAILED, file, part,
                   "it is not the temporary file that was written");
  if (file->record->size != TFD_SIZE_UNKNOWN && sight.size != file->record->size)
    return refuse (failure, TFD_ERROR_COMMIT_FAILED, file, part,
                   "its size is not the one that was written");
  return put_in_place (context, file, directory, part, final, &sight, failure);
}

/* A file's own mode and time. 0 or an errno. */
static int
sync_changed (const Changed *changed)
{
  int fd = openat (changed->directory->fd, changed->name,
                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  int error_number = 0;

  /* Gone again, or not for its owner to read: the directory is synced in any case. */
  if (fd < 0)
    return 0;
  if (fsync (fd) < 0)
    error_number = errno;
  close (fd);

  return error_number;
}

static gboolean
sync_all (Context *context, GError **error)
{
  GPtrArray *touched = context->places->touched;
  gboolean at_once = context->changed->len >= SYNCFS_FROM;
  int error_number = 0;

  for (guint i = 0; !at_once && i < context->changed->len && error_number == 0; i++)
    error_number = sync_changed (context->changed->pdata[i]);
  for (guint i = 0; i < touched->len && error_number == 0; i++)
    {
      TfdDirectory *directory = touched->pdata[i];

      if (at_once && !directory->path_only && syncfs (directory->fd) < 0)
        error_number = errno;
      else
        error_number = tfd_directory_sync (directory, -1);
    }
  if (error_number == 0)
    return TRUE;

  g_set_error (error, TFD_ERROR, TFD_ERROR_COMMIT_FAILED, "syncing the directories: %s",
               g_strerror (error_number));
  return FALSE;
}

static void
read_options (Context *context, GVariant *options)
{
  const char *overwrite = NULL;
  int value = TFD_OVERWRITE_REPLACE;

  if (g_variant_lookup (options, "overwrite", "&s", &overwrite) &&
      !tfd_enum_from_string (TFD_TYPE_OVERWRITE, overwrite, &value))
    value = TFD_OVERWRITE_FAIL;
  context->overwrite = (TfdOverwrite) value;
  g_variant_lookup (options, "recovering", "b", &context->recovering);
  g_variant_lookup (options, "keep-newer", "b", &context->keep_newer);
}

/* All files from @first (nullable) to @last. */
static void
add_renamed (GVariantBuilder *builder, const TfdFile *first, const TfdFile *last)
{
  g_auto (GVariantDict) details = G_VARIANT_DICT_INIT (NULL);

  if (first == NULL)
    return;
  if (last != first)
    g_variant_dict_insert (&details, "last", "u", last->index);
  g_variant_builder_add (builder, "(us@a{sv})", first->index, "renamed",
                         g_variant_dict_end (&details));
}

static void
add_result (GVariantBuilder *builder,
            const TfdFile *file,
            const char *result,
            const TfdFailure *failure)
{
  g_auto (GVariantDict) details = G_VARIANT_DICT_INIT (NULL);

  if (failure->message != NULL)
    {
      g_variant_dict_insert (&details, "error", "s", tfd_error_code_to_name (failure->code));
      g_variant_dict_insert (&details, "message", "s", failure->message);
    }
  g_variant_builder_add (builder, "(us@a{sv})", file->index, result, g_variant_dict_end (&details));
}

gboolean
tfd_finalize_stops (const char *verdict)
{
  return g_str_equal (verdict, "failed") || g_str_equal (verdict, "taken");
}

GVariant *
tfd_finalize (const char *job, GVariant *options, GPtrArray *files, TfdOwned *owned, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(usa{sv})"));
  g_auto (TfdPlaces) places = { 0 };
  g_autoptr (GPtrArray) changed = g_ptr_array_new_with_free_func ((GDestroyNotify) changed_free);
  Context context = {
    .job = job,
    .owned = owned,
    .places = &places,
    .changed = changed,
  };
  const TfdFile *first = NULL, *last = NULL; /* of those renamed that are not yet told */
  gboolean stop = FALSE;

  read_options (&context, options);
  tfd_places_init (&places);
  for (guint i = 0; i < files->len && !stop; i++)
    {
      const TfdFile *file = files->pdata[i];
      g_auto (TfdFailure) failure = { 0 };
      const char *result;

      if (file->state == TFD_FILE_STATE_COMPLETED)
        {
          if (file->record != NULL)
            tfd_owned_add (owned, file->record->identity);
          continue;
        }
      result = walk_one (&context, file, &failure);
      tfd_places_touch (&places);
      if (g_str_equal (result, "renamed"))
        {
          tfd_owned_add (owned, file->record->identity);
          first = first != NULL ? first : file;
          last = file;
          continue;
        }
      add_renamed (&builder, first, last);
      first = NULL;
      add_result (&builder, file, result, &failure);
      stop = tfd_finalize_stops (result);
    }
  add_renamed (&builder, first, last);

  return sync_all (&context, error) ? g_variant_builder_end (&builder) : NULL;
}
