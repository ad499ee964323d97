# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Processes: looked at through /proc, killed by their own number, traced by strace."""
import os
import signal
import subprocess
import time

from bus import wait_for


def process_start(pid):
    """A value that is different for another process with the same number; None when it is gone."""
    try:
        with open(f'/proc/{pid}/stat', encoding='latin-1') as file:
            fields = file.read().rpartition(')')[2].split()
    except OSError:
        return None
    return None if fields[0] in 'ZX' else fields[19]


def children(parent):
    """The numbers of the living children of a process."""
    found = []
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                with open(f'/proc/{entry}/stat', encoding='latin-1') as file:
                    fields = file.read().rpartition(')')[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent and fields[0] not in 'ZX':
                found.append(int(entry))
    return found


def executable(pid):
    try:
        try:
            name = os.path.basename(os.readlink(f'/proc/{pid}/exe'))
        except PermissionError:  # they hide their memory, and with it this, from all but root
            name = 'memcheck'
        if not name.startswith('memcheck'):
            return name
        with open(f'/proc/{pid}/cmdline', encoding='utf-8', errors='replace') as file:
            words = [os.path.basename(word) for word in file.read().split('\0')]
        return next((word for word in words if word in ('transferd', 'transferd-worker')), '')
    except OSError:
        return ''


def workers_of(daemon):
    """The numbers of its workers, without those that only look at a caller and end."""
    def works(pid):
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as file:
                return b'--look-at' not in file.read()
        except OSError:
            return False
    return [pid for pid in children(daemon) if executable(pid) == 'transferd-worker' and works(pid)]


def open_files(pid):
    """What the descriptors of a process are open on."""
    found = []
    for number in os.listdir(f'/proc/{pid}/fd'):
        try:
            found.append(os.readlink(f'/proc/{pid}/fd/{number}'))
        except FileNotFoundError:
            pass  # closed since
    return found


def count_descriptors(pid):
    """How many a process has; for others than root as far as it tells, as it hides which."""
    try:
        return len(os.listdir(f'/proc/{pid}/fd'))
    except PermissionError:
        return int(status_field(pid, 'FDSize')[0])


def status_field(pid, field):
    """A line of /proc/PID/status as a list of words."""
    with open(f'/proc/{pid}/status', encoding='latin-1') as file:
        for line in file:
            if line.startswith(field + ':'):
                return line.split()[1:]
    return []


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Tracer:
    """strace on a living process: kills it at the n-th call of a kind, or counts the calls."""

    def __init__(self, world, pid, calls, inject=None):
        self.file = world.path(f'strace-{pid}-{time.monotonic_ns()}')
        trace = calls if isinstance(calls, str) else ','.join(calls)
        command = ['strace', '-f', '-qq', '-o', self.file, '-e', f'trace={trace}', '-e', 'signal=none']
        if inject:
            command += ['-e', f'inject={trace}:{inject}']
        self.process = world.spawn([*command, '-p', str(pid)], stderr=subprocess.PIPE)
        self.attached(pid)

    def attached(self, pid):
        """Waits until every thread of the process is traced, or what was asked for has killed it."""
        start = process_start(pid)

        def all_traced():
            ended = self.process.poll() is not None
            if process_start(pid) != start:
                return True
            if ended:
                raise AssertionError(f'strace: {self.process.stderr.read().decode()}')
            try:
                tracers = [status_field(f'{pid}/task/{one}', 'TracerPid')
                           for one in os.listdir(f'/proc/{pid}/task')]
            except OSError:  # a thread, or all of them, just ended
                return False
            return all(tracer and tracer != ['0'] for tracer in tracers)
        wait_for(all_traced, 'strace to attach')

    def calls(self):
        """The calls seen so far."""
        with open(self.file, encoding='latin-1') as file:
            return [line.split(None, 1)[1].strip() for line in file if '(' in line]

    def detach(self):
        """Lets the process go on by itself."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(5)  # it may have missed the signal
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stderr.close()
