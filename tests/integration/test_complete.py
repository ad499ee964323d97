#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Complete and Cancel: in every state, with every destination, by two clients at once."""
import contextlib
import fcntl
import os
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DBusError, GLib, wait_for  # noqa: E402
from httpd import Answer, Forever  # noqa: E402
from world import WorldCase, snapshot, temporaries  # noqa: E402

IMMUTABLE = 0x10
GET_FLAGS, SET_FLAGS = 0x80086601, 0x40086602


class CompleteCase(WorldCase):
    def transferred(self, *names, **options):
        """A job that is transferred, with a file for each name."""
        rows = [self.file(name)[1] for name in names]
        job = self.client.create(rows, start=True, **options)
        job.wait('transferred')
        return job

    def assert_in_place(self, *names):
        for name in names:
            self.assert_file(self.world.target(name), self.server.resources['/' + name])

    def block(self, name):
        """Puts a directory where the file shall go, which no rename replaces."""
        os.mkdir(self.world.target(name))

    def begin(self, state):
        """A job in `state` with the finished file "done" (where the state allows one) and the
        unfinished file "open"."""
        if state == 'suspended-empty':
            return self.client.create()
        if state in ('suspended', 'queued', 'connecting', 'transferring', 'transient-error', 'error'):
            return self.begin_unfinished(state)
        return self.transferred('done', 'open')

    def begin_unfinished(self, state):
        script = {'connecting': [Answer(hang=1)], 'transferring': [Answer(stall=1000)],
                  'transient-error': Forever(Answer(status=503)),
                  'error': Forever(Answer(status=404))}.get(state, [])
        done, first, _ = self.file('done')
        unfinished, second, _ = self.file('open')
        job = self.client.create([first], start=True)
        job.wait('transferred')
        unfinished.script = script
        if state == 'queued':
            self.occupy()
        job.add(*second)
        if state == 'suspended':
            unfinished.script = [Answer(stall=1000)]
            job.resume()
            wait_for(unfinished.stalled.is_set, 'the answer')
            job.suspend()
        else:
            job.resume()
        job.wait(state)
        if state in ('connecting', 'transferring'):
            wait_for(unfinished.stalled.is_set, 'the request')
        return job

    def occupy(self):
        """Takes the one place that the configuration leaves to background jobs."""
        blocker, row, _ = self.file('blocker', script=[Answer(stall=1000)])
        self.client.create([(row[0], os.path.join(self.world.directory, 'blocker'))], start=True,
                           Priority='high')
        wait_for(blocker.stalled.is_set, 'the other job to run')


STATES = ('suspended-empty', 'suspended', 'queued', 'connecting', 'transferring', 'transient-error',
          'error', 'transferred')


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
        self.assert_error('CommitFailed', job.complete)
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
        ending, mutator, reading = job.send_complete(), other.send('Suspend'), job.send('Explain')
        self.assertEqual(ending.result()[0], 'completed')
        with self.assertRaises(DBusError) as caught:
            mutator.result()
        self.assertEqual(caught.exception.short, 'InvalidState')
        reading.result()

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
        self.assertTrue(4.5 < time.monotonic() - started < 15)
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
        with read_only(directory):
            result, details = job.complete()
        self.assertEqual((result, details['undeleted']), ('partial', [part]))
        self.assertEqual(job.tombstone()['undeleted'], [part])
        self.assert_in_place('done')
        self.assertTrue(os.path.exists(part))


for one_state in STATES:
    setattr(Complete, f'test_in_{one_state}'.replace('-', '_'),
            lambda self, state=one_state: self.check(state))


@contextlib.contextmanager
def read_only(directory):
    """Nobody can make, delete or rename files in the directory, not even root."""
    set_read_only(directory, True)
    try:
        yield
    finally:
        set_read_only(directory, False)


def set_read_only(directory, on):
    if os.getuid():
        os.chmod(directory, 0o555 if on else 0o755)
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        flags = int.from_bytes(fcntl.ioctl(descriptor, GET_FLAGS, bytes(8)), sys.byteorder)
        flags = flags | IMMUTABLE if on else flags & ~IMMUTABLE
        fcntl.ioctl(descriptor, SET_FLAGS, flags.to_bytes(8, sys.byteorder))
    finally:
        os.close(descriptor)


class Cancel(CompleteCase):
    config = {'BackgroundJobs': 1, 'BackgroundJobsPerUser': 1}

    def setUp(self):
        super().setUp()
        with open(self.world.target('mine'), 'w', encoding='utf-8') as file:
            file.write('mine')
        self.before = snapshot(self.world.downloads)

    def check(self, state):
        job = self.begin(state)
        self.assertEqual(job.cancel(), ('cancelled', {'undeleted': []}))
        self.assertEqual(snapshot(self.world.downloads), self.before)
        self.assertEqual(job.state, 'cancelled')
        self.assertEqual(job.tombstone()['result'], 'cancelled')
        self.client.flush()
        self.assertEqual(self.client.named('JobRemoved')[-1].args, (job.path, 'cancelled'))
        self.assert_error('InvalidState', job.cancel)

    def test_worker_is_dead(self):
        job = self.transferred('a', 'b')
        self.world.kill_worker()
        self.assertEqual(job.cancel()[0], 'cancelled')
        self.assertEqual(snapshot(self.world.downloads), self.before)

    def test_what_would_have_been_replaced_stays(self):
        job = self.transferred('mine')
        job.cancel()
        self.assertEqual(snapshot(self.world.downloads), self.before)

    def test_foreign_file_under_the_name_of_a_temporary(self):
        job = self.transferred('a')
        part = self.world.target(f'.transferd-{job.id}-0.part')
        os.unlink(part)
        with open(part, 'w', encoding='utf-8') as file:
            file.write('not yours')
        self.assertEqual(job.cancel()[0], 'cancelled')
        with open(part, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'not yours')

    def test_many_at_once(self):
        jobs = [self.transferred(f'f{number}') for number in range(10)]
        calls = [job.send_cancel() for job in jobs]
        self.assertEqual({call.result()[0] for call in calls}, {'cancelled'})
        self.assertEqual(snapshot(self.world.downloads), self.before)

    def test_no_options(self):
        job = self.client.create()
        self.assert_error('InvalidArgs', job.call, 'Cancel', '(a{sv})',
                          {'overwrite': GLib.Variant('s', 'fail')})
        self.assertEqual(job.state, 'suspended')


for one_state in STATES:
    setattr(Cancel, f'test_in_{one_state}'.replace('-', '_'),
            lambda self, state=one_state: self.check(state))


class ReadOnly(CompleteCase):
    """The directory becomes read-only between the transfer and its end."""

    def test_complete(self):
        job = self.transferred('a')
        with read_only(self.world.downloads):
            self.assert_error('CommitFailed', job.complete)
            self.assertEqual(job.state, 'transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_in_place('a')

    def test_cancel(self):
        job = self.transferred('a', 'b')
        parts = [self.world.target(f'.transferd-{job.id}-{number}.part') for number in range(2)]
        with read_only(self.world.downloads):
            self.assertEqual(job.cancel(), ('cancelled', {'undeleted': parts}))
            self.assertEqual(job.tombstone()['undeleted'], parts)
        self.assertEqual([os.path.exists(part) for part in parts], [True, True])


if __name__ == '__main__':
    tap.main()
