/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months, the disk: temporaries and finished files, on places that come and go. */
#include "months.h"

#include "engine/work-private.h"

#include <string.h>

const char *const months_places[N_PLACES] = { "/home/alice", "/home/bob", "/home/carol",
                                              "/media/stick", "/srv/data" };

/* ---- what a request says ---- */

static char *
path_of (GVariant *dict, const char *key)
{
  g_autoptr (GVariant) bytes = g_variant_lookup_value (dict, key, G_VARIANT_TYPE_BYTESTRING);

  return bytes != NULL ? g_strndup (g_variant_get_data (bytes), g_variant_get_size (bytes)) : NULL;
}

WorkFile *
months_read_file (const User *user, GVariant *row)
{
  WorkFile *file = g_new0 (WorkFile, 1);
  g_autoptr (GVariant) dict = NULL;
  g_autoptr (GVariant) part = NULL;
  const char *state = "";

  file->uid = user->uid;
  g_variant_get (row, "(u@a{sv})", &file->index, &dict);
  g_variant_lookup (dict, "attempt", "u", &file->attempt);
  g_variant_lookup (dict, "url", "s", &file->url);
  g_variant_lookup (dict, "state", "&s", &state);
  file->path = path_of (dict, "path");
  file->target = path_of (dict, "target");
  file->transferred = g_str_equal (state, "transferred");
  file->completed = g_str_equal (state, "completed");
  part = g_variant_lookup_value (dict, "part", G_VARIANT_TYPE_VARDICT);
  if (part != NULL && g_variant_lookup (part, "inode", "t", &file->inode))
    {
      file->recorded = TRUE;
      g_variant_lookup (part, "have", "t", &file->have);
      g_variant_lookup (part, "source", "b", &file->source);
    }
  return file;
}

void
months_file_free (WorkFile *file)
{
  g_free (file->url);
  g_free (file->path);
  g_free (file->target);
  g_free (file);
}

/* ---- places and temporaries ---- */

void
months_part_free (gpointer part)
{
  g_free (((Part *) part)->job);
  g_free (part);
}

static gint
place_of (const char *path)
{
  for (int i = 0; i < N_PLACES; i++)
    if (g_str_has_prefix (path, months_places[i]))
      return i;
  g_error ("‘%s’ is nowhere", path);
}

gboolean
months_is_absent (Months *self, const char *path)
{
  return self->absent[place_of (path)];
}

char *
months_part_path (const char *job, const WorkFile *file)
{
  g_autofree char *directory = g_path_get_dirname (file->path);
  g_autofree char *name = tfd_part_name (job, file->index, file->attempt);

  return g_build_filename (directory, name, NULL);
}

Part *
months_find_part (Months *self, const char *job, const WorkFile *file, gboolean *foreign)
{
  g_autofree char *path = months_part_path (job, file);
  Part *part = g_hash_table_lookup (self->parts, path);
  gboolean ours =
      part != NULL && (file->recorded ? part->inode == file->inode : part->uid == file->uid);

  *foreign = part != NULL && !ours;
  return ours ? part : NULL;
}

Part *
months_create_part (Months *self, const char *job, const WorkFile *file)
{
  Part *part = g_new (Part, 1);

  *part = (Part){ g_strdup (job), file->index, file->attempt, file->uid, ++self->inodes, 0 };
  g_hash_table_replace (self->parts, months_part_path (job, file), part);
  return part;
}

/* ---- requests ---- */

static char *
owner_key (const char *job, const WorkFile *file)
{
  return g_strdup_printf ("%s:%u", job, file->index);
}

static gboolean
is_in_place (Months *self, const char *job, const WorkFile *file)
{
  const char *path = file->target != NULL ? file->target : file->path;
  const char *owner = g_hash_table_lookup (self->finals, path);
  g_autofree char *key = owner_key (job, file);

  return g_strcmp0 (owner, key) == 0;
}

static char *
free_name (Months *self, const char *path)
{
  g_autofree char *name = g_strdup (path);

  for (guint i = 1; g_hash_table_contains (self->finals, name); i++)
    {
      g_free (name);
      name = g_strdup_printf ("%s (%u)", path, i);
    }
  return g_steal_pointer (&name);
}

static void
verify_one (Months *self,
            GVariantBuilder *builder,
            const char *job,
            const WorkFile *file,
            gboolean keep_both)
{
  g_auto (GVariantDict) details = G_VARIANT_DICT_INIT (NULL);
  const char *status;
  gboolean foreign;

  if (!file->transferred)
    return;
  if (months_is_absent (self, file->path))
    status = "unavailable";
  else if (months_find_part (self, job, file, &foreign) != NULL)
    status = "ok";
  else if (foreign)
    status = "foreign";
  else
    status = is_in_place (self, job, file) ? "in-place" : "missing";
  if (keep_both && g_str_equal (status, "ok"))
    {
      g_autofree char *name = free_name (self, file->path);

      g_variant_dict_insert_value (
          &details, "target",
          g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, name, strlen (name), 1));
    }
  g_variant_builder_add (builder, "(us@a{sv})", file->index, status, g_variant_dict_end (&details));
}

static const char *
rename_one (Months *self, const char *job, const WorkFile *file, const char *overwrite)
{
  const char *path = file->target != NULL ? file->target : file->path;
  g_autofree char *temporary = months_part_path (job, file);
  gboolean taken = g_hash_table_contains (self->finals, path);

  if (taken && file->target != NULL)
    return "taken";
  if (taken && g_str_equal (overwrite, "fail"))
    return "failed";
  g_hash_table_remove (self->parts, temporary);
  g_hash_table_replace (self->finals, g_strdup (path), owner_key (job, file));
  /* no file is put in place twice */
  g_assert_true (g_hash_table_add (self->renamed, owner_key (job, file)));
  return "renamed";
}

/* FALSE = it stopped the walk. */
static gboolean
finalize_one (Months *self,
              GVariantBuilder *builder,
              const char *job,
              const WorkFile *file,
              GVariant *options)
{
  const char *verdict, *overwrite = "replace", *error = "";
  gboolean recovering = FALSE, foreign;

  g_assert_true (file->transferred);
  g_variant_lookup (options, "overwrite", "&s", &overwrite);
  g_variant_lookup (options, "recovering", "b", &recovering);
  if (months_is_absent (self, file->path))
    {
      verdict = "failed";
      error = tfd_error_code_to_name (TFD_ERROR_DESTINATION_UNAVAILABLE);
    }
  else if (months_find_part (self, job, file, &foreign) != NULL)
    verdict = rename_one (self, job, file, overwrite);
  else if (is_in_place (self, job, file))
    verdict = "renamed";
  else
    verdict = recovering && !foreign ? "moved" : "failed";
  g_variant_builder_add_parsed (builder, "(%u, %s, {'error': <%s>})", file->index, verdict, error);
  return g_str_equal (verdict, "renamed") || g_str_equal (verdict, "moved");
}

/* Nobody deletes what a job goes on with. */
static void
check_not_needed (Months *self, const char *id, const WorkFile *file)
{
  TfdJob *job = tfd_engine_get_job (self->fixture->engine, id);
  GPtrArray *files =
      job == NULL || job->ended || (job->work != NULL && job->work->kind != TFD_OPERATION_NONE)
          ? NULL
          : tfd_job_files (job, self->fixture->store, NULL);

  if (files != NULL && file->index < files->len)
    g_assert_cmpuint (engine_file (job, file->index)->attempt, !=, file->attempt);
}

static void
discard_one (Months *self, GVariantBuilder *builder, const char *job, const WorkFile *file)
{
  g_autofree char *path = months_part_path (job, file);
  gboolean foreign;

  if (months_is_absent (self, file->path))
    g_variant_builder_add_parsed (
        builder, "(%u, %@ay, 'not there')", file->index,
        g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, path, strlen (path), 1));
  else if (months_find_part (self, job, file, &foreign) != NULL)
    {
      check_not_needed (self, job, file);
      g_hash_table_remove (self->parts, path);
    }
}

/* What belongs to somebody else is copied. */
static void
adopt_one (Months *self, GVariantBuilder *builder, const char *job, WorkFile *file)
{
  g_auto (GVariantDict) details = G_VARIANT_DICT_INIT (NULL);
  const char *verdict = "absent";
  gboolean foreign;
  const Part *part = months_find_part (self, job, file, &foreign);

  if (part == NULL || months_is_absent (self, file->path))
    ;
  else if (months_happens (self, 3))
    verdict = "ok";
  else
    {
      guint64 have = part->have;
      Part *copy;

      file->attempt++;
      copy = months_create_part (self, job, file);
      copy->have = file->have = have;
      file->inode = copy->inode;
      verdict = "copied";
      g_variant_dict_insert_value (&details, "part", months_part_record (file));
    }
  g_variant_builder_add (builder, "(us@a{sv})", file->index, verdict,
                         g_variant_dict_end (&details));
}

static GVariant *
probe (Months *self, GVariant *parameters)
{
  g_autoptr (GVariantIter) iter = NULL;
  GVariantBuilder builder;
  GVariant *bytes;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ayss)"));
  g_variant_get (parameters, "(aay)", &iter);
  while (g_variant_iter_next (iter, "@ay", &bytes))
    {
      g_autofree char *path = g_strndup (g_variant_get_data (bytes), g_variant_get_size (bytes));

      g_variant_builder_add (
          &builder, "(@ayss)", bytes,
          months_is_absent (self, path) ? tfd_error_code_to_name (TFD_ERROR_INVALID_PATH) : "", "");
      g_variant_unref (bytes);
    }
  return g_variant_new ("(a(ayss))", &builder);
}

/* ---- the door ---- */

static void
work_on_files (Months *self,
               const User *user,
               const char *method,
               GVariant *parameters,
               guint limit,
               GVariantBuilder *builder)
{
  g_autoptr (GVariant) files = tfd_fake_transport_files (parameters);
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 1);
  const char *job, *overwrite = "";
  gboolean goes_on = TRUE;

  g_variant_get_child (parameters, 0, "&s", &job);
  /* while a run may write nobody touches its files */
  g_assert_false (months_find_run (self, job) != NULL && !g_str_equal (method, "Discard"));
  if (g_str_equal (method, "Verify") || g_str_equal (method, "Finalize"))
    g_variant_lookup (options, "overwrite", "&s", &overwrite);
  for (guint i = 0; i < g_variant_n_children (files) && i < limit && goes_on; i++)
    {
      g_autoptr (GVariant) row = g_variant_get_child_value (files, i);
      WorkFile *file = months_read_file (user, row);

      if (g_str_equal (method, "Verify"))
        verify_one (self, builder, job, file, g_str_equal (overwrite, "keep-both"));
      else if (g_str_equal (method, "Adopt"))
        adopt_one (self, builder, job, file);
      else if (g_str_equal (method, "Finalize"))
        goes_on = finalize_one (self, builder, job, file, options);
      else
        discard_one (self, builder, job, file);
      months_file_free (file);
    }
}

GVariant *
months_work_on_disk (
    Months *self, const User *user, const char *method, GVariant *parameters, guint limit)
{
  gboolean discard = g_str_equal (method, "Discard");
  GVariantBuilder builder;

  if (g_str_equal (method, "Probe"))
    return probe (self, parameters);
  if (!discard && !g_str_equal (method, "Verify") && !g_str_equal (method, "Finalize") &&
      !g_str_equal (method, "Adopt"))
    return NULL;
  g_variant_builder_init (&builder, G_VARIANT_TYPE (discard ? "a(uays)" : "a(usa{sv})"));
  work_on_files (self, user, method, parameters, limit, &builder);
  return discard ? g_variant_new ("(a(uays))", &builder) : g_variant_new ("(a(usa{sv}))", &builder);
}

/* ---- what people do to files ---- */

static const char *
pick_key (Months *self, GHashTable *table)
{
  guint left = months_pick (self, g_hash_table_size (table));
  GHashTableIter iter;
  gpointer key = NULL;

  g_hash_table_iter_init (&iter, table);
  do
    g_hash_table_iter_next (&iter, &key, NULL);
  while (left-- > 0);
  return key;
}

void
months_meddle (Months *self)
{
  GHashTable *table = months_happens (self, 3) ? self->parts : self->finals;
  g_autofree char *path = NULL;

  if (g_hash_table_size (table) == 0)
    return;
  path = g_strdup (pick_key (self, table));
  if (months_is_absent (self, path))
    return;
  if (table == self->finals && months_happens (self, 2))
    g_hash_table_replace (table, g_steal_pointer (&path), g_strdup (""));
  else
    g_hash_table_remove (table, path);
}

/* ---- accounts ---- */

static gboolean
is_leftover (GPtrArray *leftovers, const Part *part)
{
  for (guint i = 0; i < leftovers->len; i++)
    {
      const TfdLeftover *row = leftovers->pdata[i];

      if (g_str_equal (row->job_id, part->job) && row->index == part->index &&
          row->attempt == part->attempt)
        return TRUE;
    }
  return FALSE;
}

/* What cannot be reached for 90 days is given up, by a wall clock that may be wrong by weeks. */
static gboolean
is_given_up (Months *self, const Part *part)
{
  const Account *account = g_hash_table_lookup (self->by_id, part->job);

  return account->ended && self->true_time - account->ended_at > 60 * DAY;
}

void
months_check_disk (Months *self)
{
  g_autoptr (GPtrArray) leftovers =
      tfd_store_load_leftovers (self->fixture->store, TFD_LEFTOVER_FILE, G_MAXUINT32, NULL);
  GHashTableIter iter;
  const char *path;
  const Part *part;

  g_hash_table_iter_init (&iter, self->parts);
  while (g_hash_table_iter_next (&iter, (gpointer *) &path, (gpointer *) &part))
    {
      TfdJob *job = tfd_engine_get_job (self->fixture->engine, part->job);
      GPtrArray *files =
          job == NULL || job->ended ? NULL : tfd_job_files (job, self->fixture->store, NULL);

      if (files != NULL && part->index < files->len &&
          engine_file (job, part->index)->attempt == part->attempt)
        continue;
      if (is_leftover (leftovers, part))
        continue;
      if (is_given_up (self, part))
        g_hash_table_iter_remove (&iter);
      else
        g_error ("nobody knows of %s; its job %s", path,
                 files == NULL               ? "has ended"
                 : part->index >= files->len ? "has no such file"
                                             : "has begun it anew");
    }
}
