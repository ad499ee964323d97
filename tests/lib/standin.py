# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Stand-ins: a process that connects in the place of the test, as another user or in a sandbox.

The bus asks the kernel who connects, and the service looks at that process. So the socket is
connected by a process that is what it claims to be, and stays so; the test speaks through it."""
import os
import pwd
import socket
import subprocess

# Connects, hands the socket over, stays until the test closes its end; or does what it is told.
SCRIPT = '''
import os, socket, sys
line = socket.socket(fileno=0)
bus = socket.socket(socket.AF_UNIX)
bus.connect(sys.argv[1])
socket.send_fds(line, [b"x"], [bus.fileno()])
bus.close()
while True:
    order = line.recv(4096)
    if not order:
        os._exit(0)
    exec(order)
    line.send(b"y")
'''


class StandIn:
    """`path` is that of the bus's socket; `wrapper` is a command in which the process runs, with
    `outer` before it becomes the user."""

    def __init__(self, path, uid, gid=None, wrapper=(), outer=()):
        gid = pwd.getpwuid(uid).pw_gid if gid is None else gid
        ours, theirs = socket.socketpair()
        self.line = ours
        self.replaced = False
        self.process = subprocess.Popen(
            [*outer, 'setpriv', '--reuid', str(uid), '--regid', str(gid), '--init-groups', '--', *wrapper,
             '/usr/bin/python3', '-IS', '-c', SCRIPT, path], stdin=theirs, cwd='/')
        theirs.close()
        ours.settimeout(120)
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
        if not fds:
            raise AssertionError(f'{wrapper}: ended before it was connected')
        self.fd = fds[0]

    def tell(self, order):
        """Has the process run a line of Python."""
        self.line.send(order.encode())
        answer = self.line.recv(1)
        if answer != b'y':
            raise AssertionError(f'the stand-in ended by {order}')

    def replace(self, *words):
        """Has the process become another program, which ends at the latest with this one."""
        self.line.send(f'os.execvp({words[0]!r}, {list(words)!r})'.encode())
        self.replaced = True

    def end(self):
        """The process ends; the connection stays with whoever has it."""
        self.line.close()
        if self.replaced:
            self.process.kill()
        self.process.wait()


def bus_path(address):
    """The path in an address like unix:path=/run/dbus/system_bus_socket,guid=…"""
    for part in address.removeprefix('unix:').split(','):
        key, _, value = part.partition('=')
        if key == 'path':
            return os.path.abspath(value)
    raise AssertionError(f'{address} is no path')
