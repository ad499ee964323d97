#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The scripted HTTP server does what it is told: proved with curl, before transferd is judged by it."""
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DEADLINE, wait_for  # noqa: E402
from httpd import KIB, MIB, Answer, Content, Forever, Server  # noqa: E402

PARTIAL = 18  # what curl returns when a body ends too early
RESET = 56
TIMED_OUT = 28
WEIRD = 8


class Httpd(tap.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.stop)
        self.directory = tempfile.TemporaryDirectory(prefix='tfd-httpd-')
        self.addCleanup(self.directory.cleanup)

    def curl(self, path, *options, rc=0):
        """(body, header fields with the status under "status")"""
        body = os.path.join(self.directory.name, 'body')
        head = os.path.join(self.directory.name, 'head')
        if os.path.exists(body):
            os.unlink(body)
        done = subprocess.run(['curl', '--noproxy', '*', '-s', '-o', body, '-D', head,
                               *options, self.server.url(path)], check=False)
        self.assertEqual(done.returncode, rc)
        fields = {}
        with open(head, encoding='latin-1') as file:
            for line in file:
                if line.startswith('HTTP/'):
                    fields = {'status': int(line.split()[1])}
                elif ':' in line:
                    key, _, value = line.partition(':')
                    fields[key.lower()] = value.strip()
        data = b''
        if os.path.exists(body):
            with open(body, 'rb') as file:
                data = file.read()
        return data, fields

    def test_whole_file(self):
        file = self.server.add('/a', 3 * MIB + 17)
        body, head = self.curl('/a')
        self.assertEqual(head['status'], 200)
        self.assertEqual(head['content-length'], str(3 * MIB + 17))
        self.assertEqual(hashlib.sha256(body).hexdigest(), file.sha256)

    def test_content_is_never_alike(self):
        one, other = Content(3 * MIB, 1).bytes(), Content(3 * MIB, 2).bytes()
        self.assertNotEqual(one[MIB:2 * MIB], one[2 * MIB:])
        same = sum(a == b for a, b in zip(one[:64 * KIB], other[:64 * KIB]))
        self.assertLess(same, 64 * KIB / 100)
        self.assertEqual(one[5000:MIB + 9], Content(3 * MIB, 1).bytes(5000, MIB + 9))

    def test_range(self):
        file = self.server.add('/a', 2 * MIB)
        body, head = self.curl('/a', '-r', '1000-')
        self.assertEqual(head['status'], 206)
        self.assertEqual(head['content-range'], f'bytes 1000-{2 * MIB - 1}/{2 * MIB}')
        self.assertEqual(body, file.content.bytes(1000))
        body, head = self.curl('/a', '-r', '5-9')
        self.assertEqual(body, file.content.bytes(5, 10))
        self.assertEqual(self.server.ranges('/a'), ['bytes=1000-', 'bytes=5-9'])

    def test_range_beyond_the_end(self):
        self.server.add('/a', 100)
        _, head = self.curl('/a', '-r', '100-')
        self.assertEqual((head['status'], head['content-range']), (416, 'bytes */100'))

    def test_if_range(self):
        file = self.server.add('/a', 1000)
        for validator, status in ((file.etag, 206), ('"other"', 200), (file.last_modified, 206)):
            _, head = self.curl('/a', '-r', '10-', '-H', f'If-Range: {validator}')
            self.assertEqual(head['status'], status, validator)
        file.etag = 'W/"weak"'
        _, head = self.curl('/a', '-r', '10-', '-H', 'If-Range: W/"weak"')
        self.assertEqual(head['status'], 200)

    def test_no_ranges(self):
        self.server.add('/a', 1000, ranges=False)
        body, head = self.curl('/a', '-r', '10-')
        self.assertEqual((head['status'], len(body)), (200, 1000))
        self.assertNotIn('accept-ranges', head)

    def test_status_burst(self):
        self.server.add('/a', 10, script=[Answer(status=503, headers={'Retry-After': '7'})] * 2)
        answers = [self.curl('/a')[1] for _ in range(3)]
        self.assertEqual([one['status'] for one in answers], [503, 503, 200])
        self.assertEqual(answers[0]['retry-after'], '7')

    def test_truncation(self):
        self.server.add('/a', 1000, script=[Answer(truncate=123)])
        body, _ = self.curl('/a', rc=PARTIAL)
        self.assertEqual(len(body), 123)
        self.assertEqual(len(self.curl('/a')[0]), 1000)

    def test_truncation_at_nothing(self):
        self.server.add('/a', 1000, script=[Answer(truncate=0)])
        body, _ = self.curl('/a', rc=PARTIAL)
        self.assertEqual(body, b'')

    def test_reset(self):
        self.server.add('/a', MIB, script=[Answer(reset=300 * KIB)])
        body, _ = self.curl('/a', rc=RESET)
        self.assertLessEqual(len(body), 300 * KIB)

    def test_drop(self):
        self.server.add('/a', 10, script=[Answer(drop=True)])
        self.curl('/a', rc=52)

    def test_wrong_content_range(self):
        self.server.add('/a', 1000, script=[Answer(content_range='bytes 0-{last}/{total}'),
                                            Answer(content_range='bytes {first}-{last}/77'),
                                            Answer(content_range='nonsense')])
        told = [self.curl('/a', '-r', '10-')[1]['content-range'] for _ in range(3)]
        self.assertEqual(told, ['bytes 0-999/1000', 'bytes 10-999/77', 'nonsense'])

    def test_changes_between_requests(self):
        file = self.server.add('/a', 1000)
        before = self.curl('/a')
        file.become(seed='other')
        after = self.curl('/a')
        self.assertNotEqual(before[0], after[0])
        self.assertNotEqual(before[1]['etag'], after[1]['etag'])

    def test_changes_in_mid_file(self):
        file = self.server.add('/a', 1000)
        file.script = [Answer(truncate=500, after=lambda: file.become(seed='new'))]
        body, head = self.curl('/a', rc=PARTIAL)
        self.assertEqual(len(body), 500)
        rest, new = self.curl('/a', '-r', '500-', '-H', f'If-Range: {head["etag"]}')
        self.assertEqual((new['status'], len(rest)), (200, 1000))

    def test_stall(self):
        file = self.server.add('/a', 2 * MIB, script=[Answer(stall=MIB)])
        got = []
        client = threading.Thread(target=lambda: got.append(self.curl('/a')[0]))
        client.start()
        self.assertTrue(file.stalled.wait(DEADLINE))
        self.assertEqual((client.is_alive(), self.server.requests('/a')[0].sent), (True, MIB))
        file.released.set()
        client.join(DEADLINE)
        self.assertEqual(hashlib.sha256(got[0]).hexdigest(), file.sha256)

    def test_stall_ends_with_the_client(self):
        file = self.server.add('/a', 1000, script=[Answer(stall=10)])
        with socket.create_connection(('127.0.0.1', self.server.port), DEADLINE) as client:
            client.sendall(b'GET /a HTTP/1.1\r\n\r\n')
            received = b''
            while len(received.partition(b'\r\n\r\n')[2]) < 10:
                received += client.recv(4096)
        self.assertTrue(file.stalled.wait(DEADLINE))
        wait_for(lambda: self.server.busy == 0, 'the answer to end')
        self.assertEqual(self.server.requests('/a')[0].sent, 10)

    def test_hang(self):
        self.server.add('/a', 1000, script=[Answer(hang=1)])
        self.assertEqual(self.curl('/a', '-m', '0.3', rc=TIMED_OUT), (b'', {}))

    def test_rate(self):
        self.server.add('/a', 300 * KIB, rate=400 * KIB)
        self.curl('/a')
        self.curl('/a', '-m', '0.2', rc=TIMED_OUT)

    def test_content_encoding(self):
        self.server.add('/a', 1000, headers={'Content-Encoding': 'gzip'})
        self.assertEqual(self.curl('/a')[1]['content-encoding'], 'gzip')

    def test_unknown_length(self):
        for length in 'chunked', 'close':
            file = self.server.add('/' + length, 300 * KIB, length=length)
            body, head = self.curl('/' + length)
            self.assertNotIn('content-length', head)
            self.assertEqual(hashlib.sha256(body).hexdigest(), file.sha256)

    def test_unknown_length_cut(self):
        self.server.add('/a', MIB, length='chunked', script=[Answer(truncate=1000)])
        body, _ = self.curl('/a', rc=PARTIAL)
        self.assertEqual(len(body), 1000)

    def test_surplus(self):
        self.server.add('/a', 1000, script=[Answer(surplus=500)])
        body, _ = self.curl('/a')
        self.assertEqual(len(body), 1000)
        self.server.add('/b', 1000, script=[Answer(surplus=500)])
        body, _ = self.curl('/b', '--ignore-content-length')
        self.assertEqual(len(body), 1500)

    def test_redirects(self):
        other = Server()
        self.addCleanup(other.stop)
        other.add('/b', 50)
        self.server.add('/b', 60)
        self.server.redirect('/same', '/b')
        self.server.redirect('/other', other.url('/b'), 307)
        self.server.redirect('/loop', '/loop')
        self.assertEqual(len(self.curl('/same', '-L')[0]), 60)
        self.assertEqual(len(self.curl('/other', '-L')[0]), 50)
        self.curl('/loop', '-L', '--max-redirs', '5', rc=47)

    def test_forever(self):
        self.server.add('/a', 10, script=Forever(Answer(status=404)))
        self.assertEqual({self.curl('/a')[1]['status'] for _ in range(5)}, {404})

    def test_keeps_connections(self):
        self.server.add('/a', 10)
        url = self.server.url('/a')
        subprocess.run(['curl', '--noproxy', '*', '-s', url, url, url], check=True,
                       stdout=subprocess.DEVNULL)
        self.assertEqual([one.connection for one in self.server.requests('/a')], [1, 1, 1])

    def test_missing(self):
        self.assertEqual(self.curl('/nothing')[1]['status'], 404)

    def test_stopped_refuses(self):
        self.server.stop()
        done = subprocess.run(['curl', '--noproxy', '*', '-s', self.server.url('/a')], check=False)
        self.assertEqual(done.returncode, 7)


if __name__ == '__main__':
    tap.main()
