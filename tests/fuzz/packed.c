/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: packed files, of which the lengths may say anything. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/packed.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GByteArray) again = g_byte_array_new ();
  g_auto (TfdPackedFile) file = { 0 };
  TfdUnpacker from;

  tfd_unpacker_init (&from, data, size);
  while (tfd_unpack_file (&from, &file))
    {
      fuzz_check (file.path == NULL || strlen (file.path) < size);
      fuzz_check (file.target == NULL || strlen (file.target) < size);
      fuzz_check (file.part == NULL || g_variant_get_size (file.part) < size);
      tfd_pack_file (again, &file);
      tfd_packed_file_clear (&file);
    }
  fuzz_check (from.bad || from.at == from.end);
  fuzz_check (again->len <= size);
  if (!from.bad)
    fuzz_check (again->len == size);
  return 0;
}
