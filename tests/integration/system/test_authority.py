#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The real polkit decides: who may create jobs, exceed limits, use the foreground; and what is left
when it is away, hangs or dies."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib'))
import tap  # noqa: E402
from bus import MANAGER, MANAGER_PATH, Gio, GLib, Job, creation_options, dictionary, wait_for  # noqa: E402
from polkit import THROWS, Polkit, StandIn, rule  # noqa: E402
from world import SystemCase  # noqa: E402

YES, NO, PASSWORD = (f'return polkit.Result.{name};' for name in ('YES', 'NO', 'AUTH_ADMIN'))
SOURCE = os.environ.get('TFD_SOURCE_ROOT', os.path.join(os.path.dirname(__file__), '..', '..', '..'))


def example(name):
    with open(os.path.join(SOURCE, 'policy', 'examples', name), encoding='utf-8') as file:
        return file.read()


def granted(condition, action='exceed-limit'):
    """A rule that says yes when the condition, of JavaScript, holds; n () reads a number."""
    return ('function n(action, key) { return parseInt(action.lookup(key), 10); }\n'
            + rule(action, f'if ({condition}) return polkit.Result.YES;'))


class PolkitCase(SystemCase):
    config = {}

    def setUp(self):
        super().setUp()
        for user in 'carol', 'guest':
            if subprocess.run(['id', user], capture_output=True, check=False).returncode != 0:
                subprocess.run(['useradd', '--no-create-home', user], check=True)
        self.polkit = Polkit()
        self.addCleanup(self.polkit.end)

    def join(self, user, *groups):
        """The user is in these groups, until the end of the test."""
        for group in groups:
            subprocess.run(['groupadd', '--force', group], check=True)
        subprocess.run(['usermod', '--groups', ','.join(groups), user], check=True)
        self.addCleanup(subprocess.run, ['usermod', '--groups', '', user], check=True)

    def refused(self, name, client=None, **options):
        return self.assert_error(name, (client or self.client).create, **options)

    def rows(self, count, first=0, user='alice'):
        return [(self.server.url(f'/{i}'), self.place(str(i), user))
                for i in range(first, first + count)]

    def stop_polkit(self):
        """From now on it answers nobody; who is asked about it knows nothing of that."""
        pid = self.polkit.ask_bus('GetConnectionUnixProcessID',
                                  GLib.Variant('(s)', ('org.freedesktop.PolicyKit1',)))[0]
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(self.go_on, pid)
        return pid

    @staticmethod
    def go_on(pid):
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


class CreateJob(PolkitCase):
    config = {'AuthorizationTimeout': '1s'}

    def test_remembered(self):
        """The connection is asked about once for each type of job."""
        self.client.create()
        self.stop_polkit()
        for _ in range(3):
            self.client.create()
        self.assertIn('polkit does not answer', self.refused('AccessDenied', job_type='upload'))
        self.assertIn('create-job', self.refused('AccessDenied', self.world.client('alice')))
        self.client.create()

    def test_forgotten_when_the_rules_change(self):
        self.client.create()
        self.polkit.rules(rule('create-job', 'if (subject.user == "alice") ' + NO))
        self.assertIn('not permitted', self.refused('AccessDenied'))
        self.world.client('bob').create()
        self.polkit.rules('')
        self.client.create()

    def test_refused_by_type(self):
        self.polkit.rules(rule('create-job', 'if (action.lookup("job-type") != "download") ' + NO))
        self.client.create()
        for job_type in 'upload', 'upload-reply':
            self.refused('AccessDenied', job_type=job_type)
        self.assertEqual(len(self.client.list_jobs()), 1)

    def test_nobody_is_asked_about_root(self):
        self.polkit.rules(rule('create-job', NO) + rule('exceed-limit', NO))
        self.world.client().create(Priority='foreground')

    def test_rule_that_throws(self):
        self.polkit.rules(rule('create-job', THROWS))
        self.assertIn('not permitted', self.refused('AccessDenied'))

    def test_killed_and_started_again(self):
        """The bus starts it for the next question; what was remembered is asked anew."""
        self.client.create()
        self.polkit.kill()
        self.client.create()
        self.assertTrue(self.polkit.runs())


class Order(PolkitCase):
    config = {'AuthorizationTimeout': '10min'}

    def test_calls_keep_their_order(self):
        bob = self.world.client('bob')
        self.client.manager_property('Version')
        bob.manager_property('Version')
        pid = self.stop_polkit()
        calls = [self.client.send_create(name='first'), self.client.send_create(name='second'),
                 self.client.send(MANAGER_PATH, MANAGER, 'ListJobs', GLib.Variant('(a{sv})', ({},)))]
        # bob's calls, sent later, have their turn
        for _ in range(3):
            bob.list_jobs()
        self.assertEqual([call.done for call in calls], [False, False, False])
        os.kill(pid, signal.SIGCONT)
        first, second, jobs = (call.result()[0] for call in calls)
        self.assertEqual([path for path, _ in jobs], [first, second])
        self.assertEqual([call.number for call in calls], [1, 2, 3])

    def test_killed_while_it_is_asked(self):
        bob = self.world.client('bob')
        self.client.manager_property('Version')
        self.stop_polkit()
        call = self.client.send_create()
        bob.list_jobs()
        self.assertFalse(call.done)
        self.polkit.kill()
        message = self.assert_error('AccessDenied', call.result)
        self.assertIn('ended while it was asked', message)
        self.client.create()


class Away(PolkitCase):
    config = {'AuthorizationTimeout': '1s'}

    def serves(self, job, file):
        """What needs nobody's permission works."""
        job.set(DisplayName='x', Priority='high')
        job.resume()
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(self.place('a'), file)
        other = self.world.client().create()
        other.cancel()
        self.client.list_jobs()
        self.client.manager('SuspendAll', '(a{sv})', {})

    def test_does_not_run(self):
        file, row, _ = self.row('a')
        job = self.client.create([row])
        self.polkit.take_away()
        self.assertIn('polkit does not run', self.refused('AccessDenied'))
        self.assertIn('polkit does not run',
                      self.assert_error('AccessDenied', job.set, Priority='foreground'))
        self.assertIn('polkit does not run', self.assert_error('AccessDenied', self.client.manager, 'Reload'))
        self.serves(job, file)

    def test_hangs(self):
        """A rule of the wrong type makes it hang for good."""
        file, row, _ = self.row('a')
        job = self.client.create([row])
        self.polkit.spoil('use-foreground')
        self.assertIn('does not answer', self.assert_error('AccessDenied', job.set, Priority='foreground'))
        self.assertIn('does not answer', self.refused('AccessDenied'))
        # many questions that nobody answers: each in its time, and others in theirs
        waiting = [self.world.client('alice').send_create() for _ in range(100)]
        self.serves(job, file)
        for call in waiting:
            self.assertIn('does not answer', self.assert_error('AccessDenied', call.result))
        self.polkit.end()
        self.polkit = Polkit()
        self.addCleanup(self.polkit.end)
        self.client.create()

    def test_limit_tells_why_nobody_may_exceed_it(self):
        self.world.stop()
        self.world.write_config(self.config | {'MaxJobsPerUser': 1})
        self.world.start()
        self.client.create()
        self.stop_polkit()
        message = self.refused('TooManyJobsPerUser')
        self.assertIn('MaxJobsPerUser allows 1', message)
        self.assertIn('polkit does not answer', message)


class Limits(PolkitCase):
    config = {'MaxJobsPerUser': 2, 'MaxJobsPerMachine': 5, 'MaxFilesPerJob': 2,
              'MaxRangesPerFile': 2, 'AuthorizationTimeout': '10min'}

    def create(self, count, client=None):
        return [(client or self.client).create() for _ in range(count)]

    def test_nobody_exceeds_them(self):
        self.create(2)
        self.assertIn('you have 2 jobs, MaxJobsPerUser allows 2', self.refused('TooManyJobsPerUser'))
        self.create(2, self.world.client('bob'))
        carol = self.world.client('carol')
        carol.create()
        # the limit of the user is told before that of the machine
        self.refused('TooManyJobsPerUser')
        self.assertIn('there are 5 jobs, MaxJobsPerMachine allows 5',
                      self.refused('TooManyJobsPerMachine', carol))
        self.create(3, self.world.client())
        self.assertEqual(len(self.client.list_jobs()), 2)

    def test_places_are_free_at_once(self):
        jobs = self.create(2)
        jobs[0].cancel()
        jobs[0] = self.client.create()
        jobs[1].complete()
        self.client.create()
        self.refused('TooManyJobsPerUser')

    def test_whatever_its_state(self):
        """Jobs in error, transferred or suspended count."""
        _, row, _ = self.row('a')
        self.client.create([row], start=True).wait('transferred')
        broken = self.client.create([(self.server.url('/none'), self.place('b'))], start=True)
        broken.wait('error')
        self.refused('TooManyJobsPerUser')

    def test_numbers(self):
        """The rule sees what there is."""
        self.polkit.rules(granted(
            'action.lookup("limit") == "MaxJobsPerUser" && action.lookup("base") == "2" && '
            'action.lookup("user-count") == "3" && action.lookup("machine-count") == "4" && '
            'action.lookup("job-type") == "upload"') + granted(
                'n(action, "user-count") == 2 && n(action, "machine-count") == 3'))
        self.world.client('bob').create()
        self.world.client().create()
        self.create(3)
        self.refused('TooManyJobsPerUser')
        self.client.create(job_type='upload')
        self.refused('TooManyJobsPerUser', job_type='upload')

    def test_fifty_calls_cannot_have_one_place(self):
        self.polkit.rules(granted('action.lookup("limit") == "MaxJobsPerUser" && '
                                  'n(action, "user-count") < 4'))
        clients = [self.world.client('alice') for _ in range(10)]
        calls = [client.send_create() for _ in range(5) for client in clients]
        results = []
        for call in calls:
            wait_for(lambda call=call: call.done, 'the answer')
            results.append(call.error.short if call.error else 'done')
        self.assertEqual(sorted(results), ['TooManyJobsPerUser'] * 46 + ['done'] * 4)
        self.assertEqual(len(self.client.list_jobs()), 4)

    def test_who_may_exceed_takes_nothing_from_the_others(self):
        """… if the limit of the machine does not hold for them, either; over a restart, too."""
        self.polkit.rules(granted('subject.user == "alice"'))
        jobs = self.create(10)
        bob, carol = self.world.client('bob'), self.world.client('carol')
        self.create(2, bob)
        carol.create()  # 2 of alice, 2 of bob, 1 of carol
        self.refused('TooManyJobsPerMachine', carol)
        self.world.restart()
        carol, self.client = self.world.client('carol'), self.world.client('alice')
        self.refused('TooManyJobsPerMachine', carol)
        jobs[9].seen_by(self.client).cancel()
        self.refused('TooManyJobsPerMachine', carol)
        jobs[0].seen_by(self.client).cancel()
        carol.create()
        self.refused('TooManyJobsPerUser', carol)

    def test_who_may_have_more_jobs_takes_places(self):
        self.polkit.rules(granted('action.lookup("limit") == "MaxJobsPerUser"'))
        self.create(5)
        self.refused('TooManyJobsPerMachine')
        self.refused('TooManyJobsPerMachine', self.world.client('bob'))

    def test_machine(self):
        self.polkit.rules(granted('action.lookup("limit") == "MaxJobsPerMachine" && '
                                  'action.lookup("base") == "5" && n(action, "machine-count") < 6'))
        for user in 'alice', 'bob':
            self.create(2, self.world.client(user))
        carol, guest = self.world.client('carol'), self.world.client('guest')
        carol.create()
        carol.create()
        self.refused('TooManyJobsPerMachine', guest)

    def test_files(self):
        """Too many files: none of them is added."""
        self.refused('TooManyFilesInJob', files=self.rows(3))
        job = self.client.create(self.rows(1))
        message = self.assert_error('TooManyFilesInJob', job.add_files, self.rows(2, 1))
        self.assertIn('would have 3 files, MaxFilesPerJob allows 2', message)
        self.assertEqual(job.get('FilesTotal'), 1)
        self.polkit.rules(granted('action.lookup("limit") == "MaxFilesPerJob" && '
                                  'action.lookup("base") == "2" && n(action, "count") <= 4'))
        job.add_files(self.rows(2, 1))
        other = self.world.client('alice')
        calls = [client.send(job.path, 'org.transferd.Transfer1.Job', 'AddFile',
                             GLib.Variant('(ssa{sv})', (*row, {})))
                 for row, client in zip(self.rows(10, 3), [self.client, other] * 5)]
        wait_for(lambda: all(call.done for call in calls), 'the answers')
        self.assertEqual(sorted(call.error.short if call.error else 'done' for call in calls),
                         ['TooManyFilesInJob'] * 9 + ['done'])
        self.assertEqual(job.get('FilesTotal'), 4)
        self.refused('TooManyFilesInJob', files=self.rows(5, 20))

    def test_ranges(self):
        """Of each file by itself; whoever may have more is told only then that there are none yet."""
        def add(count, client=None):
            other = (job if client is None else client.create())
            other.add_files([(*row, {'ranges': [(i, 1) for i in range(length)]})
                             for row, length in zip(self.rows(2), (1, count))])

        job = self.client.create()
        self.assert_error('NotSupported', add, 2)
        message = self.assert_error('TooManyRangesInFile', add, 3)
        self.assertIn('has 3 ranges, MaxRangesPerFile allows 2', message)
        self.polkit.rules(granted('action.lookup("limit") == "MaxRangesPerFile" && '
                                  'action.lookup("base") == "2" && n(action, "count") <= 4 && '
                                  'action.lookup("job-type") == "download"'))
        self.assert_error('NotSupported', add, 4)
        self.assert_error('TooManyRangesInFile', add, 5)
        self.assert_error('NotSupported', add, 5, self.world.client())
        self.assert_error('TooManyRangesInFile', add, 100001, self.world.client())
        self.assertEqual(job.get('FilesTotal'), 0)

    def test_files_of_root(self):
        self.world.client().create([(self.server.url('/a'), self.world.target(str(i)))
                                    for i in range(3)])

    def test_nothing_is_asked_below_the_limit(self):
        self.client.create()
        self.stop_polkit()
        job = self.client.create(self.rows(1))
        job.add(*self.rows(1, 1)[0])


class Properties(PolkitCase):
    def check(self, name, value, action):
        job = self.client.create()
        self.client.create(**{name: value}).cancel()
        self.polkit.rules(rule(action, 'if (action.lookup("job-type") == "download") ' + NO))
        self.assertIn(action, self.refused('AccessDenied', **{name: value}))
        self.assert_error('AccessDenied', job.set, **{name: value, 'DisplayName': 'other'})
        self.assert_error('AccessDenied', job.set_one, name, value)
        self.assertEqual(job.get('DisplayName'), 'test')
        self.assertNotEqual(job.get(name), value)
        self.assertEqual(len(self.client.list_jobs()), 1)
        self.client.create(job_type='upload', **{name: value})
        job.set(Priority='high', TransferPolicy='unrestricted')
        self.polkit.rules('')
        job.set_one(name, value)
        self.assertEqual(job.get(name), value)
        self.polkit.rules(rule(action, NO))
        job.set_one(name, value)

    def test_foreground(self):
        self.check('Priority', 'foreground', 'use-foreground')

    def test_cost(self):
        self.check('TransferPolicy', 'always', 'ignore-cost')


class Passwords(PolkitCase):
    config = {'MaxJobsPerUser': 1, 'MaxJobsPerMachine': 10}

    def setUp(self):
        super().setUp()
        self.patient = self.interactive('alice')

    def interactive(self, user):
        client = self.world.client(user)
        client.call_flags |= Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION
        return client

    def refused(self, name, client=None, **options):
        """The same as elsewhere, while the stand-in, which is in this process, can answer."""
        return self.assert_error(name, (client or self.client).send_create(**options).result)

    def stand_in(self, **answers):
        stand_in = StandIn(self.polkit, **answers)
        self.addCleanup(stand_in.end)
        return stand_in

    def test_without_anybody_to_ask(self):
        self.polkit.rules(rule('create-job', PASSWORD))
        self.refused('InteractiveAuthorizationRequired')
        self.refused('InteractiveAuthorizationRequired', self.patient)

    def test_asked(self):
        """A call that waits for a password leaves the order; the next one is asked about anew."""
        polkit = self.stand_in(create_job='password')
        self.refused('InteractiveAuthorizationRequired')
        self.assertEqual(polkit.dialogs, {})
        first = self.patient.send_create(name='first')
        dialog = polkit.dialog()
        self.assertEqual(self.patient.list_jobs(), [])
        self.assertFalse(first.done)
        polkit.finish(dialog, True)
        first.result()
        second = self.patient.send_create(name='second')
        polkit.finish(polkit.dialog(), False)
        self.assert_error('AccessDenied', second.result)
        self.assertEqual(len(self.patient.list_jobs()), 1)

    def test_calls_that_need_none_keep_their_order(self):
        """… though they allow to ask for one."""
        self.stand_in(exceed_limit='no')
        calls = [self.patient.send_create(), self.patient.send_create(),
                 self.patient.send(MANAGER_PATH, MANAGER, 'ListJobs', GLib.Variant('(a{sv})', ({},)))]
        self.assertEqual(len(calls[2].result()[0]), 1)
        self.assert_error('TooManyJobsPerUser', calls[1].result)
        self.assertEqual([call.number for call in calls], [1, 2, 3])

    def test_reload(self):
        polkit = self.stand_in(reload='password')
        call = self.client.send(MANAGER_PATH, MANAGER, 'Reload')
        self.assert_error('InteractiveAuthorizationRequired', call.result)
        call = self.patient.send(MANAGER_PATH, MANAGER, 'Reload')
        polkit.finish(polkit.dialog(), True)
        call.result()

    def test_property(self):
        """What was set meanwhile by others stays, and the call is decided by what there is then."""
        polkit = self.stand_in(use_foreground='password')
        job = Job(self.patient, self.patient.send_create().result()[0])
        call = job.send('SetProperties', '(a{sv})', dictionary({'Priority': 'foreground'}))
        dialog = polkit.dialog()
        job.cancel()
        polkit.finish(dialog, True)
        self.assert_error('InvalidState', call.result)

    def test_a_place_is_given_back(self):
        """… by who goes away while somebody is asked."""
        polkit = self.stand_in(exceed_limit='password')
        self.client.send_create().result()
        self.patient.send_create()
        polkit.dialog()
        # the place is taken, though nothing is there
        self.refused('InteractiveAuthorizationRequired')
        self.assertEqual(polkit.questions[-1][1]['user-count'], '2')
        self.patient.close()
        wait_for(lambda: not polkit.dialogs, 'the question to go away')
        self.assertIn('you have 1 jobs', self.refused('InteractiveAuthorizationRequired'))
        self.assertEqual(polkit.questions[-1], ('exceed-limit', {
            'limit': 'MaxJobsPerUser', 'base': '1', 'user-count': '1', 'machine-count': '1',
            'job-type': 'download'}))

    def test_nobody_types_a_password_for_what_is_not_needed(self):
        """There is room on the machine: it is only asked whether the job takes of it."""
        polkit = self.stand_in(exceed_limit='password')
        self.patient.send_create().result()
        call = self.patient.send_create()
        polkit.finish(polkit.dialog(), True)
        call.result()
        self.assertEqual([details.get('limit') for action, details in polkit.questions
                          if action == 'exceed-limit'],
                         ['MaxJobsPerUser', 'MaxJobsPerUser', 'MaxJobsPerMachine'])

    def test_not_too_many_at_a_time(self):
        polkit = self.stand_in(create_job='password')
        calls = [self.patient.send_create() for _ in range(5)]
        self.assert_error('LimitsExceeded', calls[4].result)
        wait_for(lambda: len(polkit.dialogs) == 4, 'the questions')
        # another user is asked
        self.interactive('bob').send_create()
        wait_for(lambda: len(polkit.dialogs) == 5, 'the question')
        self.patient.close()
        wait_for(lambda: len(polkit.dialogs) == 1, 'the questions to go away')


class Examples(PolkitCase):
    """The rules in policy/examples do what they say."""

    config = {'MaxJobsPerUser': 5, 'MaxJobsPerMachine': 80, 'MaxFilesPerJob': 2}
    timeout = 600

    def fill(self, user):
        """Creates jobs until that is refused; how many, and why."""
        client = self.world.client(user)
        count = 0
        while True:
            calls = [client.send(MANAGER_PATH, MANAGER, 'CreateJob', GLib.Variant(
                '(ssa{sv})', ('x', 'download', creation_options((), {})))) for _ in range(60)]
            for call in calls:
                wait_for(lambda call=call: call.done, 'the answer')
            count += sum(call.error is None for call in calls)
            if calls[-1].error:
                return count, calls[-1].error.short

    def test_limits(self):
        self.join('bob', 'media')
        self.join('guest', 'guests')
        self.polkit.rules(example('transferd-limits.rules'))
        self.assertEqual(self.fill('bob'), (500, 'TooManyJobsPerUser'))
        self.assertEqual(self.fill('guest'), (5, 'TooManyJobsPerUser'))
        self.assertEqual(self.fill('alice'), (60, 'TooManyJobsPerUser'))
        # five of those of bob, five of guest, and sixty of alice count: ten are left
        self.assertEqual(self.fill('carol'), (10, 'TooManyJobsPerMachine'))

    def test_media(self):
        self.join('bob', 'media')
        self.polkit.rules(example('transferd-media.rules'))
        self.assertEqual(self.fill('alice'), (5, 'TooManyJobsPerUser'))
        self.assertEqual(self.fill('bob'), (10, 'TooManyJobsPerUser'))
        self.refused('TooManyJobsPerUser', files=self.rows(3))
        self.refused('TooManyJobsPerUser', self.world.client('bob'))
        bob = self.world.client('bob')
        bob.manager('CancelJobs', '(aoa{sv})', [bob.list_jobs()[0][0]], {})
        bob.create(self.rows(50, user='bob'))

    def test_kiosk(self):
        self.join('alice', 'kiosk')
        self.polkit.rules(example('transferd-kiosk.rules'))
        bob = self.world.client('bob')
        job = self.client.create()
        for job_type in 'upload', 'upload-reply':
            self.refused('AccessDenied', job_type=job_type)
            bob.create(job_type=job_type)
        self.refused('AccessDenied', Priority='foreground')
        self.assert_error('AccessDenied', job.set, TransferPolicy='always')
        bob.create(Priority='foreground', TransferPolicy='always')

    def test_operators(self):
        self.join('bob', 'operators')
        self.polkit.rules(example('transferd-operators.rules'))
        job = self.client.create()
        bob, carol = self.world.client('bob'), self.world.client('carol')
        bob.manager('Reload')
        self.assertEqual(job.seen_by(bob).state, 'suspended')
        job.seen_by(bob).cancel()
        self.assert_error('InteractiveAuthorizationRequired', carol.manager, 'Reload')


if __name__ == '__main__':
    tap.main()
