/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Lane: those of a worker that nobody uses, and the servers that are not for them. */
#include "config.h"
#include "worker/lane-private.h"

#include <string.h>

/* Seconds that an unused lane is kept, as libsoup keeps connections. */
#define KEEP_ALIVE 15

/* More that nobody uses are not kept: libsoup takes them for used, and would let others wait. */
#define MAX_FREE 64

/* Servers of which it is remembered that their answers are out of the ordinary. */
#define MAX_ODD 64

gsize
tfd_lane_origin_length (const char *url)
{
  const char *authority = strstr (url, "://");

  return authority != NULL ? (gsize) (authority + 3 - url) + strcspn (authority + 3, "/?#") : 0;
}

static gboolean
has_origin (const TfdLane *lane, const char *url)
{
  gsize length = tfd_lane_origin_length (url);

  return strncmp (lane->origin, url, length) == 0 && lane->origin[length] == '\0';
}

static gboolean
timer_cb (gpointer user_data)
{
  TfdLanes *lanes = user_data;
  gint64 now = g_get_monotonic_time ();
  TfdLane *oldest;

  while ((oldest = g_queue_peek_tail (&lanes->free)) != NULL &&
         now - oldest->since >= KEEP_ALIVE * G_USEC_PER_SEC)
    tfd_lane_drop (g_queue_pop_tail (&lanes->free));
  if (oldest != NULL)
    return G_SOURCE_CONTINUE;

  lanes->timer = 0;
  return G_SOURCE_REMOVE;
}

void
tfd_lane_give_back (TfdLane *lane)
{
  TfdLanes *lanes = lane->lanes;

  lane->answered = NULL;
  if (lane->spent)
    {
      tfd_lane_drop (lane);
      return;
    }
  tfd_lane_arm (lane);
  lane->since = g_get_monotonic_time ();
  g_queue_push_head (&lanes->free, lane);
  if (g_queue_get_length (&lanes->free) > MAX_FREE)
    tfd_lane_drop (g_queue_pop_tail (&lanes->free));
  if (lanes->timer == 0)
    lanes->timer = g_timeout_add_seconds (KEEP_ALIVE, timer_cb, lanes);
}

/* (nullable) */
static GList *
find (TfdLanes *lanes, const char *url, TfdLogin *login)
{
  for (GList *l = lanes->free.head; l != NULL; l = l->next)
    if (has_origin (l->data, url) && tfd_login_is_same (((TfdLane *) l->data)->login, login))
      return l;

  return NULL;
}

gboolean
tfd_lanes_have (TfdLanes *lanes, const char *url, TfdLogin *login)
{
  return find (lanes, url, login) != NULL;
}

TfdLane *
tfd_lanes_take (TfdLanes *lanes, const char *url, TfdLogin *login)
{
  GList *link = find (lanes, url, login);
  TfdLane *lane = link != NULL ? link->data : NULL;

  if (link != NULL)
    g_queue_delete_link (&lanes->free, link);
  return lane;
}

void
tfd_lanes_make_room (TfdLanes *lanes, const char *url)
{
  for (GList *l = lanes->free.tail; l != NULL; l = l->prev)
    if (has_origin (l->data, url))
      {
        tfd_lane_drop (l->data);
        g_queue_delete_link (&lanes->free, l);
        return;
      }
}

static void
weak_ref_free (GWeakRef *ref)
{
  g_weak_ref_clear (ref);
  g_free (ref);
}

TfdLanes *
tfd_lanes_new (void)
{
  TfdLanes *lanes = g_new0 (TfdLanes, 1);

  g_queue_init (&lanes->free);
  lanes->odd = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  lanes->made =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) weak_ref_free);

  return lanes;
}

void
tfd_lanes_free (TfdLanes *lanes)
{
  g_clear_handle_id (&lanes->timer, g_source_remove);
  g_queue_clear_full (&lanes->free, (GDestroyNotify) tfd_lane_drop);
  g_hash_table_unref (lanes->odd);
  g_hash_table_unref (lanes->made);
  g_free (lanes);
}

gboolean
tfd_lanes_refused (TfdLanes *lanes, const char *origin)
{
  return g_hash_table_size (lanes->odd) >= MAX_ODD || g_hash_table_contains (lanes->odd, origin);
}

void
tfd_lanes_refuse (TfdLanes *lanes, const char *origin)
{
  if (g_hash_table_size (lanes->odd) < MAX_ODD)
    g_hash_table_add (lanes->odd, g_strdup (origin));
}
