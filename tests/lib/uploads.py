# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""What tests of uploads share: sources, jobs that send them, and what must be true of both."""
import os

from bus import DEADLINE, wait_for
from httpd import MIB, Content
from world import WorldCase, temporaries


class UploadCase(WorldCase):
    """A world with a directory for sources. `protocol` is the one that jobs get."""

    protocol = 'auto'
    timeout = 180

    def setUp(self):
        super().setUp()
        self.sources = self.world.path('sources')
        os.mkdir(self.sources)

    def source(self, size=MIB, name='source.bin', seed=None):
        """(path, Content) of a new file."""
        content = Content(size, name if seed is None else seed)
        path = os.path.join(self.sources, name)
        with open(path, 'wb') as file:
            for piece in content.pieces():
                file.write(piece)
        return path, content

    def send(self, url, path, job_type='upload', start=True, **options):
        """A job that sends `path` to `url`."""
        options.setdefault('UploadProtocol', self.protocol)
        return self.client.create([(url, path)], job_type=job_type, start=start, **options)

    @staticmethod
    def log_in(job, user='me', password='secret'):
        job.call('SetCredentials', '(ssssa{sv})', 'server', 'basic', user, password, {})

    def finish(self, job, deadline=DEADLINE):
        """The job gets there, whatever happens on the way, and can be completed."""
        job.wait('transferred', deadline=deadline, hurry=True)
        self.assertEqual(job.get('BytesTransferred'), job.get('BytesTotal'))
        self.assertEqual(job.get('FilesTransferred'), 1)
        return job.complete()

    def interrupted(self, server, interrupt):
        """Calls `interrupt` while the server stands still in the middle of a body."""
        wait_for(server.stalled.is_set, 'the server to stand still')
        interrupt()
        server.release()

    def suspended(self, job, confirmed):
        """The job is suspended, with as much as the server has confirmed: that follows the state."""
        job.wait('suspended')
        wait_for(lambda: job.get('BytesTransferred') == confirmed, f'{confirmed} bytes to count')

    def event(self, job, kind):
        """The first event of this kind, its details; None when there is none."""
        for _, name, details in job.call('GetEvents', '(u)', 0)[0]:
            if name == kind:
                return details
        return None

    def fails(self, job, *error):
        """The job ends in `error`: (name, context)."""
        job.wait('error')
        self.assertEqual(job.error, error)

    def assert_clean(self):
        """Nothing of a job is left beside the sources."""
        self.assertEqual(temporaries(self.sources), [])
