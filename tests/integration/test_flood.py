#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Floods: clients that send faster than anybody can handle, that hold everything they can get, or
that never read what they are sent. The service says what is too much, its memory stays small, and
the calls of others are handled meanwhile."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import (JOB, MANAGER, MANAGER_PATH, NAME, PROPERTIES, DBusError, Gio,  # noqa: E402
                 GLib, dictionary, wait_for)
from httpd import MIB, Answer  # noqa: E402
from world import WorldCase  # noqa: E402

# As the bus of a session has them: what is refused here is refused by the service.
GENEROUS = {'max_replies_per_connection': 50000, 'max_match_rules_per_connection': 50000,
            'max_connections_per_user': 100000, 'max_completed_connections': 100000}


class FloodCase(WorldCase):
    timeout = 600
    limits = GENEROUS
    config = {'MaxJobsPerUser': 100000, 'MaxJobsPerMachine': 100000}

    def memory(self, field='VmRSS'):
        """How much the service has, or ever had (VmHWM), in MiB."""
        with open(f'/proc/{self.world.daemon_pid}/status', encoding='ascii') as file:
            return next(int(line.split()[1]) for line in file if line.startswith(field)) / 1024

    def outcome(self, calls):
        """(how many were answered, [how others were refused])."""
        refused = []
        for call in calls:
            try:
                call.result()
            except DBusError as error:
                refused.append(error)
        return len(calls) - len(refused), refused

    def busy(self):
        """A job that a Complete works on, so that every call that would change it waits; and what
        lets it end."""
        file, row, _ = self.file('busy', 2 * MIB, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True)
        wait_for(file.stalled.is_set, 'the answer')
        job.wait('transferring')
        worker = self.world.worker()
        os.kill(worker, signal.SIGSTOP)
        self.addCleanup(self.go_on, worker)
        job.send_complete()
        job.get('State')  # by when the service has begun
        return job, worker

    @staticmethod
    def go_on(worker):
        try:
            os.kill(worker, signal.SIGCONT)
        except ProcessLookupError:
            pass


class Calls(FloodCase):
    # nobody loses patience while the tests count
    config = FloodCase.config | {'StopTimeout': '300s', 'WorkerTimeout': '300s'}

    def test_too_many_calls_of_a_connection(self):
        job, worker = self.busy()
        other = self.world.client()
        theirs = job.seen_by(other)
        theirs.get('State')
        calls = [theirs.send('Suspend') for _ in range(300)]
        # what was refused is told at once, and names the limit and the count
        wait_for(lambda: sum(call.done for call in calls) >= 44, 'the refusals')
        refused = [call for call in calls if call.done]
        self.assertEqual(len(refused), 44)
        for call in refused:
            self.assertEqual(call.error.short, 'LimitsExceeded')
            self.assertIn('256', call.error.message)
            self.assertIn('257', call.error.message)
        self.assert_error('LimitsExceeded', theirs.get, 'State')
        # others do not notice, though they are the same user
        self.assertEqual(job.state, 'transferring')
        self.client.create()
        self.go_on(worker)
        answered, _ = self.outcome(calls)
        self.assertLessEqual(answered, 256)
        # all that was counted was given back
        answered, refused = self.outcome([other.send(MANAGER_PATH, PROPERTIES, 'Get', GLib.Variant(
            '(ss)', (MANAGER, 'Version'))) for _ in range(200)])
        self.assertEqual((answered, refused), (200, []))

    def test_too_many_bytes_of_a_connection(self):
        job, worker = self.busy()
        other = self.world.client()
        theirs = job.seen_by(other)
        theirs.get('State')
        before = self.memory()
        large = GLib.Variant('(a{sv})', ({'Description': GLib.Variant('s', 'x' * (8 * MIB))},))
        calls = [other.send(job.path, JOB, 'SetProperties', large) for _ in range(20)]
        wait_for(lambda: sum(call.done for call in calls) >= 17, 'the refusals')
        for call in calls:
            if call.done:
                self.assertEqual(call.error.short, 'LimitsExceeded')
                self.assertIn(str(32 * MIB), call.error.message)
        self.assertLess(self.memory('VmHWM'), before + 160)
        self.assertEqual(job.state, 'transferring')
        self.go_on(worker)
        self.outcome(calls)

    def test_too_many_bytes_of_a_user(self):
        """Many connections do not get more than their user may have."""
        job, worker = self.busy()
        before = self.memory()
        clients = [self.world.client() for _ in range(8)]
        large = GLib.Variant('(a{sv})', ({'Description': GLib.Variant('s', 'x' * (8 * MIB - 1000))},))
        calls = []
        for client in clients:
            job.seen_by(client).get('State')
            calls += [client.send(job.path, JOB, 'SetProperties', large) for _ in range(4)]
        wait_for(lambda: sum(call.done for call in calls) >= 16, 'the refusals')
        for call in calls:
            if call.done:
                self.assertEqual(call.error.short, 'LimitsExceeded')
                self.assertIn(str(128 * MIB), call.error.message)
        self.assertLess(self.memory('VmHWM'), before + 320)
        self.go_on(worker)
        self.outcome(calls)

    def test_what_a_client_had_is_given_back_when_it_goes(self):
        job, worker = self.busy()
        for _ in range(3):
            other = self.world.client()
            theirs = job.seen_by(other)
            calls = [theirs.send('Suspend') for _ in range(257)]
            wait_for(lambda made=calls: any(call.done for call in made), 'the refusal')
            other.close()
        self.go_on(worker)
        self.client.expect('JobRemoved')
        self.assertEqual(self.outcome([self.client.send_create() for _ in range(200)]), (200, []))

    def test_calls_without_reply(self):
        """They cost nothing: nobody could be told that they were too many."""
        job, worker = self.busy()
        before = self.memory()
        body = GLib.Variant('(a{sv})', ({'Description': GLib.Variant('s', 'x' * (8 * MIB))},))
        for _ in range(20):
            message = Gio.DBusMessage.new_method_call(NAME, job.path, JOB, 'SetProperties')
            message.set_body(body)
            message.set_flags(Gio.DBusMessageFlags.NO_REPLY_EXPECTED)
            self.client.connection.send_message(message, Gio.DBusSendMessageFlags.NONE)
        self.client.manager_property('Version')
        self.assertLess(self.memory(), before + 64)
        self.go_on(worker)

    def test_calls_of_what_there_is_not(self):
        """GDBus answers these itself; they count for as long as they are not answered."""
        for _ in range(5):
            calls = []
            for number in range(60):
                calls += [self.client.send('/nowhere', MANAGER, 'CreateJob'),
                          self.client.send(MANAGER_PATH, MANAGER, f'No{number}'),
                          self.client.send(MANAGER_PATH, MANAGER, 'CreateJob')]
            answered, refused = self.outcome(calls)
            self.assertEqual(answered, 0)
            self.assertNotIn('LimitsExceeded', {error.short for error in refused})
        self.client.create()

    def test_connections(self):
        clients = [self.world.client() for _ in range(127)]
        for client in [self.client, *clients]:
            client.manager_property('Version')
        one_more = self.world.client()
        message = self.assert_error('LimitsExceeded', one_more.manager_property, 'Version')
        self.assertIn('129', message)
        self.assertIn('128', message)
        clients.pop().close()

        def served():
            try:
                return one_more.manager_property('Version')
            except DBusError:
                return None
        wait_for(served, 'the place of the one that left')

    def test_subscriptions_of_a_connection(self):
        """What a connection is not told of any more it is told so."""
        jobs = [call.result()[0] for call in [self.client.send_create() for _ in range(200)]]
        while len(jobs) < 4097:
            jobs += [call.result()[0] for call in [self.client.send_create() for _ in range(200)]]
        other = self.world.client()

        def get_all(path):
            return other.send(path, PROPERTIES, 'GetAll', GLib.Variant('(s)', (JOB,)))
        for first in range(0, 4096, 128):
            answered, _ = self.outcome([get_all(path) for path in jobs[first:first + 128]])
            self.assertEqual(answered, 128)
        get_all(jobs[0]).result()
        message = self.assert_error('LimitsExceeded', get_all(jobs[4096]).result)
        self.assertIn('4097', message)
        self.assertIn('4096', message)
        self.client.call(jobs[0], JOB, 'Cancel', GLib.Variant('(a{sv})', ({},)))
        get_all(jobs[4096]).result()


class Fairness(FloodCase):
    def test_others_are_served(self):
        """50 clients create jobs as fast as they can: somebody's Complete does not wait for them."""
        _, row, path = self.file('a')
        job = self.client.create([row], start=True)
        job.wait('transferred')
        floods = [self.world.client() for _ in range(50)]
        for client in floods:
            client.manager_property('Version')
        # cheap to send, and not so cheap to handle
        rows = [(self.server.url(f'/{number}'), self.world.target(str(number)), {})
                for number in range(100)]
        arguments = GLib.Variant('(ssa{sv})', ('flood', 'download', {
            'files': GLib.Variant('a(ssa{sv})', rows)}))
        # all of them are there before the first is handled
        os.kill(self.world.daemon_pid, signal.SIGSTOP)
        calls = [client.send(MANAGER_PATH, MANAGER, 'CreateJob', arguments)
                 for _ in range(45) for client in floods]
        for client in floods:
            client.connection.flush_sync(None)
        completed = job.send_complete()
        self.client.connection.flush_sync(None)
        os.kill(self.world.daemon_pid, signal.SIGCONT)
        self.assertEqual(completed.result()[0], 'completed')
        self.assertTrue(os.path.exists(path))
        answered, refused = self.outcome(calls)
        self.assertEqual((answered, refused), (len(calls), []))
        # in the order in which the service said it, however late it is read here
        self.client.flush()
        told = [one.name for one in self.client.signals if one.name in ('JobAdded', 'JobRemoved')]
        self.assertEqual(len(told), len(calls) + 2)
        # most calls may have been handled before the last message, which this is, was read at all
        self.assertLess(told.index('JobRemoved'), len(calls) * 9 // 10)

    def test_calls_keep_their_order(self):
        """However many take turns, the calls of each are handled in the order in which it sent them."""
        clients = [self.world.client() for _ in range(10)]
        jobs = [client.create() for client in clients]
        calls = [job.seen_by(client).send('SetProperties', '(a{sv})', dictionary(
            {'DisplayName': str(number)})) for number in range(100)
            for client, job in zip(clients, jobs, strict=True)]
        created = [client.send_create(name='last') for client in clients]
        self.assertEqual(self.outcome(calls + created)[1], [])
        for client, last in zip(clients, created, strict=True):
            self.assertEqual(last.number, client.answered)
        self.assertEqual({job.get('DisplayName') for job in jobs}, {'99'})


class Deaf(FloodCase):
    """A client that never reads what it is sent."""

    def program(self, text):
        """A client of its own process that does `text` with `connection` and stands still."""
        script = self.world.path('deaf.py')
        with open(script, 'w', encoding='utf-8') as file:
            file.write('import os, signal, sys\n'
                       'import gi\n'
                       "gi.require_version('Gio', '2.0')\n"
                       'from gi.repository import Gio, GLib\n'
                       'connection = Gio.DBusConnection.new_for_address_sync(sys.argv[1],\n'
                       '    Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT\n'
                       '    | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)\n'
                       f'NAME, PATH, MANAGER = {NAME!r}, {MANAGER_PATH!r}, {MANAGER!r}\n'
                       'def call(path, interface, method, arguments):\n'
                       '    connection.call(NAME, path, interface, method, arguments, None,\n'
                       '                    Gio.DBusCallFlags.NONE, -1, None, None)\n'
                       f'{text}\n'
                       'connection.flush_sync(None)\n'
                       'print("sent", flush=True)\n'
                       'os.kill(os.getpid(), signal.SIGSTOP)\n')
        process = self.world.spawn([sys.executable, '-B', script, self.world.address],
                                   stdout=subprocess.PIPE, text=True)
        self.assertEqual(process.stdout.readline(), 'sent\n')
        return process

    def test_answers(self):
        """Half a GB of answers that nobody fetches."""
        job = self.client.create()
        url = self.server.url('/' + 'x' * 2000)
        for first in range(0, 4000, 2000):
            job.add_files([(url, self.world.target(f'{number}')) for number in range(first, first + 2000)])
        self.program('for _ in range(60):\n'
                     f"    call({job.path!r}, {JOB!r}, 'ListFiles', GLib.Variant('(uu)', (0, 0)))")
        for _ in range(20):
            self.assertEqual(job.get('State'), 'suspended')
        self.assertLess(self.memory('VmHWM'), 300)

    def test_signals(self):
        """Changes of its jobs, as fast as they can be made."""
        job = self.client.create(NotifyInterval=0)
        process = self.program(
            f"call(PATH, MANAGER, 'Subscribe', GLib.Variant('(a{{sv}})', ({{}},)))\n"
            f"call({job.path!r}, {PROPERTIES!r}, 'GetAll', GLib.Variant('(s)', ({JOB!r},)))")
        text = 'x' * 1000
        for round_number in range(40):
            made = [job.send('SetProperties', '(a{sv})', dictionary(
                {'Description': f'{text}{round_number}{number}'})) for number in range(200)]
            self.assertEqual(self.outcome(made)[1], [])
        self.assertLess(self.memory('VmHWM'), 200)
        process.kill()
        job.set(Description='done')


if __name__ == '__main__':
    tap.main()
