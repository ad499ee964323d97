#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""What a job shows to servers: its header fields, its user and password, and who gets neither."""
import base64
import hashlib
import os
import sys

from gi.repository import Gio, GLib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import servers  # noqa: E402
import tap  # noqa: E402
from bus import JOB, NAME, DBusError, wait_for  # noqa: E402
from httpd import MIB, Answer, Server  # noqa: E402
from world import WorldCase, digest  # noqa: E402

BASIC = Answer(status=401, headers={'WWW-Authenticate': 'Basic realm="files"'})
SECRET = 'open: sesame 100%'


def basic(user, password):
    return 'Basic ' + base64.b64encode(f'{user}:{password}'.encode()).decode()


class LoginCase(WorldCase):
    def credentials(self, job, scheme='basic', user='alice', password=SECRET, target='server'):
        job.call('SetCredentials', '(ssssa{sv})', target, scheme, user, password, {})

    def refused(self, name, job, *arguments):
        with self.assertRaises(DBusError) as caught:
            self.credentials(job, *arguments)
        self.assertTrue(caught.exception.name.endswith(name), caught.exception.name)
        self.assertNotIn(SECRET, str(caught.exception))

    def assert_secret_stays(self, secret):
        """Neither in the log of the daemon and its worker nor in anybody's arguments."""
        with open(self.world.log, 'rb') as log:
            self.assertNotIn(secret.encode(), log.read())
        for pid in [self.world.daemon_pid, *self.world.workers()]:
            for name in 'cmdline', 'environ':
                try:
                    with open(f'/proc/{pid}/{name}', 'rb') as file:
                        self.assertNotIn(secret.encode(), file.read())
                except PermissionError:  # only root sees that much
                    self.assertEqual(name, 'environ')


class Headers(LoginCase):
    def test_are_sent(self):
        file, row, path = self.file('a', 2 * MIB, script=[Answer(reset=MIB)])
        job = self.client.create([row], start=True, Headers=[('X-Token', 'abc'), ('Cookie', 'd=e')])
        job.wait('transferred', hurry=True)
        job.complete()
        self.assert_file(path, file)
        requests = self.server.requests('/a')
        self.assertEqual(len(requests), 2)
        for request in requests:
            self.assertEqual(request.headers['x-token'], 'abc')
            self.assertEqual(request.headers['cookie'], 'd=e')
            self.assertEqual(request.headers['accept-encoding'], 'identity')

    def test_changed_while_running(self):
        """What is asked for from now on is asked for with the new ones."""
        first, row, path = self.file('a', 2 * MIB, script=[Answer(stall=MIB), Answer(reset=0)])
        job = self.client.create([row], start=True, Headers=[('X-Token', 'old')])
        wait_for(first.stalled.is_set, 'the answer')
        job.set(Headers=[('X-Token', 'new')])
        second, second_row, second_path = self.file('b')
        job.add(*second_row)
        wait_for(lambda: self.server.requests('/b'), 'the second file')
        first.released.set()
        job.wait('transferred', hurry=True)
        self.assertEqual(self.server.requests('/b')[0].headers['x-token'], 'new')
        job.complete()
        self.assert_file(path, first)
        self.assert_file(second_path, second)

    def test_do_not_follow_to_another_origin(self):
        other = Server()
        self.addCleanup(other.stop)
        file = other.add('/b', MIB)
        self.server.redirect('/a', other.url('/b'))
        path = self.world.target('a')
        job = self.client.create([(self.server.url('/a'), path)], start=True,
                                 Headers=[('Authorization', 'Bearer abc'), ('Cookie', 'd=e')])
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)
        self.assertEqual(self.server.requests('/a')[0].headers['authorization'], 'Bearer abc')
        self.assertNotIn('authorization', other.requests('/b')[0].headers)
        self.assertNotIn('cookie', other.requests('/b')[0].headers)

    def test_what_is_ours(self):
        for name in ('Host', 'content-length', 'Transfer-Encoding', 'Range', 'If-Range',
                     'Connection', 'a b', 'a:', ''):
            with self.assertRaises(DBusError) as caught:
                self.client.create(Headers=[(name, 'secret-value')])
            self.assertTrue(caught.exception.name.endswith('InvalidArgs'), name)
            self.assertNotIn('secret-value', str(caught.exception))
        with self.assertRaises(DBusError):
            self.client.create(Headers=[('X', 'a\r\nHost: b')])
        with self.assertRaises(DBusError) as caught:
            self.client.create(Headers=[('X', 'a' * 17000)])
        self.assertTrue(caught.exception.name.endswith('StringTooLong'))

    def test_write_only(self):
        job = self.client.create(Headers=[('X-Token', 'abc')])
        self.assertEqual(job.get('Headers'), [('X-Token', 'abc')])
        job.set(HeadersWriteOnly=True)
        self.assertEqual(job.get('Headers'), [])
        self.assertEqual(job.get_all()['Headers'], [])
        with self.assertRaises(DBusError) as caught:
            job.set(HeadersWriteOnly=False)
        self.assertTrue(caught.exception.name.endswith('InvalidArgs'))
        self.world.restart()
        self.assertEqual(job.get('Headers'), [])
        file, row, path = self.file('a')
        job.add(*row)
        job.resume()
        job.wait('transferred')
        self.assertEqual(self.server.requests('/a')[0].headers['x-token'], 'abc')

    def test_change_does_not_travel(self):
        job = self.client.create()
        job.get_all()
        job.set(Headers=[('X-Token', 'very-secret')])
        self.client.flush()
        changes = self.client.named('PropertiesChanged', job.path)
        self.assertTrue(any('Headers' in one.args[2] for one in changes), changes)
        self.assertNotIn('very-secret', str(changes))


class Credentials(LoginCase):
    def test_basic(self):
        file, row, path = self.file('a', script=[BASIC])
        job = self.client.create([row])
        self.credentials(job)
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)
        first, second = self.server.requests('/a')
        self.assertNotIn('authorization', first.headers)
        self.assertEqual(second.headers['authorization'], basic('alice', SECRET))
        self.assert_secret_stays(SECRET)

    def test_wrong_password(self):
        _, row, _ = self.file('a', script=[BASIC] * 10)
        job = self.client.create([row])
        self.credentials(job)
        job.resume()
        job.wait('error')
        self.assertEqual(job.error, ('AuthenticationRequired', 'remote-file'))
        self.assertEqual(job.get('Error')['http-status'], 401)
        self.assertEqual(len(self.server.requests('/a')), 2)

    def test_set_after_the_error(self):
        file, row, path = self.file('a', script=[BASIC, BASIC])
        job = self.client.create([row], start=True)
        job.wait('error')
        self.assertEqual(job.error[0], 'AuthenticationRequired')
        self.credentials(job)
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_survive_a_kill(self):
        file, row, path = self.file('a', script=[BASIC])
        job = self.client.create([row])
        self.credentials(job, password='old')
        self.credentials(job)
        self.world.restart()
        job.resume()
        job.wait('transferred')
        self.assertEqual(self.server.requests('/a')[1].headers['authorization'],
                         basic('alice', SECRET))

    def test_other_scheme_gets_nothing(self):
        _, row, _ = self.file('a', script=[BASIC] * 10)
        job = self.client.create([row])
        self.credentials(job, 'digest')
        job.resume()
        job.wait('error')
        for request in self.server.requests('/a'):
            self.assertNotIn('authorization', request.headers)

    def test_another_origin_gets_nothing(self):
        other = Server()
        self.addCleanup(other.stop)
        other.add('/b', script=[BASIC] * 10)
        self.server.redirect('/a', other.url('/b'))
        job = self.client.create([(self.server.url('/a'), self.world.target('a'))])
        self.credentials(job)
        job.resume()
        job.wait('error')
        self.assertEqual(job.error[0], 'AuthenticationRequired')
        for request in other.requests('/b'):
            self.assertNotIn('authorization', request.headers)

    def test_do_not_leak_to_the_next_job(self):
        """Right after a job that the server has let in, one without a password."""
        file, row, _ = self.file('a', script=[BASIC])
        job = self.client.create([row])
        self.credentials(job)
        job.resume()
        job.wait('transferred')
        _, row, _ = self.file('b', script=[BASIC] * 10)
        second = self.client.create([row], start=True)
        second.wait('error')
        for request in self.server.requests('/b'):
            self.assertNotIn('authorization', request.headers)

    def test_remove(self):
        _, row, _ = self.file('a', script=[BASIC] * 10)
        job = self.client.create([row])
        self.assertEqual(job.call('RemoveCredentials', '(ss)', 'server', 'basic'), (False,))
        self.credentials(job)
        self.assertEqual(job.call('RemoveCredentials', '(ss)', 'server', 'basic'), (True,))
        job.resume()
        job.wait('error')
        self.assertEqual(len(self.server.requests('/a')), 1)

    def test_refusals(self):
        job = self.client.create()
        self.refused('InvalidArgs', job, 'nonsense')
        self.refused('InvalidArgs', job, 'basic', 'a', SECRET, 'nowhere')
        self.refused('NotSupported', job, 'ntlm')
        self.refused('NotSupported', job, 'basic', 'a', SECRET, 'proxy')
        self.refused('InvalidArgs', job, 'basic', '')
        self.refused('InvalidArgs', job, 'basic', 'a:b')
        self.refused('InvalidArgs', job, 'basic', 'a', SECRET + '\n')
        self.refused('StringTooLong', job, 'basic', 'a' * 301)
        self.refused('StringTooLong', job, 'basic', 'a', 'b' * 65536)
        job.cancel()
        self.refused('InvalidState', job)

    def through(self, job, fd):
        fds = Gio.UnixFDList()
        handle = fds.append(fd)
        arguments = GLib.Variant('(ssssa{sv})', ('server', 'basic', 'alice', '',
                                                 {'fd': GLib.Variant('h', handle)}))
        try:
            self.client.connection.call_with_unix_fd_list_sync(
                NAME, job.path, JOB, 'SetCredentials', arguments, None, Gio.DBusCallFlags.NONE,
                60000, fds, None)
        except GLib.Error as error:
            raise DBusError(error) from None

    def test_through_a_pipe(self):
        _, row, _ = self.file('a', script=[BASIC])
        job = self.client.create([row])
        reader, writer = os.pipe()
        os.write(writer, (SECRET + '\n').encode())
        os.close(writer)
        self.through(job, reader)
        os.close(reader)
        job.resume()
        job.wait('transferred')
        self.assertEqual(self.server.requests('/a')[1].headers['authorization'],
                         basic('alice', SECRET))

    def test_no_pipe(self):
        job = self.client.create()
        with open(__file__, 'rb') as file, self.assertRaises(DBusError) as caught:
            self.through(job, file.fileno())
        self.assertTrue(caught.exception.name.endswith('InvalidArgs'))

    def test_silent_pipe(self):
        """Nobody writes: the call ends, and nobody else has waited for it."""
        job = self.client.create()
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        other = self.world.client()
        with self.assertRaises(DBusError) as caught:
            self.through(job, reader)
        self.assertTrue(caught.exception.name.endswith('InvalidArgs'))
        self.assertEqual(len(other.list_jobs()), 1)
        os.close(reader)


class Apache(LoginCase):
    """A server that checks what it gets."""

    def prepare(self):
        server = servers.apache()
        self.addCleanup(server.stop)
        with open(os.path.join(server.directory, 'basic'), 'w', encoding='utf-8') as file:
            digest_of = base64.b64encode(hashlib.sha1(SECRET.encode()).digest()).decode()
            file.write(f'alice:{{SHA}}{digest_of}\n')
        with open(os.path.join(server.directory, 'digest'), 'w', encoding='utf-8') as file:
            digest_of = hashlib.md5(f'alice:files:{SECRET}'.encode()).hexdigest()
            file.write(f'alice:files:{digest_of}\n')
        for name in 'basic', 'digest':
            os.chmod(os.path.join(server.directory, name), 0o644)
        return server

    def fetch(self, scheme):
        server = self.prepare()
        content = server.add('file', 3 * MIB)
        rows = [(server.url(f'/{scheme}/file?{number}'), self.world.target(f'f{number}'))
                for number in range(20)]
        job = self.client.create(rows)
        self.credentials(job, scheme)
        job.resume()
        job.wait('transferred')
        job.complete()
        for _, path in rows:
            self.assertEqual(digest(path), content.sha256)

    def test_basic(self):
        self.fetch('basic')

    def test_digest(self):
        self.fetch('digest')


if __name__ == '__main__':
    tap.main()
