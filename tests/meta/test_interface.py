# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The interface descriptions: valid, complete, and of one mind with the code."""
import os
import re
import subprocess
import xml.etree.ElementTree as ET

import tap

SOURCE = os.environ['TFD_SOURCE_ROOT']
DIRECTORY = os.path.join(SOURCE, 'introspection')
NAME = 'org.transferd.Transfer1'
PUBLIC = os.path.join(DIRECTORY, NAME + '.xml')
DTD = '/usr/share/xml/dbus-1/introspect.dtd'
ACCESS = NAME + '.Access'
EMITS = 'org.freedesktop.DBus.Property.EmitsChangedSignal'

# Each method that the state table decides, and its event there.
DECIDED = {
    'AddFile': 'add-file', 'AddFiles': 'add-file', 'Suspend': 'suspend', 'Resume': 'resume',
    'Complete': 'complete', 'Cancel': 'cancel', 'SetProperties': 'set-property',
    'SetRemoteName': 'set-remote-name', 'ReplaceRemotePrefix': 'set-remote-name',
    'SetValidationState': 'set-property',
}


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding='utf-8') as file:
        return file.read()


def members():
    """(interface, kind, name, element, prose) of every member of the public interfaces."""
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    for interface in ET.parse(PUBLIC, parser).getroot():
        if interface.tag != 'interface':
            continue
        comment = ''
        for element in interface:
            if element.tag is ET.Comment:
                comment = element.text
            elif element.tag in ('method', 'signal', 'property'):
                yield (interface.get('name').rpartition('.')[2], element.tag, element.get('name'),
                       element, comment)
                comment = ''


def annotation(element, name):
    return next((a.get('value') for a in element.findall('annotation') if a.get('name') == name), None)


def call_states():
    """{event: states in which it is refused} of the golden file that the state table's test keeps."""
    table = {}
    for line in read('tests', 'fixtures', 'call-states.txt').splitlines():
        line = line.partition('#')[0].strip()
        if line:
            call, _, states = line.partition(':')
            table[call.strip()] = [state for state in re.split(r'[,\s]+', states) if state]
    return table


class Interface(tap.TestCase):
    maxDiff = None

    def test_valid(self):
        paths = [os.path.join(DIRECTORY, name) for name in sorted(os.listdir(DIRECTORY))
                 if name.endswith('.xml')]
        self.assertEqual(len(paths), 2)
        done = subprocess.run(['xmllint', '--nonet', '--noout', '--dtdvalid', DTD, *paths],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_access_is_said(self):
        """A member without a rule would be denied to everybody."""
        rule = re.compile(r'(owner|owner-only|public|polkit:[a-z]+(-[a-z]+)*)$')
        for interface in ET.parse(PUBLIC).getroot():
            self.assertRegex(annotation(interface, ACCESS), rule)
        for interface, kind, name, element, _ in members():
            with self.subTest(f'{interface}.{name}'):
                if kind != 'signal':
                    self.assertRegex(annotation(element, ACCESS) or '', rule)

    def test_changes_are_said(self):
        for interface, kind, name, element, _ in members():
            with self.subTest(f'{interface}.{name}'):
                if kind == 'property':
                    self.assertIn(annotation(element, EMITS), ('true', 'false', 'const', 'invalidates'))

    def test_prose(self):
        """Every member has prose of its own, and names each of its arguments."""
        for interface, kind, name, element, prose in members():
            with self.subTest(f'{interface}.{name}'):
                head, _, body = prose.strip().partition('\n')
                self.assertEqual(head, name + ':')
                self.assertGreater(len(body.strip()), 10)
                for argument in element.findall('arg'):
                    self.assertIn(f'@{argument.get("name")}:', body)
                if kind == 'method':
                    self.assertRegex(body, r'[Ee]rrors|Without a\s+subscription')

    def test_states_agree(self):
        """What the prose says about states is what the state table does."""
        table = call_states()
        prose = {name: text for interface, kind, name, _, text in members()
                 if interface == 'Job' and kind == 'method'}
        for method, event in DECIDED.items():
            with self.subTest(method):
                said = re.search(r'Refused in: ([a-z, -]+?) \(InvalidState\)', prose[method])
                self.assertIsNotNone(said, 'the phrase “Refused in: … (InvalidState)” is missing')
                self.assertEqual(sorted(said[1].split(', ')), sorted(table[event]))

    def test_enumerations_agree(self):
        """Every string of the enumerations that clients see is in the prose."""
        nicks = re.findall(r'G_DEFINE_ENUM_VALUE\s*\(\w+,\s*"([a-z-]+)"', read('common', 'enums.c'))
        self.assertGreater(len(nicks), 30)
        text = read('introspection', NAME + '.xml')
        missing = [nick for nick in nicks if f'"{nick}"' not in text and nick != 'none']
        self.assertEqual(missing, [])

    def test_properties_agree(self):
        """Writable properties: names, types and rules are those of the option table."""
        rows = re.findall(r'ROW \("(\w+)", "([^"]+)", (\w+), (TRUE|FALSE)',
                          read('common', 'wire-table.c'))
        self.assertGreater(len(rows), 20)
        found = {}
        for interface, kind, name, element, prose in members():
            if interface == 'Job' and kind == 'property' and element.get('access') == 'readwrite':
                prose = ' '.join(prose.split())
                when = ('BEFORE_RESUME' if '(ReadOnlyAfterResume)' in prose
                        else 'BEFORE_ADD_FILE' if '(ReadOnlyAfterAddFile)' in prose else 'ANY_TIME')
                refused = 'Any value but the default is refused with NotSupported' in prose
                found[name] = (element.get('type'), when, 'FALSE' if refused else 'TRUE')
        self.assertEqual(found, {name: tuple(rest) for name, *rest in rows})

    def test_errors_agree(self):
        """Every error that there is, is named in the prose."""
        enum = re.search(r'typedef enum\s*{(.*?)} TfdErrorCode;', read('common', 'error.h'), re.S)[1]
        codes = re.findall(r'\bTFD_ERROR_(\w+),', enum)
        self.assertGreater(len(codes), 50)
        words = set(re.findall(r'\w+', read('introspection', NAME + '.xml')))
        names = [''.join(part.capitalize() for part in code.split('_')) for code in codes]
        later = {'InvalidProxy', 'TooLarge', 'TooManyRangesInFile', 'OverlappingRanges'}
        self.assertEqual([name for name in names if name not in words | later], [])


if __name__ == '__main__':
    tap.main()
