#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Uploads FILE to URL over plain D-Bus and prints what the server replied.

On the system bus, or with TRANSFERD_BUS=session on that of the session.
"""
import os
import sys

from gi.repository import Gio, GLib

NAME, PATH = 'org.transferd.Transfer1', '/org/transferd/Transfer1'
path, url = os.path.abspath(sys.argv[1]), sys.argv[2]
session = os.environ.get('TRANSFERD_BUS') == 'session'
bus = Gio.bus_get_sync(Gio.BusType.SESSION if session else Gio.BusType.SYSTEM)
manager = Gio.DBusProxy.new_sync(bus, 0, None, NAME, PATH, NAME + '.Manager')
manager.set_default_timeout(GLib.MAXINT32)

job_path = manager.CreateJob('(ssa{sv})', 'Example', 'upload-reply', {
    'files': GLib.Variant('a(ssa{sv})', [(url, path, {})]),
    'start': GLib.Variant('b', True),
})
job = Gio.DBusProxy.new_sync(bus, 0, None, NAME, job_path, NAME + '.Job')
job.set_default_timeout(GLib.MAXINT32)


def value(name):
    """A property, as it was last heard of; empty while the service is away."""
    variant = job.get_cached_property(name)
    return variant.unpack() if variant else {}


while value('State') not in ('transferred', 'error'):
    GLib.MainContext.default().iteration(True)
if value('State') == 'error':
    sys.exit(value('Error')['message'])
sys.stdout.buffer.write(bytes(job.GetReplyData()))
sys.stdout.flush()
job.Complete('(a{sv})', {})
