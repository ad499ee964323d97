# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""TAP: runs the test cases of one file and says the result of each in TAP, for meson test.

Every test has a deadline of its own. A skip must name what the kernel lacks ("kernel: …"): any
other skip is a failure, because a test that is silently left out proves nothing.

    test_download.py                runs everything
    test_download.py -k etag        only the tests whose name contains "etag"
    test_download.py --list
"""
import argparse
import faulthandler
import inspect
import os
import signal
import sys
import traceback
import unittest

# How many times as long as usual everything may take, for programs in a debugger of some kind.
PATIENCE = float(os.environ.get('TFD_PATIENCE', '1'))


class Deadline(Exception):
    """A test took longer than it may."""


class TestCase(unittest.TestCase):
    """A test case with a deadline (seconds, one test) and diagnostics for failures."""

    timeout = 300

    def diagnose(self):
        """Lines that help to understand a failure; overridden by those who know more."""
        return []

    def skip_kernel(self, feature):
        """Skips the test because the kernel does not have `feature`."""
        self.skipTest(f'kernel: {feature}')

    def run(self, result=None):
        seconds = int(self.timeout * PATIENCE)

        def expired(_number, _frame):
            raise Deadline(f'not done within {seconds} s')

        old = signal.signal(signal.SIGALRM, expired)
        signal.alarm(seconds)
        # Should Python itself hang in C code, say where, and end.
        faulthandler.dump_traceback_later(seconds + 60, exit=True, file=sys.stderr)
        try:
            return super().run(result)
        finally:
            signal.alarm(0)
            faulthandler.cancel_dump_traceback_later()
            signal.signal(signal.SIGALRM, old)


def name_of(test):
    """/complete/cancel/many-at-once for Cancel.test_many_at_once of test_complete.py; a class that
    is called like its file is left out."""
    if not isinstance(test, TestCase):
        return str(test)
    path = inspect.getfile(type(test))
    theme = os.path.basename(path).removeprefix('test_').removesuffix('.py')
    case = test._testMethodName.removeprefix('test_')
    group = type(test).__name__.lower()
    return '/'.join(['', theme, *([group] if group != theme else []), case]).replace('_', '-')


class Result(unittest.TestResult):
    """Prints each result as it comes."""

    def __init__(self):
        super().__init__()
        self.number = 0
        self.bad = 0
        self.failed = False
        self.skipped_reason = None

    def startTest(self, test):
        super().startTest(test)
        self.failed = False
        self.skipped_reason = None

    def comment(self, text):
        for line in text.rstrip().splitlines():
            print(f'# {line}')

    def fail(self, test, error):
        self.failed = True
        self.comment(''.join(traceback.format_exception(*error)))
        diagnose = getattr(test, 'diagnose', None)
        if diagnose:
            for line in diagnose():
                self.comment(line)

    def addError(self, test, err):
        self.fail(test, err)
        if not isinstance(test, TestCase):  # setUpClass or tearDownClass
            self.report(test)

    def addFailure(self, test, err):
        self.fail(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.comment(f'in {subtest}')
            self.fail(test, err)

    def addSkip(self, test, reason):
        self.skipped_reason = reason
        if not reason.startswith('kernel: '):
            self.failed = True
            self.comment(f'skipped without a reason of the kernel: {reason}')

    def addUnexpectedSuccess(self, test):
        self.failed = True

    def stopTest(self, test):
        super().stopTest(test)
        self.report(test)

    def report(self, test):
        self.number += 1
        self.bad += self.failed
        skip = f' # SKIP {self.skipped_reason}' if self.skipped_reason and not self.failed else ''
        print(f'{"not ok" if self.failed else "ok"} {self.number} {name_of(test)}{skip}',
              flush=True)


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def main():
    """Runs the tests of the calling file; ends the program."""
    parser = argparse.ArgumentParser(description=sys.modules['__main__'].__doc__)
    parser.add_argument('-k', dest='pattern', default='', help='only tests whose name contains this')
    parser.add_argument('--list', action='store_true', help='print the names')
    arguments = parser.parse_args()

    everything = unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])
    tests = [test for test in flatten(everything) if arguments.pattern in name_of(test)]
    if arguments.list:
        print('\n'.join(name_of(test) for test in tests))
        sys.exit(0)
    if not tests:
        sys.exit(f'no test is called like ‘{arguments.pattern}’')

    print(f'TAP version 13\n1..{len(tests)}', flush=True)
    result = Result()
    unittest.TestSuite(tests).run(result)
    sys.exit(1 if result.bad else 0)
