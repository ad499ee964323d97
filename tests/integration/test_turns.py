#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Jobs that take turns: what a slice costs, who is left alone, and who does not wait."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import wait_for  # noqa: E402
from httpd import MIB  # noqa: E402
from world import WorldCase  # noqa: E402

SIZE = 4 * MIB
RATE = MIB  # of each: longer than a slice


class Turns(WorldCase):
    config = {'BackgroundJobs': 1, 'BackgroundJobsPerUser': 1, 'TimeSlice': '1s'}

    def job(self, name, size=SIZE, rate=RATE, answer=None, **options):
        resource, row, path = self.file(name, size, rate=rate)
        for key, value in (answer or {}).items():
            setattr(resource, key, value)
        job = self.client.create([row], start=True, **options)
        job.resource, job.target, job.name = resource, path, '/' + name
        return job

    def finish(self, *jobs):
        for job in jobs:
            job.wait('transferred')
            job.complete()
            self.assert_file(job.target, job.resource)

    def test_pre_empted_keep_what_they_have(self):
        jobs = [self.job('a'), self.job('b')]
        wait_for(lambda: any(ranges for ranges in self.server.ranges('/a')), 'a second turn')
        self.finish(*jobs)
        for job in jobs:
            first, *rest = self.server.ranges(job.name)
            self.assertIsNone(first)
            # a turn may have been too short for the first byte
            starts = [int(value[len('bytes='):-1]) if value else 0 for value in rest]
            self.assertEqual(starts, sorted(starts))
            self.assertGreater(starts[-1], 0)
            self.assertEqual(job.get('ErrorCount'), 0)

    def test_neither_waits_for_the_other(self):
        """A large job does not keep a small one waiting."""
        large = self.job('large', 256 * MIB)
        wait_for(lambda: large.get('BytesTransferred') > 0, 'the large one to run')
        small = self.job('small', MIB, 0)
        self.finish(small)
        self.assertIn(large.state, ('queued', 'connecting', 'transferring'))

    def test_unknown_length(self):
        """What cannot go on where it stopped is fetched in one go, whoever waits."""
        job = self.job('a', answer={'length': 'chunked'})
        wait_for(lambda: job.get('BytesTransferred') > 0, 'the first bytes')
        other = self.job('b', MIB, 0)
        self.finish(job, other)
        self.assertEqual(self.server.ranges('/a'), [None])

    def test_server_that_says_no_ranges(self):
        job = self.job('a', answer={'ranges': False, 'headers': {'Accept-Ranges': 'none'}})
        wait_for(lambda: job.get('BytesTransferred') > 0, 'the first bytes')
        other = self.job('b', MIB, 0)
        self.finish(job, other)
        self.assertEqual(self.server.ranges('/a'), [None])

    def test_server_that_ignores_ranges(self):
        """Nobody knows it before it was tried once."""
        job = self.job('a', answer={'ranges': False})
        wait_for(lambda: job.get('BytesTransferred') > 0, 'the first bytes')
        other = self.job('b', 64 * MIB)
        job.wait('transferred')
        self.assertLessEqual(len(self.server.ranges('/a')), 2)
        other.cancel()
        self.finish(job)

    def test_foreground_does_not_wait(self):
        background = self.job('a', 256 * MIB)
        wait_for(lambda: background.get('BytesTransferred') > 0, 'the first bytes')
        self.finish(*[self.job(f'f{i}', MIB, 0, Priority='foreground') for i in range(3)])
        self.assertEqual(background.state, 'transferring')
        self.assertEqual(self.server.ranges('/a'), [None])

    def test_priority_acts_at_once(self):
        running = self.job('a', 256 * MIB)
        wait_for(lambda: running.get('BytesTransferred') > 0, 'the first bytes')
        waiting = self.job('b', 256 * MIB, Priority='low')
        self.assertEqual(waiting.state, 'queued')
        waiting.set(Priority='high')
        waiting.wait('transferring')
        wait_for(lambda: running.state == 'queued', 'the other to make room')
        self.assertGreater(running.get('BytesTransferred'), 0)
        running.set(Priority='foreground')
        running.wait('transferring')


if __name__ == '__main__':
    tap.main()
