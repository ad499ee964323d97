#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Uploads by "Resumable Uploads for HTTP", to a server that follows the draft, or does not."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import wait_for  # noqa: E402
from httpd import MIB  # noqa: E402
from resumable_server import ResumableServer  # noqa: E402
from upload_server import Fault  # noqa: E402
from uploads import UploadCase  # noqa: E402

SIZE = 24 * MIB + 3
FRAGMENT = 16 * MIB  # the worker's choice


class ResumableCase(UploadCase):
    protocol = 'resumable'

    def setUp(self):
        super().setUp()
        self.peer = ResumableServer()
        self.addCleanup(self.peer.end)

    def upload(self, size=SIZE, name='source.bin', **options):
        """(job, content) of an upload to /files."""
        path, content = self.source(size, name)
        return self.send(self.peer.url('/files'), path, **options), content

    def assert_there(self, content, uploads=1):
        self.assertEqual([one.data.sha256 for one in self.peer.complete], [content.sha256])
        self.assertEqual(self.peer.complete[0].data.size, content.size)
        created = self.peer.kinds().count('POST')
        self.assertEqual(created, uploads)

    def received(self):
        return sum(one.received for one in self.peer.requests())


class Requests(ResumableCase):
    def test_conversation(self):
        job, content = self.upload(name='Übung.bin')
        self.finish(job)
        self.assert_there(content)
        self.assertEqual(self.peer.kinds(), ['POST', 'PATCH', 'PATCH'])
        create, _, patch = self.peer.requests()
        self.assertEqual(create.headers['upload-complete'], '?0')
        self.assertEqual(create.headers['upload-length'], str(SIZE))
        self.assertEqual(create.headers['content-disposition'],
                         "inline; filename=\"__bung.bin\"; filename*=UTF-8''%C3%9Cbung.bin")
        self.assertEqual(patch.headers['upload-complete'], '?1')
        self.assertEqual(patch.headers['content-type'], 'application/partial-upload')
        self.assertEqual({one.headers['upload-draft-interop-version']
                          for one in self.peer.requests()}, {'8'})
        self.assert_clean()

    def test_sizes(self):
        for size in 0, 1, MIB:
            path, content = self.source(size, f'{size}')
            self.finish(self.send(self.peer.url('/files'), path))
            self.assertEqual(self.peer.complete[-1].data.sha256, content.sha256)

    def test_auto(self):
        job, content = self.upload(UploadProtocol='auto')
        job.wait('transferred')
        self.assertEqual(self.event(job, 'protocol')['protocol'], 'resumable')
        self.assert_there(content)

    def test_relative_location(self):
        self.peer.relative = True
        job, content = self.upload()
        self.finish(job)
        self.assert_there(content)

    def test_without_informational_answers(self):
        self.peer.interim = False
        self.peer.script = [Fault('PATCH', drop=MIB)]
        job, content = self.upload()
        self.finish(job)
        self.assert_there(content)

    def test_limits(self):
        self.peer.limits = {'max-append-size': 5 * MIB, 'min-append-size': MIB}
        job, content = self.upload()
        self.finish(job)
        self.assert_there(content)
        self.assertEqual(self.peer.kinds().count('PATCH'), 5)

    def test_limits_of_a_proxy(self):
        self.peer.hard_limit = 2 * MIB
        job, content = self.upload(10 * MIB)
        self.finish(job)
        self.assert_there(content)

    def test_digest(self):
        self.peer.digest = True
        job, content = self.upload()
        self.finish(job)
        self.assert_there(content)

    def test_digest_of_other_bytes(self):
        self.peer.digest = self.peer.corrupt = True
        for size in MIB, SIZE:  # known before the upload, and only at its end
            job, _ = self.upload(size)
            self.fails(job, 'DigestMismatch', 'remote-file')

    def test_reply(self):
        self.peer.say = lambda upload: (200, {'Content-Type': 'text/plain'},
                                        upload.data.sha256.encode())
        job, content = self.upload(job_type='upload-reply')
        job.wait('transferred', hurry=True)
        self.assertEqual(bytes(job.call('GetReplyData')[0]), content.sha256.encode())
        job.complete()
        with open(os.path.join(self.sources, 'source.bin.reply'), encoding='utf-8') as file:
            self.assertEqual(file.read(), content.sha256)
        self.assert_clean()


    def test_login_costs_no_body(self):
        self.peer.require('me', 'secret')
        job, content = self.upload(start=False)
        self.log_in(job)
        self.peer.script = [Fault('PATCH', skip=1, stall=MIB)]
        job.resume()
        self.interrupted(self.peer, self.world.restart)
        self.finish(job)
        self.assert_there(content, self.peer.kinds().count('POST'))
        for one in self.peer.requests():
            if one.status == 401:
                self.assertEqual(one.received, 0)


class Interruptions(ResumableCase):
    def test_connection_breaks_off(self):
        self.peer.script = [Fault('POST', lose=True), Fault('PATCH', drop=5 * MIB),
                            Fault('PATCH', drop=MIB, keep=False), Fault('PATCH', drop=0)]
        job, content = self.upload()
        self.finish(job)
        self.assert_there(content)  # the 104 had the URL, so no second one was made
        self.assertLess(self.received(), SIZE + 7 * MIB)

    def test_progress_is_honest(self):
        self.peer.script = [Fault('PATCH', drop=5 * MIB, keep=False)]
        job, content = self.upload()
        job.wait('transient-error')
        wait_for(lambda: job.get('BytesTransferred') == 0, 'what was confirmed to count')
        self.finish(job)
        self.assert_there(content)

    def test_what_was_confirmed_counts(self):
        self.peer.script = [Fault('PATCH', skip=1, stall=5 * MIB)]
        job, content = self.upload()
        wait_for(self.peer.stalled.is_set, 'the server to stand still')
        job.suspend()
        self.suspended(job, FRAGMENT)
        self.peer.release()
        job.resume()
        self.finish(job)
        self.assert_there(content)

    def stand_still(self):
        self.peer.script = [Fault('PATCH', stall=9 * MIB)]
        return self.upload()

    def finish_where_it_was(self, job, content):
        self.finish(job)
        self.assert_there(content)
        self.assertLess(self.received(), SIZE + MIB)

    def test_worker_is_killed(self):
        job, content = self.stand_still()
        self.interrupted(self.peer, self.world.kill_worker)
        self.finish_where_it_was(job, content)

    def test_daemon_is_killed(self):
        job, content = self.stand_still()
        self.interrupted(self.peer, self.world.restart)
        self.finish_where_it_was(job, content)

    def test_server_is_restarted(self):
        job, content = self.stand_still()
        wait_for(self.peer.stalled.is_set, 'the server to stand still')
        self.peer.stop()
        job.wait('transient-error')
        self.peer.start()
        self.finish(job)
        self.assert_there(content)

    def test_everybody_is_killed(self):
        """64 MiB, with worker, daemon and server killed on the way."""
        self.peer.script = [Fault('PATCH', stall=9 * MIB), Fault('PATCH', skip=1, stall=MIB),
                            Fault('PATCH', skip=1, stall=5 * MIB)]
        job, content = self.upload(64 * MIB)
        self.interrupted(self.peer, self.world.kill_worker)
        self.interrupted(self.peer, self.world.restart)
        wait_for(self.peer.stalled.is_set, 'the server to stand still')
        self.peer.stop()
        job.wait('transient-error')
        self.peer.start()
        self.finish(job)
        self.assert_there(content)

    def test_upload_is_lost(self):
        self.peer.script = [Fault('PATCH', before=self.peer.forget)]
        job, content = self.upload()
        job.wait('transferred', hurry=True)
        self.assertIsNotNone(self.event(job, 'session-lost'))
        self.assert_there(content, 2)

    def test_bytes_are_lost(self):
        self.peer.script = [Fault('PATCH', drop=9 * MIB),
                            Fault('HEAD', before=lambda _: self.peer.lose_bytes(MIB))]
        job, content = self.upload()
        self.finish(job)
        self.assert_there(content)

    def test_server_in_trouble(self):
        self.peer.script = [Fault('POST', status=503), Fault('PATCH', status=500),
                            Fault('HEAD', status=502)]
        job, content = self.upload()
        self.finish(job)
        self.assert_there(content, 2)

    def test_last_answer_is_lost(self):
        self.peer.script = [Fault('PATCH', skip=1, lose=True)]
        job, content = self.upload()
        self.finish(job)
        self.assert_there(content)

    def test_reply_is_lost(self):
        """The server has the file and will not say again what it said: the user decides."""
        self.peer.script = [Fault('PATCH', skip=1, lose=True)]
        job, _ = self.upload(job_type='upload-reply')
        job.wait('transient-error', 'error')
        if job.state == 'transient-error':
            job.hurry()
        job.wait('error')
        self.assertEqual(job.error[0], 'ConnectionLost')
        job.resume()
        job.wait('transferred', hurry=True)
        self.assertEqual(len(self.peer.complete), 2)

    def test_lost_without_end(self):
        self.peer.script = [Fault('PATCH', before=self.peer.forget) for _ in range(30)]
        job, _ = self.upload(MIB)
        job.wait('transient-error')
        self.assertLess(self.peer.kinds().count('POST'), 6)
        job.cancel()


class Errors(ResumableCase):
    def test_too_large(self):
        self.peer.limits = {'max-size': MIB}
        job, _ = self.upload(MIB + 1)
        self.fails(job, 'TooLarge', 'remote-file')

    def test_refused(self):
        for status in 400, 403, 404, 405, 415, 501:
            self.peer.script = [Fault('POST', status=status)]
            job, _ = self.upload(MIB)
            self.fails(job, 'HttpStatus', 'remote-file')
            self.assertEqual(job.get('Error')['http-status'], status)

    def test_processing_fails(self):
        self.peer.say = lambda upload: (422, {}, b'')
        job, _ = self.upload(MIB)
        self.fails(job, 'HttpStatus', 'remote-application')

    def test_another_protocol(self):
        self.peer.script = [Fault('POST', headers={'Location': None})]
        job, _ = self.upload(MIB)
        self.fails(job, 'ProtocolMismatch', 'remote-file')


class Cancel(ResumableCase):
    def stand_still(self):
        self.peer.script = [Fault('PATCH', stall=MIB)]
        job, _ = self.upload()
        wait_for(self.peer.stalled.is_set, 'the server to stand still')
        return job

    def test_server_is_told(self):
        job = self.stand_still()
        job.cancel()
        self.peer.release()
        wait_for(lambda: self.peer.uploads == {}, 'the upload to end')
        self.assertEqual(self.peer.kinds()[-1], 'DELETE')
        self.assertEqual(self.peer.complete, [])

    def test_server_is_away(self):
        job = self.stand_still()
        self.peer.stop()
        job.cancel()
        self.assertEqual(job.tombstone()['result'], 'cancelled')
        self.peer.start()
        self.world.restart()
        wait_for(lambda: self.peer.uploads == {}, 'the upload to end')

    def test_after_the_end(self):
        job, content = self.upload()
        job.wait('transferred')
        job.cancel()
        self.assert_there(content)
        self.assertNotIn('DELETE', self.peer.kinds())


if __name__ == '__main__':
    tap.main()
