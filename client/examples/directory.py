#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Downloads URL to NAME in DIRECTORY, which this program opens: as a program in a sandbox has to.

On the system bus, or with TRANSFERD_BUS=session on that of the session.
"""
import os
import sys

from gi.repository import Gio, GLib

NAME, PATH = 'org.transferd.Transfer1', '/org/transferd/Transfer1'
url, directory, name = sys.argv[1:]
session = os.environ.get('TRANSFERD_BUS') == 'session'
bus = Gio.bus_get_sync(Gio.BusType.SESSION if session else Gio.BusType.SYSTEM)


def call(path, interface, method, arguments, descriptors=None):
    return bus.call_with_unix_fd_list_sync(
        NAME, path, f'{NAME}.{interface}', method, arguments, None, 0, GLib.MAXINT32,
        descriptors)[0].unpack()


path, = call(PATH, 'Manager', 'CreateJob', GLib.Variant('(ssa{sv})', ('Example', 'download', {})))
# A handle in a call is a place in the list of descriptors that come with it.
handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
descriptors = Gio.UnixFDList.new_from_array([handle])  # which closes it in the end
call(path, 'Job', 'AddFileFd', GLib.Variant('(shsa{sv})', (url, 0, name, {})), descriptors)
call(path, 'Job', 'Resume', None)
job = Gio.DBusProxy.new_sync(bus, 0, None, NAME, path, NAME + '.Job')


def value(name):
    """A property, as it was last heard of; empty while the service is away."""
    variant = job.get_cached_property(name)
    return variant.unpack() if variant else {}


while value('State') not in ('transferred', 'error'):
    GLib.MainContext.default().iteration(True)
if value('State') == 'error':
    sys.exit(value('Error')['message'])
call(path, 'Job', 'Complete', GLib.Variant('(a{sv})', ({},)))
