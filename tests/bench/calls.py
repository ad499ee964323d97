# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Bouts of calls: what they cost on top of the bus and of the database."""
import os
import socket
import subprocess

from bout import Bout
from measure import Failed, ask, percentile
from processes import kill
from scene import Service, program
from world import GLib, wait_for


def wait_for_name(service, name):
    bus = service.watcher()
    wait_for(lambda: bus.call_sync(
        'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'NameHasOwner',
        GLib.Variant('(s)', (name,)), None, 0, -1, None).unpack()[0], name)
    bus.close_sync(None)


def start_echo(service, database=None):
    echo = service.spawn([program('echo'), *([database] if database else [])],
                         env=service.environment())
    wait_for_name(service, 'org.transferd.Bench')
    return echo


class CallBout(Bout):
    """Each sample with a service of its own, whose database is new."""

    ours = ('transferd',)
    count = few = 0

    def open(self, names):
        self.names = names
        self.number = self.scene.scale(self.count, self.few)

    def with_service(self, *arguments, before=None):
        service = Service()
        try:
            if before:
                service.bench_client(*before)
            said, cpu = service.measured(*arguments)
        finally:
            service.end()
        return said, cpu

    def raw(self, kind):
        return ask([program('sqlite'), kind, self.scene.database(), str(self.number)])

    def with_echo(self, *arguments, database=None):
        """A service that only answers, on a bus of its own; what the client says."""
        service = Service()
        try:
            echo = start_echo(service, database)
            said = service.bench_client(*arguments)
            kill(echo.pid, 15)
            echo.wait(30)
        finally:
            service.end()
        return said


class CreateOne(CallBout):
    """CreateJob with one file, one call after the other."""

    count, few = 2000, 10

    def transferd(self):
        said, cpu = self.with_service('create', self.scene.unreachable(self.number))
        return {'rate': self.number / said['seconds'], 'p50': percentile(said['calls'], 0.5) * 1e3,
                'cpu': cpu / self.number * 1e3}

    def echo(self):
        said = self.with_echo('echo', 'Commit', self.number, database=self.scene.database())
        return {'rate': self.number / said['seconds'], 'p50': percentile(said['calls'], 0.5) * 1e3}


class CreateMany(CallBout):
    """CreateJob with one file, 16 clients that do not wait for each other."""

    count, few = 10_000, 64

    def transferd(self):
        said, cpu = self.with_service('create', self.scene.unreachable(self.number), '--clients', 16, '--depth', 8)
        return {'rate': self.number / said['seconds'], 'cpu': cpu / self.number * 1e3}

    def sqlite(self):
        return {'rate': self.number / self.raw('jobs')}


class AddFiles(CallBout):
    """10,000 files in one call."""

    count, few = 10_000, 20

    def transferd(self):
        said, cpu = self.with_service('add-files', self.scene.unreachable(self.number))
        return {'wall': said['seconds'], 'cpu': cpu}

    def sqlite(self):
        return {'wall': self.raw('files')}


class CreateAdd(CallBout):
    """CreateJob and AddFile against download managers that keep their queue in memory. Everybody has
    16 connections, and a call under way on each; what one gets that waits for each answer is only told."""

    count, few = 4000, 40
    extras = ('echo',)
    CLIENTS = 16

    def alone(self):
        return self.number // 8

    def transferd(self):
        said, cpu = self.with_service('create-add', self.scene.unreachable(self.number), '--clients', self.CLIENTS)
        one, _ = self.with_service('create-add', self.scene.unreachable(self.alone()))
        return {'rate': self.number / said['seconds'], 'alone': self.alone() / one['seconds'],
                'cpu': cpu / self.number * 1e3}

    def echo(self):
        """As many calls that nothing is done for: what two calls over a bus take."""
        said = self.with_echo('echo', 'Ping', 2 * self.number, '--clients', self.CLIENTS)
        one = self.with_echo('echo', 'Ping', 2 * self.alone())
        return {'rate': self.number / said['seconds'], 'alone': self.alone() / one['seconds']}

    def aria2(self):
        with Aria2(self.scene) as aria2:
            return {'rate': self.number / aria2.add(self.number, self.CLIENTS),
                    'alone': self.alone() / aria2.add(self.alone())}

    def lomiri(self):
        service = Service()
        try:
            place = self.scene.directory()
            manager = service.spawn(['lomiri-download-manager'], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                    env=service.environment() | {
                                        'HOME': place, 'XDG_DATA_HOME': place, 'XDG_CACHE_HOME': place,
                                        'QT_QPA_PLATFORM': 'offscreen'})
            name = 'com.lomiri.applications.Downloader'
            wait_for_name(service, name)
            # it makes a hundred a second, and fewer the more it has
            number = self.number // 20
            said = service.bench_client('lomiri', '-', number, '--clients', self.CLIENTS)
            one = service.bench_client('lomiri', '-', number)
            sample = {'rate': number / said['seconds'], 'alone': number / one['seconds']}
            kill(manager.pid, 9)
            manager.wait(30)
            return sample
        finally:
            service.end()


class ListJobs(CallBout):
    """ListJobs of many jobs against the same rows by a service that does nothing else."""

    count, few = 10_000, 20

    def open(self, names):
        super().open(names)
        self.service = Service()
        self.service.bench_client('create', self.scene.unreachable(self.number), '--clients', 4, '--depth', 32)
        self.echo_process = start_echo(self.service)

    def close(self):
        kill(self.echo_process.pid, 15)
        self.echo_process.wait(30)
        self.service.end()

    def transferd(self):
        said, cpu = self.service.measured('list')
        if said['jobs'] != self.number:
            raise Failed(f'{said["jobs"]} jobs were listed')
        return {'wall': said['seconds'], 'cpu': cpu}

    def echo(self):
        return {'wall': self.service.bench_client('list-echo')['seconds']}


class Aria2:
    """aria2 with its JSON-RPC."""

    def __init__(self, scene):
        self.scene = scene

    def __enter__(self):
        self.process = subprocess.Popen(
            ['setpriv', '--pdeathsig', 'KILL', '--', 'aria2c', '--enable-rpc', '--quiet',
             '--rpc-listen-port=6800', '--max-concurrent-downloads=1', '--pause=true',
             '--dir', self.scene.directory()], stdin=subprocess.DEVNULL)
        wait_for(self.is_up, 'aria2')
        return self

    def is_up(self):
        if self.process.poll() is not None:
            raise Failed('aria2 did not start')
        with socket.socket() as probe:
            return probe.connect_ex(('127.0.0.1', 6800)) == 0

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    @staticmethod
    def add(count, clients=1):
        """addUri, one call after the other on each connection; the seconds."""
        return ask([program('client'), 'aria2', '6800', str(count), '--clients', str(clients)])['seconds']
