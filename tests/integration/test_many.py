#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Jobs of thousands of files: added in one call, listed in pages, completed as a whole."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import stays, wait_for  # noqa: E402
from httpd import Answer, Forever  # noqa: E402
from world import WorldCase, digest  # noqa: E402

COUNT = 2000


class Many(WorldCase):
    timeout = 300

    def rows(self, count):
        return [self.file(f'f{number:05}', 500 + number)[1] for number in range(count)]

    def test_two_thousand_small_files(self):
        job = self.client.create(self.rows(COUNT), start=True)
        job.wait('transferred')
        self.assertEqual((job.get('FilesTransferred'), len(self.server.requests())), (COUNT, COUNT))
        self.client.expect('JobTransferred')
        self.client.flush()
        self.assertEqual(self.client.named('JobTransferred'), [])
        result, details = job.complete()
        self.assertEqual((result, len(details['kept'])), ('completed', COUNT))
        self.assertEqual(len(os.listdir(self.world.downloads)), COUNT)
        for number in range(COUNT):
            name = f'f{number:05}'
            self.assertEqual(digest(self.world.target(name)), self.server.resources['/' + name].sha256)

    def test_jobs_of_a_worker_take_turns(self):
        """A foreground job of many small files leaves every other connection that becomes free to the
        other job of its user; and no host is asked for more than six at a time."""
        def rows(letter, count):  # one connection becomes free at a time: 10 to 40 ms for each file
            return [self.file(f'{letter}{number:05}', 10000 + 977 * number % 30000, rate=1000000)[1]
                    for number in range(count)]
        second = self.client.create(rows('s', 60), Priority='low')
        first = self.client.create(rows('f', COUNT), start=True, Priority='foreground')
        wait_for(lambda: len(self.server.requests()) > 20, 'the first job to run')
        second.resume()
        second.wait('transferred')
        self.assertLess(first.get('FilesTransferred'), COUNT)
        turns = ''.join(request.path[1] for request in self.server.requests())
        turns = turns[turns.index('s'):turns.rindex('s')]
        self.assertLessEqual(turns.count('f'), 1.5 * turns.count('s'))
        self.assertLessEqual(self.server.busy_peak, 6)
        first.cancel()

    def test_foreground_does_not_wait(self):
        """Not for connections that files of the background hold for as long as they like."""
        rows = []
        for number in range(8):
            file, row, _ = self.file(f'slow{number}', script=Forever(Answer(hang=1)))
            rows.append(row)
        background = self.client.create(rows, start=True)
        wait_for(lambda: len(self.server.requests()) >= 5, 'the background to have its connections')
        self.assertTrue(stays(lambda: len(self.server.requests()) == 5, 0.5))
        file, row, path = self.file('quick')
        job = self.client.create([row], start=True, Priority='foreground')
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)
        background.cancel()

    def test_connections_of_a_worker(self):
        """64 in all, whoever has them."""
        servers = [self.world.server(address=f'127.0.0.{number}') for number in range(2, 16)]
        rows = []
        for number, server in enumerate(servers):
            for file in range(8):
                server.add(f'/{file}', 1000, script=Forever(Answer(hang=1)))
                rows.append((server.url(f'/{file}'), self.world.target(f'{number}-{file}')))
        jobs = [self.client.create(rows[::2], start=True),
                self.client.create(rows[1::2], start=True, Priority='foreground')]

        def count():
            return sum(len(server.requests()) for server in servers)
        wait_for(lambda: count() >= 64, 'the connections')
        self.assertTrue(stays(lambda: count() == 64, 0.5), count())
        # as long as they all run: a connection that is given up is so at the server a moment later
        self.assertEqual(max(server.busy_peak for server in servers), 6)
        for job in jobs:
            job.suspend()

    def test_cancel_of_two_thousand(self):
        job = self.client.create(self.rows(COUNT), start=True)
        job.wait('transferred')
        job.cancel()
        self.assertEqual(os.listdir(self.world.downloads), [])

    def test_partial_complete_of_many(self):
        rows = self.rows(1200)
        job = self.client.create(rows, start=True)
        while job.get('FilesTransferred') < 300:
            self.client.flush()
        result, details = job.complete()
        kept = {number for number, _ in details['kept']}
        gone = {number for number, _ in details['discarded']}
        self.assertEqual((kept | gone, kept & gone), (set(range(1200)), set()))
        self.assertEqual(result, 'partial' if gone else 'completed')
        self.assertGreaterEqual(len(kept), 300)
        self.assertEqual(sorted(os.listdir(self.world.downloads)),
                         sorted(f'f{number:05}' for number in kept))

    def test_added_in_calls_of_many(self):
        rows = self.rows(600)
        job = self.client.create()
        self.assertEqual([job.add_files(rows[:300]), job.add_files(rows[300:])], [0, 300])
        self.assertEqual(job.get('FilesTotal'), 600)
        self.assertEqual([row[0] for row in job.files()], list(range(600)))

    def test_pages_of_files(self):
        job = self.client.create(self.rows(50))
        self.assertEqual([row[0] for row in job.files(10, 5)], [10, 11, 12, 13, 14])
        self.assertEqual([row[0] for row in job.files(48, 10)], [48, 49])
        self.assertEqual(job.files(50, 10), [])
        url, path = self.server.url('/f00010'), self.world.target('f00010')
        self.assertEqual(job.files(10, 1)[0][1:3], (url, path))

    def test_pages_end_at_eight_megabytes(self):
        """Replies stay below the limit of the bus, whatever is asked for."""
        long_url = self.server.url('/' + 'x' * 4000)
        job = self.client.create()
        for part in range(3):
            job.add_files([(long_url, self.world.target(f'{part}-{number}')) for number in range(1000)])
        seen = []
        pages = 0
        while page := job.files(len(seen), 0):
            self.assertLess(sum(len(row[1]) + len(row[2]) for row in page), 8 << 20)
            seen += [row[0] for row in page]
            pages += 1
        self.assertEqual(seen, list(range(3000)))
        self.assertGreater(pages, 1)

    def test_twenty_thousand_and_one(self):
        row = (self.server.url('/a'), self.world.target('a'))
        job = self.client.create()
        self.assert_error('TooManyFiles', job.add_files, [row] * 20001)
        self.assert_error('InvalidArgs', job.add_files, [])
        self.assertEqual(job.get('FilesTotal'), 0)

    def test_pages_of_jobs(self):
        jobs = [self.client.create(name=f'job {number}').path for number in range(25)]
        self.assertEqual([path for path, _ in self.client.list_jobs()], jobs)
        self.assertEqual([path for path, _ in self.client.list_jobs(limit=10)], jobs[:10])
        self.assertEqual([path for path, _ in self.client.list_jobs(limit=10, after=jobs[9])],
                         jobs[10:20])
        self.assertEqual(self.client.list_jobs(after=jobs[24]), [])
        found = self.client.list_jobs(display_name='job 2?', properties=['DisplayName'])
        self.assertEqual(found, [(jobs[number], {'DisplayName': f'job {number}'})
                                 for number in range(20, 25)])
        self.assertEqual(self.client.list_jobs(states=['transferred']), [])
        self.assertEqual(len(self.client.list_jobs(states=['transferred', 'suspended'])), 25)
        self.assert_error('InvalidArgs', self.client.list_jobs, states=['nonsense'])
        self.assert_error('InvalidArgs', self.client.list_jobs, properties=['Nonsense'])


if __name__ == '__main__':
    tap.main()
