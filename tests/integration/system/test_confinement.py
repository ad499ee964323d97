#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""What a worker can still do once it is taken over, tried as alice and as root; and where the secrets
of a running job are not."""
import base64
import glob
import os
import pwd
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib'))
import tap  # noqa: E402
from bus import DEADLINE, wait_for  # noqa: E402
from httpd import MIB, Answer  # noqa: E402
from processes import kill, process_start, status_field  # noqa: E402
from world import SystemCase, installed  # noqa: E402

BUILD = os.environ['TFD_BUILD_ROOT']
BASIC = Answer(status=401, headers={'WWW-Authenticate': 'Basic realm="files"'})
PASSWORD = 'open-sesame-58c1d7'
TOKEN = 'token-that-nobody-reads-90e2'
EVERYTHING = ['DisplayName', 'Headers', 'HeadersWriteOnly', 'Method', 'Proxy', 'State', 'Error']
DUMPED = os.CLD_DUMPED


def limits(pid):
    """The hard limits of a process by name."""
    with open(f'/proc/{pid}/limits', encoding='ascii') as file:
        return {line[:26].strip(): line[26:].split()[1] for line in file.readlines()[1:]}


def as_user(user, *words, **options):
    """Runs a program with the rights of this user and no capability."""
    return subprocess.run(['setpriv', '--reuid', user, '--regid', user, '--init-groups',
                           '--inh-caps=-all', '--bounding-set=-all', '--', *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, timeout=DEADLINE, **options)


class Escapes(SystemCase):
    """The program that confines itself as the worker does, and tries what it should not."""

    def escape(self, user):
        directory = tempfile.mkdtemp(dir='/run')
        self.addCleanup(shutil.rmtree, directory)
        os.chmod(directory, 0o755)
        program = os.path.join(directory, 'test-sandbox')
        shutil.copy(os.path.join(BUILD, 'tests', 'unit', 'test-sandbox'), program)
        os.chmod(program, 0o755)
        done = as_user(user, program, env={'HOME': '/nonexistent', 'PATH': '/usr/bin:/bin',
                                           'GSETTINGS_BACKEND': 'memory', 'LC_ALL': 'C.UTF-8',
                                           'G_DEBUG': 'fatal-criticals',
                                           # what looks for leaks would trace the process
                                           'ASAN_OPTIONS': 'detect_leaks=0'})
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn('not ok', done.stdout)
        self.assertIn('ok 1 ', done.stdout)

    def test_alice(self):
        self.escape('alice')

    def test_root(self):
        self.escape('root')


class Without(SystemCase):
    """Kernels and containers that have neither, or forbid it: strace answers for them."""

    def fetch(self, user, *faults):
        resource = self.server.add('/a', MIB)
        path = self.place('a') if user == 'alice' else self.world.target('a')
        done = as_user(user, 'strace', '-f', '-qq', '-o', '/dev/null', '-e', 'signal=none',
                       *(word for fault in faults for word in ('-e', f'inject={fault}')),
                       installed('transferd-worker'), '--fetch', self.server.url('/a'), path,
                       env={'HOME': '/', 'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8',
                            'ASAN_OPTIONS': 'detect_leaks=0'})  # that would trace itself
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assert_file(path, resource)
        os.unlink(path)
        return done.stdout

    def test_nothing_is_missing(self):
        for user in 'alice', 'root':
            self.assertNotIn('goes on without', self.fetch(user))

    def test_no_landlock(self):
        for error in 'ENOSYS', 'EOPNOTSUPP', 'EPERM':
            said = self.fetch('alice', f'landlock_create_ruleset:error={error}')
            self.assertEqual(said.count('goes on without Landlock'), 1, said)
            self.assertNotIn('filter of system calls', said)

    def test_no_seccomp(self):
        said = self.fetch('alice', 'seccomp:error=EINVAL')
        self.assertEqual(said.count('goes on without a filter of system calls'), 1, said)
        self.assertNotIn('Landlock', said)

    def test_first_version_of_landlock(self):
        """Each version is asked for what it has, and no more."""
        for version in range(1, 8):
            self.assertNotIn('goes on without',
                             self.fetch('root', f'landlock_create_ruleset:retval={version}:when=1'))


class Confined(SystemCase):
    def running(self, user='alice', **options):
        resource = self.server.add('/a', 2 * MIB, script=[Answer(stall=MIB)])
        path = self.place('a') if user == 'alice' else self.world.target('a')
        client = self.client if user == 'alice' else self.world.client()
        job = client.create([(self.server.url('/a'), path)], start=True, **options)
        wait_for(resource.stalled.is_set, 'the answer')
        return job, resource, self.world.worker()

    def assert_confined(self, worker):
        self.assertEqual(status_field(worker, 'NoNewPrivs'), ['1'])
        self.assertEqual(status_field(worker, 'Seccomp'), ['2'])
        for task in os.listdir(f'/proc/{worker}/task'):
            self.assertEqual(status_field(f'{worker}/task/{task}', 'Seccomp'), ['2'])
        found = limits(worker)
        self.assertEqual(found['Max core file size'], '0')
        self.assertLessEqual(int(found['Max open files']), 4096)
        with open(self.world.log, encoding='utf-8') as log:
            self.assertNotIn('goes on without', log.read())

    def test_worker(self):
        job, resource, worker = self.running()
        self.assert_confined(worker)
        resource.released.set()
        job.wait('transferred')
        job.complete()
        self.assert_file(self.place('a'), resource)

    def test_worker_of_root(self):
        job, resource, worker = self.running('root')
        self.assert_confined(worker)
        resource.released.set()
        job.wait('transferred')
        job.complete()
        self.assert_file(self.world.target('a'), resource)

    def test_not_even_its_user_looks_into_it(self):
        """Other programs of alice, which may be taken over, too, get no password out of it."""
        _, _, worker = self.running()
        for name in 'mem', 'environ', 'maps', 'auxv', 'syscall', 'stack', 'fd', 'exe', 'root', 'cwd':
            done = as_user('alice', 'sh', '-c', f'head -c1 /proc/{worker}/{name} || '
                                                f'readlink /proc/{worker}/{name}; '
                                                f'ls /proc/{worker}/{name}/ && echo seen')
            self.assertNotIn('seen', done.stdout, name)
            self.assertNotEqual(done.returncode, 0, (name, done.stdout))
        done = as_user('alice', 'strace', '-p', str(worker), '-o', '/dev/null')
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, 'not permitted')

    def test_no_core_dump(self):
        """Of neither process, even when it is killed by a signal that asks for one."""
        _, _, worker = self.running()
        start = process_start(worker)
        before = glob.glob('/core*') + glob.glob(self.world.path('**', 'core*'), recursive=True)
        kill(worker, signal.SIGABRT)
        wait_for(lambda: process_start(worker) != start, 'the worker to end')
        self.assertEqual(limits(self.world.daemon_pid)['Max core file size'], '0')
        daemon = self.world.daemon_pid
        kill(daemon, signal.SIGABRT)
        end = os.waitid(os.P_PID, daemon, os.WEXITED | os.WNOWAIT)
        self.assertNotEqual(end.si_code, DUMPED)
        self.world.daemon.wait(DEADLINE)
        after = glob.glob('/core*') + glob.glob(self.world.path('**', 'core*'), recursive=True)
        self.assertEqual(after, before)
        self.world.start()


class Secrets(SystemCase):
    """A job of alice with a password and a header field that is write-only, while it runs."""

    def setUp(self):
        super().setUp()
        self.world.kill_daemon()
        self.world.variables['TFD_DEBUG'] = 'all'
        self.world.variables['G_MESSAGES_DEBUG'] = 'all'
        self.world.start()
        self.file = self.server.add('/secret', 4 * MIB,
                                    script=[BASIC, Answer(stall=MIB), BASIC, Answer(stall=2 * MIB)])
        self.job = self.client.create([(self.server.url('/secret'), self.place('secret'))],
                                      Headers=[('X-Token', TOKEN)], HeadersWriteOnly=True)
        self.job.call('SetCredentials', '(ssssa{sv})', 'server', 'basic', 'alice', PASSWORD, {})
        self.job.resume()
        wait_for(self.file.stalled.is_set, 'the middle of the file')
        self.words = [PASSWORD.encode(), TOKEN.encode(),
                      base64.b64encode(f'alice:{PASSWORD}'.encode())]

    def assert_absent(self, content, where):
        if isinstance(content, str):
            content = content.encode()
        for word in self.words:
            self.assertNotIn(word, content, where)

    def assert_no_file_has_them(self, directory):
        seen = 0
        for parent, _, names in os.walk(directory):
            for name in names:
                path = os.path.join(parent, name)
                if stat.S_ISREG(os.lstat(path).st_mode):
                    with open(path, 'rb') as file:
                        self.assert_absent(file.read(), path)
                    seen += 1
        self.assertGreater(seen, 0)

    def test_they_are_sent(self):
        request = self.server.requests('/secret')[1]
        self.assertEqual(request.headers['x-token'], TOKEN)
        self.assertEqual(request.headers['authorization'], 'Basic ' + self.words[2].decode())

    def test_not_in_files(self):
        """Database, its log, what the daemon and the worker say with all debug messages on."""
        self.assert_no_file_has_them(self.world.directory)
        self.assert_no_file_has_them('/run')
        database = os.path.join(self.world.state_dir, 'transferd.db')
        with open(database, 'rb') as file:
            self.assertTrue(file.read(16).startswith(b'SQLite'))
        self.world.kill_daemon()
        with sqlite3.connect(database) as db:
            sealed, = db.execute('SELECT length(secrets) FROM jobs').fetchone()
        self.assertGreater(sealed, 50)
        self.assert_no_file_has_them(self.world.directory)
        self.world.start()

    def test_not_in_processes(self):
        """What everybody sees of all processes."""
        seen = 0
        for pid in [name for name in os.listdir('/proc') if name.isdigit() and int(name) != os.getpid()]:
            for name in 'cmdline', 'environ', 'comm', 'status', 'stat', 'maps':
                try:
                    with open(f'/proc/{pid}/{name}', 'rb') as file:
                        self.assert_absent(file.read(), f'{pid}/{name}')
                        seen += 1
                except OSError:
                    pass  # it has just ended
        self.assertGreater(seen, 10)

    def test_not_in_answers(self):
        self.assert_absent(str(self.job.get_all()), 'GetAll')
        self.assert_absent(str(self.client.list_jobs(properties=EVERYTHING)), 'ListJobs')
        self.assert_absent(str(self.job.events()), 'GetEvents')
        self.assert_absent(str(self.job.files()), 'ListFiles')
        self.assert_absent(str(self.job.explain()), 'Explain')
        root = self.world.client()
        seen = self.job.seen_by(root)
        self.assert_absent(str(root.list_jobs(properties=EVERYTHING, **{'all-users': True})), 'root')
        self.assert_absent(str(seen.get_all()), 'GetAll of root')
        self.assert_absent(str(self.client.signals), 'signals')
        done = as_user('alice', 'transferctl', 'status', '--json', self.job.id,
                       env=self.world.environment())
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assert_absent(done.stdout, 'transferctl')
        self.job.cancel()
        self.assert_absent(str(self.client.manager('GetJobHistory', '(a{sv})', {})), 'history')
        self.assert_no_file_has_them(self.world.directory)

    def test_used_again_after_a_restart(self):
        self.file.stalled.clear()
        self.world.restart()
        wait_for(self.file.stalled.is_set, 'the next try')
        self.assertEqual(self.server.requests('/secret')[-1].headers['x-token'], TOKEN)
        self.file.released.set()
        self.job.wait('transferred')
        self.job.complete()
        self.assert_file(self.place('secret'), self.file)

    def test_lost_key(self):
        """The job lives on without, and says so."""
        key = os.path.join(self.world.state_dir, 'secrets.key')
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        self.assertEqual(os.stat(key).st_uid, 0)
        self.world.kill_daemon()
        os.unlink(key)
        self.file.script = [BASIC] * 10
        self.world.start()
        self.job.wait('error')
        self.assertEqual(self.job.error[0], 'AuthenticationRequired')
        self.assertIn('secrets-lost', self.job.events())
        self.assertNotIn('x-token', self.server.requests('/secret')[-1].headers)
        with open(self.world.log, encoding='utf-8') as log:
            self.assertIn('sealed with another key', log.read())
        self.file.script = [BASIC]
        self.job.call('SetCredentials', '(ssssa{sv})', 'server', 'basic', 'alice', PASSWORD, {})
        self.job.resume()
        self.job.wait('transferred')
        self.job.complete()
        self.assert_file(self.place('secret'), self.file)

    def test_unusable_key(self):
        """The service would rather not start than give up what a copy of the key could open."""
        key = os.path.join(self.world.state_dir, 'secrets.key')
        self.world.kill_daemon()
        with open(key, 'rb') as file:
            good = file.read()
        with open(key, 'wb') as file:
            file.write(b'short')
        daemon = self.world.launch()
        self.assertEqual(daemon.wait(DEADLINE), 1)
        with open(self.world.log, encoding='utf-8') as log:
            self.assertIn(key, log.read())
        with open(key, 'wb') as file:
            file.write(good)
        self.file.stalled.clear()
        self.world.start()
        wait_for(self.file.stalled.is_set, 'the next try')
        self.assertEqual(self.server.requests('/secret')[-1].headers['x-token'], TOKEN)

    def test_only_root_reads_the_state(self):
        for name in 'transferd.db', 'transferd.db-wal', 'secrets.key':
            info = os.stat(os.path.join(self.world.state_dir, name))
            self.assertEqual((info.st_uid, stat.S_IMODE(info.st_mode)), (0, 0o600), name)
        self.assertNotEqual(pwd.getpwnam('alice').pw_uid, 0)
        done = as_user('alice', 'cat', os.path.join(self.world.state_dir, 'secrets.key'))
        self.assertNotEqual(done.returncode, 0)


if __name__ == '__main__':
    tap.main()
