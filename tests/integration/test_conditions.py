#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""What keeps a job waiting: network, cost, power, log-on, hours; and that it goes on afterwards.

Runs in a network of its own, with a system bus of its own on which mocks tell what the world is
like. Each condition is an error that counts as none: the job waits, says why, and nobody is called.
"""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import mocks  # noqa: E402
import tap  # noqa: E402
from bus import ERROR, MANAGER_PATH, GLib, stays, wait_for  # noqa: E402
from httpd import MIB, Answer, Forever  # noqa: E402
from world import World, WorldCase, kill  # noqa: E402

# NetworkManager
DISCONNECTED, SITE, GLOBAL = (GLib.Variant('u', state) for state in (20, 60, 70))
PORTAL, FULL = GLib.Variant('u', 2), GLib.Variant('u', 4)
METERED, UNMETERED, GUESS_METERED = (GLib.Variant('u', value) for value in (1, 2, 3))
LOST = 5  # seconds that a network is gone before it is lost
AWAY = 4.5  # a little less than what logind may be gone
USER = 'org.freedesktop.login1.User'
TOO_LATE = 'the machine sleeps before all transfers have saved'


class ConditionCase(WorldCase):
    """A daemon of its own, a server that is not on the loopback interface, and jobs that want it."""

    def setUp(self):
        self.world = World(self.mode, self.config)
        self.addCleanup(self.end)
        self.system_bus = mocks.SystemBus(self.world)
        self.addCleanup(self.system_bus.close)
        self.prepare()
        self.world.start()
        self.server = self.world.server(address=mocks.ADDRESS)
        self.client = self.world.client()
        self.client.manager('Subscribe', '(a{sv})', {})

    def prepare(self):
        """Starts the mocks."""

    def job(self, name='a', size=MIB, rate=0, **options):
        """A started job of one file, which knows its resource and path."""
        resource, row, path = self.file(name, size, rate=rate)
        job = self.client.create([row], start=True, **options)
        job.resource, job.target = resource, path
        return job

    def running(self, name='slow', **options):
        """A job that runs and will not end by itself for some minutes."""
        job = self.job(name, 64 * MIB, 256 * 1024, **options)
        wait_for(lambda: job.get('BytesTransferred') > 0, 'the first bytes')
        return job

    def assert_waits(self, job, name, context='queue-manager'):
        """The job waits for this reason, which is no error of its own."""
        wait_for(lambda: job.error == (name, context), lambda: f'{name}; {job.state} {job.error}')
        self.assertEqual(job.state, 'transient-error')
        self.assertEqual(job.explain()[0], ERROR + name)
        self.assertEqual(job.get('ErrorCount'), 0)
        self.assertNotEqual(job.get('StatusText'), '')
        self.client.flush()
        self.assertEqual(self.client.named('JobError'), [])

    def assert_done(self, job):
        job.wait('transferred')
        self.assertEqual((job.error, job.get('ErrorCount'), job.explain()), (None, 0, []))
        self.client.flush()
        self.assertEqual(self.client.named('JobError'), [])
        job.complete()
        self.assert_file(job.target, job.resource)

    def log(self):
        with open(self.world.log, encoding='utf-8') as file:
            return file.read()

    def rewrite_config(self, **keys):
        self.world.write_config(keys)
        self.client.manager('Reload')


class Network(ConditionCase):
    def prepare(self):
        self.manager = self.system_bus.network_manager()

    def wait_until_lost(self):
        wait_for(lambda: not self.client.manager_property('Online'), 'the network to be lost')

    def test_lost_and_back(self):
        job = self.running()
        lost = time.monotonic()
        self.manager.set(State=DISCONNECTED)
        self.assert_waits(job, 'NetworkDisconnected', 'transport')
        self.assertGreaterEqual(time.monotonic() - lost, LOST - 0.1)
        self.assertFalse(self.client.manager_property('Online'))
        job.resource.rate = 0
        self.manager.set(State=GLOBAL)
        self.assert_done(job)
        self.assertTrue(self.client.manager_property('Online'))

    def test_new_job_without_network(self):
        self.manager.set(State=DISCONNECTED)
        self.wait_until_lost()
        job = self.job()
        self.assert_waits(job, 'NetworkDisconnected', 'transport')
        self.assertEqual(self.server.requests(), [])
        self.manager.set(State=GLOBAL)
        self.assert_done(job)

    def test_no_network_at_the_start(self):
        self.world.stop()
        self.manager.set(State=DISCONNECTED)
        self.world.start()
        self.assertFalse(self.world.client().manager_property('Online'))

    def test_waits_over_a_restart(self):
        self.manager.set(State=DISCONNECTED)
        self.wait_until_lost()
        job = self.job()
        self.assert_waits(job, 'NetworkDisconnected', 'transport')
        self.world.restart()
        self.assert_waits(job, 'NetworkDisconnected', 'transport')
        self.manager.set(State=GLOBAL)
        job.wait('transferred')
        self.assertEqual(job.get('ErrorCount'), 0)

    def test_short_loss_is_none(self):
        job = self.running()
        self.manager.set(State=DISCONNECTED)
        self.client.flush()
        self.manager.set(State=GLOBAL)
        before = job.get('BytesTransferred')
        # over what would be the end of the delay
        self.assertTrue(stays(lambda: self.client.manager_property('Online'), LOST + 0.5))
        self.assertEqual(job.state, 'transferring')
        wait_for(lambda: job.get('BytesTransferred') > before, 'more bytes')
        self.assertEqual(len(self.server.requests()), 1)
        self.assertTrue(self.client.manager_property('Online'))

    def test_captive_portal(self):
        job = self.running()
        self.manager.set(State=SITE, Connectivity=PORTAL)
        self.assert_waits(job, 'NetworkDisconnected', 'transport')
        job.resource.rate = 0
        self.manager.set(State=GLOBAL, Connectivity=FULL)
        self.assert_done(job)

    def test_loopback_needs_no_network(self):
        self.manager.set(State=DISCONNECTED)
        self.wait_until_lost()
        self.server = self.world.server()
        self.assert_done(self.job())

    def test_many_jobs_are_spread(self):
        self.manager.set(State=DISCONNECTED)
        self.wait_until_lost()
        jobs = [self.job(f'f{number}', 1000) for number in range(12)]
        for job in jobs:
            self.assert_waits(job, 'NetworkDisconnected', 'transport')
        self.manager.set(State=GLOBAL)
        for job in jobs:
            self.assert_done(job)


class Routes(ConditionCase):
    """Without a network manager the kernel tells."""

    def prepare(self):
        self.route = True
        self.addCleanup(self.set_route, True)

    def set_route(self, there):
        if there != self.route:
            mocks.set_route(there)
            self.route = there

    def test_lost_and_back(self):
        job = self.running()
        self.set_route(False)
        self.assert_waits(job, 'NetworkDisconnected', 'transport')
        job.resource.rate = 0
        self.set_route(True)
        self.assert_done(job)


class Cost(ConditionCase):
    def prepare(self):
        self.manager = self.system_bus.network_manager()

    def test_metered(self):
        job = self.running()
        self.manager.set(Metered=METERED)
        self.assert_waits(job, 'BlockedByCost')
        self.assertTrue(self.client.manager_property('Metered'))
        job.resource.rate = 0
        self.manager.set(Metered=UNMETERED)
        self.assert_done(job)

    def test_guess_counts(self):
        self.manager.set(Metered=GUESS_METERED)
        self.assert_waits(self.job(), 'BlockedByCost')

    def test_policies(self):
        self.manager.set(Metered=METERED)
        wait_for(lambda: self.client.manager_property('Metered'), 'the network to be metered')
        foreground = self.job('f', Priority='foreground')
        always = self.job('a', TransferPolicy='always')
        thrifty = self.job('t', Priority='foreground', TransferPolicy='unrestricted')
        self.assert_done(foreground)
        self.assert_done(always)
        self.assert_waits(thrifty, 'BlockedByCost')
        thrifty.set(TransferPolicy='always')
        self.assert_done(thrifty)

    def test_back_on_a_metered_network(self):
        job = self.running()
        self.manager.set(State=DISCONNECTED)
        self.assert_waits(job, 'NetworkDisconnected', 'transport')
        requests = len(self.server.requests())
        self.manager.set(State=GLOBAL, Metered=METERED)
        self.assert_waits(job, 'BlockedByCost')
        self.assertEqual(len(self.server.requests()), requests)


class Power(ConditionCase):
    def prepare(self):
        self.profiles = self.system_bus.power_profiles()
        self.upower = self.system_bus.upower()

    def profile(self, name):
        self.profiles.set(ActiveProfile=GLib.Variant('s', name))

    def battery(self, on):
        self.upower.set(OnBattery=GLib.Variant('b', on))

    def test_power_saver(self):
        job = self.running()
        self.profile('power-saver')
        self.assert_waits(job, 'BlockedByPower')
        self.assert_done(self.job('f', Priority='foreground'))
        job.resource.rate = 0
        self.profile('balanced')
        self.assert_done(job)

    def test_power_saver_is_allowed(self):
        self.profile('power-saver')
        job = self.job()
        self.assert_waits(job, 'BlockedByPower')
        self.rewrite_config(PowerSaverBlocks='no')
        self.assert_done(job)

    def test_battery(self):
        job = self.running()
        self.battery(True)
        self.assert_done(self.job('b'))  # by default it does not matter
        self.rewrite_config(BatteryBlocks='yes')
        self.assert_waits(job, 'BlockedByPower')
        job.resource.rate = 0
        self.battery(False)
        self.assert_done(job)

    def test_service_goes_and_comes(self):
        self.rewrite_config(BatteryBlocks='yes')
        self.battery(True)
        job = self.job()
        self.assert_waits(job, 'BlockedByPower')
        self.upower.end()
        self.assert_done(job)
        self.upower = self.system_bus.upower()
        self.battery(True)
        self.assert_waits(self.job('b'), 'BlockedByPower')


class Sessions(ConditionCase):
    def prepare(self):
        self.logind = self.system_bus.logind()

    def setUp(self):
        super().setUp()
        self.wait_until_known()

    def wait_until_known(self):
        """Until logind has answered nobody has to wait for it."""
        self.server.add('/never', script=Forever(Answer(hang=1)))
        job = self.client.create([(self.server.url('/never'), self.world.target('never'))],
                                 start=True, RunWhen='logged-in')
        self.assert_away(job)
        job.cancel()

    def log_on(self, uid=None, active=True):
        uid = os.getuid() if uid is None else uid
        path = self.logind.call(mocks.MOCK, 'AddUser',
                                GLib.Variant('(usb)', (uid, f'user{uid}', active)))[0]
        self.logind.emit('UserNew', 'uo', uid, path)
        return path

    def state(self, path, state):
        """The state changes as logind changes it: without a signal for it, but among others."""
        self.logind.set(path, USER, State=GLib.Variant('s', state))

    def log_off(self, path):
        self.logind.call(mocks.MOCK, 'RemoveObject', GLib.Variant('(s)', (path,)))
        self.logind.emit('UserRemoved', 'uo', int(path.rpartition('/')[2]), path)

    def assert_away(self, job):
        """The job stays in the queue while its owner is away."""
        wait_for(lambda: job.explain()[:1] == [ERROR + 'OwnerNotLoggedIn'],
                 lambda: f'OwnerNotLoggedIn; {job.state} {job.explain()}')
        self.assertEqual((job.state, job.error, job.get('ErrorCount')), ('queued', None, 0))

    def test_logged_in(self):
        job = self.job(RunWhen='logged-in')
        self.assert_away(job)
        self.log_on(os.getuid() + 12345)
        self.assert_away(job)
        self.log_on()
        self.assert_done(job)

    def test_log_off_stops(self):
        path = self.log_on(active=False)
        job = self.running(RunWhen='logged-in')
        self.state(path, 'closing')
        self.assert_away(job)
        self.state(path, 'active')
        wait_for(lambda: job.state == 'transferring', 'the job to go on')
        self.log_off(path)
        self.assert_away(job)
        job.resource.rate = 0
        self.log_on()
        self.assert_done(job)

    def test_lingering(self):
        path = self.log_on()
        logged_in = self.running('l', RunWhen='logged-in')
        lingering = self.running('g', RunWhen='lingering')
        self.state(path, 'lingering')
        self.assert_away(logged_in)
        self.assertEqual(lingering.state, 'transferring')
        self.log_off(path)
        self.assert_away(lingering)

    def test_always(self):
        self.assert_done(self.job(RunWhen='always'))

    def test_change_acts_at_once(self):
        job = self.job(RunWhen='logged-in')
        self.assert_away(job)
        job.set(RunWhen='always')
        self.assert_done(job)

    def test_nobody_waits_without_logind(self):
        job = self.job(RunWhen='logged-in')
        self.assert_away(job)
        self.logind.end()
        self.assert_done(job)
        self.logind = self.system_bus.logind()
        self.wait_until_known()
        self.assert_away(self.job('b', RunWhen='logged-in'))

    def restart_with_silent_logind(self):
        self.world.stop()
        kill(self.logind.process.pid, signal.SIGSTOP)
        self.addCleanup(kill, self.logind.process.pid, signal.SIGCONT)
        self.world.start()

    def test_waits_for_the_first_answer(self):
        """A daemon that has just been started does not know yet who is logged on."""
        path = self.log_on()
        job = self.running(RunWhen='logged-in')
        self.restart_with_silent_logind()
        requests = len(self.server.requests())
        self.assert_away(job)
        self.assert_done(self.job('b'))
        self.assertEqual(len(self.server.requests()), requests + 1)
        kill(self.logind.process.pid, signal.SIGCONT)
        wait_for(lambda: job.state == 'transferring', 'the job to go on')
        self.log_off(path)
        self.assert_away(job)

    def test_waits_no_longer_than_logind_may_take(self):
        job = self.job(RunWhen='lingering')
        self.assert_away(job)
        self.restart_with_silent_logind()
        self.assert_away(job)
        self.assert_done(job)
        self.assertIn('nobody tells who is logged on', self.log())

    def log(self):
        with open(self.world.log, encoding='utf-8') as file:
            return file.read()

    def test_logind_is_started_anew(self):
        """As at an update of the package: who was logged off still is."""
        for attempt in range(5):
            job = self.job(f'{attempt}', RunWhen='logged-in')
            self.assert_away(job)
            begin = time.monotonic()
            self.logind.end()
            self.logind = self.system_bus.logind()
            wait_for(lambda: 'sleep' in self.inhibitors(), 'the daemon to see logind')
            if time.monotonic() - begin < AWAY:
                break
            job.cancel()  # a slow machine: it was away for good
            self.wait_until_known()
        self.assert_away(job)
        self.assertEqual(self.server.requests(f'/{attempt}'), [])
        self.log_on()
        self.assert_done(job)

    def inhibitors(self):
        """{what: mode} of those that transferd holds."""
        rows = self.logind.call(self.logind.interface, 'ListInhibitors')[0]
        return {row[0]: row[3] for row in rows if row[1] == 'transferd'}

    def test_sleep_waits_for_the_checkpoint(self):
        wait_for(self.inhibitors, 'the inhibitor')
        self.assertEqual(self.inhibitors(), {'sleep': 'delay'})
        job = self.running()
        self.logind.emit('PrepareForSleep', 'b', True)
        wait_for(lambda: not self.inhibitors(), 'the inhibitor to be let go')
        self.assertNotIn(TOO_LATE, self.log())
        self.assertEqual(job.state, 'transferring')
        self.logind.emit('PrepareForSleep', 'b', False)
        wait_for(self.inhibitors, 'the next inhibitor')
        self.assertEqual(self.inhibitors(), {'sleep': 'delay'})

    def test_sleep_without_jobs(self):
        wait_for(self.inhibitors, 'the inhibitor')
        for _ in range(3):
            self.logind.emit('PrepareForSleep', 'b', True)
            wait_for(lambda: not self.inhibitors(), 'the inhibitor to be let go')
            self.logind.emit('PrepareForSleep', 'b', False)
            wait_for(self.inhibitors, 'the next inhibitor')

    def test_sleep_does_not_wait_for_a_stopped_worker(self):
        wait_for(self.inhibitors, 'the inhibitor')
        self.running()
        worker = self.world.worker()
        kill(worker, signal.SIGSTOP)
        self.addCleanup(kill, worker, signal.SIGCONT)
        self.logind.emit('PrepareForSleep', 'b', True)
        wait_for(lambda: not self.inhibitors(), 'the inhibitor to be let go')
        wait_for(lambda: TOO_LATE in self.log(), 'the message')


def zone_before_the_minute(seconds):
    """A time zone in which a minute of the wall clock begins in so many seconds; (TZ, that minute
    since midnight)."""
    offset = -int(time.time() + seconds) % 60
    local = int(time.time() + seconds) + offset
    return f'TST-00:00:{offset:02}', local // 60 % 1440


class Hours(ConditionCase):
    def test_all_day(self):
        job = self.running()
        self.rewrite_config(BlockedHours='00:00-24:00')
        self.assert_waits(job, 'BlockedByPolicy')
        self.assert_done(self.job('f', Priority='foreground'))
        job.resource.rate = 0
        self.rewrite_config()
        self.assert_done(job)

    def test_nonsense_blocks_nobody(self):
        self.rewrite_config(BlockedHours='Mon..Fry 08:00-17:00')
        self.assert_done(self.job())
        self.assertIn('line 2: BlockedHours: ‘Fry’ is not a day of the week', self.log())


class Clock(ConditionCase):
    """The hours end, and begin, by themselves."""

    def begin(self, hours, make):
        """Starts the daemon some seconds before a minute, of which `hours` makes blocked hours, and
        makes a job before it; (job, when the minute begins). A slow machine takes more seconds."""
        for seconds in 5, 15, 45:
            self.world.stop()
            zone, minute = zone_before_the_minute(seconds)
            begins = int(time.time() + seconds)
            self.world.variables = {'TZ': zone}
            self.world.write_config({'BlockedHours': hours(minute)})
            self.world.start()
            job = make(f'{seconds}')
            if time.time() < begins - 1:
                return job, begins
            job.cancel()
        raise AssertionError('the machine is too slow for this test')

    @staticmethod
    def written(minute):
        return f'{minute % 1440 // 60:02}:{minute % 60:02}'

    def test_hours_end(self):
        job, end = self.begin(
            lambda minute: f'{self.written(minute - 60)}-{self.written(minute)}', self.job)
        wait_for(lambda: job.state != 'queued', 'the job to be looked at')
        if time.time() < end - 1:
            self.assert_waits(job, 'BlockedByPolicy')
        job.wait('transferred')
        self.assertGreaterEqual(time.time(), end)
        self.assertEqual(job.get('ErrorCount'), 0)

    def test_hours_begin(self):
        job, _ = self.begin(
            lambda minute: f'{self.written(minute)}-{self.written(minute + 60)}', self.running)
        self.assert_waits(job, 'BlockedByPolicy')


class Several(ConditionCase):
    def prepare(self):
        self.manager = self.system_bus.network_manager()
        self.profiles = self.system_bus.power_profiles()

    def test_all_of_them_are_explained(self):
        self.manager.set(Metered=METERED)
        self.profiles.set(ActiveProfile=GLib.Variant('s', 'power-saver'))
        self.rewrite_config(BlockedHours='00:00-24:00')
        job = self.job()
        self.assert_waits(job, 'BlockedByCost')
        names = ['BlockedByCost', 'BlockedByPolicy', 'BlockedByPower']
        wait_for(lambda: job.explain() == [ERROR + name for name in names],
                 lambda: f'{names}; {job.explain()}')
        self.manager.set(Metered=UNMETERED)
        self.assert_waits(job, 'BlockedByPolicy')
        self.rewrite_config()
        self.assert_waits(job, 'BlockedByPower')
        self.profiles.set(ActiveProfile=GLib.Variant('s', 'balanced'))
        self.assert_done(job)

    def test_system_bus_goes_away(self):
        self.system_bus.close()
        self.system_bus.process.kill()
        self.system_bus.process.wait()
        self.assertIsNone(self.world.daemon.poll())
        self.assertEqual(self.client.call(MANAGER_PATH, 'org.freedesktop.DBus.Peer', 'Ping'), ())


if __name__ == '__main__':
    mocks.isolate_network()
    tap.main()
