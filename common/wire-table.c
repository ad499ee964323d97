/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Wire, table: the writable properties of a job, one row each, and the record that holds them. */
#include "config.h"

#include "common/wire-private.h"

#include "common/names.h"
#include "common/url.h"

#include <string.h>

#define SECONDS(n) ((n) *TFD_USEC_PER_SEC)
#define DAYS(n) SECONDS ((n) *G_GUINT64_CONSTANT (86400))
#define MINIMUM_RETRY_DELAY_FLOOR SECONDS (5)
#define MAXIMUM_SHORT_TEXT 255
#define MAXIMUM_HEADERS 16384 /* bytes, all together */

static gboolean
validate_display_name (const char *key, GVariant *value, GError **error)
{
  const char *text = g_variant_get_string (value, NULL);

  return tfd_wire_check_text (key, text, TFD_MAX_DISPLAY_NAME, FALSE, error);
}

static gboolean
validate_description (const char *key, GVariant *value, GError **error)
{
  const char *text = g_variant_get_string (value, NULL);

  return tfd_wire_check_text (key, text, TFD_MAX_DESCRIPTION, TRUE, error);
}

/* A desktop id, which is a file name ("org.gnome.Epiphany" or "org.gnome.Epiphany.desktop"). */
static gboolean
validate_application (const char *key, GVariant *value, GError **error)
{
  const char *text = g_variant_get_string (value, NULL);

  if (!tfd_wire_check_text (key, text, MAXIMUM_SHORT_TEXT, FALSE, error))
    return FALSE;
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("-._", *p) == NULL)
      {
        tfd_throw_args (error, "‘%s’: ‘%s’ is no desktop id", key, text);
        return FALSE;
      }
  return TRUE;
}

/* RFC 9110 5.6.2 */
static gboolean
is_token (const char *text)
{
  if (text[0] == '\0')
    return FALSE;
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("!#$%&'*+-.^_`|~", *p) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
validate_method (const char *key, GVariant *value, GError **error)
{
  const char *text = g_variant_get_string (value, NULL);

  if (is_token (text))
    return tfd_wire_check_text (key, text, MAXIMUM_SHORT_TEXT, FALSE, error);
  tfd_throw_args (error, "‘%s’ is no HTTP method", key);
  return FALSE;
}

/* What frames a request, or says which bytes are wanted, is for the program to say: a request with
 * two opinions about its length is how one user's bytes end up in another's answer. */
static gboolean
is_ours (const char *name)
{
  static const char *const ours[] = {
    "Accept-Encoding",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Range",
    "Expect",
    "Host",
    "If-Range",
    "Keep-Alive",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (ours); i++)
    if (g_ascii_strcasecmp (name, ours[i]) == 0)
      return TRUE;
  return FALSE;
}

/* No value is quoted in a message: it may be a secret. */
static gboolean
validate_headers (const char *key, GVariant *value, GError **error)
{
  GVariantIter iter;
  const char *name = NULL;
  const char *text = NULL;
  gsize size = 0;

  g_variant_iter_init (&iter, value);
  while (g_variant_iter_next (&iter, "(&s&s)", &name, &text))
    {
      if (!is_token (name))
        {
          tfd_throw_args (error, "‘%s’: ‘%s’ is no name of a header field", key, name);
          return FALSE;
        }
      if (is_ours (name))
        {
          tfd_throw_args (error, "‘%s’: ‘%s’ is set by transferd itself", key, name);
          return FALSE;
        }
      for (const char *p = text; *p != '\0'; p++)
        if (g_ascii_iscntrl (*p) && *p != '\t')
          {
            tfd_throw_args (error, "‘%s’: the value of ‘%s’ has control characters", key, name);
            return FALSE;
          }
      size += strlen (name) + strlen (text) + 4;
    }
  if (size <= MAXIMUM_HEADERS)
    return TRUE;
  g_set_error (error, TFD_ERROR, TFD_ERROR_STRING_TOO_LONG,
               "‘%s’ has %" G_GSIZE_FORMAT " bytes, at most %d are allowed", key, size,
               MAXIMUM_HEADERS);
  return FALSE;
}

static gboolean
validate_segments (const char *key, GVariant *value, GError **error)
{
  if (g_variant_get_uint32 (value) > 0)
    return TRUE;
  tfd_throw_args (error, "‘%s’ must be at least 1", key);
  return FALSE;
}

static gboolean
validate_path (const char *key G_GNUC_UNUSED, GVariant *value, GError **error)
{
  const char *path = g_variant_get_string (value, NULL);

  return path[0] == '\0' || tfd_path_check (path, error);
}

/* clang-format off */
#define ANY_TIME TFD_PROPERTY_ANY_TIME
#define BEFORE_RESUME TFD_PROPERTY_BEFORE_RESUME
#define BEFORE_ADD_FILE TFD_PROPERTY_BEFORE_ADD_FILE
#define DOWNLOADS (1u << TFD_JOB_TYPE_DOWNLOAD)
#define REPLIES (1u << TFD_JOB_TYPE_UPLOAD_REPLY)
#define UPLOADS (1u << TFD_JOB_TYPE_UPLOAD | REPLIES)
#define ALL (DOWNLOADS | UPLOADS)
#define ROW(name, signature, when, implemented, field, type, validate, types) \
  { { name, signature, when, implemented }, G_STRUCT_OFFSET (TfdJobProperties, field), \
    type, validate, types }

/* name, type, when, implemented, field, enumeration, validation, types of jobs */
static const TfdProperty properties_table[] = {
  ROW ("DisplayName", "s", ANY_TIME, TRUE, display_name, NULL, validate_display_name, ALL),
  ROW ("Description", "s", ANY_TIME, TRUE, description, NULL, validate_description, ALL),
  ROW ("Priority", "s", ANY_TIME, TRUE, priority, tfd_priority_get_type, NULL, ALL),
  ROW ("MinimumRetryDelay", "t", ANY_TIME, TRUE, minimum_retry_delay, NULL, NULL, ALL),
  ROW ("NoProgressTimeout", "t", ANY_TIME, TRUE, no_progress_timeout, NULL, NULL, ALL),
  ROW ("MaximumDownloadTime", "t", ANY_TIME, TRUE, maximum_download_time, NULL, NULL, ALL),
  ROW ("NotifyFiles", "b", ANY_TIME, TRUE, notify_files, NULL, NULL, ALL),
  ROW ("NotifyInterval", "t", ANY_TIME, TRUE, notify_interval, NULL, NULL, ALL),
  ROW ("NotifyApplication", "s", ANY_TIME, TRUE, notify_application, NULL,
       validate_application, ALL),
  ROW ("TransferPolicy", "s", ANY_TIME, TRUE, transfer_policy, tfd_transfer_policy_get_type, NULL,
       ALL),
  ROW ("RunWhen", "s", ANY_TIME, TRUE, run_when, tfd_run_when_get_type, NULL, ALL),
  ROW ("DynamicContent", "b", BEFORE_RESUME, TRUE, dynamic_content, NULL, NULL, DOWNLOADS),
  ROW ("HighPerformance", "b", BEFORE_ADD_FILE, TRUE, high_performance, NULL, NULL, DOWNLOADS),
  ROW ("OnDemand", "b", BEFORE_RESUME, FALSE, on_demand, NULL, NULL, DOWNLOADS),
  ROW ("MaximumSize", "t", BEFORE_RESUME, TRUE, maximum_size, NULL, NULL, DOWNLOADS),
  ROW ("MaximumRate", "t", ANY_TIME, FALSE, maximum_rate, NULL, NULL, ALL),
  ROW ("Segments", "u", ANY_TIME, FALSE, segments, NULL, validate_segments, DOWNLOADS),
  ROW ("Headers", "a(ss)", ANY_TIME, TRUE, headers, NULL, validate_headers, ALL),
  ROW ("HeadersWriteOnly", "b", ANY_TIME, TRUE, headers_write_only, NULL, NULL, ALL),
  ROW ("Method", "s", BEFORE_RESUME, FALSE, method, NULL, validate_method, ALL),
  ROW ("Proxy", "(sasas)", ANY_TIME, FALSE, proxy, NULL, NULL, ALL),
  ROW ("TlsFlags", "as", ANY_TIME, FALSE, tls_flags, NULL, NULL, ALL),
  ROW ("PinnedKeys", "as", ANY_TIME, FALSE, pinned_keys, NULL, NULL, ALL),
  ROW ("RedirectPolicy", "s", ANY_TIME, TRUE, redirect_policy, tfd_redirect_policy_get_type, NULL,
       ALL),
  ROW ("AllowDowngrade", "b", ANY_TIME, TRUE, allow_downgrade, NULL, NULL, ALL),
  ROW ("ClientCertificate", "s", ANY_TIME, FALSE, client_certificate, NULL, NULL, ALL),
  ROW ("UploadProtocol", "s", BEFORE_RESUME, TRUE, upload_protocol, tfd_upload_protocol_get_type,
       NULL, UPLOADS),
  ROW ("ReplyFileName", "s", ANY_TIME, TRUE, reply_file_name, NULL, validate_path, REPLIES),
  ROW ("AutoComplete", "b", ANY_TIME, TRUE, auto_complete, NULL, NULL, ALL),
};
/* clang-format on */

G_STATIC_ASSERT (G_N_ELEMENTS (properties_table) < 64);
G_STATIC_ASSERT (sizeof (TfdPriority) == sizeof (int));

const TfdProperty *
tfd_properties (gsize *n_properties)
{
  *n_properties = G_N_ELEMENTS (properties_table);
  return properties_table;
}

const TfdProperty *
tfd_property_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (properties_table); i++)
    if (g_str_equal (properties_table[i].info.name, name))
      return &properties_table[i];
  return NULL;
}

const TfdPropertyInfo *
tfd_job_property_table (void)
{
  static gsize once = 0;
  static TfdPropertyInfo infos[G_N_ELEMENTS (properties_table) + 1];

  if (g_once_init_enter (&once))
    {
      for (gsize i = 0; i < G_N_ELEMENTS (properties_table); i++)
        infos[i] = properties_table[i].info;
      g_once_init_leave (&once, 1);
    }
  return infos;
}

gboolean
tfd_property_check (const TfdProperty *property, GVariant *value, GError **error)
{
  const char *name = property->info.name;
  int number = 0;

  if (!tfd_wire_check_type (name, value, property->info.signature, error))
    return FALSE;
  if (property->enum_type != NULL &&
      !tfd_enum_from_string (property->enum_type (), g_variant_get_string (value, NULL), &number))
    {
      tfd_throw_args (error, "‘%s’ cannot be ‘%s’", name, g_variant_get_string (value, NULL));
      return FALSE;
    }
  return property->validate == NULL || property->validate (name, value, error);
}

/* What a property that is stored as a GVariant reads as when it was never set. */
static GVariant *
default_of (const char *signature)
{
  if (g_str_equal (signature, "(sasas)"))
    return g_variant_new ("(sasas)", "system", NULL, NULL);
  return g_variant_new_array (g_variant_type_element (G_VARIANT_TYPE (signature)), NULL, 0);
}

GVariant *
tfd_property_load (const TfdProperty *property, const TfdJobProperties *properties)
{
  gconstpointer field = G_STRUCT_MEMBER_P (properties, property->offset);
  const char *signature = property->info.signature;

  if (property->enum_type != NULL)
    return g_variant_new_string (tfd_enum_to_string (property->enum_type (), *(const int *) field));
  if (g_str_equal (signature, "s"))
    return g_variant_new_string (*(char *const *) field);
  if (g_str_equal (signature, "t"))
    return g_variant_new_uint64 (*(const guint64 *) field);
  if (g_str_equal (signature, "u"))
    return g_variant_new_uint32 (*(const guint32 *) field);
  if (g_str_equal (signature, "b"))
    return g_variant_new_boolean (*(const gboolean *) field);
  if (g_str_equal (signature, "as"))
    return g_variant_new_strv (*(const char *const *const *) field, -1);
  GVariant *stored = *(GVariant *const *) field;
  if (stored == NULL)
    return default_of (signature);
  /* of its bytes: a floating reference, as the others are */
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (stored);
  return g_variant_new_from_bytes (g_variant_get_type (stored), bytes,
                                   g_variant_is_normal_form (stored));
}

static void
store_variant (GVariant **field, GVariant *value)
{
  g_autoptr (GVariant) normal = g_variant_get_normal_form (value);

  g_clear_pointer (field, g_variant_unref);
  *field = g_steal_pointer (&normal);
}

void
tfd_property_store (const TfdProperty *property, TfdJobProperties *properties, GVariant *value)
{
  gpointer field = G_STRUCT_MEMBER_P (properties, property->offset);
  const char *signature = property->info.signature;

  if (property->enum_type != NULL)
    tfd_enum_from_string (property->enum_type (), g_variant_get_string (value, NULL), field);
  else if (g_str_equal (signature, "s"))
    {
      g_free (*(char **) field);
      *(char **) field = g_variant_dup_string (value, NULL);
    }
  else if (g_str_equal (signature, "t"))
    *(guint64 *) field = g_variant_get_uint64 (value);
  else if (g_str_equal (signature, "u"))
    *(guint32 *) field = g_variant_get_uint32 (value);
  else if (g_str_equal (signature, "b"))
    *(gboolean *) field = g_variant_get_boolean (value);
  else if (g_str_equal (signature, "as"))
    {
      g_strfreev (*(char ***) field);
      *(char ***) field = g_variant_dup_strv (value, NULL);
    }
  else
    store_variant (field, value);

  if (field == &properties->transfer_policy)
    properties->transfer_policy_set = TRUE;
  properties->minimum_retry_delay =
      MAX (properties->minimum_retry_delay, MINIMUM_RETRY_DELAY_FLOOR);
}

TfdJobProperties *
tfd_job_properties_new (void)
{
  TfdJobProperties *properties = g_new0 (TfdJobProperties, 1);

  *properties = (TfdJobProperties){
    .display_name = g_strdup (""),
    .description = g_strdup (""),
    .minimum_retry_delay = SECONDS (600),
    .no_progress_timeout = DAYS (14),
    .notify_interval = TFD_USEC_PER_SEC / 2,
    .notify_application = g_strdup (""),
    .segments = 1,
    .method = g_strdup ("GET"),
    .tls_flags = g_new0 (char *, 1),
    .pinned_keys = g_new0 (char *, 1),
    .client_certificate = g_strdup (""),
    .reply_file_name = g_strdup (""),
  };
  return properties;
}

TfdJobProperties *
tfd_job_properties_copy (const TfdJobProperties *from)
{
  TfdJobProperties *properties = g_new0 (TfdJobProperties, 1);

  *properties = *from;
  properties->display_name = g_strdup (from->display_name);
  properties->description = g_strdup (from->description);
  properties->notify_application = g_strdup (from->notify_application);
  properties->headers = from->headers != NULL ? g_variant_ref (from->headers) : NULL;
  properties->credentials = from->credentials != NULL ? g_variant_ref (from->credentials) : NULL;
  properties->method = g_strdup (from->method);
  properties->proxy = from->proxy != NULL ? g_variant_ref (from->proxy) : NULL;
  properties->tls_flags = g_strdupv (from->tls_flags);
  properties->pinned_keys = g_strdupv (from->pinned_keys);
  properties->client_certificate = g_strdup (from->client_certificate);
  properties->reply_file_name = g_strdup (from->reply_file_name);
  return properties;
}

void
tfd_job_properties_free (TfdJobProperties *properties)
{
  if (properties == NULL)
    return;
  g_free (properties->display_name);
  g_free (properties->description);
  g_free (properties->notify_application);
  g_clear_pointer (&properties->headers, g_variant_unref);
  g_clear_pointer (&properties->credentials, g_variant_unref);
  g_free (properties->method);
  g_clear_pointer (&properties->proxy, g_variant_unref);
  g_strfreev (properties->tls_flags);
  g_strfreev (properties->pinned_keys);
  g_free (properties->client_certificate);
  g_free (properties->reply_file_name);
  g_free (properties);
}

TfdTransferPolicy
tfd_job_properties_transfer_policy (const TfdJobProperties *properties)
{
  if (properties->transfer_policy_set)
    return properties->transfer_policy;
  return properties->priority == TFD_PRIORITY_FOREGROUND ? TFD_TRANSFER_POLICY_ALWAYS
                                                         : TFD_TRANSFER_POLICY_STANDARD;
}
