# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Flame graphs of the three hottest paths, by perf."""
import collections
import os
import re
import shutil
import signal
import subprocess

import machine
import svg
from bout import say
from measure import Failed
from scene import MIB, Service

def frame(line):
    """The name of a function. Those that a library keeps to itself have none in the packages of
    Debian: they go by the name of the library."""
    found = re.fullmatch(r'\s*[0-9a-f]+ (.*) \((.*?)\)', line)
    name, file = found.groups() if found else (line.strip(), '')
    name = re.sub(r'\+0x[0-9a-f]+$', '', name)
    if name != '[unknown]':
        return name
    library = re.match(r'(lib)?(.+?)(-?[0-9.]*)\.so', os.path.basename(file))
    return f'[{library[2]}]' if library else f'[{os.path.basename(file) or "?"}]'


def fold(data):
    """{stack: samples} of what perf has recorded."""
    done = subprocess.run(['perf', 'script', '-i', data, '-F', 'comm,tid,ip,sym,dso'],
                          capture_output=True, text=True, errors='replace', check=True)
    stacks, frames = collections.Counter(), []
    for line in [*done.stdout.splitlines(), '']:
        if not line.strip():
            # what a library does within itself is one box
            frames = [name for name, one in zip(frames, [*frames[1:], '']) if name != one or name[0] != '[']
            if frames:
                stacks[tuple(reversed(frames))] += 1
            frames = []
        elif line[0] in ' \t':
            frames.append(frame(line))
    return stacks


def record(scene, service, pid, path, title, work):
    data = os.path.join(scene.place, os.path.basename(path) + '.perf')
    perf = subprocess.Popen(['perf', 'record', '--quiet', '--freq', '999', '--call-graph', 'dwarf,8192',
                             '--output', data, '--pid', str(pid)], stderr=subprocess.PIPE)
    service.bench_client('list')  # some time for it to begin
    for _ in range(3):
        work()
    perf.send_signal(signal.SIGINT)
    said = perf.communicate()[1].decode(errors='replace')
    if not os.path.exists(data):
        raise Failed(f'perf: {said}')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(svg.flame(fold(data), title))
    say(path)


def write(scene, directory):
    def path(name):
        return os.path.join(directory, name + '.svg')

    machine.make_certificate(scene.place)
    service = Service()
    try:
        service.warm(scene)
        worker = service.workers()[0]
        big = scene.web.add('profile', scene.scale(512, 2) * MIB)
        record(scene, service, worker, path('bulk'), 'worker: one large file over HTTP',
               lambda: service.bench_client('jobs', scene.rows([big], scene.directory()),
                                            '--priority', 'foreground'))
        small = scene.web.add_many('profile-small', scene.scale(2000, 20), 10 << 10)
        record(scene, service, worker, path('small'), 'worker: 2,000 files of 10 KiB',
               lambda: service.bench_client('jobs', scene.rows(small, scene.directory()),
                                            '--priority', 'foreground'))

        def create():
            directory = scene.directory()
            service.bench_client('create', scene.file(
                f'http://127.0.0.1:9/{number}\t{directory}/{number}'
                for number in range(scene.scale(5000, 20))), '--clients', '16', '--depth', '8')
        record(scene, service, service.daemon_pid, path('create'), 'daemon: CreateJob by 16 clients', create)
    finally:
        service.end()
        scene.close()
        shutil.rmtree(scene.place, ignore_errors=True)
    return 0
