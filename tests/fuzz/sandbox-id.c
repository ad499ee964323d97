/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: what is said of a process: a security label, the list of its control groups, and the file
 * in which Flatpak says what an application is. All of it may come from whoever is confined. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/sandbox-id.h"

static void
check_id (char *id)
{
  if (id != NULL)
    fuzz_check (tfd_sandbox_id_is_valid (id) && *id != '\0');
  g_free (id);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = fuzz_text (data, size);
  gboolean network = TRUE;
  char *id = tfd_sandbox_id_from_flatpak_info ((const char *) data, size, &network);

  /* nobody is given the network by what cannot be read */
  fuzz_check (id != NULL || !network);
  check_id (id);
  check_id (tfd_sandbox_id_from_label (text));
  check_id (tfd_sandbox_id_from_cgroups (text));
  tfd_sandbox_id_is_valid (text);
  return 0;
}
