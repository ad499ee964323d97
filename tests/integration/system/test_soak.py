#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A user's download of 1 GiB from nginx over the system bus, while both processes are killed."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib'))
import servers  # noqa: E402
import tap  # noqa: E402
from bus import DBusError, wait_for  # noqa: E402
from httpd import GIB  # noqa: E402
from processes import kill  # noqa: E402
from world import SystemCase, digest, seed  # noqa: E402


class Soak(SystemCase):
    timeout = 1800

    def test_one_gigabyte_from_nginx(self):
        choice = seed()
        web = servers.nginx('40m')
        self.addCleanup(web.stop)
        content = web.add('big', GIB)
        job = self.client.create([(web.url('/slow/big'), self.place('big'))], start=True)
        for moment in sorted(choice.randrange(1, GIB) for _ in range(10)):
            wait_for(lambda: self.amount(job) >= moment, f'{moment} bytes', 600)
            for pid in self.world.workers():
                kill(pid)
            self.world.restart()
        job.wait('transferred', deadline=900)
        self.assertEqual(job.complete()[0], 'completed')
        self.assertEqual(digest(self.place('big')), content.sha256)
        self.assert_no_temporaries(self.places['alice'])

    @staticmethod
    def amount(job):
        try:
            return GIB if job.state == 'transferred' else job.get('BytesTransferred')
        except DBusError as error:
            if error.name.startswith('org.transferd'):
                raise
            return 0


if __name__ == '__main__':
    tap.main()
