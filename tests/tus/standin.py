#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A small server of tus 1.0 for machines that do not reach the npm registry, where the reference
server cannot be had: standin.py DIRECTORY PORT, with the variables and the files of server.js."""
import base64
import email.utils
import http.server
import itertools
import json
import os
import sys
import threading
import time

DIRECTORY, PORT = sys.argv[1], int(sys.argv[2])
MAXIMUM = int(os.environ.get('TFD_TUS_MAXIMUM', '0'))
EXPIRATION = int(os.environ.get('TFD_TUS_EXPIRATION', '0')) / 1000
RELATIVE = os.environ.get('TFD_TUS_RELATIVE') == '1'
EXTENSIONS = 'creation,creation-with-upload,termination' + (',expiration' if EXPIRATION else '')
LOCK = threading.Lock()
NUMBERS = itertools.count(time.time_ns())
BUSY = {}  # name: lock of the one request that may write


class Refusal(Exception):
    def __init__(self, status):
        super().__init__(status)
        self.status = status


def metadata(text):
    pairs = (entry.strip().partition(' ') for entry in text.split(',') if entry.strip())
    return {key: base64.b64decode(value).decode() for key, _, value in pairs}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def number(self, field):
        text = self.headers.get(field, '')
        if not text.isdecimal():
            raise Refusal(400)
        return int(text)

    def answer(self, status, **fields):
        self.send_response(status)
        self.send_header('Tus-Resumable', '1.0.0')
        for name, value in fields.items():
            self.send_header(name.replace('_', '-'), str(value))
        if status != 204:
            self.send_header('Content-Length', '0')
        self.end_headers()

    def upload(self):
        """(name, what is known) of the upload that the path names."""
        name = self.path.rpartition('/')[2]
        path = os.path.join(DIRECTORY, name)
        if not name.isdecimal() or not os.path.exists(path):
            raise Refusal(404)
        with open(path + '.json', encoding='utf-8') as file:
            known = json.load(file)
        if EXPIRATION and known['made'] + EXPIRATION < time.time():
            raise Refusal(410)
        return name, known

    def expires(self, known):
        if not EXPIRATION:
            return {}
        return {'Upload_Expires': email.utils.formatdate(known['made'] + EXPIRATION, usegmt=True)}

    def append(self, name, size):
        """Writes the body as it comes, none of it behind the end of the file."""
        left = int(self.headers.get('Content-Length', '0'))
        path = os.path.join(DIRECTORY, name)
        with open(path, 'ab', buffering=0) as file:
            if file.tell() + left > size:
                raise Refusal(400)
            while left > 0:
                piece = self.rfile.read1(min(left, 65536))
                if not piece:
                    raise ConnectionError
                file.write(piece)
                left -= len(piece)
            return file.tell()

    def create(self):
        size = self.number('Upload-Length')
        if MAXIMUM and size > MAXIMUM:
            raise Refusal(413)
        known = {'size': size, 'made': time.time(),
                 'metadata': metadata(self.headers.get('Upload-Metadata', ''))}
        with LOCK:
            name = str(next(NUMBERS))
        with open(os.path.join(DIRECTORY, name + '.json'), 'w', encoding='utf-8') as file:
            json.dump(known, file)
        with open(os.path.join(DIRECTORY, name), 'xb'):
            pass
        fields = self.expires(known)
        if self.headers.get('Content-Type') == 'application/offset+octet-stream':
            fields['Upload_Offset'] = self.append(name, size)
        path = f'/files/{name}'
        host = self.headers['Host']  # as the client says it: it may come by way of a relay
        self.answer(201, Location=path if RELATIVE else f'http://{host}{path}', **fields)

    def patch(self):
        if self.headers.get('Content-Type') != 'application/offset+octet-stream':
            raise Refusal(415)
        name, known = self.upload()
        with LOCK:
            busy = BUSY.setdefault(name, threading.Lock())
        if not busy.acquire(timeout=20):
            raise Refusal(423)
        try:
            if self.number('Upload-Offset') != os.path.getsize(os.path.join(DIRECTORY, name)):
                raise Refusal(409)
            offset = self.append(name, known['size'])
        finally:
            busy.release()
        self.answer(204, Upload_Offset=offset, **self.expires(known))

    def head(self):
        name, known = self.upload()
        self.answer(200, Upload_Offset=os.path.getsize(os.path.join(DIRECTORY, name)),
                    Upload_Length=known['size'], Cache_Control='no-store', **self.expires(known))

    def delete(self):
        name, _ = self.upload()
        for path in name, name + '.json':
            os.unlink(os.path.join(DIRECTORY, path))
        self.answer(204)

    def serve(self):
        methods = {'POST': self.create, 'PATCH': self.patch, 'HEAD': self.head,
                   'DELETE': self.delete}
        try:
            if self.command == 'OPTIONS':
                limits = {'Tus_Max_Size': MAXIMUM} if MAXIMUM else {}
                self.answer(204, Tus_Version='1.0.0', Tus_Extension=EXTENSIONS, **limits)
                return
            if self.headers.get('Tus-Resumable') != '1.0.0':
                raise Refusal(412)
            methods[self.command]()
        except Refusal as refusal:
            self.close_connection = True
            self.answer(refusal.status, Connection='close')
        except OSError:
            self.close_connection = True

    do_OPTIONS = do_POST = do_PATCH = do_HEAD = do_DELETE = serve


server = http.server.ThreadingHTTPServer(('127.0.0.1', PORT), Handler)
server.daemon_threads = True
print(f'listening {server.server_port}', flush=True)
server.serve_forever()
