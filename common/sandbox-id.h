/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sandbox id: the name of the sandbox that a program is in, one word: "" for none,
 * "flatpak:<application id>", "snap:<name>", "apparmor:<profile>", or "unknown" for one without a
 * name of its own. Read from what the kernel and the makers of sandboxes say of a process; any of
 * it may be hostile. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TFD_SANDBOX_UNKNOWN "unknown"

/* Longest name, in bytes. */
#define TFD_SANDBOX_ID_MAX 255

/* More is no description of a sandbox. */
#define TFD_FLATPAK_INFO_MAX (64 * 1024)

gboolean tfd_sandbox_id_is_valid (const char *id);

/* What the security label of a process says, in the form in which AppArmor gives it to the bus:
 * "profile (mode)". (transfer full), NULL for one that confines nothing, or of another kind of
 * labels. */
char *tfd_sandbox_id_from_label (const char *label);

/* What a file /.flatpak-info of @length bytes says, and whether the application has a @network.
 * (transfer full), NULL when it makes no sense. */
char *tfd_sandbox_id_from_flatpak_info (const char *data, gsize length, gboolean *network);

/* The snap that a file /proc/PID/cgroup names. (transfer full), NULL when there is none. */
char *tfd_sandbox_id_from_cgroups (const char *text);

/* The one that counts, of what the label says (nullable) and of what was @seen of the process.
 * (transfer full). */
char *tfd_sandbox_id_choose (const char *labelled, const char *seen);

G_END_DECLS
