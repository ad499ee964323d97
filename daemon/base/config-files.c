/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Configuration: the files. Those of the administrator take precedence over those made for this
 * boot, and those over what packages bring, as systemd does it. A mistake in a file is told, with
 * its place, and is no reason not to serve. */
#include "base/config.h"

#include <string.h>
#include <sys/stat.h>

#define FILE_NAME "transferd.conf"
#define DIRECTORY_NAME FILE_NAME ".d"

/* Where the reader is. */
typedef struct
{
  TfdConfig *config;
  GPtrArray *warnings; /* (element-type utf8) */
  const char *path;
  guint line;
  char *group; /* (owned) (nullable) */
  gboolean group_known;
} Reader;

static void warn (Reader *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
warn (Reader *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autofree char *place = NULL;
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  place = self->line > 0 ? g_strdup_printf (", line %u", self->line) : g_strdup ("");
  message = g_strdup_printf ("‘%s’%s: %s", self->path, place, text);
  /* whatever stands in a file may be quoted */
  g_ptr_array_add (self->warnings, g_utf8_make_valid (message, -1));
}

static const TfdConfigKey *
find_key (const char *group, const char *name)
{
  for (const TfdConfigKey *key = tfd_config_table (); key->key != NULL; key++)
    if (g_str_equal (key->group, group) && g_str_equal (key->key, name))
      return key;
  return NULL;
}

static gboolean
is_group (const char *group)
{
  for (const TfdConfigKey *key = tfd_config_table (); key->key != NULL; key++)
    if (g_str_equal (key->group, group))
      return TRUE;
  return FALSE;
}

/* For whoever has something of their own to write down. */
static gboolean
is_private (const char *name)
{
  return g_str_has_prefix (name, "X-");
}

static void
read_group (Reader *self, const char *line)
{
  gsize length = strlen (line);

  g_clear_pointer (&self->group, g_free);
  if (line[length - 1] != ']')
    {
      self->group = g_strdup (line);
      self->group_known = FALSE;
      warn (self, "‘%s’ is no section; what is in it is left out", line);
      return;
    }
  self->group = g_strndup (line + 1, length - 2);
  self->group_known = is_group (self->group);
  if (!self->group_known && !is_private (self->group))
    warn (self, "unknown section [%s]; it is left out", self->group);
}

static void
set_to_default (Reader *self, const TfdConfigKey *key)
{
  g_autoptr (GError) error = NULL;

  tfd_config_set (self->config, key, key->default_value, &error);
  g_assert_no_error (error);
}

static void
read_key (Reader *self, const char *name, const char *value)
{
  const TfdConfigKey *key = find_key (self->group, name);
  g_autoptr (GError) error = NULL;

  if (key == NULL)
    {
      if (!is_private (name))
        warn (self, "unknown key ‘%s’ in section [%s]; it is left out", name, self->group);
      return;
    }
  if (tfd_config_set (self->config, key, value, &error))
    return;
  set_to_default (self, key);
  warn (self, "%s: %s; the default applies", key->key, error->message);
}

static void
read_line (Reader *self, char *line)
{
  char *value;

  g_strstrip (line);
  if (*line == '\0' || *line == '#' || *line == ';')
    return;
  if (*line == '[')
    {
      read_group (self, line);
      return;
    }
  value = strchr (line, '=');
  if (value == NULL || value == line)
    warn (self, "‘%s’ is not a line of the form Key=value; it is left out", line);
  else if (self->group == NULL)
    warn (self, "‘%s’ is in no section; it is left out", line);
  else if (self->group_known)
    {
      *value++ = '\0';
      read_key (self, g_strchomp (line), g_strchug (value));
    }
}

static gboolean
read_file (TfdConfig *config, const char *path, GPtrArray *warnings, GError **error)
{
  Reader reader = { .config = config, .warnings = warnings, .path = path };
  g_autofree char *text = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, error))
    return FALSE;
  if (strlen (text) < length)
    {
      warn (&reader, "this is no text file; it is left out");
      return TRUE;
    }

  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      reader.line = i + 1;
      read_line (&reader, lines[i]);
    }
  g_free (reader.group);
  return TRUE;
}

/* Files that are none, as /dev/null, stand for an empty one. */
static gboolean
is_file (const char *path)
{
  struct stat info;

  return stat (path, &info) == 0 && S_ISREG (info.st_mode);
}

static gboolean
is_there (const char *path)
{
  struct stat info;

  return lstat (path, &info) == 0;
}

static void
read_optional_file (TfdConfig *config, const char *path, GPtrArray *warnings)
{
  Reader reader = { .warnings = warnings, .path = path };
  g_autoptr (GError) error = NULL;

  if (is_file (path) && !read_file (config, path, warnings, &error))
    warn (&reader, "%s", error->message);
}

/* Adds name → path of the drop-ins of @directory to @found, but for names that are there already.
 */
static void
find_drop_ins (const char *directory, GHashTable *found, GPtrArray *warnings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (directory, 0, &error);

  if (dir == NULL)
    {
      Reader reader = { .warnings = warnings, .path = directory };

      /* a directory of the system's daemon may be closed for those of users */
      if (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT) &&
          !g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_ACCES))
        warn (&reader, "%s", error->message);
      return;
    }
  for (const char *name = g_dir_read_name (dir); name != NULL; name = g_dir_read_name (dir))
    if (g_str_has_suffix (name, ".conf") && name[0] != '.' && !g_hash_table_contains (found, name))
      g_hash_table_insert (found, g_strdup (name), g_build_filename (directory, name, NULL));
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

/* Reads the drop-ins of @directories, the first of which masks the others. */
static void
read_drop_ins (TfdConfig *config, GPtrArray *directories, GPtrArray *warnings)
{
  g_autoptr (GHashTable) found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GList) names = NULL;

  for (guint i = 0; i < directories->len; i++)
    find_drop_ins (directories->pdata[i], found, warnings);
  names = g_list_sort (g_hash_table_get_keys (found), compare_names);
  for (GList *name = names; name != NULL; name = name->next)
    read_optional_file (config, g_hash_table_lookup (found, name->data), warnings);
}

TfdConfig *
tfd_config_load_directories (const char *const *directories, GPtrArray *warnings)
{
  g_autoptr (TfdConfig) config = tfd_config_new ();
  g_autoptr (GPtrArray) drop_ins = g_ptr_array_new_with_free_func (g_free);
  gboolean found = FALSE;

  for (guint i = 0; directories[i] != NULL; i++)
    {
      g_autofree char *path = g_build_filename (directories[i], FILE_NAME, NULL);

      if (!found)
        read_optional_file (config, path, warnings);
      found = found || is_there (path);
      g_ptr_array_add (drop_ins, g_build_filename (directories[i], DIRECTORY_NAME, NULL));
    }
  read_drop_ins (config, drop_ins, warnings);
  return g_steal_pointer (&config);
}

TfdConfig *
tfd_config_load (const char *path, GPtrArray *warnings, GError **error)
{
  g_autoptr (TfdConfig) config = tfd_config_new ();
  g_autoptr (GPtrArray) drop_ins = g_ptr_array_new_with_free_func (g_free);

  if (!read_file (config, path, warnings, error))
    return NULL;
  g_ptr_array_add (drop_ins, g_strconcat (path, ".d", NULL));
  read_drop_ins (config, drop_ins, warnings);
  return g_steal_pointer (&config);
}
