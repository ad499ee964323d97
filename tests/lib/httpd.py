# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""HTTP server with faults by script: every way in which a server can mislead a download.

A `Resource` is a path with virtual content (nothing is stored, GiB cost nothing) and a way of
answering. Its `script` is a list of `Answer`s: each request takes the next one; when the script
is used up the resource answers as it should. What is not said in an `Answer` is as the resource
says.

    server = Server()
    file = server.add('/a', size=64 * MIB, script=[Answer(status=503), Answer(reset=10 * MIB)])
    … get server.url('/a') …
    assert server.ranges('/a') == [None, None, 'bytes=10485760-']
"""
import dataclasses
import email.utils
import functools
import hashlib
import itertools
import random
import re
import select
import socket
import ssl
import struct
import threading
import time

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

BLOCK = MIB
CHUNK = 128 * KIB
LAST_MODIFIED = 'Mon, 02 Jan 2023 03:04:05 GMT'


@functools.lru_cache(maxsize=1)
def noise():
    return random.Random('transferd').randbytes(2 * BLOCK)


class Content:
    """Bytes that follow from (size, seed): any two seeds differ everywhere, and no block is like
    another, so that every splice, shift or repetition changes the digest."""

    def __init__(self, size, seed=0):
        self.size = size
        self.seed = seed
        self.shift = int.from_bytes(hashlib.sha256(f'{seed}'.encode()).digest()[:8]) % BLOCK

    def block(self, number):
        head = hashlib.sha256(f'{self.seed}:{number}'.encode()).digest()
        return head + noise()[self.shift + len(head):self.shift + BLOCK]

    def pieces(self, first=0, end=None):
        """Generates the bytes from `first` up to, not including, `end`."""
        end = self.size if end is None else min(end, self.size)
        while first < end:
            number, offset = divmod(first, BLOCK)
            length = min(BLOCK - offset, end - first)
            block = memoryview(self.block(number))[offset:offset + length]
            for start in range(0, length, CHUNK):
                yield block[start:start + CHUNK]
            first += length

    def bytes(self, first=0, end=None):
        return b''.join(self.pieces(first, end))

    @functools.cached_property
    def sha256(self):
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()


@dataclasses.dataclass
class Answer:
    """One answer. Byte counts are those of the body of this very answer."""

    status: int = 0  # instead of 200, 206 or 416; the body is then a short text
    headers: dict = dataclasses.field(default_factory=dict)  # added; None takes one away
    drop: bool = False  # close the connection instead of answering
    hang: int = 0  # 1: do not answer until released
    stall: int = -1  # stop after so many bytes until released
    truncate: int = -1  # close properly after so many bytes
    reset: int = -1  # close with a reset after so many bytes
    rate: int = 0  # bytes a second
    most: int = 0  # a 206 has no more bytes than this, whatever was asked for
    surplus: int = 0  # bytes sent after the announced length
    ranges: bool | None = None  # False: ignores Range
    content: Content | None = None
    etag: str | None = None
    last_modified: str | None = None
    content_range: str | None = None  # a lie, with {first}, {last} and {total}
    length: str | None = None  # "known", "chunked", "close" (ends with the connection)
    ignore_if_range: bool = False  # answers 206 although the validator does not match
    before: object = None  # called before the answer
    after: object = None  # called after it, whatever happened


class Resource:
    """A path of the server and what has happened to it."""

    def __init__(self, path, content, **options):
        self.path = path
        self.content = content
        self.etag = f'"{content.seed}-{content.size}"'
        self.last_modified = LAST_MODIFIED
        self.ranges = True
        self.length = 'known'
        self.rate = 0
        self.headers = {}
        self.script = []
        self.released = threading.Event()  # ends a stall or hang
        self.stalled = threading.Event()  # an answer stands still now
        for key, value in options.items():
            if not hasattr(self, key):
                raise TypeError(f'a resource has no ‘{key}’')
            setattr(self, key, value)

    @property
    def sha256(self):
        return self.content.sha256

    def become(self, size=None, seed=0, **changes):
        """The file changes on the server: other bytes, another tag."""
        self.content = Content(self.content.size if size is None else size, seed)
        self.etag = f'"{seed}-{self.content.size}"'
        for key, value in changes.items():
            setattr(self, key, value)

    def next_answer(self):
        answer = self.script.pop(0) if self.script else Answer()
        for field in ('ranges', 'content', 'etag', 'last_modified', 'length'):
            if getattr(answer, field) is None:
                answer = dataclasses.replace(answer, **{field: getattr(self, field)})
        answer.rate = answer.rate or self.rate
        return answer


@dataclasses.dataclass
class Request:
    """A line of the log."""

    method: str
    target: str
    headers: dict  # keys in lower case
    connection: int
    time: float
    status: int = 0
    sent: int = 0  # bytes of the body
    done: bool = False  # the answer was sent as a whole

    @property
    def path(self):
        return self.target.partition('?')[0]

    @property
    def range(self):
        return self.headers.get('range')


class Connection:
    """Serves one connection until it ends."""

    def __init__(self, server, sock, number):
        self.server = server
        self.sock = sock
        self.number = number

    def serve(self):
        try:
            with self.sock.makefile('rb') as reader:
                while self.one(reader):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            self.sock.close()

    def one(self, reader):
        """Serves one request; False when the connection is over."""
        line = reader.readline(KIB * 64).decode('latin-1').split()
        if len(line) != 3:
            return False
        headers = {}
        while (field := reader.readline(KIB * 64).decode('latin-1').rstrip('\r\n')):
            key, _, value = field.partition(':')
            headers[key.strip().lower()] = value.strip()
        request = Request(line[0], line[1], headers, self.number, time.monotonic())
        with self.server.lock:
            self.server.log.append(request)
            self.server.busy += 1
            self.server.busy_peak = max(self.server.busy_peak, self.server.busy)
        try:
            return self.answer(request)
        finally:
            with self.server.lock:
                self.server.busy -= 1

    def answer(self, request):
        resource = self.server.resources.get(request.path)
        if resource is None:
            self.send_head(request, 404, {'Content-Length': '0'})
            return True
        answer = resource.next_answer()
        if answer.before:
            answer.before()
        try:
            return self.send(request, resource, answer)
        finally:
            if answer.after:
                answer.after()

    def send(self, request, resource, answer):
        if answer.drop:
            return False
        if answer.hang:
            self.stand_still(resource)
        status, headers, content, first, end = self.judge(request, resource, answer)
        for key, value in (resource.headers | answer.headers).items():
            headers.pop(key, None)
            if value is not None:
                headers[key] = value
        self.send_head(request, status, headers)
        if request.method == 'HEAD':
            return True
        complete = self.send_body(request, resource, answer, content, first, end)
        return complete and headers.get('Connection') != 'close'

    def judge(self, request, resource, answer):
        """What to answer: status, header fields, content, first byte and end."""
        content = answer.content
        headers = {}
        if answer.status:
            content = Content(32, answer.status)
            return answer.status, {'Content-Length': '32'}, content, 0, 32
        if answer.etag:
            headers['ETag'] = answer.etag
        if answer.last_modified:
            headers['Last-Modified'] = answer.last_modified
        if answer.ranges:
            headers['Accept-Ranges'] = 'bytes'
        status, first, end = 200, 0, content.size
        asked = self.asked_range(request, answer, content)
        if asked == 'unsatisfiable':
            headers['Content-Range'] = f'bytes */{content.size}'
            headers['Content-Length'] = '0'
            return 416, headers, content, 0, 0
        if asked:
            status, (first, end) = 206, asked
            if answer.most:
                end = min(end, first + answer.most)
            text = answer.content_range or 'bytes {first}-{last}/{total}'
            headers['Content-Range'] = text.format(first=first, last=end - 1, total=content.size)
        if answer.length == 'chunked':
            headers['Transfer-Encoding'] = 'chunked'
        elif answer.length == 'close':
            headers['Connection'] = 'close'
        else:
            headers['Content-Length'] = str(end - first)
        return status, headers, content, first, end

    @staticmethod
    def asked_range(request, answer, content):
        """(first, end), "unsatisfiable", or None when the whole file is the answer."""
        match = re.fullmatch(r'bytes=(\d*)-(\d*)', request.range or '')
        if not match or not answer.ranges or match[0] == 'bytes=-':
            return None
        validator = request.headers.get('if-range')
        if validator and not answer.ignore_if_range:
            strong = validator.startswith('"') and validator == answer.etag
            if not strong and validator != answer.last_modified:
                return None
        if not match[1]:
            return max(0, content.size - int(match[2])), content.size
        first = int(match[1])
        end = min(int(match[2]) + 1, content.size) if match[2] else content.size
        return (first, end) if first < end else 'unsatisfiable'

    def send_head(self, request, status, headers):
        request.status = status
        lines = [f'HTTP/1.1 {status} Scripted', f'Date: {email.utils.formatdate(usegmt=True)}']
        lines += [f'{key}: {value}' for key, value in headers.items()]
        self.sock.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1'))

    def send_body(self, request, resource, answer, content, first, end):
        """TRUE when the answer was sent to its proper end."""
        chunked = answer.length == 'chunked' and not answer.status
        start = time.monotonic()
        stops = sorted(x for x in (answer.stall, answer.truncate, answer.reset) if x >= 0)
        sent = 0
        for piece in self.cut(content.pieces(first, end), stops, answer.rate):
            if len(piece):
                self.sock.sendall(b'%x\r\n%b\r\n' % (len(piece), piece) if chunked else piece)
            sent = request.sent = sent + len(piece)
            if sent == answer.stall:
                self.stand_still(resource)
            if sent == answer.reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                return False
            if sent == answer.truncate:
                return False
            if answer.rate:
                self.pace(start + sent / answer.rate)
        if answer.surplus:
            self.sock.sendall(Content(answer.surplus, 'surplus').bytes())
            return False
        if chunked:
            self.sock.sendall(b'0\r\n\r\n')
        request.done = True
        return answer.length != 'close' or bool(answer.status)

    @staticmethod
    def cut(pieces, stops, rate):
        """The pieces, cut so that one of them ends at each of `stops`, small ones for a rate."""
        most = max(1, min(CHUNK, rate // 20)) if rate else CHUNK
        position = 0
        if 0 in stops:
            yield b''
        for piece in pieces:
            while piece:
                length = min(len(piece), most)
                for stop in stops:
                    if position < stop < position + length:
                        length = stop - position
                        break
                yield piece[:length]
                position += length
                piece = piece[length:]

    def pace(self, until):
        """Keeps to the rate: waits until the time has come or the server ends."""
        self.server.stopping.wait(max(0, until - time.monotonic()))
        if self.server.stopping.is_set():
            raise OSError('stopping')

    def stand_still(self, resource):
        """Sends nothing until the test releases the resource or the client goes away."""
        resource.stalled.set()
        while not resource.released.wait(0.02):
            readable, _, _ = select.select([self.sock], [], [], 0)
            if self.server.stopping.is_set() or (readable and not self.peek()):
                raise OSError('the client went away')

    def peek(self):
        return isinstance(self.sock, ssl.SSLSocket) or self.sock.recv(1, socket.MSG_PEEK)


class Server:
    """Listens on a free port of an address of this machine, a thread for each connection."""

    def __init__(self, certificate=None, address='127.0.0.1'):
        self.address = address
        self.resources = {}
        self.log = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.busy = 0
        self.busy_peak = 0  # most requests that were served at one time
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
        self.connections = []
        self.numbers = itertools.count(1)
        self.listener = socket.create_server((address, 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                if self.stopping.is_set():
                    sock.close()
                    return
                self.connections = [old for old in self.connections if old.fileno() >= 0] + [sock]
            threading.Thread(target=self.serve, args=(sock, next(self.numbers)), daemon=True).start()

    def serve(self, sock, number):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            try:
                sock = self.tls.wrap_socket(sock, server_side=True)
            except OSError:
                sock.close()
                return
        Connection(self, sock, number).serve()

    def stop(self):
        """Ends all connections; the port refuses from now on."""
        self.stopping.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        with self.lock:
            for sock in self.connections:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def add(self, path, size=0, seed=None, **options):
        """Serves `size` bytes that follow from `seed` (default: the path)."""
        resource = Resource(path, Content(size, path if seed is None else seed), **options)
        self.resources[path] = resource
        return resource

    def redirect(self, path, location, status=302):
        """Answers `status` and `location` to every request."""
        return self.add(path, script=Forever(Answer(status=status, headers={'Location': location})))

    def url(self, path):
        return f'{"https" if self.tls else "http"}://{self.address}:{self.port}{path}'

    def requests(self, path=None):
        with self.lock:
            return [one for one in self.log if path is None or one.path == path]

    def ranges(self, path):
        """The Range field of each request for `path`, None where there was none."""
        return [request.range for request in self.requests(path)]


class Forever:
    """A script without end."""

    def __init__(self, answer):
        self.answer = answer

    def pop(self, _index):
        return dataclasses.replace(self.answer)

    def __bool__(self):
        return True
