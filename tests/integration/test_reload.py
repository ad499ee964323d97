#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""What the configuration says holds at once, also for what runs, and what is wrong in it is named."""
import os
import signal
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DBusError, wait_for  # noqa: E402
from httpd import MIB, Answer, Forever  # noqa: E402
from world import WorldCase  # noqa: E402

CONNECTIONS = 5  # to one server, of the background


class Reload(WorldCase):
    def reload(self, **keys):
        self.world.write_config(keys)
        self.client.manager('Reload')

    def hang_up(self, **keys):
        """The same by a signal; returns when it has been noticed."""
        limit = self.client.manager_property('MaxJobsPerMachine') + 1
        self.world.write_config(keys | {'MaxJobsPerMachine': limit})
        os.kill(self.world.daemon_pid, signal.SIGHUP)
        wait_for(lambda: self.client.manager_property('MaxJobsPerMachine') == limit, 'the reload')

    def slow(self, name, **options):
        _resource, row, _path = self.file(name, 256 * MIB, rate=256 * 1024)
        return self.client.create([row], start=True, **options)

    def running(self, jobs):
        return [job for job in jobs if job.state == 'transferring']

    def test_umask_of_a_running_job(self):
        """The files that it begins from now on have the new one."""
        files = [self.file(f'{number}', 1000, script=[Answer(hang=1)]) for number in range(CONNECTIONS)]
        late = self.file('late', 1000)
        job = self.client.create([row for _, row, _ in files] + [late[1]], start=True)
        wait_for(lambda: len(self.server.requests()) == CONNECTIONS, 'as many files as may begin')
        self.hang_up(UMask='0077')
        for resource, _row, _path in files:
            resource.released.set()
        job.wait('transferred')
        job.complete()
        modes = [stat.S_IMODE(os.stat(path).st_mode) for _, _, path in (*files, late)]
        self.assertEqual(modes, [0o644] * CONNECTIONS + [0o600])

    def test_slots(self):
        jobs = [self.slow(f'{number}') for number in range(3)]
        wait_for(lambda: len(self.running(jobs)) == 2, 'two to run')
        self.reload(BackgroundJobsPerUser=3)
        wait_for(lambda: all(job.get('BytesTransferred') > 0 for job in jobs), 'all to run')
        self.hang_up(BackgroundJobs=1)
        wait_for(lambda: sorted(job.state for job in jobs) == ['queued', 'queued', 'transferring'],
                 'only one to run')
        self.assertTrue(all(job.get('BytesTransferred') > 0 for job in jobs))

    def test_time_slice(self):
        self.reload(BackgroundJobs=1, TimeSlice='1h')
        jobs = [self.slow('a'), self.slow('b')]
        wait_for(lambda: self.running(jobs), 'one to run')
        first = self.running(jobs)[0]
        self.reload(BackgroundJobs=1, TimeSlice='1s')
        wait_for(lambda: self.running(jobs) not in ([], [first]), 'the other to have its turn')

    def test_limits(self):
        job = self.client.create()
        self.reload(MaxJobsPerUser=1, MaxFilesPerJob=1)
        if os.geteuid() != 0:  # whom limits do not bind
            with self.assertRaises(DBusError):
                self.client.create()
        job.add(*self.file('a')[1])
        with self.assertRaises(DBusError) as caught:
            job.add(*self.file('b')[1])
        self.assertEqual(caught.exception.short, 'TooManyFilesInJob')

    def test_default_of_jobs(self):
        job, own = self.client.create(), self.client.create(MaximumDownloadTime=7 * 10**6)
        self.reload(MaximumDownloadTime='2h')
        self.assertEqual(job.get('MaximumDownloadTime'), 7200 * 10**6)
        self.assertEqual(self.client.manager_property('MaximumDownloadTime'), 7200 * 10**6)
        self.assertEqual(own.get('MaximumDownloadTime'), 7 * 10**6)
        own.set(MaximumDownloadTime=0)
        self.assertEqual(own.get_all()['MaximumDownloadTime'], 7200 * 10**6)

    def test_history(self):
        job = self.client.create()
        job.cancel()
        self.assertTrue(job.tombstone())
        self.reload(HistoryTime='0s')
        self.assertFalse(job.tombstone())

    def test_events(self):
        file, row, _ = self.file('a', 1000, script=Forever(Answer(hang=1)))
        job = self.client.create([row])
        for _ in range(20):
            job.resume()
            job.suspend()
        file.script = []
        self.reload(EventsPerJob=3)
        job.resume()
        job.wait('transferred')
        self.assertEqual(len(job.events()), 3)

    def test_bad_values(self):
        """The place is told, the default applies, everything else holds, nobody stops."""
        job = self.slow('a')
        wait_for(lambda: job.state == 'transferring', 'the job to run')
        with open(self.world.config, 'w', encoding='utf-8') as file:
            file.write('[Service]\nMaxFilesPerJob=none\nMaxRangesPerFile=7\nTimeSlice=1 month\n')
        self.client.manager('Reload')
        with open(self.world.log, encoding='utf-8') as log:
            said = log.read()
        self.assertIn(f'‘{self.world.config}’, line 2: MaxFilesPerJob: ‘none’ is not', said)
        self.assertIn(f'‘{self.world.config}’, line 4: TimeSlice: ‘1 month’ is not', said)
        self.assertEqual(self.client.manager_property('MaxFilesPerJob'), 200000)
        self.assertEqual(self.client.manager_property('MaxRangesPerFile'), 7)
        self.assertEqual(job.state, 'transferring')

    def test_file_is_gone(self):
        self.reload(MaxRangesPerFile=9)
        os.unlink(self.world.config)
        with self.assertRaises(DBusError) as caught:
            self.client.manager('Reload')
        self.assertEqual(caught.exception.short, 'InvalidArgs')
        self.assertEqual(self.client.manager_property('MaxRangesPerFile'), 9)


if __name__ == '__main__':
    tap.main()
