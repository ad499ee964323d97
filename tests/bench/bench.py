#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""How fast transferd is, against its peers and against what nobody can pass.

    ./dev bench [ROW…]          measures all rows, or those named, and prints a table
    ./dev bench --list          the rows
    ./dev bench --check [ROW…]  ends with 1 when a row is not what it is to be
    ./dev bench --write         writes docs/performance.md, its plots, and a file of the history
    ./dev bench --profile       flame graphs of the three hottest paths, into the same place
    ./dev bench --growth        curves of the costs of 10 to 100,000 jobs and files, likewise
    ./dev bench --compare A B   two files of tests/bench/history

    --rounds N    rounds, the first not counted (default 7)
    --json FILE   all figures
    --smoke       each row once, with tiny sizes: does it work? The figures say nothing
    --verbose     each round
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib')]
import growth  # noqa: E402
import machine  # noqa: E402
import profiles  # noqa: E402
import report  # noqa: E402
from bout import ROUNDS, hold, judge, load, say, summary  # noqa: E402
from measure import Failed  # noqa: E402
from registry import ROWS  # noqa: E402
from scene import Scene  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog='./dev bench', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('rows', nargs='*', metavar='ROW')
    for name in 'list', 'check', 'write', 'profile', 'growth', 'smoke', 'verbose':
        parser.add_argument('--' + name, action='store_true')
    parser.add_argument('--rounds', type=int, default=0)
    parser.add_argument('--json', metavar='FILE')
    parser.add_argument('--compare', nargs=2, metavar='FILE')
    return parser.parse_args()


def chosen(names):
    known = {row.name: row for row in ROWS}
    for name in names:
        if name not in known:
            sys.exit(f'bench: there is no row {name}; --list shows them')
    return [row for row in ROWS if not names or row.name in names]


def place_for_files():
    """A directory on a disk: what is in memory is no file to sync."""
    base = os.environ.get('TFD_BENCH_DIR') or os.environ['TFD_BUILD_ROOT']
    return tempfile.mkdtemp(prefix='bench-', dir=base)


def save(result, path):
    if path:
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(result, file, indent=1)


def measure(rows, options, results):
    """Holds each bout once for all its rows; {row name: result} is added to `results`."""
    place = place_for_files()
    machine.make_certificate(place)
    scene = Scene(place, options.smoke)
    try:
        for bout in dict.fromkeys(row.bout for row in rows):
            mine = [row for row in rows if row.bout is bout]
            names = sorted({name for row in mine for name in (row.us, row.peer) if name})
            say(f'== {", ".join(row.name for row in mine)}: {" and ".join(names)}')
            begin, busy = time.monotonic(), load()
            try:
                samples = hold(bout, scene, names, options.rounds, say if options.verbose else None)
            except Failed as error:
                say(f'bench: {error}')
                for row in mine:
                    results[row.name] = {'failed': str(error)}
                continue
            for row in mine:
                results[row.name] = {
                    'work': row.work, 'against': row.against, 'rounds': len(samples[row.us]),
                    'targets': judge(row, samples), 'contestants': summary(samples),
                    'load': busy, 'seconds': time.monotonic() - begin}
                say(report.line(row.name, results[row.name]))
            yield
    finally:
        scene.close()
        shutil.rmtree(place, ignore_errors=True)


def main():
    options = arguments()
    if options.list:
        for row in ROWS:
            print(f'{row.name:18} {row.work}; {row.against}')
        return 0
    if options.compare:
        print(report.compare(*options.compare))
        return 0

    machine.need_private_machine(__file__)
    if options.profile:
        return profiles.write(Scene(place_for_files(), options.smoke))
    if options.growth:
        return growth.write(Scene(place_for_files(), options.smoke))

    rows = chosen(options.rows)
    begin = time.monotonic()
    result = machine.describe() | {'rows': {}, 'seconds': 0}
    for _ in measure(rows, options, result['rows']):
        result['seconds'] = time.monotonic() - begin
        save(result, options.json)
    print(report.table(result))
    save(result, options.json)
    if options.write:
        report.write(result)
    failed = [name for name, row in result['rows'].items() if 'failed' in row]
    missed = [name for name, row in result['rows'].items()
              if not all(target['met'] for target in row.get('targets', []))]
    if failed:
        say(f'bench: did not work: {", ".join(failed)}')
    return 1 if failed or options.check and missed else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (subprocess.CalledProcessError, Failed) as error:
        sys.exit(f'bench: {error}')
