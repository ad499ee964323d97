#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Every method and property of the living service, called for a minute with random arguments of the
right signature, from several connections at a time. The service answers all of it and everybody
else, loses no job, and has no more memory and descriptors at the end than it needs.

TFD_SEED repeats a run, as far as time allows; TFD_FUZZ_SECONDS chooses another length."""
import os
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import (DEADLINE, JOB, MANAGER, MANAGER_PATH, NAME, PROPERTIES, DBusError, Gio, GLib,  # noqa: E402
                 turn, wait_for)
from httpd import MIB, Answer  # noqa: E402
from processes import open_files, process_start  # noqa: E402
from random_values import Values  # noqa: E402
from world import WorldCase, seed  # noqa: E402

SECONDS = float(os.environ.get('TFD_FUZZ_SECONDS', '60'))
# Not more under way on one connection than the bus lets through.
UNDER_WAY = 32
NO_JOB = MANAGER_PATH + '/jobs/' + '0' * 32


class Fuzzer:
    """One connection that calls what comes to its mind."""

    def __init__(self, test, client, rand):
        self.test = test
        self.client = client
        self.rand = rand
        self.under_way = 0
        self.jobs = []
        self.list = None
        self.answers = {}
        self.values = Values(rand, self.descriptor)
        self.values.words += test.words
        self.values.objects = test.objects

    def descriptor(self):
        """A descriptor to send, of any kind; its number in the list of the call."""
        kind = self.rand.randrange(4)
        if kind == 0:
            number = os.open(self.test.world.downloads, os.O_RDONLY)
        elif kind == 1:
            number, other = os.pipe()
            os.close(other)
        elif kind == 2:
            number = os.open('/dev/null', os.O_RDWR)
        else:
            with tempfile.TemporaryFile() as file:
                number = os.dup(file.fileno())
        try:
            return self.list.append(number)
        finally:
            os.close(number)

    def call(self):
        self.list = Gio.UnixFDList.new()
        path, interface, method, arguments = self.choose()
        self.under_way += 1
        self.client.connection.call_with_unix_fd_list(
            NAME, path, interface, method, arguments, None, Gio.DBusCallFlags.NONE,
            int(DEADLINE * 1000), self.list if self.list.get_length() else None, None, self.answered,
            (interface, method))

    def row(self):
        """A file that may be had, or may not."""
        name = self.rand.choice(('a', 'b', 'slow', 'absent'))
        options = {}
        if self.rand.random() < 0.1:
            options[self.rand.choice(('mode', 'umask'))] = GLib.Variant('u', self.values.number('u'))
        return self.test.server.url('/' + name), self.test.world.target(str(self.rand.randrange(20))), options

    def sensible(self, path):
        """What makes something of a job, so that there is more to go wrong."""
        rows = [self.row() for _ in range(self.rand.randrange(1, 4))]
        options = {'start': GLib.Variant('b', self.rand.random() < 0.7),
                   'files': GLib.Variant('a(ssa{sv})', rows)}
        if self.rand.random() < 0.3:
            key, value = self.values.entry(0)
            options[key] = value
        return self.rand.choice([
            (MANAGER_PATH, MANAGER, 'CreateJob', GLib.Variant('(ssa{sv})', ('fuzz', 'download', options))),
            (MANAGER_PATH, MANAGER, 'CreateJob', GLib.Variant('(ssa{sv})', (
                'fuzz', self.rand.choice(('upload', 'upload-reply', 'download')), {}))),
            (path, JOB, 'AddFile', GLib.Variant('(ssa{sv})', rows[0])),
            (path, JOB, 'AddFiles', GLib.Variant('(a(ssa{sv}))', (rows,))),
            (path, JOB, 'Resume', None), (path, JOB, 'Suspend', None),
            (path, JOB, 'Complete', GLib.Variant('(a{sv})', ({},)))])

    def choose(self):
        on_job = self.rand.random() < 0.75
        interface = JOB if on_job else MANAGER
        # most of the older ones have ended
        some = self.values.objects[-12:] if self.rand.random() < 0.9 else self.values.objects
        path = self.rand.choice(some) if on_job else MANAGER_PATH
        if self.rand.random() < 0.1:
            return self.sensible(path if on_job else self.rand.choice(some))
        if path == MANAGER_PATH:
            interface = MANAGER
        methods, properties = self.test.members[interface]
        kind = self.rand.random()
        if kind < 0.7:
            name = self.rand.choice(list(methods))
            return path, interface, name, self.values.arguments(methods[name])
        name = self.rand.choice(list(properties))
        if kind < 0.8:
            return path, PROPERTIES, 'Get', GLib.Variant('(ss)', (interface, name))
        if kind < 0.83:
            return path, PROPERTIES, 'GetAll', GLib.Variant('(s)', (interface,))
        signature = properties[name] if self.rand.random() < 0.95 else 's'
        return path, PROPERTIES, 'Set', GLib.Variant.new_tuple(
            GLib.Variant('s', interface), GLib.Variant('s', name),
            GLib.Variant('v', self.values.make(signature)))

    def answered(self, connection, result, what):
        self.under_way -= 1
        answer = 'answered'
        try:
            reply, descriptors = connection.call_with_unix_fd_list_finish(result)
            if what == (MANAGER, 'CreateJob'):
                self.values.objects.append(reply.unpack()[0])
            for number in descriptors.steal_fds() if descriptors else []:
                os.close(number)
        except GLib.Error as error:
            answer = Gio.DBusError.get_remote_error(error) or f'{error.domain} {error.code}'
        self.answers[answer] = self.answers.get(answer, 0) + 1


class BusFuzz(WorldCase):
    timeout = 600 + int(SECONDS)
    config = {'MaxJobsPerUser': 150, 'StopTimeout': '10s', 'ProbeTimeout': '10s'}

    def members_of(self, path):
        """{interface: ({method: signatures}, {property: signature})} as the service says it."""
        xml, = self.client.call(path, 'org.freedesktop.DBus.Introspectable', 'Introspect')
        found = {}
        for interface in ElementTree.fromstring(xml).iter('interface'):
            methods = {method.get('name'): [argument.get('type') for argument in method.iter('arg')
                                            if argument.get('direction') != 'out']
                       for method in interface.iter('method')}
            found[interface.get('name')] = methods, {one.get('name'): one.get('type')
                                                     for one in interface.iter('property')}
        return found

    def setUp(self):
        super().setUp()
        self.rand = seed()
        self.members = self.members_of(MANAGER_PATH) | self.members_of(NO_JOB)
        self.objects = [MANAGER_PATH, NO_JOB]
        self.server.add('/a', 1000)
        self.server.add('/b', MIB)
        self.server.add('/slow', MIB, rate=MIB // 8)
        downloads = self.world.downloads
        # All paths are below the directory of the test: the service may write there and nowhere else.
        self.words = [self.server.url(name) for name in ('/a', '/b', '/slow', '/absent', '/a?b#c')] + [
            'http://127.0.0.1:1/x', 'http://user:password@127.0.0.1/x', 'ftp://127.0.0.1/x',
            f'file://{downloads}/source', 'file:///', 'https://[::1]:1/', 'http://', 'http://\x00'[:7]]
        self.words += [f'{downloads}/{name}' for name in ('1', '2', '3', 'é', 'x' * 255, 'x' * 256, 'dir', 'dir/x',
                                                          'absent/x', '.', '..', 'a b', 'fifo', 'source')]
        os.mkdir(downloads + '/dir')
        os.mkfifo(downloads + '/fifo')
        with open(downloads + '/source', 'wb') as file:
            file.write(b'x' * 5000)

    def measure(self):
        """(MiB, descriptors) of the service."""
        pid = self.world.daemon_pid
        with open(f'/proc/{pid}/status', encoding='ascii') as file:
            memory = next(int(line.split()[1]) for line in file if line.startswith('VmRSS')) / 1024
        return memory, len(open_files(pid))

    def look(self, control):
        """A call of somebody else; how long it took."""
        begin = time.monotonic()
        self.client.manager_property('Version')
        state = control.state
        if state == 'suspended':  # by SuspendAll
            control.resume()
        self.assertNotIn(state, ('error', 'cancelled', 'acknowledged'))
        return time.monotonic() - begin

    def settle(self):
        """Ends all jobs but those of the test."""
        jobs = [path for path, values in self.client.list_jobs(limit=1000)
                if values['DisplayName'] != 'control']
        if jobs:
            self.client.manager('CancelJobs', '(aoa{sv})', jobs, {})

    def test_random_calls(self):
        pid = self.world.daemon_pid
        start = process_start(pid)
        file, row, path = self.file('control', 4 * MIB, script=[Answer(stall=MIB)] * 3)
        control = self.client.create([row], start=True, name='control', Priority='foreground')
        fuzzers = [Fuzzer(self, self.world.client(), self.rand) for _ in range(4)]
        begin, slowest, middle, calls = time.monotonic(), 0, None, 0
        while time.monotonic() < begin + SECONDS:
            for fuzzer in fuzzers:
                while fuzzer.under_way < UNDER_WAY:
                    fuzzer.call()
                    calls += 1
            turn()
            slowest = max(slowest, self.look(control))
            self.assertEqual(process_start(pid), start, 'the service has ended')
            if len(self.objects) > 400:
                del self.objects[2:200]
                self.settle()
            if middle is None and time.monotonic() > begin + SECONDS / 2:
                middle = self.measure()
        wait_for(lambda: not any(fuzzer.under_way for fuzzer in fuzzers), 'all answers')
        answers = {}
        for fuzzer in fuzzers:
            for name, count in fuzzer.answers.items():
                answers[name] = answers.get(name, 0) + count
            fuzzer.client.close()
        for name, count in sorted(answers.items(), key=lambda item: -item[1]):
            print(f'# {count} {name}')
        self.settle()
        file.released.set()
        control.wait('transferred', hurry=True)
        self.assertEqual(control.complete()[0], 'completed')
        self.assert_file(path, file)
        self.assertLess(slowest, 20, 'somebody else waited for long')
        self.assertGreater(answers.get('answered', 0), calls // 50)
        self.client.flush()
        memory, descriptors = self.measure()
        print(f'# {calls} calls; slowest answer to somebody else {slowest:.3f} s; {middle[0]:.0f} MiB and '
              f'{middle[1]} descriptors at half time, {memory:.0f} and {descriptors} at the end')
        self.assertLess(memory, middle[0] + 64)
        wait_for(lambda: self.measure()[1] <= 40, 'the descriptors to be closed')


if __name__ == '__main__':
    tap.main()
