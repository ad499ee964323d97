/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The limit of whoever stores jobs in SQLite.
 *
 *     bench-sqlite jobs DATABASE COUNT     that many jobs, each in a transaction of its own
 *     bench-sqlite files DATABASE COUNT    that many files, all in one transaction
 *
 * DATABASE is a copy of one of the service, with one job. Prints the seconds that it took. */
#include "bench/rows.h"

#include <string.h>

static BenchRows *rows; /* until the program ends */

int
main (int argc, char **argv)
{
  guint64 count;
  gint64 begin;

  if (argc != 4 || (strcmp (argv[1], "jobs") != 0 && strcmp (argv[1], "files") != 0))
    {
      g_printerr ("usage: bench-sqlite jobs|files DATABASE COUNT\n");
      return 2;
    }

  rows = bench_rows_open (argv[2]);
  count = g_ascii_strtoull (argv[3], NULL, 10);
  bench_rows_add_job (rows);
  begin = g_get_monotonic_time ();
  if (strcmp (argv[1], "files") == 0)
    bench_rows_add_files (rows, (guint) count);
  else
    for (guint64 i = 0; i < count; i++)
      bench_rows_add_job (rows);
  g_print ("%.6f\n", (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC);

  return 0;
}
