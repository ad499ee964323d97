/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Command: reads the command line and runs the verb that it says. */
#pragma once

/* The whole of transferctl; gives the exit status. */
int ctl_main (int argc, char **argv);
