#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The clients in depth: what transferctl does in the corners, the library from Python, the examples."""
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DEADLINE, wait_for  # noqa: E402
from bits_server import BitsServer  # noqa: E402
from httpd import KIB, MIB, Answer, Forever  # noqa: E402
from world import BUILD, WorldCase, program  # noqa: E402

FAILED, USAGE = 1, 2
SOURCE = os.environ.get('TFD_SOURCE_ROOT', '')


class ClientCase(WorldCase):
    def environment(self):
        return self.world.environment() | {'TRANSFERD_BUS': 'session'}

    def ctl(self, *words, status=0, **options):
        """What transferctl prints on its standard output; it must end with `status`."""
        options = {'stdin': subprocess.DEVNULL} | options if 'input' not in options else options
        done = subprocess.run([program('transferctl'), *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=self.environment(), timeout=DEADLINE,
                              check=False, cwd=self.world.downloads, **options)
        self.talk = done.stderr
        self.assertEqual(done.returncode, status, f'{words}: {done.stdout} {done.stderr}')
        return done.stdout

    def data(self, *words, **options):
        return json.loads(self.ctl(*words, '--json', **options))

    def start(self, *words):
        process = self.world.spawn([program('transferctl'), *words], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, env=self.environment(),
                                   cwd=self.world.downloads)
        return process

    def finish(self, process, status=0):
        said = process.stdout.read().decode()
        process.wait(DEADLINE)
        self.assertEqual(process.returncode, status, said)
        return said

    def paths(self):
        return [path for path, _ in self.client.list_jobs()]


class Get(ClientCase):
    def test_existing_file(self):
        file, (url, path), _ = self.file('a')
        with open(path, 'w', encoding='utf-8') as old:
            old.write('precious')
        self.ctl('get', url, path, status=FAILED)
        self.assertIn('--force', self.talk)
        self.assertEqual(self.server.requests('/a'), [])
        self.assertEqual(os.path.getsize(path), 8)
        self.ctl('get', '--force', url, path)
        self.assert_file(path, file)

    def test_file_that_appears_meanwhile(self):
        """What another program has put there is not lost, and neither is what was downloaded."""
        file, (url, path), _ = self.file('a', 4 * MIB, script=[Answer(stall=MIB)])
        process = self.start('get', url, path)
        wait_for(file.stalled.is_set, 'the first bytes')
        with open(path, 'w', encoding='utf-8') as other:
            other.write('precious')
        file.released.set()
        self.assertIn('complete', self.finish(process, FAILED))
        self.assertEqual(os.path.getsize(path), 8)
        os.unlink(path)
        job, = self.paths()
        self.ctl('complete', job[-32:])
        self.assert_file(path, file)

    def test_prints_the_path(self):
        _, (url, path), _ = self.file('a')
        self.assertEqual(self.ctl('get', url, path), path + '\n')
        _, (url, path), _ = self.file('b')
        shown = self.data('get', url, path)
        self.assertEqual((shown['path'], shown['bytes']), (path, MIB))

    def test_quiet(self):
        _, (url, path), _ = self.file('a')
        self.ctl('get', '-q', url, path)
        self.assertEqual(self.talk, '')

    def test_name_from_the_url(self):
        file = self.server.add('/sub/a%20name.iso', MIB)
        self.ctl('get', self.server.url('/sub/a%20name.iso') + '?query=/x')
        self.assert_file(self.world.target('a name.iso'), file)

    def test_umask(self):
        _, (url, path), _ = self.file('a')
        self.ctl('get', url, path, umask=0o027)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)

    def test_digest(self):
        file, (url, path), _ = self.file('a')
        self.ctl('get', '--digest', 'sha256:' + '0' * 64, url, path, status=FAILED)
        self.assertFalse(os.path.exists(path))
        for job in self.data('list'):
            self.ctl('cancel', job['id'])
        self.ctl('get', '--digest', 'sha256:' + file.sha256, url, path)
        self.assert_file(path, file)

    def test_refused_url(self):
        self.ctl('get', 'gopher://example.org/a', status=FAILED)
        self.assertIn('http', self.talk)
        self.assertEqual(self.paths(), [])

    def test_missing_directory(self):
        _, (url, _), _ = self.file('a')
        self.ctl('get', url, self.world.target('none/'), status=FAILED)
        self.assertIn('none', self.talk)
        self.assertEqual(self.paths(), [])

    def test_failure_leaves_no_job(self):
        _, (url, path), _ = self.file('a', script=Forever(Answer(status=404)))
        self.ctl('get', url, path, status=FAILED)
        self.assertEqual(self.paths(), [])
        self.assert_no_temporaries()

    def test_interrupt_is_seen_by_the_shell(self):
        file, (url, path), _ = self.file('a', 4 * MIB, script=[Answer(stall=MIB)])
        process = self.start('get', url, path)
        wait_for(file.stalled.is_set, 'the first bytes')
        process.send_signal(signal.SIGINT)
        said = self.finish(process, -signal.SIGINT)
        again = re.search(r'transferctl (wait --complete \w+)', said)
        file.released.set()
        self.ctl(*again[1].split())
        self.assert_file(path, file)

    def test_cancelled_by_somebody_else(self):
        file, (url, path), _ = self.file('a', 4 * MIB, script=[Answer(stall=MIB)])
        process = self.start('get', url, path)
        wait_for(file.stalled.is_set, 'the first bytes')
        self.ctl('cancel', '--all')
        self.assertIn('cancelled', self.finish(process, FAILED))


class Terminal(ClientCase):
    """On a terminal: one line that is drawn again and again."""

    def on_terminal(self, columns, *words):
        """Starts transferctl on a terminal; (process, function that gives all it wrote so far)."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.resize(master, columns)
        process = self.world.spawn(
            ['setsid', '--ctty', '--wait', program('transferctl'), *words], stdin=slave,
            stdout=slave, stderr=slave, cwd=self.world.downloads,
            env=self.environment() | {'TERM': 'xterm'})
        os.close(slave)
        os.set_blocking(master, False)
        written = bytearray()

        def read():
            try:
                while chunk := os.read(master, 65536):
                    written.extend(chunk)
            except (BlockingIOError, OSError):
                pass
            return written.decode()
        return process, read, master

    def resize(self, master, columns):
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))

    def lines(self, text):
        return [line for line in re.split(r'\r\n|\r', re.sub(r'\033\[[0-9;]*[A-Za-z]', '', text))
                if line]

    def test_progress(self):
        file, (url, path), _ = self.file('name.iso', 4 * MIB, script=[Answer(stall=2 * MIB)])
        process, read, master = self.on_terminal(100, 'get', url, path)
        wait_for(lambda: '50%' in read(), read)
        drawn = [line for line in self.lines(read()) if '50%' in line]
        self.assertIn('name.iso', drawn[-1])
        self.assertIn('▕', drawn[-1])
        self.assertTrue(all(len(line) < 100 for line in drawn), drawn)
        self.resize(master, 30)
        # what is written last may be half a line
        wait_for(lambda: all(len(line) < 30 for line in self.lines(read())[-4:-1]), 'narrow lines')
        file.released.set()
        wait_for(lambda: path in read(), read)
        process.wait(DEADLINE)
        self.assertEqual(process.returncode, 0)
        self.assert_file(path, file)

    def test_next_try(self):
        _, (url, path), _ = self.file('a', script=[Answer(status=503)])
        process, read, _ = self.on_terminal(80, 'get', url, path)
        wait_for(lambda: '503' in read() and 'next try in' in read(), read)
        wait_for(lambda: path in read(), read)
        process.wait(DEADLINE)
        self.assertEqual(process.returncode, 0)

    def test_wait_survives_a_restart(self):
        file, row, path = self.file('a', 4 * MIB, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True)
        process, read, _ = self.on_terminal(100, 'wait', '--complete', job.id)
        wait_for(lambda: '25%' in read(), read)  # by now it knows the job
        self.world.restart()
        wait_for(lambda: read() and process.poll() is not None, read)
        self.assertEqual(process.returncode, 0, read())
        self.assert_file(path, file)

    def test_colour_only_on_a_terminal(self):
        self.client.create(name='coloured')
        process, read, _ = self.on_terminal(80, 'list')
        wait_for(lambda: 'coloured' in read(), read)
        process.wait(DEADLINE)
        self.assertIn('\033[', read())
        self.assertNotIn('\033[', self.ctl('list'))


class Verbs(ClientCase):
    def test_why_log_history(self):
        _, row, _ = self.file()
        job = self.client.create([row], name='told')
        self.assertIn('suspended', self.ctl('why', 'told'))
        self.assertEqual([reason['code'] for reason in self.data('why', job.id)], ['suspended'])
        self.ctl('resume', job.id)
        self.ctl('wait', '--complete', job.id)
        self.assertIn('completed', self.ctl('history'))
        row, = self.data('history')
        self.assertEqual((row['id'], row['result'], row['kept']), (job.id, 'completed', 1))

    def test_log(self):
        job = self.client.create(name='told')
        events = self.data('log', job.id)
        self.assertTrue(events)
        self.assertEqual(len(self.data('log', '-n', '1', job.id)), 1)

    def test_status_of_a_job_that_is_over(self):
        _, row, _ = self.file()
        job = self.client.create([row], name='over')
        self.ctl('cancel', 'over')
        self.world.restart()  # the object does not stay
        self.assertIn('cancelled', self.ctl('status', job.id[:12]))
        self.assertIn('cancelled', self.ctl('status', 'over'))

    def test_add_from_a_list(self):
        job = self.client.create()
        rows = [self.file(str(number), KIB)[1] for number in range(50)]
        text = '# comment\n\n' + ''.join(f'{url}\t{path}\n' for url, path in rows)
        self.ctl('add', job.id, '--from=-', input=text)
        shown = self.data('files', job.id)
        self.assertEqual([(one['remote-url'], one['local-path']) for one in shown], rows)
        self.ctl('resume', job.id)
        self.ctl('wait', '--complete', job.id)
        self.assertEqual(len(os.listdir(self.world.downloads)), 50)

    def test_wait_for_several(self):
        rows = [self.file(name)[1] for name in ('a', 'b', 'c')]
        jobs = [self.client.create([row], start=True) for row in rows]
        shown = self.data('wait', '--complete', *[job.id for job in jobs])
        self.assertEqual([one['result'] for one in shown], ['completed'] * 3)
        self.assertEqual(sorted(os.listdir(self.world.downloads)), ['a', 'b', 'c'])

    def test_wait_times_out(self):
        job = self.client.create(name='never')
        self.ctl('wait', '--timeout=500ms', job.id, status=FAILED)
        self.assertIn('never', self.talk)

    def test_wait_for_a_job_that_is_over(self):
        _, row, _ = self.file('a')
        good = self.client.create([row], start=True, name='good')
        good.wait('transferred')
        good.complete()
        bad = self.client.create(name='bad')
        bad.cancel()
        for _ in range(2):
            self.ctl('wait', good.id)
            self.ctl('wait', bad.id, status=FAILED)
            self.assertIn('cancelled', self.talk)
            self.world.restart()  # the objects do not stay
        shown = self.data('wait', 'good', 'bad', status=FAILED)
        self.assertEqual([one['result'] for one in shown], ['completed', 'cancelled'])

    def test_wait_for_a_job_that_completes_itself(self):
        file, (url, path), _ = self.file('a', 4 * MIB, script=[Answer(stall=MIB)])
        identity = self.ctl('get', '--background', url, path).strip()
        process = self.start('wait', identity)
        wait_for(file.stalled.is_set, 'the first bytes')
        file.released.set()
        self.finish(process)
        self.assert_file(path, file)

    def test_overwrite(self):
        file, row, path = self.file('a')
        with open(path, 'w', encoding='utf-8') as old:
            old.write('precious')
        job = self.client.create([row], start=True)
        job.wait('transferred')
        self.ctl('complete', '--overwrite=fail', job.id, status=FAILED)
        self.assertIn('complete', self.talk)
        self.assertEqual(job.state, 'transferred')
        self.ctl('complete', '--overwrite=replace', job.id)
        self.assert_file(path, file)

    def test_require_all(self):
        _, row, _ = self.file('a')
        job = self.client.create([row])
        self.ctl('complete', '--require-all', job.id, status=FAILED)
        self.ctl('cancel', job.id)

    def test_monitor_as_json(self):
        process = self.start('monitor', '--json', '-q')
        self.addCleanup(process.stdout.close)
        os.set_blocking(process.stdout.fileno(), False)
        seen = b''
        jobs = []

        def told():
            nonlocal seen
            # It may have begun to listen only now: give it something new to see.
            jobs.append(self.client.create(name='watched'))
            jobs[-1].cancel()
            seen += process.stdout.read() or b''
            return b'"added"' in seen
        wait_for(told, lambda: f'an event in {seen}')
        event = json.loads(seen.split(b'\n')[0])
        self.assertIn(event['job'], [job.id for job in jobs])
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)
        self.assertEqual(process.returncode, 0)

    def test_monitor_shows_changes(self):
        job = self.client.create(name='watched')
        process = self.start('monitor', job.id)
        self.addCleanup(process.stdout.close)
        os.set_blocking(process.stdout.fileno(), False)
        seen = b''
        number = 0

        def told():
            nonlocal seen, number
            number += 1
            job.set(Description=f'changed {number}')
            seen += process.stdout.read() or b''
            return b'Description=changed' in seen
        wait_for(told, lambda: f'a change in {seen}')
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)

    def test_help_of_each_verb(self):
        for verb in self.ctl('--list-verbs').split():
            shown = self.ctl(verb, '--help')
            self.assertTrue(shown.startswith(f'usage: transferctl {verb}'), shown)
            self.assertEqual(shown, self.ctl('help', verb))

    def test_wrong_property(self):
        job = self.client.create()
        self.ctl('set-property', job.id, 'Nonsense=1', status=USAGE)
        self.ctl('set-property', job.id, 'Segments=many', status=USAGE)
        self.ctl('set-property', job.id, 'Segments', status=USAGE)

    def test_properties_from_the_command_line(self):
        identity = self.ctl('create', 'named', '-p', 'priority=low', '-p', 'minimum-retry-delay=2min')
        shown = self.data('show', identity.strip())
        self.assertEqual((shown['Priority'], shown['MinimumRetryDelay']), ('low', 120_000_000))
        self.assertEqual(self.ctl('show', '--value', '-p', 'Priority', 'named'), 'low\n')

    def test_hostile_name(self):
        """A name cannot make the terminal of whoever lists it write backwards."""
        job = self.client.create(name='a\u202eb')
        for words in ('list',), ('status', job.id), ('show', job.id):
            self.assertNotIn('\u202e', self.ctl(*words))

    def test_no_bus(self):
        environment = self.environment() | {'TRANSFERD_BUS': 'unix:path=/nonexistent'}
        done = subprocess.run([program('transferctl'), 'list'], stderr=subprocess.PIPE, text=True,
                              env=environment, timeout=DEADLINE, check=False)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn('bus', done.stderr)


class Examples(ClientCase):
    def run_example(self, *command):
        file, (url, path), _ = self.file('a', 2 * MIB)
        done = subprocess.run([*command, url, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, env=self.environment(), timeout=DEADLINE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assert_file(path, file)
        self.assertEqual(self.paths(), [])

    def test_c(self):
        self.run_example(os.path.join(BUILD, 'client/examples/example-download'))

    def test_python(self):
        self.run_example(sys.executable, os.path.join(SOURCE, 'client/examples/download.py'))

    def test_directory(self):
        file, (url, path), _ = self.file('a', 2 * MIB)
        script = os.path.join(SOURCE, 'client/examples/directory.py')
        done = subprocess.run([sys.executable, script, url, *os.path.split(path)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=self.environment(), timeout=DEADLINE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assert_file(path, file)
        self.assertEqual(self.paths(), [])

    def test_upload_reply(self):
        server = BitsServer()
        self.addCleanup(server.stop)
        server.reply = b'thank you'
        path = self.world.target('source')
        with open(path, 'wb') as file:
            file.write(b'what is sent')
        script = os.path.join(SOURCE, 'client/examples/upload_reply.py')
        done = subprocess.run([sys.executable, script, path, server.url('/x')],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=self.environment(), timeout=DEADLINE, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, 'thank you'))
        self.assertEqual(server.files['/x'].size, 12)

    def test_c_says_what_failed(self):
        _, (url, path), _ = self.file('a', script=Forever(Answer(status=404)))
        done = subprocess.run([os.path.join(BUILD, 'client/examples/example-download'), url, path],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=self.environment(), timeout=DEADLINE, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn('404', done.stdout)

    def test_library_from_python(self):
        """The introspection data describe the library well enough to use it."""
        file, (url, path), _ = self.file('a')
        script = '''
import sys
import gi
gi.require_version('Transfer', '1.0')
from gi.repository import GLib, Transfer

loop = GLib.MainLoop()

def completed(job, result):
    ok, ended, details = job.complete_finish(result)
    print(ended.value_nick, details.unpack()['kept'])
    loop.quit()

def changed(job, values):
    if job.get_state() == Transfer.JobState.TRANSFERRED:
        job.disconnect_by_func(changed)
        job.complete_async(None, None, completed)

def created(client, result):
    job = client.create_job_finish(result)
    created.job = job
    job.connect('changed', changed)
    changed(job, None)

def refused(client, result):
    try:
        client.get_job_finish(result)
    except GLib.Error as error:
        print(error.matches(Transfer.error_quark(), Transfer.Error.NOT_FOUND))

def connected(source, result):
    client = Transfer.Client.new_finish(result)
    client.get_job_async('0' * 32, None, refused)
    entry = Transfer.File.entry(sys.argv[1], sys.argv[2], None)
    options = {'files': GLib.Variant.new_array(None, [entry]), 'start': GLib.Variant('b', True)}
    client.create_job_async('from Python', Transfer.JobType.DOWNLOAD,
                            GLib.Variant('a{sv}', options), None, created)

Transfer.Client.new_async(None, None, connected)
GLib.timeout_add_seconds(110, sys.exit)
loop.run()
'''
        self.assertEqual(self.run_library(script, url, path),
                         f"True\ncompleted [(0, '{path}')]\n")
        self.assert_file(path, file)

    def test_library_with_descriptors(self):
        _, (url, path), _ = self.file('a')
        script = '''
import os
import sys
import gi
gi.require_version('Transfer', '1.0')
from gi.repository import GLib, Transfer

loop = GLib.MainLoop()
url, directory = sys.argv[1:]
descriptor = os.open(directory, os.O_RDONLY)
job = None

def attached(job, result):
    print('attached', *job.attach_directory_finish(result))
    job.cancel_async(None, None, lambda *_: loop.quit())

def refused(job, result):
    try:
        job.add_files_at_finish(result)
    except GLib.Error as error:
        print(error.matches(Transfer.error_quark(), Transfer.Error.DUPLICATE_DESTINATION))
    job.attach_directory_async(0, descriptor, None, attached)

def many_added(job, result):
    print('more', *job.add_files_at_finish(result))
    entry = Transfer.File.entry(url, 'a', None)
    job.add_files_at_async(descriptor, GLib.Variant.new_array(None, [entry]), None, refused)

def added(job, result):
    print('added', *job.add_file_fd_finish(result))
    entries = [Transfer.File.entry(url, name, None) for name in ('b', 'c')]
    job.add_files_at_async(descriptor, GLib.Variant.new_array(None, entries), None, many_added)

def created(client, result):
    global job
    job = client.create_job_finish(result)
    job.add_file_fd_async(url, descriptor, 'a', None, None, added)

def connected(source, result):
    client = Transfer.Client.new_finish(result)
    client.create_job_async('from Python', Transfer.JobType.DOWNLOAD, None, None, created)

Transfer.Client.new_async(None, None, connected)
GLib.timeout_add_seconds(110, sys.exit)
loop.run()
'''
        self.assertEqual(self.run_library(script, url, os.path.dirname(path)),
                         'added True 0\nmore True 1\nTrue\nattached True 3\n')

    def run_library(self, script, *arguments):
        """What a Python script that uses the library says."""
        library = os.path.join(BUILD, 'client/libtransfer')
        environment = self.environment() | {
            'GI_TYPELIB_PATH': library,
            'LD_LIBRARY_PATH': library + ':' + os.environ.get('LD_LIBRARY_PATH', '')}
        # The run time of a sanitizer must come before everything else, and finds Python leaky.
        needed = subprocess.run(['ldd', library + '/libtransfer-1.so.0'], stdout=subprocess.PIPE,
                                text=True, check=True).stdout
        sanitizer = re.search(r'=> (\S*/libasan\S*)', needed)
        if sanitizer:
            environment |= {'LD_PRELOAD': sanitizer[1], 'ASAN_OPTIONS': 'detect_leaks=0'}
        return subprocess.run([sys.executable, '-c', script, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=environment,
                              timeout=DEADLINE, check=False).stdout


if __name__ == '__main__':
    tap.main()
