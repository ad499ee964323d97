#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Many connections of many users: none is lost, none is kept when it has gone, and a user who
takes all that there is for one leaves the others what is theirs."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib'))
import tap  # noqa: E402
from bus import MANAGER, MANAGER_PATH, PROPERTIES, DBusError, GLib, wait_for  # noqa: E402
from processes import status_field  # noqa: E402
from world import SystemCase  # noqa: E402

# More than the service watches one by one, less than one user may have.
EACH = 110
USERS = ('alice', 'bob', None)


class Crowd(SystemCase):
    timeout = 600

    def come(self):
        clients = [self.world.client(user) for user in USERS for _ in range(EACH)]
        calls = [client.send(MANAGER_PATH, PROPERTIES, 'Get', GLib.Variant('(ss)', (MANAGER, 'Version')))
                 for client in clients]
        for call in calls:
            call.result()
        return clients

    def test_they_come_and_go(self):
        """What is counted for them is given back, also of those that are not watched one by one."""
        for _ in range(3):
            for client in self.come():
                client.close()
        clients = self.come()
        for client in clients:
            client.manager('Subscribe', '(a{sv})', {})
        job = self.client.create(name='told')
        job.set(DisplayName='told again')
        for number, client in enumerate(clients):
            client.flush()
            told = [one for one in client.signals if one.name == 'PropertiesChanged']
            self.assertEqual(bool(told), number < EACH, number)  # alice's
            client.close()
        self.client.create()

    def test_one_user_takes_all(self):
        taken = []
        refused = None
        while refused is None:
            client = self.world.client('bob')
            try:
                client.manager_property('Version')
                taken.append(client)
            except DBusError as error:
                refused = error
        self.assertEqual((refused.short, len(taken)), ('LimitsExceeded', 128))
        self.assertIn('128', refused.message)
        self.world.client('alice').manager_property('Version')
        self.world.client().manager_property('Version')
        for client in taken:
            client.close()

        def served():
            try:
                return self.world.client('bob').manager_property('Version')
            except DBusError:
                return None
        wait_for(served, 'the places of those that left')

    def test_calls_at_once(self):
        """As many calls as the bus lets through, from users at a time: each gets its answer."""
        clients = [self.world.client(user) for user in ('alice', 'bob') for _ in range(20)]
        calls = [client.send_create(name=str(number)) for number in range(25) for client in clients]
        answers = {}
        for call in calls:
            try:
                call.result()
                answers['created'] = answers.get('created', 0) + 1
            except DBusError as error:
                answers[error.short] = answers.get(error.short, 0) + 1
        self.assertEqual(answers, {'created': 120, 'TooManyJobsPerUser': 880})
        self.assertEqual(len(self.client.list_jobs(limit=100)), 60)
        self.assertLess(int(status_field(self.world.daemon_pid, 'VmRSS')[0]), 200_000)


if __name__ == '__main__':
    tap.main()
