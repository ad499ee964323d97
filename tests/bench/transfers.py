# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Bouts of moving bytes."""
import os
import shutil
import subprocess

from bout import Bout
from measure import Cpu, Failed, ask, cached, forget_peak, memory, run
from scene import MIB, PORT, Service, check_same, program


class TransferBout(Bout):
    """With a warm service. Whoever receives has it on the disk at the end."""

    config = {}
    tls = False
    ours = ('transferd', 'background')

    def open(self, names):
        self.prepare()
        self.checked = set()
        self.service = None
        if any(name in self.ours for name in names):
            self.service = Service(self.config)
            self.service.warm(self.scene)

    def close(self):
        if self.service:
            self.service.end()

    def prepare(self):
        raise NotImplementedError

    def url(self, name):
        return self.scene.web.url(name, self.tls)

    def transfer(self, rows, *options):
        """One job through the service."""
        said, cpu = self.service.measured('jobs', rows, *options)
        return {'wall': said['completed'][0], 'cpu': cpu, 'transferred': said['transferred'][0]}

    def check(self, who, names, directory):
        """Compares everything, once for each contestant; the sizes always."""
        for name in names:
            source, copy = self.scene.web.path(name), os.path.join(directory, os.path.basename(name))
            if not os.path.exists(copy) or os.path.getsize(copy) != os.path.getsize(source):
                raise Failed(f'{who}: {copy} is not whole')
            if who not in self.checked:
                check_same(source, copy)
        self.checked.add(who)


class Bulk(TransferBout):
    """One big file over HTTP."""

    fills_memory = True
    extras = ('wget', 'wget2')

    def prepare(self):
        self.name = self.scene.web.add('big', self.scene.scale(2048, 2) * MIB)

    def finish(self, who, directory, sample):
        self.check(who, [self.name], directory)
        shutil.rmtree(directory)  # one file: that is nothing to ext4
        return sample

    def transferd(self, priority='foreground', who='transferd'):
        directory = self.scene.directory()
        rows = self.scene.rows([self.name], directory, self.tls)
        sample = self.transfer(rows, '--priority', priority)
        return self.finish(who, directory, sample)

    def background(self):
        directory = self.scene.directory()
        rows = self.scene.rows([self.name], directory, self.tls)
        pids = self.service.pids()
        idle = sum(memory(pid) for pid in pids)
        for pid in pids:
            forget_peak(pid)
        sample = self.transfer(rows, '--priority', 'normal')
        sample['memory'] = (sum(memory(pid, 'VmHWM') for pid in pids) - idle) / MIB
        sample['cache'] = cached(os.path.join(directory, os.path.basename(self.name))) / MIB
        return self.finish('background', directory, sample)

    def curl(self):
        directory = self.scene.directory()
        file = os.path.join(directory, os.path.basename(self.name))
        sample = run(['sh', '-c', 'curl --silent --fail --output "$1" "$2" && sync "$1"', 'sh', file,
                      self.url(self.name)])
        return self.finish('curl', directory, sample)

    def wget(self, program_='wget'):
        directory = self.scene.directory()
        file = os.path.join(directory, os.path.basename(self.name))
        sample = run(['sh', '-c', '"$1" --quiet --no-config --output-document "$2" "$3" && sync "$2"', 'sh',
                      program_, file, self.url(self.name)])
        return self.finish(program_, directory, sample)

    def wget2(self):
        return self.wget('wget2')

    def splice(self):
        directory = self.scene.directory()
        file = os.path.join(directory, os.path.basename(self.name))
        sample = run([program('splice'), '127.0.0.1', str(PORT), '/' + self.name, file])
        return self.finish('splice', directory, sample)


class BulkTls(Bulk):
    """One big file over TLS 1.3."""

    tls = True
    extras = ()


class Small(TransferBout):
    """Many small files, one job."""

    count, size, few = 2000, 10 << 10, 20
    extras = ('wget', 'wget2', 'soup', 'durable')

    def prepare(self):
        self.names = self.scene.web.add_many(f'small-{self.size}', self.scene.scale(self.count, self.few),
                                             self.size)

    def transferd(self):
        directory = self.scene.directory()
        sample = self.transfer(self.scene.rows(self.names, directory, self.tls),
                               '--priority', 'foreground')
        self.check('transferd', self.names, directory)
        return sample

    def aria2(self):
        directory = self.scene.directory()
        urls = self.scene.file(map(self.url, self.names))
        sample = run(['aria2c', '-j8', '--quiet', '--dir', directory, '--input-file', urls])
        self.check('aria2', self.names, directory)
        return sample

    def wget(self, *command):
        directory = self.scene.directory()
        urls = self.scene.file(map(self.url, self.names))
        command = command or ('wget',)
        sample = run(['sh', '-c', 'directory=$1; shift; "$@" && sync --file-system "$directory"', 'sh', directory,
                      *command, '--quiet', '--no-config', '--directory-prefix', directory, '--input-file', urls])
        self.check(command[0], self.names, directory)
        return sample

    def wget2(self):
        return self.wget('wget2', '--max-threads=8')

    def curl(self):
        directory = self.scene.directory()
        config = self.scene.file(line for name in self.names for line in
                                 (f'url = {self.url(name)}', f'output = {directory}/{os.path.basename(name)}'))
        sample = run(['sh', '-c', 'curl --silent --fail --parallel --parallel-max 8 --config "$1" '
                      '&& sync --file-system "$2"', 'sh', config, directory])
        self.check('curl', self.names, directory)
        return sample

    def soup(self):
        directory = self.scene.directory()
        sample = run([program('soup'), self.scene.rows(self.names, directory, self.tls)])
        self.check('soup', self.names, directory)
        return sample

    def durable(self):
        directory = self.scene.directory()
        sample = ask([program('durable'), self.scene.rows(self.names, directory, self.tls),
                      self.scene.database()])
        self.check('durable', self.names, directory)
        return sample


class SmallTls(Small):
    """Very many very small files over TLS 1.3."""

    count, size, few = 20_000, 1 << 10, 20
    tls = True
    extras = ('soup', 'durable')


class One(TransferBout):
    """One small file, from the call to the end of Complete."""

    ours = ('transferd',)
    repeat = 9

    def prepare(self):
        self.names = self.scene.web.add_many('one', self.scene.scale(self.repeat, 2), 10 << 10)

    def transferd(self):
        directory = self.scene.directory()
        said, cpu = self.service.measured('each', self.scene.rows(self.names, directory),
                                          '--priority', 'foreground')
        self.check('transferd', self.names, directory)
        walls = said['completed']
        return {'wall': sorted(walls)[len(walls) // 2], 'cpu': cpu / len(walls)}

    def cold(self):
        service = Service()
        try:
            directory = self.scene.directory()
            said = service.bench_client('each', self.scene.rows(self.names[:1], directory),
                                        '--priority', 'foreground')
        finally:
            service.end()
        return {'wall': said['completed'][0]}

    def curl(self):
        directory = self.scene.directory()
        samples = [run(['curl', '--silent', '--fail', '--output',
                        os.path.join(directory, os.path.basename(name)), self.url(name)])
                   for name in self.names]
        self.check('curl', self.names, directory)
        return sorted(samples, key=lambda sample: sample['wall'])[len(samples) // 2]


class Upload(TransferBout):
    """One big file by PUT. What the server needs for it is told, too: it is one thread, which nothing
    can be faster than, and how the bytes are sent changes what they cost it."""

    fills_memory = True
    ours = ('transferd',)
    extras = ('sendfile', 'copy', 'mapped')

    def prepare(self):
        self.source = os.path.join(self.scene.directory(), 'source')
        big = self.scene.web.path(self.scene.web.add('big', self.scene.scale(2048, 2) * MIB))
        shutil.copyfile(big, self.source)
        # Else the kernel writes it to the disk half a minute later, while somebody is measured.
        subprocess.run(['sync', self.source], check=True)
        self.number = 0

    def close(self):
        super().close()
        os.unlink(self.source)  # it is in memory, too

    def name(self):
        return f'put/{self.number}'

    def check_sent(self, who):
        target = self.scene.web.path(self.name())
        if os.path.getsize(target) != os.path.getsize(self.source):
            raise Failed(f'{who}: the server has not got it all')
        if who not in self.checked:
            check_same(self.source, target)
        self.checked.add(who)
        os.unlink(target)

    def sent(self, who, send):
        """A sample of send (), which sends the file as name ()."""
        self.number += 1
        server = Cpu(self.scene.web.pids())
        sample = send()
        sample['server'] = server.used(self.scene.web.pids())
        self.check_sent(who)
        return sample

    def transferd(self):
        def send():
            rows = self.scene.file([f'{self.url(self.name())}\t{self.source}'])
            return self.transfer(rows, '--type', 'upload', '--priority', 'foreground')
        return self.sent('transferd', send)

    def curl(self):
        return self.sent('curl', lambda: run(['curl', '--silent', '--fail', '--upload-file', self.source,
                                              self.url(self.name())]))

    def bare(self, way):
        """A program that does nothing else, in one of the ways to do it."""
        return self.sent(way, lambda: run([program('send'), way, '127.0.0.1', str(PORT),
                                           '/' + self.name(), self.source]))

    def sendfile(self):
        return self.bare('sendfile')

    def copy(self):
        return self.bare('copy')

    def mapped(self):
        return self.bare('mapped')


class UploadTls(Upload):
    """One big file by PUT over TLS 1.3."""

    tls = True
    extras = ()
