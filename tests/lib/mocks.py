# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A private system bus with the services on it that tell what the world is like: NetworkManager,
logind, UPower and power-profiles-daemon as python3-dbusmock has them, each a process of its own.

And a network of its own, in which nobody hears what happens: isolate_network() gives the address of
a server that is not the loopback one.
"""
import ctypes
import subprocess
import sys

from bus import DEADLINE, Gio, GLib, wait_for

ADDRESS = '10.77.0.1'
CLONE_NEWNET = 0x40000000
MOCK = 'org.freedesktop.DBus.Mock'
BUS_CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
'''


def run(*words):
    subprocess.run(words, check=True)


def isolate_network():
    """Moves this process and those that it will start into a network namespace where ADDRESS is
    this machine; the rest of the world seems to be behind a wire that leads nowhere."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), 'unshare')
    run('ip', 'link', 'set', 'lo', 'up')
    run('ip', 'link', 'add', 'wire', 'type', 'veth', 'peer', 'name', 'far-end')
    run('ip', 'address', 'add', f'{ADDRESS}/24', 'dev', 'wire')
    run('ip', 'link', 'set', 'wire', 'up')
    run('ip', 'link', 'set', 'far-end', 'up')
    set_route(True)


def set_route(there):
    """The default route, by which the kernel's own news tell whether there is a network."""
    run('ip', 'route', 'add' if there else 'del', 'default', 'via', '10.77.0.2')


class Mock:
    """One service: its main object, interface and properties."""

    def __init__(self, connection, name, path, interface, process):
        self.connection = connection
        self.name = name
        self.path = path
        self.interface = interface
        self.process = process

    def call(self, interface, method, arguments=None, path=None):
        return self.connection.call_sync(self.name, path or self.path, interface, method, arguments,
                                         None, Gio.DBusCallFlags.NO_AUTO_START, int(DEADLINE * 1000),
                                         None).unpack()

    def set(self, path=None, interface=None, **properties):
        """Changes properties (of variants) and tells everybody."""
        self.call(MOCK, 'UpdateProperties',
                  GLib.Variant('(sa{sv})', (interface or self.interface, properties)), path)

    def add_property(self, name, value):
        self.call(MOCK, 'AddProperty', GLib.Variant('(ssv)', (self.interface, name, value)))

    def emit(self, name, signature, *values, interface=None):
        self.call(MOCK, 'EmitSignal', GLib.Variant(
            '(sssav)', (interface or self.interface, name, signature,
                        [GLib.Variant(type_, value) for type_, value in zip(signature, values)])))

    def end(self):
        """The service goes away."""
        self.process.kill()
        self.process.wait()
        wait_for(lambda: not has_owner(self.connection, self.name), f'{self.name} to go')


def has_owner(connection, name):
    return connection.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus',
                                'org.freedesktop.DBus', 'NameHasOwner', GLib.Variant('(s)', (name,)),
                                None, 0, int(DEADLINE * 1000), None).unpack()[0]


class SystemBus:
    """The bus; make it before the daemon of the world starts."""

    def __init__(self, world):
        self.world = world
        config = world.path('system-bus.conf')
        socket = world.path('system-bus')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(BUS_CONFIG.format(socket=socket))
        world.system_address = f'unix:path={socket}'
        with open(world.path('system-bus.log'), 'wb') as log:
            self.process = world.spawn(
                ['dbus-daemon', f'--config-file={config}', '--nofork', '--nopidfile',
                 '--print-address'], stdout=subprocess.PIPE, stderr=log)
        if not self.process.stdout.readline():
            raise AssertionError('the system bus did not start')
        self.connection = Gio.DBusConnection.new_for_address_sync(
            world.system_address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)

    def mock(self, template, name, path, interface):
        with open(self.world.path(f'{template}.log'), 'wb') as log:
            process = self.world.spawn(
                [sys.executable, '-m', 'dbusmock', '--template', template],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.world.environment() | {'PYTHONUNBUFFERED': '1'})

        def ready():
            if process.poll() is not None:
                raise AssertionError(f'dbusmock for {template} ended with {process.returncode}')
            return has_owner(self.connection, name)
        wait_for(ready, f'{template} to own its name')
        mock = Mock(self.connection, name, path, interface, process)
        # the template is complete when the object answers
        mock.call('org.freedesktop.DBus.Properties', 'GetAll', GLib.Variant('(s)', (interface,)))
        return mock

    def close(self):
        if not self.connection.is_closed():
            self.connection.close_sync(None)

    # The services

    def network_manager(self):
        mock = self.mock('networkmanager', 'org.freedesktop.NetworkManager',
                         '/org/freedesktop/NetworkManager', 'org.freedesktop.NetworkManager')
        mock.add_property('Metered', GLib.Variant('u', 2))  # not in the template; 2 = no
        return mock

    def logind(self):
        return self.mock('logind', 'org.freedesktop.login1', '/org/freedesktop/login1',
                         'org.freedesktop.login1.Manager')

    def upower(self):
        return self.mock('upower', 'org.freedesktop.UPower', '/org/freedesktop/UPower',
                         'org.freedesktop.UPower')

    def power_profiles(self):
        return self.mock('power_profiles_daemon', 'net.hadess.PowerProfiles',
                         '/net/hadess/PowerProfiles', 'net.hadess.PowerProfiles')
