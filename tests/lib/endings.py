# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Jobs in every state from which Complete or Cancel may end them, and directories that resist."""
import contextlib
import fcntl
import os
import sys

from bus import wait_for
from httpd import Answer, Forever
from world import WorldCase

IMMUTABLE = 0x10
GET_FLAGS, SET_FLAGS = 0x80086601, 0x40086602
STATES = ('suspended-empty', 'suspended', 'queued', 'connecting', 'transferring', 'transient-error',
          'error', 'transferred')


class CompleteCase(WorldCase):
    def transferred(self, *names, **options):
        """A job that is transferred, with a file for each name."""
        rows = [self.file(name)[1] for name in names]
        job = self.client.create(rows, start=True, **options)
        job.wait('transferred')
        return job

    def assert_in_place(self, *names):
        for name in names:
            self.assert_file(self.world.target(name), self.server.resources['/' + name])

    def block(self, name):
        """Puts a directory where the file shall go, which no rename replaces."""
        os.mkdir(self.world.target(name))

    def begin(self, state):
        """A job in `state` with the finished file "done" (where the state allows one) and the
        unfinished file "open"."""
        if state == 'suspended-empty':
            return self.client.create()
        if state in ('suspended', 'queued', 'connecting', 'transferring', 'transient-error', 'error'):
            return self.begin_unfinished(state)
        return self.transferred('done', 'open')

    def begin_unfinished(self, state):
        script = {'connecting': [Answer(hang=1)], 'transferring': [Answer(stall=1000)],
                  'transient-error': Forever(Answer(status=503)),
                  'error': Forever(Answer(status=404))}.get(state, [])
        done, first, _ = self.file('done')
        unfinished, second, _ = self.file('open')
        job = self.client.create([first], start=True)
        job.wait('transferred')
        unfinished.script = script
        if state == 'queued':
            self.occupy()
        job.add(*second)
        if state == 'suspended':
            unfinished.script = [Answer(stall=1000)]
            job.resume()
            self.wait_for_temporary(job)
            job.suspend()
        else:
            job.resume()
        job.wait(state)
        if state == 'connecting':
            wait_for(unfinished.stalled.is_set, 'the request')
        if state == 'transferring':
            self.wait_for_temporary(job)
        return job

    def wait_for_temporary(self, job):
        """That of the unfinished file is there a moment after the server has answered."""
        part = self.world.target(f'.transferd-{job.id}-1.part')
        wait_for(lambda: os.path.exists(part), 'the temporary of the unfinished file')

    def occupy(self):
        """Takes the one place that the configuration leaves to background jobs."""
        blocker, row, _ = self.file('blocker', script=[Answer(stall=1000)])
        self.client.create([(row[0], os.path.join(self.world.directory, 'blocker'))], start=True,
                           Priority='high')
        wait_for(blocker.stalled.is_set, 'the other job to run')


@contextlib.contextmanager
def read_only(directory):
    """Nobody can make, delete or rename files in the directory, not even root."""
    set_read_only(directory, True)
    try:
        yield
    finally:
        set_read_only(directory, False)


def set_read_only(directory, on):
    if os.getuid():
        os.chmod(directory, 0o555 if on else 0o755)
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        flags = int.from_bytes(fcntl.ioctl(descriptor, GET_FLAGS, bytes(8)), sys.byteorder)
        flags = flags | IMMUTABLE if on else flags & ~IMMUTABLE
        fcntl.ioctl(descriptor, SET_FLAGS, flags.to_bytes(8, sys.byteorder))
    finally:
        os.close(descriptor)
