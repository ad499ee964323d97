# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""What the servers for uploads share: bodies as they come in, faults by script, what was received.

A server for downloads (httpd.py) serves GET and HEAD, so that replies have all of its faults; the
protocol of a subclass takes the other methods in `handle`. A server can be stopped and started
again at the same port, with its state kept.
"""
import base64
import dataclasses
import hashlib
import os
import select
import socket
import struct
import tempfile
import threading
import time

from httpd import CHUNK, KIB, MIB, Connection, Content, Request, Server

REASONS = {100: 'Continue', 104: 'Upload Resumption Supported', 200: 'OK', 201: 'Created',
           204: 'No Content', 416: 'Range Not Satisfiable'}


class Drop(Exception):
    """The connection ends now, without an answer."""


@dataclasses.dataclass
class Fault:
    """What goes wrong with one request. What is not said is as it should be."""

    what: str = ''  # the packet or method that it is for; '': any
    skip: int = 0  # so many of those go well before
    path: str = ''  # only requests for this path
    status: int = 0  # answered instead of doing anything
    headers: dict = dataclasses.field(default_factory=dict)  # added to the answer; None takes one away
    drop: int = -1  # the connection is reset after so many bytes of the body
    stall: int = -1  # after so many bytes nothing more is read until the server is released
    keep: bool = True  # the bytes that came before that are kept
    lose: bool = False  # all is done, but the answer is not sent
    hold: object = None  # an Event: the answer waits for it
    before: object = None  # called with the request before anything is done
    after: object = None  # called with the request when all is done, before the answer


@dataclasses.dataclass
class UploadRequest(Request):
    """A line of the log."""

    what: str = ''  # packet or method
    received: int = 0  # bytes of the body


class Received:
    """Bytes as they were received, on disk or, as a sink, only counted and digested."""

    def __init__(self, directory=None):
        self.size = 0
        self.digest = hashlib.sha256()
        self.path = None
        if directory:
            descriptor, self.path = tempfile.mkstemp(dir=directory)
            os.close(descriptor)

    def append(self, data):
        if self.path:
            with open(self.path, 'ab') as file:
                file.write(data)
        self.digest.update(data)
        self.size += len(data)

    def truncate(self, size):
        """Bytes get lost (not in a sink)."""
        os.truncate(self.path, size)
        self.size, self.digest = 0, hashlib.sha256()
        with open(self.path, 'rb') as file:
            while data := file.read(MIB):
                self.digest.update(data)
                self.size += len(data)

    @property
    def sha256(self):
        return self.digest.hexdigest()

    def bytes(self):
        with open(self.path, 'rb') as file:
            return file.read()

    def remove(self):
        if self.path:
            os.unlink(self.path)
            self.path = None


class Bytes(Content):
    """Bytes that are what they are, for Resource."""

    def __init__(self, data):
        super().__init__(len(data), hashlib.sha256(data).hexdigest()[:16])
        self.data = data

    def pieces(self, first=0, end=None):
        view = memoryview(self.data)[first:self.size if end is None else end]
        for start in range(0, len(view), CHUNK):
            yield view[start:start + CHUNK]


class Body:
    """The body of a request, read as it is asked for."""

    def __init__(self, connection, reader, request, fault):
        self.connection = connection
        self.reader = reader
        self.request = request
        self.fault = fault
        length = request.headers.get('content-length')
        self.length = int(length) if length and length.isdigit() else None
        self.left = self.length or 0
        self.expected = request.headers.get('expect', '').lower() == '100-continue'

    def pieces(self):
        """Generates what comes; Drop when the fault or the client says so."""
        if self.expected and self.left:
            self.expected = False
            self.connection.inform(100)
        while self.left:
            self.break_off()
            most = min(self.left, CHUNK)
            for stop in self.fault.drop, self.fault.stall:
                if stop > self.request.received:
                    most = min(most, stop - self.request.received)
            data = self.reader.read1(most)
            if not data:
                raise Drop('the client went away')
            self.left -= len(data)
            self.request.received += len(data)
            self.pace()
            yield data
        self.break_off()

    def break_off(self):
        if self.request.received == self.fault.stall:
            self.connection.server.stand_still(self.connection.stopping)
        if 0 <= self.fault.drop <= self.request.received:
            raise Drop('as the script says')
        if self.connection.stopping.is_set():
            raise Drop('the server stops')

    def pace(self):
        rate = self.connection.server.rate
        if rate:
            self.connection.pace(self.request.time + self.request.received / rate)

    def read(self):
        return b''.join(self.pieces())

    def drain(self):
        """FALSE when too much is left to be read for nothing, or the client waits for a word."""
        if self.expected or self.left > MIB:
            return not self.left
        for _ in self.pieces():
            pass
        return True


class UploadConnection(Connection):
    """Serves one connection until it ends."""

    def __init__(self, server, sock, number):
        super().__init__(server, sock, number)
        self.stopping = server.stopping  # not that of the server when it was started again

    def one(self, reader):
        line = reader.readline(KIB * 64).decode('latin-1').split()
        if len(line) != 3:
            return False
        headers = {}
        while (field := reader.readline(KIB * 64).decode('latin-1').rstrip('\r\n')):
            key, _, value = field.partition(':')
            headers[key.strip().lower()] = value.strip()
        request = UploadRequest(line[0], line[1], headers, self.number, time.monotonic())
        request.what = self.server.kind_of(request)
        with self.server.lock:
            self.server.log.append(request)
            self.server.logged.notify_all()
        if request.method in ('GET', 'HEAD') and request.path in self.server.resources:
            return self.answer(request)
        return self.take(request, reader)

    def take(self, request, reader):
        """One request of the protocol; False when the connection is over."""
        fault = self.server.next_fault(request)
        body = Body(self, reader, request, fault)
        try:
            status, headers, data = self.outcome(request, body, fault)
        except Drop:
            if fault.drop >= 0 or fault.lose:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            return False
        alive = body.drain()
        headers = {'Content-Length': str(len(data)), **headers, **fault.headers}
        if self.server.chunked and headers.pop('Content-Length', None):
            headers['Transfer-Encoding'] = 'chunked'
            data = b'%x\r\n%b\r\n0\r\n\r\n' % (len(data), data) if data else b'0\r\n\r\n'
        if not alive:
            headers['Connection'] = 'close'
        if self.server.lower_case:
            headers = {key.lower(): value for key, value in headers.items()}
        self.send_head(request, status, {k: v for k, v in headers.items() if v is not None})
        if request.method != 'HEAD':
            self.sock.sendall(data)
        request.done = True
        if not alive:
            self.linger()
        return alive

    def outcome(self, request, body, fault):
        if fault.before:
            fault.before(request)
        if self.server.authorization and (
                request.headers.get('authorization') != self.server.authorization):
            return 401, {'WWW-Authenticate': 'Basic realm="test"'}, b''
        if fault.status:
            return fault.status, {}, b''
        outcome = self.server.handle(self, request, body)
        if fault.after:
            fault.after(request)
        if fault.hold:
            self.wait_for(fault.hold)
        if fault.lose:
            raise Drop('the answer is lost')
        return outcome

    def wait_for(self, event):
        """Until the event is set or the client goes away."""
        while not event.wait(0.02):
            readable, _, _ = select.select([self.sock], [], [], 0)
            if self.stopping.is_set() or (readable and not self.peek()):
                raise Drop('nobody waits any more')

    def inform(self, status, headers=None):
        """Sends an informational answer."""
        lines = [f'HTTP/1.1 {status} {REASONS.get(status, "Scripted")}']
        lines += [f'{key}: {value}' for key, value in (headers or {}).items()]
        self.sock.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1'))

    def linger(self):
        """Lets the client read the answer before what it still sends is refused."""
        self.sock.shutdown(socket.SHUT_WR)
        self.sock.settimeout(2)
        try:
            while self.sock.recv(MIB):
                pass
        except OSError:
            pass


class UploadServer(Server):
    """Listens on a free port, a thread for each connection."""

    def __init__(self, certificate=None, address='127.0.0.1', sink=False):
        self.script = []
        self.authorization = None
        self.lower_case = False
        self.chunked = False  # answers come in chunks, without Content-Length
        self.rate = 0  # bytes a second of a body
        self.stalled = threading.Event()
        self.released = threading.Event()
        self.sink = sink
        self.temporary = tempfile.TemporaryDirectory(prefix='tfd-uploads-')
        super().__init__(certificate, address)
        self.logged = threading.Condition(self.lock)

    # What a protocol says

    def kind_of(self, request):
        """The name that faults and tests have for a request."""
        return request.method

    def handle(self, connection, request, body):
        """(status, header fields, body) of the answer."""
        raise NotImplementedError

    # What tests say

    def stand_still(self, stopping):
        released = self.released
        self.stalled.set()
        while not released.wait(0.02):
            if stopping.is_set():
                raise Drop('the server stops')

    def release(self):
        """Ends a stall; there may be another one."""
        released, self.released = self.released, threading.Event()
        self.stalled.clear()
        released.set()

    def require(self, user, password):
        token = base64.b64encode(f'{user}:{password}'.encode()).decode()
        self.authorization = f'Basic {token}'

    def received(self):
        """A place for bytes."""
        return Received(None if self.sink else self.temporary.name)

    def next_fault(self, request):
        with self.lock:
            for fault in self.script:
                if fault.what not in ('', request.what) or fault.path not in ('', request.path):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    break
                self.script.remove(fault)
                return fault
        return Fault()

    def kinds(self, *leave_out):
        """The requests so far, by name."""
        return [one.what for one in self.requests() if one.what not in leave_out]

    def wait_for(self, condition, timeout=30):
        """Waits until `condition` of the log is true, or of what comes of a request after it was logged,
        of which nobody tells."""
        end = time.monotonic() + timeout
        with self.lock:
            while not condition(self.log):
                if time.monotonic() > end:
                    raise AssertionError(f'only {[one.what for one in self.log]} came')
                self.logged.wait(0.02)

    def serve(self, sock, number):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            try:
                sock = self.tls.wrap_socket(sock, server_side=True)
            except OSError:
                sock.close()
                return
        UploadConnection(self, sock, number).serve()

    def start(self):
        """Listens again where it did before it was stopped."""
        self.stopping = threading.Event()
        end = time.monotonic() + 20
        while True:
            try:
                self.listener = socket.create_server((self.address, self.port), backlog=256)
                break
            except OSError:  # somebody's connection from there is not quite over
                if time.monotonic() > end:
                    raise
                self.stopping.wait(0.05)
        threading.Thread(target=self.accept, daemon=True).start()

    def end(self):
        self.stop()
        self.temporary.cleanup()
