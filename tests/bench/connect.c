/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
#include "bench/connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

void
die (const char *what)
{
  g_printerr ("%s: %s: %s\n", program_invocation_short_name, what, g_strerror (errno));
  exit (1);
}

int
connect_to (const char *host, const char *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  address.sin_port = htons ((guint16) g_ascii_strtoull (port, NULL, 10));
  if (inet_pton (AF_INET, host, &address.sin_addr) != 1)
    die (host);
  if (fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    die ("connecting");

  return fd;
}
