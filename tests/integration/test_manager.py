#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The manager: calls for many jobs at once, and for the service itself; who goes first."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import ERROR, MANAGER_PATH, SECOND, GLib, wait_for  # noqa: E402
from httpd import MIB, Answer, Forever  # noqa: E402
from world import WorldCase, process_start  # noqa: E402


SOURCE = os.environ['TFD_SOURCE_ROOT']


class Bulk(WorldCase):
    def jobs_in_many_states(self):
        """{state: job}; none of them leaves its state by itself."""
        held, row, _ = self.file('held', 3 * MIB, script=[Answer(stall=MIB)])
        self.server.add('/gone', script=Forever(Answer(status=404)))
        self.server.add('/busy', script=Forever(Answer(status=503)))
        jobs = {
            'empty': self.client.create(),
            'suspended': self.client.create([self.file('a')[1]]),
            'transferred': self.client.create([self.file('b')[1]], start=True),
            'error': self.client.create([(self.server.url('/gone'), self.world.target('c'))],
                                        start=True),
            'transient-error': self.client.create(
                [(self.server.url('/busy'), self.world.target('d'))], start=True,
                MinimumRetryDelay=3600 * SECOND),
            'transferring': self.client.create([row], start=True),
        }
        for state, job in jobs.items():
            job.wait(state if state != 'empty' else 'suspended')
        wait_for(held.stalled.is_set, 'the stall')
        return jobs

    def states(self, jobs):
        return {name: job.state for name, job in jobs.items()}

    def test_suspend_and_resume_all(self):
        jobs = self.jobs_in_many_states()
        self.client.manager('SuspendAll', '(a{sv})', {})
        self.assertEqual(self.states(jobs), {
            'empty': 'suspended', 'suspended': 'suspended', 'transferred': 'transferred',
            'error': 'error', 'transient-error': 'suspended', 'transferring': 'suspended'})
        self.client.manager('ResumeAll', '(a{sv})', {})
        for name, state in (('suspended', 'transferred'), ('transferring', 'transferred'),
                            ('transient-error', 'transient-error'), ('empty', 'suspended'),
                            ('error', 'error')):
            jobs[name].wait(state)
        # in the service of one user nobody is asked: all users are this one
        self.client.manager('SuspendAll', '(a{sv})', {'all-users': GLib.Variant('b', True)})
        self.assert_error('InvalidArgs', self.client.manager, 'ResumeAll', '(a{sv})',
                          {'colour': GLib.Variant('s', 'red')})

    def test_all_of_nothing(self):
        for method in 'SuspendAll', 'ResumeAll':
            self.client.manager(method, '(a{sv})', {})
        for method in 'CompleteJobs', 'CancelJobs':
            self.assertEqual(self.client.manager(method, '(aoa{sv})', [], {}), ([],))

    def test_cancel_jobs(self):
        jobs = self.jobs_in_many_states()
        paths = [job.path for job in jobs.values()]
        results, = self.client.manager('CancelJobs', '(aoa{sv})', paths + paths[:1], {})
        self.assertEqual([(path, result) for path, result, _ in results[:-1]],
                         [(path, 'cancelled') for path in paths])
        self.assertEqual(results[-1], (paths[0], '', ERROR + 'InvalidState'))
        self.assertEqual(os.listdir(self.world.downloads), [])
        self.assertEqual(self.client.list_jobs(), [])
        self.client.flush()
        self.assertEqual(len(self.client.named('JobRemoved')), len(paths))

    def test_complete_jobs(self):
        jobs = self.jobs_in_many_states()
        paths = {name: job.path for name, job in jobs.items()}
        results, = self.client.manager('CompleteJobs', '(aoa{sv})', list(paths.values()),
                                       {'require-all': GLib.Variant('b', True)})
        found = {path: (result, error.rpartition('.')[2]) for path, result, error in results}
        self.assertEqual({name: found[path] for name, path in paths.items()}, {
            'empty': ('completed', ''), 'transferred': ('completed', '')} | {
                name: ('', 'NotTransferred')
                for name in ('suspended', 'error', 'transient-error', 'transferring')})
        self.assertEqual(jobs['transferring'].state, 'transferring')
        results, = self.client.manager('CompleteJobs', '(aoa{sv})', [paths['transferring']], {})
        self.assertEqual([row[1:] for row in results], [('partial', '')])

    def test_too_many(self):
        path = f'{MANAGER_PATH}/jobs/' + '0' * 32
        for method in 'CompleteJobs', 'CancelJobs':
            results, = self.client.manager(method, '(aoa{sv})', [path] * 20000, {})
            self.assertEqual(set(results), {(path, '', ERROR + 'NotFound')})
            message = self.assert_error('LimitsExceeded', self.client.manager, method, '(aoa{sv})',
                                        [path] * 20001, {})
            self.assertIn('20001', message)

    def test_while_one_of_them_completes(self):
        """A job that ends already is decided by what ended it; the others are not held up by it."""
        jobs = [self.client.create([self.file(name)[1]], start=True) for name in 'ab']
        for job in jobs:
            job.wait('transferred')
        first = jobs[0].send_complete()
        results, = self.client.manager('CancelJobs', '(aoa{sv})', [job.path for job in jobs], {})
        self.assertEqual(first.result()[0], 'completed')
        self.assertEqual([(result, error.rpartition('.')[2]) for _, result, error in results],
                         [('', 'InvalidState'), ('cancelled', '')])
        self.client.manager('SuspendAll', '(a{sv})', {})


class Errors(WorldCase):
    def test_every_error_has_a_text(self):
        with open(os.path.join(SOURCE, 'common', 'error.c'), encoding='utf-8') as file:
            names = re.findall(r'\[TFD_ERROR_\w+\] = {\s*"(\w+)",\s*(\w+)', file.read())
        self.assertGreater(len(names), 60)
        texts = set()
        for name, kind in names:
            prefix = 'org.freedesktop.DBus.Error.' if kind == 'STANDARD' else ERROR
            for locale in '', 'de_DE.UTF-8', 'nonsense':
                text, = self.client.manager('DescribeError', '(ss)', prefix + name, locale)
                self.assertRegex(text, r'^[A-Z].*\.$')
            texts.add(text)
        self.assertEqual(len(texts), len(names))

    def test_other_names(self):
        for name in '', 'InvalidState', 'org.freedesktop.DBus.Error.UnknownMethod', 'a.b':
            self.assert_error('InvalidArgs', self.client.manager, 'DescribeError', '(ss)', name, '')


class Slots(WorldCase):
    """Who runs, as seen from the bus; the rules themselves are tested with the plan."""

    config = {'BackgroundJobs': 1, 'BackgroundJobsPerUser': 1, 'TimeSlice': '1h'}

    def endless(self, name, **options):
        """A job that goes on until it is told otherwise."""
        _, row, _ = self.file(name, 200 * MIB, rate=MIB)
        return self.client.create([row], start=True, **options)

    def reload(self, **keys):
        self.world.write_config(self.config | keys)
        self.client.manager('Reload')

    def test_reload_counts_at_once(self):
        one, two = self.endless('one'), self.endless('two')
        one.wait('transferring')
        wait_for(lambda: two.explain() == ['slot'], 'the second to be looked at')
        self.assertEqual(two.state, 'queued')
        self.reload(BackgroundJobs=2, BackgroundJobsPerUser=2)
        two.wait('transferring')
        self.assertEqual(one.state, 'transferring')
        self.reload()
        wait_for(lambda: sorted((one.state, two.state)) == ['queued', 'transferring'],
                 'one of them to stop')

    def test_turns(self):
        """Two jobs share a slot second by second; both get on, and neither loses what it has."""
        self.reload(TimeSlice='1s')
        self.client.manager('Subscribe', '(a{sv})', {})
        jobs = [self.endless(name) for name in ('one', 'two')]

        def turns(job):
            return sum(one.args[1].get('State') == 'connecting'
                       for one in self.client.named('PropertiesChanged', job.path))
        wait_for(lambda: all(turns(job) >= 2 for job in jobs) and
                 all(self.server.ranges(name)[-1] for name in ('/one', '/two')), 'two turns of each')
        for job in jobs:
            self.assertGreater(job.get('BytesTransferred'), 0)
            self.assertEqual(job.get('ErrorCount'), 0)
        for name in '/one', '/two':
            # a turn may have been too short for the first byte
            starts = [int(text[6:-1]) if text else 0 for text in self.server.ranges(name)]
            self.assertEqual(starts, sorted(starts))
            self.assertGreater(starts[-1], 0)

    def test_levels(self):
        low = self.endless('low', Priority='low')
        wait_for(lambda: low.get('BytesTransferred') > 0, 'the first bytes')
        high = self.endless('high', Priority='high')
        high.wait('transferring')
        wait_for(lambda: low.state == 'queued', 'the lower one to stop')
        self.assertEqual(low.explain(), ['higher-priority'])
        self.assertGreater(low.get('BytesTransferred'), 0)
        front = self.endless('front', Priority='foreground')
        front.wait('transferring')
        self.assertEqual(high.state, 'transferring')
        low.set(Priority='foreground')
        low.wait('transferring')
        low.set(Priority='low')
        wait_for(lambda: low.state == 'queued', 'the lower one to stop again')
        high.cancel()
        low.wait('transferring')

    def test_not_resumable_is_left_alone(self):
        """What would have to begin anew keeps its slot, whatever comes."""
        file, row, path = self.file('low', 3 * MIB, rate=2 * MIB, ranges=False, etag='',
                                    last_modified='')
        low = self.client.create([row], start=True, Priority='low')
        wait_for(lambda: low.get('BytesTransferred') > 0, 'the first bytes')
        others = [self.client.create([self.file(name)[1]], start=True, Priority=priority)
                  for name, priority in (('equal', 'low'), ('high', 'high'))]
        for job in low, *others:
            job.wait('transferred')
        self.assertEqual(len(self.server.requests('/low')), 1)
        low.complete()
        self.assert_file(path, file)


class Reload(WorldCase):
    def test_signal_does_the_same(self):
        self.world.write_config({'MaxRangesPerFile': 7})
        pid = self.world.daemon_pid
        start = process_start(pid)
        os.kill(pid, 1)
        wait_for(lambda: self.client.manager_property('MaxRangesPerFile') == 7, 'the new value')
        self.assertEqual(process_start(pid), start)

    def test_limits(self):
        self.world.write_config({'MaxFilesPerJob': 2})
        self.client.manager('Reload')
        job = self.client.create([self.file('a')[1], self.file('b')[1]])
        message = self.assert_error('TooManyFilesInJob', job.add, *self.file('c')[1])
        self.assertIn('2', message)


if __name__ == '__main__':
    tap.main()
