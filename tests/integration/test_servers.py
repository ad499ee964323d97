#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Downloads from the servers that are really out there: nginx and apache2."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import servers  # noqa: E402
import tap  # noqa: E402
from bus import wait_for  # noqa: E402
from httpd import MIB  # noqa: E402
from world import WorldCase, digest  # noqa: E402


class Servers(WorldCase):
    def prepare(self, server):
        self.addCleanup(server.stop)
        return server

    def fetch(self, server, locations, **options):
        content = server.add('file', 12 * MIB)
        rows = [(server.url(f'{location}file'), self.world.target(f'f{number}'))
                for number, location in enumerate(locations)]
        job = self.client.create(rows, start=True, **options)
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        for _, path in rows:
            self.assertEqual(digest(path), content.sha256)

    def test_nginx(self):
        self.fetch(self.prepare(servers.nginx()), ['/', '/slow/', '/norange/', '/moved/'])

    def test_apache(self):
        self.fetch(self.prepare(servers.apache()), ['/', '/norange/', '/moved/'])

    def interrupt(self, server, location):
        content = server.add('file', 24 * MIB)
        path = self.world.target('file')
        job = self.client.create([(server.url(f'{location}file'), path)], start=True)
        for amount in 2 * MIB, 6 * MIB:
            wait_for(lambda: job.get('BytesTransferred') >= amount, 'some bytes')
            job.suspend()
            job.hurry()
        job.wait('transferred')
        job.complete()
        self.assertEqual(digest(path), content.sha256)

    def test_nginx_interrupted(self):
        self.interrupt(self.prepare(servers.nginx()), '/slow/')

    def test_nginx_interrupted_without_ranges(self):
        self.interrupt(self.prepare(servers.nginx('8m')), '/slow-norange/')

    def test_apache_interrupted(self):
        self.interrupt(self.prepare(servers.apache()), '/slow/')

    def test_nginx_errors(self):
        server = self.prepare(servers.nginx())
        job = self.client.create([(server.url('/nothing'), self.world.target('a'))], start=True)
        job.wait('error')
        self.assertEqual(job.get('Error')['http-status'], 404)
        job = self.client.create([(server.url('/busy'), self.world.target('b'))], start=True)
        job.wait('transient-error')
        self.assertEqual(job.get('Error')['http-status'], 503)
        job = self.client.create([(server.url('/cut'), self.world.target('c'))], start=True)
        job.wait('transient-error')
        self.assertEqual(job.error[0], 'ConnectionLost')
        job = self.client.create([(server.url('/loop'), self.world.target('d'))], start=True)
        job.wait('error')
        self.assertEqual(job.error[0], 'TooManyRedirects')

    def test_nginx_restarted_with_another_file(self):
        server = self.prepare(servers.nginx())
        server.add('file', 64 * MIB, 'old')
        path = self.world.target('file')
        job = self.client.create([(server.url('/slow/file'), path)], start=True)
        wait_for(lambda: job.get('BytesTransferred') >= 2 * MIB, 'some bytes')
        job.suspend()
        content = server.add('file', 20 * MIB, 'new')
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assertEqual(digest(path), content.sha256)


if __name__ == '__main__':
    tap.main()
