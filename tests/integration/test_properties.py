#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Properties of jobs that change what happens: what is told and how often, how large, how the job
ends."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import SECOND, wait_for  # noqa: E402
from httpd import KIB, MIB, Answer  # noqa: E402
from world import WorldCase, kill, temporaries  # noqa: E402


class NotifyFiles(WorldCase):
    def rows(self, count, **options):
        return [self.file(f'f{number}', 1000, **options)[1] for number in range(count)]

    def indices(self, signals):
        return sorted(index for one in signals for index in one.args[1])

    def test_each_once_and_not_too_often(self):
        """At most four signals a second, and all files in them, once."""
        rows = [self.file(f'f{number}', 20 * KIB, rate=100 * KIB)[1] for number in range(80)]
        self.client.manager('Subscribe', '(a{sv})', {})
        begin = time.monotonic()
        job = self.client.create(rows, start=True, NotifyFiles=True)
        job.wait('transferred')
        took = time.monotonic() - begin
        self.client.flush()
        told = self.client.named('FilesTransferred')
        self.assertEqual({one.args[0] for one in told}, {job.path})
        self.assertEqual(self.indices(told), list(range(80)))
        self.assertGreater(len(told), 1)
        self.assertLessEqual(len(told), 4 * took + 5)

    def test_only_to_those_who_listen(self):
        listener, stranger = self.world.client(), self.world.client()
        job = self.client.create(self.rows(3), NotifyFiles=True)
        job.seen_by(listener).get_all()
        job.resume()
        listener.expect('FilesTransferred')
        job.wait('transferred')
        for client in stranger, self.client:
            client.flush()
            self.assertEqual(client.named('FilesTransferred'), [])
            self.assertEqual(client.named('PropertiesChanged', job.path), [])

    def test_not_asked_for(self):
        self.client.manager('Subscribe', '(a{sv})', {})
        job = self.client.create(self.rows(3), start=True)
        job.wait('transferred')
        self.client.flush()
        self.assertEqual(self.client.named('FilesTransferred'), [])

    def test_before_an_error(self):
        """What has arrived is told before the job is said to have failed."""
        self.server.add('/gone', script=[Answer(hang=1, status=404)])
        rows = [*self.rows(2), (self.server.url('/gone'), self.world.target('gone'))]
        self.client.manager('Subscribe', '(a{sv})', {})
        job = self.client.create(rows, start=True, NotifyFiles=True)
        wait_for(lambda: job.get('FilesTransferred') == 2, 'two files')
        self.server.resources['/gone'].released.set()
        job.wait('error')
        self.client.flush()
        told = [one for one in self.client.signals if one.name in ('FilesTransferred', 'JobError')]
        self.assertEqual(told[-1].name, 'JobError')
        self.assertEqual(self.indices(told[:-1]), [0, 1])

    def test_switched_on_later(self):
        slow = self.file('slow', 300 * KIB, script=[Answer(stall=100)])
        job = self.client.create([self.file('a', 10)[1], slow[1]], start=True)
        wait_for(lambda: job.get('FilesTransferred') == 1, 'the first file')
        self.client.manager('Subscribe', '(a{sv})', {})
        job.set(NotifyFiles=True)
        slow[0].released.set()
        job.wait('transferred')
        self.client.flush()
        self.assertEqual(self.indices(self.client.named('FilesTransferred')), [1])


class NotifyInterval(WorldCase):
    def watch(self, interval, seconds):
        """Downloads for some seconds; (how often progress alone was told, how long it took)."""
        file, row, path = self.file(f'{interval}', int(400 * KIB * seconds), rate=400 * KIB)
        self.client.manager('Subscribe', '(a{sv})', {})
        begin = time.monotonic()
        job = self.client.create([row], start=True, NotifyInterval=interval)
        job.wait('transferred')
        took = time.monotonic() - begin
        self.client.flush()
        told = self.client.named('PropertiesChanged', job.path)
        amounts = [one.args[1]['BytesTransferred'] for one in told if 'BytesTransferred' in one.args[1]]
        self.assertEqual(amounts[-1], file.content.size)
        self.assertEqual(amounts, sorted(amounts))
        return len([one for one in told if 'State' not in one.args[1]]), took

    def test_spacing(self):
        count, took = self.watch(SECOND, 4)
        self.assertTrue(1 <= count <= took + 1, (count, took))

    def test_more_often(self):
        self.assertGreaterEqual(self.watch(100_000, 4)[0], 4)

    def test_hardly_ever(self):
        """Changes of the state are told at once all the same, with what there is to tell."""
        self.assertEqual(self.watch(3600 * SECOND, 1)[0], 0)

    def test_last_change_is_told(self):
        """The transfer stands still: what was received last becomes known without another event."""
        file, row, _ = self.file('a', MIB, script=[Answer(stall=600 * KIB)])
        self.client.manager('Subscribe', '(a{sv})', {})
        job = self.client.create([row], start=True, NotifyInterval=300_000)
        wait_for(file.stalled.is_set, 'the stall')
        wait_for(lambda: any(one.args[1].get('BytesTransferred') == 600 * KIB
                             for one in self.client.named('PropertiesChanged', job.path)),
                 'the last amount')

    def test_change_of_the_interval(self):
        """A shorter interval holds for what waits to be told already."""
        _, row, _ = self.file('a', 10 * MIB, rate=MIB)
        self.client.manager('Subscribe', '(a{sv})', {})
        job = self.client.create([row], start=True, NotifyInterval=3600 * SECOND)
        job.wait('transferring')
        job.set(NotifyInterval=200_000)
        self.client.flush()
        self.client.signals.clear()
        wait_for(lambda: len(self.client.named('PropertiesChanged', job.path)) >= 3,
                 'three signals')
        job.cancel()


class MaximumSize(WorldCase):
    def fetch(self, rows, limit):
        return self.client.create(rows, start=True, MaximumSize=limit)

    def test_exactly(self):
        """As much as is allowed is allowed, of one file or of several together."""
        for number, sizes in enumerate(([MIB], [MIB // 2, MIB // 2], [MIB, 0])):
            rows = [self.file(f'{number}.{each}', size)[1] for each, size in enumerate(sizes)]
            job = self.fetch(rows, MIB)
            job.wait('transferred')
            self.assertEqual(job.complete()[0], 'completed')

    def test_a_byte_too_much(self):
        for number, sizes in enumerate(([MIB + 1], [MIB // 2, MIB // 2 + 1], [MIB, 1])):
            for length in 'known', 'chunked':
                rows = [self.file(f'{length}.{number}.{each}', size, length=length)[1]
                        for each, size in enumerate(sizes)]
                with self.subTest(f'{sizes} {length}'):
                    job = self.fetch(rows, MIB)
                    job.wait('error')
                    self.assertEqual(job.error[0], 'MaximumSizeExceeded')
                    self.assertLessEqual(job.get('BytesTransferred'), MIB + 64 * KIB)
                    job.cancel()
        self.assertEqual(os.listdir(self.world.downloads), [])

    def test_known_size_costs_nothing(self):
        """A server that says how much it has is not made to send it."""
        file, row, _ = self.file('a', 64 * MIB, rate=MIB)
        job = self.fetch([row], MIB)
        job.wait('error')
        self.assertEqual(job.error[0], 'MaximumSizeExceeded')
        self.assertLess(job.get('BytesTransferred'), MIB)
        job.cancel()

    def test_resume_fails_again(self):
        _, row, _ = self.file('a', 2 * MIB, length='chunked')
        job = self.fetch([row], MIB)
        for _ in range(2):
            job.wait('error')
            self.assertEqual(job.error[0], 'MaximumSizeExceeded')
            job.resume()
        job.wait('error')
        job.cancel()

    def test_across_interruptions(self):
        """What came before an interruption counts, once."""
        file, row, path = self.file('a', MIB, script=[Answer(reset=MIB // 2), Answer(reset=MIB // 4)])
        job = self.fetch([row], MIB)
        job.wait('transferred', hurry=True)
        job.complete()
        self.assert_file(path, file)


class HighPerformance(WorldCase):
    def test_crash(self):
        """Without checkpoints a crash may cost what is not finished, but never the rules."""
        done, first, first_path = self.file('done', 1000)
        file, row, path = self.file('a', 8 * MIB, script=[Answer(stall=5 * MIB)])
        job = self.client.create([first, row], start=True, HighPerformance=True)
        wait_for(lambda: job.get('BytesTransferred') == 5 * MIB + 1000 and
                 job.get('FilesTransferred') == 1, 'the first bytes')
        self.assertEqual(sorted(os.listdir(self.world.downloads)), temporaries(self.world.downloads))
        for pid in self.world.workers():
            kill(pid)
        self.world.restart()
        job.wait('transferred')
        self.assertEqual(len(self.server.requests('/done')), 1)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(path, file)
        self.assert_file(first_path, done)
        self.assert_no_temporaries()

    def test_suspend(self):
        file, row, path = self.file('a', 8 * MIB, script=[Answer(stall=5 * MIB)])
        job = self.client.create([row], start=True, HighPerformance=True)
        wait_for(lambda: job.get('BytesTransferred') == 5 * MIB, 'the first bytes')
        job.suspend()
        job.resume()
        job.wait('transferred')
        self.assertEqual(self.server.ranges('/a'), [None, f'bytes={5 * MIB}-'])
        job.complete()
        self.assert_file(path, file)

    def test_before_the_first_file_only(self):
        job = self.client.create()
        job.set(HighPerformance=True)
        job.add(*self.file('a')[1])
        self.assert_error('ReadOnlyAfterAddFile', job.set, HighPerformance=False)
        self.assertTrue(job.get('HighPerformance'))


class AutoComplete(WorldCase):
    def test_several_files(self):
        files = [self.file(f'{number}', 1000) for number in range(5)]
        job = self.client.create([row for _, row, _ in files], start=True, AutoComplete=True)
        self.assertEqual(self.client.expect('JobTransferred').args, (job.path,))
        self.assertEqual(self.client.expect('JobRemoved').args, (job.path, 'completed'))
        for file, _, path in files:
            self.assert_file(path, file)
        self.assertEqual(job.tombstone()['kept-count'], 5)

    def test_set_when_all_is_there(self):
        file, row, path = self.file()
        job = self.client.create([row], start=True)
        job.wait('transferred')
        job.set(AutoComplete=True)
        self.assertEqual(self.client.expect('JobRemoved').args, (job.path, 'completed'))
        self.assert_file(path, file)

    def test_not_in_error(self):
        """A job that failed is not completed in part by itself."""
        self.server.add('/gone', script=[Answer(status=404)], size=10)
        rows = [self.file('a')[1], (self.server.url('/gone'), self.world.target('gone'))]
        job = self.client.create(rows, start=True, AutoComplete=True)
        job.wait('error')
        self.assertEqual(job.get('Operation'), '')
        self.assertFalse(os.path.exists(rows[0][1]))
        job.resume()
        self.client.expect('JobRemoved')
        self.assertEqual(sorted(os.listdir(self.world.downloads)), ['a', 'gone'])

    def test_newer_destination(self):
        """A file that somebody has written since is not replaced; the job stays and says why."""
        file, row, path = self.file('a', 3 * MIB, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True, AutoComplete=True)
        wait_for(file.stalled.is_set, 'the stall')
        with open(path, 'w', encoding='utf-8') as other:
            other.write('mine')
        os.utime(path, (2**31, 2**31))
        file.released.set()
        self.client.expect('JobTransferred')
        wait_for(lambda: 'complete-failed' in job.events(), 'the refusal')
        self.assertEqual(job.state, 'transferred')
        with open(path, encoding='utf-8') as other:
            self.assertEqual(other.read(), 'mine')
        job.complete()
        self.assert_file(path, file)

    def test_after_a_restart(self):
        """A crash between the last byte and the end does not make the job wait for its owner."""
        file, row, path = self.file('a', 3 * MIB, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True, AutoComplete=True)
        wait_for(file.stalled.is_set, 'the stall')
        self.world.kill_daemon()
        self.world.start()
        self.client.expect('JobRemoved')
        self.assertEqual(job.tombstone()['result'], 'completed')
        self.assert_file(path, file)


if __name__ == '__main__':
    tap.main()
