# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A server of "Resumable Uploads for HTTP", draft-ietf-httpbis-resumable-upload-11 (interop version
8), with its liberties and faults as knobs.

    server = ResumableServer()
    server.script = [Fault('PATCH', drop=1000)]
    … upload to server.url('/files') …
    assert server.complete[0].data.sha256 == …
"""
import base64
import itertools
import json
import re
import threading
import time

from upload_server import Drop, UploadServer

VERSION = '8'
PARTIAL = 'application/partial-upload'
PROBLEM = 'https://iana.org/assignments/http-problem-types#'


class Upload:
    """An upload resource."""

    def __init__(self, path, target, headers, data):
        self.path, self.target, self.headers, self.data = path, target, headers, data
        self.length = None
        self.complete = False
        self.lock = threading.Lock()
        self.connection = None  # the request under way: a newer one ends it
        self.made = time.monotonic()


class Problem(Exception):
    def __init__(self, status, kind=None, headers=None, **members):
        super().__init__(kind)
        self.status, self.kind, self.members = status, kind, members
        self.headers = headers or {}


def structured(kind):
    """A reader for Integer or Boolean fields; other values are ignored."""
    def read(request, name):
        value = request.headers.get(name)
        if kind is bool:
            return {'?0': False, '?1': True}.get(value)
        return int(value) if value and re.fullmatch(r'\d{1,15}', value) else None
    return read


INTEGER, BOOLEAN = structured(int), structured(bool)


class ResumableServer(UploadServer):
    """Uploads are created by POST and PUT; a request without Upload-Complete is an ordinary one."""

    def __init__(self, certificate=None, address='127.0.0.1', sink=False):
        self.uploads = {}  # by path
        self.complete = []  # Uploads, in the order of their completion
        self.numbers_of_uploads = itertools.count(1)
        self.limits = {}  # of Upload-Limit
        self.hard_limit = None  # bytes of one request, not announced
        self.interim = True  # 104 with the Location
        self.progress_every = 0  # 104 with the offset after so many bytes
        self.version = VERSION
        self.offset_in_answers = False
        self.keep_partial = True
        self.keep_complete = True  # upload resources of what is complete
        self.relative = False
        self.digest = False  # Repr-Digest although nobody wants it
        self.corrupt = False  # it is that of other bytes
        self.say = lambda upload: (200, {}, b'')  # processes what is complete
        super().__init__(certificate, address, sink)

    # Knobs

    def forget(self, _request=None):
        self.uploads.clear()

    def lose_bytes(self, size):
        """Not allowed by the draft: offsets go backwards."""
        for upload in self.uploads.values():
            if upload.data.size > size:
                upload.data.truncate(size)

    # The protocol

    def handle(self, connection, request, body):
        upload = self.uploads.get(request.path)
        methods = {'HEAD': self.head, 'PATCH': self.patch, 'DELETE': self.delete}
        try:
            if request.method == 'OPTIONS':
                return 204, {'Accept-Patch': PARTIAL, 'Allow': 'POST, PUT, PATCH, OPTIONS',
                             **self.limit_field(), 'Content-Length': None}, b''
            if request.method in methods:
                if upload is None:
                    raise Problem(404)
                return methods[request.method](connection, request, body, upload)
            if request.method in ('POST', 'PUT'):
                return self.create(connection, request, body)
            raise Problem(405)
        except Problem as problem:
            data = b''
            headers = dict(problem.headers)
            if problem.kind:
                headers['Content-Type'] = 'application/problem+json'
                data = json.dumps({'type': PROBLEM + problem.kind, **problem.members}).encode()
            return problem.status, headers, data

    def limit_field(self):
        if not self.limits:
            return {}
        return {'Upload-Limit': ', '.join(f'{key}={value}' for key, value in self.limits.items())}

    def create(self, connection, request, body):
        path = f'/uploads/{next(self.numbers_of_uploads)}'
        upload = Upload(path, request.target, request.headers, self.received())
        whole = BOOLEAN(request, 'upload-complete')
        if whole is None:  # an upload as ever
            upload.data.append(body.read())
            return self.process(upload)
        self.note_length(upload, request, body, whole, 0)
        if upload.length is not None and upload.length > self.limits.get('max-size', 1 << 62):
            raise Problem(413)
        self.uploads[path] = upload
        location = {'Location': path if self.relative else self.url(path)}
        if self.interim and request.headers.get('upload-draft-interop-version') == self.version:
            connection.inform(104, location | self.limit_field() |
                              {'Upload-Draft-Interop-Version': self.version})
        self.append(connection, request, body, upload)
        if whole:
            return self.finish(upload)
        return 201, location | self.limit_field(), b''

    def note_length(self, upload, request, body, whole, offset):
        lengths = {upload.length, INTEGER(request, 'upload-length'),
                   offset + body.length if whole and body.length is not None else None}
        lengths.discard(None)
        if len(lengths) > 1:
            raise Problem(400, 'inconsistent-upload-length')
        if lengths:
            upload.length = lengths.pop()

    def state_of(self, upload):
        headers = {'Upload-Offset': str(upload.data.size), 'Cache-Control': 'no-store',
                   'Upload-Complete': '?1' if upload.complete else '?0'}
        if upload.length is not None:
            headers['Upload-Length'] = str(upload.length)
        return headers | self.limit_field()

    def take_over(self, connection, upload):
        """A request that is still under way has failed for the client: it is ended."""
        old, upload.connection = upload.connection, connection
        if old not in (None, connection):
            try:
                old.sock.shutdown(2)
            except OSError:
                pass

    def head(self, connection, _request, _body, upload):
        self.take_over(connection, upload)
        with upload.lock:
            upload.connection = None
            return 204, self.state_of(upload) | {'Content-Length': None}, b''

    def delete(self, connection, _request, _body, upload):
        self.take_over(connection, upload)
        with upload.lock:
            if not upload.complete:
                upload.data.remove()
            self.uploads.pop(upload.path, None)
            return 204, {'Content-Length': None}, b''

    def patch(self, connection, request, body, upload):
        whole = BOOLEAN(request, 'upload-complete')
        offset = INTEGER(request, 'upload-offset')
        if request.headers.get('content-type') != PARTIAL:
            raise Problem(415)
        if whole is None or offset is None:
            raise Problem(400)
        self.take_over(connection, upload)
        with upload.lock:
            if upload.complete:
                raise Problem(400, 'completed-upload')
            if offset != upload.data.size:
                raise Problem(409, 'mismatching-upload-offset',
                              {'Upload-Offset': str(upload.data.size)},
                              **{'expected-offset': upload.data.size, 'provided-offset': offset})
            self.check_size(body, whole)
            self.note_length(upload, request, body, whole, offset)
            self.append(connection, request, body, upload)
            upload.connection = None
            if whole:
                return self.finish(upload)
            headers = {'Upload-Complete': '?0', 'Content-Length': None}
            if self.offset_in_answers:
                headers['Upload-Offset'] = str(upload.data.size)
            return 204, headers | self.limit_field(), b''

    def check_size(self, body, whole):
        length = body.length or 0
        if length > self.limits.get('max-append-size', 1 << 62) or (
                not whole and length < self.limits.get('min-append-size', 0)):
            raise Problem(400)
        if self.hard_limit is not None and length > self.hard_limit:
            raise Problem(413)

    def append(self, connection, request, body, upload):
        before = upload.data.size
        told = before
        answers = request.headers.get('upload-draft-interop-version') == self.version
        try:
            for piece in body.pieces():
                upload.data.append(piece)
                if upload.length is not None and upload.data.size > upload.length:
                    self.uploads.pop(upload.path, None)
                    raise Problem(400, 'inconsistent-upload-length')
                if answers and self.progress_every and (
                        upload.data.size - told >= self.progress_every):
                    told = upload.data.size
                    connection.inform(104, {'Upload-Draft-Interop-Version': self.version,
                                            'Upload-Offset': str(told)})
        except Drop:
            if not (self.keep_partial and body.fault.keep) and upload.data.path:
                upload.data.truncate(before)
            raise

    def finish(self, upload):
        upload.complete = True
        if not self.keep_complete:
            self.uploads.pop(upload.path, None)
        status, headers, data = self.process(upload)
        return status, headers | {'Upload-Complete': '?1'}, data

    def process(self, upload):
        """What the resource that was the target makes of it."""
        self.complete.append(upload)
        status, headers, data = self.say(upload)
        wanted = 'want-repr-digest' in upload.headers or 'repr-digest' in upload.headers
        if wanted or self.digest:
            digest = b'\0' * 32 if self.corrupt else upload.data.digest.digest()
            headers = headers | {
                'Repr-Digest': f'sha-256=:{base64.b64encode(digest).decode()}:'}
        return status, headers, data
