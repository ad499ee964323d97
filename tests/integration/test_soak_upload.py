#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The big figures of what is sent: 5 GiB, most of it nowhere on the disk, into servers that only
count and digest. Not part of the default run:

    meson test --suite soak
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bits_server import BitsServer  # noqa: E402
from bus import DBusError, wait_for  # noqa: E402
from httpd import GIB, MIB, Content  # noqa: E402
from plain_server import PlainServer  # noqa: E402
from processes import kill, process_start, status_field  # noqa: E402
from resumable_server import ResumableServer  # noqa: E402
from tus_server import TusServer  # noqa: E402
from world import WorldCase, digest, seed  # noqa: E402

SIZE = 5 * GIB + 17


class SoakUpload(WorldCase):
    timeout = 1800

    def source(self):
        path = self.world.path('source')
        with open(path, 'wb') as file:
            for first in range(0, SIZE, GIB):
                file.seek(first)
                file.write(Content(MIB, first).bytes())
            file.truncate(SIZE)
        return path, digest(path)

    def start(self, server, path, protocol):
        self.addCleanup(server.end)
        return self.client.create([(server.url('/a'), path)], job_type='upload', start=True,
                                  UploadProtocol=protocol)

    def finish(self, job):
        job.wait('transferred', deadline=1200, hurry=True)
        self.assertEqual(job.get('BytesTransferred'), SIZE)
        # The pieces under way, never the file.
        self.assertLess(int(status_field(self.world.worker(), 'VmHWM')[0]), 100 * 1024)
        self.assertEqual(job.complete()[0], 'completed')

    def test_put(self):
        """What was sent before a kill is sent again: they come early."""
        path, sha256 = self.source()
        server = PlainServer(sink=True)
        self.kill_on_the_way(server, self.start(server, path, 'put'), GIB)
        self.assertEqual(server.files['/a'].sha256, sha256)

    def test_post(self):
        """It is sent once, and if it was cut off, not again: nobody is killed."""
        path, sha256 = self.source()
        server = PlainServer(sink=True)
        self.finish(self.start(server, path, 'post'))
        self.assertEqual([post.sha256 for post in server.posts], [sha256])

    def reached(self, job, moment):
        try:
            if job.state == 'transient-error':
                job.hurry()
            return job.get('BytesTransferred') >= moment or job.state == 'transferred'
        except DBusError as error:
            if error.name.startswith('org.transferd'):
                raise
            return False

    def kill_on_the_way(self, server, job, most=SIZE):
        """Each of the three twice, somewhere in the first @most bytes."""
        choice = seed()
        victims = ['daemon', 'worker', 'server'] * 2
        choice.shuffle(victims)
        moments = sorted(choice.randrange(1, most) for _ in victims)
        for moment, victim in zip(moments, victims):
            wait_for(lambda: self.reached(job, moment), f'{moment} bytes', 600)
            if victim == 'daemon':
                self.world.restart()
            elif victim == 'server':
                getattr(server, 'kill', server.stop)()
                server.start()
            else:
                for pid in self.world.workers():
                    start = process_start(pid)
                    kill(pid)
                    wait_for(lambda: process_start(pid) != start, 'the worker to end')
        self.finish(job)

    def test_bits_with_kills(self):
        path, sha256 = self.source()
        server = BitsServer(sink=True)
        self.kill_on_the_way(server, self.start(server, path, 'bits'))
        self.assertEqual(server.files['/a'].sha256, sha256)

    def test_resumable_with_kills(self):
        path, sha256 = self.source()
        server = ResumableServer(sink=True)
        self.kill_on_the_way(server, self.start(server, path, 'resumable'))
        self.assertEqual([one.data.sha256 for one in server.complete], [sha256])

    def test_tus_with_kills(self):
        path, sha256 = self.source()
        server = TusServer(os.environ['TFD_BUILD_ROOT'])
        self.addCleanup(server.stop)
        job = self.client.create([(server.url(), path)], job_type='upload', start=True,
                                 UploadProtocol='tus')
        self.kill_on_the_way(server, job)
        self.assertIn((SIZE, sha256, 'source'), server.uploads())


if __name__ == '__main__':
    tap.main()
