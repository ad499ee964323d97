/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Registration: the two subtrees. Manager and jobs are both subtrees, so that the calls of a client
 * to either arrive in the order in which they were sent, and a job costs nothing on the bus. */
#include "config.h"

#include "bus/bus-private.h"
#include "public-interface.h"

static void
method_call_cb (GDBusConnection *connection G_GNUC_UNUSED,
                const char *sender G_GNUC_UNUSED,
                const char *path G_GNUC_UNUSED,
                const char *interface G_GNUC_UNUSED,
                const char *method G_GNUC_UNUSED,
                GVariant *parameters G_GNUC_UNUSED,
                GDBusMethodInvocation *invocation,
                gpointer user_data)
{
  tfd_peers_dispatch (user_data, invocation);
}

/* No get_property and set_property: those calls come through method_call, too. */
static const GDBusInterfaceVTable interface_vtable = { .method_call = method_call_cb };

static char **
enumerate_cb (GDBusConnection *connection G_GNUC_UNUSED,
              const char *sender G_GNUC_UNUSED,
              const char *path G_GNUC_UNUSED,
              gpointer user_data G_GNUC_UNUSED)
{
  /* who asks is not known here: nobody learns which jobs there are */
  return g_new0 (char *, 1);
}

static GDBusInterfaceInfo **
interfaces (const GDBusInterfaceInfo *info)
{
  GDBusInterfaceInfo **array = g_new0 (GDBusInterfaceInfo *, 2);

  array[0] = g_dbus_interface_info_ref ((GDBusInterfaceInfo *) info);
  return array;
}

static GDBusInterfaceInfo **
introspect_manager_cb (GDBusConnection *connection G_GNUC_UNUSED,
                       const char *sender G_GNUC_UNUSED,
                       const char *path G_GNUC_UNUSED,
                       const char *node,
                       gpointer user_data G_GNUC_UNUSED)
{
  return node == NULL ? interfaces (&tfd_manager_interface) : NULL;
}

static GDBusInterfaceInfo **
introspect_job_cb (GDBusConnection *connection G_GNUC_UNUSED,
                   const char *sender G_GNUC_UNUSED,
                   const char *path G_GNUC_UNUSED,
                   const char *node,
                   gpointer user_data G_GNUC_UNUSED)
{
  /* any node: unknown ids are answered like those of others */
  return node != NULL ? interfaces (&tfd_job_interface) : NULL;
}

static const GDBusInterfaceVTable *
dispatch_cb (GDBusConnection *connection G_GNUC_UNUSED,
             const char *sender G_GNUC_UNUSED,
             const char *path G_GNUC_UNUSED,
             const char *interface G_GNUC_UNUSED,
             const char *node G_GNUC_UNUSED,
             gpointer *out_user_data,
             gpointer user_data)
{
  *out_user_data = user_data;
  return &interface_vtable;
}

gboolean
tfd_bus_register (TfdBus *bus, GError **error)
{
  static const GDBusSubtreeVTable manager = { .enumerate = enumerate_cb,
                                              .introspect = introspect_manager_cb,
                                              .dispatch = dispatch_cb };
  static const GDBusSubtreeVTable jobs = { .enumerate = enumerate_cb,
                                           .introspect = introspect_job_cb,
                                           .dispatch = dispatch_cb };
  const GDBusSubtreeFlags flags = G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES;

  bus->registrations[0] = g_dbus_connection_register_subtree (bus->connection, TFD_MANAGER_PATH,
                                                              &manager, flags, bus, NULL, error);
  if (bus->registrations[0] == 0)
    return FALSE;
  bus->registrations[1] = g_dbus_connection_register_subtree (bus->connection, TFD_JOBS_PATH, &jobs,
                                                              flags, bus, NULL, error);
  return bus->registrations[1] != 0;
}
