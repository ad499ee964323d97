#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Files that are sent, handed in as descriptors: of their directory or of themselves."""
import itertools
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bits_server import BitsServer  # noqa: E402
from bus import wait_for  # noqa: E402
from descriptors import DescriptorMixin  # noqa: E402
from httpd import KIB, MIB  # noqa: E402
from plain_server import PlainServer  # noqa: E402
from upload_server import Fault  # noqa: E402
from uploads import UploadCase  # noqa: E402

HOW = ('directory', 'file')


class DescriptorCase(DescriptorMixin, UploadCase):
    protocol = 'bits'

    def setUp(self):
        super().setUp()
        self.held = [self.sources, self.world.path('elsewhere')]
        self.bits = BitsServer()
        self.addCleanup(self.bits.end)
        self.numbers = itertools.count()

    def job(self, job_type='upload', **options):
        options.setdefault('UploadProtocol', self.protocol)
        return self.client.create(job_type=job_type, **options)

    def hand_in(self, job, how, path, url=None):
        """Adds the file by one of HOW; the descriptors are closed again at once."""
        whole = how == 'file'
        descriptor = os.open(path if whole else os.path.dirname(path), os.O_RDONLY)
        try:
            return job.add_fd(url or self.bits.url('/' + os.path.basename(path)), descriptor,
                              '' if whole else os.path.basename(path))
        finally:
            os.close(descriptor)

    def hand_in_again(self, job, how, path):
        descriptor = os.open(path if how == 'file' else os.path.dirname(path), os.O_RDONLY)
        try:
            return job.attach(0, descriptor)
        finally:
            os.close(descriptor)

    def assert_sent(self, content, name=None):
        """The server has it; without a name: as what came last."""
        if name is None:
            name = list(self.bits.files)[-1][1:]
        self.assertEqual(self.bits.files['/' + name].sha256, content.sha256)


class Adding(DescriptorCase):
    def test_sent(self):
        self.assertIn('descriptors', self.client.manager_property('Features'))
        for how in HOW:
            with self.subTest(how):
                path, content = self.source(300 * KIB, f'{how}.bin')
                job = self.job()
                self.assertEqual(self.hand_in(job, how, path), 0)
                self.assertEqual([row[2:6] for row in job.files()],
                                 [(path, 0, 300 * KIB, 'waiting')])
                self.assertEqual(job.get('BytesTotal'), 300 * KIB)
                job.resume()
                self.finish(job)
                self.assert_sent(content, f'{how}.bin')
                self.assert_nothing_open()

    def test_many(self):
        sources = [self.source(KIB, f'{number}.bin') for number in range(50)]
        job = self.job()
        rows = [(self.bits.url(f'/{number}.bin'), f'{number}.bin') for number in range(50)]
        self.assertEqual(job.add_at(self.opened(self.sources), rows[:20]), 0)
        self.assertEqual(job.add_at(self.opened(self.sources), rows[20:]), 20)
        job.resume()
        job.wait('transferred')
        job.complete()
        for number, (_, content) in enumerate(sources):
            self.assert_sent(content, f'{number}.bin')
        self.assert_nothing_open()

    def test_all_or_nothing(self):
        self.source(KIB, 'a')
        job = self.job()
        url = self.bits.url('/a')
        directory = self.opened(self.sources)
        for rows, name in (([(url, 'a'), (url, 'nothing')], 'InvalidPath'),
                           ([(url, 'a'), (url, 'a')], 'DuplicateDestination'),
                           ([(url, 'a'), (url, '')], 'InvalidPath'),
                           ([(url, 'a'), ('gopher://x/', 'b')], 'InvalidUrl'),
                           ([], 'InvalidArgs')):
            with self.subTest(f'{rows}'):
                self.assert_error(name, job.add_at, directory, rows)
                self.assertEqual(job.get('FilesTotal'), 0)
        job.add_at(directory, [(url, 'a')])
        self.assert_error('DuplicateDestination', job.add_fd, url, directory, 'a')
        self.assertEqual(job.get('FilesTotal'), 1)

    def test_names(self):
        path, _ = self.source(KIB, 'a')
        os.mkdir(os.path.join(self.sources, 'sub'))
        os.symlink(path, os.path.join(self.sources, 'link'))
        os.mkfifo(os.path.join(self.sources, 'fifo'))
        job = self.job()
        directory = self.opened(self.sources)
        for name in ('.', '..', 'sub/a', '/a', 'a/', '../sources/a', 'x' * 256, 'a\n', 'link',
                     'fifo', 'sub', 'nothing', ''):
            with self.subTest(name[:20]):
                self.assert_error('InvalidPath', job.add_fd, self.bits.url('/a'), directory, name)
        self.assert_error('InvalidArgs', job.add_fd, self.bits.url('/a'), directory, 'a', path=b'b')
        self.assertEqual(job.get('FilesTotal'), 0)

    def test_name_that_is_not_utf8(self):
        path, content = self.source(KIB, 'plain')
        odd = os.path.join(os.fsencode(self.sources), b'odd \xff')
        os.rename(path, odd)
        job = self.job()
        job.add_fd(self.bits.url('/odd'), self.opened(self.sources), '', path=b'odd \xff')
        self.assertEqual(job.files()[0][2], '')
        job.resume()
        self.finish(job)
        self.assert_sent(content, 'odd')

    def test_what_is_no_source(self):
        """Refused at once: nobody waits for what a descriptor may be of."""
        path, _ = self.source(KIB)
        fifo = os.path.join(self.sources, 'fifo')
        os.mkfifo(fifo)
        pipe = os.pipe()
        pair = socket.socketpair()
        for end in pipe:
            self.addCleanup(os.close, end)
        for end in pair:
            self.addCleanup(end.close)
        gone = self.opened(self.source(KIB, 'gone')[0])
        os.unlink(os.path.join(self.sources, 'gone'))
        memory = os.memfd_create('memory')
        self.addCleanup(os.close, memory)
        url = self.bits.url('/a')
        for what, descriptor, names, error in (
                ('fifo', self.opened(fifo, os.O_RDWR), ('', 'a'), 'InvalidPath'),
                ('pipe', pipe[0], ('', 'a'), 'InvalidPath'),
                ('socket', pair[0].fileno(), ('', 'a'), 'InvalidPath'),
                ('device', self.opened('/dev/null'), ('', 'a'), 'InvalidPath'),
                ('deleted', gone, ('',), 'InvalidPath'),
                ('memory', memory, ('',), 'InvalidPath'),
                ('file with a name', self.opened(path), ('a',), 'InvalidPath'),
                ('directory without', self.opened(self.sources), ('',), 'InvalidPath'),
                ('O_PATH', self.opened(path, os.O_PATH), ('',), 'FileAccessDenied'),
                ('O_PATH directory', self.opened(self.sources, os.O_PATH), ('source.bin',),
                 'FileAccessDenied'),
                ('write only', self.opened(path, os.O_WRONLY), ('',), 'FileAccessDenied'),
                ('nothing', -1, ('', 'a'), 'InvalidArgs')):
            for name in names:
                with self.subTest(f'{what} “{name}”'):
                    job = self.job()
                    self.assert_error(error, job.add_fd, url, descriptor, name)
                    self.assertEqual(job.get('FilesTotal'), 0)
                    job.cancel()
        self.assert_nothing_open()

    def test_limit_of_a_job(self):
        job = self.job()
        for number in range(64):
            path, _ = self.source(KIB, f'{number}')
            self.hand_in(job, 'file', path)
        path, _ = self.source(KIB, 'one more')
        message = self.assert_error('LimitsExceeded', self.hand_in, job, 'file', path,
                                    self.bits.url('/more'))
        self.assertIn('64', message)
        other = self.job()
        self.hand_in(other, 'file', path, self.bits.url('/more'))
        job.cancel()
        other.cancel()
        self.assert_nothing_open()

    def test_limit_of_a_user(self):
        jobs = [self.job() for _ in range(5)]
        for number in range(256):
            self.hand_in(jobs[number // 64], 'file', self.source(1, f'{number}')[0])
        path, _ = self.source(1, 'more')
        self.assertIn('256', self.assert_error('LimitsExceeded', self.hand_in, jobs[4], 'file', path))
        jobs[0].cancel()
        self.hand_in(jobs[4], 'file', path)
        for job in jobs[1:]:
            job.cancel()
        self.assert_nothing_open()

    def test_download_wants_a_directory(self):
        path, _ = self.source(KIB)
        job = self.client.create()
        url = self.bits.url('/a')
        self.assert_error('InvalidPath', job.add_fd, url, self.opened(path), '')
        self.assert_error('InvalidPath', job.add_fd, url, self.opened(path), 'a')
        self.assert_error('InvalidPath', job.add_fd, url, self.opened(self.sources), '')


class Sending(DescriptorCase):
    def stalled(self, how, size=32 * MIB):
        """A job of which a part has arrived, and which stands still; (job, path, content)."""
        path, content = self.source(size, f'{next(self.numbers)}.bin')
        self.bits.script = [Fault('Fragment', stall=MIB)]
        job = self.job()
        self.hand_in(job, how, path)
        job.resume()
        wait_for(self.bits.stalled.is_set, 'the server to stand still')
        wait_for(lambda: job.state == 'transferring', 'a start')
        return job, path, content

    def move(self):
        """The directory gets another name."""
        os.rename(self.sources, self.world.path('elsewhere'))

    def moved(self, path):
        """The path of a source after that."""
        return self.world.path('elsewhere', os.path.basename(path))

    def move_back(self):
        os.rename(self.world.path('elsewhere'), self.sources)

    def test_directory_renamed(self):
        for how in HOW:
            with self.subTest(how):
                job, _, content = self.stalled(how)
                self.move()
                self.bits.release()
                self.finish(job)
                self.assert_sent(content)
                self.assert_nothing_open()
                self.move_back()

    def test_renamed_before_the_start(self):
        for how in HOW:
            with self.subTest(how):
                path, content = self.source(300 * KIB, f'{how}.bin')
                job = self.job()
                self.hand_in(job, how, path)
                self.move()
                os.symlink(self.world.downloads, self.sources)
                with open(self.world.target(f'{how}.bin'), 'wb') as file:
                    file.write(b'another')
                job.resume()
                self.finish(job)
                self.assert_sent(content)
                os.unlink(self.sources)
                self.move_back()

    def test_file_is_opened_through_the_directory(self):
        """A link that comes in place of the file leads nowhere."""
        path, _ = self.source(300 * KIB)
        secret = self.world.path('secret')
        with open(secret, 'wb') as file:
            file.write(b'secret')
        job = self.job()
        self.hand_in(job, 'directory', path)
        os.unlink(path)
        os.symlink(secret, path)
        job.resume()
        job.wait('error')
        self.assertNotIn('/source.bin', self.bits.files)

    def test_changed(self):
        for how in HOW:
            for what in 'content', 'replaced', 'deleted':
                if how == 'file' and what == 'replaced':
                    continue  # nobody asks for its name
                with self.subTest(f'{how} {what}'):
                    job, path, _ = self.stalled(how)
                    if what == 'content':
                        with open(path, 'ab') as file:
                            file.write(b'more')
                    elif what == 'replaced':
                        os.rename(path, path + '.old')
                        self.source(32 * MIB, os.path.basename(path))
                    else:
                        os.unlink(path)
                    self.bits.release()
                    self.fails(job, 'LocalFileChanged', 'local-file')
                    job.cancel()
                    self.assert_nothing_open()

    def test_worker_killed(self):
        for how in HOW:
            with self.subTest(how):
                job, _, content = self.stalled(how)
                self.interrupted(self.bits, self.world.kill_worker)
                self.finish(job)
                self.assert_sent(content)
                self.assert_nothing_open()

    def test_daemon_killed(self):
        for how in HOW:
            with self.subTest(how):
                job, _, content = self.stalled(how)
                self.interrupted(self.bits, self.world.restart)
                self.finish(job)
                self.assert_sent(content)
                self.assert_nothing_open()

    def test_gone_after_a_restart(self):
        for how in HOW:
            with self.subTest(how):
                job, path, content = self.stalled(how)
                self.interrupted(self.bits, self.world.kill_daemon)
                self.move()
                moved = self.moved(path)
                os.mkdir(self.sources)
                self.source(32 * MIB, os.path.basename(path), seed='another')
                self.world.start()
                job.wait('transient-error')
                self.assertEqual(job.error, ('DestinationUnavailable', 'local-file'))
                self.assert_error('InvalidPath', self.hand_in_again, job, how, path)
                job.wait('transient-error')
                self.assertEqual(self.hand_in_again(job, how, moved), 1)
                self.assertEqual(job.files()[0][2], moved)
                self.finish(job)
                self.assert_sent(content)
                self.assert_nothing_open()
                os.unlink(path)
                os.rmdir(self.sources)
                self.move_back()

    def test_link_after_a_restart(self):
        """The same file, but by a path that somebody else may have laid."""
        for how in HOW:
            with self.subTest(how):
                job, path, content = self.stalled(how)
                self.interrupted(self.bits, self.world.kill_daemon)
                self.move()
                moved = self.moved(path)
                os.symlink(self.world.path('elsewhere'), self.sources)
                self.world.start()
                job.wait('transient-error')
                self.assertEqual(job.error, ('DestinationUnavailable', 'local-file'))
                self.assertEqual(self.hand_in_again(job, how, path), 1)
                self.assertEqual(job.files()[0][2], moved)
                self.finish(job)
                self.assert_sent(content)
                os.unlink(self.sources)
                self.move_back()

    def test_changed_while_gone(self):
        """What is handed in again is the same file; what has become of it is another matter."""
        job, path, _ = self.stalled('file')
        self.interrupted(self.bits, self.world.kill_daemon)
        self.move()
        moved = self.moved(path)
        with open(moved, 'ab') as file:
            file.write(b'more')
        self.world.start()
        job.wait('transient-error')
        self.assertEqual(self.hand_in_again(job, 'file', moved), 1)
        self.fails(job, 'LocalFileChanged', 'local-file')

    def test_cancel_while_gone(self):
        for how in HOW:
            with self.subTest(how):
                job, path, _ = self.stalled(how)
                self.interrupted(self.bits, self.world.kill_daemon)
                self.move()
                self.world.start()
                job.wait('transient-error')
                self.assertEqual(job.cancel(), ('cancelled', {'undeleted': []}))
                self.assertTrue(os.path.exists(self.moved(path)))
                self.move_back()

    def test_attach_what_was_never_handed_in(self):
        path, _ = self.source(KIB)
        job = self.send(self.bits.url('/a'), path, start=False)
        self.assert_error('InvalidState', job.attach, 0, self.opened(self.sources))
        self.assert_error('InvalidArgs', job.attach, 1, self.opened(self.sources))
        self.assert_error('InvalidArgs', job.attach, 0, -1)
        job.cancel()
        self.assert_error('InvalidState', job.attach, 0, self.opened(self.sources))

    def test_attach_while_it_is_there(self):
        job, path, content = self.stalled('directory')
        self.assertEqual(self.hand_in_again(job, 'directory', path), 1)
        self.move()
        moved = self.moved(path)
        self.assertEqual(self.hand_in_again(job, 'directory', moved), 1)
        self.assertEqual(job.files()[0][2], moved)
        self.bits.release()
        self.finish(job)
        self.assert_sent(content)
        self.assert_nothing_open()

    def test_offset_of_the_descriptor_is_left_alone(self):
        path, content = self.source(MIB)
        descriptor = self.opened(path)
        os.lseek(descriptor, 1000, os.SEEK_SET)
        job = self.job()
        job.add_fd(self.bits.url('/source.bin'), descriptor, '')
        job.resume()
        self.finish(job)
        self.assert_sent(content)
        self.assertEqual(os.lseek(descriptor, 0, os.SEEK_CUR), 1000)


class Replies(DescriptorCase):
    def setUp(self):
        super().setUp()
        self.bits.reply = b'well received'

    def test_reply_beside_the_source(self):
        path, content = self.source(300 * KIB)
        job = self.job('upload-reply')
        self.hand_in(job, 'directory', path)
        moved = self.world.path('elsewhere')
        os.rename(self.sources, moved)
        job.resume()
        job.wait('transferred')
        result, details = job.complete()
        self.assertEqual((result, details['kept']), ('completed', [(0, path + '.reply')]))
        with open(os.path.join(moved, 'source.bin.reply'), 'rb') as file:
            self.assertEqual(file.read(), b'well received')
        self.assert_sent(content)
        self.assertEqual(sorted(os.listdir(moved)), ['source.bin', 'source.bin.reply'])
        self.assert_nothing_open()

    def test_reply_elsewhere(self):
        for how in HOW:
            with self.subTest(how):
                path, _ = self.source(300 * KIB, f'{how}.bin')
                job = self.job('upload-reply', ReplyFileName=self.world.target('reply'))
                self.hand_in(job, how, path)
                job.resume()
                job.wait('transferred')
                job.complete()
                with open(self.world.target('reply'), 'rb') as file:
                    self.assertEqual(file.read(), b'well received')

    def test_reply_needs_a_place(self):
        path, _ = self.source(KIB)
        job = self.job('upload-reply')
        self.assertIn('ReplyFileName', self.assert_error('InvalidArgs', self.hand_in, job, 'file',
                                                         path))
        self.assertEqual(job.get('FilesTotal'), 0)

    def test_reply_is_found_again(self):
        path, _ = self.source(300 * KIB)
        job = self.job('upload-reply')
        self.hand_in(job, 'directory', path)
        job.resume()
        job.wait('transferred')
        self.world.kill_daemon()
        moved = self.world.path('elsewhere')
        os.rename(self.sources, moved)
        self.world.start()
        self.assert_error('CommitFailed', job.complete)
        self.assertEqual(self.hand_in_again(job, 'directory', os.path.join(moved, 'source.bin')), 1)
        self.assertEqual(job.complete()[0], 'completed')
        self.assertTrue(os.path.exists(os.path.join(moved, 'source.bin.reply')))


class Plain(DescriptorCase):
    """A protocol that begins anew."""

    protocol = 'put'

    def test_worker_killed(self):
        plain = PlainServer()
        self.addCleanup(plain.end)
        for how in HOW:
            with self.subTest(how):
                path, content = self.source(32 * MIB, f'{how}.bin')
                plain.script = [Fault('PUT', stall=MIB)]
                job = self.job()
                self.hand_in(job, how, path, plain.url(f'/{how}.bin'))
                job.resume()
                self.interrupted(plain, self.world.kill_worker)
                self.finish(job)
                self.assertEqual(plain.files[f'/{how}.bin'].sha256, content.sha256)
                self.assert_nothing_open()


if __name__ == '__main__':
    tap.main()
