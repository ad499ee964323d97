# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Random values of any D-Bus signature, drawn more often than not from what a service reacts to."""
import os

from bus import KEY_TYPES, GLib

NUMBERS = [0, 1, 2, 3, 5, 60, 255, 256, 4095, 65535, 65536, (1 << 31) - 1, 1 << 31, (1 << 32) - 1,
           (1 << 53), (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
WORDS = ['', 'x', 'download', 'upload', 'upload-reply', 'normal', 'foreground', 'high', 'low',
         'always', 'standard', 'unrestricted', 'logged-in', 'lingering', 'allow', 'report', 'refuse',
         'replace', 'fail', 'keep-both', 'server', 'proxy', 'certificate', 'basic', 'digest', 'ntlm',
         'negotiate', 'pin', 'suspended', 'queued', 'error', 'transferred', 'auto', 'put', 'post', 'tus',
         'resumable', 'bits', 'sha256:', 'sha256:' + '0' * 64, 'md5:' + 'f' * 32, 'GET', 'POST',
         'X-Header', 'Range', 'Host', 'a\r\nb: c', 'a\nb', '\x01', '\x7f', 'é\u2028\U0001f600', '%s%n%d',
         '*', '?[', 'x' * 257, 'y' * 3000, '../..', '-1', '1e9', 'C', 'de_DE.UTF-8']
RANGES = {'y': (0, 255), 'n': (-(1 << 15), (1 << 15) - 1), 'q': (0, (1 << 16) - 1),
          'i': (-(1 << 31), (1 << 31) - 1), 'u': (0, (1 << 32) - 1), 'x': (-(1 << 63), (1 << 63) - 1),
          't': (0, (1 << 64) - 1)}
SIMPLE = 'ybnqiuxtdso'


class Values:
    """What values are made of: the words, paths of objects, URLs and file names of a test."""

    def __init__(self, rand, descriptors=None):
        self.rand = rand
        self.words = list(WORDS)
        self.objects = ['/', '/org/transferd/Transfer1', '/org/transferd/Transfer1/jobs/' + '0' * 32]
        self.keys = dict(KEY_TYPES)
        self.descriptors = descriptors  # makes a number from one call of it; None: no 'h' at all

    def string(self):
        kind = self.rand.random()
        if kind < 0.8:
            return self.rand.choice(self.words)
        if kind < 0.9:
            return self.rand.choice(list(self.keys))
        return ''.join(chr(self.rand.choice((self.rand.randrange(1, 128), self.rand.randrange(1, 0xd800))))
                       for _ in range(self.rand.randrange(12)))

    def object(self):
        return self.rand.choice(self.objects)

    def number(self, kind):
        low, high = RANGES[kind]
        value = self.rand.choice(NUMBERS) if self.rand.random() < 0.8 else self.rand.randrange(low, high + 1)
        return min(max(value, low), high)

    def simple(self, kind):
        if kind == 'b':
            return GLib.Variant('b', self.rand.random() < 0.5)
        if kind == 'd':
            return GLib.Variant('d', self.rand.choice((0.0, -1.5, 1e300, float('inf'), float('nan'))))
        if kind == 's':
            return GLib.Variant('s', self.string())
        if kind == 'o':
            return GLib.Variant('o', self.object())
        if kind == 'g':
            return GLib.Variant('g', self.rand.choice(('', 's', 'a{sv}', '(ii)')))
        if kind == 'h':
            return GLib.Variant('h', self.descriptors() if self.descriptors else 0)
        return GLib.Variant(kind, self.number(kind))

    def any_type(self, depth):
        kind = self.rand.random()
        if depth > 3 or kind < 0.6:
            return self.rand.choice(SIMPLE)
        if kind < 0.75:
            return 'a' + self.any_type(depth + 1)
        if kind < 0.85:
            return 'a{sv}'
        return '(' + self.any_type(depth + 1) + self.any_type(depth + 1) + ')'

    def entry(self, depth):
        """A key and its value, whose type is right more often than not."""
        key = self.rand.choice(list(self.keys)) if self.rand.random() < 0.9 else self.string()
        known = self.keys.get(key)
        signature = known if known and self.rand.random() < 0.9 else self.any_type(depth)
        return key, self.make(signature, depth + 1)

    def array(self, signature, depth):
        element = signature[1:]
        count = self.rand.choice((0, 1, 1, 2, 3, 8)) if depth < 4 else self.rand.randrange(2)
        if element == 'y' and self.rand.random() < 0.7:
            return GLib.Variant('ay', os.fsencode(self.rand.choice(self.words)))
        if element == '{sv}':
            entries = dict(self.entry(depth) for _ in range(count))
            return GLib.Variant('a{sv}', entries)
        children = [self.make(element, depth + 1) for _ in range(count)]
        return GLib.Variant.new_array(GLib.VariantType.new(element), children)

    def make(self, signature, depth=0):
        """A value of one complete type."""
        if signature == 'v':
            return GLib.Variant('v', self.make(self.any_type(depth + 1), depth + 1))
        if signature[0] == 'a':
            return self.array(signature, depth)
        if signature[0] == '(':
            return GLib.Variant.new_tuple(*[self.make(one, depth + 1) for one in types_of(signature[1:-1])])
        return self.simple(signature)

    def arguments(self, signatures):
        return GLib.Variant.new_tuple(*[self.make(one) for one in signatures])


def types_of(signatures):
    """The complete types that stand one after the other."""
    found = []
    while signatures:
        length, _ = complete(signatures)
        found.append(signatures[:length])
        signatures = signatures[length:]
    return found


def complete(text):
    length = 0
    while text[length] == 'a':
        length += 1
    if text[length] in '({':
        depth = 0
        for length in range(length, len(text)):
            depth += {'(': 1, '{': 1, ')': -1, '}': -1}.get(text[length], 0)
            if depth == 0:
                break
    return length + 1, text[:length + 1]
