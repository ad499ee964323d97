#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Nothing to do: the daemon leaves, not too early, and no call is lost by it."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import NAME, SECOND, Gio, GLib, Job, stays, wait_for  # noqa: E402
from httpd import MIB, Answer, Forever  # noqa: E402
from world import WorldCase, kill, process_start, seed  # noqa: E402

ENOUGH = 1.2  # seconds after which the daemon of these tests would have left


class IdleCase(WorldCase):
    """The daemon stays until it is told to be impatient: only then does a test know that nothing
    but its own last call keeps it."""

    def be_impatient(self):
        self.world.write_config({'IdleTimeout': '300ms'})
        self.client.manager('Reload')

    def assert_leaves(self):
        wait_for(lambda: self.world.daemon.poll() is not None, 'the daemon to leave')
        self.assertEqual(self.world.daemon.returncode, 0)
        self.assertFalse(self.world.ask_bus('NameHasOwner', GLib.Variant('(s)', (NAME,)))[0])

    def assert_stays(self):
        self.assertTrue(stays(lambda: self.world.daemon.poll() is None, ENOUGH))

    def stamp(self):
        return os.path.exists(os.path.join(self.world.state_dir, 'work-waits'))


class Idle(IdleCase):
    def test_nobody_ever_called(self):
        self.world.stop()
        self.world.write_config({'IdleTimeout': '300ms'})
        self.world.daemon = self.world.launch()
        self.assert_leaves()
        self.assertFalse(self.stamp())

    def test_jobs_that_wait_for_their_owner(self):
        """Suspended, transferred and failed jobs need no daemon; the next one has them."""
        server = self.server
        server.add('/gone', script=Forever(Answer(status=404)))
        jobs = [self.client.create([self.file('a')[1]]),
                self.client.create([self.file('b')[1]], start=True),
                self.client.create([(server.url('/gone'), self.world.target('c'))], start=True)]
        states = 'suspended', 'transferred', 'error'
        for job, state in zip(jobs, states):
            job.wait(state)
        self.be_impatient()
        self.assert_leaves()
        self.assertFalse(self.stamp())
        self.world.start('--no-idle-exit')
        self.assertEqual(tuple(job.state for job in jobs), states)

    def test_running(self):
        file, row, _ = self.file('a', 3 * MIB, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True)
        wait_for(file.stalled.is_set, 'the stall')
        self.be_impatient()
        self.assert_stays()
        self.assertTrue(self.stamp())
        file.released.set()
        self.assert_leaves()
        self.assertFalse(self.stamp())
        self.world.start('--no-idle-exit')
        self.assertEqual(job.state, 'transferred')

    def test_waiting_for_another_try(self):
        self.server.add('/a', script=Forever(Answer(status=503)))
        job = self.client.create([(self.server.url('/a'), self.world.target('a'))], start=True,
                                 MinimumRetryDelay=3600 * SECOND)
        job.wait('transient-error')
        self.be_impatient()
        self.assert_stays()
        job.suspend()
        self.assert_leaves()

    def test_queued(self):
        held = self.file('held', MIB, script=[Answer(stall=1)])[0]
        first = self.client.create([(self.server.url('/held'), self.world.target('held'))],
                                   start=True, Priority='high')
        wait_for(held.stalled.is_set, 'the stall')
        second = self.client.create([self.file('b')[1]], start=True, Priority='low')
        self.assertEqual(second.state, 'queued')
        self.be_impatient()
        self.assert_stays()
        first.suspend()
        self.assert_leaves()
        self.world.start('--no-idle-exit')
        self.assertEqual(second.state, 'transferred')

    def test_subscriber(self):
        self.client.manager('Subscribe', '(a{sv})', {})
        self.be_impatient()
        self.assert_stays()
        self.client.manager('Unsubscribe')
        self.assert_leaves()

    def test_reader_of_all_properties(self):
        """Whoever asked for everything of a job hears of its changes, until the connection ends."""
        job = self.client.create()
        other = self.world.client()
        job.seen_by(other).get_all()
        self.be_impatient()
        self.assert_stays()
        other.close()
        self.assert_leaves()

    def test_call_under_way(self):
        job = self.client.create([self.file('a')[1]], start=True)
        job.wait('transferred')
        worker = self.world.worker()
        os.kill(worker, signal.SIGSTOP)
        call = job.send_complete()
        self.be_impatient()
        self.assert_stays()
        os.kill(worker, signal.SIGCONT)
        self.assertEqual(call.result()[0], 'completed')
        self.assert_leaves()

    def test_option(self):
        self.world.stop()
        self.world.start('--no-idle-exit')
        self.be_impatient()
        self.assert_stays()

    def test_never(self):
        """What the configuration of these tests says, and what it may say again."""
        self.client.manager('Subscribe', '(a{sv})', {})
        self.be_impatient()
        self.world.write_config({'IdleTimeout': '0'})
        self.client.manager('Reload')
        self.client.manager('Unsubscribe')
        self.assert_stays()

    def test_other_time(self):
        """A new IdleTimeout= counts at once, whatever was waited for."""
        for longer in '0', '1h':
            self.world.write_config({'IdleTimeout': longer})
            self.client.manager('Reload')
        self.assert_stays()
        self.world.write_config({'IdleTimeout': '300ms'})
        self.client.manager('Reload')
        self.assert_leaves()

    def test_stamp(self):
        """Whoever is killed may have left work behind, whoever leaves knows."""
        self.assertTrue(self.stamp())
        self.world.kill_daemon()
        self.assertTrue(self.stamp())
        self.world.start()
        self.world.stop()
        self.assertFalse(self.stamp())
        self.world.start()
        self.server.add('/a', script=Forever(Answer(status=503)))
        job = self.client.create([(self.server.url('/a'), self.world.target('a'))], start=True)
        job.wait('transient-error')
        self.world.stop()
        self.assertTrue(self.stamp())


class Startable(IdleCase):
    """The bus starts the daemon for whoever calls."""

    def setUp(self):
        super().setUp()
        self.world.stop()
        self.world.write_config({'IdleTimeout': '60ms'})
        self.world.make_startable()
        self.client.call_flags = Gio.DBusCallFlags.NONE
        self.pids = set()
        self.addCleanup(self.end_daemon)
        self.choice = seed()

    def owner(self):
        """The number of the process that has the name, or None."""
        try:
            return self.world.ask_bus('GetConnectionUnixProcessID', GLib.Variant('(s)', (NAME,)))[0]
        except GLib.Error:
            return None

    def end_daemon(self):
        pid = self.owner()
        if pid:
            start = process_start(pid)
            kill(pid, signal.SIGTERM)
            wait_for(lambda: process_start(pid) != start, 'the daemon to end')

    def test_no_call_is_lost(self):
        """Calls at any moment around the end of the daemon."""
        created = []
        for number in range(60):
            stays(lambda: True, self.choice.uniform(0.03, 0.11))
            calls = [self.client.send_create(name=f'{number}.{each}')
                     for each in range(self.choice.randrange(1, 4))]
            created += [call.result()[0] for call in calls]
            self.pids.add(self.owner())
            path = self.choice.choice(created)
            self.client.manager('CancelJobs', '(aoa{sv})', [path], {})
            created.remove(path)
        self.assertEqual(sorted(path for path, _ in self.client.list_jobs()), sorted(created))
        self.assertGreater(len(self.pids - {None}), 3)

    def test_calls_of_the_last_moment(self):
        """What the bus has handed over when the daemon decides to leave is done and answered, and the
        work that it made goes on."""
        file, row, path = self.file('a', 300_000)
        for number in range(15):
            self.client.manager('ListJobs', '(a{sv})', {})
            pid = self.owner()
            if pid is None:
                continue
            self.pids.add(pid)
            kill(pid, signal.SIGSTOP)
            row = (row[0], self.world.target(f'{number}'))
            calls = [self.client.send_create([row], start=True), self.client.send_create()]
            stays(lambda: True, 0.1)
            kill(pid, signal.SIGCONT)
            path, other = (call.result()[0] for call in calls)
            job = Job(self.client, path)
            self.wait_transferred(job)
            self.assertEqual(job.complete()[0], 'completed')
            self.assert_file(row[1], file)
            self.client.manager('CancelJobs', '(aoa{sv})', [other], {})
        self.assertGreater(len(self.pids), 3)

    def wait_transferred(self, job):
        """Without calling: that would start the daemon."""
        stamp = os.path.join(self.world.state_dir, 'work-waits')
        wait_for(lambda: not os.path.exists(stamp), 'the daemon to have done its work')
        self.assertEqual(job.state, 'transferred')


if __name__ == '__main__':
    tap.main()
