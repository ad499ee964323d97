/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Fuzz driver: takes the place of libFuzzer. Runs every file of a corpus, and then mutations of
 * them that depend on the seed only. An input that kills the target is printed in hexadecimal. */
#include "config.h"

#include "tests/fuzz/input.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define USUAL_SEED 20260101
#define USUAL_RUNS 20000
#define LARGEST_INPUT 4096

static GPtrArray *corpus;       /* (owned) (element-type GByteArray) */
static const GByteArray *input; /* being tried */

/* Pieces that parsers react to and random bytes hardly ever are. */
static const char *const tokens[] = {
  "bytes ",
  "bytes */",
  "-",
  "/",
  "*",
  "0",
  "18446744073709551615",
  "9223372036854775808",
  "http://",
  "https://",
  "file:///",
  "//",
  "@",
  "%2e",
  "%00",
  "[::1]",
  ":",
  "#",
  "?",
  "\\",
  "..",
  "\r\n",
  "\n",
  "\"",
  "W/\"",
  "GMT",
  "Sun, ",
  "Nov",
  "1994",
  "206\n",
  "416\n",
  "200\n",
  ".part",
  ".transferd-",
  "0123456789abcdef0123456789abcdef",
  "\xff",
  "\xc3\xa9",
  "gzip",
  "identity",
};

static void
dump_input (int number)
{
  static const char digits[] = "0123456789abcdef";
  static const char title[] = "\n# the input that did it, in hexadecimal: ";
  gssize written = write (STDERR_FILENO, title, sizeof title - 1);

  for (guint i = 0; input != NULL && i < input->len && written >= 0; i++)
    {
      char pair[2] = { digits[input->data[i] >> 4], digits[input->data[i] & 15] };
      written = write (STDERR_FILENO, pair, sizeof pair);
    }
  signal (number, SIG_DFL);
  raise (number);
}

static void
try_input (const GByteArray *bytes)
{
  /* a copy of exactly its size, for the sanitizers to see what is read past it */
  g_autofree guint8 *data = g_memdup2 (bytes->data, bytes->len);

  input = bytes;
  LLVMFuzzerTestOneInput (data, bytes->len);
  input = NULL;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
load_corpus (const char *directory)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) entries = g_dir_open (directory, 0, &error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *entry = NULL;

  g_assert_no_error (error);
  while ((entry = g_dir_read_name (entries)) != NULL)
    g_ptr_array_add (names, g_build_filename (directory, entry, NULL));
  g_ptr_array_sort (names, compare_names); /* directories have no order that can be relied on */
  corpus = g_ptr_array_new_with_free_func ((GDestroyNotify) g_byte_array_unref);
  for (guint i = 0; i < names->len; i++)
    {
      char *contents = NULL;
      gsize length = 0;

      g_file_get_contents (names->pdata[i], &contents, &length, &error);
      g_assert_no_error (error);
      g_ptr_array_add (corpus, g_byte_array_new_take ((guint8 *) contents, length));
    }
  g_assert_cmpuint (corpus->len, >, 0);
}

static void
test_corpus (void)
{
  g_autoptr (GByteArray) empty = g_byte_array_new ();

  try_input (empty);
  for (guint i = 0; i < corpus->len; i++)
    try_input (corpus->pdata[i]);
}

static const GByteArray *
any_of_corpus (GRand *rand)
{
  return corpus->pdata[g_rand_int_range (rand, 0, (gint32) corpus->len)];
}

/* A position from 0 to @length, both included. */
static guint
any_position (GRand *rand, guint length)
{
  return (guint) g_rand_int_range (rand, 0, (gint32) length + 1);
}

static void
insert (GByteArray *bytes, guint position, const void *data, guint length)
{
  g_autofree guint8 *tail = g_memdup2 (bytes->data + position, bytes->len - position);
  guint tail_length = bytes->len - position;

  g_byte_array_set_size (bytes, position);
  g_byte_array_append (bytes, data, length);
  if (tail_length > 0)
    g_byte_array_append (bytes, tail, tail_length);
}

/* A piece of another input, or of this one, in the place of what follows @position. */
static void
splice (GByteArray *bytes, GRand *rand, guint position)
{
  const GByteArray *other = any_of_corpus (rand);
  guint from = any_position (rand, other->len);
  guint length = any_position (rand, other->len - from);

  if (length == 0)
    return;
  if (g_rand_boolean (rand))
    g_byte_array_set_size (bytes, position);
  insert (bytes, MIN (position, bytes->len), other->data + from, length);
}

static void
mutate (GByteArray *bytes, GRand *rand)
{
  guint position = any_position (rand, bytes->len);
  guint8 byte = (guint8) g_rand_int_range (rand, 0, 256);
  const char *token = tokens[g_rand_int_range (rand, 0, G_N_ELEMENTS (tokens))];

  switch (g_rand_int_range (rand, 0, 7))
    {
    case 0:
      if (position < bytes->len)
        bytes->data[position] ^= (guint8) (1 << (byte & 7));
      break;
    case 1:
      if (position < bytes->len)
        bytes->data[position] = byte;
      break;
    case 2:
      insert (bytes, position, &byte, 1);
      break;
    case 3:
      if (position < bytes->len)
        g_byte_array_remove_range (bytes, position,
                                   1 + any_position (rand, MIN (bytes->len - position, 8) - 1));
      break;
    case 4:
      insert (bytes, position, token, (guint) strlen (token));
      break;
    case 5:
      splice (bytes, rand, position);
      break;
    default:
      g_byte_array_set_size (bytes, position);
      break;
    }
}

static guint64
number_from_environment (const char *name, guint64 usual)
{
  const char *text = g_getenv (name);

  return text != NULL ? g_ascii_strtoull (text, NULL, 10) : usual;
}

static void
test_mutations (void)
{
  guint32 seed = (guint32) number_from_environment ("TFD_FUZZ_SEED", USUAL_SEED);
  guint64 n_runs = number_from_environment ("TFD_FUZZ_RUNS", USUAL_RUNS);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);

  g_test_message ("TFD_FUZZ_SEED=%u TFD_FUZZ_RUNS=%" G_GUINT64_FORMAT, seed, n_runs);
  for (guint64 i = 0; i < n_runs; i++)
    {
      const GByteArray *parent = any_of_corpus (rand);
      g_autoptr (GByteArray) bytes = g_byte_array_new ();
      int n_mutations = g_rand_int_range (rand, 1, 9);

      g_byte_array_append (bytes, parent->data, parent->len);
      for (int j = 0; j < n_mutations; j++)
        mutate (bytes, rand);
      if (bytes->len > LARGEST_INPUT)
        g_byte_array_set_size (bytes, LARGEST_INPUT);
      try_input (bytes);
    }
}

/* What is said about every odd input would be all that is left of the test's own output. */
static void
log_cb (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  if ((level & (G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO)) == 0)
    g_log_default_handler (domain, level, message, user_data);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (argc != 2)
    {
      g_printerr ("usage: %s CORPUS-DIRECTORY\n", argv[0]);
      return 2;
    }
  g_log_set_default_handler (log_cb, NULL);
  load_corpus (argv[1]);
  signal (SIGABRT, dump_input);
  signal (SIGTRAP, dump_input);
  signal (SIGSEGV, dump_input);

  g_autofree char *name = g_path_get_basename (argv[1]);
  g_autofree char *corpus_path = g_strdup_printf ("/fuzz/%s/corpus", name);
  g_autofree char *mutations_path = g_strdup_printf ("/fuzz/%s/mutations", name);
  g_test_add_func (corpus_path, test_corpus);
  g_test_add_func (mutations_path, test_mutations);
  int result = g_test_run ();
  g_ptr_array_unref (corpus);
  return result;
}
