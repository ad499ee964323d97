#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Uploads by tus 1.0, to the reference server of those who made the protocol."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import wait_for  # noqa: E402
from httpd import MIB  # noqa: E402
from relay import Relay  # noqa: E402
from tus_server import TusServer  # noqa: E402
from uploads import UploadCase  # noqa: E402
from world import BUILD  # noqa: E402

SIZE = 24 * MIB + 3


class TusCase(UploadCase):
    protocol = 'tus'
    options = {}

    def setUp(self):
        super().setUp()
        self.tus = TusServer(BUILD, **self.options)
        self.addCleanup(self.tus.stop)
        self.relay = Relay(self.tus.port)
        self.addCleanup(self.relay.stop)

    def upload(self, size=SIZE, name='source.bin', **options):
        """(job, content) of an upload by way of the relay."""
        path, content = self.source(size, name)
        return self.send(self.relay.url('/files'), path, **options), content

    def assert_there(self, content, name='source.bin'):
        self.assertEqual(self.tus.uploads(), [(content.size, content.sha256, name)])


class Tus(TusCase):
    def test_whole(self):
        job, content = self.upload(name='Übung.bin')
        self.assertEqual(self.finish(job)[0], 'completed')
        self.assert_there(content, 'Übung.bin')
        self.assert_clean()

    def test_sizes(self):
        for size in 0, 1, 16 * MIB:
            path, content = self.source(size, f'{size}')
            self.finish(self.send(self.tus.url(), path))
            self.assertIn((size, content.sha256, f'{size}'), self.tus.uploads())

    def test_auto(self):
        job, content = self.upload(UploadProtocol='auto')
        job.wait('transferred')
        self.assertEqual(self.event(job, 'protocol')['protocol'], 'tus')
        self.assert_there(content)

    def test_connection_breaks_off(self):
        self.relay.script = [('cut', 5 * MIB), ('cut', MIB), ('cut', 7 * MIB)]
        job, content = self.upload()
        self.finish(job)
        self.assert_there(content)
        self.assertLess(self.relay.total, SIZE + 10 * MIB)

    def stand_still(self):
        self.relay.script = [('stall', 20 * MIB)]
        job, content = self.upload()
        wait_for(self.relay.stalled.is_set, 'the relay to stand still')
        return job, content

    def test_worker_is_killed(self):
        job, content = self.stand_still()
        self.world.kill_worker()
        self.relay.release()
        self.finish(job)
        self.assert_there(content)

    def test_daemon_is_killed(self):
        job, content = self.stand_still()
        self.world.restart()
        self.relay.release()
        self.finish(job)
        self.assert_there(content)

    def test_server_is_killed(self):
        job, content = self.stand_still()
        self.tus.kill()
        self.relay.release()
        job.wait('transient-error')
        self.tus.start()
        self.finish(job)
        self.assert_there(content)

    def test_everybody_is_killed(self):
        """64 MiB, with worker, daemon and server killed on the way."""
        self.relay.script = [('stall', 9 * MIB), ('stall', 20 * MIB), ('stall', 15 * MIB)]
        job, content = self.upload(64 * MIB)
        for interrupt in self.world.kill_worker, self.world.restart, self.tus.kill:
            wait_for(self.relay.stalled.is_set, 'the relay to stand still')
            interrupt()
            self.relay.release()
        job.wait('transient-error')
        self.tus.start()
        self.finish(job)
        self.assert_there(content)

    def test_suspend(self):
        job, content = self.stand_still()
        job.suspend()
        self.suspended(job, 16 * MIB)
        self.relay.release()
        job.resume()
        self.finish(job)
        self.assert_there(content)

    def test_upload_is_lost(self):
        job, content = self.stand_still()
        job.suspend()
        job.wait('suspended')
        self.relay.release()
        wait_for(lambda: self.tus.uploads(), 'the upload')
        self.tus.kill()
        self.tus.forget()
        self.tus.start()
        job.resume()
        job.wait('transferred', hurry=True)
        self.assertIsNotNone(self.event(job, 'session-lost'))
        self.assert_there(content)

    def test_cancel(self):
        job, _ = self.stand_still()
        self.assertEqual(len(self.tus.names()), 1)
        job.cancel()
        self.relay.release()
        wait_for(lambda: self.tus.names() == [], 'the upload to end')

    def test_cancel_with_the_server_away(self):
        job, _ = self.stand_still()
        self.tus.kill()
        job.cancel()
        self.relay.release()
        self.assertEqual(job.tombstone()['result'], 'cancelled')
        self.tus.start()
        self.world.restart()
        wait_for(lambda: self.tus.names() == [], 'the upload to end')

    def test_cancel_after_the_end(self):
        job, content = self.upload()
        job.wait('transferred')
        job.cancel()
        self.assert_there(content)


class Relative(TusCase):
    options = {'relative': 1}

    def test_relative_location(self):
        job, content = self.upload()
        self.finish(job)
        self.assert_there(content)


class Limited(TusCase):
    options = {'maximum': MIB}

    def test_too_large(self):
        job, _ = self.upload(MIB + 1)
        self.fails(job, 'TooLarge', 'remote-file')
        self.assertEqual(self.tus.names(), [])

    def test_just_small_enough(self):
        job, content = self.upload(MIB)
        self.finish(job)
        self.assert_there(content)


if __name__ == '__main__':
    tap.main()
