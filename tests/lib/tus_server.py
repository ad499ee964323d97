# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The reference server of tus, a process that can be killed and started again at its port."""
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tus')


class TusServer:
    """Keeps uploads in a directory of its own. Options are the variables of server.js."""

    def __init__(self, build, **options):
        self.modules = os.path.join(build, 'tests', 'tus')
        self.options = {f'TFD_TUS_{key.upper()}': str(value) for key, value in options.items()}
        self.command = self.choose()
        self.temporary = tempfile.TemporaryDirectory(prefix='tfd-tus-')
        self.port = 0
        self.process = None
        self.start()

    def choose(self):
        """The reference server; where the registry that has it cannot be reached, our own."""
        unreachable = os.path.exists(os.path.join(self.modules, 'unreachable'))
        if 'TFD_TUS_STANDIN' not in os.environ and not unreachable:
            # ./dev test has done that; who runs a test by hand may not have
            done = subprocess.run([os.path.join(SOURCE, 'install'), self.modules], timeout=300,
                                  check=False)
            if done.returncode == 0:
                return ['node', os.path.join(SOURCE, 'server.js')]
        print('# the reference server of tus is not to be had: ours stands in', flush=True)
        return [sys.executable, os.path.join(SOURCE, 'standin.py')]

    def start(self):
        self.process = subprocess.Popen(
            ['setpriv', '--pdeathsig', 'KILL', '--', *self.command, self.temporary.name,
             str(self.port)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            env=os.environ | {'TFD_TUS_MODULES': self.modules, **self.options})
        line = self.process.stdout.readline()
        if not line.startswith('listening '):
            raise AssertionError('the server of tus did not start')
        self.port = int(line.split()[1])

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        if self.process.poll() is None:
            self.kill()
        self.temporary.cleanup()

    def url(self, path='/files'):
        return f'http://127.0.0.1:{self.port}{path}'

    # What it has

    def names(self):
        return sorted(name for name in os.listdir(self.temporary.name)
                      if not name.endswith('.json'))

    def uploads(self):
        """(size, SHA-256, name of the file) of each upload, whole or not."""
        found = []
        for name in self.names():
            path = os.path.join(self.temporary.name, name)
            with open(path, 'rb') as file:
                digest = hashlib.file_digest(file, 'sha256').hexdigest()
            with open(path + '.json', encoding='utf-8') as file:
                metadata = json.load(file).get('metadata') or {}
            found.append((os.path.getsize(path), digest, metadata.get('filename')))
        return found

    def forget(self):
        for name in os.listdir(self.temporary.name):
            os.unlink(os.path.join(self.temporary.name, name))
