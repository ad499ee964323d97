#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The tools that are on every machine are enough: gdbus and busctl create, watch and complete a job."""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DEADLINE, JOB, MANAGER, MANAGER_PATH, NAME, Job, wait_for  # noqa: E402
from world import WorldCase, program  # noqa: E402


class Tools(WorldCase):
    def gdbus(self, path, method, *arguments):
        return self.world.run(['gdbus', 'call', '--session', '-d', NAME, '-o', path, '-m', method,
                               *arguments])

    def busctl(self, path, interface, method, *arguments):
        output = self.world.run(['busctl', f'--address={self.world.address}', '--json=short', 'call',
                                 '--', NAME, path, interface, method, *arguments])
        return json.loads(output)['data']

    def monitor(self, *command):
        """Starts a watcher and waits until it watches; what it has said so far."""
        log = self.world.path('monitor.log')
        with open(log, 'wb') as file:
            self.world.spawn(['stdbuf', '-oL', *command], stdout=file, stderr=file,
                             env=self.world.environment())

        def said():
            with open(log, encoding='utf-8', errors='replace') as file:
                return file.read()
        wait_for(said, 'the monitor to start')
        return said

    def test_gdbus(self):
        file, (url, _), path = self.file()
        said = self.monitor('gdbus', 'monitor', '--session', '-d', NAME)
        wait_for(lambda: 'is owned' in said(), 'the monitor to see the service')
        reply = self.gdbus(MANAGER_PATH, MANAGER + '.CreateJob', 'by hand', 'download',
                           "{'Priority': <'high'>}")
        job = re.search(r"'(/org/\S+)'", reply)[1]
        self.gdbus(job, JOB + '.AddFile', url, path, '{}')
        self.gdbus(job, JOB + '.Resume')
        wait_for(lambda: f'JobTransferred (objectpath \'{job}\'' in said(),
                 lambda: f'JobTransferred in: {said()}')
        self.assertIn("'transferred'", self.world.run(
            ['gdbus', 'call', '--session', '-d', NAME, '-o', job, '-m',
             'org.freedesktop.DBus.Properties.Get', JOB, 'State']))
        self.assertIn("('completed'", self.gdbus(job, JOB + '.Complete', '{}'))
        self.assert_file(path, file)
        wait_for(lambda: 'JobRemoved' in said(), 'JobRemoved')

    def test_busctl(self):
        file, (url, _), path = self.file()
        watcher = self.world.client()
        job, = self.busctl(MANAGER_PATH, MANAGER, 'CreateJob', 'ssa{sv}', 'by hand', 'download', '2',
                           'files', 'a(ssa{sv})', '1', url, path, '0', 'start', 'b', 'true')
        watcher.expect('JobTransferred')
        state = self.world.run(['busctl', f'--address={self.world.address}', 'get-property', NAME, job,
                                JOB, 'State'])
        self.assertEqual(state.strip(), 's "transferred"')
        result, details = self.busctl(job, JOB, 'Complete', 'a{sv}', '0')
        self.assertEqual((result, details['kept']['data']), ('completed', [[0, path]]))
        self.assert_file(path, file)

    def test_busctl_sets_and_shows(self):
        job = self.client.create()
        self.world.run(['busctl', f'--address={self.world.address}', 'set-property', NAME, job.path, JOB,
                        'DisplayName', 's', 'changed'])
        self.assertEqual(job.get('DisplayName'), 'changed')
        shown = self.world.run(['busctl', f'--address={self.world.address}', 'introspect', NAME,
                                job.path, JOB])
        self.assertIn('.BytesTransferred', shown)
        self.assertIn('"changed"', shown)

    def test_error_names_arrive(self):
        words = ['gdbus', 'call', '--session', '-d', NAME, '-o', MANAGER_PATH, '-m', MANAGER + '.GetJob',
                 'f' * 32]
        said = self.world.run(words, check=False)
        self.assertIn(NAME + '.Error.NotFound', said)


class Programs(WorldCase):
    """The programs themselves, by hand."""

    def test_version_and_help(self):
        version = self.client.manager_property('Version')
        for name in 'transferd', 'transferd-worker':
            said = subprocess.run([program(name), '--version'], stdout=subprocess.PIPE, text=True,
                                  check=True).stdout
            self.assertIn(version, said)
            said = subprocess.run([program(name), '--help'], stdout=subprocess.PIPE, text=True,
                                  check=True).stdout
            self.assertIn('--', said)

    def test_recover(self):
        """What no job knows is listed; what one knows, and what only looks alike, is not."""
        _, row, _ = self.file('a')
        job = self.client.create([row], start=True)
        job.wait('transferred')
        directory = os.path.dirname(self.world.target('a'))
        orphan = os.path.join(directory, '.transferd-' + '0123456789abcdef' * 2 + '-3.part')
        for path in orphan, os.path.join(directory, '.transferd-x.part'):
            with open(path, 'w', encoding='ascii') as file:
                file.write('bytes')
        command = [program('transferd'), '--state-dir', self.world.state_dir, '--recover', directory]

        def recover():
            return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  check=False, timeout=DEADLINE)
        running = recover()
        self.assertEqual((running.returncode, running.stdout), (1, ''))
        self.assertIn('must be stopped', running.stderr)
        self.world.kill_daemon()
        stopped = recover()
        self.assertEqual(stopped.returncode, 0, stopped.stderr)
        self.assertEqual([line.split('\t')[0] for line in stopped.stdout.splitlines()], [orphan])
        self.world.restart()
        os.unlink(orphan)

    def test_root_needs_to_say_so(self):
        if os.getuid():
            return
        done = subprocess.run([program('transferd'), '--user', '--state-dir', self.world.path('other')],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              env=self.world.environment(), timeout=DEADLINE)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('--allow-root', done.stdout)

    def test_worker_fetches_by_hand(self):
        file, (url, path), _ = self.file()
        self.world.run([program('transferd-worker'), '--fetch', url, path])
        self.assert_file(path, file)
        self.assert_no_temporaries()
        said = self.world.run([program('transferd-worker'), '--fetch', self.server.url('/none'),
                               path + '2'], check=False)
        self.assertIn('404', said)
        self.assertFalse(os.path.exists(path + '2'))

    def test_bad_configuration_is_named(self):
        self.world.write_config({'Nonsense': 1, 'MaxFilesPerJob': 2, 'MaxJobsPerUser': 'many'})
        self.world.restart()
        with open(self.world.log, encoding='utf-8') as log:
            said = log.read()
        self.assertIn(f'‘{self.world.config}’, line 2: unknown key ‘Nonsense’', said)
        self.assertIn('line 4: MaxJobsPerUser: ‘many’ is not a number; the default applies', said)
        self.assertEqual(self.world.client().manager_property('MaxFilesPerJob'), 2)
        self.assertEqual(self.world.client().manager_property('MaxJobsPerUser'), 60)

    def test_absent_configuration_is_refused(self):
        done = subprocess.run([program('transferd'), '--user', '--allow-root', '--config',
                               self.world.path('none.conf'), '--state-dir', self.world.path('other')],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              env=self.world.environment(), timeout=DEADLINE)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('none.conf', done.stdout)

    def test_configuration_of_the_last_reload_counts(self):
        self.world.write_config({'MaxFilesPerJob': 2})
        self.client.manager('Reload')
        self.assertEqual(self.client.manager_property('MaxFilesPerJob'), 2)

    def test_jobs_by_their_path(self):
        job = self.client.create()
        self.assertEqual(Job(self.client, f'{MANAGER_PATH}/jobs/{job.id}').state, 'suspended')


if __name__ == '__main__':
    tap.main()
