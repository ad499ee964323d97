# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The Debian packages of this repository, built once for all tests that want them."""
import fcntl
import glob
import hashlib
import os
import re
import subprocess

SOURCE = os.environ.get('TFD_SOURCE_ROOT', '')
BUILD = os.environ.get('TFD_BUILD_ROOT', '')
LATER = '99~test'
NAMES = ('transferd', 'libtransfer-1-0', 'libtransfer-1-dev', 'gir1.2-transfer-1.0')


def run(*command, **options):
    """Runs a command; what it printed. Fails as it does."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, stdin=subprocess.DEVNULL, **options)
    if done.returncode:
        raise AssertionError(f'{command} ended with {done.returncode}:\n{done.stdout[-6000:]}')
    return done.stdout


def sources():
    """A value that changes with what the packages are made of."""
    found = []
    for directory, names, files in os.walk(SOURCE):
        names[:] = [name for name in names
                    if not re.match(r'\.|build|__pycache__|tests$', name)]
        found += [os.path.join(directory, name) for name in files]
    digest = hashlib.sha256()
    for path in sorted(found):
        if os.path.isfile(path):
            digest.update(path.encode('utf-8', 'surrogateescape') + b'\0')
            with open(path, 'rb') as file:
                digest.update(hashlib.file_digest(file, 'sha256').digest())
    return digest.hexdigest()


def build():
    """The directory with the packages; the first who asks builds them, the others wait."""
    directory = f'{BUILD}/packages'
    os.makedirs(directory, exist_ok=True)
    with open(f'{directory}/lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = sources()
        stamp = f'{directory}/built'
        if os.path.exists(stamp) and open(stamp, encoding='ascii').read() == state:
            return directory
        # The flags are those of the packages; their tests run in this suite anyway.
        run(f'{SOURCE}/dev', 'deb', directory, env=os.environ | {'DEB_BUILD_OPTIONS': 'nocheck parallel=2'})
        with open(stamp, 'w', encoding='ascii') as file:
            file.write(state)
    return directory


def package(name, directory=None):
    """The file of a package."""
    found, = glob.glob(f'{directory or build()}/{name}_*.deb')
    return found


def version():
    """That of the packages."""
    with open(f'{SOURCE}/debian/changelog', encoding='utf-8') as file:
        return re.match(r'transferd \((\S+)\) ', file.readline())[1]


def make_later(directory):
    """Fills a directory with the same packages in a higher version."""
    now = version()
    for name in NAMES:
        tree = f'{directory}/{name}'
        run('dpkg-deb', '--raw-extract', package(name), tree)
        with open(f'{tree}/DEBIAN/control', encoding='utf-8') as file:
            text = file.read()
        text = re.sub(rf'^Version: {re.escape(now)}$', f'Version: {LATER}', text, flags=re.M)
        text = text.replace(f'(= {now})', f'(= {LATER})')
        with open(f'{tree}/DEBIAN/control', 'w', encoding='utf-8') as file:
            file.write(text)
        run('dpkg-deb', '-Znone', '--root-owner-group', '--build', tree, directory)
