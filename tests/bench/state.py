# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Bouts about what the service is while nothing goes on, and about how costs grow."""
import os
import time

from bout import Bout
from bus import NAME, Client, GLib, stays, turn, wait_for
from calls import Aria2
from measure import Failed, median, memory, percentile, wakeups
from processes import kill
from scene import MIB, Service, Web, program

IDLE_SECONDS = 5


def names(scene, count):
    directory = scene.directory()
    return scene.file(f'http://127.0.0.1:9/{number}\t{directory}/{number:06}' for number in range(count))


class Restarted(Bout):
    """A service that has been started with what was queued before."""

    def open(self, names_):
        self.service = None

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

    rounds = 2

    def after_restart(self, *arguments):
        self.begin()
        if arguments:
            self.service.bench_client(*arguments)
        self.restart()
        self.service.bench_client('list')
        return memory(self.service.daemon_pid, 'RssAnon')

    def transferd(self):
        scene = self.scene
        jobs, files = scene.scale(10_000, 50), scene.scale(20_000, 50)
        nothing = self.after_restart()
        with_jobs = self.after_restart('create', names(scene, jobs), '--clients', 4, '--depth', 32)
        with_files = self.after_restart('add-files', names(scene, files))
        return {'job': max(0, with_jobs - nothing) / jobs, 'file': max(0, with_files - nothing) / files}

    def aria2(self):
        count = self.scene.scale(3000, 20)
        with Aria2(self.scene) as aria2:
            before = memory(aria2.process.pid, 'RssAnon')
            aria2.add(count)
            return {'job': (memory(aria2.process.pid, 'RssAnon') - before) / count}


class StartJobs(Restarted):
    """10,000 jobs are there when it starts."""

    def open(self, names_):
        super().open(names_)
        self.begin().bench_client('create', names(self.scene, self.scene.scale(10_000, 20)),
                                  '--clients', 4, '--depth', 32)

    def transferd(self):
        return {'wall': self.restart()}


class StartFiles(Restarted):
    """1,000 jobs of 1,000 files are there when it starts."""

    def open(self, names_):
        super().open(names_)
        self.begin()
        lists = [names(self.scene, self.scene.scale(1000, 5))]
        for _ in range(self.scene.scale(1000, 3)):
            self.service.bench_client('add-files', *lists)

    def transferd(self):
        return {'wall': self.restart()}


class Idle(Restarted):
    """What is there while nothing goes on."""

    rounds = 3

    def transferd(self):
        service = self.begin()
        scene = self.scene
        daemon = memory(service.daemon_pid)
        service.warm(scene)
        worker = service.workers()[0]
        plain = memory(worker)
        row = scene.rows([scene.web.add('warm', 1)], scene.directory(), tls=True)
        service.bench_client('each', row)
        tls = memory(worker)
        before = wakeups(service.daemon_pid), wakeups(worker)
        stays(lambda: True, scene.scale(IDLE_SECONDS, 0.1))
        after = wakeups(service.daemon_pid), wakeups(worker)
        return {'daemon': daemon / MIB, 'worker': plain / MIB, 'worker-tls': tls / MIB,
                'wakeups': after[0] - before[0], 'worker-wakeups': after[1] - before[1]}


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

    rounds = 3

    def open(self, names_):
        self.web = Web(self.scene.place, slow='150m', port=8090)
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


class Flood(Bout):
    """Complete of one client, alone and while fifty others create jobs as fast as they can."""

    rounds = 3

    def open(self, names_):
        self.service = Service()
        self.service.warm(self.scene)
        self.files = self.scene.web.add_many('flood', self.scene.scale(100, 2), 1 << 10)

    def close(self):
        self.service.end()

    def completes(self):
        said = self.service.bench_client('each', self.scene.rows(self.files, self.scene.directory()))
        return {'p99': percentile([end - begin for begin, end in
                                   zip(said['transferred'], said['completed'])], 0.99) * 1e3}

    def alone(self):
        return self.completes()

    def flooded(self):
        flood = self.service.spawn([program('client'), 'create',
                                    names(self.scene, self.scene.scale(30_000, 100)),
                                    '--clients', '50', '--depth', '4'], env=self.service.environment(),
                                   stdout=-3)
        try:
            return self.completes()
        finally:
            kill(flood.pid)
            flood.wait()
            self.service.bench_client('list')
