/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Walk: which ways to a file or a directory are gone. */
#include "config.h"

#include "worker/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define SOMEBODY 4242

typedef struct
{
  char *root; /* a directory of the test, with file "a", directory "d" and "d/b" in it */
} Fixture;

static char *
place (const Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->root, name, NULL);
}

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *made = g_dir_make_tmp ("walk-XXXXXX", NULL);
  /* the way to it must have no link */
  char *real = realpath (made, NULL);

  fixture->root = g_strdup (real);
  free (real);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *path = place (fixture, ((const char *[]){ "d", "a", "d/b" })[i]);

      if (i == 0)
        g_assert_no_errno (g_mkdir (path, 0700));
      else
        g_assert_true (g_file_set_contents (path, path, -1, NULL));
    }
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  const char *arguments[] = { "rm", "-rf", fixture->root, NULL };

  g_assert_true (g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                               NULL, NULL, NULL, NULL));
  g_free (fixture->root);
}

static void
lay (const Fixture *fixture, const char *name, const char *target, uid_t owner)
{
  g_autofree char *path = place (fixture, name);

  g_assert_no_errno (symlink (target, path));
  if (owner != geteuid ())
    g_assert_no_errno (lchown (path, owner, (gid_t) -1));
}

/* The content of "a" and "d/b" is where they are: @name leads to @to, or fails with @error_number.
 */
static void
assert_leads (const Fixture *fixture, const char *name, const char *to, int error_number)
{
  g_autofree char *path = name[0] == '/' ? g_strdup (name) : place (fixture, name);
  char text[4096] = "";
  struct stat st;
  int fd;

  g_test_message ("%s", name);
  errno = 4711;
  fd = tfd_walk_open_regular (path, &st);
  if (to == NULL)
    {
      g_assert_cmpint (errno, ==, error_number);
      g_assert_cmpint (fd, ==, -1);
      return;
    }
  g_autofree char *expected = place (fixture, to);
  g_assert_no_errno (fd);
  g_assert_cmpint (read (fd, text, sizeof text - 1), ==, st.st_size);
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, !=, 0);
  close (fd);
}

static void
assert_directory (const Fixture *fixture, const char *name, int error_number)
{
  g_autofree char *path = place (fixture, name);
  int fd = tfd_walk_open (path, O_RDONLY | O_CLOEXEC);

  if (error_number == 0)
    g_assert_no_errno (fd);
  else
    {
      g_assert_cmpint (errno, ==, error_number);
      g_assert_cmpint (fd, ==, -1);
    }
  if (fd >= 0)
    close (fd);
}

static void
test_no_links (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  g_autofree char *fifo = place (fixture, "fifo");

  g_assert_no_errno (mkfifo (fifo, 0600));
  assert_leads (fixture, "a", "a", 0);
  assert_leads (fixture, "d/b", "d/b", 0);
  assert_leads (fixture, "d/../d/./b", "d/b", 0);
  assert_leads (fixture, "none", NULL, ENOENT);
  assert_leads (fixture, "none/b", NULL, ENOENT);
  assert_leads (fixture, "a/b", NULL, ENOTDIR);
  assert_leads (fixture, "d", NULL, 0);
  assert_leads (fixture, "fifo", NULL, 0);
  assert_leads (fixture, "/dev/null", NULL, 0);
}

static void
test_own_links (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  lay (fixture, "to-a", "a", geteuid ());
  lay (fixture, "to-d", fixture->root, geteuid ());
  lay (fixture, "up", "d/../to-d/d", geteuid ());
  lay (fixture, "nowhere", "none", geteuid ());
  lay (fixture, "round", "round", geteuid ());
  lay (fixture, "through", "a/b", geteuid ());
  lay (fixture, "device", "/dev/null", geteuid ());
  assert_leads (fixture, "to-a", "a", 0);
  assert_leads (fixture, "to-d/a", "a", 0);
  assert_leads (fixture, "to-d/to-d/to-d/to-a", "a", 0);
  assert_leads (fixture, "up/b", "d/b", 0);
  assert_leads (fixture, "up/../to-a", "a", 0);
  assert_leads (fixture, "nowhere", NULL, ENOENT);
  assert_leads (fixture, "round", NULL, ELOOP);
  assert_leads (fixture, "round/b", NULL, ELOOP);
  assert_leads (fixture, "through", NULL, ENOTDIR);
  assert_leads (fixture, "up", NULL, 0);
  assert_leads (fixture, "device", NULL, 0);
  assert_directory (fixture, "up", 0);
  assert_directory (fixture, "to-a", ENOTDIR);
}

static void
test_links_of_others (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
  if (geteuid () != 0)
    {
      g_test_skip ("only root makes links of others");
      return;
    }
  lay (fixture, "to-a", "a", SOMEBODY);
  lay (fixture, "to-d", "d", SOMEBODY);
  lay (fixture, "own", "to-a", geteuid ());
  assert_leads (fixture, "to-a", NULL, EPERM);
  assert_leads (fixture, "to-d/b", NULL, EPERM);
  assert_leads (fixture, "to-d/../a", NULL, EPERM);
  assert_leads (fixture, "own", NULL, EPERM);
  assert_leads (fixture, "a", "a", 0);
  assert_directory (fixture, "to-d", EPERM);
  /* those of root, as another user, are what everybody's /bin is */
  g_assert_no_errno (chmod (fixture->root, 0755));
  lay (fixture, "of-root", "a", 0);
  g_assert_no_errno (seteuid (SOMEBODY));
  assert_leads (fixture, "of-root", "a", 0);
  assert_leads (fixture, "own", "a", 0);
  g_assert_no_errno (seteuid (0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/walk/no-links", Fixture, NULL, set_up, test_no_links, tear_down);
  g_test_add ("/walk/own-links", Fixture, NULL, set_up, test_own_links, tear_down);
  g_test_add ("/walk/links-of-others", Fixture, NULL, set_up, test_links_of_others, tear_down);
  return g_test_run ();
}
