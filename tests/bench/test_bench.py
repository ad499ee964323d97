#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Every row of the benchmark can be measured: once, with tiny sizes. How long it takes is not asked. And
what is only asked for is not built for, what says nothing is not written."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'lib')]
import report  # noqa: E402
import tap  # noqa: E402
from registry import ROWS  # noqa: E402
from world import World  # noqa: E402


def bench(*arguments):
    return subprocess.run([sys.executable, '-B', os.path.join(HERE, 'bench.py'), *arguments],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


class Program(tap.TestCase):
    timeout = 120

    def setUp(self):
        self.place = World()
        self.addCleanup(self.place.close)

    def test_who_only_asks_does_not_build(self):
        for name in 'meson', 'ninja':
            with open(self.place.path(name), 'w', encoding='ascii') as file:
                file.write('#!/bin/sh\necho "$0 is not to be called" >&2\nexit 1\n')
            os.chmod(self.place.path(name), 0o755)
        variables = os.environ | {'PATH': os.path.dirname(self.place.path('ninja')) + ':' + os.environ['PATH']}
        for option, wanted in ('--help', '--profile'), ('--list', 'bulk-plain'):
            done = subprocess.run([os.path.join(HERE, '..', '..', 'dev'), 'bench', option], env=variables,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(wanted, done.stdout)

    def test_figures_that_say_nothing_are_not_written(self):
        done = bench('--smoke', '--write', 'idle')
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn('nothing to --write', done.stderr)

    def test_plots_that_say_nothing_are_not_those_of_the_document(self):
        def plots():
            directory = os.path.dirname(report.PLOT)
            return {name: os.stat(os.path.join(directory, name)).st_mtime_ns for name in os.listdir(directory)}
        before = plots()
        done = bench('--smoke', '--growth', '--json', self.place.path('result.json'))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(os.listdir(self.place.path('plots'))), ['growth-files.svg', 'growth-jobs.svg'])
        self.assertEqual(plots(), before)


class Bench(tap.TestCase):
    timeout = 600
    results = {}
    machine = {}

    @classmethod
    def setUpClass(cls):
        place = World()
        try:
            path = place.path('result.json')
            done = bench('--smoke', '--json', path)
            if not os.path.exists(path):
                raise AssertionError(done.stderr[-2000:])
            with open(path, encoding='utf-8') as file:
                result = json.load(file)
            cls.results = result['rows']
            cls.machine = result['machine']
        finally:
            place.close()

    def test_the_network_is_what_it_is_said_to_be(self):
        self.assertEqual(self.machine['congestion control'], 'cubic')


def case(name):
    def test(self):
        row = self.results[name]
        if 'skipped' in row:
            self.assertNotEqual(os.geteuid(), 0, row['skipped'])
            return
        self.assertNotIn('failed', row, row.get('failed'))
        self.assertTrue(row['targets'])
        for target in row['targets']:
            self.assertGreaterEqual(target['median'], 0)
    return test


for one in ROWS:
    setattr(Bench, 'test_' + one.name.replace('-', '_'), case(one.name))


if __name__ == '__main__':
    tap.main()
