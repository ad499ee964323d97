/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* transferctl: the command line of transferd. */
#include "config.h"

#include "client/transferctl/command.h"

int
main (int argc, char **argv)
{
  return ctl_main (argc, argv);
}
