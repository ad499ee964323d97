# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A small world for one test: a bus, the real daemon and its real workers, a directory for files.

Nothing of it reaches the machine: the bus is private (in system mode the whole test runs in a
throw-away copy of the machine, see machine.sh), and every process is ended by its own number.

    TFD_BUILD_ROOT  the build directory, set by meson test
    TFD_VALGRIND    a program that runs daemon and worker under valgrind
    TFD_KEEP=1      keeps the directory of the world for a look afterwards
"""
import hashlib
import os
import pwd
import random
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import uuid

import httpd
import tap
from bus import DEADLINE, NAME, Client, DBusError, GLib, wait_for
from processes import children, executable, kill, process_start, workers_of

BUILD = os.environ.get('TFD_BUILD_ROOT', '')
VALGRIND = os.environ.get('TFD_VALGRIND', '')
PROGRAMS = {
    'transferd': ('daemon/transferd',),
    'transferd-worker': ('daemon/worker/transferd-worker',),
    'transferctl': ('client/transferctl/transferctl', 'client/transferctl'),
}
# What a test does not say itself. Where nobody starts it anew the daemon must not leave; and a
# worker of a machine that is busy with others does not hang.
CONFIG = {'IdleTimeout': '0', 'WorkerIdleTimeout': '10min', 'WorkerTimeout': '10min',
          'StopTimeout': '2min', 'ProbeTimeout': '2min'}
BOOT_ID = '/proc/sys/kernel/random/boot_id'
SYSTEM_BUS = 'unix:path=/run/dbus/system_bus_socket'
BUS_CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{services}</servicedir>
  {limits}
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
'''


def program(name):
    """The path of a program of the build directory."""
    for path in PROGRAMS[name]:
        path = os.path.join(BUILD, path)
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(f'{name} is not in TFD_BUILD_ROOT={BUILD}')


def installed(name):
    """The path of an installed program that nobody calls by hand."""
    for prefix in '/usr', '/usr/local':
        path = f'{prefix}/libexec/transferd/{name}'
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(f'{name} is not installed')


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def temporaries(directory):
    """The hidden temporary files of jobs in a directory."""
    return sorted(name for name in os.listdir(directory) if name.startswith('.transferd-'))


def snapshot(directory):
    """Everything about a directory that Cancel must leave alone: names, kinds, modes, contents."""
    rows = []
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        info = os.lstat(path)
        data = digest(path) if os.path.isfile(path) and not os.path.islink(path) else None
        rows.append((name, info.st_mode, info.st_uid, info.st_ino, info.st_mtime_ns, data))
    return rows


def seed():
    """The seed of this run's random choices, printed, or that of TFD_SEED."""
    value = int(os.environ.get('TFD_SEED', random.SystemRandom().randrange(1 << 32)))
    print(f'# TFD_SEED={value}', flush=True)
    return random.Random(value)


class World:
    """One bus and one daemon."""

    def __init__(self, mode='user', config=None, limits=None):
        self.mode = mode
        self.limits = limits or {}  # of the bus
        self.directory = tempfile.mkdtemp(prefix='tfd-', dir=os.environ.get('TFD_TMPDIR'))
        os.chmod(self.directory, 0o755)
        self.state_dir = self.path('state')
        self.runtime_dir = self.path('run')
        self.downloads = self.path('downloads')
        self.config = self.path('transferd.conf')
        self.log = self.path('transferd.log')
        self.valgrind_log = self.path('valgrind-%p.log')
        for directory in self.runtime_dir, self.downloads:
            os.mkdir(directory, 0o700 if directory == self.runtime_dir else 0o755)
        self.write_config(config or {})
        self.bus_process = None
        self.daemon = None
        self.others = []  # processes to end
        self.clients = []
        self.servers = []
        self.seen = {}  # number → start of every daemon and worker that was looked at
        self.wrapper = []  # words before the daemon's command line
        self.variables = {}  # more of the environment
        self.system_address = None  # of a private system bus, see mocks.py
        self.start_bus()

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def write_config(self, keys):
        keys = keys | {key: value for key, value in CONFIG.items() if key not in keys}
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write('[Service]\n' + ''.join(f'{key}={value}\n' for key, value in keys.items()))

    # Processes

    def spawn(self, command, **options):
        """Starts a process that ends with this one at the latest."""
        process = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', '--', *command], **options)
        self.others.append(process)
        return process

    def start_bus(self):
        if self.mode == 'system':
            self.address = SYSTEM_BUS
            return
        config = self.path('bus.conf')
        socket = self.path('bus')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(BUS_CONFIG.format(
                socket=socket, services=self.path('services'), limits=''.join(
                    f'<limit name="{name}">{value}</limit>' for name, value in self.limits.items())))
        self.address = f'unix:path={socket}'
        with open(self.path('bus.log'), 'wb') as log:
            self.bus_process = self.spawn(
                ['dbus-daemon', f'--config-file={config}', '--nofork', '--print-address'],
                stdout=subprocess.PIPE, stderr=log)
        if not self.bus_process.stdout.readline():
            raise AssertionError('the bus did not start')

    def environment(self):
        environment = os.environ | {
            'DBUS_SESSION_BUS_ADDRESS': self.address, 'XDG_RUNTIME_DIR': self.runtime_dir,
            'XDG_STATE_HOME': self.path('xdg-state'), 'G_DEBUG': 'fatal-criticals',
            'LC_ALL': 'C.UTF-8', 'no_proxy': '*', 'http_proxy': '', 'https_proxy': '',
            'GIO_USE_VFS': 'local', 'GSETTINGS_BACKEND': 'memory'}
        if self.mode != 'system':  # what the real one says of this machine must not matter
            environment['DBUS_SYSTEM_BUS_ADDRESS'] = (self.system_address
                                                      or f'unix:path={self.path("no-bus")}')
        if VALGRIND:
            environment['TFD_VALGRIND_LOG'] = self.valgrind_log
        return environment | self.variables

    def make_startable(self):
        """From now on the bus starts the daemon for whoever calls it."""
        script = self.path('start')
        os.makedirs(self.path('services'), exist_ok=True)
        with open(script, 'w', encoding='utf-8') as file:
            file.write('#!/bin/sh\n' + ''.join(
                f'export {key}={shlex.quote(value)}\n' for key, value in self.environment().items()
                if re.fullmatch(r'[A-Z_a-z]+', key))
                + f'exec {shlex.join(self.command())} 2>>{shlex.quote(self.log)}\n')
        os.chmod(script, 0o755)
        with open(self.path('services', NAME + '.service'), 'w', encoding='utf-8') as file:
            file.write(f'[D-BUS Service]\nName={NAME}\nExec={script}\n')
        self.ask_bus('ReloadConfig')

    def ask_bus(self, method, arguments=None):
        """Calls the bus itself; the tuple of values."""
        connection = self.watcher()
        try:
            return connection.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus',
                                        'org.freedesktop.DBus', method, arguments, None, 0,
                                        int(DEADLINE * 1000), None).unpack()
        finally:
            connection.close_sync(None)

    def command(self, *options):
        if self.mode == 'system':
            return [*self.wrapper, installed('transferd'), '--system',
                    '--state-dir', self.state_dir, '--config', self.config, *options]
        words = [program('transferd'), '--user', '--allow-root', '--state-dir', self.state_dir,
                 '--config', self.config, '--worker', self.worker_program(), *options]
        return [*self.wrapper, *([VALGRIND] if VALGRIND else []), *words]

    def worker_program(self):
        if not VALGRIND:
            return program('transferd-worker')
        script = self.path('worker-under-valgrind')
        with open(script, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\nexport TFD_VALGRIND_LOG={shlex.quote(self.valgrind_log)}\n'
                       f'exec {shlex.join([VALGRIND, program("transferd-worker")])} "$@"\n')
        os.chmod(script, 0o755)
        return script

    def launch(self, *options):
        """Starts a daemon and does not wait for anything."""
        with open(self.log, 'ab') as log:
            return self.spawn(self.command(*options), stdin=subprocess.DEVNULL, stdout=log,
                              stderr=log, env=self.environment())

    def start(self, *options):
        """Starts the daemon and waits until it owns its name."""
        watcher = self.watcher()

        def owner():
            try:
                return watcher.call_sync(
                    'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                    'GetNameOwner', GLib.Variant('(s)', (NAME,)), None, 0,
                    int(DEADLINE * 1000), None).unpack()[0]
            except GLib.Error:  # nobody
                return None

        # the bus may not know yet that one before it was killed
        before = owner()
        self.daemon = self.launch(*options)

        def ready():
            if self.daemon.poll() is not None:
                raise AssertionError(f'transferd ended with {self.daemon.returncode}\n'
                                     + '\n'.join(self.diagnose()))
            return owner() not in (None, before)
        try:
            wait_for(ready, 'transferd to own its name')
        finally:
            watcher.close_sync(None)
        self.daemon_pid  # noqa: B018 (remembers the process)

    def watcher(self):
        """A connection of its own that needs no service."""
        return Client(self.address).connection

    @property
    def daemon_pid(self):
        """The number of the daemon itself, also below a wrapper."""
        pid = self.daemon.pid
        if self.wrapper:
            found = [one for one in children(pid) if executable(one) == 'transferd']
            pid = found[0] if found else pid
        self.seen[pid] = process_start(pid)
        return pid

    def workers(self):
        """The numbers of the workers that live now, of this daemon and of those before it."""
        found = workers_of(self.daemon_pid)
        for pid in found:
            self.seen[pid] = process_start(pid)
        return found

    def worker(self, deadline=DEADLINE):
        """The number of the one worker; waits for it."""
        return wait_for(self.workers, 'a worker', deadline)[0]

    def kill_daemon(self):
        self.workers()
        pid = self.daemon_pid
        kill(pid)
        self.daemon.wait(DEADLINE)

    def kill_worker(self):
        pid = self.worker()
        start = process_start(pid)
        kill(pid)
        wait_for(lambda: process_start(pid) != start, 'the worker to end')
        return pid

    def restart(self, *options):
        self.kill_daemon()
        self.start(*options)

    def next_boot(self):
        """The daemon, which does not run now, finds another boot of the machine when it starts."""
        name = self.path('boot-id')
        with open(name, 'w', encoding='ascii') as file:
            file.write(f'{uuid.uuid4()}\n')
        self.wrapper = ['unshare', '--mount', 'sh', '-c',
                        f'mount --bind {name} {BOOT_ID} && exec "$@"', 'sh']

    def stop(self, deadline=DEADLINE):
        """Asks the daemon to end; how it ended."""
        self.workers()
        kill(self.daemon_pid, signal.SIGTERM)
        return self.daemon.wait(deadline)

    # People and servers

    def client(self, user=None, **standing):
        client = Client(self.address, pwd.getpwnam(user).pw_uid if user else None, **standing)
        self.clients.append(client)
        return client

    def server(self, **options):
        server = httpd.Server(**options)
        self.servers.append(server)
        return server

    def target(self, name):
        """A path in the directory for downloads."""
        return os.path.join(self.downloads, name)

    def run(self, command, user=None, check=True, **options):
        """Runs a program of the command line on the bus of this world; (status, output)."""
        words = list(command)
        if user:
            words = ['setpriv', '--reuid', user, '--regid', user, '--init-groups', '--', *words]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=self.environment(), check=False, timeout=DEADLINE, **options)
        if check and done.returncode:
            raise AssertionError(f'{words} ended with {done.returncode}:\n{done.stdout}')
        return done.stdout

    # The end

    def diagnose(self):
        lines = []
        for name in sorted(os.listdir(self.directory)):
            if name.endswith('.log'):
                with open(self.path(name), encoding='utf-8', errors='replace') as file:
                    text = file.read().splitlines()[-60:]
                lines += [f'{name}: {line}' for line in text]
        return lines

    def complaints(self):
        """What must never be in the log of the daemon and of its workers."""
        with open(self.log, encoding='utf-8', errors='replace') as file:
            found = [line for line in file if re.search(
                r'CRITICAL|Sanitizer|runtime error|assertion .* failed|Assertion', line)]
        for name in sorted(os.listdir(self.directory)):
            if name.startswith('valgrind-'):
                with open(self.path(name), encoding='utf-8', errors='replace') as file:
                    # "--" begins remarks on itself; it says nothing when all is well
                    found += [line for line in file if line.startswith('==')]
        return found

    def close(self):
        """Ends everything; the complaints."""
        faults = []
        for client in self.clients:
            client.close()
        if self.daemon and self.daemon.poll() is None:
            try:
                status = self.stop()
                if status:
                    faults.append(f'transferd ended with {status} after SIGTERM')
            except subprocess.TimeoutExpired:
                faults.append('transferd did not end after SIGTERM')
                self.kill_daemon()
        if self.daemon:
            faults += self.complaints()
            faults += self.leftover_processes()
        for server in self.servers:
            server.stop()
        for process in self.others:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()
        if not os.environ.get('TFD_KEEP'):
            shutil.rmtree(self.directory, ignore_errors=True)
        return faults

    def leftover_processes(self):
        """Daemons and workers outliving the daemon, which are ended now."""
        def living():
            return [pid for pid, start in self.seen.items()
                    if start and process_start(pid) == start]
        try:
            wait_for(lambda: not living(), 'the workers to end')
            return []
        except AssertionError:
            left = [f'process {pid} ({executable(pid)}) outlived the daemon' for pid in living()]
            for pid in living():
                kill(pid, signal.SIGCONT)
                kill(pid)
            return left


class WorldCase(tap.TestCase):
    """A test with a world of its own, one HTTP server and one client."""

    mode = 'user'
    config = {}
    limits = {}

    def setUp(self):
        self.world = World(self.mode, self.config, self.limits)
        self.addCleanup(self.end)
        self.world.start()
        self.server = self.world.server()
        self.client = self.world.client()

    def end(self):
        faults = self.world.close()
        self.assertEqual(faults, [])

    def diagnose(self):
        world = getattr(self, 'world', None)
        return world.diagnose() if world and os.path.isdir(world.directory) else []

    def file(self, name='a', size=httpd.MIB, **options):
        """Serves a file; (resource, row for CreateJob, final path)."""
        resource = self.server.add('/' + name, size, **options)
        return resource, (self.server.url('/' + name), self.world.target(name)), self.world.target(name)

    def assert_file(self, path, resource):
        self.assertEqual(os.path.getsize(path), resource.content.size)
        self.assertEqual(digest(path), resource.sha256)

    def assert_no_temporaries(self, directory=None):
        self.assertEqual(temporaries(directory or self.world.downloads), [])

    def assert_error(self, name, function, /, *arguments, **options):
        """The call fails with the error of this short name; its message."""
        with self.assertRaises(DBusError) as caught:
            function(*arguments, **options)
        self.assertEqual(caught.exception.short, name, caught.exception)
        return caught.exception.message


class SystemCase(WorldCase):
    """A test in the throw-away machine of machine.sh: the daemon serves everybody, alice is the
    client, and each user has a directory."""

    mode = 'system'

    def setUp(self):
        super().setUp()
        self.client.close()
        self.places = {}
        for user in 'alice', 'bob':
            self.places[user] = self.world.target(user)
            os.mkdir(self.places[user])
            os.chmod(self.places[user], 0o755)
            entry = pwd.getpwnam(user)
            os.chown(self.places[user], entry.pw_uid, entry.pw_gid)
        self.client = self.world.client('alice')

    def place(self, name, user='alice'):
        return os.path.join(self.places[user], name)

    def row(self, name, size=httpd.MIB, user='alice', **options):
        """Serves a file; (resource, row for CreateJob, final path in the directory of a user)."""
        resource = self.server.add('/' + name, size, **options)
        path = self.place(name, user)
        return resource, (self.server.url('/' + name), path), path
