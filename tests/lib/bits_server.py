# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A server of the BITS upload protocol, as IIS' extension is one, with every fault as a knob.

    server = BitsServer()
    server.script = [Fault('Fragment', drop=1000), Fault('Fragment', skip=2, before=server.forget)]
    … upload to server.url('/dir/file') …
    assert server.files['/dir/file'].sha256 == …

Its behaviour is that of [MC-BUP] and of the BITS server extension; what the application behind it says comes
from a real HTTP server, `Application`, or from `reply`.
"""
import http.client
import itertools
import os
import re
import threading
import time
import urllib.parse

from httpd import Resource
from upload_server import Bytes, UploadServer

GUID = '{7df0354d-249b-430f-820d-3d2a9bef4931}'
INVALID = 0x80070057
DENIED = 0x80070005
EXISTS = 0x80070050
NOT_FOUND = 0x8020001F
TOO_LARGE = 0x80200020
EXECUTE_ENABLED = 0x80200023
SERVER, APPLICATION = 5, 7
PACKETS = ('ping', 'create-session', 'fragment', 'close-session', 'cancel-session')


class Refusal(Exception):
    """An error answer."""

    def __init__(self, status, code=0, context=SERVER, headers=None):
        super().__init__(f'{status} {code:#x}')
        self.status, self.code, self.context = status, code, context
        self.headers = headers or {}


class Session:
    """An upload that is under way, or over and not closed."""

    def __init__(self, number, path, query, user, data, now):
        self.id = f'{{{number:08x}-0000-4000-8000-000000000000}}'
        self.path, self.query, self.user, self.data = path, query, user, data
        self.name = None  # Content-Name
        self.total = None
        self.finished = False  # published, or posted to the application
        self.reply_path = None
        self.reply_url = None
        self.progress = now
        self.lock = threading.Lock()

    def remove(self):
        self.data.remove()


class BitsServer(UploadServer):
    """The settings of the BITS server extension are attributes."""

    def __init__(self, certificate=None, address='127.0.0.1', sink=False):
        self.sessions = {}
        self.files = {}  # path: Received
        self.numbers_of_sessions = itertools.count(1)
        self.upload_enabled = True
        self.disabled_status = 404  # 501: as older servers
        self.session_timeout = 14 * 86400
        self.maximum_upload_size = 1844674407370955
        self.too_large_status = 413
        self.sessions_limit = 50
        self.allow_overwrites = False
        self.executable = set()  # directories
        self.readonly = set()  # paths
        self.notification_type = 0
        self.notification_url = None
        self.notification_timeout = 300
        self.reply = None  # bytes: what the application would have said
        self.reply_options = {}  # for the Resource that it is
        self.reply_relative = False
        self.host_id = None
        self.host_id_timeout = None
        self.node = None  # another BitsServer, which has the sessions of this one
        self.protocol = GUID
        self.create_status = 200
        self.error_fields = ('BITS-Error-Code', 'BITS-Error')
        self.packet_field = 'BITS-Packet-Type'
        self.keep_partial = True  # what came of a fragment that broke off
        self.now = time.monotonic
        super().__init__(certificate, address, sink)

    # Knobs

    def forget(self, _request=None):
        """All sessions are lost; what was published stays."""
        self.sessions.clear()

    def lose_bytes(self, size):
        """Sessions have `size` bytes at most, as after a crash."""
        for session in self.sessions.values():
            if session.data.size > size:
                session.data.truncate(size)

    def clean_up(self):
        """The task that runs every twelve hours."""
        now = self.now()
        for session in [one for one in self.sessions.values()
                        if now - one.progress > self.session_timeout]:
            self.remove(session)

    # The protocol

    def kind_of(self, request):
        packet = request.headers.get('bits-packet-type', '')
        if request.method != 'BITS_POST' or packet.lower() not in PACKETS:
            return request.method
        return '-'.join(word.capitalize() for word in packet.split('-'))

    def handle(self, connection, request, body):
        if request.method == 'OPTIONS':
            allowed = 'OPTIONS, GET, HEAD' + (', BITS_POST' if self.upload_enabled else '')
            return 200, {'Allow': allowed, 'Public': allowed}, b''
        if request.method in ('GET', 'HEAD'):
            return 404, {}, b''
        if request.method != 'BITS_POST':
            return (405 if request.method in ('PUT', 'POST') else 501), {'Allow': 'BITS_POST'}, b''
        headers = {self.packet_field: 'Ack'}
        try:
            if not self.upload_enabled:
                raise Refusal(self.disabled_status)
            if body.length is None:
                raise Refusal(411, INVALID)
            packets = {'Ping': self.ping, 'Create-Session': self.create,
                       'Fragment': self.fragment, 'Close-Session': self.close,
                       'Cancel-Session': self.close}
            if request.what not in packets:
                raise Refusal(400, INVALID)
            status, more = packets[request.what](request, body)
            return status, headers | more, b''
        except Refusal as refusal:
            if refusal.code or refusal.status == 416:
                for field in self.error_fields:
                    headers[field] = f'0x{refusal.code:08X}' if refusal.code else '0x0'
                headers['BITS-Error-Context'] = f'0x{refusal.context:x}'
            return refusal.status, headers | refusal.headers, b''

    @staticmethod
    def user_of(request):
        scheme, _, token = request.headers.get('authorization', '').partition(' ')
        return token if scheme.lower() == 'basic' else ''

    def ping(self, _request, _body):
        return 200, {}

    def create(self, request, _body):
        offered = request.headers.get('bits-supported-protocols', '').lower().split()
        if self.protocol.lower() not in offered and GUID in offered and self.protocol != GUID:
            pass  # a server that chooses what was not offered
        elif self.protocol.lower() not in offered:
            raise Refusal(400, INVALID)
        path, _, query = request.target.partition('?')
        self.check_target(path)
        owner = self.node or self
        session = Session(next(owner.numbers_of_sessions), path, query, self.user_of(request),
                          owner.received(), self.now())
        owner.make_room(session.user)
        owner.sessions[session.id] = session
        headers = {'BITS-Protocol': self.protocol, 'BITS-Session-Id': session.id,
                   'Accept-Encoding': 'Identity'}
        if self.host_id:
            headers['BITS-Host-Id'] = self.host_id
            if self.host_id_timeout is not None:
                headers['BITS-Host-Id-Fallback-Timeout'] = str(self.host_id_timeout)
        return self.create_status, headers

    def check_target(self, path):
        if path in self.readonly:
            raise Refusal(403, DENIED)
        if path.rpartition('/')[0] in self.executable:
            raise Refusal(403, EXECUTE_ENABLED)
        if self.notification_type == 0 and path in self.files and not self.allow_overwrites:
            raise Refusal(409, EXISTS)

    def make_room(self, user):
        """The most recent sessions go first."""
        own = [one for one in self.sessions.values() if one.user == user]
        while self.sessions_limit and len(own) >= self.sessions_limit:
            self.remove(own.pop())

    def remove(self, session):
        self.sessions.pop(session.id, None)
        if session.reply_path:
            self.resources.pop(session.reply_path, None)
        if not session.finished:
            session.remove()

    def session_of(self, request):
        session = self.sessions.get(request.headers.get('bits-session-id'))
        if session is None or session.user != self.user_of(request):
            raise Refusal(500, NOT_FOUND)
        return session

    def close(self, request, _body):
        session = self.session_of(request)
        self.remove(session)
        return 200, {'BITS-Session-Id': session.id}

    def fragment(self, request, body):
        session = self.session_of(request)
        first, last, total = self.parse_range(request, body)
        with session.lock:
            if session.total not in (None, total):
                raise Refusal(400, INVALID)
            if total > self.maximum_upload_size:
                raise Refusal(self.too_large_status, TOO_LARGE)
            if first == 0 and session.name is None:
                session.name = request.headers.get('content-name')
                if not session.name:
                    raise Refusal(400, INVALID)
            session.total = total
            if first > session.data.size:
                raise Refusal(416, headers={'BITS-Session-Id': session.id,
                                            'BITS-Received-Content-Range': str(session.data.size)})
            self.store(session, body, first)
            session.progress = self.now()
            headers = {'BITS-Session-Id': session.id,
                       'BITS-Received-Content-Range': str(session.data.size)}
            if session.data.size == total:
                self.finish(session, request)
                if session.reply_url:
                    headers['BITS-Reply-URL'] = session.reply_url
        return 200, headers

    @staticmethod
    def parse_range(request, body):
        """(first, last, total); last is first - 1 for a file without bytes."""
        text = request.headers.get('content-range', '')
        if text == 'bytes */0' or (text == 'bytes 0-0/0'):
            first, last, total = 0, -1, 0
        elif match := re.fullmatch(r'bytes (\d+)-(\d+)/(\d+)', text):
            first, last, total = (int(group) for group in match.groups())
            if last < first or last >= total:
                raise Refusal(400, INVALID)
        else:
            raise Refusal(400, INVALID)
        if body.length != last - first + 1:
            raise Refusal(400, INVALID)
        return first, last, total

    def store(self, session, body, first):
        """Writes what is new; nothing is ever overwritten."""
        position = first
        before = session.data.size
        try:
            for piece in body.pieces():
                new = max(0, session.data.size - position)
                position += len(piece)
                if new < len(piece):
                    session.data.append(piece[new:])
        except BaseException:
            if not (self.keep_partial and body.fault.keep) and session.data.path:
                session.data.truncate(before)
            raise

    def finish(self, session, request):
        """All is here. The application may be asked more than once."""
        if session.finished:
            return
        reply = self.reply
        publish = self.notification_type == 0
        if self.notification_type:
            reply, publish = self.notify(session, request)
        session.finished = True
        if publish:
            old = self.files.get(session.path)
            self.files[session.path] = session.data
            if old is not None:
                old.remove()
        else:
            session.remove()
        if isinstance(reply, str):
            session.reply_url = reply
        elif reply is not None:
            self.offer_reply(session, reply)

    def offer_reply(self, session, data):
        session.reply_path = f'/BITS-Sessions/Replies/{session.id.strip("{}")}/reply'
        self.resources[session.reply_path] = Resource(session.reply_path, Bytes(data),
                                                      **self.reply_options)
        session.reply_url = (session.reply_path if self.reply_relative
                             else self.url(session.reply_path))

    # The application (H.6)

    def notify(self, session, request):
        """(reply: bytes, a URL, or None; whether the file goes to its destination)"""
        url = urllib.parse.urljoin(self.url(session.path), self.notification_url)
        parts = urllib.parse.urlsplit(url)
        target = parts.path + (f'?{session.query}' if session.query else '')
        headers = {'BITS-Original-Request-URL': self.url(request.target)}
        answer = os.path.join(self.temporary.name, f'reply-{session.id}')
        data = b''
        if self.notification_type == 1:
            headers['BITS-Request-DataFile-Name'] = session.data.path
            headers['BITS-Response-DataFile-Name'] = answer
        else:
            data = session.data.bytes()
        connection = http.client.HTTPConnection(parts.hostname, parts.port,
                                                timeout=self.notification_timeout)
        try:
            connection.request('POST', target, data, headers | {'Content-Length': str(len(data))})
            response = connection.getresponse()
            body = response.read()
        except OSError as error:
            raise Refusal(503, 0x80190000 + 503, SERVER) from error
        finally:
            connection.close()
        if response.status != 200:
            raise Refusal(response.status, 0x80190000 + response.status, APPLICATION)
        if self.notification_type == 1:
            body = b''
            if os.path.exists(answer):
                with open(answer, 'rb') as file:
                    body = file.read()
                os.unlink(answer)
        reply = response.getheader('BITS-Static-Response-URL') or body or None
        return reply, response.getheader('BITS-Copy-File-To-Destination') is not None


class Application(UploadServer):
    """The server application behind a BitsServer: answers what `say` says, and remembers."""

    def __init__(self):
        self.posts = []  # (target, header fields, body or what the named file holds)
        self.say = lambda data: data[::-1]
        self.headers = {}
        super().__init__()

    def handle(self, connection, request, body):
        data = body.read()
        name = request.headers.get('bits-request-datafile-name')
        if name:
            with open(name, 'rb') as file:
                data = file.read()
        self.posts.append((request.target, request.headers, data))
        reply = self.say(data)
        answer = request.headers.get('bits-response-datafile-name')
        if answer:
            if reply:
                with open(answer, 'wb') as file:
                    file.write(reply)
            reply = b''
        return 200, dict(self.headers), reply or b''
