#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Jobs survive: the daemon, the worker, or both are killed, and nothing is lost."""
import contextlib
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DEADLINE, SECOND, DBusError, wait_for  # noqa: E402
from httpd import KIB, MIB, Answer, Forever  # noqa: E402
from processes import kill, process_start  # noqa: E402
from world import WorldCase, seed, temporaries  # noqa: E402


class Persistence(WorldCase):
    timeout = 900

    def survive(self, size, kills, victims, rate=0):
        """Kills `victims` at random moments of one download; it ends byte for byte right."""
        choice = seed()
        file, row, path = self.file('a', size, rate=rate)
        # a file during which many workers were lost has to wait
        job = self.client.create([row], start=True, MinimumRetryDelay=5 * SECOND)
        moments = sorted(choice.randrange(1, size) for _ in range(kills))
        for moment in moments:
            wait_for(lambda: self.reached(job, moment), f'{moment} bytes', 300)
            for victim in choice.choice(victims):
                self.slay(victim)
        job.wait('transferred', deadline=300)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(path, file)
        self.assert_no_temporaries()
        return file

    @staticmethod
    def reached(job, moment):
        try:
            return job.get('BytesTransferred') >= moment or job.state == 'transferred'
        except DBusError as error:
            if error.name.startswith('org.transferd'):
                raise
            return False

    def slay(self, victim):
        if victim == 'daemon':
            self.world.restart()
        else:
            for pid in self.world.workers():
                start = process_start(pid)
                kill(pid)
                wait_for(lambda: process_start(pid) != start, 'the worker to end')

    def test_daemon_killed(self):
        self.survive(64 * MIB, 5, [['daemon']], rate=24 * MIB)

    def test_worker_killed(self):
        self.survive(64 * MIB, 5, [['worker']], rate=24 * MIB)

    def test_both_killed(self):
        self.survive(64 * MIB, 5, [['worker', 'daemon'], ['daemon'], ['worker']], rate=24 * MIB)

    def test_bytes_are_not_fetched_again(self):
        file, row, path = self.file('a', 16 * MIB, script=[Answer(stall=8 * MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == 8 * MIB, 'the first half')
        self.world.restart()
        job.wait('transferred')
        self.assertEqual(self.server.ranges('/a'), [None, f'bytes={8 * MIB}-'])
        job.complete()
        self.assert_file(path, file)

    def test_worker_killed_is_no_error(self):
        file, row, path = self.file('a', 16 * MIB, script=[Answer(stall=8 * MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == 8 * MIB, 'the first half')
        self.world.kill_worker()
        job.wait('transferred')
        self.assertEqual((job.get('ErrorCount'), job.get('Error')), (0, {}))
        self.client.flush()
        self.assertEqual(self.client.named('JobError'), [])
        self.assertEqual(len(self.server.requests('/a')), 2)
        job.complete()
        self.assert_file(path, file)

    def test_every_state_survives(self):
        jobs = {}
        for state, script in {'suspended': [], 'error': Forever(Answer(status=404)), 'transferred': [],
                              'transient-error': Forever(Answer(status=503)),
                              'transferring': [Answer(stall=MIB)]}.items():
            _, row, _ = self.file(state, 2 * MIB, script=script)
            jobs[state] = self.client.create([row], start=state != 'suspended', name=state,
                                             Priority='foreground', MinimumRetryDelay=900 * SECOND)
            jobs[state].wait(state)
        before = {state: self.essence(job) for state, job in jobs.items()}
        wait_for(lambda: jobs['transferring'].get('BytesTransferred') == MIB, 'the first bytes')
        self.client.flush()
        self.client.signals.clear()
        self.world.restart()
        for state in 'suspended', 'error', 'transferred', 'transient-error':
            self.assertEqual(self.essence(jobs[state]), before[state], state)
        jobs['transferring'].wait('transferred')
        self.client.flush()
        told = {(one.name, one.args[0]) for one in self.client.named('JobError')}
        self.assertEqual(told, set(), 'an error is told again')

    def essence(self, job):
        values = job.get_all()
        keep = ('State', 'Error', 'ErrorCount', 'DisplayName', 'Priority', 'BytesTotal',
                'FilesTotal', 'CreationTime', 'TransferCompletionTime', 'OwnerUID', 'MinimumRetryDelay')
        return {key: values[key] for key in keep}, job.files()

    def test_retry_time_survives(self):
        file, row, _ = self.file('a', script=[Answer(status=503)])
        job = self.client.create([row], start=True, MinimumRetryDelay=15 * SECOND)
        job.wait('transient-error')
        due = job.get('NextRetryTime')
        self.world.restart()
        again = job.get('NextRetryTime')
        if again:  # it may have taken so long that the time has come
            self.assertAlmostEqual(again / SECOND, due / SECOND, delta=1)
        job.wait('transferred')
        first, second = self.server.requests('/a')
        self.assertGreater(second.time - first.time, 14.5)

    def test_transferred_after_a_restart(self):
        file, row, path = self.file('a', MIB)
        job = self.client.create([row], start=True)
        job.wait('transferred')
        self.world.restart()
        self.assertEqual(job.state, 'transferred')
        self.assertEqual(len(self.server.requests('/a')), 1)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(path, file)

    def test_orderly_restart(self):
        file, row, path = self.file('a', 16 * MIB, script=[Answer(stall=8 * MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == 8 * MIB, 'the first half')
        self.assertEqual(self.world.stop(), 0)
        self.world.start()
        job.wait('transferred')
        self.assertEqual(self.server.ranges('/a'), [None, f'bytes={8 * MIB}-'])
        job.complete()
        self.assert_file(path, file)

    def test_part_was_shortened_while_nobody_looked(self):
        """A part that is shorter than what was recorded is not filled up with nothing."""
        file, row, path = self.file('a', 16 * MIB, script=[Answer(stall=8 * MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == 8 * MIB, 'the first half')
        self.world.kill_daemon()
        part, = temporaries(self.world.downloads)
        os.truncate(self.world.target(part), 3 * MIB)
        self.world.start()
        job.wait('transferred', hurry=True)
        job.complete()
        self.assert_file(path, file)

    def test_part_was_replaced_while_nobody_looked(self):
        file, row, path = self.file('a', 16 * MIB, script=[Answer(stall=8 * MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == 8 * MIB, 'the first half')
        self.world.kill_daemon()
        part = self.world.target(temporaries(self.world.downloads)[0])
        os.rename(part, part + '.bak')
        with open(part, 'wb') as other:
            other.write(bytes(9 * MIB))
        self.world.start()
        job.wait('transferred', hurry=True)
        job.complete()
        self.assert_file(path, file)
        self.assertEqual(os.path.getsize(part), 9 * MIB)

    def test_part_was_deleted_while_nobody_looked(self):
        file, row, path = self.file('a', 16 * MIB, script=[Answer(stall=8 * MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == 8 * MIB, 'the first half')
        self.world.kill_daemon()
        os.unlink(self.world.target(temporaries(self.world.downloads)[0]))
        self.world.start()
        # Nothing is fetched a second time before the user was told why.
        job.wait('suspended')
        self.assertEqual((job.file_states(), job.error), (['missing'], ('FileMissing', 'local-file')))
        self.assertIn('part-missing', job.events())
        self.assertEqual(len(self.server.requests('/a')), 1)
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def database(self):
        """The database, while no daemon has it open."""
        found = [name for name in os.listdir(self.world.state_dir)
                 if name.endswith(('.db', '.sqlite', '.sqlite3'))]
        self.assertEqual(len(found), 1, os.listdir(self.world.state_dir))
        return os.path.join(self.world.state_dir, found[0])

    def test_corrupt_database_is_set_aside(self):
        _, row, _ = self.file()
        self.client.create([row])
        self.world.stop()
        path = self.database()
        with open(path, 'r+b') as file:
            file.write(b'this is no database' * 1000)
        damaged = os.stat(path).st_ino
        self.world.start()
        self.assertEqual(self.client.list_jobs(), [])
        kept = [os.stat(os.path.join(self.world.state_dir, name)).st_ino
                for name in os.listdir(self.world.state_dir)]
        self.assertIn(damaged, kept)
        self.assertNotEqual(os.stat(path).st_ino, damaged)
        self.client.create([row])

    def test_newer_database_is_refused(self):
        self.client.create(name='kept')
        self.world.stop()
        with contextlib.closing(sqlite3.connect(self.database())) as database:
            version, = database.execute('PRAGMA user_version').fetchone()
            database.execute(f'PRAGMA user_version = {version + 1}')
        refused = self.world.launch()
        self.assertNotEqual(refused.wait(DEADLINE), 0)
        with contextlib.closing(sqlite3.connect(self.database())) as database:
            database.execute(f'PRAGMA user_version = {version}')
        self.world.start()
        self.assertEqual(len(self.client.list_jobs()), 1)

    def rows_left(self):
        """How many rows of jobs and files the database has, whoever may see them. No daemon has it."""
        with contextlib.closing(sqlite3.connect(self.database())) as database:
            return [database.execute(f'SELECT count (*) FROM {table}').fetchone()[0]
                    for table in ('jobs', 'files')]

    def test_killed_while_rows_are_deleted(self):
        """Of a large job that has ended nobody hears again, and the last of its rows goes by itself."""
        rows = [(self.server.url(f'/{number}'), self.world.target(f'{number}')) for number in range(20_000)]
        job = self.client.create(rows, name='large')
        self.client.create(rows[:10], name='small')
        self.assertEqual(job.cancel()[0], 'cancelled')
        found = []
        for calls in 0, 0, 20:
            for _ in range(calls):
                self.client.list_jobs()
            self.world.kill_daemon()
            found.append(self.rows_left())
            self.world.start()
            self.assertEqual(len(self.client.list_jobs()), 1)
            self.assertEqual(job.tombstone()['result'], 'cancelled')
            with self.assertRaises(DBusError):
                job.get('State')
        # it may be over before anybody could be killed
        print(f'# jobs and files that were left: {found}', flush=True)
        self.assertEqual(found, sorted(found, reverse=True))

        def look():
            for _ in range(20):
                self.client.list_jobs()
            self.world.kill_daemon()
            left = self.rows_left()
            self.world.start()
            return left == [1, 10]
        wait_for(look, 'the rows to go')
        self.assertEqual(len(self.client.list_jobs()), 1)

    def test_many_small_kills(self):
        """Whoever is killed while small files arrive, each of them ends up right, once."""
        choice = seed()
        rows = [self.file(f'f{number}', 20 * KIB + number)[1] for number in range(150)]
        job = self.client.create(rows, start=True)
        for goal in 20, 60, 100:
            wait_for(lambda: self.arrived(job) >= goal, f'{goal} files')
            self.slay(choice.choice(['daemon', 'worker']))
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        for number in range(150):
            self.assert_file(self.world.target(f'f{number}'), self.server.resources[f'/f{number}'])
        self.assert_no_temporaries()

    @staticmethod
    def arrived(job):
        try:
            return job.get('FilesTransferred')
        except DBusError:
            return 0


if __name__ == '__main__':
    tap.main()
