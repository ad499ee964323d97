#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The server of the BITS upload protocol does what the reference says: proved with sockets, before
transferd is judged by it."""
import http.client
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bits_server import Application, BitsServer, GUID  # noqa: E402
from httpd import MIB, Content  # noqa: E402
from upload_server import Fault  # noqa: E402

NOT_FOUND = '0x8020001F'


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {key.lower(): value for key, value in response.getheaders()}
        self.spelled = [key for key, _ in response.getheaders()]
        self.body = response.read()

    def __getitem__(self, name):
        return self.headers.get(name)

    @property
    def offset(self):
        return self['bits-received-content-range']

    @property
    def error(self):
        return self['bits-error-code'], self['bits-error-context']


class BitsServerCase(tap.TestCase):
    def setUp(self):
        self.server = BitsServer()
        self.addCleanup(self.server.end)

    def send(self, packet, body=b'', path='/dir/file', server=None, method='BITS_POST', **fields):
        server = server or self.server
        connection = http.client.HTTPConnection(server.address, server.port, timeout=30)
        headers = {'BITS-Packet-Type': packet} if packet else {}
        headers |= {key.replace('_', '-'): value for key, value in fields.items()}
        try:
            connection.request(method, path, body, headers | {'Content-Length': str(len(body))})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def create(self, **options):
        answer = self.send('Create-Session', BITS_Supported_Protocols=GUID, **options)
        self.assertEqual(answer.status, 200)
        return answer['bits-session-id']

    def fragment(self, session, data, first, total=None, **options):
        total = len(data) if total is None else total
        options.setdefault('Content_Range', f'bytes {first}-{first + len(data) - 1}/{total}')
        if first == 0:
            options.setdefault('Content_Name', 'file')
        return self.send('Fragment', data, BITS_Session_Id=session, **options)

    def close(self, session, packet='Close-Session', **options):
        return self.send(packet, BITS_Session_Id=session, **options)


class Packets(BitsServerCase):
    def test_conversation(self):
        content = Content(3 * MIB + 5, 'a').bytes()
        self.assertEqual(self.send('Ping')['bits-packet-type'], 'Ack')
        answer = self.send('Create-Session', BITS_Supported_Protocols=f'{{0}} {GUID}')
        self.assertEqual(answer['bits-protocol'], GUID)
        self.assertEqual(answer['accept-encoding'], 'Identity')
        self.assertEqual(answer['content-length'], '0')
        session = answer['bits-session-id']
        for first in range(0, len(content), MIB):
            answer = self.fragment(session, content[first:first + MIB], first, len(content))
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.offset, str(min(first + MIB, len(content))))
            self.assertEqual(answer['bits-session-id'], session)
        self.assertEqual(self.server.files['/dir/file'].bytes(), content)
        self.assertEqual(self.close(session).status, 200)
        self.assertEqual(self.close(session).error, (NOT_FOUND, '0x5'))
        self.assertEqual(self.server.kinds(), ['Ping', 'Create-Session'] + 4 * ['Fragment'] +
                         2 * ['Close-Session'])

    def test_packet_names_have_no_case(self):
        self.assertEqual(self.send('PING').status, 200)
        self.assertEqual(self.send('create-session', BITS_Supported_Protocols=GUID).status, 200)

    def test_zero_bytes(self):
        for text in ('bytes */0', 'bytes 0-0/0'):
            session = self.create(path=f'/{len(text)}')
            answer = self.fragment(session, b'', 0, Content_Range=text)
            self.assertEqual((answer.status, answer.offset), (200, '0'))
            self.assertEqual(self.server.files[f'/{len(text)}'].size, 0)

    def test_overlap_is_never_written_again(self):
        session = self.create()
        self.fragment(session, b'0123456789', 0, 20)
        answer = self.fragment(session, b'xxxxxABCDE', 5, 20)
        self.assertEqual(answer.offset, '15')
        answer = self.fragment(session, b'yyy', 0, 20)
        self.assertEqual((answer.status, answer.offset), (200, '15'))
        self.fragment(session, b'zzzzz', 15, 20)
        self.assertEqual(self.server.files['/dir/file'].bytes(), b'0123456789ABCDEzzzzz')

    def test_gap(self):
        session = self.create()
        self.fragment(session, b'0123456789', 0, 20)
        answer = self.fragment(session, b'x', 11, 20)
        self.assertEqual((answer.status, answer.offset), (416, '10'))
        self.assertEqual(answer.error, ('0x0', '0x5'))

    def test_close_before_the_end_deletes(self):
        for packet in ('Close-Session', 'Cancel-Session'):
            session = self.create()
            self.fragment(session, b'0', 0, 20)
            path = self.server.sessions[session].data.path
            self.assertEqual(self.close(session, packet).status, 200)
            self.assertFalse(os.path.exists(path))
        self.assertEqual(self.server.files, {})

    def test_cancel_after_the_end_leaves_the_file(self):
        self.server.reply = b'thanks'
        session = self.create()
        url = self.fragment(session, b'0', 0)['bits-reply-url']
        path = url.removeprefix(self.server.url(''))
        self.assertEqual(self.send(None, method='GET', path=path).body, b'thanks')
        self.close(session, 'Cancel-Session')
        self.assertEqual(self.send(None, method='GET', path=path).status, 404)
        self.assertEqual(self.server.files['/dir/file'].bytes(), b'0')

    def test_options(self):
        self.assertIn('BITS_POST', self.send(None, method='OPTIONS')['allow'])
        self.server.upload_enabled = False
        self.assertNotIn('BITS_POST', self.send(None, method='OPTIONS')['public'])


class Errors(BitsServerCase):
    def refused(self, answer, status, code=None, context='0x5'):
        self.assertEqual(answer.status, status)
        self.assertEqual(answer['bits-packet-type'], 'Ack')
        if code:
            self.assertEqual(answer.error, (code, context))
            self.assertEqual(answer['bits-error'], code)

    def test_malformed(self):
        session = self.create()
        self.refused(self.send('Nonsense'), 400, '0x80070057')
        for text in ('', 'bytes 5-4/10', 'bytes 0-9/9', 'bytes 0-8/10', 'bytes 0-9/*', '0-9/10'):
            self.refused(self.fragment(session, b'0123456789', 0, Content_Range=text), 400,
                         '0x80070057')
        self.refused(self.fragment(session, b'0', 0, 10, Content_Name=''), 400, '0x80070057')

    def test_no_length(self):
        with socket.create_connection((self.server.address, self.server.port)) as sock:
            sock.sendall(b'BITS_POST /x HTTP/1.1\r\nHost: x\r\nBITS-Packet-Type: Ping\r\n\r\n')
            self.assertIn(b'HTTP/1.1 411 ', sock.recv(4096))

    def test_no_common_protocol(self):
        self.refused(self.send('Create-Session', BITS_Supported_Protocols='{0}'), 400, '0x80070057')
        self.refused(self.send('Create-Session'), 400, '0x80070057')

    def test_total_changes(self):
        session = self.create()
        self.fragment(session, b'0', 0, 10)
        self.refused(self.fragment(session, b'1', 1, 11), 400, '0x80070057')

    def test_unknown_session(self):
        self.refused(self.fragment('{x}', b'0', 0), 500, NOT_FOUND)

    def test_session_of_somebody_else(self):
        session = self.create(Authorization='Basic YTph')
        self.refused(self.fragment(session, b'0', 0), 500, NOT_FOUND)
        self.assertEqual(self.fragment(session, b'0', 0, Authorization='Basic YTph').status, 200)

    def test_file_exists(self):
        self.fragment(self.create(), b'0', 0)
        answer = self.send('Create-Session', BITS_Supported_Protocols=GUID)
        self.refused(answer, 409, '0x80070050')
        self.server.allow_overwrites = True
        self.fragment(self.create(), b'1', 0)
        self.assertEqual(self.server.files['/dir/file'].bytes(), b'1')

    def test_forbidden(self):
        self.server.readonly.add('/dir/file')
        answer = self.send('Create-Session', BITS_Supported_Protocols=GUID)
        self.refused(answer, 403, '0x80070005')

    def test_executable_directory(self):
        self.server.executable.add('/dir')
        answer = self.send('Create-Session', BITS_Supported_Protocols=GUID)
        self.refused(answer, 403, '0x80200023')

    def test_too_large(self):
        self.server.maximum_upload_size = 9
        session = self.create()
        self.refused(self.fragment(session, b'0', 0, 10), 413, '0x80200020')
        self.server.too_large_status = 500
        self.refused(self.fragment(session, b'0', 0, 10), 500, '0x80200020')

    def test_disabled(self):
        self.server.upload_enabled = False
        self.assertEqual(self.send('Ping').status, 404)
        self.server.disabled_status = 501
        self.assertEqual(self.send('Ping').status, 501)

    def test_other_methods(self):
        self.assertEqual(self.send(None, method='PUT').status, 405)
        self.assertEqual(self.send(None, method='PATCH').status, 501)

    def test_spelling_of_errors(self):
        for fields, absent in ((('BITS-Error',), 'bits-error-code'),
                               (('BITS-Error-Code',), 'bits-error')):
            self.server.error_fields = fields
            answer = self.fragment('{x}', b'0', 0)
            self.assertEqual(answer[fields[0].lower()], NOT_FOUND)
            self.assertIsNone(answer[absent])

    def test_lower_case(self):
        self.server.lower_case = True
        answer = self.send('Create-Session', BITS_Supported_Protocols=GUID)
        self.assertIn('bits-session-id', answer.spelled)


class Limits(BitsServerCase):
    def test_sessions_time_out(self):
        now = 0
        self.server.now = lambda: now
        self.create()
        now = 10 * 86400
        second = self.create()
        now = 15 * 86400
        self.server.clean_up()
        self.assertEqual(list(self.server.sessions), [second])

    def test_most_recent_session_goes_first(self):
        self.server.sessions_limit = 2
        first, second, third = (self.create() for _ in range(3))
        self.assertEqual(list(self.server.sessions), [first, third])
        self.assertEqual(self.fragment(second, b'0', 0).error, (NOT_FOUND, '0x5'))

    def test_host_id(self):
        node = BitsServer(address='127.0.0.2')
        self.addCleanup(node.end)
        self.server.node = node
        self.server.host_id = f'{node.address}:{node.port}'
        self.server.host_id_timeout = 60
        answer = self.send('Create-Session', BITS_Supported_Protocols=GUID)
        self.assertEqual(answer['bits-host-id'], self.server.host_id)
        self.assertEqual(answer['bits-host-id-fallback-timeout'], '60')
        session = answer['bits-session-id']
        self.assertEqual(self.fragment(session, b'0', 0).error, (NOT_FOUND, '0x5'))
        self.assertEqual(self.fragment(session, b'0', 0, server=node).status, 200)
        self.assertEqual(node.files['/dir/file'].bytes(), b'0')

    def test_login(self):
        self.server.require('me', 'secret')
        answer = self.send('Ping')
        self.assertEqual((answer.status, answer['www-authenticate']), (401, 'Basic realm="test"'))
        self.assertEqual(self.send('Ping', Authorization='Basic bWU6c2VjcmV0').status, 200)


class Faults(BitsServerCase):
    def broken(self, *arguments, **options):
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            self.fragment(*arguments, **options)

    def test_connection_breaks_off(self):
        self.server.script = [Fault('Fragment', drop=6), Fault('Fragment', drop=2, keep=False)]
        session = self.create()
        self.broken(session, b'0123456789', 0, 20)
        self.server.wait_for(lambda log: log[-1].received == 6)
        self.broken(session, b'abcd', 6, 20)
        self.assertEqual(self.server.sessions[session].data.size, 6)
        self.assertEqual(self.fragment(session, b'6789', 6, 20).offset, '10')

    def test_client_goes_away(self):
        session = self.create()
        with socket.create_connection((self.server.address, self.server.port)) as sock:
            sock.sendall(b'BITS_POST /dir/file HTTP/1.1\r\nBITS-Packet-Type: Fragment\r\n'
                         b'BITS-Session-Id: %b\r\nContent-Name: x\r\nContent-Range: bytes 0-9/20\r\n'
                         b'Content-Length: 10\r\n\r\n01234' % session.encode())
        answer = self.fragment(session, b'56789', 5, 20)
        while answer.status == 416:  # the server has not read all of the first one
            answer = self.fragment(session, b'56789', 5, 20)
        self.assertEqual(answer.offset, '10')

    def test_lost_ack(self):
        self.server.script = [Fault('Fragment', lose=True)]
        session = self.create()
        self.broken(session, b'0123456789', 0)
        self.assertEqual(self.server.files['/dir/file'].bytes(), b'0123456789')
        answer = self.fragment(session, b'9', 9, 10)
        self.assertEqual((answer.status, answer.offset), (200, '10'))

    def test_status_once(self):
        self.server.script = [Fault('Fragment', skip=1, status=503, headers={'Retry-After': '7'})]
        session = self.create()
        self.assertEqual(self.fragment(session, b'0', 0, 3).status, 200)
        answer = self.fragment(session, b'1', 1, 3)
        self.assertEqual((answer.status, answer['retry-after']), (503, '7'))
        self.assertEqual(self.fragment(session, b'1', 1, 3).status, 200)

    def test_session_is_forgotten(self):
        self.server.script = [Fault('Fragment', skip=1, before=self.server.forget)]
        session = self.create()
        self.fragment(session, b'0', 0, 3)
        self.assertEqual(self.fragment(session, b'1', 1, 3).error, (NOT_FOUND, '0x5'))

    def test_bytes_are_lost(self):
        session = self.create()
        self.fragment(session, b'0123456789', 0, 20)
        self.server.lose_bytes(4)
        answer = self.fragment(session, b'x', 10, 20)
        self.assertEqual((answer.status, answer.offset), (416, '4'))
        self.fragment(session, b'456789abcdefghij', 4, 20)
        self.assertEqual(self.server.files['/dir/file'].bytes(), b'0123456789abcdefghij')

    def test_final_ack_waits(self):
        event = threading.Event()
        self.server.script = [Fault('Fragment', hold=event)]
        session = self.create()
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(self.fragment(session, b'0', 0)))
        thread.start()
        self.server.wait_for(lambda _log: '/dir/file' in self.server.files)
        self.assertEqual(answers, [])
        event.set()
        thread.join(30)
        self.assertEqual(answers[0].status, 200)

    def test_restart_keeps_sessions(self):
        session = self.create()
        self.fragment(session, b'01', 0, 4)
        self.server.stop()
        with self.assertRaises(OSError):
            self.send('Ping')
        self.server.start()
        self.fragment(session, b'23', 2, 4)
        self.assertEqual(self.server.files['/dir/file'].bytes(), b'0123')

    def test_sink(self):
        server = BitsServer(sink=True)
        self.addCleanup(server.end)
        content = Content(2 * MIB, 'sink')
        session = self.create(server=server)
        self.fragment(session, content.bytes(), 0, server=server)
        self.assertEqual(server.files['/dir/file'].sha256, content.sha256)
        self.assertIsNone(server.files['/dir/file'].path)


class Replies(BitsServerCase):
    def setUp(self):
        super().setUp()
        self.application = Application()
        self.addCleanup(self.application.end)

    def upload(self, data=b'hello', **options):
        return self.fragment(self.create(**options), data, 0, **options)

    def fetch(self, answer, **fields):
        path = answer['bits-reply-url'].removeprefix(self.server.url(''))
        return self.send(None, method='GET', path=path, **fields)

    def test_reply_of_the_server(self):
        self.server.reply = b'thanks'
        answer = self.upload()
        self.assertTrue(answer['bits-reply-url'].startswith('http://'))
        self.assertEqual(self.fetch(answer).body, b'thanks')
        ranged = self.fetch(answer, Range='bytes=3-')
        self.assertEqual((ranged.status, ranged.body), (206, b'nks'))

    def test_relative_reply_url(self):
        self.server.reply, self.server.reply_relative = b'thanks', True
        answer = self.upload()
        self.assertTrue(answer['bits-reply-url'].startswith('/'))
        self.assertEqual(self.fetch(answer).body, b'thanks')

    def test_no_reply(self):
        self.assertIsNone(self.upload()['bits-reply-url'])

    def notify(self, kind):
        self.server.notification_type = kind
        self.server.notification_url = self.application.url('/notify')

    def test_by_reference(self):
        self.notify(1)
        answer = self.upload(path='/dir/file?q=1')
        self.assertEqual(self.fetch(answer).body, b'olleh')
        target, headers, data = self.application.posts[0]
        self.assertEqual(target, '/notify?q=1')
        self.assertEqual(headers['content-length'], '0')
        self.assertEqual(headers['bits-original-request-url'],
                         self.server.url('/dir/file?q=1'))
        self.assertEqual(data, b'hello')
        self.assertEqual(self.server.files, {})

    def test_by_value(self):
        self.notify(2)
        self.application.headers = {'BITS-Copy-File-To-Destination': 'x'}
        answer = self.upload()
        self.assertEqual(self.fetch(answer).body, b'olleh')
        self.assertEqual(self.application.posts[0][2], b'hello')
        self.assertNotIn('bits-request-datafile-name', self.application.posts[0][1])
        self.assertEqual(self.server.files['/dir/file'].bytes(), b'hello')

    def test_relative_notification_url(self):
        """It is relative to the directory of the request."""
        self.server.notification_type = 2
        self.server.notification_url = '../notify'
        self.server.url = self.application.url
        self.upload(path='/a/b/file')
        self.assertEqual(self.application.posts[0][0], '/a/notify')

    def test_static_reply(self):
        self.notify(2)
        self.application.headers = {'BITS-Static-Response-URL': 'http://elsewhere/answer'}
        self.assertEqual(self.upload()['bits-reply-url'], 'http://elsewhere/answer')

    def test_application_without_reply(self):
        for kind in (1, 2):
            self.notify(kind)
            self.application.say = lambda data: b''
            self.assertIsNone(self.upload()['bits-reply-url'])

    def test_application_fails_and_is_asked_again(self):
        self.notify(2)
        self.application.script = [Fault(status=503), Fault(status=403)]
        session = self.create()
        for status in (503, 403):
            answer = self.fragment(session, b'hello', 0)
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.error, (f'0x{0x80190000 + status:08X}', '0x7'))
        answer = self.fragment(session, b'o', 4, 5)
        self.assertEqual((answer.status, self.fetch(answer).body), (200, b'olleh'))
        self.assertEqual(len(self.application.posts), 1)

    def test_application_is_away(self):
        self.notify(2)
        self.application.stop()
        self.assertEqual(self.upload().status, 503)

    def test_application_is_too_slow(self):
        self.notify(2)
        self.server.notification_timeout = 0.2
        self.application.script = [Fault(hold=threading.Event())]
        self.assertEqual(self.upload().status, 503)
        session = next(iter(self.server.sessions))
        self.assertEqual(self.fragment(session, b'o', 4, 5).status, 200)
        self.assertEqual(len(self.application.posts), 2)


if __name__ == '__main__':
    tap.main()
