/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Connect: what the programs that do nothing but send or receive have in common. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Ends the program: @what could not be done, errno says why. */
G_NORETURN void die (const char *what);

/* A TCP connection to the IPv4 address @host. */
int connect_to (const char *host, const char *port);

G_END_DECLS
