# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Real web servers on the loopback interface: nginx and apache2, each with a configuration of ours.
They take files below /dav/; apache below /parts/, too, where it offers to take parts of them."""
import os
import socket
import subprocess
import tempfile
import time

from bus import DEADLINE
from httpd import Content

NGINX = '''daemon off;
master_process off;
worker_processes 1;
pid {directory}/server.pid;
error_log {directory}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log {directory}/access.log;
  client_body_temp_path {directory}/tmp;
  proxy_temp_path {directory}/tmp;
  fastcgi_temp_path {directory}/tmp;
  uwsgi_temp_path {directory}/tmp;
  scgi_temp_path {directory}/tmp;
  sendfile on;
  types {{ }}
  default_type application/octet-stream;
  server {{
    listen 127.0.0.1:{port};
    root {directory}/root;
    location /slow/ {{ alias {directory}/root/; limit_rate {slow}; }}
    location /slow-norange/ {{ alias {directory}/root/; limit_rate {slow}; max_ranges 0; }}
    location /norange/ {{ alias {directory}/root/; max_ranges 0; }}
    location /dav/ {{ dav_methods PUT DELETE; client_max_body_size 0; }}
    location /busy {{ add_header Retry-After 1 always; return 503; }}
    location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
    location /loop {{ return 302 /loop; }}
    location /cut {{ return 444; }}
  }}
}}
'''
APACHE = '''ServerRoot {directory}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {directory}/server.pid
ErrorLog {directory}/error.log
DefaultRuntimeDir {directory}
Mutex posixsem
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule alias_module {modules}/mod_alias.so
LoadModule env_module {modules}/mod_env.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authn_file_module {modules}/mod_authn_file.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule auth_basic_module {modules}/mod_auth_basic.so
LoadModule auth_digest_module {modules}/mod_auth_digest.so
LoadModule ratelimit_module {modules}/mod_ratelimit.so
LoadModule dav_module {modules}/mod_dav.so
LoadModule dav_fs_module {modules}/mod_dav_fs.so
DavLockDB {directory}/locks/db
<Location /dav>
  Dav On
</Location>
LoadModule headers_module {modules}/mod_headers.so
CustomLog {directory}/access.log "%r %s"
Alias /parts {directory}/root/dav
<Location /parts>
  Dav On
  Header always set Accept-Ranges bytes
</Location>
User www-data
Group www-data
DocumentRoot {directory}/root
<Directory {directory}/root>
  Require all granted
</Directory>
Alias /norange {directory}/root
<Location /norange>
  MaxRanges none
</Location>
Alias /slow {directory}/root
<Location /slow>
  SetOutputFilter RATE_LIMIT
  SetEnv rate-limit 8192
</Location>
Alias /basic {directory}/root
<Location /basic>
  AuthType Basic
  AuthName files
  AuthUserFile {directory}/basic
  Require valid-user
</Location>
Alias /digest {directory}/root
<Location /digest>
  AuthType Digest
  AuthName files
  AuthUserFile {directory}/digest
  Require valid-user
</Location>
Redirect 302 /moved/ http://127.0.0.1:{port}/
'''
MODULES = '/usr/lib/apache2/modules'


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as probe:
        return probe.getsockname()[1]


class RealServer:
    """A server process with a document root; ended by its own number."""

    def __init__(self, configuration, command, slow=''):
        self.slow = slow
        self.files = {}
        # Servers that give up root must be able to walk down to the documents.
        self.temporary = tempfile.TemporaryDirectory(prefix='tfd-web-')
        self.directory = self.temporary.name
        os.chmod(self.directory, 0o755)
        self.root = os.path.join(self.directory, 'root')
        os.mkdir(self.root, 0o755)
        for place in os.path.join(self.root, 'dav'), os.path.join(self.directory, 'locks'):
            os.mkdir(place)
            os.chmod(place, 0o777)
        self.configuration = configuration
        self.command = command
        for _ in range(5):  # somebody else may take the free port first
            self.port = free_port()
            if self.launch():
                return
        with open(os.path.join(self.directory, 'out.log'), encoding='utf-8') as file:
            raise AssertionError(f'{command[0]} did not start: {file.read()}')

    def launch(self):
        path = os.path.join(self.directory, 'server.conf')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(self.configuration.format(directory=self.directory, port=self.port,
                                                 modules=MODULES, slow=self.slow))
        with open(os.path.join(self.directory, 'out.log'), 'ab') as log:
            self.process = subprocess.Popen(
                ['setpriv', '--pdeathsig', 'KILL', '--', *self.command, path],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end and self.process.poll() is None:
            # It says who it is when it has the port: somebody else may have it and answer, too.
            if os.path.exists(os.path.join(self.directory, 'server.pid')):
                with socket.socket() as probe:
                    probe.settimeout(1)
                    if probe.connect_ex(('127.0.0.1', self.port)) == 0:
                        return True
            try:
                self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                pass
        self.stop_process()
        return False

    def add(self, name, size, seed=None):
        """Writes a file of `size` bytes; its Content."""
        content = Content(size, name if seed is None else seed)
        path = os.path.join(self.root, name)
        with open(path, 'wb') as file:
            for piece in content.pieces():
                file.write(piece)
        os.chmod(path, 0o644)
        return content

    def url(self, path):
        return f'http://127.0.0.1:{self.port}{path}'

    def stop_process(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def stop(self):
        self.stop_process()
        self.temporary.cleanup()


def nginx(slow='4m'):
    """nginx; below /slow/ it keeps to `slow` bytes a second."""
    return RealServer(NGINX, ['/usr/sbin/nginx', '-e', 'stderr', '-c'], slow)


def apache():
    return RealServer(APACHE, ['/usr/sbin/apache2', '-X', '-f'])
