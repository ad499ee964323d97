/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The least that receiving a file costs: splice () from the socket to the file, and a sync.
 *
 *     bench-splice HOST PORT PATH FILE */
#include "bench/connect.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIPE_SIZE (1 << 20)

/* Reads the headers byte by byte, so that the body begins at the next one; the length of the body.
 */
static guint64
ask (int fd, const char *host, const char *path)
{
  g_autofree char *request =
      g_strdup_printf ("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
  char headers[8192];
  gsize length = 0;
  char *field;

  if (write (fd, request, strlen (request)) < 0)
    die ("asking");
  while (length < 4 || memcmp (headers + length - 4, "\r\n\r\n", 4) != 0)
    if (length + 1 >= sizeof headers || read (fd, headers + length++, 1) != 1)
      die ("reading the headers");
  headers[length] = '\0';
  field = strstr (headers, "Content-Length: ");
  if (strncmp (headers, "HTTP/1.1 200", 12) != 0 || field == NULL)
    die ("what was answered is no file");

  return g_ascii_strtoull (field + strlen ("Content-Length: "), NULL, 10);
}

static void
move (int from, int to, guint64 left)
{
  const unsigned int flags = SPLICE_F_MOVE | SPLICE_F_MORE;
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC) < 0 || fcntl (ends[0], F_SETPIPE_SZ, PIPE_SIZE) < 0)
    die ("making a pipe");
  while (left > 0)
    {
      gssize n = splice (from, NULL, ends[1], NULL, (gsize) MIN (left, PIPE_SIZE), flags);

      if (n <= 0)
        die ("receiving");
      left -= (guint64) n;
      while (n > 0)
        {
          gssize written = splice (ends[0], NULL, to, NULL, (gsize) n, flags);

          if (written <= 0)
            die ("writing");
          n -= written;
        }
    }
}

int
main (int argc, char **argv)
{
  guint64 length;
  int from, to;

  if (argc != 5)
    {
      g_printerr ("usage: bench-splice HOST PORT PATH FILE\n");
      return 2;
    }

  from = connect_to (argv[1], argv[2]);
  length = ask (from, argv[1], argv[3]);
  to = open (argv[4], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (to < 0)
    die (argv[4]);
  move (from, to, length);
  if (fdatasync (to) < 0)
    die ("syncing");

  return 0;
}
