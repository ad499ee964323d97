# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A server that takes files by PUT and POST and knows nothing else, with faults by script.

    server = PlainServer()
    server.script = [Fault('PUT', drop=1000), Fault('PUT', status=503)]
    … upload to server.url('/a') …
    assert server.files['/a'].sha256 == …
"""
import re

from upload_server import UploadServer


class PlainServer(UploadServer):
    """A file appears when its last byte is here."""

    def __init__(self, certificate=None, address='127.0.0.1', sink=False):
        self.files = {}  # path: Received
        self.posts = []  # Received, in order
        self.reply = b''  # the body of the answer
        self.ranges = None  # PUT with Content-Range is offered: "joined", "refused", "ignored"
        self.digest = None  # function of what was received: the field Repr-Digest
        super().__init__(certificate, address, sink)

    def handle(self, connection, request, body):
        if request.method == 'OPTIONS':
            offer = {'Accept-Ranges': 'bytes'} if self.ranges else {}
            return 200, {'Allow': 'OPTIONS, GET, HEAD, PUT, POST'} | offer, b''
        if request.method == 'HEAD':
            data = self.files.get(request.path)
            return (200, {'Content-Length': str(data.size)}, b'') if data else (404, {}, b'')
        if request.method not in ('PUT', 'POST'):
            return 405, {'Allow': 'OPTIONS, GET, HEAD, PUT, POST'}, b''
        if body.length is None:
            return 411, {}, b''
        part = re.fullmatch(r'bytes (\d+)-(\d+)/(\d+)', request.headers.get('content-range', ''))
        if part and self.ranges == 'joined':
            return self.join(request, body, int(part[1]))
        if part and self.ranges == 'refused':
            return 501, {}, b''
        data = self.received()
        for piece in body.pieces():
            data.append(piece)
        if request.method == 'POST':
            self.posts.append(data)
        else:
            self.files[request.path] = data
        headers = {'Repr-Digest': self.digest(data)} if self.digest else {}
        return (200 if self.reply else 201), headers, self.reply

    def join(self, request, body, first):
        """Writes a part where it belongs, as far as it comes."""
        data = self.files.setdefault(request.path, self.received())
        if first > data.size:
            return 416, {}, b''
        data.truncate(first)
        for piece in body.pieces():
            data.append(piece)
        return 204, {}, b''
