#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The daemon is killed, or the machine with it, while a job is in each of its states: nothing of the
job is lost, and none of it is told twice.

A machine that boots is one whose kernel has another name for its boot, which only root can say."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import SECOND  # noqa: E402
from states import FINAL, HALF, RUNNING, STATES, StateCase  # noqa: E402
from world import BOOT_ID, temporaries  # noqa: E402


# What changes by itself while a job runs or waits.
RESTLESS = ('ModificationTime', 'BytesPerSecond', 'StatusText', 'NextRetryTime')
KEPT_WHILE_RUNNING = ('Error', 'ErrorCount', 'FilesTotal', 'CreationTime', 'DisplayName',
                      'Description', 'Priority', 'MinimumRetryDelay', 'MaximumDownloadTime',
                      'OwnerUID', 'OwnerName')


class RestartCase(StateCase):
    def check(self, state):
        job = self.enter(state, Description='kept')
        if state in FINAL:
            self.check_ended(job)
            return
        before, events, files = job.get_all(), job.events(), job.files()
        self.restart()
        self.client.flush()
        after = job.get_all()
        keys = KEPT_WHILE_RUNNING if state in RUNNING else set(before) - set(RESTLESS)
        self.assertEqual({key: after[key] for key in keys}, {key: before[key] for key in keys})
        self.assertEqual(job.events()[:len(events)], events)
        for name in 'JobError', 'JobTransferred', 'JobRemoved', 'JobAdded':
            if name == 'JobTransferred' and state in RUNNING:
                continue  # it goes on at once
            told = [one for one in self.client.named(name) if one.args[0] == job.path]
            self.assertEqual(told, [], name)
        if state not in RUNNING:
            self.assertEqual(job.files(), files)
            self.assertEqual(job.events(), events)
        self.check_timers(job, state, before, after)
        self.check_goes_on(job, state)

    def check_timers(self, job, state, before, after):
        if state == 'transient-error':
            self.assertAlmostEqual(after['NextRetryTime'], before['NextRetryTime'],
                                   delta=self.forgotten * SECOND)
            self.assertGreater(after['NextRetryTime'], before['NextRetryTime'] - SECOND)
        if state in RUNNING:
            self.assertIn(job.state, ('queued', *RUNNING, 'transferred'))

    def check_goes_on(self, job, state):
        """What can go on does, from where it was; all that arrives is right."""
        requests = len(self.server.requests('/first'))
        if state == 'empty':
            self.assert_error('Empty', job.resume)
            return
        if state == 'queued':
            self.server.resources['/blocker'].released.set()
        for resource in self.first[0], self.second[0]:
            resource.script = []
        if state in ('new', 'suspended', 'suspended at once', 'transient-error', 'error'):
            job.resume()
        job.wait('transferred')
        if state not in ('new', 'connecting'):  # what has arrived is not fetched once more
            self.assertEqual(len(self.server.requests('/first')), requests)
        if state in ('suspended', 'queued'):
            self.assertEqual(self.server.ranges('/second')[-1], f'bytes={HALF}-')
        self.assertEqual(job.complete()[0], 'completed')
        for resource, _, path in self.first, self.second:
            self.assert_file(path, resource)
        left = [name for name in temporaries(self.world.downloads) if job.id in name]
        self.assertEqual(left, [])

    def check_at_once(self):
        """Before the worker has told what it has."""
        job = self.enter('transferring')
        job.suspend()
        self.restart()
        self.assertEqual(job.state, 'suspended')
        self.check_goes_on(job, 'suspended at once')

    def check_ended(self, job):
        before = self.client.history(ids=[job.id], files=True)
        self.restart()
        self.assert_error('NotFound', job.get_all)
        self.assertEqual(self.client.history(ids=[job.id], files=True), before)
        self.assertEqual(self.client.list_jobs(), [])


class Daemon(RestartCase):
    forgotten = 2  # seconds that a deadline may move

    def restart(self):
        self.world.restart()


class Machine(RestartCase):
    forgotten = 60  # what went by until the end of the boot may be waited for once more

    def restart(self):
        """The kernel gives this boot another name; what is in memory is gone."""
        self.world.kill_daemon()
        self.world.next_boot()
        self.world.start()
        self.assertNotEqual(self.boot_of(self.world.daemon_pid), self.boot_of('self'))

    @staticmethod
    def boot_of(pid):
        """What a process takes for the name of the boot."""
        with open(f'/proc/{pid}/root{BOOT_ID}', encoding='ascii') as file:
            return file.read()


def add_tests():
    for state in STATES:
        for case in Daemon, Machine:
            setattr(case, f'test_{state}', lambda self, state=state: self.check(state))
            case.test_suspended_at_once = case.check_at_once
    del globals()['RestartCase']


add_tests()

if __name__ == '__main__':
    tap.main()
