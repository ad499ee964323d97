/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Recover: finds temporaries that no job knows any more, as after a database was lost. */
#include "config.h"

#include "recover.h"

#include "common/names.h"
#include "store/store.h"

#include <errno.h>
#include <fts.h>
#include <gio/gio.h>
#include <sys/stat.h>
#include <unistd.h>

static GHashTable *
known_jobs (TfdStore *store, GError **error)
{
  g_autoptr (GPtrArray) records = tfd_store_load_jobs (store, error);
  GHashTable *known;

  if (records == NULL)
    return NULL;
  known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < records->len; i++)
    g_hash_table_add (known, g_strdup (((TfdJobRecord *) records->pdata[i])->id));
  return known;
}

static void
print_orphan (const FTSENT *entry, GHashTable *known)
{
  g_autofree char *id = NULL;
  g_autofree char *path = NULL;
  guint32 index;

  if (entry->fts_info != FTS_F || !tfd_part_name_parse (entry->fts_name, &id, &index, NULL) ||
      g_hash_table_contains (known, id))
    return;
  path = g_filename_display_name (entry->fts_path);
  g_print ("%s\tjob %s, file %u, %" G_GINT64_FORMAT " bytes\n", path, id, index,
           (gint64) entry->fts_statp->st_size);
}

static gboolean
walk (char **directories, GHashTable *known, GError **error)
{
  FTS *tree = fts_open (directories, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);

  if (tree == NULL)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "cannot search: %s",
                   g_strerror (errno));
      return FALSE;
    }
  for (FTSENT *entry = fts_read (tree); entry != NULL; entry = fts_read (tree))
    if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
      g_printerr ("transferd: %s: %s\n", entry->fts_path, g_strerror (entry->fts_errno));
    else
      print_orphan (entry, known);
  fts_close (tree);
  return TRUE;
}

gboolean
tfd_recover (const char *state_dir, char **directories, GError **error)
{
  g_autoptr (TfdStore) store = NULL;
  g_autoptr (GHashTable) known = NULL;
  gboolean ok = FALSE;
  int lock;

  if (directories == NULL || *directories == NULL)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                           "--recover needs the directories to search");
      return FALSE;
    }
  lock = tfd_store_lock (state_dir, 0, error);
  if (lock < 0)
    {
      g_prefix_error (error, "the service must be stopped while it is searched: ");
      return FALSE;
    }
  store = tfd_store_open (state_dir, error);
  known = store == NULL ? NULL : known_jobs (store, error);
  if (known != NULL)
    ok = walk (directories, known, error);
  g_clear_pointer (&store, tfd_store_close);
  close (lock);
  return ok;
}
