#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The crash matrix: daemon and worker are killed at every system call that matters of Complete and
Cancel, in turn, until a run passes in which nobody was hit. Whatever the moment, the job ends by
itself or stands as if nothing had been asked; no file is lost or half, no temporary remains.

    test_crash.py -k worker
"""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DEADLINE, NAME, DBusError, GLib, stays, wait_for  # noqa: E402
from httpd import KIB, Answer, Forever  # noqa: E402
from processes import Tracer, kill, process_start  # noqa: E402
from world import WorldCase, program, temporaries  # noqa: E402

RENAMES = ('rename', 'renameat', 'renameat2')
# What makes bytes durable, changes a directory, or speaks to the other side.
WORKER_CALLS = ('fsync', 'fdatasync', 'syncfs', *RENAMES, 'linkat', 'unlinkat', 'fchmod', 'utimensat',
                'ftruncate', 'sendmsg', 'sendto')
DAEMON_CALLS = ('fsync', 'fdatasync', 'pwrite64', 'unlink', 'ftruncate', 'sendmsg', 'sendto')
# More turns than any operation needs: a sweep that does not end is a mistake of the test.
MOST = 120


class Matrix(WorldCase):
    timeout = 1500
    config = {'StopTimeout': '20s'}
    number = 0

    def prepare(self, files, unfinished):
        """A transferred job in a directory of its own, with an unfinished file more when asked."""
        self.number += 1
        directory = self.world.target(f'{self.number}')
        os.mkdir(directory)
        rows = []
        for name in files:
            self.server.add(f'/{self.number}/{name}', 40 * KIB)
            rows.append((self.server.url(f'/{self.number}/{name}'), f'{directory}/{name}'))
        job = self.client.create(rows, start=True, name=f'{self.number}')
        job.wait('transferred')
        if unfinished:
            resource = self.server.add(f'/{self.number}/open', 40 * KIB, script=Forever(Answer(stall=KIB)))
            job.add(self.server.url(f'/{self.number}/open'), f'{directory}/open')
            job.resume()
            wait_for(resource.stalled.is_set, 'the unfinished file')
            wait_for(lambda: len(temporaries(directory)) == len(files) + 1, 'its temporary')
        return job, directory

    def sweep(self, victim, calls, begin, verify, unfinished=False):
        """Kills `victim` at the first, second, … system call of each kind while `begin` works."""
        hits = {}
        for call in calls:
            for turn in range(1, MOST):
                with self.subTest(f'{victim} killed at {call} number {turn}'):
                    hit = self.one_turn(victim, call, turn, begin, verify, unfinished)
                if not hit:
                    break
                hits[call] = turn
            else:
                self.fail(f'{call}: no end after {MOST} turns')
        print(f'# {victim} killed at {hits}', flush=True)
        self.assertGreater(sum(hits.values()), 3)

    def one_turn(self, victim, call, turn, begin, verify, unfinished):
        """TRUE when the victim was killed."""
        files = ['a', 'b', 'c']
        job, directory = self.prepare(files, unfinished)
        pid = self.world.daemon_pid if victim == 'daemon' else self.world.worker()
        start = process_start(pid)
        tracer = Tracer(self.world, pid, call, f'signal=KILL:when={turn}')
        pending = begin(job)
        wait_for(lambda: pending.done or process_start(pid) != start, 'an end of the turn')
        # A reply may overtake the end of the process that sent it.
        if victim == 'daemon' and pending.error and process_start(pid) == start:
            wait_for(lambda: process_start(pid) != start, 'the daemon to end')
        # Nobody is hit after this, as the next calls here must know.
        tracer.detach()
        hit = process_start(pid) != start
        if victim == 'daemon' and hit:
            self.world.daemon.wait(DEADLINE)
            self.world.start()
        verify(job, directory, files, pending, hit and victim == 'daemon')
        return hit

    def settle(self, job, again):
        """Waits for the end of the job, which comes by itself once it was begun; where nothing was
        begun yet, `again` begins anew."""
        def look():
            if job.tombstone():
                return 'ended'
            try:
                if job.get('Operation') == '':
                    return 'not begun'
            except DBusError as error:
                if error.short != 'NotFound':
                    raise
            return None
        if wait_for(look, 'the job to go on by itself') == 'not begun' and not job.tombstone():
            again()
        return job.tombstone(files=True)

    def verify_complete(self, job, directory, files, pending, lost):
        if not lost:
            self.assertIn(pending.result()[0], ('completed', 'partial'))
        row = self.settle(job, lambda: job.complete())
        self.assertEqual(row['kept'], [(number, f'{directory}/{name}')
                                       for number, name in enumerate(files)])
        self.assertEqual(sorted(os.listdir(directory)), files)
        for name in files:
            self.assert_file(f'{directory}/{name}', self.server.resources[f'/{self.number}/{name}'])
        unfinished = f'/{self.number}/open' in self.server.resources
        self.assertEqual(row['result'], 'partial' if unfinished else 'completed')

    def verify_cancel(self, job, directory, _files, pending, lost):
        if not lost:
            self.assertEqual(pending.result(), ('cancelled', {'undeleted': []}))
        row = self.settle(job, lambda: job.cancel())
        self.assertEqual((row['result'], row['undeleted']), ('cancelled', []))
        self.assertEqual(os.listdir(directory), [])

    def test_worker_in_complete(self):
        self.sweep('worker', WORKER_CALLS, lambda job: job.send_complete(), self.verify_complete)

    def test_worker_in_partial_complete(self):
        self.sweep('worker', WORKER_CALLS, lambda job: job.send_complete(), self.verify_complete,
                   unfinished=True)

    def test_worker_in_keep_both(self):
        self.sweep('worker', WORKER_CALLS, lambda job: job.send_complete(overwrite='keep-both'),
                   self.verify_complete)

    def test_worker_in_cancel(self):
        self.sweep('worker', WORKER_CALLS, lambda job: job.send_cancel(), self.verify_cancel,
                   unfinished=True)

    def test_daemon_in_complete(self):
        self.sweep('daemon', DAEMON_CALLS, lambda job: job.send_complete(), self.verify_complete)

    def test_daemon_in_partial_complete(self):
        self.sweep('daemon', DAEMON_CALLS, lambda job: job.send_complete(), self.verify_complete,
                   unfinished=True)

    def test_daemon_in_cancel(self):
        self.sweep('daemon', DAEMON_CALLS, lambda job: job.send_cancel(), self.verify_cancel,
                   unfinished=True)

    def kill_both_after_rename(self, job, directory, turn):
        """Begins Complete; both are killed when `turn` files are in place and not one more."""
        tracer = Tracer(self.world, self.world.worker(), RENAMES, f'signal=STOP:when={turn}')
        job.send_complete()
        wait_for(lambda: len(os.listdir(directory)) - len(temporaries(directory)) == turn,
                 f'rename number {turn}')
        self.world.kill_daemon()
        tracer.detach()

    def test_both_killed_between_two_renames(self):
        for turn in range(1, 4):
            with self.subTest(turn):
                job, directory = self.prepare(['a', 'b', 'c'], False)
                self.kill_both_after_rename(job, directory, turn)
                self.world.start()
                self.verify_complete(job, directory, ['a', 'b', 'c'], None, True)

    def test_file_is_moved_away_while_nobody_looks(self):
        """A file that was in place and is not there any more counts as done, and as moved."""
        job, directory = self.prepare(['a', 'b', 'c'], False)
        self.kill_both_after_rename(job, directory, 1)
        os.rename(f'{directory}/a', self.world.path('moved'))
        self.world.start()
        row = self.settle(job, lambda: self.fail('the job does not go on'))
        self.assertEqual((row['result'], sorted(os.listdir(directory))), ('completed', ['b', 'c']))
        self.assertEqual([number for number, _ in row['kept']], [1, 2])

    def test_file_is_replaced_while_nobody_looks(self):
        """Somebody else's file under the final name is not touched, and not called ours."""
        job, directory = self.prepare(['a', 'b', 'c'], False)
        self.kill_both_after_rename(job, directory, 1)
        os.unlink(f'{directory}/a')
        with open(f'{directory}/a', 'w', encoding='utf-8') as file:
            file.write('mine')
        self.world.start()
        row = self.settle(job, lambda: self.fail('the job does not go on'))
        self.assertEqual(row['result'], 'completed')
        with open(f'{directory}/a', encoding='utf-8') as file:
            self.assertEqual(file.read(), 'mine')
        self.assertEqual([number for number, _ in row['kept']], [1, 2])


class Many(WorldCase):
    """So many files that two requests to rename are under way at a time."""
    timeout = 1500
    config = {'StopTimeout': '20s'}
    count = 1700

    def setUp(self):
        super().setUp()
        self.contents = self.server.add('/one', 300)

    def prepare(self, number):
        directory = self.world.target(f'{number}')
        os.mkdir(directory)
        job = self.client.create([(self.server.url('/one'), f'{directory}/{index}')
                                  for index in range(self.count)], start=True)
        job.wait('transferred')
        return job, directory

    def check(self, job, directory):
        """It ends by itself, and every file is there, and nothing else."""
        row = wait_for(lambda: job.tombstone(files=True), 'the end of the job')
        self.assertEqual((row['result'], row['kept']),
                         ('completed', [(index, f'{directory}/{index}') for index in range(self.count)]))
        self.assertEqual(set(os.listdir(directory)), {str(index) for index in range(self.count)})
        for index in range(self.count):
            self.assert_file(f'{directory}/{index}', self.contents)

    def test_killed_with_two_requests_under_way(self):
        """At the beginning, in the middle, and where one ends and the next begins; the daemon when it
        writes what the first has done while the worker is at the second."""
        moments = [('worker', RENAMES, turn) for turn in (1, 300, 500, 501, 900, 1000)]
        moments += [('worker', ('fsync',), turn) for turn in (1, 2, 3)]
        moments += [('daemon', ('fdatasync', 'fsync'), turn) for turn in range(1, 6)]
        moments += [('daemon', ('pwrite64',), turn) for turn in (10, 30, 60, 90)]
        hits = 0
        for number, (victim, calls, turn) in enumerate(moments):
            with self.subTest(f'{victim} killed at {calls[0]} number {turn}'):
                job, directory = self.prepare(number)
                pid = self.world.daemon_pid if victim == 'daemon' else self.world.worker()
                start = process_start(pid)
                tracer = Tracer(self.world, pid, calls, f'signal=KILL:when={turn}')
                pending = job.send_complete()
                wait_for(lambda: pending.done or process_start(pid) != start, 'an end')
                if victim == 'daemon' and pending.error and process_start(pid) == start:
                    wait_for(lambda: process_start(pid) != start, 'the daemon to end')
                tracer.detach()
                hit = process_start(pid) != start
                if victim == 'daemon' and hit:
                    self.world.daemon.wait(DEADLINE)
                    self.world.start()
                elif victim == 'worker':
                    self.assertEqual(pending.result()[0], 'completed')
                hits += hit
                self.look_for_end(job)
                self.check(job, directory)
        print(f'# {hits} of {len(moments)} hit', flush=True)
        self.assertGreater(hits, len(moments) // 2)

    def look_for_end(self, job):
        """Where nothing had begun it begins now."""
        def look():
            try:
                return job.tombstone() is not None or job.get('Operation') == ''
            except DBusError as error:
                if error.short != 'NotFound':
                    raise
                return None
        wait_for(look, 'the job to go on by itself')
        if job.tombstone() is None:
            job.complete()

    def test_both_killed(self):
        """With two requests under way of which nothing is recorded. Calls are counted for each thread,
        and each request may have another."""
        def in_place():
            return len(os.listdir(directory)) - len(temporaries(directory))

        def has_stopped():
            before = in_place()
            return pending.done or (before >= turn and stays(lambda: in_place() == before, 0.3))
        for number, turn in enumerate((1, 499, 500, 700, 900)):
            with self.subTest(turn):
                job, directory = self.prepare(number)
                tracer = Tracer(self.world, self.world.worker(), RENAMES, f'signal=STOP:when={turn}')
                pending = job.send_complete()
                wait_for(has_stopped, f'rename number {turn}')
                self.world.kill_daemon()
                tracer.detach()
                self.world.start()
                self.check(job, directory)

    def test_worker_ends_with_nothing_under_way(self):
        """It has answered all that it was asked for when it is killed, which the daemon hears before it
        asks for more."""
        job, directory = self.prepare(1)
        tracer = Tracer(self.world, self.world.worker(), RENAMES, 'delay_enter=2000000:when=1')
        pending = job.send_complete()
        wait_for(lambda: job.get('Operation') == 'completing', 'the intent')
        self.assertTrue(stays(lambda: not pending.done, 0.5))
        kill(self.world.daemon_pid, signal.SIGSTOP)
        try:
            wait_for(lambda: len(temporaries(directory)) == self.count - 1500, 'two requests to be done')
            self.assertTrue(stays(lambda: len(temporaries(directory)) == self.count - 1500, 0.5))
            self.world.kill_worker()
        finally:
            kill(self.world.daemon_pid, signal.SIGCONT)
        tracer.detach()
        self.assertEqual(pending.result()[0], 'completed')
        self.check(job, directory)


class LostReply(Matrix):
    """A person at a terminal hears how the job ended, even when the service dies before it says so."""

    def one_command(self, verb, call, turn):
        """TRUE when the daemon was killed."""
        job, _directory = self.prepare(['a'], False)
        pid = self.world.daemon_pid
        start = process_start(pid)
        tracer = Tracer(self.world, pid, call, f'signal=KILL:when={turn}')
        process = self.world.spawn([program('transferctl'), verb, job.id], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT,
                                   env=self.world.environment() | {'TRANSFERD_BUS': 'session'})
        wait_for(lambda: process.poll() is not None or process_start(pid) != start, 'an end')
        tracer.detach()
        hit = process_start(pid) != start
        process.wait(DEADLINE)
        self.assertEqual(process.returncode, 0, process.stdout.read())
        # a reply may overtake the end of the process that sent it
        if hit:
            wait_for(lambda: process_start(pid) != start, 'the daemon to end')
            self.end_successor()
        result = {'complete': 'completed', 'cancel': 'cancelled'}[verb]
        self.assertEqual(wait_for(job.tombstone, 'the tombstone')['result'], result)
        return hit

    def has_owner(self):
        return self.world.ask_bus('NameHasOwner', GLib.Variant('(s)', (NAME,)))[0]

    def end_successor(self):
        """Whom the bus has started for the command, if it had more to ask, is nobody's child."""
        self.world.daemon.wait(DEADLINE)
        if self.has_owner():
            kill(self.world.ask_bus('GetConnectionUnixProcessID', GLib.Variant('(s)', (NAME,)))[0])
            wait_for(lambda: not self.has_owner(), 'the name to be free')
        self.world.start()

    def test_transferctl(self):
        self.world.make_startable()
        for verb in 'complete', 'cancel':
            hits = 0
            for call in 'sendmsg', 'sendto', 'fdatasync':
                for turn in range(1, MOST):
                    with self.subTest(f'{verb}: killed at {call} number {turn}'):
                        if not self.one_command(verb, call, turn):
                            break
                        hits += 1
            self.assertGreater(hits, 3)


class Errors(WorldCase):
    """System calls that fail instead of killing: the call says so, and can be repeated."""

    def fail_at(self, call, error, turn='1'):
        file, row, path = self.file(f'{call}-{turn[0]}')
        job = self.client.create([row], start=True)
        job.wait('transferred')
        tracer = Tracer(self.world, self.world.worker(), call, f'error={error}:when={turn}')
        try:
            self.assert_error('CommitFailed', job.complete)
        finally:
            tracer.detach()
        self.assertEqual((job.state, job.get('Operation')), ('transferred', ''))
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(path, file)
        self.assert_no_temporaries()

    def test_rename_fails(self):
        self.fail_at('renameat2', 'EIO')

    def test_file_or_directory_cannot_be_synced(self):
        """What was renamed and may not survive a power cut is not called completed."""
        self.fail_at('fsync', 'EIO', '1+')

    def test_commit_fails(self):
        """The database cannot be written: the call says StorageFailed and changed nothing."""
        job = self.client.create(name='before')
        tracer = Tracer(self.world, self.world.daemon_pid, 'pwrite64', 'error=EIO:when=1+')
        try:
            self.assert_error('StorageFailed', job.set, DisplayName='after')
            self.assert_error('StorageFailed', self.client.create)
            self.assertEqual(job.get('DisplayName'), 'before')
        finally:
            tracer.detach()
        self.assertEqual([path for path, _ in self.client.list_jobs()], [job.path])
        job.set(DisplayName='after')
        self.world.restart()
        self.assertEqual(job.get('DisplayName'), 'after')

    def test_data_cannot_be_synced(self):
        """A file whose data did not reach the disk is not called transferred."""
        file, row, _ = self.file('a', 40 * KIB, script=[Answer(stall=KIB)])
        job = self.client.create([row], start=True)
        wait_for(file.stalled.is_set, 'the answer')
        tracer = Tracer(self.world, self.world.worker(), 'fdatasync,syncfs,fsync', 'error=EIO:when=1+')
        file.released.set()
        try:
            self.assertIn(job.wait('transient-error', 'error', 'transferred'),
                          ('transient-error', 'error'))
        finally:
            tracer.detach()
        job.resume()
        job.wait('transferred')
        job.complete()


if __name__ == '__main__':
    tap.main()
