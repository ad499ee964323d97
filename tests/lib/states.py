# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A real job in each of its states, for tests of what happens in each of them."""
import contextlib
import os
import sqlite3

from bus import SECOND, wait_for
from httpd import KIB, Answer, Forever
from world import WorldCase

# "empty" is suspended without files, "new" with files and never resumed.
STATES = ('empty', 'new', 'suspended', 'queued', 'connecting', 'transferring', 'transient-error',
          'error', 'transferred', 'acknowledged', 'cancelled')
FINAL = ('acknowledged', 'cancelled')
RUNNING = ('connecting', 'transferring')

SMALL = 10 * KIB
LARGE = 200 * KIB
HALF = 100 * KIB



def scripts(state):
    """What the server does with the two files. What fails does so when it is released."""
    if state == 'connecting':
        return [Answer(hang=1)], [Answer(hang=1)]
    if state in ('transient-error', 'error'):
        return [], Forever(Answer(hang=1, status=503 if state == 'transient-error' else 404))
    return [], [] if state in ('transferred', 'new', 'empty') else [Answer(stall=HALF)]


def arrived(state):
    """How many of the two files of a job have arrived in this state."""
    if state in ('empty', 'new', 'connecting'):
        return 0
    return 2 if state == 'transferred' else 1


class StateCase(WorldCase):
    """One background job runs at a time, so that another can be made to wait."""

    config = {'BackgroundJobs': '1', 'BackgroundJobsPerUser': '1'}

    def enter(self, state, **options):
        """A job in this state: all of its first and half of its second file have arrived, as far
        as the state allows. Who listens hears of nothing that was before."""
        first, second = scripts(state)
        self.first = self.file('first', SMALL, script=first)
        self.second = self.file('second', LARGE, script=second)
        options.setdefault('MinimumRetryDelay', 900 * SECOND)
        rows = [] if state == 'empty' else [self.first[1], self.second[1]]
        job = self.client.create(rows, name=state, start=state not in ('empty', 'new'), **options)
        self.go_on(job, state)
        self.client.manager('Subscribe', '(a{sv})', {})
        self.client.flush()
        self.client.signals.clear()
        return job

    def go_on(self, job, state):
        if state in ('empty', 'new'):
            return
        if state in ('transient-error', 'error'):
            wait_for(lambda: job.get('FilesTransferred') == 1, 'the first file')
            self.second[0].released.set()
        if state in ('connecting', 'transient-error', 'error', 'transferred'):
            job.wait(state)
            if state == 'connecting':
                wait_for(self.first[0].stalled.is_set, 'the request')
            return
        wait_for(lambda: job.get('BytesTransferred') == SMALL + HALF
                 and job.get('FilesTransferred') == 1, 'all that arrives')
        if state == 'transferring':
            return
        job.suspend()
        self.assertEqual(job.state, 'suspended')
        wait_for(lambda: 'transferring' not in job.file_states(), 'the worker to stop')
        if state == 'queued':
            self.block()
            job.resume()
            self.assertEqual(job.state, 'queued')
        elif state == 'acknowledged':
            job.complete()
        elif state == 'cancelled':
            job.cancel()

    def block(self):
        """Another job takes the only place, for as long as its server does not answer."""
        _, row, _ = self.file('blocker', SMALL, script=Forever(Answer(hang=1)))
        self.client.create([row], name='blocker', start=True, Priority='high').wait('connecting')

    def stored(self, job, column):
        """What the database says of the job, once the daemon has ended."""
        name, = [name for name in os.listdir(self.world.state_dir) if name.endswith('.db')]
        path = os.path.join(self.world.state_dir, name)
        with contextlib.closing(sqlite3.connect(path)) as database:
            found, = database.execute(f'SELECT {column} FROM jobs WHERE id = ?', (job.id,)).fetchone()
        return found
