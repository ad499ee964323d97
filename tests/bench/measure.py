# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Clocks: wall and processor time of processes, memory, what is in the page cache."""
import json
import os
import subprocess
import time


class Failed(Exception):
    """What was to be measured did not work: there is no figure for it."""


def cpu_seconds(pid):
    """The processor time of a living process with all its threads, those that ended included."""
    # The clock of a process as clock_getcpuclockid () makes its number.
    return time.clock_gettime((~pid << 3) | 2)


def children_seconds(pid):
    """The processor time of the children that it has outlived."""
    with open(f'/proc/{pid}/stat', encoding='latin-1') as file:
        fields = file.read().rpartition(')')[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf('SC_CLK_TCK')


class Cpu:
    """Processor time that a set of processes and their children have used since this was made; a
    process that did not exist then counts from its beginning."""

    def __init__(self, pids):
        self.before = {pid: self.total(pid) for pid in pids}

    @staticmethod
    def total(pid):
        return cpu_seconds(pid) + children_seconds(pid)

    def used(self, pids):
        """Of those that live. What one of them had used before and has died since counts no more."""
        died = sum(cpu for pid, cpu in self.before.items() if pid not in pids)
        return sum(self.total(pid) - self.before.get(pid, 0) for pid in pids) - died


def run(command, ok=(0,), **options):
    """Runs a command to its end: {'wall', 'cpu'} of it and of all that it ran."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, **options)
    # What it says is short: it fits into the pipes.
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    out, err = process.stdout.read(), process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    if process.returncode not in ok:
        raise Failed(f'{command[0]} ended with {process.returncode}: '
                     f'{(err or out).decode(errors="replace")[-500:]}')
    return {'wall': wall, 'cpu': usage.ru_utime + usage.ru_stime}


def ask(command, **options):
    """Runs a command that prints JSON; what it says."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          **options)
    if done.returncode:
        raise Failed(f'{" ".join(command[:3])}: {done.stderr.decode(errors="replace")[-500:]}')
    return json.loads(done.stdout)


def memory(pid, field='VmRSS'):
    """Bytes: a line of /proc/PID/status."""
    with open(f'/proc/{pid}/status', encoding='latin-1') as file:
        for line in file:
            if line.startswith(field + ':'):
                return int(line.split()[1]) * 1024
    return 0


def forget_peak(pid):
    """From now on VmHWM is the most since now."""
    with open(f'/proc/{pid}/clear_refs', 'w', encoding='ascii') as file:
        file.write('5')


def cached(path):
    """How many bytes of a file are in memory."""
    said = subprocess.run(['fincore', '--bytes', '--noheadings', '--output', 'RES', path],
                          capture_output=True, check=False).stdout.split()
    return int(said[0]) if said else 0


def wakeups(pid):
    """{thread: how often it has begun to run of its own accord}"""
    found = {}
    for thread in os.listdir(f'/proc/{pid}/task'):
        try:
            with open(f'/proc/{pid}/task/{thread}/status', encoding='latin-1') as file:
                for line in file:
                    if line.startswith('voluntary_ctxt_switches'):
                        found[thread] = int(line.split()[1])
        except FileNotFoundError:  # it has just ended
            pass
    return found


def woken(before, after):
    """How often in between; the end of a thread counts as one."""
    return (sum(count - before.get(thread, 0) for thread, count in after.items())
            + sum(thread not in after for thread in before))


def median(values):
    """The middle one; of an even number the mean of the two in the middle."""
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]
