#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The system mode: one daemon as root, a worker for each user, and nobody sees what is not theirs."""
import fcntl
import grp
import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib'))
import servers  # noqa: E402
import tap  # noqa: E402
from bus import DEADLINE, JOB, MANAGER_PATH, NAME, PROPERTIES, DBusError, GLib, Job, wait_for  # noqa: E402
from httpd import MIB, Answer, Server  # noqa: E402
from plain_server import PlainServer  # noqa: E402
from processes import children, executable, kill, open_files, process_start, status_field  # noqa: E402
from world import SystemCase, WorldCase, digest, installed, temporaries  # noqa: E402


class Users(SystemCase):
    def uid(self, user):
        return pwd.getpwnam(user).pw_uid

    def running(self, user='alice'):
        """A job of a user in the middle of its file, and the number of the worker."""
        file, row, _ = self.row(f'running-{user}', 2 * MIB, user, script=[Answer(stall=MIB)])
        client = self.client if user == 'alice' else self.world.client(user)
        job = client.create([row], start=True)
        wait_for(file.stalled.is_set, 'the answer')
        worker, = [pid for pid in self.world.workers()
                   if status_field(pid, 'Uid')[0] == str(self.uid(user))]
        return job, file, worker

    def test_download(self):
        file, row, path = self.row('a')
        job = self.client.create([row], start=True)
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(path, file)
        info = os.stat(path)
        self.assertEqual((info.st_uid, info.st_gid), (self.uid('alice'), grp.getgrnam('alice').gr_gid))
        self.assertEqual(stat.S_IMODE(info.st_mode), 0o644)
        self.assert_no_temporaries(self.places['alice'])
        self.assertEqual((job.get('OwnerUID'), job.get('OwnerName')), (self.uid('alice'), 'alice'))

    def test_temporaries_belong_to_the_owner(self):
        job, _, _ = self.running()
        part = self.place(wait_for(lambda: temporaries(self.places['alice']), 'the temporary')[0])
        self.assertEqual(os.stat(part).st_uid, self.uid('alice'))
        self.assertEqual(job.cancel()[0], 'cancelled')
        self.assertEqual(os.listdir(self.places['alice']), [])

    def test_worker_is_the_user_and_nothing_more(self):
        _, _, worker = self.running()
        alice = pwd.getpwnam('alice')
        self.assertEqual(set(status_field(worker, 'Uid')), {str(alice.pw_uid)})
        self.assertEqual(set(status_field(worker, 'Gid')), {str(alice.pw_gid)})
        groups = {str(one) for one in os.getgrouplist('alice', alice.pw_gid)}
        self.assertEqual(set(status_field(worker, 'Groups')), groups)
        for kind in 'CapEff', 'CapPrm', 'CapInh', 'CapAmb':
            self.assertEqual(int(status_field(worker, kind)[0], 16), 0, kind)
        self.assertEqual(status_field(worker, 'NoNewPrivs'), ['1'])
        self.assertEqual([path for path in open_files(worker) if path.startswith(self.world.state_dir)
                          and not path.endswith('.lock')], [])

    def test_worker_of_root_keeps_no_capability(self):
        file = self.server.add('/a', 2 * MIB, script=[Answer(stall=MIB)])
        job = self.world.client().create([(self.server.url('/a'), self.world.target('a'))], start=True)
        wait_for(file.stalled.is_set, 'the answer')
        self.assertEqual(int(status_field(self.world.worker(), 'CapEff')[0], 16), 0)
        job.cancel()

    def test_daemon_opens_no_file_of_a_user(self):
        self.running()
        daemon = self.world.daemon_pid
        self.assertEqual([path for path in open_files(daemon) if path.startswith(self.world.downloads)], [])

    def test_each_user_has_a_worker(self):
        first, one, alice = self.running('alice')
        second, other, bob = self.running('bob')
        self.assertNotEqual(alice, bob)
        kill(alice)
        one.released.set()
        other.released.set()
        first.wait('transferred')
        second.wait('transferred')
        self.assertEqual(second.client.named('JobError'), [])
        self.assertIn(bob, self.world.workers())
        for job, name in (first, 'running-alice'), (second, 'running-bob'):
            job.complete()
            self.assert_file(self.place(name, name[8:]), self.server.resources['/' + name])

    def test_others_get_not_found_like_for_no_job(self):
        job = self.client.create(name='secret')
        bob = self.world.client('bob')
        unknown = Job(bob, f'{MANAGER_PATH}/jobs/{"0" * 32}')
        theirs = job.seen_by(bob)
        calls = {
            'Suspend': lambda one: one.suspend(), 'Resume': lambda one: one.resume(),
            'Cancel': lambda one: one.cancel(), 'Complete': lambda one: one.complete(),
            'AddFile': lambda one: one.add(self.server.url('/a'), self.place('a', 'bob')),
            'AddFiles': lambda one: one.add_files([(self.server.url('/a'), self.place('a', 'bob'))]),
            'ListFiles': lambda one: one.files(), 'GetEvents': lambda one: one.events(),
            'Explain': lambda one: one.explain(), 'Get': lambda one: one.get('State'),
            'GetAll': lambda one: one.get_all(), 'Set': lambda one: one.set_one('DisplayName', 'x'),
            'SetProperties': lambda one: one.set(DisplayName='x'),
            'OpenTemporary': lambda one: one.call('OpenTemporary', '(u)', 0),
        }
        for name, call in calls.items():
            with self.subTest(name):
                answers = [self.assert_error('NotFound', call, one).replace(one.id, 'ID')
                           for one in (theirs, unknown)]
                self.assertEqual(answers[0], answers[1])
        self.assert_error('NotFound', bob.manager, 'GetJob', '(s)', job.id)
        self.assertEqual((bob.list_jobs(), bob.history(ids=[job.id])), ([], {}))
        self.assertEqual(bob.manager('CancelJobs', '(aoa{sv})', [job.path], {})[0],
                         [(job.path, '', NAME + '.Error.NotFound')])
        bob.manager('SuspendAll', '(a{sv})', {})
        self.assertEqual((job.state, job.get('DisplayName')), ('suspended', 'secret'))
        self.assertEqual((self.client.manager_property('JobCount'), bob.manager_property('JobCount')),
                         (1, 0))

    def test_others_hear_only_that_a_job_exists(self):
        bob = self.world.client('bob')
        bob.manager('Subscribe', '(a{sv})', {})
        _, row, _ = self.row('a')
        job = self.client.create([row], start=True, name='secret')
        job.wait('transferred')
        job.complete()
        bob.flush()
        self.assertEqual([one.name for one in bob.signals], ['JobAdded', 'JobTransferred', 'JobRemoved'])
        self.assertNotIn('secret', str(bob.signals))

    def test_history_is_private(self):
        job = self.client.create(name='secret')
        job.cancel()
        self.assertEqual(self.world.client('bob').history(), {})
        self.assertEqual(list(self.client.history()), [job.id])

    def test_local_files_are_read_with_the_rights_of_the_owner(self):
        secret = self.place('secret', 'bob')
        with open(secret, 'w', encoding='utf-8') as file:
            file.write('secret')
        os.chmod(secret, 0o600)
        job = self.client.create([('file://' + secret, self.place('a'))], start=True)
        job.wait('error')
        self.assertEqual(job.error[0], 'FileAccessDenied')
        job.complete()
        self.assertEqual(os.listdir(self.places['alice']), [])

    def test_files_are_sent_with_the_rights_of_the_owner(self):
        server = PlainServer()
        self.addCleanup(server.end)
        path = self.place('secret')
        with open(path, 'w', encoding='ascii') as file:
            file.write('of root')
        os.chmod(path, 0o600)
        self.assert_error('FileAccessDenied', self.client.create, [(server.url('/a'), path)],
                          job_type='upload')
        os.chmod(path, 0o644)
        job = self.client.create([(server.url('/a'), path)], job_type='upload')
        os.chmod(path, 0o600)
        job.resume()
        job.wait('error')
        self.assertEqual(job.error, ('FileAccessDenied', 'local-file'))
        os.chmod(path, 0o644)
        job.resume()
        job.wait('transferred')
        self.assertEqual(server.files['/a'].size, 7)

    def test_directories_of_others(self):
        os.chmod(self.places['bob'], 0o700)
        for directory in self.places['bob'], '/root', '/etc', '/usr/bin':
            with self.subTest(directory):
                self.assert_error('FileAccessDenied', self.client.create,
                                  [(self.server.url('/a'), directory + '/a')])
        self.assertEqual(self.client.list_jobs(), [])

    def test_directory_becomes_read_only(self):
        file, row, path = self.row('a')
        job = self.client.create([row], start=True)
        job.wait('transferred')
        os.chmod(self.places['alice'], 0o555)
        self.assert_error('CommitFailed', job.complete)
        self.assertEqual(job.state, 'transferred')
        os.chmod(self.places['alice'], 0o755)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(path, file)

    def test_cancel_in_a_read_only_directory(self):
        _, row, _ = self.row('a')
        job = self.client.create([row], start=True)
        job.wait('transferred')
        os.chmod(self.places['alice'], 0o555)
        part = self.place(f'.transferd-{job.id}-0.part')
        self.assertEqual(job.cancel(), ('cancelled', {'undeleted': [part]}))
        self.assertTrue(os.path.exists(part))

    def test_directory_was_never_writable_at_the_start(self):
        _, row, _ = self.row('a')
        job = self.client.create([row])
        os.chmod(self.places['alice'], 0o555)
        job.resume()
        job.wait('error')
        self.assertEqual(job.error, ('FileAccessDenied', 'local-file'))
        os.chmod(self.places['alice'], 0o755)
        job.resume()
        job.wait('transferred')
        job.complete()

    def test_group_directory_and_default_umask(self):
        """Set-group-id directories give their group, as for any file of the user."""
        os.chown(self.places['alice'], self.uid('alice'), grp.getgrnam('audio').gr_gid)
        os.chmod(self.places['alice'], 0o2775)
        _, row, path = self.row('a')
        job = self.client.create([(*row, {'umask': 0o002})], start=True)
        job.wait('transferred')
        job.complete()
        info = os.stat(path)
        self.assertEqual(info.st_gid, grp.getgrnam('audio').gr_gid)
        self.assertEqual(stat.S_IMODE(info.st_mode), 0o664)

    def test_links_in_the_way_are_not_followed(self):
        """Somebody who can write the directory guesses the name of the temporary."""
        os.chmod(self.places['alice'], 0o777)
        _, row, path = self.row('a')
        job = self.client.create([row])
        victim = self.place('victim')
        with open(victim, 'w', encoding='utf-8') as file:
            file.write('precious')
        os.chown(victim, self.uid('alice'), -1)
        os.symlink(victim, self.place(f'.transferd-{job.id}-0.part'))
        job.resume()
        if job.wait('transferred', 'error', hurry=True) == 'transferred':
            job.complete()
        with open(victim, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'precious')

    def test_state_directory_is_private(self):
        self.client.create(name='secret')
        self.assertEqual(stat.S_IMODE(os.stat(self.world.state_dir).st_mode), 0o700)
        for name in os.listdir(self.world.state_dir):
            mode = stat.S_IMODE(os.stat(os.path.join(self.world.state_dir, name)).st_mode)
            self.assertEqual(mode & 0o077, 0, name)

    def test_administration_is_for_root(self):
        self.assert_error('InteractiveAuthorizationRequired', self.client.manager, 'Reload')
        self.world.client().manager('Reload')
        for call in 'SuspendAll', 'ResumeAll', 'Subscribe':
            self.assert_error('InteractiveAuthorizationRequired', self.client.manager, call, '(a{sv})',
                              {'all-users': GLib.Variant('b', True)})

    def test_killed_over_the_system_bus(self):
        """A download from nginx of 64 MiB while both processes are killed."""
        web = servers.nginx('8m')
        self.addCleanup(web.stop)
        content = web.add('big', 64 * MIB)
        job = self.client.create([(web.url('/slow/big'), self.place('big'))], start=True)
        for moment in 6 * MIB, 16 * MIB:
            wait_for(lambda: self.amount(job) >= moment, f'{moment} bytes')
            for pid in self.world.workers():
                kill(pid)
            self.world.restart()
        job.set(DisplayName='still there')
        job.suspend()
        job.hurry()
        job.wait('transferred')
        job.complete()
        self.assertEqual(digest(self.place('big')), content.sha256)

    @staticmethod
    def amount(job):
        try:
            return job.get('BytesTransferred')
        except DBusError:
            return 0

    def test_limit_of_jobs(self):
        self.world.stop()
        self.world.write_config({'MaxJobsPerUser': 3})
        self.world.start()
        jobs = [self.client.create() for _ in range(3)]
        self.assertIn('3', self.assert_error('TooManyJobsPerUser', self.client.create))
        self.world.client('bob').create()
        jobs[0].cancel()
        self.client.create()

    def test_strangers_may_not_own_the_name(self):
        bob = self.world.client('bob')
        reply = None
        try:
            reply = bob.connection.call_sync(
                'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'RequestName',
                GLib.Variant('(su)', (NAME + '.Evil', 0)), None, 0, int(DEADLINE * 1000), None)
        except GLib.Error as error:
            self.assertIn('AccessDenied', error.message)
        self.assertIsNone(reply)

    def test_activated_by_the_bus(self):
        """The first call of a user starts the service, as root."""
        self.world.stop()
        alice = self.world.client('alice').connection
        alice.call_sync(NAME, MANAGER_PATH, PROPERTIES, 'GetAll', GLib.Variant('(s)', (NAME + '.Manager',)),
                        None, 0, int(DEADLINE * 1000), None)
        pid, = alice.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                               'GetConnectionUnixProcessID', GLib.Variant('(s)', (NAME,)), None, 0, int(DEADLINE * 1000),
                               None).unpack()
        start = process_start(pid)
        self.assertEqual((status_field(pid, 'Uid')[0], executable(pid)), ('0', 'transferd'))
        # one that looked whether alice is in a sandbox may still be about to end
        wait_for(lambda: children(pid) == [], 'nobody but the service to be there')
        kill(pid, 15)
        wait_for(lambda: process_start(pid) != start, 'the service to end')

    def test_command_line(self):
        file, (url, path), _ = self.row('a')
        said = self.world.run(['transferctl', 'get', url, path], user='alice')
        self.assertNotIn('rror', said)
        self.assert_file(path, file)
        self.assertEqual(os.stat(path).st_uid, self.uid('alice'))

    def test_tools_over_the_system_bus(self):
        file, (url, path), _ = self.row('a')
        said = self.world.run(
            ['busctl', '--system', 'call', NAME, MANAGER_PATH, NAME + '.Manager', 'CreateJob', 'ssa{sv}',
             'by hand', 'download', '2', 'files', 'a(ssa{sv})', '1', url, path, '0', 'start', 'b', 'true'],
            user='alice')
        job = Job(self.client, re.search(r'"(/\S+)"', said)[1])
        job.wait('transferred')
        refused = self.world.run(['gdbus', 'call', '--system', '-d', NAME, '-o', job.path, '-m',
                                  JOB + '.Complete', '{}'], user='bob', check=False)
        self.assertIn('NotFound', refused)
        self.world.run(['gdbus', 'call', '--system', '-d', NAME, '-o', job.path, '-m',
                        JOB + '.Complete', '{}'], user='alice')
        self.assert_file(path, file)


class Tls(SystemCase):
    """A server with a certificate that this throw-away machine trusts."""

    def setUp(self):
        super().setUp()
        key, certificate = self.world.path('key.pem'), self.world.path('cert.pem')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                        '-nodes', '-keyout', key, '-out', certificate, '-days', '2', '-subj',
                        '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
                       check=True, stderr=subprocess.DEVNULL)
        self.secure = Server(certificate=(certificate, key))
        self.addCleanup(self.secure.stop)
        self.certificate = certificate

    def trust(self):
        with open(self.certificate, encoding='ascii') as source, \
                open('/etc/ssl/certs/ca-certificates.crt', 'a', encoding='ascii') as bundle:
            bundle.write(source.read())

    def test_download(self):
        self.trust()
        file = self.secure.add('/a', MIB)
        job = self.client.create([(self.secure.url('/a'), self.place('a'))], start=True)
        job.wait('transferred')
        job.complete()
        self.assert_file(self.place('a'), file)

    def test_many_small_files(self):
        """After the first they are asked for on connections that are kept for them."""
        self.trust()
        sizes = [number * 50 for number in range(200)] + [70_000, 300_000]
        files = [(self.secure.add(f'/f{number}', size), self.place(f'f{number}'))
                 for number, size in enumerate(sizes)]
        job = self.client.create([(self.secure.url(f'/f{number}'), path)
                                  for number, (_, path) in enumerate(files)], start=True)
        job.wait('transferred')
        job.complete()
        for file, path in files:
            self.assert_file(path, file)
        requests = self.secure.requests()
        self.assertEqual(len(requests), len(files))
        self.assertLessEqual(len({request.connection for request in requests}), 6)

    def test_no_way_down_from_https_to_http(self):
        self.trust()
        self.server.add('/a', MIB)
        self.secure.redirect('/down', self.server.url('/a'))
        job = self.client.create([(self.secure.url('/down'), self.place('a'))], start=True)
        job.wait('error')
        self.assertEqual(job.error[0], 'RedirectRefused')
        self.assertEqual(self.server.requests(), [])
        job.set(AllowDowngrade=True)
        job.resume()
        job.wait('transferred')

    def test_unknown_authority(self):
        self.secure.add('/a', MIB)
        job = self.client.create([(self.secure.url('/a'), self.place('b'))], start=True)
        job.wait('error')
        self.assertEqual(job.error[0], 'CertificateInvalid')
        self.assertEqual(self.secure.requests(), [])


class Hostile(SystemCase):
    """A user may put any program in the place of the worker: nobody else notices."""

    def test_wrong_answers(self):
        lib = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib')
        script, starter = self.world.path('bad.json'), self.world.path('worker')
        bad = self.world.path('bad-worker.py')  # alice may not be able to read the checkout
        shutil.copy(os.path.join(lib, 'bad-worker.py'), bad)
        os.chmod(bad, 0o755)
        version = self.client.manager_property('Version')
        with open(starter, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\nif [ $(id -un) = alice ] && [ "${{1#--look-at}}" = "$1" ]; then\n  export TFD_BAD_WORKER={script}\n'
                       f'  export TFD_BAD_WORKER_VERSION={version}\n  exec {bad} "$@"\nfi\n'
                       f'exec {installed("transferd-worker")} "$@"\n')
        os.chmod(starter, 0o755)
        for path in script, script + '.starts':
            with open(path, 'w', encoding='utf-8') as file:
                file.write('{}')
            os.chmod(path, 0o666)
        self.world.stop()
        self.world.start('--worker', starter)
        self.client, bob = self.world.client('alice'), self.world.client('bob')
        file, row, path = self.row('theirs', 2 * MIB, 'bob', script=[Answer(stall=MIB)])
        other = bob.create([row], start=True)
        wait_for(lambda: other.get('BytesTransferred') == MIB, 'the first half')
        pid, start = self.world.daemon_pid, process_start(self.world.daemon_pid)
        theirs = self.world.worker()

        def behave(**how):
            with open(script, 'a', encoding='utf-8') as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # a worker may be reading
                file.truncate(0)
                json.dump(how, file)

        def create():
            return self.client.create([(self.server.url('/a'), self.place('a'))], start=True)
        finished = [create() for _ in range(4)]
        for job in finished:
            job.wait('transferred')
        for wrong in '()', "('x',)":
            behave(Stop=[wrong], finish=False, news=[('Connected', '(uint64 RUN,)')])
            job = create()
            job.wait('transferring')
            job.cancel()
            self.assertEqual(process_start(pid), start)
        # what it says of the runs of others, and of theirs
        behave(finish=False, **{'all-runs': [
            ('FilesDone', '(uint64 RUN, [(uint32 0, uint64 1, @a{sv} {})])'),
            ('Failed', "(uint64 RUN, uint32 0, {'name': <'x'>, 'transient': <false>})"),
            ('Event', "(uint64 RUN, uint32 0, 'redirected', {'url': <'http://127.0.0.1:1/'>, 'report': <true>})"),
            ('Progress', '([(uint64 RUN, [(uint32 0, uint64 1, uint64 1)])],)')],
            'news': [('Connected', '(uint64 RUN,)')]})
        job = create()
        job.wait('transferring')
        self.client.flush()
        self.assertEqual((other.state, other.get('BytesTransferred'), other.files()[0][1]),
                         ('transferring', MIB, row[0]))
        behave()
        job.cancel()
        for method in 'Verify', 'Finalize':
            for wrong in '()', "('x',)":
                behave(**{method: [wrong]})
                self.assertEqual(finished.pop().complete()[0], 'completed')
                self.assertEqual(process_start(pid), start)
        file.released.set()
        other.wait('transferred')
        self.assertIn(theirs, self.world.workers())
        self.assertEqual(bob.named('JobError'), [])
        other.complete()
        self.assert_file(path, file)


class OneUser(WorldCase):
    """The service of one user answers nobody else, whatever the bus lets through."""

    def test_others_are_refused(self):
        job = self.client.create(name='secret')
        alice = self.world.client('alice')
        theirs = job.seen_by(alice)
        for _ in range(3):
            for call in (lambda: alice.manager('ListJobs', '(a{sv})', {}), alice.create, theirs.cancel,
                         lambda: alice.manager_property('Version'), theirs.get_all,
                         lambda: theirs.set_one('DisplayName', 'x')):
                self.assert_error('AccessDenied', call)
        self.assertEqual((job.state, len(self.client.list_jobs())), ('suspended', 1))


if __name__ == '__main__':
    tap.main()
