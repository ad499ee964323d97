#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The big figures: 1 GiB with 20 kills, 20,000 files. Not part of the default run:

    meson test --suite soak
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DBusError, wait_for  # noqa: E402
from httpd import GIB, MIB  # noqa: E402
from processes import kill, process_start  # noqa: E402
from world import WorldCase, seed  # noqa: E402


class Soak(WorldCase):
    timeout = 1800

    def reached(self, job, moment):
        """A file that has lost its worker thrice within a minute waits, unless it is hurried."""
        try:
            if job.state == 'transient-error':
                job.hurry()
            return job.get('BytesTransferred') >= moment or job.state == 'transferred'
        except DBusError as error:
            if error.name.startswith('org.transferd'):
                raise
            return False

    def test_one_gigabyte_and_twenty_kills(self):
        choice = seed()
        file, row, path = self.file('big', GIB, rate=48 * MIB)
        job = self.client.create([row], start=True)
        for moment in sorted(choice.randrange(1, GIB) for _ in range(20)):
            wait_for(lambda: self.reached(job, moment), f'{moment} bytes', 600)
            for victim in choice.choice([['daemon'], ['worker'], ['worker', 'daemon']]):
                if victim == 'daemon':
                    self.world.restart()
                else:
                    for pid in self.world.workers():
                        start = process_start(pid)
                        kill(pid)
                        wait_for(lambda: process_start(pid) != start, 'the worker to end')
        job.wait('transferred', deadline=900, hurry=True)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(path, file)
        self.assert_no_temporaries()

    def test_twenty_thousand_files(self):
        rows = [self.file(f'f{number:05}', 1000 + number % 500)[1] for number in range(20000)]
        job = self.client.create(rows, start=True)
        job.wait('transferred', deadline=900)
        result, details = job.complete()
        self.assertEqual((result, len(details['kept'])), ('completed', 20000))
        for number in range(20000):
            name = f'f{number:05}'
            self.assert_file(self.world.target(name), self.server.resources['/' + name])
        self.assert_no_temporaries()

    def test_twenty_thousand_files_and_kills(self):
        choice = seed()
        rows = [self.file(f'f{number:05}', 100)[1] for number in range(20000)]
        job = self.client.create(rows, start=True)
        for moment in sorted(choice.randrange(1, 20000) for _ in range(5)):
            wait_for(lambda: self.files_done(job) >= moment, f'{moment} files', 600)
            self.world.restart()
        job.wait('transferred', deadline=900)
        call = job.send_complete()
        self.world.kill_daemon()
        self.world.start()
        try:
            call.result()
        except DBusError:
            pass
        wait_for(lambda: job.tombstone() or job.get('Operation') == '', 'the job to go on', 300)
        if not job.tombstone():
            job.complete()
        self.assertEqual(job.tombstone()['kept-count'], 20000)
        self.assertEqual(len(os.listdir(self.world.downloads)), 20000)
        self.assert_no_temporaries()

    @staticmethod
    def files_done(job):
        try:
            return job.get('FilesTransferred')
        except DBusError:
            return 0


if __name__ == '__main__':
    tap.main()
