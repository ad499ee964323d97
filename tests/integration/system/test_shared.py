#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A download into a directory that somebody else may write: whatever bob puts in the place of
temporaries, destinations and directories, no file but those of alice's job is touched."""
import os
import pwd
import signal
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib'))
import tap  # noqa: E402
from bus import DBusError, wait_for  # noqa: E402
from httpd import MIB, Answer  # noqa: E402
from plain_server import PlainServer  # noqa: E402
from processes import process_start  # noqa: E402
from world import SystemCase, digest, seed, temporaries  # noqa: E402

# What bob does as fast as he can, until he is ended: argv are the shared directory, a file and a
# directory of alice, and a seed.
ATTACK = '''
import os, random, sys
shared, secret, private, number = sys.argv[1:]
rand = random.Random(int(number))
parent, name = os.path.split(shared)

def put_something(path):
    kind = rand.randrange(7)
    if kind == 0:
        os.symlink(secret, path)
    elif kind == 1:
        os.mkfifo(path)
    elif kind == 2:
        os.mkdir(path)
    elif kind == 3:
        os.link(os.path.join(parent, 'bobs'), path)
    elif kind == 4:
        os.symlink('/etc/passwd', path)
    elif kind == 5:
        os.symlink(private, path)
    else:
        with open(path, 'x') as file:
            file.write('bob')

def strike():
    path = os.path.join(shared, rand.choice(os.listdir(shared)))
    kind = rand.randrange(12)
    if kind < 6:
        aside = os.path.join(shared, '.aside')
        os.rename(path, aside)
        put_something(path)
        if rand.random() < 0.5:
            os.rename(aside, path)
    elif kind < 8:
        os.unlink(path)
        put_something(path)
    elif kind < 9:
        os.rename(path, os.path.join(shared, rand.choice(os.listdir(shared))))
    elif kind < 10:
        os.rename(shared, shared + '.old')
        os.symlink(private, shared)
        os.unlink(shared)
        os.rename(shared + '.old', shared)
    else:
        put_something(os.path.join(shared, str(rand.randrange(20))))

print('begun', flush=True)
while True:
    try:
        strike()
    except (OSError, IndexError):
        pass
    if not os.path.isdir(shared) or os.path.islink(shared):
        try:
            if os.path.islink(shared):
                os.unlink(shared)
            os.rename(shared + '.old', shared)
        except OSError:
            pass
'''


class Shared(SystemCase):
    timeout = 600

    def setUp(self):
        super().setUp()
        self.parent = self.world.target('parent')
        self.shared = os.path.join(self.parent, 'shared')
        self.secret = self.place('secret')
        self.private = self.place('private')
        self.make(self.parent, 'bob', 0o777)
        self.make(self.shared, 'bob', 0o777)
        self.make(self.private, 'alice', 0o700)
        for path, user, mode in ((self.secret, 'alice', 0o600), (self.private + '/1', 'alice', 0o600),
                                 (self.parent + '/bobs', 'bob', 0o666)):
            with open(path, 'w', encoding='utf-8') as file:
                file.write('precious')
            entry = pwd.getpwnam(user)
            os.chown(path, entry.pw_uid, entry.pw_gid)
            os.chmod(path, mode)
        self.before = self.state()

    def make(self, path, user, mode):
        os.mkdir(path)
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)
        os.chmod(path, mode)

    def state(self):
        """What must stay as it is; links that bob makes to his own file are his."""
        rows = []
        for path in self.secret, self.private + '/1', self.parent + '/bobs', '/etc/passwd':
            info = os.lstat(path)
            rows.append((path, info.st_ino, info.st_mode, info.st_uid, info.st_mtime_ns, digest(path)))
        return rows, os.listdir(self.private)

    def as_bob(self, function, *arguments):
        os.setresuid(pwd.getpwnam('bob').pw_uid, pwd.getpwnam('bob').pw_uid, 0)
        try:
            return function(*arguments)
        finally:
            os.setresuid(0, 0, 0)

    def row_in(self, name, size=MIB, directory=None, **options):
        file = self.server.add('/' + name, size, **options)
        return file, (self.server.url('/' + name), os.path.join(directory or self.shared, name),
                      {'mode': 0o644})

    def half_way(self, directory=None):
        file, row = self.row_in('a', 2 * MIB, directory, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == MIB, 'the first half')
        # there may be others, which bob has put there
        part, = [name for name in temporaries(directory or self.shared) if job.id in name]
        return job, file, os.path.join(directory or self.shared, part)

    def assert_untouched(self):
        self.assertEqual(self.state(), self.before)

    def end_job(self, job):
        """Complete, or else Cancel, answers; how it ended."""
        try:
            return job.complete()[0]
        except DBusError as error:
            self.assertIn(error.short, ('CommitFailed', 'InvalidState'))
            return job.cancel()[0]

    def test_temporary_is_replaced_while_it_is_written(self):
        def fifo(path):
            os.mkfifo(path)

        def link(path):
            os.symlink(self.secret, path)

        def hard_link(path):
            os.link(self.parent + '/bobs', path)

        def other(path):
            with open(path, 'x', encoding='ascii') as file:
                file.write('bob')
        for put in fifo, link, hard_link, os.mkdir, other:
            with self.subTest(put.__name__):
                job, file, part = self.half_way()
                self.as_bob(os.rename, part, self.shared + '/stolen')
                self.as_bob(put, part)
                info = os.lstat(part)
                file.released.set()
                job.wait('transferred', 'suspended', 'error', 'transient-error')
                self.assertIn(self.end_job(job), ('completed', 'partial', 'cancelled'))
                there = os.lstat(part)
                self.assertEqual((there.st_ino, there.st_mode, there.st_uid, there.st_size),
                                 (info.st_ino, info.st_mode, info.st_uid, info.st_size))
                self.assert_untouched()
                for name in os.listdir(self.shared):
                    path = os.path.join(self.shared, name)
                    (os.rmdir if os.path.isdir(path) and not os.path.islink(path) else os.unlink)(path)

    def test_directory_is_replaced(self):
        job, file, _ = self.half_way()
        self.as_bob(os.rename, self.shared, self.shared + '.old')
        self.as_bob(os.symlink, self.private, self.shared)
        file.released.set()
        job.wait('transferred', 'suspended', 'error', 'transient-error')
        self.assert_error('CommitFailed', job.complete)
        self.assertEqual(job.cancel()[0], 'cancelled')
        self.assert_untouched()

    def test_destination_is_a_link_to_a_secret(self):
        file, row = self.row_in('a')
        self.as_bob(os.symlink, self.secret, row[1])
        job = self.client.create([row], start=True)
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assertFalse(os.path.islink(row[1]))
        self.assert_file(row[1], file)
        self.assert_untouched()

    def test_way_over_a_link_of_another_user(self):
        """Who may lay links on the way to a directory does not choose where files go."""
        link, own = os.path.join(self.parent, 'link'), self.place('own')
        self.as_bob(os.symlink, self.private, link)
        _, row = self.row_in('1', directory=link)
        self.assertIn('link', self.assert_error('FileAccessDenied', self.client.create, [row]))
        _, row = self.row_in('1', directory=link + '/../private')
        self.assert_error('InvalidPath', self.client.create, [row])
        os.symlink(self.shared, own)
        os.chown(own, self.uid('alice'), -1, follow_symlinks=False)
        for directory in own, link:
            if directory == link:
                os.unlink(link)
                os.symlink('../parent/./shared', link)  # of root
            file, row = self.row_in('1', directory=directory)
            job = self.client.create([row], start=True)
            job.wait('transferred')
            self.assertEqual(job.complete()[0], 'completed')
            self.assert_file(os.path.join(self.shared, '1'), file)
        # it was none when the job was made
        os.unlink(link)
        self.make(link, 'bob', 0o777)
        _, row = self.row_in('1', directory=link)
        job = self.client.create([row])
        os.rmdir(link)
        self.as_bob(os.symlink, self.private, link)
        job.resume()
        job.wait('error', 'transient-error', 'suspended')
        job.cancel()
        self.assert_untouched()

    def test_source_over_a_link_of_another_user(self):
        """Who may write the directory of what is sent, or copied, chooses no other file for it."""
        server = PlainServer()
        self.addCleanup(server.end)
        path, link = (os.path.join(self.parent, name) for name in ('file', 'link'))
        self.as_bob(os.symlink, self.private, link)
        for source in os.path.join(link, '1'), path:
            if source == path:
                self.as_bob(os.symlink, self.secret, path)
            self.assertIn('link', self.assert_error('FileAccessDenied', self.client.create,
                                                    [(server.url('/a'), source)], job_type='upload'))
            job = self.client.create([('file://' + source, self.place('copy'))], start=True)
            job.wait('error')
            self.assertEqual(job.error, ('FileAccessDenied', 'remote-file'))
            job.cancel()
        # it was none when the file was added
        os.unlink(path)
        with open(path, 'x', encoding='ascii') as file:
            file.write('harmless')
        job = self.client.create([(server.url('/a'), path)], job_type='upload')
        os.unlink(path)
        self.as_bob(os.symlink, self.secret, path)
        job.resume()
        job.wait('error')
        self.assertEqual(job.error, ('FileAccessDenied', 'local-file'))
        job.cancel()
        # those of root and of the owner are followed
        os.unlink(path)
        os.symlink(self.secret, path)
        job = self.client.create([(server.url('/b'), path)], job_type='upload', start=True)
        job.wait('transferred')
        job = self.client.create([('file://' + path, self.place('copy'))], start=True)
        job.wait('transferred')
        job.complete()
        self.assertEqual(list(server.files), ['/b'])
        os.unlink(self.place('copy'))
        self.assert_untouched()

    def test_sticky_directory(self):
        """As /tmp is: what bob has put there before is his, and stays."""
        os.chown(self.shared, 0, 0)
        os.chmod(self.shared, 0o1777)
        for number, put in enumerate((os.mkfifo, os.mkdir, lambda path: os.symlink(self.secret, path),
                                      lambda path: open(path, 'x', encoding='ascii').close())):
            file, row = self.row_in(f'f{number}')
            job = self.client.create([row])
            # everybody hears the id of a job
            part = os.path.join(self.shared, f'.transferd-{job.id}-0.part')
            self.as_bob(put, part)
            info = os.lstat(part)
            job.resume()
            job.wait('transferred')
            self.assertEqual(job.complete()[0], 'completed')
            self.assert_file(row[1], file)
            self.assertEqual(os.lstat(part), info)
        job, file, part = self.half_way()
        for attack in (os.unlink, part), (os.rename, part, self.shared + '/x'), (os.chmod, part, 0o777):
            with self.assertRaises(PermissionError):
                self.as_bob(*attack)
        file.released.set()
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_untouched()

    def test_file_of_another_user_in_a_sticky_directory(self):
        os.chown(self.shared, 0, 0)
        os.chmod(self.shared, 0o1777)
        _, row = self.row_in('a')

        def write():
            with open(row[1], 'x', encoding='ascii') as file:
                file.write('bob')
        self.as_bob(write)
        job = self.client.create([row], start=True)
        job.wait('transferred')
        self.assert_error('CommitFailed', job.complete)
        with open(row[1], encoding='ascii') as file:
            self.assertEqual(file.read(), 'bob')
        job.cancel()

    def test_everything_at_once(self):
        """Bob changes whatever he sees, as fast as he can, while alice's jobs come and go."""
        number = seed().randrange(1 << 32)
        script = self.world.path('attack.py')
        with open(script, 'w', encoding='utf-8') as file:
            file.write(ATTACK)
        attack = self.world.spawn(
            ['setpriv', '--reuid', 'bob', '--regid', 'bob', '--init-groups', '--', sys.executable, '-B', script,
             self.shared, self.secret, self.private, str(number)], stdout=subprocess.PIPE, text=True)
        self.assertEqual(attack.stdout.readline(), 'begun\n')
        pid, start = self.world.daemon_pid, process_start(self.world.daemon_pid)
        for name in range(20):
            self.server.add(f'/{name}', 20000)
        outcomes = {}
        for _ in range(40):
            rows = [(self.server.url(f'/{name}'), f'{self.shared}/{name}', {'mode': 0o644}) for name in range(20)]
            try:
                job = self.client.create(rows, start=True)
            except DBusError as error:  # the directory is away at this moment
                outcomes[error.short] = outcomes.get(error.short, 0) + 1
                continue
            wait_for(lambda one=job: one.state not in ('queued', 'connecting', 'transferring'), 'the job')
            outcome = self.end_job(job)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        print(f'# {outcomes}')
        attack.send_signal(signal.SIGKILL)
        attack.wait()
        self.assertEqual(process_start(pid), start)
        self.assert_untouched()
        # nothing of alice's lies anywhere else, and nothing of bob's has become hers
        for name in os.listdir(self.parent):
            info = os.lstat(os.path.join(self.parent, name))
            self.assertEqual(info.st_uid, self.uid('bob'), name)
        self.assertEqual(stat.S_IMODE(os.stat(self.secret).st_mode), 0o600)

    @staticmethod
    def uid(user):
        return pwd.getpwnam(user).pw_uid


if __name__ == '__main__':
    tap.main()
