#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""What each call does to a real job in each of its states, and what is told of it."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import SECOND, wait_for  # noqa: E402
from httpd import Answer  # noqa: E402
from states import FINAL, RUNNING, STATES, StateCase, arrived  # noqa: E402
from world import temporaries  # noqa: E402

CALLS = ('resume', 'suspend', 'cancel', 'complete', 'add-file')

# The next state, "=" the same, the result of what ends the job, "!" and the error of what is refused.
# "transferred+" has a file that was added since.
METHODS = {
    'empty':           ('!Empty', '=', 'cancelled', 'completed', '='),
    'new':             ('queued', '=', 'cancelled', 'partial', '='),
    'suspended':       ('queued', '=', 'cancelled', 'partial', '='),
    'queued':          ('=', 'suspended', 'cancelled', 'partial', '='),
    'connecting':      ('=', 'suspended', 'cancelled', 'partial', '='),
    'transferring':    ('=', 'suspended', 'cancelled', 'partial', '='),
    'transient-error': ('queued', 'suspended', 'cancelled', 'partial', '='),
    'error':           ('queued', '=', 'cancelled', 'partial', '='),
    'transferred':     ('!Empty', '=', 'cancelled', 'completed', '='),
    'transferred+':    ('queued', '=', 'cancelled', 'partial', '='),
    'acknowledged':    ('!InvalidState',) * 5,
    'cancelled':       ('!InvalidState',) * 5,
}

ALWAYS, BEFORE_RESUME, BEFORE_ADD_FILE = range(3)
SETTERS = {
    'DisplayName': ('b', ALWAYS), 'Description': ('x', ALWAYS), 'Priority': ('high', ALWAYS),
    'MinimumRetryDelay': (700 * SECOND, ALWAYS), 'NoProgressTimeout': (86400 * SECOND, ALWAYS),
    'MaximumDownloadTime': (86400 * SECOND, ALWAYS), 'NotifyFiles': (True, ALWAYS),
    'NotifyInterval': (SECOND, ALWAYS), 'NotifyApplication': ('org.example.App', ALWAYS),
    'TransferPolicy': ('always', ALWAYS), 'RedirectPolicy': ('refuse', ALWAYS),
    'AllowDowngrade': (True, ALWAYS), 'DynamicContent': (True, BEFORE_RESUME),
    'MaximumSize': (1 << 30, BEFORE_RESUME), 'HighPerformance': (True, BEFORE_ADD_FILE),
}


def boot_time():
    """Microseconds of the clock by which jobs grow old."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


class Methods(StateCase):
    def check(self, state, call, expected):
        job = self.enter(state.removesuffix('+'))
        third = self.file('third', 1000, script=[Answer(hang=1)] if state == 'connecting' else [])[1]
        if state.endswith('+'):
            job.add(*third)
            third = self.file('fourth', 1000)[1]
            self.client.flush()
            self.client.signals.clear()
        if state not in FINAL:
            self.before = job.get('ModificationTime'), boot_time(), job.state
        calls = {'resume': job.resume, 'suspend': job.suspend, 'cancel': job.cancel,
                 'complete': job.complete, 'add-file': lambda: job.add(*third)}
        if expected.startswith('!'):
            self.check_refused(job, calls[call], expected[1:])
        elif call in ('cancel', 'complete'):
            self.check_ended(job, state, calls[call](), expected)
        else:
            calls[call]()
            self.check_stays(job, state, expected)

    def states_told(self, job):
        """The values of State in the order in which they were told."""
        return [one.args[1]['State'] for one in self.client.named('PropertiesChanged', job.path)
                if 'State' in one.args[1]]

    def check_refused(self, job, call, name):
        before = job.get_all()
        self.assert_error(name, call)
        self.assertEqual(job.get_all(), before)
        self.client.flush()
        self.assertEqual(self.client.signals, [])

    def check_ended(self, job, state, answer, result):
        final = 'cancelled' if result == 'cancelled' else 'acknowledged'
        kept = 0 if result == 'cancelled' else arrived(state.removesuffix('+'))
        self.assertEqual(answer[0], result)
        self.assertEqual(len(answer[1].get('kept', [])), kept)
        self.client.flush()
        self.assertEqual(self.states_told(job)[-1], final)
        removed, = self.client.named('JobRemoved')
        self.assertEqual(removed.args, (job.path, result))
        self.assertGreater(job.get('ModificationTime'), self.before[0])
        self.assertEqual(job.tombstone()['result'], result)
        names = sorted(name for name in os.listdir(self.world.downloads) if name[0] != '.')
        self.assertEqual(names, ['first', 'second'][:kept])
        self.assertEqual([name for name in temporaries(self.world.downloads) if job.id in name], [])
        self.assert_quiet('JobError', 'JobTransferred')

    def check_stays(self, job, state, expected):
        changed, used, was = self.before
        self.assertGreater(job.get('ModificationTime'), changed)
        self.client.flush()
        told = self.states_told(job)
        if expected == '=':
            self.assertEqual((told, job.state), ([], was))
        elif expected == 'suspended':
            self.assertEqual((told, job.state), (['suspended'], 'suspended'))
            self.assertEqual((job.error, job.get('NextRetryTime')), (None, 0))
            if state != 'connecting':
                self.assertGreaterEqual(job.get('FilesTransferred'), 1)
        else:
            self.assertEqual(told[0], 'queued')
            job.wait('queued', *RUNNING, 'transferred', 'transient-error', 'error')
        self.assert_quiet('JobRemoved')
        self.world.stop()
        self.assertGreaterEqual(self.stored(job, 'last_activity'), used)

    def assert_quiet(self, *names):
        for name in names:
            self.assertEqual(self.client.named(name), [], name)


class Setters(StateCase):
    def check(self, state):
        """Each property may be set, or says why not, and what may not be changes nothing."""
        job = self.enter(state)
        for name, (value, when) in SETTERS.items():
            refused = self.refusal(state, when)
            with self.subTest(name):
                before = job.get_all()
                if refused:
                    self.assert_error(refused, job.set, **{name: value})
                    self.assert_error(refused, job.set_one, name, value)
                    self.assertEqual(job.get(name), before[name])
                else:
                    self.check_set(job, name, value, before)

    @staticmethod
    def refusal(state, when):
        if state in FINAL:
            return 'InvalidState'
        if when == BEFORE_ADD_FILE and state != 'empty':
            return 'ReadOnlyAfterAddFile'
        if when == BEFORE_RESUME and state not in ('empty', 'new'):
            return 'ReadOnlyAfterResume'
        return None

    def check_set(self, job, name, value, before):
        self.client.signals.clear()
        job.set(**{name: value})
        self.assertEqual(job.get(name), value)
        self.assertEqual(job.state, before['State'])
        self.assertGreater(job.get('ModificationTime'), before['ModificationTime'])
        wait_for(lambda: any(one.args[1].get(name) == value
                             for one in self.client.named('PropertiesChanged', job.path)),
                 f'{name} to be told')


def add_tests():
    for state, cells in METHODS.items():
        for call, expected in zip(CALLS, cells):
            setattr(Methods, f'test_{state}/{call}',
                    lambda self, cell=(state, call, expected): self.check(*cell))
    for state in STATES:
        setattr(Setters, f'test_{state}', lambda self, state=state: self.check(state))


add_tests()

if __name__ == '__main__':
    tap.main()
