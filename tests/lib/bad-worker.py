#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A worker that misbehaves on purpose: what a user may put in the place of the real one.

Transfers nothing: every file is "done" at once, every rename succeeds. What it does wrong is in the
file named by TFD_BAD_WORKER, as JSON: {method: [answer, …]}; each answer is used once, over all
processes, then the method is answered as it should be. An answer is the text of a GVariant, or
"error", "silence" (none at all), "garbage" (bytes that are no message), "exit", or "flood" (a lot
of news, then the right answer), or "deluge" (as many as can be sent). The version that the real
worker has is in TFD_BAD_WORKER_VERSION. The key "news" has [name, GVariant text] pairs that are sent after
each Start, with RUN in place of the number of the run. Each process adds a line to the file
TFD_BAD_WORKER.starts.
"""
import fcntl
import json
import os
import socket
import sys

import gi

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

SCRIPT = os.environ['TFD_BAD_WORKER']
PATH = '/org/transferd/Transfer1/Worker'
INTERFACE = 'org.transferd.Transfer1.Worker'
NO_FLAGS = Gio.DBusCapabilityFlags.NONE


def next_wrong(method):
    """The next wrong answer for a method, or None."""
    with open(SCRIPT, 'r+', encoding='utf-8') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        script = json.loads(text)
        answers = script.get(method) or [None]
        answer = answers.pop(0)
        # In one write, since this process may be killed at any moment: no truncation before it.
        os.pwrite(file.fileno(), json.dumps(script).ljust(len(text)).encode(), 0)
    return answer


class Worker:
    def __init__(self, connection):
        self.socket = connection
        self.buffer = b''
        self.serial = 0

    def more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            sys.exit(0)
        self.buffer += data

    def line(self):
        while b'\r\n' not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b'\r\n', 1)
        return line.lstrip(b'\0')

    def authenticate(self):
        """The part of the server: whoever holds the other end is the daemon."""
        while True:
            word = self.line().split(b' ')
            if word[0] == b'BEGIN':
                return
            if word[0] == b'AUTH' and word[1:2] != [b'EXTERNAL']:
                self.socket.sendall(b'REJECTED EXTERNAL\r\n')
            elif word[0] in (b'AUTH', b'DATA'):
                self.socket.sendall(b'OK 0123456789abcdef0123456789abcdef\r\n')
            elif word[0] == b'NEGOTIATE_UNIX_FD':
                self.socket.sendall(b'ERROR\r\n')
            else:
                self.socket.sendall(b'ERROR\r\n')

    def receive(self):
        while len(self.buffer) < 16:
            self.more()
        size = Gio.DBusMessage.bytes_needed(self.buffer)
        while len(self.buffer) < size:
            self.more()
        message = Gio.DBusMessage.new_from_blob(self.buffer[:size], NO_FLAGS)
        self.buffer = self.buffer[size:]
        return message

    def send(self, message):
        self.serial += 1
        message.set_serial(self.serial)
        self.socket.sendall(bytes(message.to_blob(NO_FLAGS)))

    def news(self, name, text):
        message = Gio.DBusMessage.new_signal(PATH, INTERFACE, name)
        message.set_body(GLib.Variant.parse(None, text, None, None))
        self.send(message)

    def flood(self, run):
        for _ in range(2000):
            self.news('Parts', f"(uint64 {run}, [(uint32 0, {{'x': <'{'y' * 1000}'>}})])")
            self.news('Event', f"(uint64 {run}, uint32 0, 'restarted', {{'reason': <'x'>}})")

    def deluge(self, run):
        """All at once, and much faster than they can be recorded."""
        body = f"(uint64 {run}, [(uint32 0, {{'x': <'{'y' * 3000}'>}})])"
        message = Gio.DBusMessage.new_signal(PATH, INTERFACE, 'Parts')
        message.set_body(GLib.Variant.parse(None, body, None, None))
        message.set_serial(1)
        data = bytes(message.to_blob(NO_FLAGS)) * 500
        for _ in range(1000):
            self.socket.sendall(data)

    def right(self, method, arguments):
        """The answer that the interface asks for."""
        if method == 'Get':  # the only property
            return GLib.Variant('(v)', (GLib.Variant('s', os.environ['TFD_BAD_WORKER_VERSION']),))
        if method == 'Probe':
            return GLib.Variant('(a(ayss))', ([(b'x', '', '') for _ in arguments[0]],))
        if method == 'Stop':
            return GLib.Variant('(a(ua{sv}))', ([],))
        if method in ('Verify', 'Finalize'):
            word = 'ok' if method == 'Verify' else 'renamed'
            return GLib.Variant('(a(usa{sv}))', ([(index, word, {}) for index, _ in arguments[2]],))
        if method == 'Discard':
            return GLib.Variant('(a(uays))', ([],))
        return None

    def handle(self, message):
        method = message.get_member()
        arguments = message.get_body().unpack() if message.get_body() else ()
        wrong = next_wrong(method)
        reply = message.new_method_reply()
        if wrong == 'exit':
            sys.exit(1)
        elif wrong == 'silence':
            return
        elif wrong == 'garbage':
            self.socket.sendall(b'l' + b'\xff' * 4096)
            return
        elif wrong == 'error':
            reply = message.new_method_error_literal('org.example.Nonsense', 'x' * 100000)
        elif wrong is not None and wrong not in ('flood', 'deluge'):
            body = GLib.Variant.parse(None, wrong, None, None)
            if body.n_children():
                reply.set_body(body)
        else:
            if wrong == 'flood':
                self.flood(arguments[0])
            if wrong == 'deluge':
                self.deluge(arguments[0])
            body = self.right(method, arguments)
            if body is not None:
                reply.set_body(body)
        self.send(reply)
        if method == 'Start':
            self.started(arguments[0], arguments[3])

    def started(self, run, files):
        with open(SCRIPT, encoding='utf-8') as file:
            script = json.load(file)
        for name, text in script.get('news', []):
            self.news(name, text.replace('RUN', str(run)))
        if script.get('finish', True):
            done = ', '.join(f'(uint32 {index}, uint64 1, @a{{sv}} {{}})' for index, _ in files)
            self.news('FilesDone', f'(uint64 {run}, [{done}])')


def main():
    with open(SCRIPT + '.starts', 'a', encoding='utf-8') as file:
        file.write(f'{os.getpid()}\n')
    worker = Worker(socket.socket(fileno=3))
    worker.authenticate()
    while True:
        worker.handle(worker.receive())


main()
