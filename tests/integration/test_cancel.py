#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Cancel: in every state it leaves the directory as it was."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import GLib  # noqa: E402
from endings import STATES, CompleteCase, read_only  # noqa: E402
from world import snapshot  # noqa: E402


class Cancel(CompleteCase):
    config = {'BackgroundJobs': 1, 'BackgroundJobsPerUser': 1}

    def setUp(self):
        super().setUp()
        with open(self.world.target('mine'), 'w', encoding='utf-8') as file:
            file.write('mine')
        self.before = snapshot(self.world.downloads)

    def check(self, state):
        job = self.begin(state)
        self.assertEqual(job.cancel(), ('cancelled', {'undeleted': []}))
        self.assertEqual(snapshot(self.world.downloads), self.before)
        self.assertEqual(job.state, 'cancelled')
        self.assertEqual(job.tombstone()['result'], 'cancelled')
        self.client.flush()
        self.assertEqual(self.client.named('JobRemoved')[-1].args, (job.path, 'cancelled'))
        self.assert_error('InvalidState', job.cancel)

    def test_worker_is_dead(self):
        job = self.transferred('a', 'b')
        self.world.kill_worker()
        self.assertEqual(job.cancel()[0], 'cancelled')
        self.assertEqual(snapshot(self.world.downloads), self.before)

    def test_what_would_have_been_replaced_stays(self):
        job = self.transferred('mine')
        job.cancel()
        self.assertEqual(snapshot(self.world.downloads), self.before)

    def test_foreign_file_under_the_name_of_a_temporary(self):
        job = self.transferred('a')
        part = self.world.target(f'.transferd-{job.id}-0.part')
        os.unlink(part)
        with open(part, 'w', encoding='utf-8') as file:
            file.write('not yours')
        self.assertEqual(job.cancel()[0], 'cancelled')
        with open(part, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'not yours')

    def test_many_at_once(self):
        jobs = [self.transferred(f'f{number}') for number in range(10)]
        calls = [job.send_cancel() for job in jobs]
        self.assertEqual({call.result()[0] for call in calls}, {'cancelled'})
        self.assertEqual(snapshot(self.world.downloads), self.before)

    def test_no_options(self):
        job = self.client.create()
        self.assert_error('InvalidArgs', job.call, 'Cancel', '(a{sv})',
                          {'overwrite': GLib.Variant('s', 'fail')})
        self.assertEqual(job.state, 'suspended')


for one_state in STATES:
    setattr(Cancel, f'test_in_{one_state}'.replace('-', '_'),
            lambda self, state=one_state: self.check(state))


class ReadOnly(CompleteCase):
    """The directory becomes read-only between the transfer and its end."""

    def test_complete(self):
        job = self.transferred('a')
        with read_only(self.world.downloads):
            self.assert_error('CommitFailed', job.complete)
            self.assertEqual(job.state, 'transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_in_place('a')

    def test_cancel(self):
        job = self.transferred('a', 'b')
        parts = [self.world.target(f'.transferd-{job.id}-{number}.part') for number in range(2)]
        with read_only(self.world.downloads):
            self.assertEqual(job.cancel(), ('cancelled', {'undeleted': parts}))
            self.assertEqual(job.tombstone()['undeleted'], parts)
        self.assertEqual([os.path.exists(part) for part in parts], [True, True])


if __name__ == '__main__':
    tap.main()
