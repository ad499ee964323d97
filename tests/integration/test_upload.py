#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Files that are sent, by the real daemon and its real worker: whole, byte by byte the same, with
workers and daemons killed on the way, and their replies."""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import servers  # noqa: E402
import tap  # noqa: E402
from bus import wait_for  # noqa: E402
from httpd import MIB, Content  # noqa: E402
from plain_server import PlainServer  # noqa: E402
from upload_server import Fault  # noqa: E402
from world import WorldCase, digest  # noqa: E402

SIZE = 64 * MIB
UNKNOWN = (1 << 64) - 1


class UploadCase(WorldCase):
    def setUp(self):
        super().setUp()
        self.plain = PlainServer()
        self.addCleanup(self.plain.end)

    def source(self, name='source', size=3 * MIB, holes=False):
        """Writes a file; its path and digest. With `holes` most of it is nowhere on the disk."""
        path = self.world.path(name)
        content = Content(size, name)
        with open(path, 'wb') as file:
            for first in range(0, size, 8 * MIB if holes else MIB):
                file.seek(first)
                file.write(content.bytes(first, first + MIB))
            file.truncate(size)
        return path, digest(path)

    def upload(self, url, path, job_type='upload', **options):
        return self.client.create([(url, path)], job_type=job_type, start=True, **options)

    def finish(self, job):
        job.wait('transferred', hurry=True, deadline=120)
        return job.complete()

    def assert_received(self, path, sha256):
        self.assertEqual(self.plain.files[path].sha256, sha256)

    def half_way(self, job, size):
        wait_for(lambda: size // 4 <= job.get('BytesTransferred') < size, 'a part of the file')


class Plain(UploadCase):
    def test_put(self):
        path, sha256 = self.source()
        job = self.upload(self.plain.url('/a'), path, UploadProtocol='put')
        self.assertEqual(self.finish(job)[0], 'completed')
        self.assert_received('/a', sha256)
        self.assertEqual(digest(path), sha256)
        request, = self.plain.requests('/a')
        self.assertEqual(request.headers['content-length'], str(3 * MIB))
        self.assertEqual(base64.b64decode(request.headers['repr-digest'][9:-1]).hex(), sha256)

    def test_auto_asks_once(self):
        path, sha256 = self.source()
        for name in '/a', '/b':
            job = self.upload(self.plain.url(name), path)
            self.finish(job)
            self.assert_received(name, sha256)
        self.assertEqual(self.plain.kinds(), ['OPTIONS', 'PUT', 'PUT'])

    def test_empty(self):
        path, sha256 = self.source(size=0)
        for protocol in 'put', 'post':
            self.finish(self.upload(self.plain.url('/' + protocol), path, UploadProtocol=protocol))
        self.assert_received('/put', sha256)
        self.assertEqual(self.plain.posts[0].sha256, sha256)

    def test_many_files(self):
        rows = [self.source(f's{number}', MIB) for number in range(20)]
        job = self.client.create([(self.plain.url(f'/{number}'), path)
                                  for number, (path, _) in enumerate(rows)],
                                 job_type='upload', start=True, UploadProtocol='put')
        self.finish(job)
        for number, (_, sha256) in enumerate(rows):
            self.assert_received(f'/{number}', sha256)

    def test_worker_killed(self):
        path, sha256 = self.source(size=SIZE, holes=True)
        self.plain.rate = 16 * MIB
        job = self.upload(self.plain.url('/a'), path, UploadProtocol='put')
        self.half_way(job, SIZE)
        self.world.kill_worker()
        self.plain.rate = 0
        self.finish(job)
        self.assert_received('/a', sha256)

    def test_daemon_killed(self):
        path, sha256 = self.source(size=SIZE, holes=True)
        self.plain.rate = 16 * MIB
        job = self.upload(self.plain.url('/a'), path, UploadProtocol='put')
        self.half_way(job, SIZE)
        self.world.restart()
        self.plain.rate = 0
        self.finish(job)
        self.assert_received('/a', sha256)

    def test_progress_goes_back(self):
        """A PUT that was lost begins anew, and says so."""
        path, sha256 = self.source()
        self.plain.script = [Fault('PUT', drop=2 * MIB)]
        job = self.upload(self.plain.url('/a'), path, UploadProtocol='put')
        job.wait('transient-error')
        self.assertEqual(job.error, ('ConnectionLost', 'transport'))
        self.assertEqual(job.get('BytesTransferred'), 0)
        self.finish(job)
        self.assert_received('/a', sha256)

    def test_post_is_not_repeated(self):
        path, sha256 = self.source()
        self.plain.script = [Fault('POST', drop=MIB)]
        job = self.upload(self.plain.url('/a'), path, UploadProtocol='post')
        job.wait('error')
        self.assertIn('may have taken it', job.get('Error')['message'])
        self.assertEqual(self.plain.kinds(), ['POST'])
        job.resume()
        self.finish(job)
        self.assertEqual([post.sha256 for post in self.plain.posts], [sha256])
        keys = {request.headers['idempotency-key'] for request in self.plain.requests()}
        self.assertEqual(len(keys), 1)

    def test_post_with_a_killed_worker(self):
        path, _ = self.source(size=SIZE, holes=True)
        self.plain.rate = 16 * MIB
        job = self.upload(self.plain.url('/a'), path, UploadProtocol='post')
        self.half_way(job, SIZE)
        self.world.kill_worker()
        job.wait('error', deadline=60)
        self.assertEqual(self.plain.kinds(), ['POST'])

    def test_refused(self):
        """Before the body: nothing is sent for nothing."""
        path, _ = self.source(size=16 * MIB)
        for status, name in (401, 'AuthenticationRequired'), (403, 'HttpStatus'), (413, 'TooLarge'):
            with self.subTest(status=status):
                self.plain.script = [Fault('PUT', status=status)]
                job = self.upload(self.plain.url(f'/{status}'), path, UploadProtocol='put')
                job.wait('error')
                self.assertEqual(job.error[0], name)
                self.assertEqual(self.plain.requests(f'/{status}')[0].received, 0)

    def test_log_in_costs_no_body(self):
        path, sha256 = self.source()
        self.plain.require('somebody', 'secret')
        job = self.client.create([(self.plain.url('/a'), path)], job_type='upload',
                                 UploadProtocol='put')
        job.call('SetCredentials', '(ssssa{sv})', 'server', 'basic', 'somebody', 'secret', {})
        job.resume()
        self.finish(job)
        self.assert_received('/a', sha256)
        self.assertEqual(sum(one.received for one in self.plain.requests('/a')), 3 * MIB)

    def test_source_changes(self):
        path, _ = self.source(size=SIZE, holes=True)
        self.plain.rate = 16 * MIB
        job = self.upload(self.plain.url('/a'), path, UploadProtocol='put')
        self.half_way(job, SIZE)
        with open(path, 'r+b') as file:
            file.write(b'x')
        job.wait('error', deadline=60)
        self.assertEqual(job.error, ('LocalFileChanged', 'local-file'))
        job.cancel()

    def test_source_changed_before(self):
        path, _ = self.source()
        job = self.client.create([(self.plain.url('/a'), path)], job_type='upload')
        with open(path, 'ab') as file:
            file.write(b'x')
        job.resume()
        job.wait('error')
        self.assertEqual(job.error[0], 'LocalFileChanged')
        self.assertEqual(self.plain.kinds(), [])

    def test_bad_sources(self):
        fifo = self.world.path('fifo')
        os.mkfifo(fifo)
        for path in fifo, self.world.directory, self.world.path('none'):
            self.assert_error('InvalidPath', self.upload, self.plain.url('/a'), path)

    def test_link_to_a_source(self):
        path, sha256 = self.source()
        link = self.world.path('link')
        os.symlink(path, link)
        self.finish(self.upload(self.plain.url('/a'), link, UploadProtocol='put'))
        self.assert_received('/a', sha256)

    def test_digest_is_compared(self):
        path, _ = self.source()
        self.plain.digest = lambda data: 'sha-256=:' + base64.b64encode(b'x' * 32).decode() + ':'
        job = self.upload(self.plain.url('/a'), path, UploadProtocol='put')
        job.wait('error')
        self.assertEqual(job.error[0], 'DigestMismatch')
        self.plain.digest = lambda data: (
            'sha-256=:' + base64.b64encode(data.digest.digest()).decode() + ':')
        job.resume()
        self.finish(job)

    def test_suspend_and_cancel(self):
        path, sha256 = self.source(size=SIZE, holes=True)
        self.plain.rate = 8 * MIB
        job = self.upload(self.plain.url('/a'), path, UploadProtocol='put')
        self.half_way(job, SIZE)
        job.suspend()
        self.assertEqual((job.state, job.get('BytesTransferred')), ('suspended', 0))
        job.resume()
        self.half_way(job, SIZE)
        job.cancel()
        self.assertEqual(digest(path), sha256)
        self.assertNotIn('/a', self.plain.files)


class Parts(UploadCase):
    """PUT with Content-Range, where it is offered."""

    size = 40 * MIB  # three parts

    def setUp(self):
        super().setUp()
        self.plain.ranges = 'joined'
        self.path, self.sha256 = self.source(size=self.size, holes=True)

    def ranges(self):
        return [request.headers.get('content-range') for request in self.plain.requests('/a')
                if request.method == 'PUT']

    def test_whole(self):
        self.finish(self.upload(self.plain.url('/a'), self.path, UploadProtocol='put'))
        self.assert_received('/a', self.sha256)
        self.assertEqual(self.plain.kinds(), ['OPTIONS', 'PUT', 'HEAD', 'PUT', 'HEAD', 'PUT', 'HEAD'])
        self.assertEqual(self.ranges()[1], f'bytes {16 * MIB}-{32 * MIB - 1}/{self.size}')

    def test_goes_on(self):
        self.plain.script = [Fault('PUT', skip=1, drop=MIB)]
        job = self.upload(self.plain.url('/a'), self.path, UploadProtocol='put')
        job.wait('transient-error')
        self.assertEqual(job.get('BytesTransferred'), 16 * MIB)
        self.world.restart()
        self.finish(job)
        self.assert_received('/a', self.sha256)
        self.assertEqual([text.partition('-')[0] for text in self.ranges()],
                         ['bytes 0', f'bytes {16 * MIB}', f'bytes {16 * MIB}', f'bytes {32 * MIB}'])

    def test_refused_after_all(self):
        self.plain.ranges = 'refused'
        self.finish(self.upload(self.plain.url('/a'), self.path))
        self.assert_received('/a', self.sha256)
        self.assertEqual(sum(one.received for one in self.plain.requests()), self.size)

    def test_ignored(self):
        """What the server keeps is the last part: seen, and sent again as a whole."""
        self.plain.ranges = 'ignored'
        job = self.upload(self.plain.url('/a'), self.path, UploadProtocol='put')
        self.finish(job)
        self.assert_received('/a', self.sha256)
        self.assertEqual(len(self.ranges()), 3)

    def test_longer_file_before(self):
        """Parts do not make it shorter: it is replaced as a whole."""
        longer = self.plain.received()
        longer.append(b'x' * 100)
        self.plain.files['/a'] = longer
        self.plain.script = [Fault('PUT', after=lambda request: self.plain.files['/a'].append(
            b'x' * 30 * MIB))]
        self.finish(self.upload(self.plain.url('/a'), self.path, UploadProtocol='put'))
        self.assert_received('/a', self.sha256)


class Reply(UploadCase):
    def test_body(self):
        path, sha256 = self.source()
        reply = self.world.path('answer')
        self.plain.reply = b'well received\n'
        job = self.upload(self.plain.url('/a'), path, 'upload-reply', UploadProtocol='put',
                          ReplyFileName=reply)
        job.wait('transferred')
        self.assert_received('/a', sha256)
        self.assertEqual((job.get('BytesTransferred'), job.get('ReplyBytesTransferred'),
                          job.get('ReplyBytesTotal')), (3 * MIB, 14, 14))
        self.assertFalse(os.path.exists(reply))
        self.assertEqual(bytes(job.call('GetReplyData')[0]), b'well received\n')
        self.assertEqual(job.complete()[0], 'completed')
        with open(reply, 'rb') as file:
            self.assertEqual(file.read(), b'well received\n')

    def test_empty(self):
        path, sha256 = self.source()
        job = self.upload(self.plain.url('/a'), path, 'upload-reply', UploadProtocol='post')
        self.finish(job)
        self.assertEqual(self.plain.posts[0].sha256, sha256)
        self.assertEqual(os.path.getsize(path + '.reply'), 0)

    def test_cancel_drops_the_reply(self):
        path, sha256 = self.source()
        self.plain.reply = b'x' * MIB
        job = self.upload(self.plain.url('/a'), path, 'upload-reply', UploadProtocol='put')
        job.wait('transferred')
        job.cancel()
        self.assert_received('/a', sha256)
        self.assertEqual([name for name in os.listdir(self.world.directory)
                          if 'reply' in name or name.startswith('.transferd-')], [])


class RealServers(UploadCase):
    """Servers that nobody here has written."""

    def send_to(self, server):
        self.addCleanup(server.stop)
        path, sha256 = self.source(size=SIZE, holes=True)
        job = self.upload(server.url('/dav/a'), path)
        self.half_way_or_done(job)
        self.world.kill_worker()
        self.finish(job)
        self.assertEqual(digest(os.path.join(server.root, 'dav', 'a')), sha256)
        small, sha256 = self.source('small', 10)
        self.finish(self.upload(server.url('/dav/b'), small, UploadProtocol='put'))
        self.assertEqual(digest(os.path.join(server.root, 'dav', 'b')), sha256)
        job = self.upload(server.url('/nowhere/c'), small, UploadProtocol='put')
        job.wait('error')
        self.assertEqual(job.get('Error')['http-status'], 405)

    def test_apache_takes_parts(self):
        server = servers.apache()
        self.addCleanup(server.stop)
        path, sha256 = self.source(size=SIZE, holes=True)
        job = self.upload(server.url('/parts/a'), path)
        wait_for(lambda: job.get('BytesTransferred') > 16 * MIB, 'the first part')
        self.world.kill_worker()
        self.finish(job)
        self.assertEqual(digest(os.path.join(server.root, 'dav', 'a')), sha256)
        with open(os.path.join(server.directory, 'access.log'), encoding='utf-8') as log:
            self.assertGreater(log.read().count(chr(10) + "HEAD "), 1)

    def half_way_or_done(self, job):
        wait_for(lambda: job.get('BytesTransferred') > MIB, 'a part of the file')

    def test_nginx(self):
        self.send_to(servers.nginx())

    def test_apache(self):
        self.send_to(servers.apache())


if __name__ == '__main__':
    tap.main()
