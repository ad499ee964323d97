#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The server of resumable uploads does what the draft says: its examples, with sockets, before
transferd is judged by it."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from resumable_server import ResumableServer  # noqa: E402
from upload_server import Fault  # noqa: E402

VERSION = {'Upload-Draft-Interop-Version': '8'}
PARTIAL = {'Content-Type': 'application/partial-upload'}


class Answer:
    def __init__(self, reader):
        self.interim = []
        while True:
            self.status, self.headers = self.read_head(reader)
            if self.status >= 200:
                break
            self.interim.append((self.status, self.headers))
        self.body = b''
        if 'content-length' in self.headers and not reader.head:
            self.body = reader.read(int(self.headers['content-length']))

    @staticmethod
    def read_head(reader):
        line = reader.readline().decode()
        if not line:
            raise ConnectionError('no answer')
        headers = {}
        while (field := reader.readline().decode().rstrip('\r\n')):
            key, _, value = field.partition(': ')
            headers[key.lower()] = value
        return int(line.split()[1]), headers

    def __getitem__(self, name):
        return self.headers.get(name)


class Reader:
    def __init__(self, sock, head):
        self.file, self.head = sock.makefile('rb'), head
        self.read, self.readline = self.file.read, self.file.readline


class ResumableServerCase(tap.TestCase):
    def setUp(self):
        self.server = ResumableServer()
        self.addCleanup(self.server.end)

    def send(self, method, path, body=b'', **fields):
        fields = {key.replace('_', '-'): value for key, value in fields.items()}
        return self.send_fields(method, path, body, VERSION | fields)

    def send_fields(self, method, path, body, fields):
        path = path.removeprefix(self.server.url(''))
        with socket.create_connection((self.server.address, self.server.port), 30) as sock:
            lines = [f'{method} {path} HTTP/1.1', 'Host: example.com',
                     f'Content-Length: {len(body)}']
            lines += [f'{key}: {value}' for key, value in fields.items()]
            sock.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode() + body)
            return Answer(Reader(sock, method == 'HEAD'))

    def create(self, length, **fields):
        answer = self.send('POST', '/project/123/files', Upload_Complete='?0',
                           Upload_Length=str(length), **fields)
        self.assertEqual(answer.status, 201)
        return answer['location']

    def patch(self, url, data, offset, complete='?0', **fields):
        return self.send('PATCH', url, data, Upload_Offset=str(offset), Upload_Complete=complete,
                         **{'Content_Type': PARTIAL['Content-Type'], **fields})

    def test_creation_with_all_bytes(self):
        self.server.limits = {'max-size': 1234567890}
        self.server.progress_every = 3
        self.server.say = lambda upload: (200, {'Content-Type': 'application/json'}, b'{"id": 1}')
        answer = self.send('POST', '/project/123/files', b'0123456789', Upload_Complete='?1',
                           Upload_Length='10')
        self.assertEqual((answer.status, answer.body), (200, b'{"id": 1}'))
        self.assertEqual(answer['upload-complete'], '?1')
        status, headers = answer.interim[0]
        self.assertEqual((status, headers['upload-limit']), (104, 'max-size=1234567890'))
        self.assertIn('location', headers)
        self.assertEqual(headers['upload-draft-interop-version'], '8')
        self.assertEqual(answer.interim[1][1]['upload-offset'], '10')
        self.assertEqual(self.server.complete[0].data.bytes(), b'0123456789')

    def test_creation_with_some_bytes(self):
        answer = self.send('POST', '/upload', b'01234', Upload_Complete='?0', Upload_Length='10')
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer['location'], answer.interim[0][1]['location'])
        answer = self.patch(answer['location'], b'56789', 5, '?1')
        self.assertEqual((answer.status, answer['upload-complete']), (200, '?1'))

    def test_other_versions_get_no_interim_answer(self):
        for fields in ({}, {'Upload-Draft-Interop-Version': '7'}):
            answer = self.send_fields('POST', '/upload', b'', fields | {'Upload-Complete': '?0'})
            self.assertEqual((answer.status, answer.interim), (201, []))

    def test_offset(self):
        url = self.create(10)
        self.patch(url, b'0123', 0)
        answer = self.send('HEAD', url)
        self.assertEqual(answer.status, 204)
        self.assertEqual((answer['upload-offset'], answer['upload-complete'],
                          answer['upload-length'], answer['cache-control']),
                         ('4', '?0', '10', 'no-store'))
        self.patch(url, b'456789', 4, '?1')
        answer = self.send('HEAD', url)
        self.assertEqual((answer['upload-offset'], answer['upload-complete']), ('10', '?1'))
        self.assertEqual(self.send('HEAD', '/uploads/77').status, 404)

    def test_append(self):
        url = self.create(10)
        answer = self.patch(url, b'01234', 0)
        self.assertEqual((answer.status, answer['upload-complete']), (204, '?0'))
        answer = self.patch(url, b'', 5, '?0')
        self.assertEqual(answer.status, 204)
        self.assertEqual(self.patch(url, b'56789', 5, '?0').status, 204)
        self.assertEqual(self.server.complete, [])
        self.assertEqual(self.patch(url, b'', 10, '?1').status, 200)
        self.assertEqual(self.server.complete[0].data.bytes(), b'0123456789')

    def test_mismatching_offset(self):
        url = self.create(10)
        self.patch(url, b'0123', 0)
        answer = self.patch(url, b'5', 5)
        self.assertEqual((answer.status, answer['upload-offset']), (409, '4'))
        self.assertIn(b'"expected-offset": 4', answer.body)

    def test_inconsistent_length(self):
        url = self.create(10)
        self.assertEqual(self.patch(url, b'0123', 0, '?1').status, 400)
        self.assertEqual(self.patch(url, b'0123456789ab', 0).status, 400)
        self.assertEqual(self.send('HEAD', url).status, 404)
        answer = self.send('POST', '/x', b'01', Upload_Complete='?1', Upload_Length='3')
        self.assertIn(b'inconsistent-upload-length', answer.body)

    def test_complete_is_complete(self):
        url = self.create(1)
        self.patch(url, b'0', 0, '?1')
        self.assertIn(b'completed-upload', self.patch(url, b'', 1, '?1').body)

    def test_malformed_append(self):
        url = self.create(10)
        self.assertEqual(self.patch(url, b'0', 0, Content_Type='text/plain').status, 415)
        self.assertEqual(self.patch(url, b'0', '-1').status, 400)
        self.assertEqual(self.patch(url, b'0', 0, '1').status, 400)

    def test_cancellation(self):
        url = self.create(10)
        self.assertEqual(self.send('DELETE', url).status, 204)
        self.assertEqual(self.send('HEAD', url).status, 404)
        self.assertEqual(self.send('DELETE', url).status, 404)

    def test_limits(self):
        self.server.limits = {'max-size': 10, 'max-append-size': 4, 'min-append-size': 2}
        answer = self.send('POST', '/x', Upload_Complete='?0', Upload_Length='11')
        self.assertEqual(answer.status, 413)
        url = self.create(10)
        self.assertEqual(self.patch(url, b'01234', 0).status, 400)
        self.assertEqual(self.patch(url, b'0', 0).status, 400)
        self.assertEqual(self.patch(url, b'0123', 0).status, 204)
        self.server.hard_limit = 2
        self.assertEqual(self.patch(url, b'012', 4).status, 413)
        self.assertEqual(self.send('OPTIONS', '/x')['upload-limit'],
                         'max-size=10, max-append-size=4, min-append-size=2')

    def test_options(self):
        answer = self.send('OPTIONS', '/x')
        self.assertEqual((answer.status, answer['accept-patch']),
                         (204, 'application/partial-upload'))

    def test_digest(self):
        url = self.create(1, Want_Repr_Digest='sha-256=10')
        answer = self.patch(url, b'0', 0, '?1')
        self.assertEqual(answer['repr-digest'],
                         'sha-256=:X+zrZv/IbzjZUnhsbWlsecLbwjndTpG0ZynXOif7V+k=:')

    def test_ordinary_upload(self):
        self.server.say = lambda upload: (201, {}, upload.data.bytes()[::-1])
        answer = self.send_fields('POST', '/x', b'abc', {})
        self.assertEqual((answer.status, answer.body, answer.interim), (201, b'cba', []))

    def test_connection_breaks_off(self):
        self.server.script = [Fault('PATCH', drop=3), Fault('PATCH', drop=2, keep=False)]
        url = self.create(10)
        for offset in (0, 3):
            with self.assertRaises(OSError):
                self.patch(url, b'012345', offset)
        self.assertEqual(self.send('HEAD', url)['upload-offset'], '3')

    def test_newer_request_ends_older_one(self):
        url = self.create(10)
        path = url.removeprefix(self.server.url(''))
        with socket.create_connection((self.server.address, self.server.port), 30) as sock:
            sock.sendall(f'PATCH {path} HTTP/1.1\r\nContent-Length: 10\r\nUpload-Offset: 0\r\n'
                         'Content-Type: application/partial-upload\r\nUpload-Complete: ?1\r\n'
                         '\r\n0123'.encode())
            self.server.wait_for(lambda log: log[-1].received == 4)
            self.assertEqual(self.send('HEAD', url)['upload-offset'], '4')
            self.assertEqual(sock.recv(100), b'')

    def test_lost_answer(self):
        self.server.script = [Fault('PATCH', lose=True)]
        url = self.create(4)
        with self.assertRaises(OSError):
            self.patch(url, b'0123', 0, '?1')
        self.assertEqual(self.send('HEAD', url)['upload-complete'], '?1')

    def test_restart_keeps_uploads(self):
        url = self.create(4)
        self.patch(url, b'01', 0)
        self.server.stop()
        self.server.start()
        self.assertEqual(self.patch(url, b'23', 2, '?1').status, 200)
        self.assertEqual(self.server.complete[0].data.bytes(), b'0123')


if __name__ == '__main__':
    tap.main()
