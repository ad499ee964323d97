# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Curves of what the service costs with more and more jobs and files."""
import os
import shutil

import state
import svg
from bout import say
from measure import Cpu, memory
from scene import Service

MOST_FILES = 20_000  # of a call


class Grown(state.Restarted):
    """One service, which is asked what it costs now. Costs are processor time of the daemon: what else
    the machine does matters less then."""

    def cost(self, *arguments):
        cpu = Cpu([self.service.daemon_pid])
        self.service.bench_client(*arguments)
        return cpu.used([self.service.daemon_pid]) * 1e3

    def figures(self):
        seconds = self.restart()
        listing = self.cost('list')
        return {'start (ms)': seconds * 1e3, 'ListJobs (ms of processor time)': listing,
                'memory (KiB)': memory(self.service.daemon_pid, 'RssAnon') / 1024}


def jobs(scene, sizes):
    """{figure: [(jobs, value)]}"""
    grown, curves, there = Grown(scene), {}, 0
    grown.service = Service()
    try:
        for size in sizes:
            create = grown.cost('create', state.names(scene, size - there), '--clients', '4',
                                '--depth', '32') * size / (size - there)
            there = size
            figures = grown.figures() | {'CreateJob (ms of processor time)': create}
            for name, value in figures.items():
                curves.setdefault(name, []).append((size, value))
    finally:
        grown.close()
    return curves


def files(scene, sizes):
    """The same for the files of jobs of 20,000 at most."""
    grown, curves, there = Grown(scene), {}, 0
    grown.service = Service()
    try:
        for size in sizes:
            cost = 0
            for first in range(there, size, MOST_FILES):
                cost += grown.cost('add-files', state.names(scene, min(MOST_FILES, size - first)))
            figures = grown.figures() | {'AddFiles (ms of processor time)': cost * size / (size - there)}
            there = size
            for name, value in figures.items():
                curves.setdefault(name, []).append((size, value))
    finally:
        grown.close()
    return curves


def write(scene, directory):
    sizes = scene.scale([10, 100, 1000, 10_000, 100_000], [10, 30])
    try:
        for name, function in ('jobs', jobs), ('files', files):
            curves = function(scene, sizes)
            path = os.path.join(directory, f'growth-{name}.svg')
            with open(path, 'w', encoding='utf-8') as file:
                file.write(svg.curves(curves, name, 'both axes are logarithmic'))
            say(path)
            for figure, points in curves.items():
                say(f'  {figure}: ' + ', '.join(f'{count:,}: {value:.3g}' for count, value in points))
    finally:
        scene.close()
        shutil.rmtree(scene.place, ignore_errors=True)
    return 0
