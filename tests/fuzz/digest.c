/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: the digest that a client wants a file to have. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/wire.h"

#include <string.h>

/* An algorithm, and as many hexadecimal digits as it has. */
static gboolean
looks_right (const char *text)
{
  static const struct
  {
    const char *name;
    gsize digits;
  } kinds[] = { { "sha256:", 64 }, { "sha512:", 128 }, { "sha1:", 40 }, { "md5:", 32 } };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_has_prefix (text, kinds[i].name))
      {
        const char *digits = text + strlen (kinds[i].name);

        return strlen (digits) == kinds[i].digits &&
               strspn (digits, "0123456789abcdefABCDEF") == kinds[i].digits;
      }
  return FALSE;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = fuzz_text (data, size);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autoptr (GVariant) options =
      g_variant_ref_sink (g_variant_new_parsed ("{'digest': <%s>}", valid));
  g_autoptr (GError) error = NULL;
  TfdFileSpec *spec =
      tfd_file_spec_new (TFD_JOB_TYPE_DOWNLOAD, "http://host/a", "/home/a", options, &error);

  fuzz_check ((spec != NULL) == (error == NULL));
  fuzz_check ((spec != NULL) == looks_right (valid));
  g_clear_pointer (&spec, tfd_file_spec_free);
  return 0;
}
