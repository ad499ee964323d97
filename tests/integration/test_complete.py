#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Complete: in every state, with every destination, by two clients at once."""
import os
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DBusError, wait_for  # noqa: E402
from endings import STATES, CompleteCase, read_only  # noqa: E402
from httpd import Answer  # noqa: E402
from world import temporaries  # noqa: E402


class Complete(CompleteCase):
    config = {'BackgroundJobs': 1, 'BackgroundJobsPerUser': 1}

    def check(self, state):
        job = self.begin(state)
        result, details = job.complete()
        done, unfinished = self.world.target('done'), self.world.target('open')
        if state == 'suspended-empty':
            self.assertEqual((result, details['kept']), ('completed', []))
        elif state == 'transferred':
            self.assertEqual((result, details['kept']), ('completed', [(0, done), (1, unfinished)]))
        else:
            self.assertEqual(result, 'partial')
            self.assertEqual(details, {'kept': [(0, done)], 'discarded': [(1, unfinished)],
                                       'moved': [], 'undeleted': []})
            self.assertFalse(os.path.exists(unfinished))
        if state != 'suspended-empty':
            self.assert_in_place('done')
        self.assert_no_temporaries()
        self.assertEqual(job.state, 'acknowledged')
        self.assertEqual(job.tombstone()['result'], result)
        self.client.flush()
        self.assertEqual(self.client.named('JobRemoved')[-1].args, (job.path, result))

    def test_rename_fails(self):
        """Those before it are in place, the job stays, a repeated call finishes the rest."""
        job = self.transferred('a', 'b', 'c')
        self.block('b')
        message = self.assert_error('CommitFailed', job.complete)
        self.assertIn(self.world.target('b'), message)
        self.assertEqual((job.state, job.get('Operation')), ('transferred', ''))
        self.assertEqual(job.file_states(), ['completed', 'transferred', 'transferred'])
        self.assert_in_place('a')
        self.assertFalse(os.path.exists(self.world.target('c')))
        self.assertEqual(len(temporaries(self.world.downloads)), 2)
        self.assert_error('CommitFailed', job.complete)
        os.rmdir(self.world.target('b'))
        result, details = job.complete()
        self.assertEqual((result, [number for number, _ in details['kept']]), ('completed', [0, 1, 2]))
        self.assert_in_place('a', 'b', 'c')
        self.assert_no_temporaries()

    def test_rename_fails_and_the_first_is_moved_away(self):
        job = self.transferred('a', 'b')
        self.block('b')
        self.assert_error('CommitFailed', job.complete)
        os.rename(self.world.target('a'), self.world.target('elsewhere'))
        os.rmdir(self.world.target('b'))
        result, details = job.complete()
        self.assertEqual(result, 'completed')
        self.assertFalse(os.path.exists(self.world.target('a')))
        self.assert_in_place('b')
        self.assertIn((1, self.world.target('b')), details['kept'])
        self.assertEqual(len(details['kept']) + len(details['moved']), 2)

    def test_rename_fails_with_unfinished_files(self):
        job = self.begin_unfinished('suspended')
        self.block('done')
        self.assert_error('CommitFailed', job.complete)
        self.assertEqual(job.state, 'suspended')
        self.assertEqual(len(temporaries(self.world.downloads)), 2)
        os.rmdir(self.world.target('done'))
        job.resume()
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_in_place('done', 'open')

    def test_cancel_after_half_a_complete(self):
        job = self.transferred('a', 'b', 'c')
        self.block('b')
        self.assert_error('CommitFailed', job.complete)
        self.assertEqual(job.cancel(), ('cancelled', {'undeleted': []}))
        self.assert_in_place('a')
        self.assertFalse(os.path.exists(self.world.target('c')))
        self.assertTrue(os.path.isdir(self.world.target('b')))
        self.assert_no_temporaries()
        self.assertEqual(job.tombstone()['result'], 'cancelled')

    def test_destination_is_something_special(self):
        os.mkfifo(self.world.target('fifo'))
        os.mkdir(self.world.target('directory'))
        os.mknod(self.world.target('socket'), stat.S_IFSOCK | 0o600)
        for name in 'fifo', 'directory', 'socket':
            with self.subTest(name):
                before = os.lstat(self.world.target(name)).st_ino
                job = self.transferred(name)
                self.assert_error('CommitFailed', job.complete)
                self.assertEqual(os.lstat(self.world.target(name)).st_ino, before)
                job.cancel()

    def test_replaces_a_file_or_a_link_not_its_target(self):
        precious = os.path.join(self.world.directory, 'precious')
        for path in precious, self.world.target('file'):
            with open(path, 'w', encoding='utf-8') as file:
                file.write('old')
        os.symlink(precious, self.world.target('link'))
        job = self.transferred('file', 'link')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_in_place('file', 'link')
        self.assertFalse(os.path.islink(self.world.target('link')))
        with open(precious, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'old')

    def test_overwrite_fail(self):
        job = self.transferred('a', 'b')
        with open(self.world.target('b'), 'w', encoding='utf-8') as file:
            file.write('mine')
        self.assert_error('CommitFailed', job.complete, overwrite='fail')
        with open(self.world.target('b'), encoding='utf-8') as file:
            self.assertEqual(file.read(), 'mine')
        self.assertEqual(job.complete(overwrite='replace')[0], 'completed')
        self.assert_in_place('a', 'b')

    def test_overwrite_keep_both(self):
        for name in 'a.tar.gz', 'b':
            with open(self.world.target(name), 'w', encoding='utf-8') as file:
                file.write('mine')
        job = self.transferred('a.tar.gz', 'b', 'c')
        result, details = job.complete(overwrite='keep-both')
        self.assertEqual((result, len(details['kept'])), ('completed', 3))
        for number, name in enumerate(('a.tar.gz', 'b', 'c')):
            kept = details['kept'][number][1]
            self.assert_file(kept, self.server.resources['/' + name])
            self.assertEqual(kept == self.world.target(name), name == 'c')
            self.assertEqual(os.path.dirname(kept), self.world.downloads)
        for name in 'a.tar.gz', 'b':
            with open(self.world.target(name), encoding='utf-8') as file:
                self.assertEqual(file.read(), 'mine')
        self.assert_no_temporaries()

    def test_overwrite_unknown(self):
        job = self.transferred('a')
        self.assert_error('InvalidArgs', job.complete, overwrite='perhaps')
        self.assertEqual(job.state, 'transferred')

    def test_require_all(self):
        job = self.begin_unfinished('suspended')
        self.assert_error('NotTransferred', job.complete, require_all=True)
        self.assertEqual((job.state, len(temporaries(self.world.downloads))), ('suspended', 2))
        job.resume()
        job.wait('transferred')
        self.assertEqual(job.complete(require_all=True)[0], 'completed')

    def test_directory_is_gone(self):
        directory = self.world.target('sub')
        os.mkdir(directory)
        _, row, _ = self.file('a')
        job = self.client.create([(row[0], directory + '/a')], start=True)
        job.wait('transferred')
        os.rename(directory, directory + '-away')
        self.assert_error('CommitFailed', job.complete)
        self.assertEqual(job.state, 'transferred')
        os.mkdir(directory)
        self.assert_error('CommitFailed', job.complete)
        os.rmdir(directory)
        os.rename(directory + '-away', directory)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(directory + '/a', self.server.resources['/a'])

    def test_first_failure_stops_many(self):
        """Also when the next request is under way by then: nothing behind the failure is renamed."""
        count = 1700
        self.server.add('/one', 100)
        job = self.client.create([(self.server.url('/one'), self.world.target(f'{index}'))
                                  for index in range(count)], start=True)
        job.wait('transferred')
        for index in 300, 1200:
            os.mkdir(self.world.target(f'{index}'))
            self.assert_error('CommitFailed', job.complete)
            self.assertEqual((job.state, job.get('Operation')), ('transferred', ''))
            self.assertEqual(job.file_states(), ['completed'] * index + ['transferred'] * (count - index))
            there = {name for name in os.listdir(self.world.downloads) if not name.startswith('.')}
            self.assertEqual(there, {f'{number}' for number in range(index + 1)})
            os.rmdir(self.world.target(f'{index}'))
        result, details = job.complete()
        self.assertEqual((result, [number for number, _ in details['kept']]),
                         ('completed', list(range(count))))
        self.assert_no_temporaries()

    def test_temporary_is_gone(self):
        job = self.transferred('a', 'b')
        os.unlink(self.world.target(f'.transferd-{job.id}-1.part'))
        self.assert_error('CommitFailed', job.complete)
        self.assertEqual(job.file_states(), ['transferred', 'missing'])
        job.resume()
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_in_place('a', 'b')

    def test_temporary_was_replaced(self):
        job = self.transferred('a')
        part = self.world.target(f'.transferd-{job.id}-0.part')
        os.rename(part, part + '.bak')
        with open(part, 'w', encoding='utf-8') as file:
            file.write('not yours')
        self.assert_error('CommitFailed', job.complete)
        with open(part, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'not yours')
        self.assertFalse(os.path.exists(self.world.target('a')))

    def test_two_ways_to_one_destination(self):
        """A file of this very job is never replaced by another one of it."""
        os.symlink(self.world.downloads, self.world.target('link'))
        _, first, path = self.file('a')
        _, second, _ = self.file('b')
        job = self.client.create([first, (second[0], self.world.target('link/a'))], start=True)
        job.wait('transferred')
        self.assert_error('CommitFailed', job.complete)
        self.assertEqual(job.file_states(), ['completed', 'transferred'])
        self.assert_in_place('a')
        job.cancel()
        self.assert_in_place('a')
        self.assert_no_temporaries()

    def test_temporary_was_linked_to_its_final_name(self):
        """A rename between two names of one file does nothing, and must not be taken for done; a
        temporary that has another name is not the service's alone, and is left alone."""
        job = self.transferred('a')
        part = self.world.target(f'.transferd-{job.id}-0.part')
        os.link(part, self.world.target('a'))
        self.assertIn('second name', self.assert_error('CommitFailed', job.complete))
        self.assertEqual(job.file_states(), ['missing'])
        job.resume()
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_in_place('a')
        self.assertEqual((os.stat(self.world.target('a')).st_nlink, temporaries(self.world.downloads)),
                         (1, [os.path.basename(part)]))

    def test_two_jobs_one_destination(self):
        first, second = (self.client.create([row], start=True) for row in (
            self.file('a')[1], (self.file('other')[1][0], self.world.target('a'))))
        for job in first, second:
            job.wait('transferred')
            self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(self.world.target('a'), self.server.resources['/other'])
        self.assert_no_temporaries()

    def test_twice(self):
        job = self.transferred('a')
        job.complete()
        for call in job.complete, job.cancel, job.suspend, job.resume:
            self.assert_error('InvalidState', call)
        self.assert_error('InvalidState', job.add, self.server.url('/a'), self.world.target('b'))
        self.assert_error('InvalidState', job.set, DisplayName='late')
        self.assert_in_place('a')

    def test_two_clients_at_once(self):
        for number in range(5):
            name = f'f{number}'
            job = self.transferred(name)
            other = job.seen_by(self.world.client())
            calls = [job.send_complete(), other.send_complete()]
            results = []
            for call in calls:
                try:
                    results.append(call.result()[0])
                except DBusError as error:
                    results.append(error.short)
            self.assertEqual(sorted(results), ['InvalidState', 'completed'])
            self.assert_in_place(name)

    def test_complete_and_cancel_at_once(self):
        job = self.transferred('a', 'b')
        calls = [job.send_complete(), job.seen_by(self.world.client()).send_cancel()]
        results = []
        for call in calls:
            try:
                results.append(call.result()[0])
            except DBusError as error:
                results.append(error.short)
        self.assertIn('InvalidState', results)
        end = (set(results) - {'InvalidState'}).pop()
        self.assertEqual(job.tombstone()['result'], end)
        self.assertEqual(os.path.exists(self.world.target('a')), end == 'completed')
        self.assert_no_temporaries()

    def test_others_wait_for_the_end(self):
        """Reads answer while Complete works, other calls are decided after it."""
        rows = [self.file(f'f{number}', 100)[1] for number in range(300)]
        job = self.client.create(rows, start=True)
        job.wait('transferred')
        other = job.seen_by(self.world.client())
        ending, reading = job.send_complete(), job.send('Explain')
        reading.result()  # by now Complete has arrived, too
        mutator = other.send('Suspend')
        self.assertEqual(ending.result()[0], 'completed')
        with self.assertRaises(DBusError) as caught:
            mutator.result()
        self.assertEqual(caught.exception.short, 'InvalidState')

    def test_worker_is_dead(self):
        job = self.transferred('a')
        self.world.kill_worker()
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_in_place('a')
        self.assert_no_temporaries()

    def test_worker_dies_with_the_call(self):
        job = self.transferred('a', 'b')
        call = job.send_complete()
        self.world.kill_worker()
        self.assertEqual(call.result()[0], 'completed')
        self.assert_in_place('a', 'b')
        self.assert_no_temporaries()

    def test_readable_for_a_while_then_gone(self):
        job = self.transferred('a')
        started = time.monotonic()
        job.complete()
        self.assertEqual(job.get_all()['State'], 'acknowledged')
        self.assertEqual(job.files()[0][5], 'completed')
        self.assertEqual(self.client.list_jobs(), [])

        def gone():
            try:
                job.get('State')
                return False
            except DBusError as error:
                self.assertEqual(error.short, 'NotFound')
                return True
        wait_for(gone, 'the object to go')
        self.assertGreater(time.monotonic() - started, 4.5)
        self.assert_error('NotFound', job.complete)
        self.assert_error('NotFound', self.client.manager, 'GetJob', '(s)', job.id)
        self.assertEqual(job.tombstone()['result'], 'completed')

    def test_history(self):
        job = self.begin_unfinished('error')
        job.complete()
        row = job.tombstone(files=True)
        self.assertEqual((row['result'], row['display-name'], row['type']),
                         ('partial', 'test', 'download'))
        self.assertEqual((row['kept-count'], row['discarded-count']), (1, 1))
        self.assertEqual(row['kept'], [(0, self.world.target('done'))])
        self.assertEqual(row['discarded'], [(1, self.world.target('open'))])
        self.assertTrue(row['error'].endswith('.HttpStatus'))
        self.assertAlmostEqual(row['ended'] / 1e6, time.time(), delta=60)
        other = self.client.create()
        other.cancel()
        self.assertEqual(list(self.client.history()), [other.id, job.id])
        self.assertEqual(list(self.client.history(limit=1)), [other.id])
        self.assertEqual(list(self.client.history(after=other.id)), [job.id])
        self.assert_error('InvalidArgs', self.client.history, files=True)
        self.world.restart()
        self.assertEqual(list(self.client.history()), [other.id, job.id])

    def test_bulk(self):
        jobs = [self.transferred(name) for name in ('a', 'b')]
        self.block('b')
        unknown = jobs[0].path[:-32] + '0' * 32
        results, = self.client.manager('CompleteJobs', '(aoa{sv})',
                                       [jobs[0].path, unknown, jobs[1].path], {})
        self.assertEqual([(path, result, error.rpartition('.')[2]) for path, result, error in results],
                         [(jobs[0].path, 'completed', ''), (unknown, '', 'NotFound'),
                          (jobs[1].path, '', 'CommitFailed')])
        results, = self.client.manager('CancelJobs', '(aoa{sv})', [jobs[1].path], {})
        self.assertEqual(results, [(jobs[1].path, 'cancelled', '')])

    def test_undeleted_temporary(self):
        done, first, _ = self.file('done')
        unfinished, second, _ = self.file('open', script=[Answer(stall=1000)])
        directory = self.world.target('sub')
        os.mkdir(directory)
        job = self.client.create([first, (second[0], directory + '/open')], start=True)
        wait_for(unfinished.stalled.is_set, 'the answer')
        wait_for(lambda: job.get('FilesTransferred') == 1, 'the first file')
        part = f'{directory}/.transferd-{job.id}-1.part'
        wait_for(lambda: os.path.exists(part), 'the temporary')
        with read_only(directory):
            result, details = job.complete()
        self.assertEqual((result, details['undeleted']), ('partial', [part]))
        self.assertEqual(job.tombstone()['undeleted'], [part])
        self.assert_in_place('done')
        self.assertTrue(os.path.exists(part))


for one_state in STATES:
    setattr(Complete, f'test_in_{one_state}'.replace('-', '_'),
            lambda self, state=one_state: self.check(state))


if __name__ == '__main__':
    tap.main()
