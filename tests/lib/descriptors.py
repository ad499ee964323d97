# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""What tests of directories and files that are handed in as descriptors share."""
import contextlib
import os

from bus import wait_for
from processes import open_files


@contextlib.contextmanager
def open_for_a_moment(path, flags=os.O_RDONLY):
    descriptor = os.open(path, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class DescriptorMixin:
    """For a WorldCase. `held` are the paths below which nothing may stay open."""

    held = ()

    def opened(self, path, flags=os.O_RDONLY):
        """A descriptor that is closed when the test ends."""
        descriptor = os.open(path, flags)
        self.addCleanup(os.close, descriptor)
        return descriptor

    def assert_nothing_open(self):
        """Neither daemon nor worker holds anything of what was handed in."""
        def look():
            return [path for pid in [self.world.daemon_pid, *self.world.workers()]
                    for path in open_files(pid) if path.startswith(tuple(self.held))]
        wait_for(lambda: not look(), lambda: f'{look()} to be closed')
