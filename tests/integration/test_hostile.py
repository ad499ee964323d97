#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Hostile neighbours: workers that answer nonsense or cannot be started, and clients that send as
much as the bus lets through. The service stays, and whoever did not ask for trouble notices nothing."""
import fcntl
import json
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import (ERROR, MANAGER, MANAGER_PATH, PROPERTIES, DBusError, GLib,  # noqa: E402
                 wait_for)
from httpd import MIB, Answer  # noqa: E402
from processes import count_descriptors, kill, process_start  # noqa: E402
from world import WorldCase  # noqa: E402

BAD_WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib', 'bad-worker.py')
# A little less than the bus lets through.
LARGE = 32 * MIB - 1000
WRONG = ('()', "('x',)", '(uint32 5,)', "([(uint32 0, 'x')],)", "({'x': <1>}, 1, 2)", '([1, 2],)',
         'error', 'garbage')


class HostileCase(WorldCase):
    def setUp(self):
        super().setUp()
        self.pid = self.world.daemon_pid
        self.start = process_start(self.pid)

    def assert_alive(self):
        """The same process still serves."""
        self.assertEqual(process_start(self.pid), self.start)
        self.client.manager_property('Version')


class Worker(HostileCase):
    timeout = 600
    config = {'WorkerTimeout': '15s', 'StopTimeout': '5s', 'ProbeTimeout': '5s'}

    def setUp(self):
        super().setUp()
        self.script = self.world.path('bad.json')
        self.behave()
        os.environ['TFD_BAD_WORKER'] = self.script
        os.environ['TFD_BAD_WORKER_VERSION'] = self.client.manager_property('Version')
        self.addCleanup(os.environ.pop, 'TFD_BAD_WORKER')
        self.begin()

    def begin(self):
        """A daemon that has lost no worker yet, and so waits for none."""
        self.world.stop()
        self.world.start('--worker', BAD_WORKER)
        self.client.close()
        self.client = self.world.client()
        self.pid = self.world.daemon_pid
        self.start = process_start(self.pid)

    def behave(self, **script):
        # A worker may be reading or cutting the script at this moment.
        with open(self.script, 'a', encoding='utf-8') as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.truncate(0)
            json.dump(script, file)

    def starts(self):
        try:
            with open(self.script + '.starts', encoding='utf-8') as file:
                return len(file.readlines())
        except FileNotFoundError:
            return 0

    def row(self, name='a'):
        return self.server.url('/' + name), self.world.target(name)

    def finished(self):
        job = self.client.create([self.row()], start=True)
        job.wait('transferred')
        return job

    def test_behaves(self):
        """The program of this test itself, when it does nothing wrong."""
        job = self.finished()
        self.assertEqual(job.complete()[0], 'completed')
        self.assertEqual(self.starts(), 1)

    def test_wrong_probe(self):
        for number, wrong in enumerate(WRONG):
            with self.subTest(wrong):
                # another directory each time: what was seen is not asked again
                directory = self.world.target(str(number))
                os.mkdir(directory)
                self.behave(Probe=[wrong])
                job = self.client.create()
                self.assertEqual(job.add(self.server.url('/a'), directory + '/a'), 0)
                self.assert_alive()
                job.cancel()

    def test_wrong_start(self):
        for wrong in WRONG:
            with self.subTest(wrong):
                self.begin()
                self.behave(Start=[wrong] if wrong != '()' else [])
                job = self.client.create([self.row()], start=True)
                job.wait('transferred', hurry=True)
                self.assert_alive()
                job.cancel()

    def test_wrong_stop(self):
        """A worker that answers nonsense may still be writing: only its end is an answer."""
        for wrong in WRONG:
            with self.subTest(wrong):
                self.begin()
                self.behave(Stop=[wrong], finish=False, news=[('Connected', '(uint64 RUN,)')])
                job = self.client.create([self.row()], start=True)
                job.wait('transferring')
                before = self.starts()
                job.suspend()
                job.cancel()
                self.assert_alive()
                if wrong != 'error':
                    self.assertGreater(self.starts(), before)

    def test_wrong_verify_and_finalize(self):
        cases = [(method, wrong) for method in ('Verify', 'Finalize', 'Discard') for wrong in WRONG]
        jobs = [self.finished() for _ in cases]
        for (method, wrong), job in zip(cases, jobs, strict=True):
            with self.subTest(f'{method} {wrong}'):
                if method == 'Discard':
                    job.add(*self.row('b'))
                self.behave(**{method: [wrong]})
                if (method, wrong) == ('Finalize', 'error'):
                    # a refusal of a living worker is told, and the call can be repeated
                    self.assert_error('CommitFailed', job.complete)
                self.assertEqual(job.complete()[0],
                                 'partial' if method == 'Discard' else 'completed')
                self.assert_alive()

    def test_wrong_open(self):
        job = self.finished()
        for wrong in WRONG + ("(handle 0,)", "(handle 7,)"):
            with self.subTest(wrong):
                self.behave(OpenPart=[wrong])
                with self.assertRaises(Exception):
                    job.call('OpenTemporary', '(u)', 0)
                self.assert_alive()
        job.cancel()

    def test_wrong_news(self):
        news = [('Connected', '()'), ('Connected', "('x',)"), ('Progress', '([1],)'), ('Parts', '(uint64 RUN,)'),
                ('FilesDone', '(uint64 RUN, [(uint32 0, uint64 1)])'), ('FilesDone', '(uint64 RUN, @ay [1, 2, 3])'),
                ('FilesDone', f'(uint64 RUN, @ay {[0] * 12 + [255, 255, 255, 127] + [0] * 16})'),
                ('FilesDone', f'(uint64 RUN, @ay {[0] * 12 + [8, 0, 0, 0] + [7] * 8})'),
                ('Failed', '(uint64 RUN, uint32 9, @a{sv} {})'),
                ('Event', "(uint64 RUN, uint32 4294967295, 'part-replaced', @a{sv} {})"), ('Nonsense', '(1,)'),
                ('Progress', '([(uint64 RUN, [(uint32 0, uint64 18446744073709551615, uint64 1),'
                             ' (uint32 77, uint64 1, uint64 1)])],)'),
                ('Failed', f"(uint64 RUN, uint32 0, {{'transient': <true>, 'name': <1>, 'message': <'{'x' * 100000}'>,"
                           " 'retry-after': <uint64 18446744073709551615>})")]
        for one in news:
            with self.subTest(one[0]):
                self.behave(news=[one])
                job = self.client.create([self.row()], start=True)
                job.wait('transferred', 'transient-error')
                self.assert_alive()
                job.cancel()

    def test_flood(self):
        self.behave(Stop=['flood'], finish=False)
        job = self.client.create([self.row()], start=True)
        wait_for(lambda: job.state == 'connecting' and self.starts(), 'the start')
        job.suspend()
        job.cancel()
        self.assert_alive()

    def test_deluge(self):
        """News as fast as they can be sent, until it is ended: the memory of the service stays small."""
        self.behave(Start=['deluge'])
        job = self.client.create([self.row()], start=True)
        wait_for(lambda: self.starts() > 1 or self.memory() > 400, 'the worker to be ended')
        self.assertLess(self.memory(), 400)
        job.wait('transferred')
        self.assert_alive()

    def test_numbers_that_are_not_its_own(self):
        """Runs that never were or are over, files that do not exist, progress that goes back."""
        progress = '([(uint64 RUN, [(uint32 0, uint64 %d, uint64 1000)])],)'
        self.behave(finish=False, news=[
            ('Connected', '(uint64 RUN,)'), ('Progress', progress % 900), ('Progress', progress % 10),
            ('Progress', progress % 5000), ('Progress', progress % 400),
            ('FilesDone', '(uint64 RUN, [(uint32 4294967295, uint64 1, @a{sv} {}), (uint32 1, uint64 1, @a{sv} {})])'),
            ('Failed', "(uint64 RUN, uint32 7, {'transient': <true>})")], **{'all-runs': [
                ('FilesDone', '(uint64 RUN, [(uint32 0, uint64 1, @a{sv} {})])'),
                ('Failed', "(uint64 RUN, uint32 0, {'name': <'x'>, 'transient': <false>})"),
                ('Progress', '([(uint64 RUN, [(uint32 0, uint64 1, uint64 1)])],)')]})
        job = self.client.create([self.row()], start=True)
        wait_for(lambda: job.get('BytesTotal') in (1000, 5000) or job.state == 'transient-error', 'the news')
        self.client.flush()
        self.assertLessEqual(job.get('BytesTransferred'), max(job.get('BytesTotal'), 5000))
        self.assertEqual(job.get('FilesTransferred'), 0)
        self.assert_alive()
        self.assertEqual(job.cancel()[0], 'cancelled')

    def test_records_are_not_kept_beyond_their_size(self):
        """What it wants to be remembered of a file costs little, however often it is said."""
        large = f"(uint64 RUN, [(uint32 0, {{'validator': <'x'>, 'y': <'{'z' * 2_000_000}'>}})])"
        self.behave(finish=False, news=[('Parts', large)] * 10 + [('Connected', '(uint64 RUN,)')])
        job = self.client.create([self.row()], start=True)
        job.wait('transferring', 'transient-error', 'error')
        stored = sum(os.path.getsize(os.path.join(self.world.state_dir, name))
                     for name in os.listdir(self.world.state_dir))
        self.assertLess(stored, 2_000_000)
        self.assert_alive()
        job.cancel()

    def test_calls_of_a_worker(self):
        """The daemon offers nothing to it: there is not even an answer."""
        self.behave(Start=['call'], Verify=['call'])
        job = self.finished()
        self.assertEqual(job.complete()[0], 'completed')
        self.assertEqual(self.client.list_jobs(), [])
        self.assertFalse(os.path.exists(self.script + '.answers'))
        self.assert_alive()

    def test_descriptors_that_nobody_wants(self):
        def descriptors():
            return count_descriptors(self.pid)
        before = descriptors()
        self.behave(Start=['descriptors'])
        job = self.client.create([self.row()], start=True)
        job.wait('transferred', hurry=True)
        wait_for(lambda: descriptors() <= before + 6, 'the descriptors to be closed')
        self.assert_alive()
        job.cancel()

    def test_answers_to_what_was_not_asked(self):
        self.behave(Start=['twice'], Verify=['twice'], Finalize=['twice'])
        job = self.finished()
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_alive()

    def test_dies_in_the_middle_of_a_file(self):
        self.behave(Start=['half', 'half'])
        job = self.finished()
        self.assertEqual((self.starts(), job.get('ErrorCount'), job.get('Error')), (3, 0, {}))
        self.assertEqual(job.complete()[0], 'completed')

    def memory(self):
        """The most that the service ever had, in MiB."""
        with open(f'/proc/{self.pid}/status', encoding='ascii') as file:
            return next(int(line.split()[1]) for line in file if line.startswith('VmHWM')) / 1024

    def test_other_version(self):
        """What a worker of another version means by the same words nobody knows."""
        self.behave(Get=["(<'0.0.1'>,)"] * 20)
        job = self.client.create([self.row()], start=True)
        job.wait('transient-error')
        self.assertEqual(job.error[0], 'WorkerLost')
        self.assertIn('0.0.1', job.get('Error')['message'])
        self.behave()
        job.resume()
        job.wait('transferred')
        self.assert_alive()

    def test_no_version(self):
        for answer in ('(<1>,)', '()', 'error', 'exit', 'silence'):
            with self.subTest(answer):
                self.behave(Get=[answer])
                self.begin()
                self.finished().cancel()
                self.assert_alive()

    def test_answers_about_other_files(self):
        """What it says of files that it was not asked about, or of many in one word."""
        def rows(*answers):
            return f"([{', '.join(answers)}],)"

        def row(index, verdict='renamed', details='@a{sv} {}'):
            return f"(uint32 {index}, '{verdict}', {details})"

        last = "{'last': <uint32 %d>}"
        for wrong in (rows(row(0, details=last % 4294967295)), rows(row(2, details=last % 0)),
                      rows(row(7), row(4294967295, details=last % 4294967295)),
                      rows(row(0, details="{'last': <'x'>}")), rows(row(1, details=last % 1)),
                      rows(row(0), row(0, 'moved'), row(0, 'failed'), row(0)),
                      rows(row(1, 'moved'), row(1, 'moved', last % 2)), rows(row(0, 'nonsense')),
                      rows(row(0, details=last % 1), row(1, 'taken'), row(2, 'failed'))):
            with self.subTest(wrong):
                job = self.client.create([self.row(f'f{index}') for index in range(3)], start=True)
                job.wait('transferred')
                self.behave(Finalize=[wrong])
                try:
                    result, details = job.complete()
                except DBusError as error:
                    self.assertEqual(error.short, 'CommitFailed')
                    result, details = job.complete()
                self.assertEqual(result, 'completed')
                told = [index for index, _ in details['kept'] + details.get('moved', [])]
                self.assertEqual(sorted(told), [0, 1, 2])
                self.assert_alive()
        for wrong, lost in ((rows(row(9, 'missing'), row(4294967295, 'foreign')), False),
                            (rows(row(1, 'missing'), row(1, 'missing'), row(0, 'nonsense')), True)):
            with self.subTest(wrong):
                job = self.client.create([self.row(f'f{index}') for index in range(3)], start=True)
                job.wait('transferred')
                self.behave(Verify=[wrong])
                if lost:
                    self.assert_error('CommitFailed', job.complete)
                    job.resume()
                    job.wait('transferred')
                self.assertEqual(job.complete()[0], 'completed')
                self.assert_alive()

    def done(self, index, size=1, part=b'', length=None):
        """A row of FilesDone."""
        return struct.pack('=IQI', index, size, len(part) if length is None else length) + part

    def test_wrong_rows(self):
        """Rows that are too short or too long, of files that are not there, or are done already."""
        def news(data):
            return 'FilesDone', f"(uint64 RUN, @ay [{', '.join(str(byte) for byte in data)}])"

        whole = self.done(0, part=b'')
        for name, count, wrong in (
                ('cut', 0, [whole[:length] for length in range(len(whole))]),
                ('too long', 0, [self.done(0, length=length) + b'x' * 20
                                 for length in (21, 1 << 30, (1 << 31) - 1, 1 << 31, (1 << 32) - 2)]),
                ('none', 0, [self.done(0, length=(1 << 32) - 1)]),
                ('no dictionary', 0, [self.done(0, part=bytes([255] * 100)), self.done(1, part=b'\0')]),
                ('too large', 0, [self.done(0, part=b'\0' * 5000)]),
                ('nobody', 0, [self.done(3) + self.done(4294967295), self.done(1 << 31) * 1000]),
                ('again', 2, [(self.done(0) + self.done(1)) * 500, self.done(1)]),
                ('cut behind', 1, [self.done(0) + whole[:9]])):
            with self.subTest(name):
                self.behave(finish=False, news=[('Connected', '(uint64 RUN,)')] + [news(one) for one in wrong]
                            + [('Progress', '([(uint64 RUN, [(uint32 2, uint64 77, uint64 100)])],)')])
                job = self.client.create([self.row(f'f{index}') for index in range(3)], start=True)
                wait_for(lambda job=job, count=count: job.get('BytesTransferred') == 77 + count
                         or job.state == 'transient-error', 'the news')
                self.assertEqual(job.get('FilesTransferred'), count)
                self.assert_alive()
                self.assertEqual(job.cancel()[0], 'cancelled')

    def test_sizes_that_cannot_be(self):
        rows = b''.join(self.done(index, size=(1 << 64) - 1 - index) for index in range(3))
        self.behave(finish=False, news=[
            ('FilesDone', f"(uint64 RUN, @ay [{', '.join(str(byte) for byte in rows)}])")])
        job = self.client.create([self.row(f'f{index}') for index in range(3)], start=True)
        job.wait('transferred', 'transient-error', 'error')
        self.assert_alive()
        job.get_all()
        job.call('ListFiles', '(uu)', 0, 0)
        job.cancel()

    def test_silence(self):
        """Who is asked and says nothing is ended, and the next one is asked."""
        self.behave(Ping=['silence'] * 20, Verify=['silence'])
        job = self.finished()
        self.assertEqual(job.complete()[0], 'completed')
        self.assertGreater(self.starts(), 1)
        self.assert_alive()

    def test_dies_when_it_is_asked(self):
        for method in 'Verify', 'Finalize':
            self.behave()
            job = self.finished()
            self.behave(**{method: ['exit', 'exit']})
            self.assertEqual(job.complete()[0], 'completed')

    def test_endless_words(self):
        """What a worker says of a failure is cut, in the answer and in the log of the job."""
        words = 'x' * 5_000_000
        job = self.finished()
        self.behave(Verify=[f"([(uint32 0, 'unavailable', {{'message': <'{words}'>}})],)"])
        self.assertLess(len(self.assert_error('CommitFailed', job.complete)), 5000)
        self.behave(Finalize=[f"([(uint32 0, 'failed', {{'message': <'{words}'>}})],)"])
        self.assertLess(len(self.assert_error('CommitFailed', job.complete)), 5000)
        self.assertLess(sum(len(str(event)) for event in job.call('GetEvents', '(u)', 0)[0]), 100_000)
        os.mkdir(self.world.target('d'))
        self.behave(Probe=[f"([([byte 1], '{ERROR}InvalidPath', '{words}')],)"])
        self.assertLess(len(self.assert_error('InvalidPath', job.add, self.server.url('/b'),
                                              self.world.target('d/b'))), 5000)


class NoWorker(HostileCase):
    """The program of the worker ends at once: a half-done upgrade, a missing library."""

    config = {'ProbeTimeout': '5s'}

    def setUp(self):
        super().setUp()
        self.file('a')
        self.starts = self.world.path('starts')
        program = self.world.path('worker')
        with open(program, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\necho >>{self.starts}\nexit 3\n')
        os.chmod(program, 0o755)
        self.bad = program

    def break_worker(self):
        self.world.stop()
        self.world.start('--worker', self.bad)
        self.client = self.world.client()

    def count(self):
        try:
            with open(self.starts, encoding='utf-8') as file:
                return len(file.readlines())
        except FileNotFoundError:
            return 0

    def test_calls_are_answered(self):
        _, row, path = self.file('a')
        job = self.client.create([row], start=True)
        job.wait('transferred')
        _, other, _ = self.file('b', 2 * MIB, script=[Answer(stall=MIB)])
        unfinished = self.client.create([other], start=True)
        wait_for(lambda: unfinished.get('BytesTransferred') == MIB, 'the first half')
        unfinished.suspend()
        self.break_worker()

        job, unfinished = job.seen_by(self.client), unfinished.seen_by(self.client)
        # accepted and looked at later
        fresh = self.client.create([(self.server.url('/c'), self.world.target('c'))])
        self.assertEqual(fresh.cancel()[0], 'cancelled')
        self.assert_error('FileMissing', job.call, 'OpenTemporary', '(u)', 0)
        # answered after less than a minute, by when the next try may be far away
        completing, cancelling = job.send_complete(), unfinished.send_cancel()
        self.assertLessEqual(self.count(), 20)
        result, details = cancelling.result()
        self.assertEqual(result, 'cancelled')
        self.assertEqual(len(details['undeleted']), 1)
        with self.assertRaises(Exception) as caught:
            completing.result()
        self.assertEqual(caught.exception.short, 'CommitFailed')
        self.assertFalse(os.path.exists(path))
        self.assertLessEqual(self.count(), 40)
        self.assertEqual(job.state, 'transferred')

        # as soon as there is a worker again, all is well
        self.world.stop()
        self.world.start()
        job = job.seen_by(self.world.client())
        self.assertEqual(job.complete()[0], 'completed')
        wait_for(lambda: not [name for name in os.listdir(self.world.downloads)
                              if name.startswith('.transferd-')], 'what was left over to go')

    def test_running_jobs_wait(self):
        _, row, _ = self.file('a')
        self.break_worker()
        job = self.client.create([row], start=True)
        wait_for(lambda: 'worker-starting' in job.explain(), 'the job to wait')
        self.assertLessEqual(self.count(), 20)
        self.assertEqual(job.get('ErrorCount'), 0)
        self.assertEqual(job.cancel()[0], 'cancelled')


class Stopped(WorldCase):
    """A worker that stands still while nothing times out but what must."""

    config = {'WorkerTimeout': '600s', 'StopTimeout': '2s', 'ProbeTimeout': '1s'}

    def test_open_temporary(self):
        """It gives up, and the client's next calls are handled."""
        _, row, _ = self.file('a', 2 * MIB, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == MIB, 'the first half')
        pid = self.world.worker()
        kill(pid, 19)
        opened = job.send('OpenTemporary', '(u)', 0)
        suspended = job.send('Suspend')
        with self.assertRaises(Exception):
            opened.result()
        suspended.result()
        self.assertEqual(job.state, 'suspended')
        self.assertEqual(job.cancel()[0], 'cancelled')


class Pipelined(WorldCase):
    def test_failing_complete_before_add_and_resume(self):
        """AddFile asks the worker about a directory, and Resume waits for it although both waited
        for the Complete before them."""
        _, row, path = self.file('a')
        job = self.client.create([row], start=True)
        job.wait('transferred')
        os.mkdir(path)
        self.file('b')
        for number in range(5):
            directory = self.world.target(f'd{number}')
            os.mkdir(directory)
            calls = [job.send_complete(),
                     job.send('AddFile', '(ssa{sv})', self.server.url('/b'), directory + '/b', {}),
                     job.send('Resume'), job.send('SetProperties', '(a{sv})', {
                         'DisplayName': GLib.Variant('s', str(number))})]
            with self.assertRaises(Exception) as caught:
                calls[0].result()
            self.assertEqual(caught.exception.short, 'CommitFailed')
            self.assertEqual(calls[1].result()[0], number + 1)
            calls[2].result()
            calls[3].result()
            self.assertEqual((job.get('DisplayName'), len(job.files())), (str(number), number + 2))
            job.wait('transferred')
        os.rmdir(path)
        job.complete()


class Client(HostileCase):
    timeout = 600

    def refused(self, call):
        try:
            call()
        except DBusError as error:
            if 'org.transferd' in error.name:
                self.assertLess(len(error.message), 100_000)
        self.assert_alive()

    def test_words_are_not_given_back(self):
        """Errors quote what was sent, but never so much that the bus throws the service out."""
        large = 'x' * LARGE
        job = self.client.create()

        def get(path, interface, name):
            return self.client.call(path, PROPERTIES, 'Get', GLib.Variant('(ss)', (interface, name)))
        calls = {
            'GetJob': lambda: self.client.manager('GetJob', '(s)', large),
            'CreateJob type': lambda: self.client.create(job_type=large),
            'CreateJob name': lambda: self.client.create(name=large),
            'CreateJob key': lambda: self.client.create(**{large: GLib.Variant('u', 1)}),
            'DescribeError': lambda: self.client.manager('DescribeError', '(ss)', large, ''),
            'ListJobs property': lambda: self.client.list_jobs(properties=[large]),
            'ListJobs state': lambda: self.client.list_jobs(states=[large]),
            'ListJobs key': lambda: self.client.manager('ListJobs', '(a{sv})', {
                large: GLib.Variant('u', 1)}),
            'ListJobs after': lambda: self.client.list_jobs(
                after=f'{MANAGER_PATH}/jobs/{"x" * LARGE}'),
            'GetJobHistory': lambda: self.client.history(ids=[large]),
            'AddFile url': lambda: job.add(large, self.world.target('a')),
            'AddFile path': lambda: job.add(self.server.url('/a'), '/' + large),
            'AddFile option': lambda: job.add(self.server.url('/a'), self.world.target('a'),
                                              digest=large),
            'AddFile key': lambda: job.add(self.server.url('/a'), self.world.target('a'),
                                           **{large: GLib.Variant('u', 1)}),
            'SetProperties': lambda: job.set(Priority=large),
            'SetProperties key': lambda: job.set(**{large: GLib.Variant('u', 1)}),
            'Set': lambda: job.set_one('Priority', large),
            'Complete': lambda: job.complete(overwrite=large),
            'CompleteJobs': lambda: self.client.manager('CompleteJobs', '(aoa{sv})', [job.path], {
                large: GLib.Variant('u', 1)}),
            'Get property': lambda: get(MANAGER_PATH, MANAGER, large),
            'Get interface': lambda: get(MANAGER_PATH, large, 'Version'),
        }
        for name, call in calls.items():
            with self.subTest(name):
                self.refused(call)

    def test_words_of_an_address(self):
        """GDBus itself quotes the path and the names of what there is not."""
        for base in '/', MANAGER_PATH + '/', MANAGER_PATH + '/jobs/':
            for room in 60, 100, 140, 180, 220, 260, 400:
                with self.subTest(f'{base} {room}'):
                    path = base + 'x' * (32 * MIB - room - len(base))
                    try:
                        self.world.client().call(path, 'a.b', 'c')
                    except DBusError:
                        pass
                    self.assert_alive()

    def test_many_paths(self):
        paths = [f'{MANAGER_PATH}/jobs/{number:032x}' for number in range(300_000)]
        for method in 'CompleteJobs', 'CancelJobs':
            self.assert_error('LimitsExceeded', self.client.manager, method, '(aoa{sv})', paths, {})
            self.assert_alive()
        rows = self.client.manager('CancelJobs', '(aoa{sv})', paths[:10_000], {})[0]
        self.assertEqual({error for _, _, error in rows}, {ERROR + 'NotFound'})

    def test_history_of_a_huge_job(self):
        """More names than an answer may have: the counts are right and some of the names are there."""
        count, chunk = 60_000, 20_000
        directory = self.world.target('/'.join(['x' * 250] * 2))
        os.makedirs(directory)
        job = self.client.create()
        for first in range(0, count, chunk):
            job.add_files([(self.server.url('/a'), f'{directory}/{"y" * 100}{number}')
                           for number in range(first, first + chunk)])
        page = job.files()
        self.assertTrue(0 < len(page) < count)
        self.assertEqual(job.complete()[0], 'partial')
        self.assert_alive()
        row = job.tombstone(files=True)
        self.assertEqual((row['kept-count'], row['discarded-count']), (0, count))
        self.assertTrue(0 < len(row['discarded']) < count)
        self.assert_alive()


if __name__ == '__main__':
    tap.main()
