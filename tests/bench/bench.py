#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""How fast transferd is, against its peers and against what nobody can pass.

    ./dev bench [ROW…]          measures all rows, or those named, and prints a table
    ./dev bench --list          the rows
    ./dev bench --check [ROW…]  ends with 1 when a row is not what it is to be
    ./dev bench --write [ROW…]  writes docs/performance.md, its plots, and a file of the history; rows
                                that were not measured now stay what they were
    ./dev bench --profile       flame graphs of the three hottest paths: plots of docs/performance.md
    ./dev bench --growth        curves of the costs of 10 to 100,000 jobs and files, likewise
    ./dev bench --compare A B   two files of tests/bench/history

    --rounds N    rounds, the first not counted (default 7)
    --json FILE   all figures, also those of a run that was stopped (default bench.json in the build
                  directory)
    --smoke       each row once, with tiny sizes: does it work? The figures say nothing, so that they
                  are not to be written, and plots go into a directory “plots” beside the FILE of --json
    --verbose     each round
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib')]
import growth  # noqa: E402
import machine  # noqa: E402
import profiles  # noqa: E402
import report  # noqa: E402
from bout import InMachine, hold, judge, load, say, summary  # noqa: E402
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
    parser.add_argument('--json', metavar='FILE',
                        default=os.path.join(os.environ.get('TFD_BUILD_ROOT', '.'), 'bench.json'))
    parser.add_argument('--compare', nargs=2, metavar='FILE')
    options = parser.parse_args()
    if options.smoke and options.write:
        parser.error('the figures of --smoke say nothing: there is nothing to --write')
    return options


def chosen(names):
    known = {row.name: row for row in ROWS}
    for name in names:
        if name not in known:
            sys.exit(f'bench: there is no row {name}; --list shows them')
    return [row for row in ROWS if not names or row.name in names]


def place_for_files():
    """A directory on a disk: what is in memory is no file to sync. Those of runs that were killed go."""
    base = os.environ.get('TFD_BENCH_DIR') or os.environ['TFD_BUILD_ROOT']
    for name in os.listdir(base):
        found = re.fullmatch(r'bench-(\d+)-\w+', name)
        if found and not os.path.exists(f'/proc/{found[1]}'):
            shutil.rmtree(os.path.join(base, name), ignore_errors=True)
    return tempfile.mkdtemp(prefix=f'bench-{os.getpid()}-', dir=base)


def place_for_plots(options):
    """Those of the document are replaced by such as say something only."""
    directory = os.path.dirname(report.PLOT)
    if options.smoke:
        directory = os.path.join(os.path.dirname(os.path.abspath(options.json)), 'plots')
    os.makedirs(directory, exist_ok=True)
    return directory


def save(result, path):
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
            if issubclass(bout, InMachine) and not machine.is_root():
                for row in mine:
                    results[row.name] = {'skipped': 'it has many users, for which it takes root'}
                    say(report.line(row.name, results[row.name]))
                continue
            say(f'== {", ".join(row.name for row in mine)}: {" and ".join(names)}')
            begin, busy = time.monotonic(), load()
            try:
                samples = hold(bout, scene, names, options.rounds, say if options.verbose else None)
            except Exception as error:  # noqa: BLE001 (the other rows are to be measured all the same)
                if ended:  # what else went wrong is because of that
                    raise KeyboardInterrupt from error
                traceback.print_exc()
                say(f'bench: {error}')
                for row in mine:
                    results[row.name] = {'failed': str(error)}
                continue
            for row in mine:
                results[row.name] = {
                    'work': row.work, 'against': row.against, 'rounds': len(samples[row.us]),
                    'targets': judge(row, samples), 'contestants': summary(samples), 'bout': bout.__name__,
                    'load': max(busy, load()), 'seconds': time.monotonic() - begin}
                say(report.line(row.name, results[row.name]))
            yield
    finally:
        scene.close()
        shutil.rmtree(place, ignore_errors=True)


ended = []  # by a signal


def stopped(number, _frame):
    ended.append(number)
    for one in signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def measure_all(rows, options):
    """The results, of the rows that there was time for."""
    begin = time.monotonic()
    result = machine.describe() | {'rows': {}, 'seconds': 0}
    try:
        for _ in measure(rows, options, result['rows']):
            result['seconds'] = time.monotonic() - begin
            save(result, options.json)
    except KeyboardInterrupt:
        say('bench: stopped; what was measured until now:')
        result['stopped'] = True
    save(result, options.json)
    return result


def table(rows, options):
    result = measure_all(rows, options)
    print(report.table(result))
    if options.write:
        report.write(result)
    failed = [name for name, row in result['rows'].items() if 'failed' in row]
    missed = [name for name, row in result['rows'].items()
              if not all(target['met'] for target in row.get('targets', []))]
    if failed:
        say(f'bench: did not work: {", ".join(failed)}')
    if options.check and missed:
        say(f'bench: missed: {", ".join(missed)}')
    return 1 if failed or 'stopped' in result or options.check and missed else 0


def main():
    options = arguments()
    if options.list:
        for row in ROWS:
            print(f'{row.name:18} {row.work}; {row.against}')
        return 0
    if options.compare:
        print(report.compare(*options.compare))
        return 0

    rows = chosen(options.rows)
    machine.need_private_machine(__file__)
    for number in signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
        signal.signal(number, stopped)
    status = 0
    if options.write or options.rows or not (options.profile or options.growth):
        status = table(rows, options)
    for wanted, module in (options.profile, profiles), (options.growth, growth):
        if wanted:
            module.write(Scene(place_for_files(), options.smoke), place_for_plots(options))
    return status


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (subprocess.CalledProcessError, Failed) as error:
        sys.exit(f'bench: {error}')
    except KeyboardInterrupt:
        sys.exit('bench: stopped')
