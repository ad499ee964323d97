# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""A relay before a real server: what clients send is cut off or stands still where a test says so.

    relay = Relay(server.port)
    relay.script = [('cut', 5 * MIB), ('stall', 3 * MIB)]

Each fault waits for so many bytes that clients have sent since the last one.
"""
import socket
import struct
import threading

BLOCK = 64 << 10


class Relay:
    def __init__(self, target):
        self.target = target
        self.script = []
        self.passed = 0  # bytes from clients since the last fault
        self.total = 0  # and in all
        self.lock = threading.Lock()
        self.stalled = threading.Event()
        self.released = threading.Event()
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, path):
        return f'http://127.0.0.1:{self.port}{path}'

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            server = socket.create_connection(('127.0.0.1', self.target))
        except OSError:
            client.close()
            return
        threading.Thread(target=self.backwards, args=(server, client), daemon=True).start()
        try:
            while data := client.recv(BLOCK):
                kind, length = self.meet(len(data))
                server.sendall(data[:length])
                if kind == 'cut':
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                    break
                if kind == 'stall':
                    released = self.released
                    self.stalled.set()
                    released.wait()
                    server.sendall(data[length:])
        except OSError:
            pass
        self.end(server)
        self.end(client)

    def meet(self, length):
        """What happens to the next bytes: (kind, after how many of them)."""
        with self.lock:
            self.total += length
            if self.script and self.passed + length >= self.script[0][1]:
                kind, most = self.script.pop(0)
                length = max(0, most - self.passed)
                self.passed = 0
                return kind, length
            self.passed += length
        return '', length

    @staticmethod
    def backwards(server, client):
        try:
            while data := server.recv(BLOCK):
                client.sendall(data)
        except OSError:
            pass
        Relay.end(client)
        Relay.end(server)

    @staticmethod
    def end(sock):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()

    def release(self):
        """Ends a stall; there may be another one."""
        released, self.released = self.released, threading.Event()
        self.stalled.clear()
        released.set()

    def stop(self):
        self.release()
        self.listener.close()
