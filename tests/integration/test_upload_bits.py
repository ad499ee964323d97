#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Uploads by the BITS upload protocol, to a server that follows the reference, or does not."""
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bits_server import Application, BitsServer  # noqa: E402
from bus import wait_for  # noqa: E402
from httpd import MIB, Answer  # noqa: E402
from upload_server import Fault  # noqa: E402
from uploads import UploadCase  # noqa: E402

FRAGMENT = 16 * MIB  # the worker's choice


class BitsCase(UploadCase):
    protocol = 'bits'

    def setUp(self):
        super().setUp()
        self.bits = self.bits_server()

    def bits_server(self, **options):
        server = BitsServer(**options)
        self.addCleanup(server.end)
        return server

    def upload(self, size=3 * MIB + 7, name='source.bin', **options):
        """(job, content) of an upload to /dir/file."""
        path, content = self.source(size, name)
        return self.send(self.bits.url('/dir/file'), path, **options), content

    def assert_there(self, content, server=None, path='/dir/file'):
        file = (server or self.bits).files[path]
        self.assertEqual((file.size, file.sha256), (content.size, content.sha256))


class Packets(BitsCase):
    def test_conversation(self):
        job, content = self.upload(2 * FRAGMENT + 5)
        self.assertEqual(self.finish(job)[0], 'completed')
        self.assert_there(content)
        self.assertEqual(self.bits.kinds(), ['Create-Session', 'Fragment', 'Fragment', 'Fragment',
                                             'Close-Session'])
        self.assertEqual(self.bits.sessions, {})
        requests = self.bits.requests()
        self.assertTrue(all('content-length' in one.headers for one in requests))
        self.assertEqual([one.headers.get('content-name') for one in requests],
                         [None, 'source.bin', None, None, None])
        self.assert_clean()

    def test_sizes(self):
        for size in 0, 1, FRAGMENT, FRAGMENT + 1:
            path, content = self.source(size, f'{size}')
            self.finish(self.send(self.bits.url(f'/{size}'), path))
            self.assert_there(content, path=f'/{size}')

    def test_name_is_ascii(self):
        job, content = self.upload(name='Übung 1%.txt')
        self.finish(job)
        self.assert_there(content)
        names = [one.headers['content-name'] for one in self.bits.requests()
                 if 'content-name' in one.headers]
        self.assertEqual(names, ['%C3%9Cbung 1%.txt'])

    def test_query_and_many_files(self):
        sources = [self.source(MIB, f'{i}') for i in range(5)]
        job = self.client.create([(self.bits.url(f'/{i}?x=y'), path)
                                  for i, (path, _) in enumerate(sources)],
                                 job_type='upload', start=True, UploadProtocol='bits')
        job.wait('transferred', hurry=True)
        job.complete()
        for i, (_, content) in enumerate(sources):
            self.assert_there(content, path=f'/{i}')

    def test_auto(self):
        path, content = self.source()
        job = self.send(self.bits.url('/dir/file'), path, UploadProtocol='auto')
        job.wait('transferred')
        self.assertEqual(self.event(job, 'protocol')['protocol'], 'bits')
        self.assert_there(content)
        self.assertEqual(self.bits.kinds()[:2], ['OPTIONS', 'Create-Session'])
        # the worker remembers what this server is
        other = self.send(self.bits.url('/dir/other'), path, UploadProtocol='auto')
        other.wait('transferred')
        self.assertEqual(self.bits.kinds().count('OPTIONS'), 1)

    def test_lower_case_and_either_error_field(self):
        self.bits.lower_case = True
        for fields in ('BITS-Error',), ('BITS-Error-Code',):
            self.bits.error_fields = fields
            self.bits.allow_overwrites = True
            self.bits.script = [Fault('Fragment', before=self.bits.forget)]
            job, content = self.upload()
            self.finish(job)
            self.assert_there(content)


    def test_acks_in_chunks(self):
        self.bits.chunked = True
        job, content = self.upload(FRAGMENT + 1)
        self.finish(job)
        self.assert_there(content)

    def test_header_fields_are_on_every_packet(self):
        job, content = self.upload(FRAGMENT + 1, Headers=[('X-Mine', 'yes')])
        self.finish(job)
        self.assert_there(content)
        self.assertEqual({one.headers.get('x-mine') for one in self.bits.requests()}, {'yes'})

    def test_login_costs_no_body(self):
        self.bits.require('me', 'secret')
        job, content = self.upload(2 * FRAGMENT, start=False)
        self.log_in(job)
        self.bits.script = [Fault('Fragment', skip=1, stall=MIB)]
        job.resume()
        self.interrupted(self.bits, self.world.restart)
        self.finish(job)
        self.assert_there(content)
        for one in self.bits.requests():
            if one.status == 401:
                self.assertEqual(one.received, 0)

    def test_login_is_missing(self):
        self.bits.require('me', 'secret')
        job, content = self.upload()
        self.fails(job, 'AuthenticationRequired', 'remote-file')
        self.log_in(job)
        job.resume()
        self.finish(job)
        self.assert_there(content)


class Interruptions(BitsCase):
    def test_connection_breaks_off(self):
        self.bits.script = [Fault('Fragment', drop=5 * MIB),
                            Fault('Fragment', drop=MIB, keep=False),
                            Fault('Fragment', skip=1, drop=0)]
        job, content = self.upload(3 * FRAGMENT)
        self.finish(job)
        self.assert_there(content)
        self.assertEqual(self.bits.kinds().count('Create-Session'), 1)
        # who goes on with a session proves who it is before a body
        self.assertEqual(self.bits.kinds().count('Ping'), 3)

    def test_progress_is_honest(self):
        self.bits.script = [Fault('Fragment', skip=1, drop=5 * MIB, keep=False)]
        job, content = self.upload(2 * FRAGMENT)
        job.wait('transient-error')
        wait_for(lambda: job.get('BytesTransferred') == FRAGMENT, 'what was confirmed to count')
        self.finish(job)
        self.assert_there(content)

    def stand_still(self):
        self.bits.script = [Fault('Fragment', skip=1, stall=5 * MIB)]
        return self.upload(3 * FRAGMENT)

    def finish_in_one_session(self, job, content):
        self.finish(job)
        self.assert_there(content)
        self.assertEqual(self.bits.kinds().count('Create-Session'), 1)
        self.assertLess(sum(one.received for one in self.bits.requests()), 5 * FRAGMENT)

    def test_worker_is_killed(self):
        job, content = self.stand_still()
        self.interrupted(self.bits, self.world.kill_worker)
        self.finish_in_one_session(job, content)

    def test_daemon_is_killed(self):
        job, content = self.stand_still()
        self.interrupted(self.bits, self.world.restart)
        self.finish_in_one_session(job, content)

    def test_server_is_restarted(self):
        job, content = self.stand_still()
        wait_for(self.bits.stalled.is_set, 'the server to stand still')
        self.bits.stop()
        job.wait('transient-error')
        self.bits.start()
        self.finish_in_one_session(job, content)

    def test_everybody_is_killed(self):
        """64 MiB, with worker, daemon and server killed on the way."""
        self.bits.script = [Fault('Fragment', stall=9 * MIB), Fault('Fragment', skip=1, stall=MIB),
                            Fault('Fragment', skip=1, stall=5 * MIB)]
        job, content = self.upload(64 * MIB)
        self.interrupted(self.bits, self.world.kill_worker)
        self.interrupted(self.bits, self.world.restart)
        wait_for(self.bits.stalled.is_set, 'the server to stand still')
        self.bits.stop()
        job.wait('transient-error')
        self.bits.start()
        self.finish(job)
        self.assert_there(content)
        self.assertEqual(self.bits.kinds().count('Create-Session'), 1)

    def test_suspend(self):
        job, content = self.stand_still()
        self.interrupted(self.bits, job.suspend)
        self.suspended(job, FRAGMENT)
        job.resume()
        self.finish_in_one_session(job, content)

    def test_session_is_lost(self):
        self.bits.script = [Fault('Fragment', skip=1, before=self.bits.forget)]
        job, content = self.upload(2 * FRAGMENT)
        self.finish(job)
        self.assert_there(content)
        self.assertEqual(self.bits.kinds().count('Create-Session'), 2)

    def test_session_lost_is_told(self):
        self.bits.script = [Fault('Fragment', skip=1, before=self.bits.forget)]
        job, _ = self.upload(2 * FRAGMENT)
        job.wait('transferred')
        self.assertIn('reason', self.event(job, 'session-lost'))

    def test_bytes_are_lost(self):
        self.bits.script = [Fault('Fragment', skip=1,
                                  before=lambda _: self.bits.lose_bytes(FRAGMENT // 2))]
        job, content = self.upload(2 * FRAGMENT)
        self.finish(job)
        self.assert_there(content)
        self.assertEqual(self.bits.kinds().count('Create-Session'), 1)

    def test_last_ack_is_lost(self):
        self.bits.script = [Fault('Fragment', skip=1, lose=True)]
        job, content = self.upload(2 * FRAGMENT)
        self.finish(job)
        self.assert_there(content)
        self.assertEqual(self.bits.kinds().count('Create-Session'), 1)

    def test_last_ack_is_late(self):
        event = threading.Event()
        self.bits.script = [Fault('Fragment', hold=event)]
        job, content = self.upload()
        wait_for(lambda: '/dir/file' in self.bits.files, 'the file')
        self.assertNotEqual(job.state, 'transferred')
        event.set()
        self.finish(job)
        self.assert_there(content)

    def test_server_in_trouble(self):
        self.bits.script = [Fault('Create-Session', status=503), Fault('Fragment', status=500),
                            Fault('Close-Session', status=503)]
        job, content = self.upload()
        self.finish(job)
        self.assert_there(content)
        self.assertEqual(self.bits.kinds().count('Close-Session'), 2)
        self.assertEqual(self.bits.sessions, {})

    def test_close_is_refused(self):
        self.bits.script = [Fault('Close-Session', status=403)]
        job, content = self.upload()
        self.finish(job)
        self.assert_there(content)

    def test_body_limit(self):
        """A proxy that takes less at a time than we send."""
        self.bits.script = [Fault('Fragment', status=413), Fault('Fragment', status=413)]
        job, content = self.upload(3 * MIB)
        self.finish(job)
        self.assert_there(content)

    def test_source_changes(self):
        job, _ = self.stand_still()
        path = os.path.join(self.sources, 'source.bin')
        self.interrupted(self.bits, lambda: os.truncate(path, 3 * FRAGMENT - 1))
        self.fails(job, 'LocalFileChanged', 'local-file')
        self.assertEqual(self.bits.files, {})


class Errors(BitsCase):
    def refused(self, *error, size=MIB):
        job, _ = self.upload(size)
        self.fails(job, *error)
        return job

    def test_file_exists(self):
        job, _ = self.upload()
        self.finish(job)
        job = self.refused('HttpStatus', 'remote-file')
        self.assertEqual(job.get('Error')['http-status'], 409)

    def test_forbidden(self):
        self.bits.readonly.add('/dir/file')
        self.refused('HttpStatus', 'remote-file')

    def test_executable_directory(self):
        self.bits.executable.add('/dir')
        self.refused('HttpStatus', 'remote-file')

    def test_disabled(self):
        self.bits.upload_enabled = False
        for status in 404, 501:
            self.bits.disabled_status = status
            self.refused('HttpStatus', 'remote-file')

    def test_too_large(self):
        self.bits.maximum_upload_size = MIB - 1
        self.refused('TooLarge', 'remote-file')
        self.bits.too_large_status = 500
        self.refused('TooLarge', 'remote-file')

    def test_no_common_protocol(self):
        self.bits.protocol = '{00000000-0000-0000-0000-000000000000}'
        self.refused('ProtocolMismatch', 'remote-file')

    def test_not_a_bits_server(self):
        self.bits.packet_field = 'X-Nothing'
        self.refused('ProtocolMismatch', 'remote-file')

    def test_nonsense(self):
        self.bits.script = [Fault('Fragment',
                                  headers={'BITS-Received-Content-Range': '99999999999'})]
        self.refused('InvalidServerResponse', 'remote-file')

    def test_sessions_are_lost_without_end(self):
        """The worker is not kept busy by a server that forgets everything at once."""
        self.bits.script = [Fault('Fragment', before=self.bits.forget) for _ in range(30)]
        job, _ = self.upload()
        job.wait('transient-error')
        self.assertLess(self.bits.kinds().count('Create-Session'), 6)
        job.cancel()


class Cancel(BitsCase):
    def stand_still(self, **options):
        self.bits.script = [Fault('Fragment', skip=1, stall=MIB)]
        job, content = self.upload(2 * FRAGMENT, **options)
        wait_for(self.bits.stalled.is_set, 'the server to stand still')
        return job, content

    def test_server_is_told(self):
        job, _ = self.stand_still()
        job.cancel()
        self.bits.release()
        wait_for(lambda: self.bits.sessions == {}, 'the session to end')
        self.assertEqual(self.bits.kinds()[-1], 'Cancel-Session')
        self.assertEqual(self.bits.files, {})
        self.assertEqual(job.tombstone()['result'], 'cancelled')

    def test_server_is_away(self):
        job, _ = self.stand_still()
        self.bits.stop()
        job.cancel()
        self.assertEqual(job.tombstone()['result'], 'cancelled')
        self.assertEqual(len(self.client.list_jobs()), 0)
        self.bits.start()
        self.world.restart()
        wait_for(lambda: self.bits.sessions == {}, 'the session to end')
        self.assertEqual(self.bits.kinds()[-1], 'Cancel-Session')

    def test_server_in_trouble_is_told_again(self):
        job, _ = self.stand_still()
        self.bits.script = [Fault('Cancel-Session', status=503)]
        job.cancel()
        self.bits.release()
        wait_for(lambda: 'Cancel-Session' in self.bits.kinds(), 'the first try')
        self.assertNotEqual(self.bits.sessions, {})
        self.world.restart()
        wait_for(lambda: self.bits.sessions == {}, 'the second one')

    def test_after_the_end(self):
        job, content = self.upload()
        job.wait('transferred')
        job.cancel()
        self.assert_there(content)
        self.assertNotIn('Cancel-Session', self.bits.kinds())

    def test_before_anything(self):
        job, _ = self.upload(start=False)
        job.cancel()
        self.assertEqual(self.bits.kinds(), [])
        self.assert_clean()


class HostId(BitsCase):
    def setUp(self):
        super().setUp()
        self.node = self.bits_server(address='127.0.0.2')
        self.bits.node = self.node
        self.bits.host_id = f'{self.node.address}:{self.node.port}'

    def test_session_is_bound(self):
        job, content = self.upload(2 * FRAGMENT)
        self.finish(job)
        self.assert_there(content, self.node)
        self.assertEqual(self.bits.kinds(), ['Create-Session'])
        self.assertEqual(self.node.kinds(), ['Fragment', 'Fragment', 'Close-Session'])

    def test_after_a_crash(self):
        self.node.script = [Fault('Fragment', skip=1, stall=MIB)]
        job, content = self.upload(2 * FRAGMENT)
        self.interrupted(self.node, self.world.restart)
        self.finish(job)
        self.assert_there(content, self.node)
        self.assertEqual(self.bits.kinds(), ['Create-Session'])

    def test_fallback(self):
        """The node is gone: after the time that was named the upload starts again."""
        self.bits.host_id_timeout = 1
        self.node.script = [Fault('Fragment', skip=1, stall=MIB)]
        job, content = self.upload(2 * FRAGMENT)
        wait_for(self.node.stalled.is_set, 'the node to stand still')
        self.node.stop()
        self.bits.node, self.bits.host_id = None, None
        self.finish(job)
        self.assert_there(content)
        self.assertEqual(self.bits.kinds().count('Create-Session'), 2)


class Reply(BitsCase):
    def setUp(self):
        super().setUp()
        self.application = Application()
        self.addCleanup(self.application.end)

    def reply(self, size=MIB, **options):
        """(job, content) of a job that wants a reply."""
        return self.upload(size, job_type='upload-reply', **options)

    def notify(self, kind=2):
        self.bits.notification_type = kind
        self.bits.notification_url = self.application.url('/notify')
        self.application.say = lambda data: data[:1000][::-1]

    def finish_reply(self, job, expected, path=None):
        job.wait('transferred', hurry=True)
        path = path or os.path.join(self.sources, 'source.bin.reply')
        self.assertFalse(os.path.exists(path))
        self.assertEqual(job.get('ReplyBytesTotal'), len(expected))
        self.assertEqual(job.get('ReplyBytesTransferred'), len(expected))
        if len(expected) <= MIB:
            self.assertEqual(bytes(job.call('GetReplyData')[0]), expected)
        self.assertEqual(job.complete()[0], 'completed')
        with open(path, 'rb') as file:
            self.assertEqual(file.read(), expected)
        self.assert_clean()

    def test_round_trip(self):
        for kind in 1, 2:
            self.notify(kind)
            job, content = self.reply()
            self.finish_reply(job, content.bytes(0, 1000)[::-1])
            self.assertEqual(self.bits.kinds()[-1], 'Close-Session')
            os.unlink(os.path.join(self.sources, 'source.bin.reply'))

    def test_reply_file_name(self):
        self.bits.reply = b'thanks'
        path = os.path.join(self.sources, 'answer')
        job, _ = self.reply(ReplyFileName=path)
        self.finish_reply(job, b'thanks', path)

    def test_relative_url(self):
        self.bits.reply, self.bits.reply_relative = b'thanks', True
        job, _ = self.reply()
        self.finish_reply(job, b'thanks')

    def test_no_reply(self):
        job, _ = self.reply()
        self.finish_reply(job, b'')

    def test_large_reply_is_resumed(self):
        self.bits.reply = os.urandom(5 * MIB)
        self.bits.reply_options = {'script': [Answer(reset=2 * MIB)]}
        job, _ = self.reply()
        self.finish_reply(job, self.bits.reply)
        path = [one.path for one in self.bits.requests() if one.method == 'GET'][0]
        self.assertEqual(self.bits.kinds().count('Fragment'), 1)
        self.assertIsNotNone(self.bits.ranges(path)[-1])

    def test_static_reply(self):
        resource, (url, _), _ = self.file('static', 100)
        self.notify()
        self.application.headers = {'BITS-Static-Response-URL': url}
        job, _ = self.reply()
        self.finish_reply(job, resource.content.bytes())

    def test_worker_dies_with_the_reply(self):
        self.bits.reply = os.urandom(3 * MIB)
        self.bits.reply_options = {'script': [Answer(stall=MIB)]}
        job, _ = self.reply()
        wait_for(lambda: any(one.stalled.is_set() for one in self.bits.resources.values()),
                 'the reply to stand still')
        self.world.kill_worker()
        self.finish_reply(job, self.bits.reply)
        self.assertEqual(self.bits.kinds().count('Fragment'), 1)

    def test_application_recovers(self):
        self.notify()
        self.application.script = [Fault(status=503)]
        job, content = self.reply()
        job.wait('transient-error')
        self.assertEqual(job.error, ('HttpStatus', 'remote-application'))
        self.finish_reply(job, content.bytes(0, 1000)[::-1])

    def test_application_refuses(self):
        self.notify()
        self.application.script = [Fault(status=403)]
        job, _ = self.reply()
        self.fails(job, 'HttpStatus', 'remote-application')

    def test_reply_is_gone(self):
        """The upload has succeeded, the reply has not: the error says which."""
        self.bits.reply = b'x' * 100
        self.bits.reply_options = {'script': [Answer(status=404)]}
        job, content = self.reply()
        job.wait('error')
        self.assert_there(content)
        error = job.get('Error')
        self.assertTrue(error['reply'])
        self.assertEqual(error['http-status'], 404)

    def test_cancel_drops_the_reply_only(self):
        self.bits.reply = b'x' * 100
        self.bits.reply_options = {'script': [Answer(status=404)]}
        job, content = self.reply()
        job.wait('error')
        job.cancel()
        wait_for(lambda: self.bits.sessions == {}, 'the session to end')
        self.assertEqual(self.bits.kinds()[-1], 'Cancel-Session')
        self.assert_there(content)
        self.assert_clean()


if __name__ == '__main__':
    tap.main()
