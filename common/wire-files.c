/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Wire, files: what a client may say about a file that it adds. */
#include "config.h"

#include "common/wire-private.h"

#include "common/names.h"
#include "common/ranges.h"
#include "common/url.h"

#include <string.h>

static const struct
{
  const char *prefix;
  gsize n_digits;
} digests[] = {
  { "sha256:", 64 },
  { "sha512:", 128 },
  { "sha1:", 40 },
  { "md5:", 32 },
};

static gboolean
is_digest (const char *text)
{
  for (gsize i = 0; i < G_N_ELEMENTS (digests); i++)
    if (g_str_has_prefix (text, digests[i].prefix))
      {
        const char *digits = text + strlen (digests[i].prefix);
        return strlen (digits) == digests[i].n_digits &&
               strspn (digits, "0123456789abcdefABCDEF") == digests[i].n_digits;
      }
  return FALSE;
}

static gboolean
validate_digest (const char *key, GVariant *value, GError **error)
{
  if (is_digest (g_variant_get_string (value, NULL)))
    return TRUE;
  tfd_throw_args (error, "‘%s’ must be sha256:, sha512:, sha1: or md5: and the hexadecimal digits",
                  key);
  return FALSE;
}

static gboolean
validate_mode (const char *key, GVariant *value, GError **error)
{
  if ((g_variant_get_uint32 (value) & ~0777u) == 0)
    return TRUE;
  tfd_throw_args (error, "‘%s’ must be permission bits, at most 0777", key);
  return FALSE;
}

static gboolean
validate_size (const char *key, GVariant *value, GError **error)
{
  if (g_variant_get_uint64 (value) <= G_MAXINT64)
    return TRUE;
  tfd_throw_args (error, "‘%s’ is larger than any file can be", key);
  return FALSE;
}

/* Whether there may be so many is for others to decide. */
static gboolean
validate_ranges (const char *key, GVariant *value, GError **error)
{
  return tfd_ranges_check (key, value, error);
}

static gboolean
validate_not_yet (const char *key, GVariant *value, GError **error)
{
  (void) value;
  g_set_error (error, TFD_ERROR, TFD_ERROR_NOT_SUPPORTED, "‘%s’ cannot be used in this version",
               key);
  return FALSE;
}

static const TfdOption file_options[] = {
  { "ranges", "a(tt)", validate_ranges },
  { "mirrors", "as", validate_not_yet },
  { "digest", "s", validate_digest },
  { "mode", "u", validate_mode },
  { "umask", "u", validate_mode },
  { "size", "t", validate_size },
  { "path", "ay", NULL },
  { NULL, NULL, NULL },
};

/* What an option says is of a file that is received; the reply to an upload is one, too, but
 * nothing is known of it before. */
static gboolean
check_direction (TfdJobType type, GVariant *options, GError **error)
{
  static const char *const of_replies[] = { "mode", "umask", "path", NULL };
  static const char *const of_uploads[] = { "path", NULL };
  const char *const *allowed = type == TFD_JOB_TYPE_UPLOAD_REPLY ? of_replies : of_uploads;
  GVariantIter iter;
  const char *key;

  if (type == TFD_JOB_TYPE_DOWNLOAD)
    return TRUE;
  g_variant_iter_init (&iter, options);
  while (g_variant_iter_next (&iter, "{&sv}", &key, NULL))
    if (!g_strv_contains (allowed, key))
      {
        g_set_error (error, TFD_ERROR, TFD_ERROR_DOWNLOAD_ONLY, "‘%s’ is not for jobs of type ‘%s’",
                     key, tfd_enum_to_string (TFD_TYPE_JOB_TYPE, (int) type));
        return FALSE;
      }
  return TRUE;
}

static gboolean
check_url (TfdJobType type, const char *url, GError **error)
{
  if (!tfd_url_check (url, error))
    return FALSE;
  if (type == TFD_JOB_TYPE_DOWNLOAD || g_ascii_strncasecmp (url, "http", 4) == 0)
    return TRUE;
  g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_URL,
                       "invalid URL: uploads go to ‘http’ and ‘https’ only");
  return FALSE;
}

void
tfd_file_spec_free (TfdFileSpec *spec)
{
  if (spec == NULL)
    return;
  g_free (spec->url);
  g_free (spec->path);
  g_clear_pointer (&spec->options, g_variant_unref);
  g_clear_pointer (&spec->attached_to, g_bytes_unref);
  g_free (spec);
}

/* The path as bytes; a NUL at their end is the habit of some and means nothing. */
static char *
path_of_bytes (const char *path, GVariant *bytes, GError **error)
{
  gsize length = 0;
  const char *data = g_variant_get_fixed_array (bytes, &length, 1);

  if (path[0] != '\0')
    {
      tfd_throw_args (error, "with the option ‘path’ the local path must be empty");
      return NULL;
    }
  if (length > 0 && data[length - 1] == '\0')
    length--;
  if (length > 0 && memchr (data, '\0', length) != NULL)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_PATH,
                   "invalid path: control character 0x00 is not allowed in it");
      return NULL;
    }
  return g_strndup (length > 0 ? data : "", length);
}

/* Most files have none: these are shared. */
static GVariant *
no_options (void)
{
  static gsize once = 0;

  if (g_once_init_enter (&once))
    {
      GVariant *none = g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0);

      g_once_init_leave (&once, GPOINTER_TO_SIZE (g_variant_ref_sink (none)));
    }
  return g_variant_ref (GSIZE_TO_POINTER (once));
}

/* The options as they are kept: without the path, digests in lower case. */
static GVariant *
kept_options (GVariant *options)
{
  GVariantBuilder builder;
  GVariantIter iter;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_iter_init (&iter, options);
  for (;;)
    {
      g_autofree char *key = NULL;
      g_autoptr (GVariant) value = NULL;

      if (!g_variant_iter_next (&iter, "{sv}", &key, &value))
        break;
      if (g_str_equal (key, "path"))
        continue;
      if (g_str_equal (key, "digest"))
        {
          char *lower = g_ascii_strdown (g_variant_get_string (value, NULL), -1);
          g_variant_builder_add (&builder, "{sv}", key, g_variant_new_take_string (lower));
        }
      else
        g_variant_builder_add (&builder, "{sv}", key, value);
    }

  g_autoptr (GVariant) kept = g_variant_ref_sink (g_variant_builder_end (&builder));
  return g_variant_get_normal_form (kept);
}

static guint
count_ranges (GVariant *options)
{
  g_autoptr (GVariant) ranges = g_variant_lookup_value (options, "ranges", NULL);

  return ranges != NULL ? (guint) g_variant_n_children (ranges) : 0;
}

/* One name in a directory; "" is the file itself, which can only be sent. */
static gboolean
check_name (TfdJobType type, const char *name, GError **error)
{
  g_autofree char *path = g_strconcat ("/", name, NULL);

  if (*name == '\0' && type != TFD_JOB_TYPE_DOWNLOAD)
    return TRUE;
  if (*name != '\0' && strchr (name, '/') == NULL)
    return tfd_path_check (path, error);
  g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_PATH,
                       *name == '\0' ? "invalid name: it is empty"
                                     : "invalid name: it has a slash, and must be one component");
  return FALSE;
}

/* What the options say; takes nothing. */
static gboolean
read_options (TfdFileSpec *spec, TfdJobType type, GVariant *options, GError **error)
{
  if (!tfd_options_check (options, file_options, error) || !check_direction (type, options, error))
    return FALSE;

  g_autoptr (GVariant) bytes = g_variant_lookup_value (options, "path", G_VARIANT_TYPE_BYTESTRING);
  if (bytes != NULL)
    {
      g_autofree char *path = g_steal_pointer (&spec->path);

      spec->path = path_of_bytes (path, bytes, error);
      if (spec->path == NULL)
        return FALSE;
    }
  spec->options = kept_options (options);
  spec->n_ranges = count_ranges (options);
  return TRUE;
}

static TfdFileSpec *
spec_new (TfdJobType type,
          const char *url,
          const char *path,
          GVariant *options,
          gboolean attached,
          GError **error)
{
  if (!check_url (type, url, error))
    return NULL;

  g_autoptr (TfdFileSpec) spec = g_new0 (TfdFileSpec, 1);
  spec->url = g_strdup (url);
  spec->path = g_strdup (path);
  spec->attached = attached;
  if (options == NULL || g_variant_n_children (options) == 0)
    spec->options = no_options ();
  else if (!read_options (spec, type, options, error))
    return NULL;
  if (!(attached ? check_name (type, spec->path, error) : tfd_path_check (spec->path, error)))
    return NULL;
  return g_steal_pointer (&spec);
}

TfdFileSpec *
tfd_file_spec_new (
    TfdJobType type, const char *url, const char *path, GVariant *options, GError **error)
{
  g_return_val_if_fail (url != NULL, NULL);
  g_return_val_if_fail (path != NULL, NULL);

  return spec_new (type, url, path, options, FALSE, error);
}

TfdFileSpec *
tfd_file_spec_new_at (
    TfdJobType type, const char *url, const char *name, GVariant *options, GError **error)
{
  g_return_val_if_fail (url != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);

  return spec_new (type, url, name, options, TRUE, error);
}

static gboolean
refuse_duplicate (GPtrArray *specs, const char *path, GError **error)
{
  for (guint i = 0; i < specs->len; i++)
    if (g_str_equal (((const TfdFileSpec *) specs->pdata[i])->path, path))
      {
        g_set_error (error, TFD_ERROR, TFD_ERROR_DUPLICATE_DESTINATION,
                     "its local path is that of file %u, too", i);
        break;
      }
  return FALSE;
}

static gboolean
add_spec (TfdJobType type,
          GPtrArray *specs,
          GHashTable *paths,
          GVariant *row,
          gboolean attached,
          GError **error)
{
  /* there are many: what a format string says would take longer than all that is looked at */
  g_autoptr (GVariant) url = g_variant_get_child_value (row, 0);
  g_autoptr (GVariant) path = g_variant_get_child_value (row, 1);
  g_autoptr (GVariant) options = g_variant_get_child_value (row, 2);
  g_autoptr (TfdFileSpec) spec =
      spec_new (type, g_variant_get_string (url, NULL), g_variant_get_string (path, NULL), options,
                attached, error);

  if (spec == NULL)
    return FALSE;
  if (*spec->path == '\0')
    {
      g_set_error_literal (error, TFD_ERROR, TFD_ERROR_INVALID_PATH, "invalid name: it is empty");
      return FALSE;
    }
  if (!g_hash_table_add (paths, spec->path))
    return refuse_duplicate (specs, spec->path, error);
  g_ptr_array_add (specs, g_steal_pointer (&spec));
  return TRUE;
}

static GPtrArray *
specs_new (TfdJobType type, GVariant *files, gboolean attached, GError **error)
{
  if (!tfd_wire_check_type ("files", files, "a(ssa{sv})", error))
    return NULL;
  gsize n_files = g_variant_n_children (files);
  if (n_files > TFD_MAX_FILES_PER_CALL)
    {
      g_set_error (error, TFD_ERROR, TFD_ERROR_TOO_MANY_FILES,
                   "%" G_GSIZE_FORMAT " files in one call, at most %d are allowed", n_files,
                   TFD_MAX_FILES_PER_CALL);
      return NULL;
    }

  g_autoptr (GPtrArray) specs =
      g_ptr_array_new_full ((guint) n_files, (GDestroyNotify) tfd_file_spec_free);
  g_autoptr (GHashTable) paths = g_hash_table_new (g_str_hash, g_str_equal); /* borrowed keys */
  for (gsize i = 0; i < n_files; i++)
    {
      g_autoptr (GVariant) row = g_variant_get_child_value (files, i);

      if (!add_spec (type, specs, paths, row, attached, error))
        {
          g_prefix_error (error, "file %" G_GSIZE_FORMAT " of the call: ", i);
          return NULL;
        }
    }
  return g_steal_pointer (&specs);
}

GPtrArray *
tfd_file_specs_new (TfdJobType type, GVariant *files, GError **error)
{
  g_return_val_if_fail (files != NULL, NULL);

  return specs_new (type, files, FALSE, error);
}

GPtrArray *
tfd_file_specs_new_at (TfdJobType type, GVariant *files, GError **error)
{
  g_return_val_if_fail (files != NULL, NULL);

  return specs_new (type, files, TRUE, error);
}

char *
tfd_reply_path (const TfdJobProperties *properties, const char *source)
{
  return properties->reply_file_name[0] != '\0' ? g_strdup (properties->reply_file_name)
                                                : g_strconcat (source, ".reply", NULL);
}
