#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The command line: every verb against the real service, what it prints and how it ends."""
import json
import os
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DEADLINE, ERROR, Job, wait_for  # noqa: E402
from bits_server import BitsServer  # noqa: E402
from httpd import KIB, MIB, Answer, Content, Forever  # noqa: E402
from upload_server import Fault  # noqa: E402
from world import WorldCase, program  # noqa: E402

FAILED, USAGE = 1, 2
BASIC = Answer(status=401, headers={'WWW-Authenticate': 'Basic realm="files"'})


class Transferctl(WorldCase):
    def ctl(self, *words, status=0):
        """What transferctl prints on its standard output; it must end with `status`."""
        done = subprocess.run([program('transferctl'), *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=self.environment(), timeout=DEADLINE,
                              check=False, stdin=subprocess.DEVNULL, cwd=self.world.downloads)
        self.talk = done.stderr
        self.assertEqual(done.returncode, status, f'{words}: {done.stdout} {done.stderr}')
        return done.stdout

    def environment(self):
        return self.world.environment() | {'TRANSFERD_BUS': 'session'}

    def data(self, *words):
        return json.loads(self.ctl(*words, '--json'))

    def jobs(self):
        return [Job(self.client, path) for path, _ in self.client.list_jobs()]

    def start(self, *words):
        """Starts transferctl and does not wait for its end."""
        return self.world.spawn([program('transferctl'), *words], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, env=self.environment(),
                                cwd=self.world.downloads)

    def test_get(self):
        file, (url, path), _ = self.file('name.iso', 3 * MIB)
        self.ctl('get', url, path)
        self.assert_file(path, file)
        self.assertEqual(self.jobs(), [])
        self.assert_no_temporaries()

    def test_get_into_a_directory_or_here(self):
        file, (url, path), _ = self.file('name.iso')
        directory = self.world.target('sub')
        os.mkdir(directory)
        self.ctl('get', url, directory)
        self.assert_file(directory + '/name.iso', file)
        self.ctl('get', url)
        self.assert_file(path, file)

    def test_get_survives_a_kill(self):
        file, (url, path), _ = self.file('a', 4 * MIB, script=[Answer(stall=MIB)])
        process = self.start('get', url, path)
        wait_for(file.stalled.is_set, 'the first bytes')
        self.world.restart()
        process.wait(DEADLINE)
        said = process.stdout.read().decode()
        self.assertEqual(process.returncode, 0, said)
        self.assert_file(path, file)

    def test_get_failing(self):
        self.server.add('/a', script=Forever(Answer(status=404)))
        self.ctl('get', self.server.url('/a'), self.world.target('a'), status=FAILED)
        self.assertIn('404', self.talk)
        self.assertFalse(os.path.exists(self.world.target('a')))

    def password_file(self):
        path = os.path.join(self.world.directory, 'password')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('sesame\n')
        return path

    def test_get_with_a_password(self):
        file, (url, path), _ = self.file('a', script=[BASIC])
        self.ctl('get', '-u', 'alice', '--password-file', self.password_file(), url, path)
        self.assert_file(path, file)
        self.assertEqual(self.server.requests('/a')[1].headers['authorization'],
                         'Basic YWxpY2U6c2VzYW1l')

    def test_get_without_a_password(self):
        """Nobody can be asked: nothing begins."""
        file, (url, path), _ = self.file('a')
        self.ctl('get', '-u', 'alice', '--password-file', '/nowhere', url, path, status=FAILED)
        self.assertIn('/nowhere', self.talk)
        self.assertEqual((self.jobs(), self.server.requests('/a')), ([], []))

    def test_get_with_headers(self):
        file, (url, path), _ = self.file('a')
        self.ctl('get', '-H', 'X-One: 1', '-H', 'X-Two: a, b', url, path)
        headers = self.server.requests('/a')[0].headers
        self.assertEqual((headers['x-one'], headers['x-two']), ('1', 'a, b'))
        self.ctl('get', '-H', 'no colon', url, path, status=FAILED)

    def test_credentials(self):
        file, (url, path), _ = self.file('a', script=[BASIC])
        job = self.ctl('create', 'name').strip()
        self.ctl('add', job, url, path)
        self.ctl('remove-credentials', job, status=FAILED)
        for scheme in 'basic', 'digest':
            self.ctl('set-credentials', job, 'alice', '--scheme', scheme, '--password-file',
                     self.password_file())
        self.ctl('remove-credentials', job, '--scheme', 'digest')
        self.ctl('set-credentials', job, 'alice', '--scheme', 'ntlm', '--password-file',
                 self.password_file(), status=FAILED)
        self.ctl('resume', job)
        self.ctl('wait', '--complete', job)
        self.assert_file(path, file)

    def upload_server(self, **settings):
        server = BitsServer()
        self.addCleanup(server.stop)
        for key, value in settings.items():
            setattr(server, key, value)
        return server

    def source(self, size=3 * MIB):
        content = Content(size, 'source')
        with open(self.world.target('name.iso'), 'wb') as file:
            for piece in content.pieces():
                file.write(piece)
        return content

    def test_put(self):
        server, content = self.upload_server(), self.source()
        said = self.ctl('put', 'name.iso', server.url('/dir/'), '--protocol', 'bits')
        self.assertEqual((said, self.jobs()), ('', []))
        self.assertEqual(server.files['/dir/name.iso'].sha256, content.sha256)

    def test_put_with_a_reply(self):
        server, content = self.upload_server(reply=b'thank you'), self.source()
        words = ['put', 'name.iso', server.url('/x'), '--protocol', 'bits', '--reply', 'answer']
        self.assertEqual(self.ctl(*words), 'answer\n')
        with open(self.world.target('answer'), 'rb') as file:
            self.assertEqual(file.read(), b'thank you')
        self.assertEqual(server.files['/x'].sha256, content.sha256)
        self.ctl(*words, status=FAILED)
        self.assertIn('--force', self.talk)

    def test_put_survives_a_kill(self):
        server, content = self.upload_server(), self.source()
        held = threading.Event()
        server.script = [Fault('Fragment', hold=held)]
        process = self.start('put', 'name.iso', server.url('/x'), '--protocol', 'bits')
        wait_for(lambda: any(one.what == 'Fragment' for one in server.log), 'the first fragment')
        self.world.restart()
        held.set()
        process.wait(60)
        said = process.stdout.read().decode()
        self.assertEqual(process.returncode, 0, said)
        self.assertEqual(server.files['/x'].sha256, content.sha256)

    def test_put_in_the_background(self):
        server, content = self.upload_server(reply=b'thank you'), self.source()
        job = self.ctl('create', 'name', '--type', 'upload-reply', '-p',
                       'upload-protocol=bits').strip()
        Job(self.client, f'/org/transferd/Transfer1/jobs/{job}').add(
            server.url('/x'), self.world.target('name.iso'))
        self.ctl('resume', job)
        self.ctl('wait', job)
        self.assertEqual(self.ctl('reply', job), 'thank you')
        self.ctl('complete', job)
        self.ctl('put', '--background', 'name.iso', server.url('/y'), '--protocol', 'bits')
        wait_for(lambda: '/y' in server.files and self.jobs() == [], 'the end of the job')
        self.assertEqual(server.files['/y'].sha256, content.sha256)

    def test_put_refused(self):
        server = self.upload_server()
        self.source()
        self.ctl('put', 'nothing', server.url('/x'), status=FAILED)
        self.assertIn('nothing', self.talk)
        self.ctl('put', '/', server.url('/x'), status=FAILED)
        self.ctl('put', 'name.iso', server.url('/x'), '--protocol', 'pigeon', status=FAILED)
        self.assertIn('pigeon', self.talk)
        self.ctl('put', 'name.iso', server.url('/x'), '--protocol', 'tus', status=FAILED)
        self.assertEqual(self.jobs(), [])

    def test_get_waits_for_the_next_try(self):
        file, (url, path), _ = self.file('a', script=[Answer(status=503)])
        self.ctl('get', url, path)
        self.assert_file(path, file)
        self.assertEqual(len(self.server.requests('/a')), 2)

    def test_get_interrupted_leaves_the_job_running(self):
        file, (url, path), _ = self.file('a', 4 * MIB, script=[Answer(stall=MIB)])
        process = self.start('get', url, path)
        wait_for(file.stalled.is_set, 'the first bytes')
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)
        said = process.stdout.read().decode()
        self.assertIn('transferctl', said)
        job, = self.jobs()
        self.assertEqual(job.get('Priority'), 'foreground')
        file.released.set()
        job.wait('transferred')
        self.ctl('complete', job.id)
        self.assert_file(path, file)

    def test_get_in_the_background(self):
        file, (url, path), _ = self.file('a', script=[Answer(stall=KIB)])
        self.ctl('get', '--background', url, path)
        job, = self.jobs()
        self.assertTrue(job.get('AutoComplete'))
        wait_for(file.stalled.is_set, 'the answer')
        file.released.set()
        self.client.expect('JobRemoved')
        self.assert_file(path, file)

    def test_step_by_step(self):
        file, (url, path), _ = self.file('a')
        identity = self.ctl('create', 'my job').split()[-1]
        job, = self.jobs()
        self.assertIn(job.id, identity.replace('-', ''))
        self.ctl('add', job.id, url, path)
        self.assertIn('my job', self.ctl('list'))
        self.ctl('resume', job.id[:8])
        self.ctl('wait', job.id)
        self.assertIn('transferred', self.ctl('status', 'my job'))
        self.assertIn(path, self.ctl('files', job.id))
        self.ctl('complete', 'my job')
        self.assert_file(path, file)

    def test_suspend_resume_cancel(self):
        file, row, _ = self.file('a', script=[Answer(stall=KIB)])
        job = self.client.create([row], start=True)
        wait_for(file.stalled.is_set, 'the answer')
        self.ctl('suspend', job.id)
        self.assertEqual(job.state, 'suspended')
        self.ctl('resume', job.id)
        job.wait('transferred')
        self.ctl('cancel', job.id)
        self.assertEqual(job.tombstone()['result'], 'cancelled')
        self.assertEqual(os.listdir(self.world.downloads), [])

    def test_set_and_show(self):
        job = self.client.create(name='old')
        self.ctl('set-property', job.id, 'DisplayName=new', 'Priority=high')
        self.assertEqual((job.get('DisplayName'), job.get('Priority')), ('new', 'high'))
        self.assertIn('new', self.ctl('show', '-p', 'DisplayName', job.id))
        self.ctl('set-property', job.id, 'Priority=urgent', status=FAILED)
        self.assertEqual(job.get('Priority'), 'high')

    def test_json(self):
        _, row, _ = self.file()
        job = self.client.create([row], name='named')
        self.assertIn(job.id, json.dumps(self.data('list')))
        self.assertIn('named', json.dumps(self.data('status', job.id)))
        self.assertIn(row[0], json.dumps(self.data('files', job.id)))

    def test_wait_for_a_failure(self):
        _, row, _ = self.file('a', script=Forever(Answer(status=404)))
        job = self.client.create([row], start=True)
        self.ctl('wait', job.id, status=FAILED)

    def test_why_log_and_history(self):
        self.server.add('/gone', script=Forever(Answer(status=404)))
        job = self.client.create([(self.server.url('/gone'), self.world.target('a'))])
        said = self.ctl('why', job.id)
        self.assertIn('suspended until Resume is called', said)
        self.assertIn('"transferctl resume JOB"', self.talk)
        job.resume()
        job.wait('error')
        said = self.ctl('why', job.id)
        self.assertIn('HttpStatus', said)
        self.assertIn('404', said)
        self.assertIn('"transferctl resume JOB" tries again', self.talk)
        self.assertEqual(self.data('why', job.id)[0]['code'], ERROR + 'HttpStatus')
        said = self.ctl('log', job.id)
        self.assertIn('suspended → queued (resume)', said)
        self.assertIn('error: HttpStatus', said)
        job.cancel()
        self.assertRegex(self.ctl('history'), r'cancelled +0 +1 +HttpStatus')

    def test_monitor(self):
        process = self.start('monitor')
        self.addCleanup(process.stdout.close)
        job = self.client.create(name='watched')
        os.set_blocking(process.stdout.fileno(), False)
        seen = b''

        def shown():
            nonlocal seen
            # The monitor may have begun to listen only now: give it something new to see.
            job.set(Description=str(len(seen)) + job.get('Description')[:50])
            seen += process.stdout.read() or b''
            return job.id[:8].encode() in seen or b'watched' in seen
        wait_for(shown, lambda: f'the job in {seen}')
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE)

    def test_usage(self):
        self.ctl('nonsense', status=USAGE)
        self.ctl('get', status=USAGE)
        self.ctl('list', '--nonsense', status=USAGE)
        shown = self.ctl('--help')
        for verb in ('get', 'create', 'add', 'list', 'status', 'show', 'files', 'suspend', 'resume',
                     'complete', 'cancel', 'monitor', 'wait', 'set-property'):
            self.assertIn(f' {verb}', shown)

    def test_unknown_and_ambiguous_jobs(self):
        for _ in range(2):
            self.client.create(name='twin')
        self.ctl('status', 'nobody', status=FAILED)
        self.assertIn('nobody', self.talk)
        self.ctl('cancel', 'twin', status=FAILED)
        self.assertEqual(len(self.jobs()), 2)

    def test_no_service(self):
        self.world.stop()
        self.ctl('list', status=FAILED)
        self.assertTrue(self.talk.strip())


if __name__ == '__main__':
    tap.main()
