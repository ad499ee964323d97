# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""File systems that come, go, fill up and lose power, in a mount namespace of the test's own."""
import ctypes
import os
import select
import struct
import subprocess
import sys

from bus import wait_for
from httpd import MIB


def own_mounts():
    """Starts the program again where its mounts are nobody else's business and end with it."""
    if os.environ.get('TFD_OWN_MOUNTS') != str(os.getpid()):
        os.environ['TFD_OWN_MOUNTS'] = str(os.getpid())
        os.execvp('unshare', ['unshare', '--mount', '--propagation', 'private', '--',
                              sys.executable, *sys.argv])


def command(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode:
        raise AssertionError(f'{words}: {done.stdout}')


class Disk:
    """A file system of ext4 in a file, which can be taken out, put back and cut from power."""

    def __init__(self, image, mount_point, size=64 * MIB, made=0):
        self.image = image
        self.mount_point = mount_point
        with open(image, 'wb') as file:
            file.truncate(size)
        if made:  # the time at which it says that it was made, in seconds since the epoch
            os.environ['E2FSPROGS_FAKE_TIME'] = str(made)
        command('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image)
        os.environ.pop('E2FSPROGS_FAKE_TIME', None)
        os.makedirs(mount_point, exist_ok=True)
        self.mount()

    def mount(self):
        command('mount', '-o', 'loop', self.image, self.mount_point)

    def unmount(self):
        """Takes it out, as soon as those who end at this moment have closed their files."""
        def try_it():
            try:
                command('umount', self.mount_point)
                return True
            except AssertionError as error:
                self.error = error
                return False
        wait_for(try_it, lambda: self.error)

    def cut_power(self):
        """What is not on the disk is lost; the file system only answers errors from now on."""
        command('xfs_io', '-x', '-c', 'shutdown', self.mount_point)


class Tmpfs:
    """A small file system in memory."""

    def __init__(self, mount_point, size):
        self.mount_point = mount_point
        os.makedirs(mount_point, exist_ok=True)
        command('mount', '-t', 'tmpfs', '-o', f'size={size},mode=755', 'tmpfs', mount_point)

    def unmount(self):
        command('umount', self.mount_point)


class HeldReads:
    """Whoever reads a file of a directory waits until this lets go, as on a disk that takes its time
    (fanotify (7); for root)."""

    CLOEXEC, CLASS_CONTENT = 1, 4
    MARK_ADD = 1
    ACCESS_PERM, ON_CHILD = 0x20000, 0x8000000
    AT_FDCWD = -100
    ALLOW = 1
    EVENT = struct.Struct('=IBBHQii')

    def __init__(self, directory):
        """OSError where the kernel has no such thing."""
        libc = ctypes.CDLL(None, use_errno=True)
        self.waiting = []  # descriptors of the files, one for each read
        self.descriptor = libc.fanotify_init(self.CLASS_CONTENT | self.CLOEXEC, os.O_RDONLY)
        if self.descriptor < 0 or libc.fanotify_mark(
                self.descriptor, self.MARK_ADD, ctypes.c_uint64(self.ACCESS_PERM | self.ON_CHILD),
                self.AT_FDCWD, os.fsencode(directory)):
            raise OSError(ctypes.get_errno(), 'fanotify')

    def count(self):
        """How many wait."""
        while select.select([self.descriptor], [], [], 0)[0]:
            data = os.read(self.descriptor, 4096)
            for event in self.EVENT.iter_unpack(data):
                self.waiting.append(event[5])
        return len(self.waiting)

    def let_go(self):
        """All, from now on: what still waits is let go by closing."""
        self.count()
        for descriptor in self.waiting:
            os.write(self.descriptor, struct.pack('=iI', descriptor, self.ALLOW))
            os.close(descriptor)
        os.close(self.descriptor)
