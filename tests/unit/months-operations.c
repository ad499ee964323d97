/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Months, the people: what they ask for. */
#include "months-calls.h"

#define MANY_JOBS 14

/* ---- files ---- */

static GPtrArray *
make_files (Months *self, const User *user, guint n)
{
  GPtrArray *files = g_ptr_array_new_with_free_func ((GDestroyNotify) tfd_file_spec_free);

  for (guint i = 0; i < n; i++)
    {
      guint place = months_happens (self, 3) || user->uid == 0 ? 3 + months_pick (self, 2)
                                                               : user->uid - ALICE;
      g_autofree char *name = months_happens (self, 8)
                                  ? g_strdup_printf ("same-%u", i)
                                  : g_strdup_printf ("file-%u", self->serial++);
      g_autofree char *path = g_build_filename (months_places[place], name, NULL);
      g_autofree char *url = months_url (self, name);

      g_ptr_array_add (files, tfd_file_spec_new (TFD_JOB_TYPE_DOWNLOAD, url, path, NULL, NULL));
    }
  return files;
}

/* A worker looks first, as the bus has it, or there is none. */
static void
looked_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Call *call = data;
  TfdEngine *engine = TFD_ENGINE (source);
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) directories = tfd_engine_probe_finish (engine, result, &error);
  TfdJob *job = tfd_engine_get_job (engine, call->account->id);

  call->probing = FALSE;
  if (directories == NULL || job == NULL)
    months_answered (call);
  else
    months_ask (call);
}

static void
ask_to_add (Months *self, Account *account)
{
  Call *call = months_call_new (self, account, ADD);
  TfdOwner owner = { call->user->uid, call->user->name, NULL };

  call->files = make_files (self, call->user, 1 + months_pick (self, 2));
  if (months_happens (self, 2))
    {
      months_ask (call);
      return;
    }
  call->probing = TRUE;
  tfd_engine_probe_async (self->fixture->engine, &owner, TFD_JOB_TYPE_DOWNLOAD, NULL, call->files,
                          looked_cb, call);
}

/* ---- properties ---- */

static GVariant *
make_properties (Months *self, int *priority)
{
  static const guint64 delays[][2] = { { 5 * SECOND, HOUR },      { MINUTE, DAY },
                                       { 10 * MINUTE, 14 * DAY }, { HOUR, 14 * DAY },
                                       { 10 * MINUTE, MINUTE },   { 10 * MINUTE, 0 } };
  guint delay = months_pick (self, G_N_ELEMENTS (delays));
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  *priority = -1;
  if (months_happens (self, 2))
    {
      *priority = (int) months_pick (self, 4);
      g_variant_dict_insert (&dict, "Priority", "s",
                             tfd_enum_to_string (TFD_TYPE_PRIORITY, *priority));
    }
  if (months_happens (self, 2))
    {
      g_variant_dict_insert (&dict, "MinimumRetryDelay", "t", delays[delay][0]);
      g_variant_dict_insert (&dict, "NoProgressTimeout", "t", delays[delay][1]);
    }
  if (months_happens (self, 6))
    g_variant_dict_insert (&dict, "MaximumDownloadTime", "t",
                           (guint64) months_span (self, MINUTE, 2 * DAY));
  if (months_happens (self, 4))
    g_variant_dict_insert (
        &dict, "TransferPolicy", "s",
        tfd_enum_to_string (TFD_TYPE_TRANSFER_POLICY, (int) months_pick (self, 5)));
  if (months_happens (self, 4))
    g_variant_dict_insert (&dict, "RunWhen", "s",
                           tfd_enum_to_string (TFD_TYPE_RUN_WHEN, (int) months_pick (self, 3)));
  if (months_happens (self, 8))
    g_variant_dict_insert (&dict, "AutoComplete", "b", months_happens (self, 2));
  if (months_happens (self, 8))
    g_variant_dict_insert (&dict, "NotifyFiles", "b", TRUE);
  if (months_happens (self, 12))
    g_variant_dict_insert (&dict, "DynamicContent", "b", months_happens (self, 2));
  if (months_happens (self, 12))
    g_variant_dict_insert (&dict, "MaximumSize", "t", (guint64) months_pick (self, 3000));
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

static void
ask_to_set (Months *self, Account *account)
{
  Call *call = months_call_new (self, account, SET);

  call->options = make_properties (self, &call->value);
  call->change = ++account->changes;
  account->priority = -1;
  months_ask (call);
}

/* ---- new jobs ---- */

static gboolean
count_cb (TfdJob *job G_GNUC_UNUSED, gpointer data)
{
  ++*(guint *) data;
  return TRUE;
}

static void
open_account (Call *call, TfdJob *job, gboolean started)
{
  Months *self = call->world;
  Account *account = g_new0 (Account, 1);

  account->id = g_strdup (tfd_job_id (job));
  account->user = call->user;
  account->forgotten = months_happens (self, 8);
  account->resting = !started;
  account->files_most = call->files->len;
  account->priority = (int) tfd_job_record (job)->properties->priority;
  account->told = tfd_job_record (job)->state;
  g_ptr_array_add (self->accounts, account);
  g_hash_table_insert (self->by_id, account->id, account);
  months_used (self, account->id, FALSE);
  call->account = account;
  call->used = TRUE;
}

/* The jobs of @user, and those that it is about to take. */
static guint
count_places (Months *self, const User *user)
{
  guint n = 0;

  tfd_engine_foreach_job (self->fixture->engine, user->uid, NULL, count_cb, &n);
  for (guint i = 0; i < self->accounts->len; i++)
    n += ((Account *) self->accounts->pdata[i])->taker == user;
  return n;
}

static void
create (Months *self)
{
  Call *call = months_call_new (self, NULL, CREATE);
  g_autoptr (TfdJobProperties) properties = tfd_job_properties_new ();
  g_autoptr (GVariant) changes = make_properties (self, &call->value);
  g_autoptr (GError) error = NULL;
  gboolean started;
  guint present;
  TfdOwner owner;
  TfdJob *job;

  call->user = &self->users[months_pick (self, N_USERS)];
  call->files = make_files (self, call->user, months_pick (self, 5));
  owner = (TfdOwner){ call->user->uid, call->user->name, NULL };
  started = call->files->len > 0 && !months_happens (self, 4);
  tfd_job_properties_apply (properties, TFD_JOB_TYPE_DOWNLOAD, changes, TRUE, TFD_LIFE_NEW, NULL);
  present = count_places (self, call->user);
  job = tfd_engine_create_job (self->fixture->engine, &owner, TFD_JOB_TYPE_DOWNLOAD,
                               g_steal_pointer (&properties), call->files, NULL, started, NULL,
                               &error);
  if (job != NULL)
    open_account (call, job, started);
  else if (error->code == TFD_ERROR_TOO_MANY_JOBS_PER_USER)
    g_assert_cmpuint (present, >=, self->fixture->config->max_jobs_per_user);
  else
    g_assert_true (error->code == TFD_ERROR_DUPLICATE_DESTINATION ||
                   error->code == TFD_ERROR_STORAGE_FAILED);
  months_decide (call, error);
}

/* ---- what they think of ---- */

static Account *
pick_account (Months *self)
{
  guint seen = 0, wanted = months_pick (self, 8);
  Account *last = NULL;

  for (guint i = self->accounts->len; i > 0 && seen <= wanted; i--)
    {
      Account *account = self->accounts->pdata[i - 1];

      /* nobody knows the name of a job before it was answered */
      if (account->ended || account->forgotten || !account->confirmed ||
          tfd_engine_get_job (self->fixture->engine, account->id) == NULL)
        continue;
      last = account;
      seen++;
    }
  return last;
}

static guint
count_jobs (Months *self)
{
  guint n = 0;

  for (guint i = 0; i < self->accounts->len; i++)
    n += !((Account *) self->accounts->pdata[i])->ended;
  return n;
}

static void
ask_to_end (Months *self, Account *account, Kind kind)
{
  Call *call = months_call_new (self, account, kind);

  call->options = g_variant_ref_sink (
      g_variant_new_parsed ("{'overwrite': <%s>, 'require-all': <%b>}",
                            tfd_enum_to_string (TFD_TYPE_OVERWRITE, (int) months_pick (self, 3)),
                            (gboolean) months_happens (self, 4)));
  months_ask (call);
}

static void
ask_simply (Months *self, Account *account, Kind kind)
{
  Call *call = months_call_new (self, account, kind);

  call->value = months_happens (self, 2);
  months_ask (call);
}

static void
ask_to_take (Months *self, Account *account)
{
  Call *call = months_call_new (self, account, TAKE);

  call->user = &self->users[months_pick (self, N_USERS)];
  months_ask (call);
}

/* All jobs of one user at once. */
static void
ask_for_all (Months *self, User *user, Kind kind)
{
  for (guint i = 0; i < self->accounts->len; i++)
    {
      Account *account = self->accounts->pdata[i];

      if (account->user != user || account->ended || account->forgotten || !account->confirmed)
        continue;
      if (kind == COMPLETE || kind == CANCEL)
        ask_to_end (self, account, kind);
      else
        ask_simply (self, account, kind);
    }
}

static void
ask_about (Months *self, Account *account)
{
  static const Kind often[] = { RESUME, RESUME, RESUME,   SUSPEND, SET,      SET, ADD,
                                ADD,    RENAME, VALIDATE, CANCEL,  COMPLETE, TAKE };
  Kind kind = often[months_pick (self, G_N_ELEMENTS (often))];

  if (count_jobs (self) > MANY_JOBS && months_happens (self, 2))
    kind = months_happens (self, 3) ? CANCEL : COMPLETE;
  if (kind == ADD)
    ask_to_add (self, account);
  else if (kind == SET)
    ask_to_set (self, account);
  else if (kind == TAKE)
    ask_to_take (self, account);
  else if (kind == COMPLETE || kind == CANCEL)
    ask_to_end (self, account, kind);
  else
    ask_simply (self, account, kind);
}

void
months_operate (Months *self)
{
  static const Kind for_all[] = { SUSPEND, RESUME, RESUME, COMPLETE, CANCEL };
  Account *account = pick_account (self);

  self->operations++;
  if (account == NULL || months_happens (self, count_jobs (self) > MANY_JOBS ? 20 : 5))
    create (self);
  else if (months_happens (self, 60))
    ask_for_all (self, account->user, for_all[months_pick (self, G_N_ELEMENTS (for_all))]);
  else
    ask_about (self, account);
}

void
months_end_all (Months *self)
{
  for (guint i = 0; i < N_USERS; i++)
    ask_for_all (self, &self->users[i], months_happens (self, 3) ? CANCEL : COMPLETE);
}

void
months_resume_all (Months *self)
{
  for (guint i = 0; i < N_USERS; i++)
    ask_for_all (self, &self->users[i], RESUME);
}
