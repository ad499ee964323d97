#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Many files of one server: after the first few they are asked for on connections that are kept for
them, by a program that knows ordinary answers only. Nobody may notice."""
import os
import selectors
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import wait_for  # noqa: E402
from httpd import Answer, KIB, MIB  # noqa: E402
from world import WorldCase  # noqa: E402

COUNT = 80
MIDDLE = 50


class Rude:
    """Servers, one on each of some ports, that write exactly what they are told to: answer (path)."""

    def __init__(self, answer, ports=1):
        self.answer = answer
        self.lock = threading.Lock()
        self.open = self.peak = 0
        self.waiting = selectors.DefaultSelector()
        self.listeners = [socket.create_server(('127.0.0.1', 0), backlog=64) for _ in range(ports)]
        self.ports = [listener.getsockname()[1] for listener in self.listeners]
        for listener in self.listeners:
            self.waiting.register(listener, selectors.EVENT_READ)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            for key, _ in self.waiting.select():
                connection, _ = key.fileobj.accept()
                threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        with self.lock:
            self.open += 1
            self.peak = max(self.peak, self.open)
        try:
            with connection, connection.makefile('rb') as said:
                while line := said.readline():
                    while said.readline().strip():
                        pass
                    connection.sendall(self.answer(line.split()[1].decode()))
        except OSError:
            pass  # the client has gone
        with self.lock:
            self.open -= 1

    def url(self, path, number=0):
        return f'http://127.0.0.1:{self.ports[number % len(self.ports)]}{path}'


def whole(body):
    return b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b' % (len(body), body)


class Lanes(WorldCase):
    timeout = 300

    def make(self, size=KIB, count=COUNT, **middle):
        """A job of small files, one of which is out of the ordinary."""
        self.files = [self.file(f'f{number:03}', size + number, **(middle if number == MIDDLE else {}))
                      for number in range(count)]
        return self.client.create([row for _, row, _ in self.files], start=True, Priority='foreground')

    def finish(self, job):
        while job.wait('transferred', 'transient-error') != 'transferred':
            job.resume()
        job.complete()
        for resource, _, path in self.files:
            self.assert_file(path, resource)

    def middle(self):
        return self.server.requests(f'/f{MIDDLE:03}')

    def test_requests_are_the_same(self):
        self.finish(self.make(count=300))
        requests = self.server.requests()
        self.assertEqual(len(requests), 300)
        for request in requests:
            self.assertEqual(request.headers, requests[0].headers)
            self.assertEqual(list(request.headers), list(requests[0].headers))
        self.assertEqual({'/' + os.path.basename(path) for _, _, path in self.files},
                         {request.target for request in requests})
        self.assertLessEqual(len({request.connection for request in requests}), 6)
        self.assertLessEqual(self.server.busy_peak, 6)

    def test_header_fields_of_a_job_are_its_own(self):
        """… also on connections that another job has left."""
        self.finish(self.make())
        self.files = [self.file(f'g{number:03}', KIB) for number in range(COUNT)]
        job = self.client.create([row for _, row, _ in self.files], start=True, Priority='foreground',
                                 Headers=[('X-Ours', 'yes')])
        self.finish(job)
        said = [request.headers.get('x-ours') for request in self.server.requests()]
        self.assertEqual(said, [None] * COUNT + ['yes'] * COUNT)

    def test_paths_are_asked_as_they_are(self):
        self.files = [self.file(f'p{number:03}', KIB) for number in range(COUNT)]
        rows = []
        for resource, (_, path), _ in self.files:
            name = resource.path.strip('/') + '/a%20b%2Fc;x=1/d'
            self.server.add('/' + name, KIB, seed=resource.content.seed)
            rows.append((self.server.url('/' + name) + '?q=%e4&r=a+b', path))
        self.finish(self.client.create(rows, start=True, Priority='foreground'))
        seen = {request.target.partition('/a')[2] for request in self.server.requests()}
        self.assertEqual(len(seen), 1, seen)

    def test_larger_files(self):
        self.finish(self.make(size=300 * KIB))
        self.assertEqual(len(self.server.requests()), COUNT)

    def test_one_large_file(self):
        self.files = [self.file(f'f{number:03}', 130 * MIB + 5 if number == MIDDLE else number)
                      for number in range(COUNT)]
        self.finish(self.client.create([row for _, row, _ in self.files], start=True,
                                       Priority='foreground'))
        self.assertEqual(len(self.server.requests()), COUNT)

    def test_chunks(self):
        self.finish(self.make(length='chunked'))

    def test_body_that_ends_with_the_connection(self):
        self.finish(self.make(length='close'))

    def test_connection_that_is_closed(self):
        self.finish(self.make(headers={'Connection': 'close'}))
        self.assertEqual(len(self.server.requests()), COUNT)

    def test_all_answers_in_chunks(self):
        self.files = [self.file(f'f{number:03}', KIB, length='chunked') for number in range(COUNT)]
        self.finish(self.client.create([row for _, row, _ in self.files], start=True))
        self.assertEqual(len(self.server.requests()), COUNT)

    def test_no_answer(self):
        self.finish(self.make(script=[Answer(drop=True)]))
        self.assertEqual(len(self.middle()), 2)

    def test_half_an_answer(self):
        for script in Answer(truncate=300), Answer(reset=300), Answer(truncate=0), Answer(surplus=500):
            with self.subTest(script=script):
                self.finish(self.make(script=[script]))

    def test_too_much(self):
        """What comes after the end of a body does not get into the next file."""
        self.files = [self.file(f'f{number:03}', KIB + number, script=[Answer(surplus=3000)] * (number % 3))
                      for number in range(COUNT)]
        self.finish(self.client.create([row for _, row, _ in self.files], start=True))

    def test_redirect(self):
        there = self.server.add('/there', KIB)
        job = self.make(script=[Answer(status=302, headers={'Location': '/there'})])
        job.wait('transferred')
        job.complete()
        self.assert_file(self.files[MIDDLE][2], there)
        self.assertEqual((len(self.middle()), len(self.server.requests('/there'))), (1, 1))

    def test_all_are_elsewhere(self):
        """No connections are made for what cannot use them."""
        there = self.server.add('/there', KIB)
        rows = []
        for number in range(COUNT):
            self.server.redirect(f'/r{number:03}', '/there')
            rows.append((self.server.url(f'/r{number:03}'), self.world.target(f'r{number:03}')))
        job = self.client.create(rows, start=True, Priority='foreground')
        job.wait('transferred')
        job.complete()
        for _, path in rows:
            self.assert_file(path, there)
        # a redirect ends its connection; the next one is asked for on what a file has left
        self.assertEqual(len(self.server.requests()), 2 * COUNT)
        self.assertLessEqual(len({request.connection for request in self.server.requests()}), COUNT + 12)

    def test_error(self):
        job = self.make(script=[Answer(status=404)] * 9)
        job.wait('error')
        self.assertEqual(len(self.middle()), 1)
        job.cancel()

    def test_busy_server(self):
        """It is asked again, but not at once."""
        job = self.make(script=[Answer(status=503)])
        job.wait('transient-error')
        self.assertEqual(len(self.middle()), 1)
        self.finish(job)
        self.assertEqual(len(self.middle()), 2)

    def test_encoding_that_nobody_asked_for(self):
        job = self.make(script=[Answer(headers={'Content-Encoding': 'gzip'})] * 9)
        job.wait('error', 'transient-error')
        job.cancel()

    def test_heads_that_are_too_long(self):
        self.finish(self.make(script=[Answer(headers={'X-Long': 'x' * 20_000})]))

    def test_cancel(self):
        job = self.make(script=[Answer(stall=100)])
        self.files[MIDDLE][0].stalled.wait(30)
        self.assertEqual(job.cancel()[0], 'cancelled')
        self.finish(self.make(count=MIDDLE))

    def fetch(self, server, count, prefix='f'):
        rows = [(server.url(f'/{prefix}{number}', number), self.world.target(f'{prefix}{number}'))
                for number in range(count)]
        job = self.client.create(rows, start=True, Priority='foreground')
        while job.wait('transferred', 'transient-error') != 'transferred':
            job.resume()
        job.complete()
        return [path for _, path in rows]

    def test_answers_that_nobody_asked_for(self):
        """What lies on a connection before a file is asked for is not its content."""
        def answer(path):
            return whole(path.encode() * 20_000) + whole(b'of somebody else')
        for path in self.fetch(Rude(answer), 300):
            with open(path, 'rb') as file:
                self.assertEqual(file.read(), f'/{os.path.basename(path)}'.encode() * 20_000)

    def test_many_servers(self):
        """Connections that are kept for more files are not kept from other servers."""
        server = Rude(lambda path: whole(path.encode()), ports=300)
        self.fetch(server, 300)
        self.assertLessEqual(server.peak, 128)

    def test_connections_of_a_server(self):
        """… and those that libsoup has left count."""
        everybody = threading.Barrier(6)

        def answer(path):
            if path.startswith('/a'):
                everybody.wait(30)
            return whole(path.encode())
        server = Rude(answer)
        self.fetch(server, 6, 'a')
        self.fetch(server, 60, 'b')
        self.assertEqual(server.peak, 6)

    def test_bytes_of_a_suspended_job(self):
        """What was in memory when it was suspended is not counted as being there."""
        there = self.server.add('/there', 40 * MIB, script=[Answer(rate=10 * MIB)] * 9)
        self.files = [self.file(f'f{number:03}', 20 * KIB) for number in range(600)]
        job = self.client.create([(self.server.url('/there'), self.world.target('there')),
                                  *(row for _, row, _ in self.files)], Priority='foreground')
        for number in range(1, 6):
            requests = len(self.server.requests())
            job.resume()
            wait_for(lambda: len(self.server.requests()) > requests + 10 * number, 'some files')
            job.suspend()
            wait_for(lambda: job.get('BytesTransferred') == self.here(), 'what is told to be there')
        job.resume()
        self.finish(job)
        self.assert_file(self.world.target('there'), there)

    def here(self):
        return sum(entry.stat().st_size for entry in os.scandir(self.world.downloads))

    def test_names_of_temporaries_that_are_taken(self):
        """By something foreign, which stays, and by what we had left ourselves, which does not."""
        self.files = [self.file(f'f{number:03}', KIB) for number in range(COUNT)]
        job = self.client.create([row for _, row, _ in self.files], Priority='foreground')
        foreign, own = (self.world.target(f'.transferd-{job.id}-{number}.part')
                        for number in (MIDDLE, MIDDLE + 1))
        os.mkdir(foreign)
        with open(own, 'w', encoding='ascii') as file:
            file.write('x' * 3 * KIB)
        job.resume()
        self.finish(job)
        self.assertEqual(os.listdir(foreign), [])
        os.rmdir(foreign)
        self.assert_no_temporaries()

    def test_digests(self):
        self.files = [self.file(f'f{number:03}', KIB) for number in range(COUNT)]
        rows = [(url, path, {'digest': 'sha256:' + resource.sha256})
                for resource, (url, path), _ in self.files]
        rows[MIDDLE][2]['digest'] = 'sha256:' + '0' * 64
        job = self.client.create(rows, start=True, Priority='foreground')
        job.wait('error')
        self.assertEqual(job.error[0], 'DigestMismatch')
        job.cancel()
        self.assert_no_temporaries()

    def test_empty_files(self):
        self.files = [self.file(f'f{number:03}', 0) for number in range(COUNT)]
        self.finish(self.client.create([row for _, row, _ in self.files], start=True))


if __name__ == '__main__':
    tap.main()
