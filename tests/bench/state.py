# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Bouts about what the service is while nothing goes on, and about how costs grow."""
import os
import time

from bout import ROUNDS, Bout
from bus import NAME, Client, GLib, stays, turn, wait_for
from calls import Aria2
from measure import Failed, median, memory, wakeups, woken
from processes import kill
from scene import MIB, Service, Web

IDLE_SECONDS = 5
IDLE_PATIENCE = 6  # looks


def names(scene, count):
    directory = scene.directory()
    return scene.file(f'http://127.0.0.1:9/{number}\t{directory}/{number:06}' for number in range(count))


class Restarted(Bout):
    """A service that has been started with what was queued before."""

    service = None

    def open(self, names_):
        pass

    def close(self):
        if self.service:
            self.service.end()
            self.service = None

    def begin(self):
        self.close()
        self.service = Service()
        return self.service

    def restart(self):
        """Seconds until the name is owned, from the start of the process."""
        service = self.service
        kill(service.daemon_pid, 15)
        service.daemon.wait(60)
        connection = service.watcher()
        owned = []
        connection.signal_subscribe('org.freedesktop.DBus', 'org.freedesktop.DBus', 'NameOwnerChanged',
                                    None, NAME, 0, lambda *_: owned.append(time.monotonic()))
        connection.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                             'GetId', None, None, 0, -1, None)
        context = GLib.MainContext.default()
        while context.pending():
            context.iteration(False)
        owned.clear()
        begin = time.monotonic()
        service.daemon = service.launch()
        while not owned:
            if service.daemon.poll() is not None or time.monotonic() > begin + 300:
                raise Failed('transferd did not start again')
            turn()
        connection.close_sync(None)
        service.daemon_pid  # noqa: B018 (remembers the process)
        return owned[0] - begin


class MemoryQueued(Restarted):
    """What a queued job and a queued file take, of the daemon and of aria2."""

    def after_restart(self, *arguments):
        self.begin()
        if arguments:
            self.service.bench_client(*arguments)
        before = memory(self.service.daemon_pid, 'RssAnon')
        self.restart()
        self.service.bench_client('list')
        return memory(self.service.daemon_pid, 'RssAnon'), before

    def transferd(self):
        scene = self.scene
        jobs, files = scene.scale(10_000, 50), scene.scale(20_000, 50)
        nothing, _ = self.after_restart()
        with_jobs, before = self.after_restart('create', names(scene, jobs), '--clients', 4, '--depth', 32)
        with_files, _ = self.after_restart('add-files', names(scene, files))
        return {'job': max(0, with_jobs - nothing) / jobs, 'file': max(0, with_files - nothing) / files,
                'job-before-the-restart': max(0, before - nothing) / jobs}

    def aria2(self):
        count = self.scene.scale(3000, 20)
        with Aria2(self.scene) as aria2:
            idle = memory(aria2.process.pid)
            before = memory(aria2.process.pid, 'RssAnon')
            aria2.add(count)
            return {'job': (memory(aria2.process.pid, 'RssAnon') - before) / count, 'idle': idle / MIB}


class StartJobs(Restarted):
    """10,000 jobs are there when it starts."""

    def open(self, names_):
        super().open(names_)
        self.begin().bench_client('create', names(self.scene, self.scene.scale(10_000, 20)),
                                  '--clients', 4, '--depth', 32)

    def transferd(self):
        return {'wall': self.restart()}


class StartFiles(Bout):
    """1,000 or 100 jobs of 1,000 files are there when it starts."""

    def open(self, names_):
        self.all = {}
        files = names(self.scene, self.scene.scale(1000, 5))
        for name in names_:
            one = self.all[name] = Restarted(self.scene)
            one.begin().bench_client('add-files', files, '--repeat', self.jobs(name))

    def jobs(self, name):
        return self.scene.scale(1000, 10) if name == 'many' else self.scene.scale(100, 1)

    def close(self):
        for one in self.all.values():
            one.close()

    def run(self, name):
        wall = self.all[name].restart()
        return {'wall': wall, 'per-job': wall / self.jobs(name) * 1e3}


class Idle(Restarted):
    """What is there while nothing goes on: services that do not disturb each other are looked at at the
    same time, so that all of them can be given some time to become quiet."""

    def open(self, names_):
        count = 1 if self.scene.smoke else ROUNDS + 1
        self.samples = []
        services = []
        try:
            for _ in range(count):
                services.append(Service())
            self.samples = [self.use(service) for service in services]
            self.look([service.daemon_pid for service in services], 'wakeups')
            self.look([service.workers()[0] for service in services], 'worker-wakeups')
        finally:
            for service in services:
                service.end()

    def use(self, service):
        scene = self.scene
        sample = {'daemon': memory(service.daemon_pid) / MIB}
        service.warm(scene)
        worker = service.workers()[0]
        sample['worker'] = memory(worker) / MIB
        row = scene.rows([scene.web.add('warm', 1)], scene.directory(), tls=True)
        service.bench_client('each', row)
        return sample | {'worker-tls': memory(worker) / MIB}

    def look(self, pids, name):
        """Threads that have nothing to do are kept for a while; then nothing is to happen."""
        for _ in range(self.scene.scale(IDLE_PATIENCE, 1)):
            before = [wakeups(pid) for pid in pids]
            stays(lambda: True, self.scene.scale(IDLE_SECONDS, 0.1))
            counts = [woken(*both) for both in zip(before, map(wakeups, pids))]
            if not any(counts):
                break
        for sample, count in zip(self.samples, counts):
            sample[name] = count

    def transferd(self):
        self.samples.append(self.samples.pop(0))
        return self.samples[-1]


class Steps(Bout):
    """The life of a job, call by call, among few others and among many."""

    def open(self, names_):
        self.services = {}
        for name in names_:
            service = self.services[name] = Service()
            count = self.scene.scale(10_000, 20) if name == 'many' else 10
            service.bench_client('create', names(self.scene, count), '--clients', 2, '--depth', 32)
            service.warm(self.scene)
        self.files = self.scene.web.add_many('steps', self.scene.scale(30, 2), 1 << 10)

    def close(self):
        for service in self.services.values():
            service.end()

    def run(self, name):
        rows = self.scene.rows(self.files, self.scene.directory())
        said = self.services[name].bench_client('steps', rows)
        return {step: median(times) * 1e3 for step, times in said.items()}


class Traffic(Bout):
    """Signals about a job that runs for some seconds."""

    def open(self, names_):
        self.web = Web(self.scene.place, slow='300m', port=8090)
        self.name = self.web.add('big', self.scene.scale(1024, 2) * MIB)
        self.service = Service()

    def close(self):
        self.service.end()
        self.web.stop()

    def transferd(self):
        watching, other = self.service.client(), Client(self.service.address)
        watching.manager('Subscribe', '(a{sv})', {})
        directory = self.scene.directory()
        begin = time.monotonic()
        job = watching.create([(self.web.url('slow/' + self.name), os.path.join(directory, 'file'))],
                              start=True, Priority='foreground')
        wait_for(lambda: watching.named('JobTransferred'), 'the job', 120)
        seconds = max(1.0, time.monotonic() - begin)
        told = watching.named('PropertiesChanged')
        job.complete()
        other.flush()
        seen = [one for one in other.signals if not one.name.startswith('Job')]
        other.close()
        watching.close()
        return {'watched': len(told) / seconds, 'unwatched': len(seen), 'seconds': seconds}

