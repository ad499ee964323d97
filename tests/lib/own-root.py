#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""own-root.py COMMAND...   runs COMMAND, as root, where / is the root of a mount namespace.

For a plain chroot, whose / is only a directory of some file system: no mount can be made below it
that the whole namespace sees under the same name, and the kernel refuses user namespaces to whoever
stands in one. COMMAND sees the same files; nothing of it shows outside.
"""
import ctypes
import os
import sys

NEW_MOUNTS = 0x00020000
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000
DETACH = 2
SYS_PIVOT_ROOT = {'x86_64': 155, 'aarch64': 41, 'riscv64': 41}

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        error = ctypes.get_errno()
        raise OSError(error, f'{name}: {os.strerror(error)}')


def mount(source, target, kind, flags, options=None):
    call('mount', source, target, kind, flags, options)


def enter():
    call('unshare', NEW_MOUNTS)
    root = os.open('/', os.O_PATH | os.O_DIRECTORY)
    mounts = os.open('/proc/self/ns/mnt', os.O_RDONLY)
    # Entering the namespace one is in already leads out of the chroot, to its real root.
    call('setns', mounts, NEW_MOUNTS)
    mount(None, b'/', None, RECURSIVE | PRIVATE)

    os.fchdir(root)
    mount(b'.', b'proc/fs', None, BIND | RECURSIVE)
    os.chdir('proc/fs')
    # A bare chroot has neither loop devices nor terminals.
    if not (os.path.exists('dev/loop-control') and os.path.exists('dev/pts/ptmx')):
        mount(b'devtmpfs', b'dev', b'devtmpfs', 0)
        mount(b'devpts', b'dev/pts', b'devpts', 0, b'newinstance,ptmxmode=0666,mode=0620')

    number = SYS_PIVOT_ROOT.get(os.uname().machine)
    if number is not None and libc.syscall(number, b'.', b'.') == 0:
        call('umount2', b'.', DETACH)
    else:
        # The root of an initramfs cannot be left behind; what needs more than a chroot will say so.
        os.chroot('.')
    os.chdir('/')
    os.close(root)
    os.close(mounts)


if __name__ == '__main__':
    directory = os.getcwd()
    enter()
    os.chdir(directory)
    os.execvp(sys.argv[1], sys.argv[1:])
