# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The repository itself: includes never climb, every file says its licence, nothing is unfinished."""
import os
import re
import subprocess

import tap

SOURCE = os.environ['TFD_SOURCE_ROOT']

# A floor, and those that it may include from.
FLOORS = {
    'common': ['common'],
    'daemon/base': ['base', 'common'],
    'daemon/store': ['store', 'base', 'common'],
    'daemon/engine': ['engine', 'store', 'base', 'common'],
    'daemon/platform': ['platform', 'engine', 'store', 'base', 'common'],
    'daemon/bus': ['bus', 'engine', 'store', 'base', 'common'],
    'daemon/worker': ['worker', 'common'],
    'client': ['client', 'transfer', 'common'],
}
# What else a floor may include: who answers calls asks who may call.
ALLOWED = {'daemon/bus': ['platform/authority.h']}
ROOMS = ['common', 'base', 'store', 'engine', 'platform', 'bus', 'worker', 'client']

LICENSED = ('.c', '.h', '.py', '.sh', '.sql', '.xml', '.build', '.in', '.conf', '.catalog', '.rst')
LONGEST_FILE = 600  # lines; a longer one is two things


def tracked():
    """The files of the repository, those not yet committed included."""
    listing = subprocess.run(
        ['git', '-c', f'safe.directory={SOURCE}', '-C', SOURCE, 'ls-files', '-co',
         '--exclude-standard'], capture_output=True, text=True, check=False)
    if listing.returncode == 0:
        found = listing.stdout.splitlines()
    else:  # a release, without git
        found = []
        for directory, names, files in os.walk(SOURCE):
            names[:] = [n for n in names if not re.match(r'\.git$|build|__pycache__', n)]
            found += [os.path.relpath(os.path.join(directory, f), SOURCE) for f in files]
    return sorted(path for path in found if os.path.isfile(os.path.join(SOURCE, path)))


def read(path):
    with open(os.path.join(SOURCE, path), encoding='utf-8', errors='replace') as file:
        return file.read()


def is_script(path):
    with open(os.path.join(SOURCE, path), 'rb') as file:
        return file.read(2) == b'#!'


class Repository(tap.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.files = tracked()
        cls.sources = [path for path in cls.files if path.endswith(('.c', '.h'))]

    def test_there_are_files(self):
        self.assertIn('meson.build', self.files)
        self.assertGreater(len(self.sources), 10)

    def test_includes_never_climb(self):
        wrong = []
        for path in self.sources:
            floor = next((f for f in FLOORS if path.startswith(f + '/')), None)
            if floor is None:
                continue
            for header, room in re.findall(r'^\s*#\s*include\s*"(([a-z]+)/[^"]*)"', read(path), re.M):
                if header in ALLOWED.get(floor, []):
                    continue
                if room in ROOMS and room not in FLOORS[floor]:
                    wrong.append(f'{path} includes from {room}/')
        self.assertEqual(wrong, [])

    def test_includes_name_their_floor(self):
        """An include with ../ would hide which floor it reaches."""
        wrong = [path for path in self.sources if re.search(r'#\s*include\s*"\.\.?/', read(path))]
        self.assertEqual(wrong, [])

    def test_licence(self):
        wrong = []
        for path in self.files:
            if path.startswith('tests/fixtures/') and not path.endswith(('.c', '.h', '.py')):
                continue
            if path.endswith(LICENSED) or is_script(path):
                head = '\n'.join(read(path).splitlines()[:8])
                if 'SPDX-License-Identifier: LGPL-2.1-or-later' not in head \
                        or 'SPDX-FileCopyrightText:' not in head:
                    wrong.append(path)
        self.assertEqual(wrong, [])

    def test_nothing_unfinished(self):
        words = r'\b(' + '|'.join(['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX']) + r')\b'
        wrong = [path for path in self.files
                 if path.endswith(LICENSED + ('.md',)) and re.search(words, read(path))]
        self.assertEqual(wrong, [])

    def test_stands_alone(self):
        """Nothing names a place outside the repository that only its authors have."""
        words = r'\.\./' + r'shared/|/' + r'work/'
        wrong = [path for path in self.files
                 if path.endswith(LICENSED + ('.md',)) and re.search(words, read(path))]
        self.assertEqual(wrong, [])

    def test_promises_are_tested(self):
        """docs/security.md names, for each promise, tests that there are."""
        _, _, table = read('docs/security.md').partition('## Promises and their tests')
        cells = [line.split('|')[2] for line in table.splitlines()
                 if line.startswith('| ') and '`' in line]
        self.assertGreater(len(cells), 15)
        for cell in cells:
            for part in cell.split(';'):
                file, _, names = part.strip().partition(' ')
                file = file.strip('`')
                paths = [path for path in (f'tests/integration/{file}.py', f'tests/{file}.py',
                                           f'tests/{file}.c')
                         if os.path.exists(os.path.join(SOURCE, path))]
                self.assertEqual(len(paths), 1, part)
                for name in names.split():
                    wanted = name if paths[0].endswith('.c') else (
                        f"def test_{name.replace('-', '_')}(")
                    self.assertIn(wanted, read(paths[0]), f'{file}: {name}')

    def test_files_are_short(self):
        wrong = []
        for path in (one for one in self.sources if not one.startswith('tests/')):
            lines = read(path).count('\n')
            if lines > LONGEST_FILE:
                wrong.append(f'{path}: {lines} lines')
        self.assertEqual(wrong, [])

    def test_no_sleeping_tests(self):
        wrong = [path for path in self.files
                 if path.startswith('tests/') and path.endswith('.py')
                 and re.search(r'\btime\.' + r'sleep\b', read(path))]
        self.assertEqual(wrong, [])

    def test_readme_names_its_commands(self):
        text = read('README.md')
        for command in ('./dev demo', './dev test'):
            self.assertIn(command, text)

    def test_scripts_are_clean(self):
        scripts = [path for path in self.files
                   if is_script(path) and re.match(r'#!.*\b(sh|bash)\b', read(path))]
        self.assertIn('dev', scripts)
        done = subprocess.run(['shellcheck', '-S', 'warning', *scripts], cwd=SOURCE, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == '__main__':
    tap.main()
