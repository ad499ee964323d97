# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Bouts and rows. A bout is work that several contestants do in turn, in an order that is new in each
round; a row of the table compares one contestant with another, or with a number."""
import dataclasses
import json
import os
import random
import subprocess
import sys
import time

import machine
from measure import Failed, median

ROUNDS = 7
EXTRA_EVERY = 3  # rounds in which those run, too, whom no row compares
NOISY = 2  # times the lowest is the highest


@dataclasses.dataclass
class Target:
    """What a row is to reach: `metric` of us, divided by that of the peer if there is one."""

    metric: str
    goal: float
    at_least: bool = False
    unit: str = ''
    alone: bool = False  # not divided by anything

    def met(self, value):
        return value >= self.goal if self.at_least else value <= self.goal


@dataclasses.dataclass
class Row:
    """A line of the table."""

    name: str
    work: str
    against: str
    bout: type
    us: str
    peer: str = ''
    targets: tuple = ()


class Bout:
    """Work. A contestant is a method that does it once and returns {metric: number}."""

    rounds = ROUNDS
    fills_memory = False  # by GiBs
    extras = ()  # contestants for whoever wants to know

    def __init__(self, scene):
        self.scene = scene

    def open(self, names):
        """Prepares for the contestants of these names."""

    def close(self):
        """Ends what open () began."""

    def run(self, name):
        return getattr(self, name.replace('-', '_'))()


class InMachine(Bout):
    """A bout of crowd.py, which is held in a machine of its own."""

    inner = ''

    def open(self, names):
        here = os.path.dirname(os.path.abspath(__file__))
        self.process = subprocess.Popen(
            ['setpriv', '--pdeathsig', 'TERM', '--', 'bash', os.path.join(here, '..', 'lib', 'machine.sh'),
             sys.executable, '-B', os.path.join(here, 'inside.py'), self.inner,
             'smoke' if self.scene.smoke else 'whole', *names],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {'TFD_MACHINE_DISK': self.scene.directory()})
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f'the machine has ended with {self.process.wait()}')
        said = json.loads(line)
        if 'failed' in said:
            raise Failed(said['failed'])
        return said

    def run(self, name):
        self.process.stdin.write(name + '\n')
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Crowd(InMachine):
    inner = 'Crowd'
    fills_memory = True
    extras = ('bare',)


class Flood(InMachine):
    inner = 'Flood'


def hold(bout_class, scene, names, rounds=None, log=None):
    """Holds a bout: {contestant: [sample of each round]}. The first round does not count."""
    bout = bout_class(scene)
    rounds = rounds or bout.rounds
    names = [*names, *bout.extras]
    samples = {name: [] for name in names}
    if bout.fills_memory and not scene.smoke:
        machine.keep_memory()
    try:
        bout.open(names)
        for number in range(1 if scene.smoke else rounds + 1):
            extras = scene.smoke or number % EXTRA_EVERY == 1
            order = [name for name in names if extras or name not in bout.extras]
            for name in random.sample(order, len(order)):
                begin = time.monotonic()
                sample = bout.run(name)
                if log:
                    figures = ', '.join(f'{key} {value:.4g}' for key, value in sample.items()
                                        if isinstance(value, (int, float)))
                    log(f'  {number} {name}: {figures} ({time.monotonic() - begin:.1f} s)')
                if number > 0 or scene.smoke:
                    samples[name].append(sample)
    finally:
        bout.close()
    return samples


def spread(values):
    return {'median': median(values), 'min': min(values), 'max': max(values)}


def is_noisy(value):
    """Whether the figures of the rounds differ so much that the median says little."""
    return value['max'] > NOISY * value['min'] and value['min'] > 0


def judge(row, samples):
    """The figures of a row: for each target the ratio of each round, and whether it is met."""
    results = []
    for target in row.targets:
        us = [sample[target.metric] for sample in samples[row.us]]
        figures = us
        if row.peer and not target.alone:
            peer = [sample[target.metric] for sample in samples[row.peer]]
            figures = [one / other for one, other in zip(us, peer)]
        value = spread(figures)
        results.append({'metric': target.metric, 'goal': target.goal, 'at_least': target.at_least,
                        'unit': target.unit, 'ratio': bool(row.peer) and not target.alone,
                        'met': target.met(value['median']), 'noisy': is_noisy(value), **value})
    return results


def summary(samples):
    """{contestant: {metric: spread}}: of what is a number."""
    return {name: {key: spread([one[key] for one in many]) for key, value in many[0].items()
                   if isinstance(value, (int, float))}
            for name, many in samples.items() if many}


def say(text):
    print(text, file=sys.stderr, flush=True)


def load():
    return os.getloadavg()[0]
