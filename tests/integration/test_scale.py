#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Large queues and large jobs: twice as much costs twice as much, and one job costs nothing because
there are others. Only costs of the same run are compared: no absolute times.

    TFD_SCALE=10  runs with ten times as many
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DEADLINE, JOB, MANAGER, MANAGER_PATH, PROPERTIES, GLib, Job, wait_for  # noqa: E402
from httpd import Answer, Forever  # noqa: E402
from world import World, WorldCase  # noqa: E402

SCALE = float(os.environ.get('TFD_SCALE', '1'))
JOBS = int(4000 * SCALE)
FILES = int(50_000 * SCALE)
LINEAR = 3  # times the cost at most of twice as much
MESSAGE = 16 << 20  # a message of this size would throw the service off the bus

CONFIG = {'MaxJobsPerUser': 100_000, 'MaxJobsPerMachine': 200_000, 'MaxFilesPerJob': 2_000_000,
          'BackgroundJobs': 1, 'BackgroundJobsPerUser': 1}


def cpu_time(world):
    """Nanoseconds that the daemon has computed in its one thread that matters: unlike the clock,
    deaf to what else goes on."""
    with open(f'/proc/{world.daemon_pid}/schedstat', encoding='ascii') as file:
        return int(file.read().split()[0])


def median(values):
    return sorted(values)[len(values) // 2]


def many_jobs(client, url, directory, first, count):
    """Creates suspended jobs of one file each; their paths."""
    paths = []
    for start in range(first, first + count, 100):
        calls = [client.send_create([(url, f'{directory}/{number}')], name=f'job {number}')
                 for number in range(start, min(start + 100, first + count))]
        paths += [call.result()[0] for call in calls]
    return paths


class ScaleCase(WorldCase):
    config = CONFIG
    timeout = 1500

    def setUp(self):
        super().setUp()
        self.server.add('/hangs', 100, script=Forever(Answer(hang=1)))
        self.url = self.server.url('/hangs')

    def cost(self, function):
        before = cpu_time(self.world)
        function()
        self.client.manager_property('Version')  # what the call has left to do has been done
        return cpu_time(self.world) - before

    def is_linear(self, what, half, whole):
        print(f'# {what}: {half / 1e6:.1f} ms, of twice as much {whole / 1e6:.1f} ms', flush=True)
        return whole <= LINEAR * half + 5e6

    def assert_costs_are_linear(self, measure):
        """`measure` gives the costs of half of everything and of everything. Who shares the processor
        with others computes longer, too, for a while: a bad result is measured once more."""
        for _ in range(3):
            half, whole = measure().values()
            if all([self.is_linear(what, half[what], whole[what]) for what in half]):
                return
            self.doCleanups()
            self.setUp()
        self.fail('the costs are not linear')


class Queue(ScaleCase):
    def list_all(self):
        seen = []
        while page := self.client.list_jobs(**({'after': seen[-1]} if seen else {})):
            seen += [path for path, _ in page]
        self.assertEqual(seen, self.paths)

    def plans(self):
        """Has the daemon plan some times; it does so once in 50 ms at most."""
        job = Job(self.client, self.paths[-1])
        for _ in range(8):
            job.set(Description='x')
            end = time.monotonic() + 0.06
            wait_for(lambda end=end: time.monotonic() > end, 'a plan')

    def costs(self):
        costs = {'list jobs': self.cost(self.list_all)}
        self.world.restart()
        costs['start'] = cpu_time(self.world)
        costs['resume all'] = self.cost(lambda: self.client.manager('ResumeAll', '(a{sv})', {}))
        costs['plan'] = self.cost(self.plans)
        costs['suspend all'] = self.cost(lambda: self.client.manager('SuspendAll', '(a{sv})', {}))
        return costs

    def test_linear(self):
        self.assert_costs_are_linear(self.all_costs)

    def all_costs(self):
        self.paths = []
        costs = {}
        for part in 0, 1:
            first = part * JOBS // 2
            begin = cpu_time(self.world)
            self.paths += many_jobs(self.client, self.url, self.world.downloads, first, JOBS // 2)
            costs[part] = {'create': (cpu_time(self.world) - begin) * (part + 1)} | self.costs()
        return costs


class Neighbours(ScaleCase):
    def setUp(self):
        super().setUp()
        self.small = World(self.mode, CONFIG)
        self.number = 0
        self.addCleanup(lambda: self.assertEqual(self.small.close(), []))
        self.small.start()

    def test_one_job_among_many(self):
        """The same calls in turn to two daemons, of which one has many jobs, most of them queued."""
        many_jobs(self.client, self.url, self.world.downloads, 0, JOBS)
        self.client.manager('ResumeAll', '(a{sv})', {})
        sides = []
        for world in self.small, self.world:
            client = world.client()
            sides.append((client, client.create([(self.url, world.target('mine'))], Priority='low')))

        calls = {
            'get': lambda client, job, number: job.get('State'),
            'get all': lambda client, job, number: job.get_all(),
            'set': lambda client, job, number: job.set(Description=f'{number}'),
            'resume and suspend': lambda client, job, number: (job.resume(), job.suspend()),
            'explain': lambda client, job, number: job.explain(),
            'list files': lambda client, job, number: job.files(),
            'add file': lambda client, job, number: job.add(
                self.url, os.path.dirname(job.files(0, 1)[0][2]) + f'/more{number}'),
            'get job': lambda client, job, number: client.manager('GetJob', '(s)', job.id),
            'create and cancel': lambda client, job, number: client.create().cancel(),
        }
        for what, call in calls.items():
            for _ in range(10):  # a disk that is busy with others hits the one or the other
                alone, among = self.compare(sides, call)
                print(f'# {what}: {alone:.2f} ms, among {JOBS} jobs {among:.2f} ms', flush=True)
                if among <= 2 * alone + 0.2:
                    break
            else:
                self.fail(what)

    def compare(self, sides, call):
        """The milliseconds of a call on each side, in turn."""
        times = [], []
        for _ in range(41):
            self.number += 1
            for side, (client, job) in enumerate(sides):
                begin = time.monotonic()
                call(client, job, self.number)
                times[side].append(time.monotonic() - begin)
        return (median(side) * 1000 for side in times)


class LargeJob(ScaleCase):
    def add(self, job, first, count, url=None, step=10_000):
        url = url or self.url
        for start in range(first, first + count, step):
            job.add_files([(url, f'{self.world.downloads}/{number}')
                           for number in range(start, min(start + step, first + count))])

    def list_all(self, job):
        seen = 0
        while page := self.ask(job.path, JOB, 'ListFiles', '(uu)', seen, 0)[0]:
            self.assertEqual((page[0][0], page[-1][0]), (seen, seen + len(page) - 1))
            seen += len(page)
        return seen

    def ask(self, path, interface, method, signature='()', *values):
        """A call whose reply is not too large."""
        reply = self.client.connection.call_sync(
            'org.transferd.Transfer1', path, interface, method, GLib.Variant(signature, values), None,
            0, int(DEADLINE * 1000), None)
        self.assertLess(reply.get_size(), MESSAGE - 65536)
        return reply.unpack()

    def costs(self, job, count):
        costs = {'list files': self.cost(lambda: self.assertEqual(self.list_all(job), count))}
        self.world.restart()
        costs['start'] = cpu_time(self.world)
        costs['resume'] = self.cost(job.resume)
        costs['list files in memory'] = self.cost(lambda: self.list_all(job))
        job.suspend()
        return costs

    def test_linear(self):
        self.assert_costs_are_linear(self.all_costs)

    def all_costs(self):
        job = self.client.create()
        costs = {}
        for part in 0, 1:
            count = (part + 1) * FILES // 2
            adding = self.cost(lambda: self.add(job, count - FILES // 2, FILES // 2))
            costs[part] = {'add files': adding * (part + 1)} | self.costs(job, count)
        return costs

    def test_everything_about_a_job_of_long_names(self):
        """Whatever is asked of a large job, the service stays on the bus."""
        pid, count = self.world.daemon_pid, int(60_000 * SCALE)
        job = self.client.create()
        self.add(job, 0, count, self.url + '?' + 'x' * (1000 - len(self.url) - 1), 7000)
        self.assertEqual(self.list_all(job), count)
        self.ask(job.path, PROPERTIES, 'GetAll', '(s)', JOB)
        job.resume()
        self.assertEqual(self.list_all(job), count)
        for method, signature, values in (('GetEvents', '(u)', (0,)), ('Explain', '()', ()),
                                          ('ListFiles', '(uu)', (0, count))):
            self.ask(job.path, JOB, method, signature, *values)
        self.ask(job.path, JOB, 'ReplaceRemotePrefix', '(ss)', 'http://', 'http://')
        job.suspend()
        self.ask(MANAGER_PATH, MANAGER, 'ListJobs', '(a{sv})', {})
        result, details = self.ask(job.path, JOB, 'Complete', '(a{sv})', {})
        self.assertEqual((result, details['kept']), ('partial', []))
        self.assertEqual(details['discarded'][0][0], 0)
        history = dict(self.ask(MANAGER_PATH, MANAGER, 'GetJobHistory', '(a{sv})', {
            'ids': GLib.Variant('as', [job.id]), 'files': GLib.Variant('b', True)})[0])
        self.assertEqual(history[job.id]['discarded-count'], count)
        self.assertEqual(self.world.daemon_pid, pid)
        self.assertIsNone(self.world.daemon.poll())


if __name__ == '__main__':
    tap.main()
