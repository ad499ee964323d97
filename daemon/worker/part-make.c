/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Partial, making: the temporary that nothing else can be meant with. */
#include "config.h"
#include "worker/partial.h"

#include "worker/failure.h"
#include "worker/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* There is one for all threads. */
G_LOCK_DEFINE_STATIC (umask);

static int
create_file (const TfdDirectory *directory,
             const char *name,
             const TfdFile *file,
             guint32 default_umask)
{
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
  guint32 mask = file->umask != TFD_MODE_NONE ? file->umask : default_umask;
  /* With a mode of its own the file gets it when it is finished, and is nobody else's till then. */
  gboolean private = file->mode != TFD_MODE_NONE;
  mode_t before;
  int fd, saved;

  /* The umask of the process, not a computed mode: default ACLs of the directory replace it. */
  G_LOCK (umask);
  before = umask (private ? 0 : mask & 0777);
  fd = openat (directory->fd, name, flags, private ? 0600 : 0666);
  saved = errno;
  umask (before);
  G_UNLOCK (umask);
  errno = saved;

  return fd;
}

/* Nothing is recorded, yet the name is taken: our own, when we died before the record was stored.
 */
static gboolean
is_own_orphan (const TfdDirectory *directory, const char *name)
{
  struct stat st;

  return fstatat (directory->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG (st.st_mode) &&
         st.st_uid == geteuid () && st.st_nlink == 1;
}

TfdPartOutcome
tfd_part_make (TfdPart *part, const TfdFile *file, guint32 default_umask, TfdFailure *failure)
{
  const TfdDirectory *directory = part->directory;
  const char *name = part->name;
  TfdRecord *record = part->record;
  int fd = create_file (directory, name, file, default_umask);

  if (fd < 0 && errno == EEXIST && file->record == NULL)
    {
      if (!is_own_orphan (directory, name))
        return TFD_PART_FOREIGN;
      if (unlinkat (directory->fd, name, 0) == 0 || errno == ENOENT)
        fd = create_file (directory, name, file, default_umask);
    }
  if (fd < 0 && errno == EEXIST)
    return TFD_PART_FOREIGN;
  if (fd < 0)
    {
      tfd_failure_set_errno (failure, errno, "creating a temporary file in", directory->path);
      return TFD_PART_FAILED;
    }

  part->fd = fd;
  record->identity = tfd_identity_of_new (fd, &directory->file_system, &record->mount);
  if (record->identity == NULL)
    {
      tfd_failure_set_errno (failure, errno, "looking at a temporary file in", directory->path);
      tfd_part_close (part);
      return TFD_PART_FAILED;
    }
  g_free (record->boot);
  record->boot = g_strdup (tfd_boot_id ());

  return TFD_PART_CREATED;
}
