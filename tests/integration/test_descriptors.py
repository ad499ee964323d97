#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Files that arrive in directories that were handed in as descriptors."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import JOB, NAME, DBusError, GLib, stays, wait_for  # noqa: E402
from descriptors import DescriptorMixin, open_for_a_moment  # noqa: E402
from endings import read_only  # noqa: E402
from httpd import KIB, MIB, Answer  # noqa: E402
from processes import open_files  # noqa: E402
from world import WorldCase, snapshot, temporaries  # noqa: E402


class DirectoryCase(DescriptorMixin, WorldCase):
    def setUp(self):
        super().setUp()
        self.place = self.world.path('place')
        self.elsewhere = self.world.path('elsewhere')
        self.other = self.world.path('other')
        self.held = [self.place, self.elsewhere, self.other]
        os.mkdir(self.place)

    def add(self, job, name='a', size=MIB, directory=None, **options):
        """Serves a file and adds it; the descriptor is closed at once."""
        file = self.server.resources.get('/' + name) or self.server.add('/' + name, size)
        with open_for_a_moment(directory or self.place) as descriptor:
            job.add_fd(self.server.url('/' + name), descriptor, name, **options)
        return file

    def hand_in_again(self, job, directory, file=0):
        with open_for_a_moment(directory) as descriptor:
            return job.attach(file, descriptor)

    def stalled(self, names='a'):
        """A job whose last file stands still in the middle; those before it are there."""
        job = self.client.create()
        files = [self.add(job, name) for name in names]
        files[-1].script = [Answer(stall=MIB // 2)]
        job.resume()
        wait_for(files[-1].stalled.is_set, 'the server to stand still')
        part = f'.transferd-{job.id}-{len(names) - 1}.part'
        wait_for(lambda: os.path.getsize(os.path.join(self.place, part)) >= MIB // 2, 'bytes')
        wait_for(lambda: job.file_states()[:-1] == ['transferred'] * (len(names) - 1), 'files')
        return job, files

    def transferred(self, names='a'):
        job = self.client.create()
        files = [self.add(job, name) for name in names]
        job.resume()
        job.wait('transferred')
        return job, files

    def release(self, files):
        files[-1].released.set()

    def move(self):
        os.rename(self.place, self.elsewhere)

    def move_and_link(self):
        self.move()
        os.symlink(self.other, self.place)
        if not os.path.exists(self.other):
            os.mkdir(self.other)

    def move_and_replace(self):
        self.move()
        os.mkdir(self.place)

    def assert_arrived(self, files, names='a', directory=None):
        directory = directory or self.place
        for name, file in zip(names, files, strict=True):
            self.assert_file(os.path.join(directory, name), file)
        self.assertEqual(sorted(os.listdir(directory)), sorted(names))


class Adding(DirectoryCase):
    def test_arrives(self):
        job, files = self.transferred('abc')
        self.assertEqual([row[2] for row in job.files()],
                         [os.path.join(self.place, name) for name in 'abc'])
        result, details = job.complete()
        self.assertEqual((result, details['kept']), (
            'completed', [(0, f'{self.place}/a'), (1, f'{self.place}/b'), (2, f'{self.place}/c')]))
        self.assert_arrived(files, 'abc')
        self.assert_nothing_open()

    def test_nothing_is_left_by_the_call(self):
        job = self.client.create()
        self.add(job)
        self.assertEqual(os.listdir(self.place), [])
        self.assertEqual(job.cancel(), ('cancelled', {'undeleted': []}))
        self.assertEqual(os.listdir(self.place), [])
        self.assert_nothing_open()

    def test_kept_while_the_job_is_there(self):
        job = self.client.create()
        for name in 'abc':
            self.add(job, name)
        worker = self.world.worker()
        wait_for(lambda: open_files(worker).count(self.place) == 1, 'one descriptor for all')
        wait_for(lambda: self.place not in open_files(self.world.daemon_pid), 'the daemon to let go')
        job.cancel()
        self.assert_nothing_open()

    def test_many(self):
        self.server.add('/many', KIB)
        job = self.client.create()
        rows = [(self.server.url('/many'), f'{number:05}') for number in range(3000)]
        self.assertEqual(job.add_at(self.opened(self.place), rows), 0)
        self.assertEqual(job.add_at(self.opened(self.place), [(rows[0][0], 'x', {'mode': 0o600})]), 3000)
        job.resume()
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assertEqual(len(os.listdir(self.place)), 3001)
        self.assertEqual(os.stat(os.path.join(self.place, 'x')).st_mode & 0o777, 0o600)
        self.assert_nothing_open()

    def test_all_or_nothing(self):
        url = self.server.url('/a')
        job = self.client.create()
        directory = self.opened(self.place)
        for rows, name in (([(url, 'a'), (url, 'b/c')], 'InvalidPath'),
                           ([(url, 'a'), (url, 'a')], 'DuplicateDestination'),
                           ([(url, 'a'), (url, '')], 'InvalidPath'),
                           ([(url, 'a'), (url, 'b', {'mode': 0o7777})], 'InvalidArgs'),
                           ([], 'InvalidArgs')):
            with self.subTest(f'{rows}'):
                self.assert_error(name, job.add_at, directory, rows)
                self.assertEqual(job.get('FilesTotal'), 0)
        job.cancel()
        self.assert_nothing_open()

    def test_names(self):
        job = self.client.create()
        directory = self.opened(self.place)
        for name in ('', '.', '..', '/', 'b/a', '/a', 'a/', '../a', 'x' * 256, 'a\n', 'a\x7f'):
            with self.subTest(name[:20]):
                self.assert_error('InvalidPath', job.add_fd, self.server.url('/a'), directory, name)
        for name in (b'', b'.', b'b/a', b'a\n', b'\0'):
            with self.subTest(f'{name}'):
                self.assert_error('InvalidPath', job.add_fd, self.server.url('/a'), directory, '',
                                  path=name)
        self.assertEqual(job.get('FilesTotal'), 0)

    def test_odd_names(self):
        names = [b'odd \xff', 'é'.encode(), b'-rf', b'a b', b'%41', b'x' * 255]
        job = self.client.create()
        file = self.server.add('/a', KIB)
        for name in names:
            job.add_fd(self.server.url('/a'), self.opened(self.place), '', path=name)
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assertEqual(sorted(os.listdir(os.fsencode(self.place))), sorted(names))
        self.assert_file(os.path.join(os.fsencode(self.place), names[0]), file)

    def test_what_is_no_directory(self):
        """Refused at once: nobody waits for what a descriptor may be of."""
        fifo = os.path.join(self.place, 'fifo')
        os.mkfifo(fifo)
        with open(os.path.join(self.place, 'file'), 'wb') as file:
            file.write(b'x')
        ends = os.pipe()
        pair = socket.socketpair()
        for end in ends:
            self.addCleanup(os.close, end)
        for end in pair:
            self.addCleanup(end.close)
        gone = self.world.path('gone')
        os.mkdir(gone)
        descriptors = {'fifo': self.opened(fifo, os.O_RDWR), 'pipe': ends[0], 'device': self.opened('/dev/null'),
                       'socket': pair[0].fileno(), 'file': self.opened(os.path.join(self.place, 'file'), os.O_RDWR),
                       'deleted': self.opened(gone), 'proc': self.opened('/proc/self')}
        os.rmdir(gone)
        job = self.client.create()
        before = snapshot(self.place)
        for what, descriptor in descriptors.items():
            with self.subTest(what):
                self.assert_error('FileAccessDenied' if what == 'proc' else 'InvalidPath',
                                  job.add_fd, self.server.url('/a'), descriptor, 'a')
        self.assert_error('FileAccessDenied', job.add_fd, self.server.url('/a'),
                          self.opened(self.place, os.O_PATH), 'a')
        self.assert_error('InvalidArgs', job.add_fd, self.server.url('/a'), -1, 'a')
        self.assertEqual(job.get('FilesTotal'), 0)
        self.assertEqual(snapshot(self.place), before)
        job.cancel()
        self.assert_nothing_open()

    def test_directory_that_cannot_be_written(self):
        job = self.client.create()
        with read_only(self.place):
            self.assert_error('FileAccessDenied', self.add, job)
        self.assertEqual(job.get('FilesTotal'), 0)
        job.cancel()
        self.assert_nothing_open()

    def test_limits(self):
        self.server.add('/a', KIB)
        jobs = [self.client.create() for _ in range(5)]
        for number in range(256):
            directory = os.path.join(self.place, str(number))
            os.mkdir(directory)
            self.add(jobs[number // 64], directory=directory)
            if number == 64:
                # the same one again is no other
                self.assert_error('DuplicateDestination', self.add, jobs[1], directory=directory)
                self.assertIn('64', self.assert_error('LimitsExceeded', self.add, jobs[0],
                                                      directory=self.place))
        self.assertIn('256', self.assert_error('LimitsExceeded', self.add, jobs[4],
                                               directory=self.place))
        jobs[0].cancel()
        self.add(jobs[4], directory=self.place)
        for job in jobs[1:]:
            job.cancel()
        self.assert_nothing_open()

    def test_descriptors_do_not_pile_up(self):
        """What is refused is closed, too."""
        job = self.client.create()
        self.add(job)
        worker = self.world.worker()
        before = [len(open_files(pid)) for pid in (self.world.daemon_pid, worker)]
        for _ in range(50):
            self.assert_error('DuplicateDestination', self.add, job)
            self.assert_error('InvalidPath', job.add_fd, self.server.url('/a'),
                              self.opened('/dev/null'), 'b')
            self.assert_error('InvalidUrl', job.add_fd, 'x:y', self.opened(self.place), 'b')
            self.hand_in_again(job, self.place)
        wait_for(lambda: all(len(open_files(pid)) <= count for pid, count in
                             zip((self.world.daemon_pid, worker), before, strict=True)),
                 'what was refused to be closed')


class Moving(DirectoryCase):
    """The directory goes on being what it is, whatever it is called."""

    CHANGES = ('move', 'move_and_link', 'move_and_replace')

    def undo(self):
        if os.path.islink(self.place):
            os.unlink(self.place)
        elif os.path.isdir(self.place):
            os.rmdir(self.place)
        for name in os.listdir(self.elsewhere):
            os.unlink(os.path.join(self.elsewhere, name))
        os.rename(self.elsewhere, self.place)
        self.server.resources.clear()

    def untouched(self):
        """Nothing is where the path leads now."""
        for path in self.place, self.other:
            if os.path.isdir(path):
                self.assertEqual(os.listdir(path), [])

    def test_before_the_start(self):
        for change in self.CHANGES:
            with self.subTest(change):
                job = self.client.create()
                file = self.add(job)
                getattr(self, change)()
                job.resume()
                job.wait('transferred')
                self.assertEqual(job.complete()[0], 'completed')
                self.assert_arrived([file], directory=self.elsewhere)
                self.untouched()
                self.assert_nothing_open()
                self.undo()

    def test_in_the_middle(self):
        for change in self.CHANGES:
            with self.subTest(change):
                job, files = self.stalled('ab')
                getattr(self, change)()
                self.release(files)
                job.wait('transferred')
                descriptors = job.client.connection.call_with_unix_fd_list_sync(
                    NAME, job.path, JOB, 'OpenTemporary', GLib.Variant('(u)', (1,)), None, 0, 60000,
                    None, None)[1]
                with os.fdopen(descriptors.get(0), 'rb') as temporary:
                    self.assertEqual(temporary.read(), files[1].content.bytes())
                self.assertEqual(job.complete()[0], 'completed')
                self.assert_arrived(files, 'ab', self.elsewhere)
                self.untouched()
                self.assert_nothing_open()
                self.undo()

    def test_complete_and_cancel(self):
        for change in self.CHANGES:
            for end in 'complete', 'partial', 'cancel':
                with self.subTest(f'{change} {end}'):
                    if end == 'complete':
                        job, files = self.transferred('ab')
                    else:
                        job, files = self.stalled('ab')
                    getattr(self, change)()
                    if end == 'cancel':
                        self.assertEqual(job.cancel(), ('cancelled', {'undeleted': []}))
                        self.assertEqual(os.listdir(self.elsewhere), [])
                    else:
                        result, details = job.complete()
                        self.assertEqual(result, 'completed' if end == 'complete' else 'partial')
                        self.assertEqual(details['undeleted'], [])
                        names = 'ab' if end == 'complete' else 'a'
                        self.assert_arrived(files[:len(names)], names, self.elsewhere)
                    self.untouched()
                    self.assert_nothing_open()
                    self.undo()

    def test_deleted(self):
        job = self.client.create()
        self.add(job)
        os.rmdir(self.place)
        job.resume()
        job.wait('transient-error')
        self.assertEqual(job.error, ('DestinationUnavailable', 'local-file'))
        os.mkdir(self.place)
        self.assert_error('InvalidPath', self.hand_in_again, job, self.place)
        self.assertEqual(job.cancel(), ('cancelled', {'undeleted': []}))
        self.assert_nothing_open()

    def test_two_directories_of_one_name(self):
        """Each of them is the one that it was."""
        job = self.client.create()
        first = self.add(job, 'a')
        self.move_and_replace()
        second = self.add(job, 'b')
        self.assertEqual([row[2] for row in job.files()], [f'{self.place}/a', f'{self.place}/b'])
        job.resume()
        job.wait('transferred')
        self.assertEqual(self.hand_in_again(job, self.elsewhere, 0), 1)
        self.assert_error('InvalidPath', self.hand_in_again, job, self.elsewhere, 1)
        self.assertEqual([row[2] for row in job.files()],
                         [f'{self.elsewhere}/a', f'{self.place}/b'])
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_arrived([first], 'a', self.elsewhere)
        self.assert_arrived([second], 'b', self.place)
        self.assert_nothing_open()

    def test_one_directory_by_two_names(self):
        """What would be one file is found out before it is two."""
        job = self.client.create()
        self.add(job)
        self.move()
        self.add(job, directory=self.elsewhere)
        self.assert_error('DuplicateDestination', self.hand_in_again, job, self.elsewhere)
        self.assertEqual([row[2] for row in job.files()],
                         [f'{self.place}/a', f'{self.elsewhere}/a'])
        job.resume()
        job.wait('transferred')
        self.assert_error('CommitFailed', job.complete)
        job.cancel()
        self.assert_nothing_open()


class Idle(DirectoryCase):
    """A worker that keeps something does not leave, and others do."""

    config = {'WorkerIdleTimeout': '500ms'}

    def ended(self):
        wait_for(lambda: not self.world.workers(), 'the worker to leave')

    def test_stays(self):
        job = self.client.create()
        self.add(job)
        worker = self.world.worker()
        self.assertTrue(stays(lambda: self.world.workers() == [worker], 2))
        self.move()
        job.resume()
        job.wait('transferred')
        self.assertTrue(stays(lambda: self.world.workers() == [worker], 2))
        job.complete()
        self.ended()
        self.assertEqual(os.listdir(self.elsewhere), ['a'])

    def test_leaves_when_nothing_was_added(self):
        job = self.client.create()
        self.add(job)
        self.assert_error('DuplicateDestination', self.add, job)
        job.cancel()
        self.ended()
        other = self.client.create()
        with read_only(self.place):
            self.assert_error('FileAccessDenied', self.add, other)
        self.ended()


class Restarting(DirectoryCase):
    """Worker and daemon die, the computer starts anew."""

    def test_worker_killed(self):
        job, files = self.stalled('ab')
        self.world.kill_worker()
        self.release(files)
        job.wait('transferred', hurry=True)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_arrived(files, 'ab')
        self.assert_nothing_open()

    def test_daemon_killed(self):
        job, files = self.stalled('ab')
        self.world.restart()
        self.release(files)
        job.wait('transferred', hurry=True)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_arrived(files, 'ab')
        self.assertIn('bytes=', ' '.join(str(one) for one in self.server.ranges('/b')))
        self.assert_nothing_open()

    def lost(self, change, boot=False, names='ab'):
        """A job that cannot find its directory again."""
        job, files = self.stalled(names)
        self.world.kill_daemon()
        self.release(files)
        getattr(self, change)()
        if boot:
            self.world.next_boot()
        self.world.start()
        job.wait('transient-error')
        self.assertEqual(job.error, ('DestinationUnavailable', 'local-file'))
        self.assertIn('handed in again', job.get('Error')['message'])
        return job, files

    def check_again(self, change, boot=False):
        job, files = self.lost(change, boot)
        self.assertEqual(self.hand_in_again(job, self.elsewhere, 1), 2)
        self.assertEqual([row[2] for row in job.files()],
                         [f'{self.elsewhere}/a', f'{self.elsewhere}/b'])
        job.wait('transferred')
        result, details = job.complete()
        self.assertEqual((result, details['kept']), (
            'completed', [(0, f'{self.elsewhere}/a'), (1, f'{self.elsewhere}/b')]))
        self.assert_arrived(files, 'ab', self.elsewhere)
        self.assertEqual(len(self.server.requests('/a')), 1)
        self.assert_nothing_open()

    def test_moved(self):
        self.check_again('move')

    def test_linked(self):
        self.check_again('move_and_link')

    def test_replaced(self):
        self.check_again('move_and_replace')

    def test_moved_before_another_boot(self):
        self.check_again('move', boot=True)

    def test_another_boot(self):
        job, files = self.stalled('ab')
        self.world.kill_daemon()
        self.world.next_boot()
        self.world.start()
        self.release(files)
        job.wait('transferred', hurry=True)
        self.assertEqual(self.hand_in_again(job, self.place, 0), 2)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_arrived(files, 'ab')
        self.assert_nothing_open()

    def test_added_in_another_boot(self):
        """It is one directory, though it is known by two identities."""
        job = self.client.create()
        files = [self.add(job, 'a')]
        self.world.kill_daemon()
        self.world.next_boot()
        self.world.start()
        files.append(self.add(job, 'b'))
        self.move()
        self.assertEqual(self.hand_in_again(job, self.elsewhere, 0), 2)
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_arrived(files, 'ab', self.elsewhere)
        self.assert_nothing_open()

    def test_found_by_its_path(self):
        """It is put back, and nobody has to hand it in."""
        job, files = self.lost('move')
        os.rename(self.elsewhere, self.place)
        job.wait('transferred', hurry=True)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_arrived(files, 'ab')

    def test_another_is_not_taken(self):
        job, _ = self.lost('move_and_replace')
        self.assert_error('InvalidPath', self.hand_in_again, job, self.place)
        self.assertEqual(os.listdir(self.place), [])
        self.assertEqual(job.state, 'transient-error')
        self.assertEqual([row[2] for row in job.files()], [f'{self.place}/a', f'{self.place}/b'])

    def test_complete(self):
        """Complete of what cannot be found fails and loses nothing."""
        job, files = self.transferred('ab')
        self.world.kill_daemon()
        self.move_and_link()
        self.world.start()
        self.assertIn('handed in again', self.assert_error('CommitFailed', job.complete))
        self.assertEqual(job.state, 'transferred')
        self.assertEqual(os.listdir(self.other), [])
        self.assertEqual(self.hand_in_again(job, self.elsewhere), 2)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_arrived(files, 'ab', self.elsewhere)
        self.assert_nothing_open()

    def test_cancel(self):
        """What cannot be found cannot be deleted, and is when it is found."""
        job, _ = self.lost('move')
        part = f'.transferd-{job.id}-1.part'
        result, details = job.cancel()
        self.assertEqual(result, 'cancelled')
        self.assertIn(os.path.join(self.place, part), details['undeleted'])
        self.assertIn(part, temporaries(self.elsewhere))
        os.rename(self.elsewhere, self.place)
        self.world.restart()
        wait_for(lambda: temporaries(self.place) == [], 'the leftovers to be removed')

    def test_leftovers_do_not_follow_links(self):
        job, _ = self.lost('move')
        job.cancel()
        self.move_back_as_link()
        before = temporaries(self.elsewhere)
        self.world.restart()
        other = self.client.create()
        self.add(other, 'other', directory=self.elsewhere)  # by now the worker has tried
        self.assertEqual(temporaries(self.elsewhere), before)

    def move_back_as_link(self):
        os.symlink(self.elsewhere, self.place)

    def test_in_the_middle_of_complete(self):
        """Rolled forward in the directory that it was begun in."""
        job, files = self.transferred('ab')
        pending = job.send_complete()
        self.world.kill_daemon()
        self.world.start()
        wait_for(lambda: pending.done, 'the end of the call')
        if job.tombstone() is None:
            try:
                job.complete()
            except DBusError:  # it has ended by itself meanwhile
                wait_for(job.tombstone, 'the end')
        self.assert_arrived(files, 'ab')


if __name__ == '__main__':
    tap.main()
