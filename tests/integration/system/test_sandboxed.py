#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Callers in sandboxes: what they own, what they may not ask for, and how they are recognised, with
bubblewrap in the place of Flatpak."""
import fcntl
import os
import pwd
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib'))
import tap  # noqa: E402
from bus import MANAGER_PATH, NAME, Client, DBusError, GLib, Job, wait_for  # noqa: E402
from httpd import MIB, Answer  # noqa: E402
from world import SystemCase, installed  # noqa: E402

ONE, TWO = 'org.example.One', 'org.example.Two'
SYSTEM = ['bwrap', '--die-with-parent', '--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin',
          '--symlink', 'usr/lib', '/lib', '--symlink', 'usr/lib64', '/lib64', '--dev', '/dev',
          '--proc', '/proc']
INFO = '[Application]\nname={}\nruntime=runtime/org.example.Platform/x86_64/1\n[Context]\nshared={}\n'


class SandboxCase(SystemCase):
    """alice has a client outside, and as many as she wants in sandboxes."""

    bus_directory = '/run/dbus'

    def connect(self, wrapper=()):
        return self.world.client('alice', wrapper=wrapper)

    def write(self, name, text):
        path = self.world.path(name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def bubble(self, *options):
        """A client in a sandbox that says nothing of itself."""
        return self.connect([*SYSTEM, '--ro-bind', self.bus_directory, self.bus_directory, *options])

    def app(self, name=ONE, *options, shared='network;ipc;'):
        """A client in the sandbox of an application."""
        path = self.write(f'info-{name}-{shared}', INFO.format(name, shared))
        return self.bubble('--ro-bind', path, '/.flatpak-info', *options)

    def outside(self):
        return self.connect()

    def ids(self, client):
        return [path.rpartition('/')[2] for path, _ in client.list_jobs()]

    def assert_sandboxed(self, function, /, *arguments, **options):
        text = self.assert_error('Sandboxed', function, *arguments, **options)
        self.assertIn('sandbox', text)
        return text

    def assert_unknown_place(self, client):
        """Nothing made elsewhere is its own, and nothing is transferred for it."""
        self.assertEqual(self.ids(client), [])
        self.assert_sandboxed(client.create)


class Sandboxed(SandboxCase):
    def test_each_owns_what_it_made(self):
        one, two = self.app(ONE), self.app(TWO)
        first, second, third = one.create(name='1'), two.create(name='2'), self.client.create(name='3')
        for client, jobs in (one, [first]), (two, [second]), (self.client, [first, second, third]):
            self.assertEqual(self.ids(client), [job.id for job in jobs])
            self.assertEqual(client.manager_property('JobCount'), len(jobs))
        again = self.app(ONE)
        self.assertEqual(self.ids(again), [first.id])
        first.seen_by(again).set(DisplayName='mine')
        first.seen_by(self.client).set(DisplayName='mine, too')
        self.assertEqual(first.get('DisplayName'), 'mine, too')

    def test_others_are_as_if_they_were_not(self):
        one, two = self.app(ONE), self.app(TWO)
        jobs = [two.create(), self.client.create(), Job(one, f'{MANAGER_PATH}/jobs/{"0" * 32}')]
        calls = {
            'Suspend': lambda job: job.suspend(), 'Resume': lambda job: job.resume(),
            'Cancel': lambda job: job.cancel(), 'Complete': lambda job: job.complete(),
            'ListFiles': lambda job: job.files(), 'GetEvents': lambda job: job.events(),
            'AddFile': lambda job: job.add(self.server.url('/a'), '/home/alice/a'),
            'Get': lambda job: job.get('State'), 'GetAll': lambda job: job.get_all(),
            'Set': lambda job: job.set_one('DisplayName', 'x'),
            'SetProperties': lambda job: job.set(DisplayName='x'),
            'SetRemoteName': lambda job: job.call('SetRemoteName', '(us)', 0, 'file:///etc/passwd'),
            'TakeOwnership': lambda job: job.call('TakeOwnership', '(a{sv})', {}),
            'OpenTemporary': lambda job: job.call('OpenTemporary', '(u)', 0),
        }
        for name, call in calls.items():
            with self.subTest(name):
                texts = {self.assert_error('NotFound', call, job.seen_by(one)).replace(job.id, 'ID')
                         for job in jobs}
                self.assertEqual(len(texts), 1, texts)
        for job in jobs[:2]:
            self.assert_error('NotFound', one.manager, 'GetJob', '(s)', job.id)
            self.assert_error('NotFound', one.list_jobs, after=job.path)
            self.assertEqual(one.manager('CancelJobs', '(aoa{sv})', [job.path], {})[0],
                             [(job.path, '', NAME + '.Error.NotFound')])
            self.assertEqual(job.state, 'suspended')

    def test_all_means_its_own(self):
        one = self.app(ONE)
        held, mine = self.client.create(), one.create()
        for job in held, mine:
            _, row, _ = self.row(job.id, 2 * MIB, script=[Answer(stall=MIB)])
            job.seen_by(self.client).add(*row)
        one.manager('ResumeAll', '(a{sv})', {})
        self.assertNotEqual(mine.state, 'suspended')
        self.assertEqual(held.state, 'suspended')
        held.resume()
        one.manager('SuspendAll', '(a{sv})', {})
        self.assertEqual(mine.state, 'suspended')
        self.assertNotEqual(held.state, 'suspended')

    def test_history(self):
        one, two = self.app(ONE), self.app(TWO)
        jobs = [one.create(), two.create(), self.client.create()]
        for job in jobs:
            job.cancel()
        for client, seen in (one, jobs[:1]), (two, jobs[1:2]), (self.outside(), jobs):
            self.assertEqual(set(client.history()), {job.id for job in seen})
            self.assertEqual(set(client.history(ids=[job.id for job in jobs])), {job.id for job in seen})

    def test_signals(self):
        one, two, plain = self.app(ONE), self.app(TWO), self.outside()
        for client in one, two, plain:
            client.manager('Subscribe', '(a{sv})', {})
        jobs = [one.create(), two.create(), plain.create()]
        for number, job in enumerate(jobs):
            job.seen_by(plain).set(DisplayName=f'name {number}')
        plain.expect('PropertiesChanged', jobs[2].path)
        for client, heard in (one, jobs[:1]), (two, jobs[1:2]):
            client.flush()
            self.assertEqual({signal.path for signal in client.named('PropertiesChanged')},
                             {job.path for job in heard})
            self.assertEqual({signal.path for signal in client.signals
                              if signal.name not in ('PropertiesChanged', 'JobAdded')}, set())

    def test_signals_after_get_all(self):
        one, two = self.app(ONE), self.app(TWO)
        job = one.create()
        job.get_all()
        self.assert_error('NotFound', job.seen_by(two).get_all)
        job.seen_by(self.client).set(DisplayName='other')
        one.expect('PropertiesChanged', job.path)
        two.flush()
        self.assertEqual(two.named('PropertiesChanged'), [])

    def test_still_its_own_after_a_restart(self):
        job, theirs = self.app(ONE).create(), self.app(TWO).create()
        done = self.app(ONE).create()
        done.cancel()
        self.world.restart()
        one = self.app(ONE)
        self.assertEqual(self.ids(one), [job.id])
        self.assertEqual(set(one.history()), {done.id})
        self.assertEqual(self.ids(self.outside()), [job.id, theirs.id])

    def test_counts_to_the_limit_of_its_user(self):
        self.world.stop()
        self.world.write_config({'MaxJobsPerUser': 2})
        self.world.start()
        one, two = self.app(ONE), self.app(TWO)
        job = one.create()
        two.create()
        for client in one, two, self.outside():
            self.assert_error('TooManyJobsPerUser', client.create)
        job.cancel()
        self.outside().create()

    def test_names_no_files(self):
        one = self.app(ONE)
        url = self.server.url('/a')
        self.server.add('/a', MIB)
        job = one.create()
        upload = one.create(job_type='upload-reply')
        row = (url, self.place('a'))
        for call in (lambda: one.create([row]), lambda: one.create([row], start=True),
                     lambda: job.add(*row), lambda: job.add_files([row]),
                     lambda: job.add('file:///etc/passwd', self.place('a')),
                     lambda: upload.set(ReplyFileName=self.place('b')),
                     lambda: upload.set_one('ReplyFileName', self.place('b')),
                     lambda: one.create(job_type='upload-reply', ReplyFileName=self.place('b'))):
            self.assertIn('AddFileFd', self.assert_sandboxed(call))
        self.assertEqual((job.get('FilesTotal'), one.manager_property('JobCount')), (0, 2))
        self.assertEqual(os.listdir(self.places['alice']), [])

    def test_names_no_files_by_url(self):
        one = self.app(ONE)
        job = one.create()
        job.seen_by(self.client).add(self.server.url('/a'), self.place('a'))
        for url in 'file:///etc/passwd', 'FILE:///etc/passwd':
            self.assert_sandboxed(job.call, 'SetRemoteName', '(us)', 0, url)
        for prefix, other in (('http', 'file'), ('http://', 'file:///'), ('http://127.0.0.1', 'fi'), ('h', '')):
            self.assert_sandboxed(job.call, 'ReplaceRemotePrefix', '(ss)', prefix, other)
        self.assertEqual(job.files()[0][1], self.server.url('/a'))
        job.call('ReplaceRemotePrefix', '(ss)', self.server.url('/'), 'http://example.org/')
        job.call('SetRemoteName', '(us)', 0, self.server.url('/b'))
        self.assertEqual(job.files()[0][1], self.server.url('/b'))
        directory = os.open(self.places['alice'], os.O_RDONLY | os.O_DIRECTORY)
        try:
            self.assert_sandboxed(job.add_fd, 'file:///etc/passwd', directory, 'b')
            self.assert_sandboxed(job.add_at, directory, [('file:///etc/passwd', 'b')])
        finally:
            os.close(directory)

    def test_has_not_the_powers_of_its_user(self):
        one = self.app(ONE)
        job = one.create()
        for call in (lambda: job.set(ClientCertificate='/home/alice/key.pem'),
                     lambda: job.set_one('ClientCertificate', '/home/alice/key.pem'),
                     lambda: one.create(ClientCertificate='/home/alice/key.pem'),
                     lambda: job.set(NotifyApplication=TWO),
                     lambda: job.set(NotifyApplication=ONE + 'x'),
                     lambda: job.call('SetCredentials', '(ssssa{sv})', 'server', 'negotiate', '', '', {}),
                     lambda: job.call('TakeOwnership', '(a{sv})', {}),
                     lambda: one.manager('Reload', '()'),
                     lambda: one.list_jobs(all_users=True),
                     *[lambda name=name: one.manager(name, '(a{sv})', {'all-users': GLib.Variant('b', True)})
                       for name in ('Subscribe', 'SuspendAll', 'ResumeAll')]):
            self.assert_sandboxed(call)
        for name in ONE, ONE + '.desktop', '':
            job.set(NotifyApplication=name)
        self.assertEqual(one.manager('DescribeError', '(ss)', NAME + '.Error.Sandboxed', '')[0][:9],
                         'A program')

    def test_hands_in_a_directory(self):
        one = self.app(ONE)
        file = self.server.add('/a', MIB)
        directory = os.open(self.places['alice'], os.O_RDONLY | os.O_DIRECTORY)
        try:
            job = one.create()
            job.add_fd(self.server.url('/a'), directory, 'a')
        finally:
            os.close(directory)
        job.resume()
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(self.place('a'), file)

    def test_sends_no_link(self):
        """A link in a directory of the program's own leads where the program itself does not come."""
        one = self.app(ONE)
        os.symlink('/etc/passwd', self.place('link'))
        directory = os.open(self.places['alice'], os.O_RDONLY | os.O_DIRECTORY)
        try:
            job = one.create(job_type='upload')
            with self.assertRaises(DBusError):
                job.add_fd(self.server.url('/up'), directory, 'link')
        finally:
            os.close(directory)
        self.assertEqual(job.get('FilesTotal'), 0)


class Networks(SandboxCase):
    def refuse(self, client):
        """`client` of an application without a network has a job from when it had one."""
        job = self.app(ONE).create()
        job.seen_by(self.client).add(self.server.url('/a'), self.place('a'))
        job = job.seen_by(client)
        for call in (client.create, lambda: client.create(start=True), job.resume,
                     lambda: client.manager('ResumeAll', '(a{sv})', {}),
                     lambda: job.call('SetRemoteName', '(us)', 0, 'http://example.org/what-i-know'),
                     lambda: job.set(Headers=[('X', 'what I know')]),
                     lambda: job.set_one('Headers', [('X', 'what I know')])):
            self.assertIn('network', self.assert_sandboxed(call))
        self.assertEqual((self.ids(client), job.state), ([job.id], 'suspended'))
        job.suspend()
        self.assertEqual(job.cancel()[0], 'cancelled')
        self.assertIn(job.id, client.history())

    def test_own_namespace(self):
        self.refuse(self.app(ONE, '--unshare-net'))

    def test_proxy_with_a_network(self):
        """What speaks to the bus for an application is outside of its network namespace."""
        self.refuse(self.app(ONE, shared='ipc;'))

    def test_unknown_place(self):
        self.assert_unknown_place(self.bubble('--unshare-net'))

    def test_namespace_alone(self):
        self.assert_unknown_place(self.connect(['unshare', '--user', '--net']))


class Recognition(SandboxCase):
    def test_unknown_places_share_nothing(self):
        one, two = self.bubble(), self.bubble('--unshare-user')
        job, other = one.create(), two.create()
        self.assertEqual((self.ids(one), self.ids(two)), ([job.id], [other.id]))
        self.assertEqual(self.ids(self.bubble()), [])
        self.assertEqual(self.ids(self.outside()), [job.id, other.id])
        self.assert_sandboxed(job.add, self.server.url('/a'), self.place('a'))

    def test_user_namespace_with_everything_in_it(self):
        client = self.connect(['bwrap', '--dev-bind', '/', '/'])
        self.client.create()
        self.assertEqual(self.ids(client), [])
        self.assert_sandboxed(client.create, [(self.server.url('/a'), self.place('a'))])

    def test_strange_descriptions(self):
        os.mkfifo(self.world.path('fifo'))
        os.chmod(self.world.path('fifo'), 0o666)
        os.mkdir(self.world.path('directory'))
        good = INFO.format(ONE, 'network')
        secret = self.write('secret', good)
        os.chmod(secret, 0o600)
        # bubblewrap binds what it can see, and that it may read it is not asked
        os.chown(secret, pwd.getpwnam('bob').pw_uid, -1)
        self.app(ONE).create()
        for name, path in {
                'queue': self.world.path('fifo'), 'directory': self.world.path('directory'),
                'device': '/dev/zero', 'unreadable': secret, 'empty': self.write('empty', ''),
                'garbage': self.write('garbage', '\x7fELF\x02\x01\x01' * 1000),
                'huge': self.write('huge', good + '#' * (1 << 26)),
                'nameless': self.write('nameless', '[Application]\nruntime=x\n'),
                'name': self.write('name', INFO.format('../../x', 'network'))}.items():
            with self.subTest(name):
                self.assert_unknown_place(self.bubble('--dev-bind', path, '/.flatpak-info'))
        with self.subTest('link'):
            self.assert_unknown_place(self.bubble('--ro-bind', self.write('good', good), '/good',
                                                  '--symlink', 'good', '/.flatpak-info'))

    def test_not_to_be_looked_into(self):
        """A program that hides could be anything. In a namespace of its user's it cannot hide."""
        job = self.app(ONE).create()
        plain, one = self.outside(), self.app(ONE)
        for client in plain, one:
            client.stand_in.tell('import ctypes; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)')
        self.assert_unknown_place(plain)
        self.assertEqual(self.ids(one), [job.id])

    def test_enters_a_sandbox_before_its_first_call(self):
        self.client.create()
        client = self.outside()
        client.stand_in.tell('import ctypes; ctypes.CDLL(None).unshare(0x50000000)')
        self.assert_unknown_place(client)

    def test_becomes_another_program(self):
        job = self.app(ONE).create()
        client = self.app(ONE)
        client.stand_in.replace('sleep', '1000')
        self.assertEqual(self.ids(client), [job.id])
        plain = self.outside()
        plain.stand_in.replace('sleep', '1000')
        self.assertEqual(self.ids(plain), [job.id])

    def test_becomes_root_s_program(self):
        """su(1) is root's from the first moment on: nobody knows from where it was started."""
        self.client.create()
        client = self.outside()
        client.stand_in.tell('os.dup2(os.open("/dev/null", os.O_WRONLY), 2)')
        client.stand_in.replace('su', '-', 'bob', '-c', 'true')
        self.assert_unknown_place(client)

    def test_has_ended(self):
        self.client.create()
        for client in self.outside(), self.app(ONE):
            client.stand_in.end()
            self.assert_unknown_place(client)

    def test_another_process_has_its_number(self):
        """Somebody outside gets the number of a process that ended between call and look."""
        self.client.create()
        client = self.outside()
        client.manager_property('Version')
        # the kernel says to a hundredth of a second when a process began
        called = time.clock_gettime(time.CLOCK_BOOTTIME)
        wait_for(lambda: time.clock_gettime(time.CLOCK_BOOTTIME) > called + 0.02, 'the clock')
        number = client.stand_in.process.pid
        client.stand_in.end()
        alice = pwd.getpwnam('alice')
        for _ in range(100):
            with open('/proc/sys/kernel/ns_last_pid', 'w', encoding='ascii') as file:
                file.write(str(number - 1))
            other = subprocess.Popen(['sleep', '1000'], user=alice.pw_uid, group=alice.pw_gid)
            if other.pid == number:
                break
            other.kill()
            other.wait()
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        self.assertEqual(other.pid, number)
        wait_for(lambda: os.stat(f'/proc/{number}').st_uid == alice.pw_uid, 'alice')
        self.assert_unknown_place(client)


class Looks(SandboxCase):
    """The process that looks: a script decides what becomes of it."""

    def setUp(self):
        super().setUp()
        self.script = self.world.path('behaviour')
        self.behave('exec "$REAL" "$@"')
        self.looks = self.world.path('looks')
        self.write('looks', '')
        os.chmod(self.looks, 0o666)
        starter = self.write('worker', f'''#!/bin/sh
REAL={installed("transferd-worker")}
case "$1" in
  --look-at*) echo "$(id -un)" >>{self.looks}; . {self.script};;
  *) exec "$REAL" "$@";;
esac
''')
        os.chmod(starter, 0o755)
        self.world.stop()
        self.world.write_config({'ProbeTimeout': '2s'})
        self.world.start('--worker', starter)
        self.client = self.outside()

    def behave(self, line):
        new = self.write('behaviour.new', line + '\n')
        os.chmod(new, 0o644)
        os.rename(new, self.script)

    def seen(self):
        with open(self.looks, encoding='utf-8') as file:
            return file.read().split()

    def test_once_for_each_connection(self):
        for _ in range(20):
            self.client.create()
        self.client.list_jobs()
        self.assertEqual(self.seen(), ['alice'])
        self.world.client('bob').list_jobs()
        self.assertEqual(self.seen(), ['alice', 'bob'])

    def test_not_before_it_matters(self):
        self.client.manager_property('Version')
        self.client.manager('DescribeError', '(ss)', NAME + '.Error.Empty', '')
        self.world.client().list_jobs()  # root
        self.assertEqual(self.seen(), [])
        self.client.manager_property('JobCount')
        self.assertEqual(self.seen(), ['alice'])

    def test_calls_keep_their_order(self):
        pending = [self.client.send_create(name=str(number)) for number in range(10)]
        paths = [one.result()[0] for one in pending]
        self.assertEqual([path for path, _ in self.client.list_jobs()], paths)

    def test_nobody_can_look(self):
        """An error that passes: what is the caller's own does not look like somebody else's."""
        job = self.client.create()
        for line in 'exit 1', 'echo', 'echo 2 x', 'kill -9 $$', 'exec sleep 1000', 'yes | tr -d "\\n"':
            with self.subTest(line):
                client = self.outside()
                self.behave(line)
                pending = [client.send_create(), job.seen_by(client).send_complete()]
                for one in pending:
                    with self.assertRaises(DBusError) as caught:
                        one.result()
                    self.assertEqual(caught.exception.short, 'WorkerLost')
                self.assert_error('WorkerLost', client.list_jobs)
                self.assertTrue(client.manager_property('Version'))
                self.behave('exec "$REAL" "$@"')
                self.assertEqual(self.ids(client), [job.id])
        self.assertEqual(job.complete()[0], 'completed')

    def test_who_looks_is_not_believed_everything(self):
        """The process is the user's own, who may tell it what to say, but not to say nothing."""
        self.client.create()
        for line in 'echo 0 evil', 'echo 0 flatpak:a/b', 'printf "0 unknown:1\\n"', 'echo "0  "':
            with self.subTest(line):
                self.behave(line)
                self.assert_unknown_place(self.outside())

    def test_many_at_once(self):
        """Looks that hang are the matter of their user: bob does not wait for alice's."""
        self.behave('[ "$(id -un)" = bob ] || exec sleep 1000\nexec "$REAL" "$@"')
        clients = [self.outside() for _ in range(20)]
        pending = [client.send(MANAGER_PATH, NAME + '.Manager', 'ListJobs', GLib.Variant('(a{sv})', ({},)))
                   for client in clients]
        wait_for(lambda: self.seen(), 'the first look')
        before = time.monotonic()
        self.assertEqual(self.world.client('bob').list_jobs(), [])
        self.assertLess(time.monotonic() - before, 2 * tap.PATIENCE)
        for one in pending:
            with self.assertRaises(DBusError):
                one.result()

    def test_worker_is_stuck(self):
        """Whose worker hangs in the kernel still sees the jobs, and can give them up."""
        job = self.client.create()
        path = os.path.join('/run/transferd', f'worker-{pwd.getpwnam("alice").pw_uid}.lock')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'a', encoding='utf-8') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            client = self.outside()
            self.assertEqual(self.ids(client), [job.id])
            job.seen_by(client).suspend()


class Session(SandboxCase):
    """The service of one user, who is not root, on a bus of her own."""

    def setUp(self):
        super().setUp()
        alice = pwd.getpwnam('alice')
        self.uid = alice.pw_uid
        self.bus_directory = self.world.path('session')
        os.mkdir(self.bus_directory)
        os.chown(self.bus_directory, alice.pw_uid, alice.pw_gid)
        self.address = f'unix:path={self.bus_directory}/bus'
        become = ['setpriv', '--reuid', 'alice', '--regid', 'alice', '--init-groups', '--']
        bus = self.world.spawn([*become, 'dbus-daemon', '--session', '--nofork', '--print-address',
                                f'--address={self.address}'], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
        self.assertTrue(bus.stdout.readline())
        state = os.path.join(self.bus_directory, 'state')
        with open(self.world.log, 'ab') as log:
            self.world.spawn([*become, installed('transferd'), '--user', '--state-dir', state, '--config',
                              self.world.config], stdout=log, stderr=log, env=self.world.environment() | {
                                  'DBUS_SESSION_BUS_ADDRESS': self.address, 'HOME': self.bus_directory,
                                  'XDG_RUNTIME_DIR': self.bus_directory})
        self.client = self.connect()
        wait_for(lambda: self.client.connection.call_sync(
            'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'NameHasOwner',
            GLib.Variant('(s)', (NAME,)), None, 0, -1, None).unpack()[0], 'transferd to own its name')

    def connect(self, wrapper=()):
        client = Client(self.address, self.uid, wrapper=wrapper)
        self.world.clients.append(client)
        return client

    def test_each_owns_what_it_made(self):
        one, two, unknown = self.app(ONE), self.app(TWO), self.bubble()
        jobs = [client.create() for client in (one, two, unknown, self.client)]
        for client, job in zip((one, two, unknown), jobs):
            self.assertEqual(self.ids(client), [job.id])
            self.assert_error('NotFound', jobs[3].seen_by(client).cancel)
            self.assertIn('AddFileFd', self.assert_sandboxed(
                job.add, self.server.url('/a'), self.place('a')))
        self.assertEqual(self.ids(self.client), [job.id for job in jobs])

    def test_no_network(self):
        self.assert_sandboxed(self.app(ONE, shared='ipc;').create)
        self.assert_sandboxed(self.app(ONE, '--unshare-net').create)

    def test_not_to_be_looked_into(self):
        client = self.outside()
        client.stand_in.tell('import ctypes; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)')
        self.assert_unknown_place(client)


if __name__ == '__main__':
    tap.main()
