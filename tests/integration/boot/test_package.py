#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The Debian packages on a machine that has not known transferd before: installed, used over the real
system bus with real polkitd and logind, through log-outs, restarts and reboots, upgraded, removed,
purged and installed again. After each test the machine has nothing of it left."""
import contextlib
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib'))
import boot  # noqa: E402
import packages  # noqa: E402
import tap  # noqa: E402
from bus import wait_for  # noqa: E402
from httpd import MIB, Answer  # noqa: E402
from processes import process_start  # noqa: E402
from test_boot import STATE, BootCase  # noqa: E402
from world import digest, temporaries  # noqa: E402

PLACE = '/srv/packages'
LATER = '/srv/later'
CONFFILE = '/etc/transferd/transferd.conf'
# What the machine itself writes while it runs.
NOISE = ('/etc/ld.so.cache', '/home/', '/root/', '/srv/', '/tmp/', '/var/cache/', '/var/lib/dpkg/',
         '/var/lib/polkit-1/', '/var/lib/systemd/', '/var/log/', '/var/tmp/', '/etc/.pwd.lock',
         '/etc/machine-id', '/var/backups/', '/var/lib/private')


def setUpModule():
    for name in packages.NAMES:
        os.makedirs(boot.outside(PLACE), exist_ok=True)
        shutil.copy(packages.package(name), boot.outside(PLACE))
    # Images for containers leave out the documentation of packages.
    for name in os.listdir(boot.outside('/etc/dpkg/dpkg.cfg.d')):
        os.unlink(boot.outside(f'/etc/dpkg/dpkg.cfg.d/{name}'))
    # The index of manual pages is that of the whole machine, and takes long.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(boot.outside('/var/lib/man-db/auto-update'))
    os.makedirs(boot.outside(LATER))
    packages.make_later(boot.outside(LATER))
    PackageCase.machine = boot.Machine()
    PackageCase.machine.boot()


def tearDownModule():
    PackageCase.machine.off()


def written():
    """The files that the machine has now and did not have when it was made."""
    upper = f'{os.path.dirname(boot.ROOT)}/upper'
    found = set()
    for directory, names, files in os.walk(upper):
        for name in files + names:
            path = f'{directory}/{name}'.removeprefix(upper)
            if os.path.lexists(boot.outside(path)) and not path.startswith(NOISE):
                if not os.path.isdir(boot.outside(path)) or os.path.islink(boot.outside(path)):
                    found.add(path)
    return found


def ours():
    """The files of the machine whose names tell that they are of transferd, except logs."""
    said = PackageCase.machine.run(
        'find', '/etc', '/lib', '/run', '/usr', '/var', '-xdev', '(', '-path', '/var/log', '-prune', ')',
        '-o', '(', '-iname', '*transferd*', '-o', '-iname', '*transferctl*', '-o', '-iname', '*libtransfer-*',
        ')', '-print', check=False)
    return said.split()


class PackageCase(BootCase):
    timeout = 600

    def setUp(self):
        self.before = written()
        self.said = self.install()
        super().setUp()

    def end(self):
        super().end()
        self.machine.run('dpkg', '--force-unsafe-io', '--purge', *packages.NAMES)
        self.assertEqual(written() - self.before, set())
        self.assertEqual(ours(), [])
        self.machine.run('sh', '-c', 'rm -rf /home/*/.transferd-* /home/*/?')

    def configure(self, **keys):
        """Only where a test needs it: it is a file that the package does not know."""
        path = boot.outside('/etc/transferd/transferd.conf.d/test.conf')
        if keys:
            super().configure(**keys)
        elif os.path.exists(path):
            shutil.rmtree(os.path.dirname(path))

    def install(self, place=PLACE):
        """As "apt install ./*.deb" does it, when what they depend on is there."""
        return self.machine.run('sh', '-c', f'dpkg --force-unsafe-io -i {place}/*.deb')

    def version(self):
        return self.machine.run('dpkg-query', '-W', '-f', '${db:Status-Status} ${Version}', 'transferd')

    def stalled(self, name='a', pieces=1, **options):
        """Serves a file for alice that stalls after each MiB, `pieces` times."""
        return self.server.add('/' + name, (pieces + 1) * MIB, script=[Answer(stall=MIB)] * pieces, **options)

    def next_stall(self, resource):
        wait_for(resource.stalled.is_set, 'the middle of the file')
        resource.stalled.clear()


class Package(PackageCase):
    def test_at_once(self):
        """The first thing ever that happens is a user's download."""
        self.assertEqual(self.state(), 'inactive')
        self.assertEqual(self.machine.unit('ActiveState', 'transferd.timer'), 'active')
        self.assertFalse(os.path.exists(boot.outside(STATE)))
        resource = self.server.add('/a', MIB)
        said = self.machine.as_session('alice', f'transferctl get {self.server.url("/a")}')
        self.assertIn('/home/alice/a', said)
        self.assertEqual(digest(f'{self.home}/a'), resource.sha256)
        self.assertEqual(os.stat(f'{self.home}/a').st_uid, boot.pwd_of('alice').pw_uid)
        self.assertEqual(self.state(), 'active')
        self.assertEqual(self.machine.unit('ActiveState', 'systemd-logind.service'), 'active')

    def test_as_debian_tests_it(self):
        """The test that the package brings along for autopkgtest."""
        with open(f'{packages.SOURCE}/debian/tests/download', encoding='utf-8') as file:
            boot.write('/srv/download', file.read())
        self.assertIn('it has arrived', self.machine.run('sh', '/srv/download'))

    def test_of_use_for_programs(self):
        with open(f'{packages.SOURCE}/debian/tests/library', encoding='utf-8') as file:
            boot.write('/srv/library', file.read())
        self.assertIn('libtransfer-1.so.0', self.machine.run('sh', '/srv/library'))

    def test_log_out_restart_and_reboot(self):
        """One transfer through all of it; whatever happens it goes on where it was."""
        resource = self.stalled(pieces=4)
        session = self.machine.log_on('alice')
        job = self.machine.as_session(
            'alice', f'transferctl get --quiet --background {self.server.url("/a")}').strip()
        self.next_stall(resource)
        session.end()
        wait_for(lambda: 'alice' not in self.machine.run('loginctl', 'list-sessions'), 'alice to be away')
        self.assertEqual(self.state(), 'active')
        self.machine.systemctl('restart', boot.UNIT)
        self.next_stall(resource)
        self.machine.reboot()
        self.next_stall(resource)
        self.machine.crash()
        self.next_stall(resource)
        session = self.machine.log_on('alice')
        resource.released.set()
        wait_for(lambda: os.path.exists(f'{self.home}/a'), 'the file')
        session.end()
        self.assertEqual(digest(f'{self.home}/a'), resource.sha256)
        self.assertEqual(temporaries(self.home), [])
        self.assertIn('completed', self.machine.run('transferctl', 'status', job, user='alice'))
        self.assertEqual(len([one for one in self.server.ranges('/a') if one]), 3)


class Upgrade(PackageCase):
    def test_with_jobs(self):
        """Running, waiting, suspended and transferred jobs, of two users."""
        running = self.running()
        waiting = self.client('bob').create(
            [(self.server.url('/b'), '/home/bob/b')], start=True, RunWhen='logged-in')
        other = self.server.add('/c', MIB)
        done = self.client().create([(self.server.url('/c'), '/home/alice/c')], start=True)
        done.resource, done.target = other, f'{self.home}/c'
        done.wait('transferred')
        idle = self.client().create([(self.server.url('/c'), '/home/alice/d')])
        with open(boot.outside(CONFFILE), 'a', encoding='utf-8') as file:
            file.write('\nKeepFree=1M\n')
        before = self.machine.unit('MainPID')
        workers = {pid: process_start(pid) for pid in self.machine.workers()}

        said = self.install(LATER)
        self.assertEqual(self.version(), f'installed {packages.LATER}', said)
        self.assertEqual((self.state(), self.machine.unit('Result')), ('active', 'success'))
        self.assertNotEqual(self.machine.unit('MainPID'), before)
        self.assertEqual(self.machine.unit('NRestarts'), '0')
        for pid, start in workers.items():
            wait_for(lambda: process_start(pid) != start, 'the old worker to end')
        wait_for(lambda: len(self.server.ranges('/slow')) > 1, 'the running one to go on')
        self.assertTrue(self.server.ranges('/slow')[-1])
        self.assertEqual([self.again_state(job) for job in (waiting, idle, done)],
                         ['queued', 'suspended', 'transferred'])
        with open(boot.outside(CONFFILE), encoding='utf-8') as file:
            self.assertIn('\nKeepFree=1M\n', file.read())
        running.resource.released.set()
        for job in running, done:
            self.again(job).wait('transferred')
            self.again(job).complete()
            self.assertEqual(digest(job.target), job.resource.sha256)

    def again_state(self, job):
        return job.seen_by(self.client('bob' if job.client is self.clients[1] else 'alice')).state

    def test_without_work(self):
        """It is not started because of an upgrade."""
        self.install(LATER)
        self.assertEqual(self.state(), 'inactive')
        self.assertEqual(self.machine.unit('ActiveState', 'transferd.timer'), 'active')
        self.assertEqual(self.machine.run('transferctl', 'list', '--json', user='alice').strip(), '[]')


class Remove(PackageCase):
    def gone(self):
        self.assertIsNone(self.machine.daemon())
        self.assertEqual(self.machine.unit('LoadState'), 'not-found')
        self.assertEqual(self.machine.unit('LoadState', 'transferd.timer'), 'not-found')

    def test_and_install_again(self):
        """Jobs wait in the state directory, and go on when there is somebody to do it."""
        job = self.running()
        self.machine.run('dpkg', '--remove', 'transferd')
        self.assertEqual(self.version(), f'config-files {packages.version()}')
        self.gone()
        self.assertTrue(os.path.exists(boot.outside(f'{STATE}/transferd.db')))
        self.assertEqual(len(temporaries(self.home)), 1)
        job.resource.released.set()
        self.install()
        wait_for(lambda: len(self.server.ranges('/slow')) > 1, 'the job to go on')
        self.assertTrue(self.server.ranges('/slow')[-1])
        job = self.again(job)
        self.assert_done(job)

    def test_while_it_is_called(self):
        """A client that asks again and again does not keep it, nor bring it back."""
        asking = self.machine.log_on('alice')
        said = self.machine.run(
            'sh', '-c', 'while :; do transferctl list --json >/dev/null 2>&1; done & caller=$!;'
                        ' dpkg --remove transferd; kill $caller')
        self.gone()
        asking.end()
        self.assertNotIn('error', said)
        self.install()
        # For the bus a call in the middle may still be starting what is not there: until its time is
        # over, or the service is.
        self.machine.systemctl('start', boot.UNIT)

    def test_purge(self):
        job = self.running()
        job.suspend()
        said = self.machine.run('dpkg', '--purge', 'transferd')
        self.assertIn('hidden files', said)
        self.gone()
        self.assertFalse(os.path.exists(boot.outside(STATE)))
        left, = temporaries(self.home)
        self.assertEqual(self.install().count('hidden files'), 0)
        self.assertEqual(self.client().list_jobs(), [])
        self.machine.systemctl('stop', boot.UNIT)
        self.assertIn(left, self.machine.run(
            '/usr/libexec/transferd/transferd', '--system', '--recover', '/home'))


if __name__ == '__main__':
    tap.main()
