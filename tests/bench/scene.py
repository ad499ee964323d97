# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""What a measurement needs around it: a web server with files in memory, a bus with the real daemon
and its workers, directories that nobody has used, and clients."""
import functools
import itertools
import os
import shutil
import subprocess
import tempfile

from machine import MEMORY
from measure import Cpu, Failed, ask
from processes import kill
from world import BUILD, World, wait_for

MIB = 1 << 20
NGINX = '''daemon off;
worker_processes 2;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
user root;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {directory}/tmp;
  proxy_temp_path {directory}/tmp;
  fastcgi_temp_path {directory}/tmp;
  uwsgi_temp_path {directory}/tmp;
  scgi_temp_path {directory}/tmp;
  sendfile on;
  keepalive_requests 1000000;
  types {{ }}
  default_type application/octet-stream;
  root {directory}/root;
  server {{
    listen 127.0.0.1:{port};
    location /put/ {{ dav_methods PUT DELETE; client_max_body_size 0; }}
    location /slow/ {{ alias {directory}/root/; limit_rate {slow}; }}
  }}
  server {{
    listen 127.0.0.1:{tls_port} ssl;
    ssl_protocols TLSv1.3;
    ssl_certificate {directory}/server.pem;
    ssl_certificate_key {directory}/server.key;
    location /put/ {{ dav_methods PUT DELETE; client_max_body_size 0; }}
  }}
}}
'''
PORT = 8080  # the network is our own
QUEUE = {'MaxJobsPerUser': 100_000, 'MaxJobsPerMachine': 1_000_000, 'MaxFilesPerJob': 1_000_000}


def program(name):
    path = os.path.join(BUILD, 'tests', 'bench', 'bench-' + name)
    if not os.path.exists(path):
        raise Failed(f'there is no {path}: build first')
    return path


class Web:
    """nginx, with files in memory, for HTTP and TLS 1.3."""

    def __init__(self, place, slow='1m', port=PORT):
        self.port = port
        # In memory where there is enough: the disk is for those who receive.
        roomy = os.path.isdir(MEMORY) and shutil.disk_usage(MEMORY).free > 6 << 30
        self.directory = tempfile.mkdtemp(prefix='tfd-bench-',
                                          dir=MEMORY if roomy else place)
        os.chmod(self.directory, 0o755)
        self.root = os.path.join(self.directory, 'root')
        for name in 'root', 'tmp', 'root/put':
            os.mkdir(os.path.join(self.directory, name))
        configuration = os.path.join(self.directory, 'nginx.conf')
        with open(configuration, 'w', encoding='utf-8') as file:
            file.write(NGINX.format(directory=self.directory, port=port, tls_port=port + 363, slow=slow))
        for name in 'server.pem', 'server.key':
            shutil.copy(os.path.join(place, name), self.directory)
        with open(os.path.join(self.directory, 'log'), 'wb') as log:
            self.process = subprocess.Popen(
                ['setpriv', '--pdeathsig', 'TERM', '--', '/usr/sbin/nginx', '-e', 'stderr', '-c',
                 configuration], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self.is_up, 'nginx')

    def is_up(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.directory, 'log'), encoding='utf-8') as log:
                raise Failed(f'nginx did not start: {log.read()}')
        return os.path.exists(os.path.join(self.directory, 'nginx.pid'))

    def pids(self):
        with open(f'/proc/{self.process.pid}/task/{self.process.pid}/children', encoding='ascii') as file:
            return [self.process.pid, *map(int, file.read().split())]

    def url(self, name, tls=False):
        scheme, port = ('https', self.port + 363) if tls else ('http', self.port)
        return f'{scheme}://127.0.0.1:{port}/{name}'

    def path(self, name):
        return os.path.join(self.root, name)

    def add(self, name, size):
        """A file of so many bytes, which nothing can compress."""
        path = self.path(name)
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as file:
                for left in range(size, 0, -MIB):
                    file.write(os.urandom(min(left, MIB)))
            os.chmod(path, 0o644)
        return name

    def add_many(self, directory, count, size):
        return [self.add(f'{directory}/{number:06}', size) for number in range(count)]

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.directory, ignore_errors=True)


class Scene:
    """Keeps what bouts share, so that each is made once; everything is gone at the end."""

    def __init__(self, place, smoke=False):
        self.place = place
        self.smoke = smoke
        self.numbers = itertools.count()
        self.known = None
        self.closing = []
        os.environ['TFD_TMPDIR'] = place

    def scale(self, whole, tiny):
        return tiny if self.smoke else whole

    @property
    def web(self):
        if self.known is None:
            self.known = Web(self.place)
            self.closing.append(self.known.stop)
        return self.known

    def directory(self):
        """A new one, on the disk: ext4 remembers for a while what was deleted in an old one."""
        path = os.path.join(self.place, f'd{next(self.numbers)}')
        os.mkdir(path)
        return path

    def file(self, lines):
        path = os.path.join(self.place, f'list{next(self.numbers)}')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('\n'.join(lines) + '\n')
        return path

    def rows(self, names, directory, tls=False):
        """A file for bench-client: each URL and where it goes."""
        return self.file(f'{self.web.url(name, tls)}\t{directory}/{os.path.basename(name)}'
                         for name in names)

    def unreachable(self, count):
        """Such a file of URLs that nothing is behind, for jobs that wait."""
        directory = self.directory()
        return self.file(f'http://127.0.0.1:9/{number}\t{directory}/{number:06}'
                         for number in range(count))

    @functools.cached_property
    def model(self):
        """The database of a service that has one job."""
        model = os.path.join(self.directory(), 'model')
        service = Service()
        try:
            service.bench_client('create', self.unreachable(1))
            kill(service.daemon_pid, 15)
            service.daemon.wait(60)
            shutil.copytree(service.state_dir, model)
        finally:
            service.end()
        return model

    def database(self):
        """A copy of it: the rows of a service without one."""
        copy = os.path.join(self.directory(), 'copy')
        shutil.copytree(self.model, copy)
        return next(os.path.join(copy, name) for name in os.listdir(copy)
                    if name.endswith(('.db', '.sqlite')))

    def close(self):
        while self.closing:
            self.closing.pop()()


class Service(World):
    """A bus, and the daemon as it is installed; what it costs."""

    def __init__(self, config=None, mode='user'):
        super().__init__(mode, QUEUE | (config or {}))
        self.variables['G_DEBUG'] = ''
        self.variables['G_MESSAGES_DEBUG'] = ''
        self.start()

    def pids(self):
        return [self.daemon_pid, *self.workers()]

    def bench_client(self, *arguments):
        return ask([program('client'), *map(str, arguments)], env=self.environment())

    def measured(self, *arguments):
        """Runs bench-client; what it says, and the processor time of daemon and workers."""
        cpu = Cpu(self.pids())
        said = self.bench_client(*arguments)
        return said, cpu.used(self.pids())

    def warm(self, scene):
        """The worker is there and has fetched a file."""
        names = [scene.web.add('warm', 1)]
        self.bench_client('each', scene.rows(names, scene.directory()))

    def end(self):
        faults = self.close()
        if faults:
            raise Failed('; '.join(map(str, faults))[:2000])


def check_same(source, copy):
    with open(source, 'rb') as one, open(copy, 'rb') as other:
        while True:
            block = one.read(MIB)
            if block != other.read(MIB):
                raise Failed(f'{copy} is not what was sent')
            if not block:
                break
