#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The Debian packages as files: what lintian thinks of them, what is where, and whether what debian/
says is still true of the sources. boot/test_package.py installs them."""
import glob
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib'))
import packages  # noqa: E402
import tap  # noqa: E402
from packages import BUILD, SOURCE, run  # noqa: E402

LIB = r'usr/lib/[^/]+-linux-[^/]+'
# Where others look for things of ours; by package.
PLACES = {
    'transferd': [
        'etc/transferd/transferd.conf',
        'lib/systemd/system/multi-user.target.wants/transferd-boot.service',
        'lib/systemd/system/timers.target.wants/transferd.timer',
        'lib/systemd/system/transferd-boot.service',
        'lib/systemd/system/transferd.service',
        'lib/systemd/system/transferd.timer',
        'usr/bin/transferctl',
        'usr/lib/systemd/catalog/transferd.catalog',
        'usr/lib/systemd/user/transferd.service',
        'usr/libexec/transferd/transferd',
        'usr/libexec/transferd/transferd-worker',
        'usr/share/bash-completion/completions/transferctl',
        'usr/share/dbus-1/services/org.transferd.Transfer1.service',
        'usr/share/dbus-1/system-services/org.transferd.Transfer1.service',
        r'usr/share/dbus-1/system.d/org.transferd.Transfer1.conf',
        'usr/share/man/man1/transferctl.1.gz',
        'usr/share/man/man5/transferd.conf.5.gz',
        'usr/share/man/man8/transferd.8.gz',
        'usr/share/polkit-1/actions/org.transferd.transfer1.policy',
        'usr/share/zsh/vendor-completions/_transferctl',
    ],
    'libtransfer-1-0': [f'{LIB}/libtransfer-1.so.0'],
    'libtransfer-1-dev': [
        'usr/include/transfer-1/transfer/transfer.h',
        f'{LIB}/libtransfer-1.so',
        f'{LIB}/pkgconfig/libtransfer-1.pc',
        'usr/share/dbus-1/interfaces/org.transferd.Transfer1.xml',
        'usr/share/gir-1.0/Transfer-1.0.gir',
    ],
    'gir1.2-transfer-1.0': [f'{LIB}/girepository-1.0/Transfer-1.0.typelib'],
}


def contents(name):
    """{path: words of its line} of a package, directories left out."""
    rows = {}
    for line in run('dpkg-deb', '--contents', packages.package(name)).splitlines():
        words = line.split(maxsplit=5)
        path = words[5].partition(' -> ')[0].removeprefix('./')
        if path and not path.endswith('/'):
            rows[path] = words
    return rows


def field(name, key):
    return run('dpkg-deb', '--field', packages.package(name), key).strip()


class Debian(tap.TestCase):
    maxDiff = None
    timeout = 1800

    def test_lintian(self):
        changes, = glob.glob(f'{packages.build()}/*.changes')
        done = subprocess.run(['lintian', '--fail-on', 'error,warning', changes], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_places(self):
        for name, places in PLACES.items():
            found = contents(name)
            for place in places:
                with self.subTest(f'{name}: {place}'):
                    self.assertTrue(any(re.fullmatch(place, path) for path in found))

    def test_belongs_to_root(self):
        """Nothing is set-id, nobody but root may change anything."""
        for name in packages.NAMES:
            for path, words in contents(name).items():
                with self.subTest(path):
                    self.assertEqual(words[1], 'root/root')
                    self.assertRegex(words[0], r'^(lrwxrwxrwx|-rw-r--r--|-rwxr-xr-x)$')

    def test_everything_is_in_one_package(self):
        """What meson installs, and nothing twice."""
        seen = {}
        for name in packages.NAMES:
            for path in contents(name):
                self.assertNotIn(path, seen)
                seen[path] = name

    def test_dependencies(self):
        """Those of libraries are found by themselves; these are said by hand."""
        depends = field('transferd', 'Depends')
        for name in ('polkitd', 'dbus-system-bus', 'libsoup-3.0-0', 'libtransfer-1-0', 'libsqlite3-0'):
            self.assertRegex(depends, rf'(^|[ ,|]){re.escape(name)}\b')
        self.assertIn('libtransfer-1-0', field('gir1.2-transfer-1.0', 'Depends'))
        self.assertIn(f'libtransfer-1-0 (= {packages.version()})', field('libtransfer-1-dev', 'Depends'))

    def test_what_it_is_built_with(self):
        """Everything that is built with is in the one list of packages, so that it is there."""
        with open(f'{SOURCE}/dev-packages.txt', encoding='utf-8') as file:
            known = {line.split()[0] for line in file if line.strip() and not line.startswith('#')}
        with open(f'{SOURCE}/debian/control', encoding='utf-8') as file:
            wanted = re.search(r'^Build-Depends:\n((?: .*\n)+)', file.read(), re.M)[1]
        names = {re.match(r' ([^ :,]+)', line)[1] for line in wanted.splitlines()}
        # the one is a part of debhelper, the other one of gobject-introspection
        self.assertEqual(names - known, {'debhelper-compat', 'dh-sequence-gir'})

    def test_version(self):
        """The packages have the version of the project."""
        info = json.loads(run('meson', 'introspect', '--projectinfo', BUILD))
        self.assertEqual(packages.version(), info['version'])

    def test_symbols(self):
        """Which symbols there are in which version: should the library have new ones, add them to
        debian/libtransfer-1-0.symbols with the version that brings them."""
        library, = (path for path in contents('libtransfer-1-0') if path.endswith('.so.0'))
        program = (f'dpkg-deb --fsys-tarfile {packages.package("libtransfer-1-0")}'
                   f' | tar -x -O ./{library} >"$0" && nm --dynamic --defined-only "$0"')
        place = f'{packages.build()}/libtransfer-1.so.0'
        exported = {line.split()[2] for line in run('sh', '-c', program, place).splitlines()}
        os.unlink(place)
        with open(f'{SOURCE}/debian/libtransfer-1-0.symbols', encoding='utf-8') as file:
            listed = set(re.findall(r'^ (\w+)@Base', file.read(), re.M))
        self.assertEqual(listed, exported)


if __name__ == '__main__':
    tap.main()
