#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Every row of the benchmark can be measured: once, with tiny sizes. How long it takes is not asked."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'lib')]
import tap  # noqa: E402
from registry import ROWS  # noqa: E402
from world import World  # noqa: E402


class Bench(tap.TestCase):
    timeout = 600
    results = {}

    @classmethod
    def setUpClass(cls):
        place = World()
        try:
            path = place.path('result.json')
            done = subprocess.run(
                [sys.executable, '-B', os.path.join(HERE, 'bench.py'), '--smoke', '--json', path],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            if not os.path.exists(path):
                raise AssertionError(done.stderr[-2000:])
            with open(path, encoding='utf-8') as file:
                cls.results = json.load(file)['rows']
        finally:
            place.close()


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
