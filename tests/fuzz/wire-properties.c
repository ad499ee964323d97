/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz: SetProperties, and properties as they were stored: a byte that says where the job is in its
 * life, and a serialised a{sv} that nobody checked. */
#include "config.h"

#include "tests/fuzz/input.h"

#include "common/wire.h"

#include <string.h>

static GVariant *
serialize (const TfdJobProperties *properties)
{
  return g_variant_ref_sink (tfd_job_properties_serialize (properties));
}

/* Everything that can be had can be kept, shown and set again. */
static void
check_properties (const TfdJobProperties *properties)
{
  g_autoptr (GVariant) stored = serialize (properties);
  g_autoptr (TfdJobProperties) again = tfd_job_properties_deserialize (stored);
  g_autoptr (GVariant) stored_again = serialize (again);
  const TfdPropertyInfo *table = tfd_job_property_table ();

  fuzz_check (g_variant_equal (stored, stored_again));
  for (gsize i = 0; table[i].name != NULL; i++)
    {
      g_autoptr (GVariant) value =
          g_variant_ref_sink (tfd_job_properties_get (properties, table[i].name));
      fuzz_check (g_variant_is_of_type (value, G_VARIANT_TYPE (table[i].signature)));
    }
  fuzz_check (g_utf8_strlen (properties->display_name, -1) <= 256);
  fuzz_check (strpbrk (properties->display_name, "\r\n\t\x1b") == NULL);
  fuzz_check (properties->minimum_retry_delay >= 5 * G_USEC_PER_SEC);
}

static void
check_apply (GVariant *changes, guint8 flags)
{
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  g_autoptr (GVariant) before = serialize (properties);
  g_autoptr (GError) error = NULL;
  TfdJobType type = (TfdJobType) ((flags >> 2) % 3);
  TfdLife life = (TfdLife) (flags & 3);
  gboolean creating = (flags & 0x10) != 0;

  if (tfd_job_properties_apply (properties, type, changes, creating, life, &error))
    {
      fuzz_check (error == NULL);
      fuzz_check (properties->headers == NULL || g_variant_get_size (properties->headers) < 32768);
      fuzz_check (!properties->dynamic_content ||
                  (type == TFD_JOB_TYPE_DOWNLOAD && (life & TFD_LIFE_RESUMED) == 0));
      check_properties (properties);
      return;
    }
  g_autoptr (GVariant) after = serialize (properties);
  fuzz_check (g_variant_equal (before, after));
  fuzz_check (error->domain == TFD_ERROR && g_utf8_validate (error->message, -1, NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size == 0)
    return 0;
  g_autoptr (GVariant) changes = g_variant_ref_sink (fuzz_variant (data + 1, size - 1, "a{sv}"));
  if (g_variant_n_children (changes) > 256)
    return 0; /* costs time and shows nothing */

  check_apply (changes, data[0]);
  g_autoptr (TfdJobProperties) stored = tfd_job_properties_deserialize (changes);
  check_properties (stored);
  return 0;
}
