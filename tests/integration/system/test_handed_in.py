#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Descriptors in the hands of several users: whose rights hold, and what a mount allows."""
import os
import pwd
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib'))
import tap  # noqa: E402
from bits_server import BitsServer  # noqa: E402
from bus import wait_for  # noqa: E402
from descriptors import DescriptorMixin, open_for_a_moment  # noqa: E402
from httpd import KIB, MIB, Answer, Content  # noqa: E402
from processes import open_files, status_field  # noqa: E402
from upload_server import Fault  # noqa: E402
from world import SystemCase, snapshot  # noqa: E402


class HandedIn(DescriptorMixin, SystemCase):
    def setUp(self):
        super().setUp()
        self.held = [self.world.downloads]
        self.resource = self.server.add('/a', 300 * KIB)
        self.url = self.server.url('/a')

    def directory(self, name, owner=None, mode=0o755):
        path = self.world.target(name)
        os.mkdir(path)
        os.chmod(path, mode)
        if owner:
            os.chown(path, *pwd.getpwnam(owner)[2:4])
        return path

    def add(self, job, path, name='a', url=None):
        with open_for_a_moment(path) as descriptor:
            return job.add_fd(url or self.url, descriptor, name)

    def worker_of(self, user):
        uid = str(pwd.getpwnam(user).pw_uid)
        return wait_for(lambda: [pid for pid in self.world.workers()
                                 if status_field(pid, 'Uid')[0] == uid], 'a worker')[0]

    def fetch(self, path):
        job = self.client.create()
        self.add(job, path)
        job.resume()
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(os.path.join(path, 'a'), self.resource)
        self.assertEqual(os.stat(os.path.join(path, 'a')).st_uid, pwd.getpwnam('alice').pw_uid)
        self.assertEqual(os.listdir(path), ['a'])

    def test_own_directory(self):
        self.fetch(self.places['alice'])
        self.assert_nothing_open()

    def test_directory_for_all(self):
        """What arrives in somebody else's directory belongs to the owner of the job."""
        self.fetch(self.directory('shared', 'bob', 0o777))

    def test_no_right_to_write(self):
        """To hold a descriptor is not to have the right, whoever has opened it."""
        job = self.client.create()
        for name, owner in ('of-root', None), ('of-bob', 'bob'), ('hidden', 'bob'):
            with self.subTest(name):
                path = self.directory(name, owner, 0o700 if name == 'hidden' else 0o755)
                self.assert_error('FileAccessDenied', self.add, job, path)
                self.assertEqual(os.listdir(path), [])
        self.assertEqual(job.get('FilesTotal'), 0)
        job.cancel()
        self.assert_nothing_open()

    def test_read_only_mount(self):
        """A directory that may be written is not written through a mount that may not."""
        view = self.directory('view')
        subprocess.run(['mount', '--bind', self.places['alice'], view], check=True)
        try:
            subprocess.run(['mount', '-o', 'remount,bind,ro', view], check=True)
            job = self.client.create()
            self.assert_error('FileAccessDenied', self.add, job, view)
            self.add(job, self.places['alice'])
            job.cancel()
            self.assert_nothing_open()
        finally:
            subprocess.run(['umount', view], check=True)

    def test_search_is_enough_for_who_holds_it(self):
        """The way to a directory may be closed: nobody goes it while the worker lives."""
        closed = self.directory('closed', 'bob', 0o700)
        path = self.directory('closed/open', 'alice')
        self.fetch(path)
        self.assertEqual(os.stat(closed).st_mode & 0o777, 0o700)

    def test_the_way_is_closed_after_a_restart(self):
        closed = self.directory('closed', 'bob', 0o700)
        path = self.directory('closed/open', 'alice')
        self.resource.script = [Answer(stall=KIB)]
        job = self.client.create()
        self.add(job, path)
        job.resume()
        wait_for(self.resource.stalled.is_set, 'the answer')
        self.world.restart()
        self.resource.released.set()
        job.wait('transient-error')
        self.assertEqual(job.error, ('DestinationUnavailable', 'local-file'))
        with open_for_a_moment(path) as descriptor:
            self.assertEqual(job.attach(0, descriptor), 1)
        job.wait('transferred')
        job.complete()
        self.assert_file(os.path.join(path, 'a'), self.resource)
        self.assertEqual(sorted(os.listdir(closed)), ['open'])

    def test_file_of_another_user(self):
        """Who was given a file to read may send it, as long as it is held."""
        bits = BitsServer()
        self.addCleanup(bits.end)
        content = Content(32 * MIB, 'secret')
        path = os.path.join(self.places['bob'], 'secret')
        with open(path, 'wb') as file:
            for piece in content.pieces():
                file.write(piece)
        os.chmod(path, 0o600)
        os.chown(path, *pwd.getpwnam('bob')[2:4])
        job = self.client.create(job_type='upload', UploadProtocol='bits')
        self.assert_error('FileAccessDenied', job.add, bits.url('/x'), path)
        # nor by the directory, in which she may look: only what is open is read
        self.assert_error('FileAccessDenied', self.add, job, self.places['bob'], 'secret',
                          bits.url('/x'))
        bits.script = [Fault('Fragment', stall=MIB)]
        self.add(job, path, '', bits.url('/x'))
        job.resume()
        wait_for(bits.stalled.is_set, 'the server to stand still')
        os.kill(self.worker_of('alice'), 9)
        bits.release()
        job.wait('transient-error')
        self.assertEqual(job.error, ('DestinationUnavailable', 'local-file'))
        with open_for_a_moment(path) as descriptor:
            self.assertEqual(job.attach(0, descriptor), 1)
        job.wait('transferred', hurry=True)
        job.complete()
        self.assertEqual(bits.files['/x'].sha256, content.sha256)
        self.assert_nothing_open()

    def test_daemon_keeps_nothing(self):
        job = self.client.create()
        for name in 'abc':
            self.add(job, self.places['alice'], name)
        self.assertIn(self.places['alice'], open_files(self.worker_of('alice')))
        wait_for(lambda: not [path for path in open_files(self.world.daemon_pid)
                              if path.startswith(self.world.downloads)], 'the daemon to let go')
        job.cancel()
        self.assert_nothing_open()

    def test_jobs_of_others(self):
        """Nobody hands in anything for somebody else's job, not even the administrator."""
        job = self.client.create()
        self.add(job, self.places['alice'])
        before = snapshot(self.places['alice'])
        for user in 'bob', None:
            other = job.seen_by(self.world.client(user))
            expected = 'NotFound' if user else 'AccessDenied'
            with open_for_a_moment(self.places['bob']) as descriptor:
                self.assert_error(expected, other.add_fd, self.url, descriptor, 'b')
                self.assert_error(expected, other.add_at, descriptor, [(self.url, 'b')])
                self.assert_error(expected, other.attach, 0, descriptor)
        self.assertEqual(job.get('FilesTotal'), 1)
        self.assertEqual(snapshot(self.places['alice']), before)

    def elsewhere(self):
        """A directory in which alice may write, that only another mount namespace has; its path."""
        uid = pwd.getpwnam('alice').pw_uid
        place = self.directory('nowhere')
        process = subprocess.Popen(
            ['unshare', '--mount', 'sh', '-c', f'mount -t tmpfs -o uid={uid} tmpfs {place} && '
             'mkdir $0/in && chown $1 $0/in && echo here && exec cat', place, str(uid)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        self.assertEqual(process.stdout.readline(), b'here\n')
        return f'/proc/{process.pid}/root{place}/in'

    def test_another_mount_namespace(self):
        path = self.elsewhere()
        job = self.client.create()
        self.add(job, path)
        job.resume()
        job.wait('transferred')
        os.kill(self.worker_of('alice'), 9)
        self.assert_error('CommitFailed', job.complete)
        with open_for_a_moment(path) as descriptor:
            self.assertEqual(job.attach(0, descriptor), 1)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(os.path.join(path, 'a'), self.resource)


if __name__ == '__main__':
    tap.main()
