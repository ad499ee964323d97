/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the outbox: nothing is told before its commit, in order, and one commit serves many. */
#include "engine/outbox.h"
#include "store/statement.h"
#include "tests/lib/signal-log.h"
#include "tests/lib/store-samples.h"

typedef struct
{
  StoreFixture base;
  TfdOutbox *outbox;
  TfdSignalLog *log;
  guint commits, failing;
} Fixture;

typedef struct
{
  Fixture *fixture;
  const char *name;
} Item;

static int
commit_cb (gpointer data)
{
  Fixture *self = data;

  if (self->failing > 0)
    {
      self->failing--;
      return 1;
    }
  self->commits++;
  return 0;
}

static void
settled_cb (const GError *error, gpointer data)
{
  Fixture *self = data;

  g_assert_false (tfd_store_in_transaction (self->base.store));
  if (error != NULL)
    {
      g_assert_error (error, TFD_ERROR, TFD_ERROR_STORAGE_FAILED);
      tfd_signal_log_add (self->log, "undone");
    }
}

static void
item_cb (const GError *error, gpointer data)
{
  Item *item = data;

  tfd_signal_log_add (item->fixture->log, "%s%s", item->name, error != NULL ? " failed" : "");
}

static void
free_cb (gpointer data)
{
  Item *item = data;

  tfd_signal_log_add (item->fixture->log, "free %s", item->name);
  g_free (item);
}

static Item *
item_new (Fixture *self, const char *name)
{
  Item *item = g_new (Item, 1);

  *item = (Item){ self, name };
  return item;
}

static void
add (Fixture *self, const char *name)
{
  tfd_outbox_add (self->outbox, item_cb, item_new (self, name), g_free);
}

static void
write_something (Fixture *self)
{
  OK (tfd_store_set_meta (self->base.store, "key", "value", error));
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
set_up (Fixture *self, gconstpointer data)
{
  store_set_up (&self->base, data);
  store_reopen (&self->base);
  sqlite3_commit_hook (self->base.store->db, commit_cb, self);
  self->log = tfd_signal_log_new ();
  tfd_signal_log_catch_warnings (self->log);
  self->outbox = tfd_outbox_new (self->base.store, settled_cb, self);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  settle ();
  g_clear_pointer (&self->outbox, tfd_outbox_free);
  tfd_signal_log_free (self->log);
  sqlite3_commit_hook (self->base.store->db, NULL, NULL);
  store_tear_down (&self->base, data);
}

static void
test_order (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  write_something (self);
  add (self, "a");
  add (self, "b");
  add (self, "c");
  tfd_signal_log_assert (self->log, "");
  g_assert_true (tfd_store_in_transaction (self->base.store));
  settle ();
  tfd_signal_log_assert (self->log, "a\nb\nc");
  g_assert_cmpuint (self->commits, ==, 1);
}

/* What needs no commit, a refusal for one, keeps its place in the order. */
static void
test_without_transaction (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  add (self, "a");
  tfd_signal_log_assert (self->log, "");
  settle ();
  tfd_signal_log_assert (self->log, "a");
  g_assert_cmpuint (self->commits, ==, 0);
}

static void
test_wake (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  write_something (self);
  tfd_outbox_wake (self->outbox);
  tfd_outbox_wake (self->outbox);
  settle ();
  g_assert_cmpuint (self->commits, ==, 1);
  g_assert_false (tfd_store_in_transaction (self->base.store));
}

/* Calls that arrive together share a commit; the sixty-fourth does not wait any longer. */
static void
test_group (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  for (guint i = 0; i < 63; i++)
    {
      write_something (self);
      tfd_outbox_count_call (self->outbox);
    }
  g_assert_cmpuint (self->commits, ==, 0);
  add (self, "a");
  tfd_outbox_count_call (self->outbox);
  g_assert_cmpuint (self->commits, ==, 1);
  tfd_signal_log_assert (self->log, "a");

  for (guint i = 0; i < 63; i++)
    {
      write_something (self);
      tfd_outbox_count_call (self->outbox);
    }
  g_assert_cmpuint (self->commits, ==, 1);
  settle ();
  g_assert_cmpuint (self->commits, ==, 2);
}

/* What waits at the priority of bus messages goes before the commit. */
static gboolean
call_cb (gpointer data)
{
  Fixture *self = data;

  g_assert_cmpuint (self->commits, ==, 0);
  write_something (self);
  add (self, "call");
  return G_SOURCE_REMOVE;
}

static void
test_priority (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  write_something (self);
  add (self, "first");
  for (guint i = 0; i < 10; i++)
    g_idle_add_full (G_PRIORITY_DEFAULT, call_cb, self, NULL);
  settle ();
  g_assert_cmpuint (self->commits, ==, 1);
  tfd_signal_log_assert_has (self->log, "first\ncall\ncall\ncall\ncall\ncall\ncall\ncall\ncall"
                                        "\ncall\ncall");
}

static void
test_flush (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  write_something (self);
  add (self, "a");
  tfd_outbox_flush (self->outbox);
  tfd_signal_log_assert (self->log, "a");
  tfd_outbox_flush (self->outbox);
  g_assert_cmpuint (self->commits, ==, 1);
}

/* The commit fails: everybody who waited for it hears that, and the model is read again before. */
static void
test_commit_fails (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *value = NULL;

  self->failing = 1;
  write_something (self);
  add (self, "a");
  add (self, "b");
  settle ();
  tfd_signal_log_assert (self->log, "warning\nundone\na failed\nb failed");
  OK (tfd_store_get_meta (self->base.store, "key", &value, error));
  g_assert_null (value);

  write_something (self);
  add (self, "c");
  settle ();
  tfd_signal_log_assert (self->log, "c");
  g_assert_cmpuint (self->commits, ==, 1);
}

/* Part of a transaction could not be written: nothing of it may stay. */
static void
test_doom (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) reason =
      g_error_new_literal (TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "the test says so");
  g_autofree char *value = NULL;

  write_something (self);
  add (self, "a");
  tfd_outbox_doom (self->outbox, reason);
  tfd_outbox_doom (self->outbox, reason);
  add (self, "b");
  settle ();
  tfd_signal_log_assert (self->log, "warning\nundone\na failed\nb failed");
  OK (tfd_store_get_meta (self->base.store, "key", &value, error));
  g_assert_null (value);

  add (self, "c");
  settle ();
  tfd_signal_log_assert (self->log, "c");
}

/* Before anything was written, too: an error at the begin. */
static void
test_doom_without_transaction (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) reason =
      g_error_new_literal (TFD_ERROR, TFD_ERROR_STORAGE_FAILED, "the test says so");

  tfd_outbox_doom (self->outbox, reason);
  settle ();
  tfd_signal_log_assert (self->log, "warning\nundone");
}

static void
nested_cb (const GError *error, gpointer data)
{
  Item *item = data;
  Fixture *self = item->fixture;

  item_cb (error, data);
  write_something (self);
  add (self, "next");
  /* from inside there is no second flush: the order would be lost */
  tfd_outbox_flush (self->outbox);
}

static void
test_nested (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  write_something (self);
  tfd_outbox_add (self->outbox, nested_cb, item_new (self, "a"), free_cb);
  add (self, "b");
  tfd_outbox_flush (self->outbox);
  tfd_signal_log_assert (self->log, "a\nfree a\nb");
  g_assert_cmpuint (self->commits, ==, 1);
  settle ();
  tfd_signal_log_assert (self->log, "next");
  g_assert_cmpuint (self->commits, ==, 2);
}

/* The service ends: what was not committed is not told, but freed. */
static void
test_free (Fixture *self, gconstpointer data G_GNUC_UNUSED)
{
  write_something (self);
  tfd_outbox_add (self->outbox, item_cb, item_new (self, "a"), free_cb);
  g_clear_pointer (&self->outbox, tfd_outbox_free);
  tfd_signal_log_assert (self->log, "free a");
  settle ();
  g_assert_cmpuint (self->commits, ==, 0);
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/outbox/order", test_order);
  ADD ("/outbox/without-transaction", test_without_transaction);
  ADD ("/outbox/wake", test_wake);
  ADD ("/outbox/group", test_group);
  ADD ("/outbox/priority", test_priority);
  ADD ("/outbox/flush", test_flush);
  ADD ("/outbox/commit-fails", test_commit_fails);
  ADD ("/outbox/doom", test_doom);
  ADD ("/outbox/doom-without-transaction", test_doom_without_transaction);
  ADD ("/outbox/nested", test_nested);
  ADD ("/outbox/free", test_free);
  return g_test_run ();
}
