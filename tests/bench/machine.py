# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The machine: what it is, and a network and certificates of our own in it."""
import mmap
import os
import re
import shutil
import socket
import subprocess
import sys
import time


PRIVATE = 'TFD_BENCH_PRIVATE'
MEMORY = '/dev/shm'
BUNDLE = '/etc/ssl/certs/ca-certificates.crt'
SOURCE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))


def need_private_machine(program):
    """Goes on in a network and a file tree of our own: nothing listens in public, no other traffic
    disturbs, and our certificates are trusted, by nobody else."""
    if PRIVATE not in os.environ:
        users = [] if os.geteuid() == 0 else ['--user', '--map-root-user']
        os.environ[PRIVATE] = 'user' if users else 'root'
        os.execvp('unshare', ['unshare', *users, '--net', '--mount', '--propagation', 'private', '--',
                              sys.executable, '-B', program, *sys.argv[1:]])
    prepare_network()
    # Whatever happens to us, what was put there is gone with us.
    if os.path.isdir(MEMORY):
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', MEMORY], check=True)


def is_root():
    """Whether we are what we seem to be: else we can be no other users."""
    return os.environ.get(PRIVATE) == 'root'


def prepare_network():
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    # What most machines have; where another is the default it is not allowed to all networks. The
    # kernel has made a route of its own for the one address, which is nearer than that of all.
    for addresses in '127.0.0.0/8', '127.0.0.1/32':
        subprocess.run(['ip', 'route', 'replace', 'local', addresses, 'dev', 'lo', 'table', 'local',
                        'congctl', 'cubic'], check=True)


def congestion_control():
    """What a connection within the machine has in truth."""
    with socket.create_server(('127.0.0.1', 0)) as server, \
            socket.create_connection(server.getsockname()) as connection:
        name = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    return name.rstrip(b'\0').decode()


def make_certificate(place):
    """server.pem and server.key for localhost, which everybody here trusts from now on."""
    # That of the rows, when the profiles follow in the same run: its file is gone.
    subprocess.run(['umount', BUNDLE], stderr=subprocess.DEVNULL, check=False)

    def openssl(*words):
        subprocess.run(['openssl', *words], check=True, cwd=place, stderr=subprocess.DEVNULL)
    curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30']
    openssl('req', '-x509', *curve, '-subj', '/CN=bench', '-keyout', 'ca.key', '-out', 'ca.pem')
    openssl('req', *curve[:-2], '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr')
    with open(os.path.join(place, 'server.ext'), 'w', encoding='ascii') as file:
        file.write('subjectAltName=DNS:localhost,IP:127.0.0.1\n')
    openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key',
            '-CAcreateserial', '-days', '30', '-extfile', 'server.ext', '-out', 'server.pem')
    bundle = os.path.join(place, 'bundle.pem')
    with open(bundle, 'wb') as out:
        for path in BUNDLE, os.path.join(place, 'ca.pem'):
            with open(path, 'rb') as file:
                shutil.copyfileobj(file, out)
    subprocess.run(['mount', '--bind', bundle, BUNDLE], check=True)


def reports_free_memory():
    """Whether this is a virtual machine that gives its host back what is free."""
    drivers = '/sys/bus/virtio/drivers/virtio_balloon'
    for device in os.listdir(drivers) if os.path.isdir(drivers) else ():
        features = os.path.join(drivers, device, 'features')
        if os.path.exists(features):
            with open(features, encoding='ascii') as file:
                if file.read()[5:6] == '1':  # VIRTIO_BALLOON_F_REPORTING
                    return True
    return False


kept = []


def keep_memory():
    """Makes memory cost the same for all, until we end. Where whole blocks of 2 MiB are given back to
    the host when they have been free for two seconds, the first touch of each of their pages is as dear
    as copying into it three times: 2 GiB in the page cache take 0.4 s or 1.6, whoever happens to get
    them. Of memory of which a page of every half a MiB is in use no block is ever free as a whole."""
    if kept or not reports_free_memory():
        return
    with open('/proc/meminfo', encoding='ascii') as file:
        available = int(first(r'MemAvailable:\s*(\d+)', file.read())) << 10
    part = 512 << 10
    parts = max(0, available - (5 << 30)) // part  # what is left in whole blocks is given back as before
    memory = mmap.mmap(-1, parts * part, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    content = b'1' * part
    for _ in range(parts):
        memory.write(content)
    for number in range(parts):
        memory.madvise(mmap.MADV_DONTNEED, number * part + mmap.PAGESIZE, part - mmap.PAGESIZE)
    kept.append(memory)


def first(pattern, text):
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else '?'


def output(*command):
    try:
        done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        return 'not there'
    return (done.stdout + done.stderr).decode(errors='replace')


def version(package):
    said = output('dpkg-query', '-W', '-f', '${Version}', package)
    return said if said and ' ' not in said else '?'


def describe():
    """The machine, the versions and the commit."""
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        cpu = first(r'model name\s*:(.*)', file.read())
    with open('/proc/meminfo', encoding='ascii') as file:
        memory = int(first(r'MemTotal:\s*(\d+)', file.read())) >> 20
    where = os.environ.get('TFD_BENCH_DIR') or os.environ['TFD_BUILD_ROOT']
    packages = ('curl', 'aria2', 'wget', 'wget2', 'nginx-light', 'lomiri-download-manager', 'libsoup-3.0-0',
                'libglib2.0-0', 'glib-networking', 'libgnutls30', 'libsqlite3-0', 'dbus-daemon')
    git = ['git', '-C', SOURCE, '-c', f'safe.directory={SOURCE}']
    return {
        'machine': {
            'cpu': f'{os.cpu_count()} × {cpu}', 'memory': f'{memory} GiB', 'kernel': os.uname().release,
            'disk': ' on '.join(output('findmnt', '-n', '-o', 'FSTYPE,SOURCE', '-T', where).split()),
            'congestion control': congestion_control()},
        'versions': {package: version(package) for package in packages},
        'commit': output(*git, 'log', '-1', '--format=%h %cs').strip(),
        'changed': bool(output(*git, 'status', '--porcelain', '--', 'daemon', 'common').strip()),
        'load': os.getloadavg(),
        'time': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()),
    }


