#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""As installed, on a machine that boots: units, activation, idle exit, the timer, reboots, the
journal, and who is really logged on. One machine for all tests, which restart it as they need."""
import contextlib
import os
import signal
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib'))
import boot  # noqa: E402
import tap  # noqa: E402
from bus import ERROR, Job, stays, wait_for  # noqa: E402
from httpd import MIB, Answer, Forever, Server  # noqa: E402
from processes import kill, process_start, status_field  # noqa: E402
from world import digest, temporaries  # noqa: E402

STATE = '/var/lib/transferd'
CONFIG = '/etc/transferd/transferd.conf.d/test.conf'
UNITS = ['transferd.service', 'transferd-boot.service', 'transferd.timer']
TRANSFERRED = '6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b02'


def setUpModule():
    BootCase.machine = boot.Machine()
    BootCase.machine.boot()


def tearDownModule():
    BootCase.machine.off()


class BootCase(tap.TestCase):
    machine = None

    def setUp(self):
        self.clients = []
        self.server = Server()
        self.addCleanup(self.end)
        self.configure()
        self.home = boot.outside('/home/alice')

    def end(self):
        """Nothing of this test is there for the next one."""
        self.configure()
        self.machine.run('rm', '-rf', *(f'/run/systemd/system/{unit}.d' for unit in UNITS))
        self.machine.systemctl('daemon-reload')
        self.machine.systemctl('reset-failed')
        for user in 'alice', 'bob':
            client = self.client(user)
            client.manager('CancelJobs', '(aoa{sv})', [path for path, _ in client.list_jobs()], {})
        for client in self.clients:
            client.close()
        self.machine.systemctl('stop', boot.UNIT)
        self.server.stop()

    def diagnose(self):
        if self.machine.leader is None:
            return []
        return self.machine.run('journalctl', '--no-pager', '-n', '60', '-o', 'short-precise',
                                check=False).splitlines()

    def configure(self, **keys):
        boot.write(CONFIG, '[Service]\n' + ''.join(f'{key}={value}\n' for key, value in keys.items()))

    def extend(self, unit, text):
        """A drop-in for a unit."""
        directory = f'/run/systemd/system/{unit}.d'
        self.machine.run('mkdir', '-p', directory)
        self.machine.run('sh', '-c', f'printf "{text}" >{directory}/test.conf')
        self.machine.systemctl('daemon-reload')

    def client(self, user='alice'):
        client = self.machine.client(user)
        self.clients.append(client)
        return client

    def state(self):
        return self.machine.unit('ActiveState')

    def started(self):
        """When it was started last; short as its life may be, this tells of it."""
        return self.machine.unit('ActiveEnterTimestampMonotonic')

    def wait_state(self, *states):
        wait_for(lambda: self.state() in states, lambda: f'{states}; it is {self.state()}')

    def assert_stays(self, state, seconds=2.5):
        self.assertTrue(stays(lambda: self.state() == state, seconds), self.state())

    def row(self, name, size=MIB, **options):
        """Serves a file for alice's home; (resource, row for CreateJob, path seen from here)."""
        resource = self.server.add('/' + name, size, **options)
        return resource, (self.server.url('/' + name), f'/home/alice/{name}'), f'{self.home}/{name}'

    def running(self, name='slow', size=3 * MIB, client=None, **options):
        """A job in the middle of its file, which goes on when resource.released is set."""
        resource, row, path = self.row(name, size, script=[Answer(stall=MIB)])
        job = (client or self.client()).create([row], start=True, **options)
        job.resource, job.target = resource, path
        wait_for(resource.stalled.is_set, 'the middle of the file')
        return job

    def again(self, job):
        """The same job for a new connection: the machine or its bus has been started again."""
        other = Job(self.client(), job.path)
        other.resource, other.target = job.resource, job.target
        return other

    def assert_done(self, job):
        job.wait('transferred')
        self.assertEqual((job.error, job.get('ErrorCount')), (None, 0))
        self.assertEqual(job.complete()[0], 'completed')
        self.assertEqual(digest(job.target), job.resource.sha256)
        self.assertEqual(temporaries(self.home), [])

    def stamp(self):
        return os.path.exists(boot.outside(f'{STATE}/work-waits'))

    def database(self):
        return contextlib.closing(sqlite3.connect(boot.outside(f'{STATE}/transferd.db')))


class Units(BootCase):
    def test_verify(self):
        self.assertEqual(self.machine.run('systemd-analyze', 'verify', '--man=no', *UNITS), '')

    def test_verify_of_users(self):
        said = self.machine.as_session(
            'alice', f'systemd-analyze --user verify --man=no {" ".join(UNITS)}')
        self.assertEqual(said, '')

    def test_security(self):
        """In tenths of what systemd calls the exposure: 10 is no protection at all."""
        self.machine.run('systemd-analyze', 'security', '--threshold=32', boot.UNIT)

    def test_nothing_to_enable(self):
        self.assertEqual(self.machine.unit('ActiveState', 'transferd.timer'), 'active')
        self.assertEqual(self.machine.unit('UnitFileState', 'transferd.timer'), 'static')
        self.assertEqual(self.machine.unit('ConditionResult', 'transferd-boot.service'), 'no')


class Activation(BootCase):
    def test_first_call_starts_it(self):
        self.assertEqual(self.state(), 'inactive')
        self.assertEqual(self.machine.run('transferctl', 'list', '--json', user='alice').strip(), '[]')
        self.assertEqual(self.state(), 'active')
        self.assertEqual(self.machine.unit('Result'), 'success')
        daemon = self.machine.daemon()
        self.assertEqual(status_field(daemon, 'Uid')[0], '0')
        self.assertEqual(status_field(daemon, 'NoNewPrivs'), ['1'])
        self.assertEqual(status_field(daemon, 'Seccomp'), ['2'])
        info = os.stat(boot.outside(STATE))
        self.assertEqual((info.st_uid, info.st_mode & 0o777), (0, 0o700))

    def test_download(self):
        job = self.running()
        worker, = self.machine.workers()
        self.assertEqual(status_field(worker, 'Uid')[0], str(boot.pwd_of('alice').pw_uid))
        self.assertEqual(int(status_field(worker, 'CapEff')[0], 16), 0)
        job.resource.released.set()
        self.assert_done(job)

    def test_of_a_user(self):
        """The same on the bus of a session, without root."""
        said = self.machine.as_session(
            'alice', 'TRANSFERD_BUS=session transferctl list --json; '
                     'systemctl --user show --value -p ActiveState -p Result transferd.service; '
                     'ls .local/state/transferd')
        self.assertEqual(said.split()[:3], ['[]', 'success', 'active'])
        self.assertIn('transferd.db', said)

    def test_says_when_it_is_ready(self):
        self.machine.systemctl('start', boot.UNIT)
        self.assertEqual(self.machine.unit('Type'), 'notify')
        self.assertEqual(self.machine.run('busctl', 'status', 'org.transferd.Transfer1', user='alice')
                         .count(f'PID={self.machine.unit("MainPID")}'), 1)

    def test_watchdog(self):
        self.extend(boot.UNIT, '[Service]\\nWatchdogSec=2s\\nRestartSec=100ms\\n')
        job = self.running()
        before = self.machine.unit('MainPID')
        self.assertEqual(self.machine.unit('NRestarts'), '0')
        wait_for(lambda: self.machine.unit('WatchdogTimestampMonotonic') != '0', 'a sign of life')
        kill(self.machine.daemon(), signal.SIGSTOP)
        wait_for(lambda: self.machine.unit('NRestarts') == '1', 'the watchdog')
        self.wait_state('active')
        self.assertNotEqual(self.machine.unit('MainPID'), before)
        job.resource.released.set()
        self.assert_done(self.again(job))

    def test_killed(self):
        self.extend(boot.UNIT, '[Service]\\nRestartSec=100ms\\n')
        job = self.running()
        kill(self.machine.daemon())
        wait_for(lambda: self.machine.unit('NRestarts') == '1', 'the next one')
        job.resource.released.set()
        self.assert_done(self.again(job))


class Confinement(BootCase):
    def test_worker_below_the_unit(self):
        """Its own filters come on top of those of the unit, which let it set them."""
        job = self.running()
        daemon, (worker,) = self.machine.daemon(), self.machine.workers()
        filters = [int((status_field(pid, 'Seccomp_filters') or ['0'])[0]) for pid in (daemon, worker)]
        if filters[0]:  # an older kernel does not tell
            self.assertGreater(filters[1], filters[0])
        said = [entry['MESSAGE'] for entry in self.machine.journal('-u', boot.UNIT, '-b')]
        self.assertEqual([line for line in said if 'goes on without' in str(line)], [])
        job.resource.released.set()
        self.assert_done(job)

    def test_everywhere_a_user_may_write(self):
        """The unit hides no destination: homes, the common directory for temporary files, memory, and
        what is mounted while the service runs."""
        self.machine.systemctl('start', boot.UNIT)
        self.machine.run('mkdir', '-p', '/media/stick')
        self.machine.run('mount', '-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', '/media/stick')
        self.addCleanup(self.machine.run, 'umount', '/media/stick')
        for place in '/tmp', '/var/tmp', '/dev/shm', '/media/stick', '/home/alice':
            with self.subTest(place):
                self.server.add('/there', MIB)
                job = self.client().create([(self.server.url('/there'), f'{place}/there')], start=True)
                job.wait('transferred')
                self.assertEqual(job.complete()[0], 'completed')
                said = self.machine.run('stat', '--format=%U %s', f'{place}/there')
                self.assertEqual(said.split(), ['alice', str(MIB)])
                self.machine.run('rm', f'{place}/there')

    def test_of_a_user(self):
        """The unit of a user's own service lets the worker do the same."""
        self.server.add('/there', MIB)
        said = self.machine.as_session(
            'alice', f'TRANSFERD_BUS=session transferctl get {self.server.url("/there")} own; '
                     'for pid in $(pgrep -u alice transferd-worke); do '
                     'grep -H Seccomp /proc/$pid/status; done; '
                     'journalctl --user -b -u transferd.service -o cat 2>&1; stat --format=%s own; rm own')
        self.assertEqual(said.split()[-1], str(MIB), said)
        self.assertIn('Seccomp:\t2', said)
        self.assertNotIn('goes on without', said)

    def secrets(self, job):
        job.call('SetCredentials', '(ssssa{sv})', 'server', 'basic', 'alice', 'open sesame', {})

    def test_key_of_the_service_manager(self):
        """With a credential no key lies beside the database."""
        key = boot.outside(f'{STATE}/secrets.key')
        self.machine.run('rm', '-f', f'{STATE}/secrets.key')
        boot.write('/etc/credstore/transferd.key', 'a sentence that is long enough for a key')
        self.addCleanup(self.machine.run, 'rm', '-r', '/etc/credstore')
        job = self.running()
        self.secrets(job)
        self.assertFalse(os.path.exists(key))
        self.machine.systemctl('restart', boot.UNIT)
        job = self.again(job)
        self.assertNotIn('secrets-lost', job.events())
        self.assertFalse(os.path.exists(key))
        job.resource.released.set()
        self.assert_done(job)
        job = self.client().create()
        self.secrets(job)
        self.machine.run('rm', '/etc/credstore/transferd.key')
        self.machine.systemctl('restart', boot.UNIT)
        job = Job(self.client(), job.path)
        self.assertIn('secrets-lost', job.events())
        lost = self.machine.journal('MESSAGE_ID=6f1d9d8a3b4b4c5e9a7f3f0d2c1e5b09')
        self.assertEqual([entry['JOB_ID'] for entry in lost], [job.id])
        self.assertTrue(os.path.exists(key))


class Idle(BootCase):
    def setUp(self):
        super().setUp()
        self.configure(IdleTimeout='1s')
        # So short a time, and a quick machine, are five starts within ten seconds.
        self.extend(boot.UNIT, '[Unit]\\nStartLimitIntervalSec=0\\n')

    def test_leaves_and_comes_back(self):
        self.client().manager('ListJobs', '(a{sv})', {})
        for _ in range(2):
            self.wait_state('inactive')
            self.assertEqual((self.machine.unit('Result'), self.machine.unit('NRestarts')),
                             ('success', '0'))
            before = self.started()
            self.assertEqual(self.machine.run('transferctl', 'list', '--json', user='alice').strip(),
                             '[]')
            self.assertNotEqual(self.started(), before)

    def test_stays_for_work(self):
        job = self.running()
        self.assert_stays('active')
        self.assertTrue(self.stamp())
        job.resource.released.set()
        self.wait_state('inactive')
        self.assertFalse(self.stamp())
        self.assert_done(job)

    def test_stays_for_another_try(self):
        self.server.add('/a', script=Forever(Answer(status=503)))
        job = self.client().create([(self.server.url('/a'), '/home/alice/a')], start=True)
        job.wait('transient-error')
        self.assert_stays('active')
        job.suspend()
        self.wait_state('inactive')

    def test_no_call_is_lost(self):
        """Calls at the moment of leaving start it again."""
        client = self.client()
        for _ in range(3):
            path = client.create().path
            self.wait_state('deactivating', 'inactive')
            self.assertIn(path, [row[0] for row in client.list_jobs()])
        self.assertEqual(self.machine.unit('NRestarts'), '0')


class Timer(BootCase):
    def fire(self):
        """Makes the timer see that the last day was missed."""
        self.extend('transferd.timer', '[Timer]\\nRandomizedDelaySec=0\\n')
        self.machine.systemctl('stop', 'transferd.timer')
        stamp = boot.outside('/var/lib/systemd/timers/stamp-transferd.timer')
        past = time.time() - 3 * 86400
        os.utime(stamp, (past, past))
        self.machine.systemctl('start', 'transferd.timer')

    def test_daily(self):
        left = int(self.machine.run('sh', '-c', 'systemctl list-timers --output=json transferd.timer')
                   .partition('"next":')[2].partition(',')[0]) / 1e6 - time.time()
        self.assertGreater(left, 0)
        self.assertLess(left, 27 * 3600)
        self.assertEqual(self.machine.unit('Persistent', 'transferd.timer'), 'yes')

    def test_expires_what_nobody_cares_for(self):
        job = self.running()
        job.suspend()
        young = self.client().create()
        self.machine.systemctl('stop', boot.UNIT)
        self.assertEqual(len(temporaries(self.home)), 1)
        with self.database() as database:
            database.execute('UPDATE jobs SET last_activity = 1 WHERE id = ?', (job.id,))
            database.commit()
        self.configure(JobInactivityTimeout='60s', IdleTimeout='1s')
        self.fire()
        wait_for(lambda: temporaries(self.home) == [], 'the temporary to go')
        self.wait_state('inactive')
        ended, = self.machine.journal(f'JOB_ID={job.id}', 'STATE=cancelled')[-1:] or [None]
        self.assertIn('expired', ended['MESSAGE'])
        self.assertEqual(job.tombstone()['result'], 'expired')
        self.assertEqual(young.state, 'suspended')

    def test_deletes_what_was_left_over(self):
        """What a Cancel could not delete, because its directory was away, goes later."""
        self.machine.run('mkdir', '/home/alice/stick', user='alice')
        self.addCleanup(self.machine.run, 'rm', '-rf', '/home/alice/stick', '/home/alice/away')
        file = self.server.add('/a', 3 * MIB, script=[Answer(stall=MIB)])
        job = self.client().create([(self.server.url('/a'), '/home/alice/stick/a')], start=True)
        wait_for(file.stalled.is_set, 'the middle of the file')
        job.suspend()
        self.machine.run('mv', '/home/alice/stick', '/home/alice/away')
        self.assertEqual(len(job.cancel()[1]['undeleted']), 1)
        self.machine.run('mv', '/home/alice/away', '/home/alice/stick')
        self.assertEqual(len(temporaries(f'{self.home}/stick')), 1)
        self.machine.systemctl('stop', boot.UNIT)
        with self.database() as database:
            database.execute('UPDATE leftovers SET last_try = last_try - 86400000000')
            database.commit()
        self.configure(IdleTimeout='1s')
        self.fire()
        wait_for(lambda: temporaries(f'{self.home}/stick') == [], 'the temporary to go')
        self.wait_state('inactive')

    def test_forgets_the_ended(self):
        job = self.client().create()
        job.cancel()
        self.configure(HistoryTime='1s', IdleTimeout='1s')
        self.machine.systemctl('stop', boot.UNIT)
        with self.database() as database:
            database.execute('UPDATE tombstones SET ended = 1')
            database.commit()
        before = self.started()
        self.fire()
        wait_for(lambda: self.started() != before, 'the start')
        self.wait_state('inactive')
        with self.database() as database:
            self.assertEqual(database.execute('SELECT count(*) FROM tombstones').fetchone(), (0,))


class Reboot(BootCase):
    def restarted(self, restart):
        job = self.running(name='a', size=4 * MIB)
        before = len(self.server.requests())
        restart()
        wait_for(lambda: len(self.server.requests()) > before, 'the job to go on')
        # nobody has called: the end of the work is what is seen
        self.configure(IdleTimeout='1s')
        self.machine.systemctl('reload', boot.UNIT)
        job.resource.released.set()
        wait_for(lambda: not self.stamp(), 'the job to be done')
        self.assertEqual(self.machine.unit('ConditionResult', 'transferd-boot.service'), 'yes')
        self.assert_done(self.again(job))

    def test_goes_on(self):
        self.restarted(self.machine.reboot)

    def test_goes_on_after_a_power_cut(self):
        self.restarted(self.machine.crash)

    def test_nothing_waits(self):
        job = self.client().create()
        self.machine.reboot()
        self.assertEqual(self.machine.unit('ConditionResult', 'transferd-boot.service'), 'no')
        self.assertEqual(self.machine.unit('ActiveEnterTimestampMonotonic'), '0')
        self.assertEqual(Job(self.client(), job.path).state, 'suspended')


class Control(BootCase):
    def test_reload_acts_on_running_jobs(self):
        job = self.running()
        self.configure(BlockedHours='00:00-24:00')
        self.machine.systemctl('reload', boot.UNIT)
        wait_for(lambda: job.error == ('BlockedByPolicy', 'queue-manager'), 'the hours to count')
        self.assertEqual(self.state(), 'active')
        job.resource.released.set()
        self.configure()
        self.machine.systemctl('reload', boot.UNIT)
        self.assert_done(job)

    def test_restart(self):
        job = self.running()
        self.machine.systemctl('restart', boot.UNIT)
        job.resource.released.set()
        job = self.again(job)
        self.assert_done(job)
        self.assertTrue(self.server.ranges('/slow')[-1])

    def test_stop(self):
        job = self.running()
        workers = {pid: process_start(pid) for pid in self.machine.workers()}
        self.machine.systemctl('stop', boot.UNIT)
        self.assertEqual((self.state(), self.machine.unit('Result')), ('inactive', 'success'))
        wait_for(lambda: all(process_start(pid) != start for pid, start in workers.items()),
                 'the worker to end')
        self.assertTrue(self.stamp())
        job.resource.released.set()
        self.machine.systemctl('start', boot.UNIT)
        self.assert_done(job)


class Journal(BootCase):
    def test_fields_and_catalog(self):
        job = self.running()
        job.resource.released.set()
        job.wait('transferred')
        entry, = self.machine.journal(f'JOB_ID={job.id}', f'MESSAGE_ID={TRANSFERRED}')
        self.assertEqual(entry['_SYSTEMD_UNIT'], boot.UNIT)
        self.assertEqual(entry['UID'], str(boot.pwd_of('alice').pw_uid))
        self.assertEqual(entry['STATE'], 'transferred')
        text = self.machine.run('journalctl', '-x', f'JOB_ID={job.id}')
        self.assertIn('safe on disk under temporary names', text)
        everything = self.machine.run('journalctl', '-o', 'export', '-u', boot.UNIT)
        self.assertNotIn('/slow', everything)  # no URL: it may hold a secret


class Sessions(BootCase):
    def assert_away(self, job):
        wait_for(lambda: job.explain()[:1] == [ERROR + 'OwnerNotLoggedIn'],
                 lambda: f'OwnerNotLoggedIn; {job.state} {job.explain()}')
        self.assertEqual((job.state, job.error), ('queued', None))

    def test_log_on(self):
        resource, row, path = self.row('a')
        job = self.client().create([row], start=True, RunWhen='logged-in')
        job.resource, job.target = resource, path
        self.assert_away(job)
        other = self.machine.log_on('bob')
        self.assert_away(job)
        session = self.machine.log_on('alice')
        self.assert_done(job)
        session.end()
        other.end()

    def test_log_off_stops(self):
        session = self.machine.log_on('alice')
        job = self.running(RunWhen='logged-in')
        session.end()
        self.assert_away(job)
        job.resource.released.set()
        session = self.machine.log_on('alice')
        self.assert_done(job)
        session.end()

    def test_lingering(self):
        job = self.client().create([self.row('a')[1]], start=True, RunWhen='lingering')
        self.assert_away(job)
        self.machine.run('loginctl', 'enable-linger', 'alice')
        self.addCleanup(self.machine.run, 'loginctl', 'disable-linger', 'alice')
        job.wait('transferred')


class Homes(BootCase):
    """A home that is there, or open, only while its owner is logged on; RunWhen is always."""

    def away(self, text):
        """A job that waits for the home of alice."""
        resource, row, path = self.row('a')
        job = self.client().create([row])
        job.resource, job.target = resource, path
        self.hide()
        job.resume()
        wait_for(lambda: job.error == ('DestinationUnavailable', 'local-file'),
                 lambda: f'DestinationUnavailable; {job.state} {job.get("Error")}')
        self.assertEqual((job.state, job.get('ErrorCount')), ('transient-error', 0))
        self.assertIn(text, job.get('StatusText'))
        self.assertEqual(job.client.named('JobError'), [])
        self.assertEqual(self.server.requests(), [])
        return job

    def test_locked(self):
        self.addCleanup(self.machine.run, 'chmod', '0755', '/home/alice')
        self.hide = lambda: self.machine.run('chmod', '0', '/home/alice')
        job = self.away('is in a home directory that is locked')
        self.machine.run('chmod', '0755', '/home/alice')
        session = self.machine.log_on('alice')
        self.assert_done(job)
        session.end()

    def test_absent(self):
        self.hide = lambda: self.machine.run('mv', '/home/alice', '/home/.alice')
        self.addCleanup(self.machine.run, 'mv', '/home/.alice', '/home/alice', check=False)
        job = self.away('is in a home directory that is not there')
        self.machine.run('mv', '/home/.alice', '/home/alice')
        session = self.machine.log_on('alice')
        self.assert_done(job)
        session.end()

    def test_mounted_at_log_on(self):
        """As pam_mount and its like do: an empty directory until then."""
        self.machine.run('mkdir', '/run/real')
        self.machine.run('mount', '-t', 'tmpfs', 'tmpfs', '/run/real')
        self.machine.run('chown', 'alice:', '/run/real')
        self.machine.run('mount', '--bind', '/run/real', '/home/alice')
        self.addCleanup(self.machine.run, 'umount', '-l', '/home/alice')
        self.hide = lambda: self.machine.run('umount', '-l', '/home/alice')
        job = self.away('is another one than before')
        self.machine.run('mount', '--bind', '/run/real', '/home/alice')
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assertEqual(self.machine.run('sha256sum', '/home/alice/a').split()[0],
                         job.resource.sha256)


if __name__ == '__main__':
    tap.main()
