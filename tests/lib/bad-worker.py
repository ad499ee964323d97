#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A worker that misbehaves on purpose: what a user may put in the place of the real one.

Transfers nothing: every file is "done" at once, every rename succeeds. What it does wrong is in the
file named by TFD_BAD_WORKER, as JSON: {method: [answer, …]}; each answer is used once, over all
processes, then the method is answered as it should be. An answer is the text of a GVariant, or
"error", "silence" (none at all), "garbage" (bytes that are no message), "exit", or "flood" (a lot
of news, then the right answer), "deluge" (as many as can be sent, and no answer), "call" (calls of
everything that the daemon has on the bus, then the right answer), "descriptors" (news and answers
with descriptors that nobody wants, then the right answer), "twice" (the right answer, again, and
answers to what was never asked), "half" (half of the file, then the end). The version that the real worker has is in
TFD_BAD_WORKER_VERSION. The key "news" has [name, GVariant text] pairs that are sent after each
Start, with RUN in place of the number of the run; those of "all-runs" are sent for every number near
it but its own. The files of FilesDone may be written as a(uta{sv}): they are sent packed. Each process
adds a line to the file TFD_BAD_WORKER.starts, and one to TFD_BAD_WORKER.answers for each answer that
the daemon gave to a call.
"""
import fcntl
import json
import os
import socket
import struct
import sys

import gi

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

SCRIPT = os.environ['TFD_BAD_WORKER']
PATH = '/org/transferd/Transfer1/Worker'
INTERFACE = 'org.transferd.Transfer1.Worker'
NO_FLAGS = Gio.DBusCapabilityFlags.NONE
# Answers that are right, and what goes with them is not.
SPECIAL = ('flood', 'deluge', 'call', 'descriptors', 'half', 'twice')


def packed_transfers(rows):
    """The indices of the files of Start."""
    rows, at = bytes(rows), 0
    indices = []
    while at < len(rows):
        index, _attempt, _state, flags, _total = struct.unpack_from('=IIBBQ', rows, at)
        indices.append(index)
        at += struct.calcsize('=IIBBQ')
        for name in 'url', 'path', 'directory', 'part', 'options', 'target':
            if name == 'directory' and flags & 2:
                continue
            length, = struct.unpack_from('=I', rows, at)
            at += 4 + (length if length != 0xffffffff else 0)
    return indices


def pack_done(files):
    """a(uta{sv}) as FilesDone brings them."""
    rows = b''
    for file in (files.get_child_value(position) for position in range(files.n_children())):
        index, size, part = (file.get_child_value(position) for position in range(3))
        data = part.get_data_as_bytes().get_data() or b''
        rows += struct.pack('=IQI', index.get_uint32(), size.get_uint64(), len(data)) + data
    return GLib.Variant('ay', rows)


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


def packed(rows):
    """The indices of files that are packed (common/packed.h): each row begins with its length."""
    rows, at = bytes(rows), 0
    while at < len(rows):
        length, index = struct.unpack_from('=II', rows, at)
        yield index
        at += 4 + length


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
                self.socket.sendall(b'AGREE_UNIX_FD\r\n')
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

    def send_with(self, message, descriptors):
        """The same with descriptors."""
        self.serial += 1
        message.set_serial(self.serial)
        message.set_unix_fd_list(Gio.UnixFDList.new_from_array([os.dup(one) for one in descriptors]))
        data = bytes(message.to_blob(Gio.DBusCapabilityFlags.UNIX_FD_PASSING))
        sent = socket.send_fds(self.socket, [data], descriptors)
        self.socket.sendall(data[sent:])

    def descriptors(self, run):
        numbers = [os.open('/dev/null', os.O_RDWR) for _ in range(200)]
        for _ in range(20):
            reply = Gio.DBusMessage.new()
            reply.set_message_type(Gio.DBusMessageType.METHOD_RETURN)
            reply.set_reply_serial(123456)
            self.send_with(reply, numbers)
        for _ in range(100):
            message = Gio.DBusMessage.new_signal(PATH, INTERFACE, 'Connected')
            message.set_body(GLib.Variant('(t)', (run,)))
            self.send_with(message, numbers)

    def call(self):
        """As if the daemon had something to offer to a worker."""
        public = '/org/transferd/Transfer1'
        for path, interface, method, body in (
                (public, 'org.transferd.Transfer1.Manager', 'SuspendAll', GLib.Variant('(a{sv})', ({},))),
                (public, 'org.transferd.Transfer1.Manager', 'CreateJob',
                 GLib.Variant('(ssa{sv})', ('evil', 'download', {}))),
                (public, 'org.freedesktop.DBus.Properties', 'GetAll', GLib.Variant('(s)', ('',))),
                (PATH, INTERFACE, 'Ping', None), (PATH, 'org.freedesktop.DBus.Peer', 'Ping', None),
                ('/', 'org.freedesktop.DBus.Introspectable', 'Introspect', None)):
            message = Gio.DBusMessage.new_method_call(None, path, interface, method)
            if body:
                message.set_body(body)
            self.send(message)

    def half(self, run):
        self.news('Connected', f'(uint64 {run},)')
        self.news('Parts', f"(uint64 {run}, [(uint32 0, {{'validator': <'x'>}})])")
        self.news('Progress', f'([(uint64 {run}, [(uint32 0, uint64 1000, uint64 2000)])],)')

    def news(self, name, text):
        message = Gio.DBusMessage.new_signal(PATH, INTERFACE, name)
        body = GLib.Variant.parse(None, text, None, None)
        if name == 'FilesDone' and body.get_type_string() == '(ta(uta{sv}))':
            body = GLib.Variant.new_tuple(body.get_child_value(0), pack_done(body.get_child_value(1)))
        message.set_body(body)
        self.send(message)

    def flood(self, run):
        for _ in range(2000):
            self.news('Parts', f"(uint64 {run}, [(uint32 0, {{'x': <'{'y' * 1000}'>}})])")
            self.news('Event', f"(uint64 {run}, uint32 0, 'restarted', {{'reason': <'x'>}})")

    def deluge(self, run):
        """Without an end, and on most machines much faster than they can be recorded: it is ended for
        that, or for an answer that does not come."""
        body = f"(uint64 {run}, [(uint32 0, {{'x': <'{'y' * 3000}'>}})])"
        message = Gio.DBusMessage.new_signal(PATH, INTERFACE, 'Parts')
        message.set_body(GLib.Variant.parse(None, body, None, None))
        message.set_serial(1)
        data = bytes(message.to_blob(NO_FLAGS)) * 500
        while True:
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
            return GLib.Variant('(a(usa{sv}))', ([(index, word, {}) for index in packed(arguments[2])],))
        if method == 'Discard':
            return GLib.Variant('(a(uays))', ([],))
        return None

    def handle(self, message):
        if message.get_message_type() != Gio.DBusMessageType.METHOD_CALL:
            with open(SCRIPT + '.answers', 'a', encoding='utf-8') as file:
                file.write(f'{message.get_message_type()}\n')
            return
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
        elif wrong is not None and wrong not in SPECIAL:
            body = GLib.Variant.parse(None, wrong, None, None)
            if body.n_children():
                reply.set_body(body)
        else:
            if wrong == 'flood':
                self.flood(arguments[0])
            if wrong == 'deluge':
                self.deluge(arguments[0])
            if wrong == 'call':
                self.call()
            if wrong == 'descriptors':
                self.descriptors(arguments[0])
            if wrong == 'half':
                self.half(arguments[0])
            body = self.right(method, arguments)
            if body is not None:
                reply.set_body(body)
        self.send(reply)
        if wrong == 'half':
            sys.exit(1)
        if wrong == 'twice':
            self.send(reply)
            for serial in range(1, 200):
                other = Gio.DBusMessage.new()
                other.set_message_type(Gio.DBusMessageType.METHOD_RETURN)
                other.set_reply_serial(serial)
                other.set_body(GLib.Variant('(a(usa{sv}))', ([(0, 'renamed', {})],)))
                self.send(other)
        if method == 'Start':
            self.started(arguments[0], packed_transfers(arguments[3]))

    def started(self, run, files):
        with open(SCRIPT, encoding='utf-8') as file:
            script = json.load(file)
        for name, text in script.get('news', []):
            self.news(name, text.replace('RUN', str(run)))
        for name, text in script.get('all-runs', []):
            for number in range(max(run - 100, 0), run + 100):
                if number != run:
                    self.news(name, text.replace('RUN', str(number)))
        if script.get('finish', True):
            done = ', '.join(f'(uint32 {index}, uint64 1, @a{{sv}} {{}})' for index in files)
            self.news('FilesDone', f'(uint64 {run}, [{done}])')


def main():
    with open(SCRIPT + '.starts', 'a', encoding='utf-8') as file:
        file.write(f'{os.getpid()}\n')
    worker = Worker(socket.socket(fileno=3))
    worker.authenticate()
    while True:
        worker.handle(worker.receive())


main()
