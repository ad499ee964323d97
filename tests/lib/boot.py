# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A machine with a systemd of its own, made from the copy that boot.sh has prepared.

It shares the network of the test, so that a server of the test is there before and after it boots.
"""
import contextlib
import json
import os
import pwd
import signal
import subprocess

from bus import DEADLINE, Client, Gio, wait_for
from processes import children, executable, kill, status_field, workers_of

ROOT = os.environ.get('TFD_BOOT_ROOT', '')
GROUP = '/sys/fs/cgroup/machine'
REBOOT = 133  # how nspawn ends when the machine wants to be started again
UNIT = 'transferd.service'
ENVIRONMENT = {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
               'LC_ALL': 'C.UTF-8', 'SYSTEMD_PAGER': 'cat', 'SYSTEMD_COLORS': '0'}


def outside(path):
    """Where this file of the machine's disk is seen by the test; not for /run and /tmp."""
    return ROOT + path


def write(path, text):
    """Writes a file of the machine."""
    os.makedirs(os.path.dirname(outside(path)), exist_ok=True)
    with open(outside(path), 'w', encoding='utf-8') as file:
        file.write(text)


class Session:
    """Somebody who is logged on until end()."""

    def __init__(self, process):
        self.process = process

    def end(self):
        self.process.stdin.close()
        self.process.wait(DEADLINE)
        self.process.stdout.close()


class Machine:
    def __init__(self):
        self.console = os.path.dirname(ROOT) + '/console.log'
        self.process = None
        self.state = 'off'

    # On and off

    def boot(self):
        """Starts the machine; returns when systemd has started what it wanted to."""
        def join_group():
            with open(f'{GROUP}/cgroup.procs', 'w', encoding='ascii') as file:
                file.write('0')

        with open(self.console, 'ab') as console:
            self.process = subprocess.Popen(
                ['systemd-nspawn', '--quiet', f'--directory={ROOT}', '--machine=machine',
                 '--register=no', '--keep-unit', '--boot', '--console=pipe', '--resolv-conf=off',
                 '--timezone=off', '--link-journal=no',
                 # a machine of metal has them; this one would forbid them
                 '--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self'],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, preexec_fn=join_group,
                env=os.environ | {'SYSTEMD_NSPAWN_UNIFIED_HIERARCHY': '1'})
        wait_for(self.is_up, lambda: f'the machine to boot: {self.state}; {self.said()}')

    def said(self):
        """The end of what was printed to the console."""
        with open(self.console, encoding='utf-8', errors='replace') as console:
            return console.read()[-2000:]

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f'systemd-nspawn ended with {self.process.returncode}: {self.said()}')
        if self.leader is None:
            return False
        self.state = self.run('systemctl', 'is-system-running', check=False).strip()
        return self.state in ('running', 'degraded')

    @property
    def leader(self):
        """The number of the machine's first process."""
        found = [pid for pid in children(self.process.pid) if executable(pid) == 'systemd']
        return found[0] if found else None

    def reboot(self):
        # whoever waits in there for the end would stop it
        self.run('systemctl', '--no-block', 'reboot')
        wait_for(self.is_over, lambda: f'the machine to end; {self.said()}')
        if self.process.returncode != REBOOT:
            raise AssertionError(f'systemd-nspawn ended with {self.process.returncode} instead of a reboot')
        self.boot()

    def is_over(self):
        # Before it kills everybody, systemd stops them; an nsenter whose child is stopped stops itself,
        # does not reap what is killed then, and the machine would never end.
        for pid in children(os.getpid()):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if status_field(pid, 'State')[:1] == ['T']:
                    kill(pid, signal.SIGCONT)
        return self.process.poll() is not None

    def crash(self):
        """The power fails, and is back."""
        leader = self.leader
        kill(self.process.pid)
        kill(leader)
        self.process.wait(DEADLINE)
        wait_for(lambda: 'populated 0' in open(f'{GROUP}/cgroup.events', encoding='ascii').read(),
                 'everything to be dead')
        self.boot()

    def off(self):
        if self.process and self.process.poll() is None:
            leader = self.leader
            kill(self.process.pid)
            if leader:
                kill(leader)
            self.process.wait(DEADLINE)

    # What is done there

    def enter(self, *words, user=None):
        words = ['env', '-i', *(f'{key}={value}' for key, value in ENVIRONMENT.items()), *words]
        if user:
            words = ['setpriv', '--reuid', user, '--regid', user, '--init-groups', '--', *words]
        return ['nsenter', '-t', str(self.leader), '-a', '--root', '--wd', '--', *words]

    def run(self, *words, user=None, check=True):
        """Runs a command in the machine; what it printed."""
        done = subprocess.run(self.enter(*words, user=user), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, timeout=DEADLINE)
        if check and done.returncode:
            raise AssertionError(f'{words} ended with {done.returncode}:\n{done.stdout}')
        return done.stdout

    def systemctl(self, *words):
        return self.run('systemctl', *words)

    def unit(self, name, unit=UNIT):
        """A property of a unit."""
        return self.run('systemctl', 'show', '--value', '-p', name, unit).strip()

    def log_on(self, user):
        """A session of this user, as a log-on at the console makes it."""
        process = subprocess.Popen(self.enter('su', '-', user, '-c', 'echo there; read line'),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if process.stdout.readline() != b'there\n':
            raise AssertionError(f'{user} cannot log on')
        return Session(process)

    def as_session(self, user, script):
        """Runs shell commands in a session of this user; what they printed."""
        return self.run('su', '-', user, '-c', script)

    def client(self, user):
        """A connection to the bus of the machine; its calls start the service."""
        # of a process within the machine: the service looks at it
        entry = pwd_of(user)
        client = Client('unix:path=/run/dbus/system_bus_socket', entry.pw_uid, gid=entry.pw_gid,
                        outer=['nsenter', '--target', str(self.leader), '--all'])
        client.call_flags = Gio.DBusCallFlags.NONE
        return client

    def journal(self, *matches):
        """The entries of the journal that match."""
        self.run('journalctl', '--sync')
        text = self.run('journalctl', '--quiet', '--output=json', '--all', *matches)
        return [json.loads(line) for line in text.splitlines() if line.startswith('{')]

    def daemon(self):
        """The number of the daemon, as the test sees it, or None."""
        found = [pid for pid in children(self.leader) if executable(pid) == 'transferd']
        return found[0] if found else None

    def workers(self):
        daemon = self.daemon()
        return workers_of(daemon) if daemon else []

    def stop_daemon(self, number=signal.SIGKILL):
        kill(self.daemon(), number)


def pwd_of(user):
    """The entry of a user of the machine, which this one does not have."""
    with open(outside('/etc/passwd'), encoding='utf-8') as file:
        for line in file:
            fields = line.rstrip('\n').split(':')
            if fields[0] == user:
                return pwd.struct_passwd((*fields[:2], int(fields[2]), int(fields[3]), *fields[4:]))
    raise KeyError(user)
