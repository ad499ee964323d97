/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Tests of the client library against a service that answers by a script, dies and comes back. */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
#include "common/names.h"
#include "tests/lib/fake-service.h"
#include "transfer/transfer.h"

#define ID "0123456789abcdef0123456789abcdef"
#define PATH TFD_JOBS_PATH "/" ID
#define DEADLINE_SECONDS 120

typedef struct
{
  GTestDBus *bus;
  FakeService *service;
  TransferClient *client;
  gboolean ended;     /* the job is over: history knows it, methods say NotFound */
  gboolean dies;      /* at the next Complete or Cancel, once */
  gboolean finishes;  /* and rolls forward then */
  const char *result; /* of the history */
  GVariant *seen;     /* (owned) (nullable) arguments of the last call that was looked at */
  guint rows;         /* jobs and files there are */
  GString *news;      /* (owned) signals seen */
} World;

/* Runs the main loop until @condition is true; a deadline instead of for ever. */
static gboolean
deadline_cb (gpointer user_data)
{
  (void) user_data;
  g_assert_not_reached (); /* waited in vain */
  return G_SOURCE_REMOVE;
}

#define WAIT_UNTIL(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint deadline = g_timeout_add_seconds (DEADLINE_SECONDS, deadline_cb, NULL);                  \
    while (!(condition))                                                                           \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (deadline);                                                                    \
  }                                                                                                \
  G_STMT_END

static void
result_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **place = user_data;

  (void) source;
  *place = g_object_ref (result);
}

static GVariant *
properties (World *world)
{
  (void) world;
  return g_variant_new_parsed ("({'Id': <%s>, 'State': <'suspended'>, 'DisplayName': <'name'>, "
                               "'BytesTotal': <@t 100>},)",
                               ID);
}

static GVariant *
history (World *world)
{
  if (!world->ended)
    return g_variant_new_parsed ("(@a(sa{sv}) [],)");
  return g_variant_new_parsed ("([(%s, {'result': <%s>, 'kept': <[(@u 0, '/tmp/a')]>})],)", ID,
                               world->result);
}

/* Rows of ListJobs behind "after", two in a page. */
static GVariant *
job_rows (World *world, GVariant *parameters)
{
  g_autoptr (GVariant) filter = g_variant_get_child_value (parameters, 0);
  g_autofree char *after = NULL;
  GVariantBuilder builder;
  guint first = 0;

  if (g_variant_lookup (filter, "after", "o", &after))
    first = (guint) g_ascii_strtoull (after + strlen (TFD_JOBS_PATH) + 1, NULL, 16) + 1;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(oa{sv})"));
  for (guint i = first; i < world->rows && i < first + 2; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%032x", TFD_JOBS_PATH, i);

      g_variant_builder_add_parsed (&builder, "(%o, {'State': <'queued'>})", path);
    }
  return g_variant_new ("(a(oa{sv}))", &builder);
}

static GVariant *
file_rows (World *world, GVariant *parameters)
{
  GVariantBuilder builder;
  guint32 first;

  g_variant_get (parameters, "(uu)", &first, NULL);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ussttsa{sv})"));
  for (guint32 i = first; i < world->rows && i < first + 2; i++)
    g_variant_builder_add_parsed (
        &builder, "(%u, 'http://a', '', @t 5, @t 7, 'completed', {'path': <b'/\\377'>})", i);
  return g_variant_new ("(a(ussttsa{sv}))", &builder);
}

static GVariant *
handle_end (World *world, const char *method, const char **error)
{
  if (world->dies)
    {
      world->dies = FALSE;
      world->ended = world->finishes;
      fake_service_die (world->service);
      return NULL;
    }
  world->ended = TRUE;
  world->result = g_str_equal (method, "Complete") ? "completed" : "cancelled";
  *error = NULL;
  return g_variant_new_parsed ("(%s, @a{sv} {})", world->result);
}

static GVariant *
handle (FakeService *service,
        const char *path,
        const char *method,
        GVariant *parameters,
        const char **error,
        gpointer user_data)
{
  World *world = user_data;

  (void) service;
  if (g_str_equal (method, "CreateJob") || g_str_equal (method, "AddFiles"))
    {
      g_clear_pointer (&world->seen, g_variant_unref);
      world->seen = g_variant_ref (parameters);
    }
  if (g_str_equal (method, "GetJobHistory"))
    return history (world);
  if (g_str_equal (method, "ListJobs"))
    return job_rows (world, parameters);
  if (g_str_equal (path, PATH) && world->ended)
    {
      *error = TFD_ERROR_PREFIX "NotFound";
      return NULL;
    }
  if (g_str_equal (method, "CreateJob") || g_str_equal (method, "GetJob"))
    return g_variant_new ("(o)", PATH);
  if (g_str_equal (method, "GetAll"))
    return properties (world);
  if (g_str_equal (method, "AddFiles"))
    return g_variant_new ("(u)", 20000 * (fake_service_count (service, "AddFiles") - 1));
  if (g_str_equal (method, "ListFiles"))
    return file_rows (world, parameters);
  if (g_str_equal (method, "Complete") || g_str_equal (method, "Cancel"))
    return handle_end (world, method, error);
  if (g_str_equal (method, "Resume") || g_str_equal (method, "Subscribe"))
    return g_variant_new ("()");
  if (g_str_equal (method, "Suspend") || g_str_equal (method, "AddFileFd")) /* kept */
    return NULL;
  *error = "org.freedesktop.DBus.Error.AccessDenied";
  return NULL;
}

static void
world_begin (World *world, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  (void) data;
  world->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (world->bus);
  world->service = fake_service_new (g_test_dbus_get_bus_address (world->bus), handle, world);
  world->news = g_string_new (NULL);
  transfer_client_new_async (g_test_dbus_get_bus_address (world->bus), NULL, result_cb, &result);
  WAIT_UNTIL (result != NULL);
  world->client = transfer_client_new_finish (result, &error);
  g_assert_no_error (error);
  g_assert_true (transfer_client_is_service_running (world->client));
}

static void
world_end (World *world, gconstpointer data)
{
  GDBusConnection *connection = g_object_ref (transfer_client_get_connection (world->client));

  (void) data;
  /* calls that are still on their way hold the client; nothing else may */
  WAIT_UNTIL (G_OBJECT (world->client)->ref_count == 1);
  g_assert_finalize_object (world->client);
  g_dbus_connection_close_sync (connection, NULL, NULL);
  g_object_unref (connection);
  fake_service_free (world->service);
  g_clear_pointer (&world->seen, g_variant_unref);
  g_string_free (world->news, TRUE);
  g_test_dbus_down (world->bus);
  g_object_unref (world->bus);
}

static TransferJob *
get_job (World *world)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  TransferJob *job;

  transfer_client_get_job_async (world->client, ID, NULL, result_cb, &result);
  WAIT_UNTIL (result != NULL);
  job = transfer_client_get_job_finish (world->client, result, &error);
  g_assert_no_error (error);
  return job;
}

static void
changed_cb (TransferJob *job, GVariant *changed, gpointer user_data)
{
  World *world = user_data;

  (void) changed;
  g_string_append_printf (world->news, "%s ",
                          transfer_job_state_to_string (transfer_job_get_state (job)));
}

static void
transferred_cb (TransferJob *job, gpointer user_data)
{
  World *world = user_data;

  (void) job;
  g_string_append (world->news, "told-transferred ");
}

static void
removed_cb (TransferJob *job, TransferResult result, gpointer user_data)
{
  World *world = user_data;

  (void) job;
  g_string_append_printf (world->news, "removed-%s ", transfer_result_to_string (result));
}

static TransferJob *
get_told_job (World *world)
{
  TransferJob *job = get_job (world);

  g_signal_connect (job, "changed", G_CALLBACK (changed_cb), world);
  g_signal_connect (job, "transferred", G_CALLBACK (transferred_cb), world);
  g_signal_connect (job, "removed", G_CALLBACK (removed_cb), world);
  return job;
}

static void
change_state (World *world, const char *state)
{
  fake_service_change (
      world->service,
      g_dbus_connection_get_unique_name (transfer_client_get_connection (world->client)), PATH,
      g_variant_new_parsed ("{'State': <%s>}", state));
}

static void
test_properties (World *world, gconstpointer data)
{
  g_autoptr (TransferJob) job = get_job (world);
  g_autoptr (GVariant) name = transfer_job_dup_value (job, "DisplayName");

  (void) data;
  g_assert_cmpstr (transfer_job_get_id (job), ==, ID);
  g_assert_cmpstr (transfer_job_get_display_name (job), ==, "name");
  g_assert_cmpint (transfer_job_get_state (job), ==, TRANSFER_JOB_STATE_SUSPENDED);
  g_assert_cmpuint (transfer_job_get_bytes_total (job), ==, 100);
  g_assert_cmpuint (transfer_job_get_files_total (job), ==, 0);
  g_assert_cmpstr (transfer_job_get_status_text (job), ==, "");
  g_assert_null (transfer_job_dup_error (job));
  g_assert_cmpstr (g_variant_get_string (name, NULL), ==, "name");
  g_assert_true (transfer_job_is_watched (job));
}

static void
test_news (World *world, gconstpointer data)
{
  g_autoptr (TransferJob) job = get_told_job (world);

  (void) data;
  change_state (world, "transferring");
  fake_service_emit (world->service, "JobTransferred", g_variant_new ("(o)", TFD_JOBS_PATH "/f"));
  change_state (world, "newer-than-we");
  fake_service_emit (world->service, "JobTransferred", g_variant_new ("(o)", PATH));
  fake_service_emit (world->service, "JobRemoved", g_variant_new ("(os)", PATH, "partial"));
  WAIT_UNTIL (transfer_job_is_ended (job));
  g_assert_cmpstr (world->news->str, ==, "transferring unknown told-transferred removed-partial ");
  g_assert_cmpint (transfer_job_get_state (job), ==, TRANSFER_JOB_STATE_ACKNOWLEDGED);
  g_assert_cmpint (transfer_job_get_result (job), ==, TRANSFER_RESULT_PARTIAL);
  g_assert_false (transfer_job_is_watched (job));
}

/* Somebody else on the bus cannot tell us stories about our jobs. */
static void
test_forged_news (World *world, gconstpointer data)
{
  g_autoptr (TransferJob) job = get_told_job (world);
  g_autoptr (GDBusConnection) other =
      g_dbus_connection_new_for_address_sync (g_test_dbus_get_bus_address (world->bus),
                                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                  G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                              NULL, NULL, NULL);
  const char *us =
      g_dbus_connection_get_unique_name (transfer_client_get_connection (world->client));

  (void) data;
  g_dbus_connection_emit_signal (other, us, TFD_MANAGER_PATH, TFD_MANAGER_INTERFACE, "JobRemoved",
                                 g_variant_new ("(os)", PATH, "cancelled"), NULL);
  g_assert_true (g_dbus_connection_close_sync (other, NULL, NULL));
  change_state (world, "queued");
  WAIT_UNTIL (world->news->len > 0);
  g_assert_cmpstr (world->news->str, ==, "queued ");
}

static void
test_error_names (World *world, gconstpointer data)
{
  g_autoptr (TransferJob) job = get_job (world);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) unknown = NULL;
  g_autoptr (GError) error = NULL;

  (void) data;
  transfer_job_explain_async (job, NULL, result_cb, &result);
  WAIT_UNTIL (result != NULL);
  g_assert_null (transfer_job_explain_finish (job, result, &error));
  g_assert_error (error, TRANSFER_ERROR, (int) TRANSFER_ERROR_ACCESS_DENIED);
  g_assert_cmpstr (error->message, ==, "the fake says no");
  g_clear_error (&error);

  world->ended = TRUE;
  world->result = "completed";
  transfer_client_get_job_async (world->client, ID, NULL, result_cb, &unknown);
  WAIT_UNTIL (unknown != NULL);
  g_assert_null (transfer_client_get_job_finish (world->client, unknown, &error));
  g_assert_error (error, TRANSFER_ERROR, (int) TRANSFER_ERROR_NOT_FOUND);
}

static void
test_paging (World *world, gconstpointer data)
{
  g_autoptr (TransferJob) job = get_job (world);

  (void) data;
  for (world->rows = 0; world->rows < 6; world->rows++)
    {
      g_autoptr (GAsyncResult) listed = NULL;
      g_autoptr (GAsyncResult) filed = NULL;
      g_autoptr (GPtrArray) jobs = NULL;
      g_autoptr (GPtrArray) files = NULL;

      transfer_client_list_jobs_async (world->client, NULL, NULL, result_cb, &listed);
      transfer_job_list_files_async (job, NULL, result_cb, &filed);
      WAIT_UNTIL (listed != NULL && filed != NULL);
      jobs = transfer_client_list_jobs_finish (world->client, listed, NULL);
      files = transfer_job_list_files_finish (job, filed, NULL);
      g_assert_cmpuint (jobs->len, ==, world->rows);
      g_assert_cmpuint (files->len, ==, world->rows);
      for (guint i = 0; i < world->rows; i++)
        {
          const TransferFile *file = g_ptr_array_index (files, i);

          g_assert_cmpuint (file->index, ==, i);
          g_assert_cmpstr (file->local_path, ==, "/\xff");
          g_assert_cmpint (file->state, ==, TRANSFER_FILE_STATE_COMPLETED);
          g_assert_cmpint (transfer_job_get_state (g_ptr_array_index (jobs, i)), ==,
                           TRANSFER_JOB_STATE_QUEUED);
        }
    }
}

static void
test_limited_listing (World *world, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) jobs = NULL;

  (void) data;
  world->rows = 100;
  transfer_client_list_jobs_async (world->client, g_variant_new_parsed ("{'limit': <@u 4>}"), NULL,
                                   result_cb, &result);
  WAIT_UNTIL (result != NULL);
  jobs = transfer_client_list_jobs_finish (world->client, result, NULL);
  g_assert_cmpuint (jobs->len, ==, 4);
  g_assert_cmpuint (fake_service_count (world->service, "ListJobs"), ==, 2);
}

/* An a(ssa{sv}) of @n files. */
static GVariant *
many_files (guint n)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ssa{sv})"));
  for (guint i = 0; i < n; i++)
    g_variant_builder_add_value (&builder, transfer_file_entry ("http://a/b", "/tmp/c", NULL));
  return g_variant_builder_end (&builder);
}

static void
test_create_with_many_files (World *world, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TransferJob) job = NULL;
  GVariantDict dict;

  (void) data;
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert_value (&dict, "files", many_files (45000));
  g_variant_dict_insert (&dict, "start", "b", TRUE);
  transfer_client_create_job_async (world->client, "name", TRANSFER_JOB_TYPE_DOWNLOAD,
                                    g_variant_dict_end (&dict), NULL, result_cb, &result);
  WAIT_UNTIL (result != NULL);
  job = transfer_client_create_job_finish (world->client, result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fake_service_count (world->service, "CreateJob"), ==, 1);
  g_assert_cmpuint (fake_service_count (world->service, "AddFiles"), ==, 2);
  g_assert_cmpuint (fake_service_count (world->service, "Resume"), ==, 1);
}

static void
test_umask (World *world, gconstpointer data)
{
  g_autoptr (TransferJob) job = get_job (world);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) wanted = NULL;
  mode_t before = umask (027);
  GVariant *entries[] = {
    transfer_file_entry ("http://a", "/a", NULL),
    transfer_file_entry ("http://b", "/b", g_variant_new_parsed ("{'mode': <@u 384>}")),
    transfer_file_entry ("http://c", "/c", g_variant_new_parsed ("{'umask': <@u 63>}")),
    transfer_file_entry ("http://d", "/\xff", NULL),
  };

  (void) data;
  transfer_job_add_files_async (job, g_variant_new_array (NULL, entries, G_N_ELEMENTS (entries)),
                                NULL, result_cb, &result);
  umask (before);
  WAIT_UNTIL (result != NULL);
  g_assert_true (transfer_job_add_files_finish (job, result, NULL, NULL));
  wanted = g_variant_ref_sink (g_variant_new_parsed (
      "([('http://a', '/a', {'umask': <@u 23>}), ('http://b', '/b', {'mode': <@u 384>}), "
      "('http://c', '/c', {'umask': <@u 63>}), "
      "('http://d', '', {'path': <b'/\\377'>, 'umask': <@u 23>})],)"));
  g_assert_cmpvariant (world->seen, wanted);
}

static void
test_outstanding_calls (World *world, gconstpointer data)
{
  g_autoptr (TransferJob) job = get_job (world);
  GAsyncResult *results[200] = { NULL };

  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    transfer_job_suspend_async (job, NULL, result_cb, &results[i]);
  for (guint done = 0; done < G_N_ELEMENTS (results);)
    {
      guint wanted = MIN (64, G_N_ELEMENTS (results) - done);

      WAIT_UNTIL (fake_service_kept (world->service) == wanted);
      fake_service_answer_all (world->service, g_variant_new ("()"));
      done += wanted;
      WAIT_UNTIL (results[done - 1] != NULL);
    }
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_assert_true (transfer_job_suspend_finish (job, results[i], NULL));
      g_object_unref (results[i]);
    }
}

static void
test_outstanding_descriptors (World *world, gconstpointer data)
{
  g_autoptr (TransferJob) job = get_job (world);
  GAsyncResult *results[50] = { NULL };
  int fd = open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  (void) data;
  g_assert_cmpint (fd, >=, 0);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    transfer_job_add_file_fd_async (job, "http://a/", fd, "a", NULL, NULL, result_cb, &results[i]);
  close (fd);
  for (guint done = 0; done < G_N_ELEMENTS (results);)
    {
      guint wanted = MIN (16, G_N_ELEMENTS (results) - done);

      WAIT_UNTIL (fake_service_kept (world->service) == wanted);
      fake_service_answer_all (world->service, g_variant_new ("(u)", 7));
      done += wanted;
      WAIT_UNTIL (results[done - 1] != NULL);
    }
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    g_object_unref (results[i]);
}

static void
test_cancellation (World *world, gconstpointer data)
{
  g_autoptr (TransferJob) job = get_job (world);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  (void) data;
  transfer_job_suspend_async (job, cancellable, result_cb, &result);
  WAIT_UNTIL (fake_service_kept (world->service) == 1);
  g_cancellable_cancel (cancellable);
  WAIT_UNTIL (result != NULL);
  g_assert_false (transfer_job_suspend_finish (job, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  fake_service_answer_all (world->service, g_variant_new ("()"));
}

/* Runs Complete or Cancel through a death of the service. */
static gboolean
end_through_death (World *world, gboolean cancel, TransferResult *ended, GError **error)
{
  g_autoptr (TransferJob) job = get_job (world);
  g_autoptr (GAsyncResult) result = NULL;

  world->dies = TRUE;
  if (cancel)
    transfer_job_cancel_async (job, NULL, NULL, result_cb, &result);
  else
    transfer_job_complete_async (job, NULL, NULL, result_cb, &result);
  WAIT_UNTIL (!world->dies);
  WAIT_UNTIL (!transfer_client_is_service_running (world->client));
  g_assert_null (result);
  fake_service_revive (world->service);
  WAIT_UNTIL (result != NULL);
  return cancel ? transfer_job_cancel_finish (job, result, ended, NULL, error)
                : transfer_job_complete_finish (job, result, ended, NULL, error);
}

static void
test_died_after_the_end (World *world, gconstpointer data)
{
  gboolean cancel = GPOINTER_TO_INT (data);
  TransferResult ended;
  g_autoptr (GError) error = NULL;

  world->finishes = TRUE;
  world->result = cancel ? "cancelled" : "partial";
  g_assert_true (end_through_death (world, cancel, &ended, &error));
  g_assert_no_error (error);
  g_assert_cmpint (ended, ==, cancel ? TRANSFER_RESULT_CANCELLED : TRANSFER_RESULT_PARTIAL);
  g_assert_cmpuint (fake_service_count (world->service, cancel ? "Cancel" : "Complete"), ==, 1);
}

static void
test_died_before_the_end (World *world, gconstpointer data)
{
  gboolean cancel = GPOINTER_TO_INT (data);
  TransferResult ended;
  g_autoptr (GError) error = NULL;

  g_assert_true (end_through_death (world, cancel, &ended, &error));
  g_assert_no_error (error);
  g_assert_cmpint (ended, ==, cancel ? TRANSFER_RESULT_CANCELLED : TRANSFER_RESULT_COMPLETED);
  g_assert_cmpuint (fake_service_count (world->service, cancel ? "Cancel" : "Complete"), ==, 2);
}

static void
test_died_and_ended_otherwise (World *world, gconstpointer data)
{
  gboolean cancel = GPOINTER_TO_INT (data);
  TransferResult ended;
  g_autoptr (GError) error = NULL;

  world->finishes = TRUE;
  world->result = cancel ? "completed" : "cancelled";
  g_assert_false (end_through_death (world, cancel, &ended, &error));
  g_assert_error (error, TRANSFER_ERROR, (int) TRANSFER_ERROR_INVALID_STATE);
}

/* Calls that change nothing are simply made again. */
static void
test_repeated_call (World *world, gconstpointer data)
{
  g_autoptr (TransferJob) job = get_job (world);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  (void) data;
  transfer_job_suspend_async (job, NULL, result_cb, &result);
  WAIT_UNTIL (fake_service_kept (world->service) == 1);
  fake_service_die (world->service);
  WAIT_UNTIL (!transfer_client_is_service_running (world->client));
  fake_service_revive (world->service);
  WAIT_UNTIL (fake_service_kept (world->service) == 1);
  fake_service_answer_all (world->service, g_variant_new ("()"));
  WAIT_UNTIL (result != NULL);
  g_assert_true (transfer_job_suspend_finish (job, result, &error));
  g_assert_no_error (error);
}

/* A job that ended while the service was away is told to be over, and how. */
static void
test_ended_meanwhile (World *world, gconstpointer data)
{
  g_autoptr (TransferJob) job = get_told_job (world);

  (void) data;
  fake_service_die (world->service);
  WAIT_UNTIL (!transfer_client_is_service_running (world->client));
  world->ended = TRUE;
  world->result = "completed";
  fake_service_revive (world->service);
  WAIT_UNTIL (transfer_job_is_ended (job));
  g_assert_cmpstr (world->news->str, ==, "removed-completed ");
}

/* A job that is still there is read again. */
static void
test_read_again (World *world, gconstpointer data)
{
  g_autoptr (TransferJob) job = get_told_job (world);

  (void) data;
  fake_service_die (world->service);
  WAIT_UNTIL (!transfer_client_is_service_running (world->client));
  fake_service_revive (world->service);
  WAIT_UNTIL (world->news->len > 0);
  g_assert_cmpstr (world->news->str, ==, "suspended ");
}

static void
test_no_service (World *world, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  (void) data;
  fake_service_die (world->service);
  WAIT_UNTIL (!transfer_client_is_service_running (world->client));
  transfer_client_list_jobs_async (world->client, NULL, NULL, result_cb, &result);
  WAIT_UNTIL (result != NULL);
  g_assert_null (transfer_client_list_jobs_finish (world->client, result, &error));
  g_assert_error (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN);
}

static void
test_subscription (World *world, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;

  (void) data;
  transfer_client_subscribe_async (world->client, FALSE, NULL, result_cb, &result);
  WAIT_UNTIL (result != NULL);
  g_assert_true (transfer_client_subscribe_finish (world->client, result, NULL));
  fake_service_die (world->service);
  WAIT_UNTIL (!transfer_client_is_service_running (world->client));
  fake_service_revive (world->service);
  WAIT_UNTIL (fake_service_count (world->service, "Subscribe") == 2);
}

/* Each name is known both ways, under the name of the table that the service uses. */
static void
test_errors_agree (void)
{
  GEnumClass *errors = g_type_class_ref (TRANSFER_TYPE_ERROR);

  g_assert_cmpuint (errors->n_values, ==, TFD_N_ERRORS);
  for (guint i = 0; i < errors->n_values; i++)
    {
      const char *name = transfer_error_to_name (errors->values[i].value);
      g_autofree char *nick = g_utf8_strdown (strrchr (name, '.') + 1, -1);
      g_auto (GStrv) words = g_strsplit (errors->values[i].value_nick, "-", -1);
      g_autofree char *joined = g_strjoinv ("", words);
      TransferError back;

      g_assert_cmpstr (joined, ==, nick); /* "NotFound", "not-found" */
      g_assert_true (transfer_error_from_name (name, &back));
      g_assert_cmpint ((int) back, ==, errors->values[i].value);
      g_assert_nonnull (transfer_error_describe (back));
    }
  g_assert_false (transfer_error_from_name ("org.example.Error", NULL));
  g_type_class_unref (errors);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, data, function)                                                                  \
  g_test_add ("/client/library/" name, World, data, world_begin, function, world_end)
  ADD ("properties", NULL, test_properties);
  ADD ("news", NULL, test_news);
  ADD ("forged-news", NULL, test_forged_news);
  ADD ("error-names", NULL, test_error_names);
  ADD ("paging", NULL, test_paging);
  ADD ("limited-listing", NULL, test_limited_listing);
  ADD ("create-with-many-files", NULL, test_create_with_many_files);
  ADD ("umask", NULL, test_umask);
  ADD ("outstanding-calls", NULL, test_outstanding_calls);
  ADD ("outstanding-descriptors", NULL, test_outstanding_descriptors);
  ADD ("cancellation", NULL, test_cancellation);
  ADD ("complete/died-after", GINT_TO_POINTER (FALSE), test_died_after_the_end);
  ADD ("complete/died-before", GINT_TO_POINTER (FALSE), test_died_before_the_end);
  ADD ("complete/died-and-cancelled", GINT_TO_POINTER (FALSE), test_died_and_ended_otherwise);
  ADD ("cancel/died-after", GINT_TO_POINTER (TRUE), test_died_after_the_end);
  ADD ("cancel/died-before", GINT_TO_POINTER (TRUE), test_died_before_the_end);
  ADD ("cancel/died-and-completed", GINT_TO_POINTER (TRUE), test_died_and_ended_otherwise);
  ADD ("repeated-call", NULL, test_repeated_call);
  ADD ("ended-meanwhile", NULL, test_ended_meanwhile);
  ADD ("read-again", NULL, test_read_again);
  ADD ("no-service", NULL, test_no_service);
  ADD ("subscription", NULL, test_subscription);
  g_test_add_func ("/client/errors-agree", test_errors_agree);
  return g_test_run ();
}
