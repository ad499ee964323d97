# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Bouts of many users, in a throw-away copy of this machine: a system bus, the service installed for
everybody, each user with a worker of their own. Needs root."""
import json
import os
import pwd
import shutil
import signal
import subprocess
import time

from bout import Bout
from bus import turn
from measure import Cpu, Failed, percentile
from processes import kill
from scene import MIB, Service, check_same, program

USERS, JOBS = 20, 10
PATIENCE = 300  # seconds for what takes a few


class People(Bout):
    """A service for everybody, and people."""

    people = 1

    def open(self, names):
        self.names = names
        self.users = [f'bench{number}' for number in range(self.people)]
        for user in self.users:
            subprocess.run(['useradd', '--create-home', user], check=True, stderr=subprocess.DEVNULL)
        self.open_files()

    def open_files(self):
        raise NotImplementedError

    def directory(self, user):
        path = os.path.join(self.scene.directory(), user)
        os.mkdir(path)
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)
        return path

    def client(self, service, user, *arguments):
        """bench-client as a process of that user, up to its gate if there is one."""
        process = service.spawn(
            ['setpriv', '--reuid', user, '--regid', user, '--init-groups', '--', program('client'),
             *map(str, arguments), '--system'], env=service.environment(), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if '--gate' in arguments and process.stdout.readline() != 'ready\n':
            raise Failed(f'{user}: {process.stderr.read()[-500:]}')
        return process

    @staticmethod
    def open_gate(process):
        process.stdin.write('\n')
        process.stdin.flush()

    @staticmethod
    def said(process):
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failed('a client did not come to its end') from None
        if process.returncode:
            raise Failed(err[-500:])
        return json.loads(out)

    def warm(self, service):
        """Each has a worker that has fetched a file."""
        name = self.scene.web.add('warm', 1)
        for process in [self.client(service, user, 'each',
                                    self.scene.rows([name], self.directory(user)))
                        for user in self.users]:
            self.said(process)


class Crowd(People):
    """200 jobs of 20 users, against the same bytes in one job."""

    people = USERS

    def open_files(self):
        self.checked = set()
        size = self.scene.scale(10 * MIB, 64 << 10)
        self.files = self.scene.web.add_many('crowd', JOBS, size)
        self.service = Service(mode='system')
        self.warm(self.service)

    def close(self):
        self.service.end()

    def rows(self, directory, times=1):
        """Each file of the server so many times."""
        return self.scene.file(f'{self.scene.web.url(name)}\t{directory}/{number:03}-{os.path.basename(name)}'
                               for number in range(times) for name in self.files)

    def received(self):
        """The bytes in each directory. A temporary file is as long as what has arrived."""
        sizes = []
        for place in self.places:
            size = 0
            with os.scandir(place) as entries:
                for entry in entries:
                    try:
                        size += entry.stat(follow_symlinks=False).st_size
                    except FileNotFoundError:  # it has its name now: the next time
                        pass
            sizes.append(size)
        return sizes

    @staticmethod
    def off(sizes):
        """How far off the mean, in per cent, is the user who is off most?"""
        mean = sum(sizes) / len(sizes)
        return max(abs(size / mean - 1) for size in sizes) * 100 if mean else 0

    def arrived(self, moments):
        """How far off users are in what they have received, which is not on the disk yet, when the
        first has all, and when half of all has arrived: in runs this short above all who began when.
        For whoever wants to know."""
        half = sum(moments[-1][1]) / 2
        all_of_one = max(moments[-1][1])
        at_half = next(sizes for _, sizes in moments if sum(sizes) >= half)
        at_first = next(sizes for _, sizes in moments if max(sizes) >= all_of_one)
        return {'arrived-at-first': self.off(at_first), 'arrived-at-half': self.off(at_half)}

    @staticmethod
    def begun(moments, begin):
        """After how many seconds something has arrived for all."""
        return next(moment for moment, sizes in moments if all(sizes)) - begin

    def watched(self, clients):
        """Lets clients go, and looks what arrives: [(moment, [bytes of each])]; and when they end."""
        moments, ends = [], {}
        begin = time.monotonic()
        for client in clients:
            self.open_gate(client)
        while len(ends) < len(clients):
            moments.append((time.monotonic(), self.received()))
            ends |= {client: moments[-1][0] for client in clients
                     if client not in ends and client.poll() is not None}
            if moments[-1][0] > begin + PATIENCE:
                raise Failed('the jobs do not come to their end')
            turn()
        return [*moments, (time.monotonic(), self.received())], list(ends.values())

    def together(self, who, clients):
        cpu = Cpu(self.service.pids())
        moments, _ = self.watched(clients)
        used = cpu.used(self.service.pids())
        said = [self.said(client) for client in clients]
        self.check(who)
        begin = min(one['begin'] for one in said)
        # The share of a user: bytes a second, from the common beginning until all are on the disk.
        waits = [max(one['transferred']) - begin for one in said]
        return {'wall': max(max(one['completed']) for one in said) - begin, 'cpu': used,
                'share': self.off([1 / wait for wait in waits]),
                'created': max(max(one['created']) for one in said) - begin,
                'begun': self.begun(moments, begin)} | self.arrived(moments)

    def check(self, who):
        for place in self.places:
            names = os.listdir(place)
            for name in names:
                source, copy = self.scene.web.path(f'crowd/{name[-6:]}'), os.path.join(place, name)
                if os.path.getsize(copy) != os.path.getsize(source):
                    raise Failed(f'{who}: {copy} is not whole')
                if who not in self.checked:
                    check_same(source, copy)
            shutil.rmtree(os.path.dirname(place))
        self.checked.add(who)

    def many(self, priority='foreground', who='many'):
        self.places = [self.directory(user) for user in self.users]
        return self.together(who, [
            self.client(self.service, user, 'at-once', self.rows(place), '--gate', '--priority', priority)
            for user, place in zip(self.users, self.places)])

    def one(self, priority='foreground', who='one'):
        self.places = [self.directory(self.users[0])]
        return self.together(who, [
            self.client(self.service, self.users[0], 'at-once', self.rows(self.places[0], USERS),
                        '--files', JOBS * USERS, '--gate', '--priority', priority)])

    def bare(self):
        """As many processes of curl, which know nothing of each other, each with as many connections:
        the shares that the machine and the server give whoever just receives."""
        self.places = [self.directory(user) for user in self.users]
        clients = []
        for user, place in zip(self.users, self.places):
            config = self.scene.file(line for name in self.files for line in (
                f'url = {self.scene.web.url(name)}',
                f'output = {place}/000-{os.path.basename(name)}'))
            clients.append(subprocess.Popen(
                ['setpriv', '--reuid', user, '--regid', user, '--init-groups', '--', 'sh', '-c',
                 'read -r _ && curl --silent --fail --parallel --parallel-max 6 --config "$1" && sync "$2"/*',
                 'sh', config, place], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        begin = time.monotonic()
        moments, ends = self.watched(clients)
        wall = time.monotonic() - begin
        if any(client.wait(PATIENCE) for client in clients):
            raise Failed('curl has failed')
        self.check('bare')
        # who is done, with what is on the disk, when: a share as that of our users
        return {'wall': wall, 'share': self.off([1 / (end - begin) for end in ends]),
                'begun': self.begun(moments, begin)} | self.arrived(moments)

    def background(self):
        return self.many('normal', 'background')

    def one_background(self):
        return self.one('normal', 'one-background')


class Flood(People):
    """Complete of one user, alone and while fifty clients of another create jobs as fast as they can."""

    people = 2

    def open_files(self):
        self.files = self.scene.web.add_many('flood', self.scene.scale(400, 2), 1 << 10)

    def close(self):
        pass

    def completes(self, flooded):
        service = Service(mode='system')
        try:
            self.warm(service)
            victim, other = self.users
            client = self.client(service, victim, 'completes',
                                 self.scene.rows(self.files, self.directory(victim)), '--gate')
            if flooded:
                flood = self.begin_flood(service, other)
            self.open_gate(client)
            times = self.said(client)['completes']
            sample = {'p99': percentile(times, 0.99) * 1e3, 'p50': percentile(times, 0.5) * 1e3, 'slowest': max(times) * 1e3}
            if flooded:
                if flood.poll() is not None:
                    raise Failed(f'the flood is over: {flood.stderr.read()[-500:]}')
                kill(flood.pid, signal.SIGTERM)
                calls = self.said(flood)
                # who floods is served all the same: so many calls a second
                sample['rate'] = len(calls['calls']) / calls['seconds']
            return sample
        finally:
            service.end()

    def begin_flood(self, service, user):
        directory = self.directory(user)
        rows = self.scene.file(f'http://127.0.0.1:9/{number}\t{directory}/{number:06}'
                               for number in range(90_000))
        # it says so when each of its connections is under way
        return self.client(service, user, 'create', rows, '--clients', 50, '--depth', 4, '--gate')

    def alone(self):
        return self.completes(False)

    def flooded(self):
        return self.completes(True)
