/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Wire, properties: what clients may change and when, and the form in which properties are kept. */
#include "config.h"

#include "common/wire-private.h"

/* In the stored form only: no property has such a name. */
#define CREDENTIALS_KEY "credentials"
#define HEADERS_KEY "Headers"

#include <string.h>

/* A change is one that the value makes a difference for: setting what is there is always allowed.
 */
static gboolean
is_change (const TfdProperty *property, const TfdJobProperties *properties, GVariant *value)
{
  g_autoptr (GVariant) present = g_variant_ref_sink (tfd_property_load (property, properties));

  return !g_variant_equal (present, value);
}

static gboolean
check_time (const TfdProperty *property, TfdLife life, GError **error)
{
  if (property->info.when == TFD_PROPERTY_BEFORE_RESUME && (life & TFD_LIFE_RESUMED) != 0)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_READ_ONLY_AFTER_RESUME,
                   "‘%s’ can only change before the first Resume", property->info.name);
      return FALSE;
    }
  if (property->info.when == TFD_PROPERTY_BEFORE_ADD_FILE && (life & TFD_LIFE_HAS_FILES) != 0)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_READ_ONLY_AFTER_ADD_FILE,
                   "‘%s’ can only change before the first file is added", property->info.name);
      return FALSE;
    }
  return TRUE;
}

/* Rules on a change of one property, other than its syntax. */
static gboolean
check_change (const TfdProperty *property,
              const TfdJobProperties *present,
              TfdJobType type,
              TfdLife life,
              GError **error)
{
  const char *name = property->info.name;

  if (g_str_equal (name, "HeadersWriteOnly") && present->headers_write_only)
    {
      tfd_throw_args (error, "‘%s’ cannot be undone", name);
      return FALSE;
    }
  if ((property->types & (1u << type)) == 0)
    {
      gboolean of_downloads = (property->types & (1u << TFD_JOB_TYPE_DOWNLOAD)) != 0;

      g_set_error (error, TFD_ERROR,
                   of_downloads ? TFD_ERROR_DOWNLOAD_ONLY : TFD_ERROR_NOT_COMPATIBLE,
                   "‘%s’ is not for jobs of type ‘%s’", name,
                   tfd_enum_to_string (TFD_TYPE_JOB_TYPE, (int) type));
      return FALSE;
    }
  if (!property->info.implemented)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_NOT_SUPPORTED, "‘%s’ cannot be set in this version",
                   name);
      return FALSE;
    }
  return check_time (property, life, error);
}

/* What BITS refuses to have together. */
static gboolean
check_compatible (const TfdJobProperties *properties, GError **error)
{
  const char *reason = NULL;
  gboolean custom_method = !g_str_equal (properties->method, "GET");

  if (properties->on_demand && properties->dynamic_content)
    reason = "‘OnDemand’ needs ranges, which ‘DynamicContent’ does without";
  else if (properties->on_demand && properties->high_performance)
    reason = "‘OnDemand’ needs checkpoints, which ‘HighPerformance’ does without";
  else if (custom_method && (properties->on_demand || properties->dynamic_content))
    reason = "‘Method’ cannot be used with ‘OnDemand’ or ‘DynamicContent’";
  if (reason == NULL)
    return TRUE;
  g_set_error_literal (error, TFD_ERROR, TFD_ERROR_NOT_COMPATIBLE, reason);
  return FALSE;
}

typedef struct
{
  const TfdJobProperties *present;
  TfdJobProperties *changed;
  TfdJobType type;
  TfdLife life;
  guint64 seen; /* bit = position in the table */
} Change;

static gboolean
apply_one (Change *change, const char *name, GVariant *value, GError **error)
{
  const TfdProperty *property = tfd_property_find (name);
  if (property == NULL)
    {
      tfd_throw_args (error, "‘%s’ is no property that can be set", name);
      return FALSE;
    }

  gsize n_properties = 0;
  guint64 bit = G_GUINT64_CONSTANT (1) << (property - tfd_properties (&n_properties));
  if ((change->seen & bit) != 0)
    {
      tfd_throw_args (error, "‘%s’ is given twice", name);
      return FALSE;
    }
  change->seen |= bit;

  if (!tfd_property_check (property, value, error))
    return FALSE;
  if (is_change (property, change->present, value) &&
      !check_change (property, change->present, change->type, change->life, error))
    return FALSE;
  tfd_property_store (property, change->changed, value);
  return TRUE;
}

gboolean
tfd_job_properties_apply (TfdJobProperties *properties,
                          TfdJobType type,
                          GVariant *changes,
                          gboolean creating,
                          TfdLife life,
                          GError **error)
{
  g_return_val_if_fail (properties != NULL, FALSE);
  g_return_val_if_fail (changes != NULL, FALSE);

  if (!tfd_wire_check_type ("properties", changes, "a{sv}", error))
    return FALSE;

  g_autoptr (TfdJobProperties) changed = tfd_job_properties_copy (properties);
  Change change = { properties, changed, type, life, 0 };
  GVariantIter iter;
  g_variant_iter_init (&iter, changes);
  for (;;)
    {
      g_autofree char *name = NULL;
      g_autoptr (GVariant) value = NULL;

      if (!g_variant_iter_next (&iter, "{sv}", &name, &value))
        break;
      if (creating && (g_str_equal (name, "files") || g_str_equal (name, "start")))
        continue;
      if (!apply_one (&change, name, value, error))
        return FALSE;
    }
  if (!check_compatible (changed, error))
    return FALSE;

  /* the old contents go with the copy */
  TfdJobProperties old = *properties;
  *properties = *changed;
  *changed = old;
  return TRUE;
}

GVariant *
tfd_job_properties_get (const TfdJobProperties *properties, const char *name)
{
  g_return_val_if_fail (properties != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);

  const TfdProperty *property = tfd_property_find (name);
  if (property == NULL)
    return NULL;
  if (g_str_equal (name, "TransferPolicy"))
    {
      TfdTransferPolicy policy = tfd_job_properties_transfer_policy (properties);
      return g_variant_new_string (tfd_enum_to_string (TFD_TYPE_TRANSFER_POLICY, policy));
    }
  if (g_str_equal (name, "Headers") && properties->headers_write_only)
    return g_variant_new_array (G_VARIANT_TYPE ("(ss)"), NULL, 0);
  return tfd_property_load (property, properties);
}

/* What a job has that says nothing: made once, as jobs are stored often. */
static const TfdJobProperties *
usual_properties (void)
{
  static gsize once = 0;
  static TfdJobProperties *usual;

  if (g_once_init_enter (&once))
    {
      usual = tfd_job_properties_new ();
      g_once_init_leave (&once, 1);
    }
  return usual;
}

/* Most are: that is found out without making values of them. */
static gboolean
is_same_field (const TfdProperty *property, const TfdJobProperties *a, const TfdJobProperties *b)
{
  gconstpointer x = G_STRUCT_MEMBER_P (a, property->offset);
  gconstpointer y = G_STRUCT_MEMBER_P (b, property->offset);
  const char *signature = property->info.signature;

  if (property->enum_type != NULL)
    return *(const int *) x == *(const int *) y;
  if (signature[1] == '\0')
    switch (signature[0])
      {
      case 's':
        return g_strcmp0 (*(char *const *) x, *(char *const *) y) == 0;
      case 't':
        return *(const guint64 *) x == *(const guint64 *) y;
      case 'u':
      case 'b':
        return *(const guint32 *) x == *(const guint32 *) y;
      default:
        g_assert_not_reached ();
      }
  if (g_str_equal (signature, "as"))
    return g_strv_equal (*(const char *const *const *) x, *(const char *const *const *) y);
  return *(GVariant *const *) x == *(GVariant *const *) y;
}

static gboolean
is_usual (const TfdProperty *property, const TfdJobProperties *properties)
{
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GVariant) usual = NULL;

  if (is_same_field (property, properties, usual_properties ()))
    return TRUE;
  /* none and an empty one read the same */
  value = g_variant_ref_sink (tfd_property_load (property, properties));
  usual = g_variant_ref_sink (tfd_property_load (property, usual_properties ()));
  return g_variant_equal (value, usual);
}

GVariant *
tfd_job_properties_serialize (const TfdJobProperties *properties)
{
  g_return_val_if_fail (properties != NULL, NULL);

  GVariantBuilder builder;
  gsize n_properties = 0;
  const TfdProperty *table = tfd_properties (&n_properties);

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (gsize i = 0; i < n_properties; i++)
    {
      gboolean explicit =
          properties->transfer_policy_set && g_str_equal (table[i].info.name, "TransferPolicy");
      gboolean secret =
          properties->headers_write_only && g_str_equal (table[i].info.name, HEADERS_KEY);
      if (explicit || (!secret && !is_usual (&table[i], properties)))
        g_variant_builder_add (&builder, "{sv}", table[i].info.name,
                               tfd_property_load (&table[i], properties));
    }
  return g_variant_builder_end (&builder);
}

GVariant *
tfd_job_properties_serialize_secrets (const TfdJobProperties *properties)
{
  g_return_val_if_fail (properties != NULL, NULL);

  gboolean headers = properties->headers_write_only && properties->headers != NULL;
  GVariantBuilder builder;

  if (!headers && properties->credentials == NULL)
    return NULL;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  if (headers)
    g_variant_builder_add (&builder, "{sv}", HEADERS_KEY, properties->headers);
  if (properties->credentials != NULL)
    g_variant_builder_add (&builder, "{sv}", CREDENTIALS_KEY, properties->credentials);
  return g_variant_builder_end (&builder);
}

gboolean
tfd_job_properties_have_plain_secrets (GVariant *stored)
{
  g_autoptr (GVariant) credentials = NULL;
  g_autoptr (GVariant) headers = NULL;
  gboolean write_only = FALSE;

  if (stored == NULL || !g_variant_is_of_type (stored, G_VARIANT_TYPE_VARDICT))
    return FALSE;
  credentials = g_variant_lookup_value (stored, CREDENTIALS_KEY, NULL);
  headers = g_variant_lookup_value (stored, HEADERS_KEY, NULL);
  g_variant_lookup (stored, "HeadersWriteOnly", "b", &write_only);
  return credentials != NULL || (headers != NULL && write_only);
}

TfdJobProperties *
tfd_job_properties_deserialize (GVariant *stored)
{
  TfdJobProperties *properties = tfd_job_properties_new ();

  tfd_job_properties_restore (properties, stored);
  return properties;
}

void
tfd_job_properties_restore (TfdJobProperties *properties, GVariant *stored)
{
  g_return_if_fail (properties != NULL);

  if (stored == NULL || !g_variant_is_of_type (stored, G_VARIANT_TYPE_VARDICT))
    return;

  GVariantIter iter;
  g_variant_iter_init (&iter, stored);
  for (;;)
    {
      g_autofree char *name = NULL;
      g_autoptr (GVariant) value = NULL;
      g_autoptr (GError) error = NULL;

      if (!g_variant_iter_next (&iter, "{sv}", &name, &value))
        return;
      const TfdProperty *property = tfd_property_find (name);
      if (g_str_equal (name, CREDENTIALS_KEY) &&
          g_variant_is_of_type (value, G_VARIANT_TYPE ("a(ssss)")))
        {
          g_clear_pointer (&properties->credentials, g_variant_unref);
          properties->credentials = g_variant_ref (value);
        }
      else if (property == NULL)
        g_debug ("stored property ‘%s’ is not known here: left out", name);
      else if (!tfd_property_check (property, value, &error))
        g_debug ("stored property left out: %s", error->message);
      else
        tfd_property_store (property, properties, value);
    }
}
