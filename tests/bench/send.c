/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The least that sending a file by PUT costs, in each of the ways in which it can be done: the
 * kernel takes the pages of the file (sendfile), they are read into a buffer that is written
 * (copy), or they are written from where they are mapped (mapped).
 *
 *     bench-send sendfile|copy|mapped HOST PORT PATH FILE */
#include "bench/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* What has proved best for each. */
#define SENDFILE_PIECE (1 << 20)
#define COPY_PIECE (256 << 10)
#define MAPPED_PIECE (16 << 20)

static void
write_all (int to, const char *data, gsize count)
{
  while (count > 0)
    {
      gssize n = write (to, data, count);

      if (n <= 0)
        die ("sending");
      data += n;
      count -= (gsize) n;
    }
}

/* Whoever waits within sendfile () is waked up for less and more often, by the processor that
 * receives: that takes a tenth longer. */
static void
wait_for_room (int to)
{
  struct pollfd room = { .fd = to, .events = POLLOUT };

  if (errno != EAGAIN || poll (&room, 1, -1) < 0)
    die ("sendfile");
}

/* Each sends what is at @offset, and returns how much that was. */
typedef gsize (*SendPiece) (int to, int from, off_t offset, gsize left);

static gsize
send_pages (int to, int from, off_t offset, gsize left)
{
  gssize n;

  fcntl (to, F_SETFL, O_NONBLOCK);
  while ((n = sendfile (to, from, &offset, MIN (left, SENDFILE_PIECE))) < 0)
    wait_for_room (to);
  fcntl (to, F_SETFL, 0);
  if (n == 0)
    {
      g_printerr ("bench-send: the file has become shorter\n");
      exit (1);
    }

  return (gsize) n;
}

static gsize
send_copy (int to, int from, off_t offset, gsize left)
{
  static char buffer[COPY_PIECE];
  gssize n = pread (from, buffer, MIN (left, sizeof buffer), offset);

  if (n <= 0)
    die ("reading");
  write_all (to, buffer, (gsize) n);

  return (gsize) n;
}

static gsize
send_mapped (int to, int from, off_t offset, gsize left)
{
  gsize count = MIN (left, MAPPED_PIECE);
  void *pages = mmap (NULL, count, PROT_READ, MAP_SHARED | MAP_POPULATE, from, offset);

  if (pages == MAP_FAILED)
    die ("mapping");
  write_all (to, pages, count);
  munmap (pages, count);

  return count;
}

static SendPiece
way (const char *name)
{
  if (strcmp (name, "sendfile") == 0)
    return send_pages;
  if (strcmp (name, "copy") == 0)
    return send_copy;
  if (strcmp (name, "mapped") == 0)
    return send_mapped;
  g_printerr ("bench-send: %s is no way to send\n", name);
  exit (2);
}

static void
check_answer (int fd)
{
  char answer[4096];
  gssize n = read (fd, answer, sizeof answer);

  if (n < 12 || memcmp (answer, "HTTP/1.1 201", 12) != 0)
    {
      g_printerr ("bench-send: what was sent was not taken\n");
      exit (1);
    }
}

int
main (int argc, char **argv)
{
  g_autofree char *head = NULL;
  struct stat status;
  SendPiece send_piece;
  off_t offset = 0;
  int from, to;

  if (argc != 6)
    {
      g_printerr ("usage: bench-send sendfile|copy|mapped HOST PORT PATH FILE\n");
      return 2;
    }

  send_piece = way (argv[1]);
  from = open (argv[5], O_RDONLY | O_CLOEXEC);
  if (from < 0 || fstat (from, &status) < 0)
    die (argv[5]);
  to = connect_to (argv[2], argv[3]);
  head = g_strdup_printf ("PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %" G_GUINT64_FORMAT
                          "\r\n\r\n",
                          argv[4], argv[2], (guint64) status.st_size);
  write_all (to, head, strlen (head));
  while (offset < status.st_size)
    offset += (off_t) send_piece (to, from, offset, (gsize) (status.st_size - offset));
  check_answer (to);

  return 0;
}
