#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
#
# valgrind.sh PROGRAM ARGUMENT…   runs PROGRAM under valgrind; ends with 77 when it found an error.
#
# TFD_VALGRIND_LOG   where the report goes, %p being the process (default: the standard error)
lib=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
set -- --suppressions="$lib/valgrind.supp" "$@"
theirs=/usr/share/glib-2.0/valgrind/glib.supp
[ ! -e "$theirs" ] || set -- --suppressions="$theirs" "$@"
[ -z "${TFD_VALGRIND_LOG:-}" ] || set -- --log-file="$TFD_VALGRIND_LOG" "$@"

# GLib sees by this that its memory is watched.
export G_SLICE=always-malloc G_DEBUG="${G_DEBUG:-fatal-criticals},gc-friendly"
exec valgrind --quiet --error-exitcode=77 --leak-check=full --errors-for-leak-kinds=definite \
  --show-leak-kinds=definite --num-callers=25 --vgdb=no "$@"
