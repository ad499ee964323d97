# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""What gets installed: units, activation, bus policy, catalog, configuration."""
import os
import re
import shutil
import subprocess
import tempfile

import gi
import tap

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

SOURCE = os.environ['TFD_SOURCE_ROOT']
BUILD = os.environ['TFD_BUILD_ROOT']
NAME = 'org.transferd.Transfer1'

BUS_CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={directory}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>{policy}</include>
</busconfig>
'''


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as file:
        return file.read()


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


class Installation(tap.TestCase):
    maxDiff = None

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix='tfd-')
        self.addCleanup(shutil.rmtree, self.directory)

    def start_bus(self, policy):
        """A bus with `policy`: its address, and what it has to say."""
        config = os.path.join(self.directory, 'bus.conf')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(BUS_CONFIG.format(directory=self.directory, policy=policy))
        bus = subprocess.Popen(
            ['dbus-daemon', f'--config-file={config}', '--nofork', '--nopidfile', '--print-address'],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(bus.stderr.close)
        self.addCleanup(bus.stdout.close)
        self.addCleanup(bus.wait)
        self.addCleanup(bus.terminate)
        return bus, bus.stdout.readline().strip()

    def call(self, address, *arguments, user=None):
        become = ['setpriv', '--reuid', user, '--clear-groups', '--'] if user else []
        return run(*become, 'gdbus', 'call', '--address', address, '--timeout', '120', *arguments)

    def own(self, address, user=None):
        """Tries to be the service; what the bus answers."""
        done = self.call(address, '-d', 'org.freedesktop.DBus', '-o', '/org/freedesktop/DBus',
                         '-m', 'org.freedesktop.DBus.RequestName', NAME, '4', user=user)
        return done.stdout + done.stderr

    def test_bus_policy(self):
        """The bus takes the policy without complaint; only root is the service, everybody may call."""
        os.chmod(self.directory, 0o755)
        bus, address = self.start_bus(os.path.join(SOURCE, 'policy', NAME + '.conf'))
        if os.getuid() == 0:
            flags = (Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
                     | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
            service = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
            reply = service.call_sync('org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'RequestName',
                                      GLib.Variant('(su)', (NAME, 4)), None, 0, 10000, None)
            self.assertEqual(reply.unpack(), (1,))
            for method, answer in (('Manager.X', 'UnknownMethod'), ('Job.X', 'UnknownMethod'),
                                   ('Worker.Ping', 'AccessDenied')):
                done = self.call(address, '-d', NAME, '-o', '/', '-m', f'{NAME}.{method}', user='nobody')
                self.assertIn(answer, done.stderr)
            self.assertIn('AccessDenied', self.own(address, 'nobody'))
            # signals of others it must be able to hear: it asks for them, and knows from whom
            self.assertEqual(self.everything_else(address, service), [('org.example.Unknown', 'Signal')])
            service.close_sync(None)
        else:
            self.assertIn('AccessDenied', self.own(address))
        bus.terminate()
        self.assertNotIn('Encountered error', bus.communicate()[1])

    def everything_else(self, address, service):
        """Sends, as nobody, what the service has no use for; what of it has arrived."""
        heard = []
        service.call_sync('org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'AddMatch',
                          GLib.Variant('(s)', ("type='signal',interface='org.example.Unknown'",)), None, 0,
                          60000, None)
        listener = service.add_filter(
            lambda _, message, incoming: (heard.append((message.get_interface(), message.get_member()))
                                          if incoming and message.get_sender() != 'org.freedesktop.DBus'
                                          else None) or message)
        for interface in ('org.freedesktop.DBus.ObjectManager', 'org.freedesktop.DBus.Debug.Stats',
                          f'{NAME}.Worker', f'{NAME}', 'org.example.Unknown'):
            done = self.call(address, '-d', NAME, '-o', '/', '-m', f'{interface}.X', user='nobody')
            self.assertIn('AccessDenied', done.stderr, interface)
        script = '''
import sys
from gi.repository import Gio, GLib
flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
bus = Gio.DBusConnection.new_for_address_sync(sys.argv[1], flags, None, None)
message = Gio.DBusMessage.new_method_call(sys.argv[2], '/', None, 'X')
reply, _ = bus.send_message_with_reply_sync(message, Gio.DBusSendMessageFlags.NONE, 60000, None)
print(reply.get_error_name())
bus.emit_signal(None, '/', 'org.example.Unknown', 'Signal', None)
bus.flush_sync(None)
bus.call_sync('org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'GetId', None, None, 0, 60000, None)
'''
        done = run('setpriv', '--reuid', 'nobody', '--clear-groups', '--', '/usr/bin/python3', '-c',
                   script, address, NAME)
        self.assertEqual((done.returncode, done.stdout.strip()),
                         (0, 'org.freedesktop.DBus.Error.AccessDenied'), done.stderr)
        # the bus keeps the order: whatever was let through is here by now
        service.call_sync('org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'GetId', None, None, 0,
                          60000, None)
        service.remove_filter(listener)
        # gdbus asks first what there is
        return [one for one in heard if one[1] != 'Introspect']

    def test_bus_policy_is_read(self):
        """The bus only logs a broken policy: be sure that this would be seen."""
        policy = os.path.join(self.directory, 'broken.conf')
        with open(policy, 'w', encoding='utf-8') as file:
            file.write('<busconfig><policy context="default"><deny send_member="X"/></policy></busconfig>')
        bus, _ = self.start_bus(policy)
        bus.terminate()
        self.assertRegex(bus.communicate()[1], 'error|must specify')

    def test_units(self):
        """systemd accepts the units; our program, not installed yet, is replaced by another."""
        for unit, options in (('transferd.service', ()), ('user/transferd.service', ('--user',))):
            with self.subTest(unit):
                text = read(BUILD, 'data', unit)
                self.assertIn('Type=notify', text)
                self.assertIn(f'BusName={NAME}', text)
                text = re.sub(r'^(ExecStart=)\S+', r'\1/bin/true', text, flags=re.M)
                path = os.path.join(self.directory, 'transferd.service')
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(text)
                done = run('systemd-analyze', 'verify', '--man=no', *options, path,
                           env=os.environ | {'XDG_RUNTIME_DIR': self.directory})
                self.assertEqual((done.returncode, done.stderr), (0, ''))

    def unit(self, *path):
        text = re.sub(r'^(ExecStart=)\S+', r'\1/bin/true', read(BUILD, 'data', *path), flags=re.M)
        file = os.path.join(self.directory, 'transferd.service')
        with open(file, 'w', encoding='utf-8') as unit:
            unit.write(text)
        return file, text

    def test_exposure(self):
        """What systemd thinks of what a hole in the service would be worth: 3.2 of 10 at most."""
        file, _ = self.unit('transferd.service')
        done = run('systemd-analyze', 'security', '--offline=true', '--threshold=32', '--no-pager', file)
        self.assertEqual(done.returncode, 0, done.stdout[-200:] + done.stderr)
        self.assertRegex(done.stdout, r'Overall exposure level for transferd.service: [0-3]\.\d')

    def test_workers_can_confine_themselves(self):
        for path in ('transferd.service',), ('user', 'transferd.service'):
            _, text = self.unit(*path)
            calls = ' '.join(re.findall(r'(?m)^SystemCallFilter=([^~].*)$', text)).split()
            for call in ('landlock_create_ruleset', 'landlock_add_rule', 'landlock_restrict_self',
                         'seccomp'):
                self.assertIn(call, calls)
            self.assertIn('LimitCORE=0', text)

    def test_what_is_not_hardened_is_explained(self):
        """Each thing that systemd would have us take away and that is needed is named, with a reason."""
        _, text = self.unit('transferd.service')
        comments = ' '.join(re.findall(r'(?m)^#(.*)$', text))
        for word in ('PrivateTmp', 'ProtectHome', 'ProtectSystem', 'RootDirectory', 'PrivateUsers',
                     'PrivateNetwork', 'IPAddressDeny', 'AF_NETLINK', 'AF_UNIX', '@setuid', '@resources'):
            self.assertIn(word, comments)

    def test_started_when_needed(self):
        """At boot when the stamp is there, once a day: units that systemd accepts, and that start the
        service itself."""
        for where, options in (('', ()), ('user', ('--user',))):
            for unit in 'transferd-boot.service', 'transferd.timer', 'transferd.service':
                text = read(BUILD if unit == 'transferd.service' else SOURCE, 'data', where, unit)
                self.assertNotIn('[Install]', text)
                text = re.sub(r'^(ExecStart=)/usr\S+', r'\1/bin/true', text, flags=re.M)
                path = os.path.join(self.directory, unit)
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(text)
            for unit in 'transferd-boot.service', 'transferd.timer':
                with self.subTest(where + '/' + unit):
                    done = run('systemd-analyze', 'verify', '--man=no', *options,
                               os.path.join(self.directory, unit),
                               env=os.environ | {'XDG_RUNTIME_DIR': self.directory})
                    self.assertEqual((done.returncode, done.stderr), (0, ''))
        stamp = re.search(r'STAMP_FILE "(.*)"', read(SOURCE, 'daemon', 'store', 'store.h'))[1]
        for where in '', 'user':
            self.assertIn(f'/transferd/{stamp}\n',
                          read(SOURCE, 'data', where, 'transferd-boot.service'))

    def test_destinations_stay_visible(self):
        """No directory that a user may download to is hidden from the workers."""
        text = read(BUILD, 'data', 'transferd.service')
        for option in ('PrivateTmp', 'PrivateUsers', 'PrivateNetwork', 'ProtectHome', 'ProtectSystem'):
            self.assertNotRegex(text, f'(?m)^{option}=')

    def test_activation(self):
        """Without systemd the bus itself starts the program: Exec must be a real command."""
        for file, option in ((f'{NAME}.service', '--system'), (f'user/{NAME}.service', '--user')):
            text = read(BUILD, 'data', file)
            self.assertRegex(text, rf'(?m)^Exec=/\S+/transferd/transferd {option}$')
            self.assertIn('SystemdService=transferd.service', text)
            self.assertIn(f'Name={NAME}', text)

    def test_catalog(self):
        """Every message id has an entry in the journal catalog, and journalctl can read it."""
        ids = re.findall(r'#define TFD_MESSAGE_\w+ "([0-9a-f]{32})"',
                         read(SOURCE, 'daemon', 'base', 'log.h'))
        entries = re.findall(r'(?m)^-- ([0-9a-f]{32})$', read(SOURCE, 'data', 'transferd.catalog'))
        self.assertEqual(sorted(entries), sorted(ids))
        target = os.path.join(self.directory, 'usr/lib/systemd/catalog')
        os.makedirs(target)
        os.makedirs(os.path.join(self.directory, 'var/lib/systemd/catalog'))
        shutil.copy(os.path.join(SOURCE, 'data', 'transferd.catalog'), target)
        done = run('journalctl', '--update-catalog', f'--root={self.directory}')
        self.assertEqual((done.returncode, done.stderr), (0, ''))

    def test_programs_have_manuals(self):
        for page in ('transferd.8', 'transferd-worker.8', 'transferctl.1', 'transferd.conf.5'):
            text = read(SOURCE, 'docs', 'man', page + '.rst')
            self.assertRegex(text, r'SYNOPSIS|DESCRIPTION')


if __name__ == '__main__':
    tap.main()
