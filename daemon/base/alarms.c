/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Alarms: the queue inside a clock, in the order in which alarms go off. */
#include "base/alarms.h"

typedef struct
{
  guint64 id;
  gint64 time;
  TfdAlarmFunc func;
  gpointer user_data;
  GDestroyNotify destroy; /* (nullable) */
} Alarm;

struct _TfdAlarms
{
  GSequence *queue;  /* (owned) (element-type Alarm), by time, then id */
  GHashTable *by_id; /* (owned) of GSequenceIter, keyed by the id inside the Alarm */
  guint64 last_id;
};

static void
alarm_free (gpointer data)
{
  Alarm *alarm = data;

  if (alarm->destroy != NULL)
    alarm->destroy (alarm->user_data);
  g_free (alarm);
}

static int
compare (gconstpointer a, gconstpointer b, gpointer user_data G_GNUC_UNUSED)
{
  const Alarm *left = a;
  const Alarm *right = b;

  if (left->time != right->time)
    return left->time < right->time ? -1 : 1;
  return left->id < right->id ? -1 : left->id > right->id;
}

/* Takes the alarm at @iter out of the queue without freeing it. */
static Alarm *
steal (TfdAlarms *self, GSequenceIter *iter)
{
  Alarm *alarm = g_sequence_get (iter);

  g_hash_table_remove (self->by_id, &alarm->id);
  g_sequence_remove (iter);
  return alarm;
}

TfdAlarms *
tfd_alarms_new (void)
{
  TfdAlarms *self = g_new0 (TfdAlarms, 1);

  self->queue = g_sequence_new (NULL);
  self->by_id = g_hash_table_new (g_int64_hash, g_int64_equal);
  return self;
}

void
tfd_alarms_free (TfdAlarms *self)
{
  while (!g_sequence_is_empty (self->queue))
    alarm_free (steal (self, g_sequence_get_begin_iter (self->queue)));
  g_sequence_free (self->queue);
  g_hash_table_unref (self->by_id);
  g_free (self);
}

guint64
tfd_alarms_add (
    TfdAlarms *self, gint64 time, TfdAlarmFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (func != NULL, 0);

  Alarm *alarm = g_new0 (Alarm, 1);
  alarm->id = ++self->last_id;
  alarm->time = time;
  alarm->func = func;
  alarm->user_data = user_data;
  alarm->destroy = destroy;

  GSequenceIter *iter = g_sequence_insert_sorted (self->queue, alarm, compare, NULL);
  g_hash_table_insert (self->by_id, &alarm->id, iter);
  return alarm->id;
}

void
tfd_alarms_remove (TfdAlarms *self, guint64 alarm)
{
  GSequenceIter *iter = g_hash_table_lookup (self->by_id, &alarm);

  if (iter != NULL)
    alarm_free (steal (self, iter));
}

guint
tfd_alarms_count (TfdAlarms *self)
{
  return g_hash_table_size (self->by_id);
}

gint64
tfd_alarms_next (TfdAlarms *self)
{
  if (g_sequence_is_empty (self->queue))
    return G_MAXINT64;

  const Alarm *alarm = g_sequence_get (g_sequence_get_begin_iter (self->queue));
  return alarm->time;
}

guint64
tfd_alarms_next_id (TfdAlarms *self)
{
  return self->last_id + 1;
}

gboolean
tfd_alarms_fire_one (TfdAlarms *self, gint64 now, guint64 before)
{
  for (GSequenceIter *iter = g_sequence_get_begin_iter (self->queue);
       !g_sequence_iter_is_end (iter); iter = g_sequence_iter_next (iter))
    {
      Alarm *alarm = g_sequence_get (iter);

      if (alarm->time > now)
        return FALSE;
      if (alarm->id >= before)
        continue;

      steal (self, iter);
      alarm->func (alarm->user_data);
      alarm_free (alarm);
      return TRUE;
    }

  return FALSE;
}
