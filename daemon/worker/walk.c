/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Walk: the way to a directory or file, which leads over no link that another user has laid. */
#include "config.h"
#include "worker/walk.h"

#include "worker/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* As many as the kernel follows. */
#define MAX_LINKS 40

/* Whoever stands for root, and all others, where their numbers are not known (user namespaces). */
#define OVERFLOW_UID 65534

typedef struct
{
  int fd;        /* (owned) where we are, O_PATH */
  GString *rest; /* (owned) of the way */
  guint links;   /* followed so far */
} Walk;

/* Does not change errno. */
static void
enter (Walk *walk, int fd)
{
  int error_number = errno;

  if (walk->fd >= 0)
    close (walk->fd);
  walk->fd = fd;
  errno = error_number;
}

/* The next component of the way; NULL at its end. */
static char *
take_component (Walk *walk)
{
  gsize start = strspn (walk->rest->str, "/");
  gsize length = strcspn (walk->rest->str + start, "/");
  char *name = length > 0 ? g_strndup (walk->rest->str + start, length) : NULL;

  g_string_erase (walk->rest, 0, (gssize) (start + length));
  return name;
}

static gboolean
follow (Walk *walk, int link, const struct stat *st)
{
  char target[PATH_MAX];
  ssize_t length;

  if (st->st_uid != 0 && st->st_uid != geteuid () && st->st_uid != OVERFLOW_UID)
    {
      errno = EPERM;
      return FALSE;
    }
  if (++walk->links > MAX_LINKS)
    {
      errno = ELOOP;
      return FALSE;
    }
  length = readlinkat (link, "", target, sizeof target);
  if (length <= 0 || length == sizeof target)
    {
      errno = length < 0 ? errno : length == 0 ? ENOENT : ENAMETOOLONG;
      return FALSE;
    }
  g_string_prepend_c (walk->rest, '/');
  g_string_prepend_len (walk->rest, target, length);
  if (target[0] == '/')
    enter (walk, open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  return walk->fd >= 0;
}

static gboolean
step (Walk *walk, const char *name)
{
  /* as a directory first: what is mounted only when it is needed is not for one who just looks */
  int next = openat (walk->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat st;
  gboolean done;

  if (next < 0 && errno == ENOTDIR)
    next = openat (walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (next < 0)
    return FALSE;
  if (fstat (next, &st) == 0 && !S_ISLNK (st.st_mode))
    {
      enter (walk, next);
      return TRUE;
    }
  done = follow (walk, next, &st);
  close (next);
  return done;
}

static gboolean
walk_all (Walk *walk)
{
  char *name;

  while ((name = take_component (walk)) != NULL)
    {
      gboolean done = step (walk, name);

      g_free (name);
      if (!done)
        return FALSE;
    }
  return TRUE;
}

/* What @path leads to, O_PATH; -1 with errno set. */
static int
find (const char *path)
{
  Walk walk = { open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC), g_string_new (path), 0 };
  int error_number;

  if (walk.fd >= 0 && !walk_all (&walk))
    enter (&walk, -1);
  error_number = errno;
  g_string_free (walk.rest, TRUE);
  errno = error_number;
  return walk.fd;
}

/* Whether a way that could not be gone at once has to be gone step by step. */
static gboolean
may_have_links (int error_number)
{
  return error_number == ELOOP || error_number == ENOSYS || error_number == EPERM;
}

/* Keeps errno. */
static void
close_quietly (int fd)
{
  int error_number = errno;

  close (fd);
  errno = error_number;
}

int
tfd_walk_open (const char *path, int flags)
{
  int fd = tfd_open_plainly (path, flags | O_DIRECTORY);
  int place;

  /* most ways have no link at all */
  if (fd >= 0 || !may_have_links (errno))
    return fd;
  place = find (path);
  if (place < 0)
    return -1;
  fd = openat (place, ".", flags | O_DIRECTORY);
  close_quietly (place);
  return fd;
}

int
tfd_walk_open_regular (const char *path, struct stat *st)
{
  int place = tfd_open_plainly (path, O_PATH | O_CLOEXEC);
  int fd = -1;

  if (place < 0 && may_have_links (errno))
    place = find (path);
  if (place < 0)
    return -1;
  errno = 0;
  if (fstat (place, st) == 0 && S_ISREG (st->st_mode))
    {
      g_autofree char *name = g_strdup_printf ("/proc/self/fd/%d", place);

      fd = open (name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
  close_quietly (place);
  return fd;
}
