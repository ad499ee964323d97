#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The bus: what is refused, in which order calls are handled, and what a reply promises."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import (DEADLINE, ERROR, JOB, MANAGER, MANAGER_PATH, NAME, PROPERTIES, SECOND, UNKNOWN,  # noqa: E402
                 DBusError, Gio, GLib, wait_for)
from httpd import Answer  # noqa: E402
from world import WorldCase  # noqa: E402


class Refusals(WorldCase):
    def setUp(self):
        super().setUp()
        self.url = self.server.url('/a')
        self.path = self.world.target('a')
        self.job = self.client.create()

    def test_urls(self):
        for url in ('', 'nonsense', 'ftp://host/a', 'http://', 'http:///a', 'http://user:pw@host/a',
                    'http://host/a b', 'http://host/%zz', 'http://host/a#b', 'http://host/\u00e4',
                    'javascript:alert(1)', 'http://host/\n', 'data:,x'):
            with self.subTest(url):
                self.assert_error('InvalidUrl', self.job.add, url, self.path)
        self.assert_error('StringTooLong', self.job.add, 'http://host/' + 'x' * 8192, self.path)
        self.assertEqual(self.job.files(), [])

    def test_paths(self):
        base = self.world.downloads
        for path in ('', 'a', 'a/b', f'{base}/', f'{base}/../a', f'{base}/./a', f'{base}//a',
                     f'{base}/a\nb', f'{base}/a\tb', f'{base}/' + 'x' * 256, '/', f'{base}/nothing/a',
                     f'{base}/..', f'/{"x/" * 2100}a'):
            with self.subTest(path):
                message = self.assert_error('InvalidPath', self.job.add, self.url, path)
                self.assertTrue(message)
        self.assertEqual(self.job.files(), [])

    def test_path_through_a_file(self):
        with open(self.world.target('file'), 'w', encoding='utf-8') as file:
            file.write('x')
        self.assert_error('InvalidPath', self.job.add, self.url, self.world.target('file/a'))

    def test_name_of_a_path_may_be_as_long_as_the_system_allows(self):
        _, row, _ = self.file('short')
        path = self.world.target('x' * 255)
        job = self.client.create([(row[0], path)], start=True)
        job.wait('transferred')
        job.complete()
        self.assert_file(path, self.server.resources['/short'])

    def test_path_that_is_not_utf8(self):
        file, row, _ = self.file('a')
        path = os.fsencode(self.world.downloads) + b'/caf\xe9'
        job = self.client.create()
        job.add(row[0], '', path=path)
        listed = job.files()[0]
        self.assertEqual((listed[2], bytes(listed[6]['path']).rstrip(b'\0')), ('', path))
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assertTrue(os.path.exists(path))

    def test_duplicate_destination(self):
        self.job.add(self.url, self.path)
        self.assert_error('DuplicateDestination', self.job.add, self.url + 'b', self.path)
        self.assert_error('DuplicateDestination', self.job.add_files,
                          [(self.url, self.path + 'b'), (self.url, self.path + 'b')])
        self.assert_error('DuplicateDestination', self.client.create,
                          [(self.url, self.path), (self.url, self.path)])
        self.assertEqual(len(self.job.files()), 1)

    def test_add_files_is_all_or_nothing(self):
        message = self.assert_error('InvalidUrl', self.job.add_files, [
            (self.url, self.path), (self.url, self.path + '1'), ('ftp://x/y', self.path + '2')])
        self.assertIn('2', message)
        self.assertEqual(self.job.files(), [])
        self.assertEqual(self.job.add(self.url, self.path), 0)

    def test_create_is_all_or_nothing(self):
        before = self.client.list_jobs()
        for options in ({'files': [('ftp://x/y', self.path)]}, {'DisplayName': 'x' * 257},
                        {'Priority': 'urgent'}, {'start': True}):
            with self.subTest(str(options)):
                files = options.pop('files', ())
                with self.assertRaises(DBusError):
                    self.client.create(files, **options)
        self.client.flush()
        self.assertEqual(self.client.list_jobs(), before)
        self.assertEqual(len(self.client.named('JobAdded')), 1)

    def test_create_errors(self):
        create = self.client.create
        self.assert_error('Empty', create, start=True)
        self.assert_error('StringTooLong', create, name='x' * 257)
        self.assert_error('InvalidArgs', create, job_type='teleport')
        self.assert_error('InvalidArgs', create, Priority='urgent')
        message = self.assert_error('InvalidArgs', create, **{'Colour': GLib.Variant('s', 'red')})
        self.assertIn('Colour', message)
        message = self.assert_error('InvalidArgs', create, Priority=GLib.Variant('u', 1))
        self.assertIn('Priority', message)

    def test_file_options(self):
        for options in ({'colour': GLib.Variant('s', 'red')}, {'mode': GLib.Variant('s', 'x')},
                        {'digest': 'sha256:zz'}, {'digest': 'crc:00'}):
            with self.subTest(str(options)):
                self.assert_error('InvalidArgs', self.job.add, self.url, self.path, **options)

    def test_display_name_counts_characters(self):
        self.assertEqual(self.client.create(name='\u00e4' * 256).get('DisplayName'), '\u00e4' * 256)

    def test_unknown_job(self):
        for unknown in '0' * 32, self.job.id[:-1] + 'g', self.job.id.upper(), 'x':
            path = f'{MANAGER_PATH}/jobs/{unknown}'
            with self.subTest(unknown), self.assertRaises(DBusError):
                self.client.call(path, JOB, 'Suspend')
        path = f'{MANAGER_PATH}/jobs/{"0" * 32}'
        self.assert_error('NotFound', self.client.call, path, JOB, 'Suspend')
        self.assert_error('NotFound', self.client.call, path, PROPERTIES, 'Get',
                          GLib.Variant('(ss)', (JOB, 'State')))
        self.assert_error('NotFound', self.client.call, path, PROPERTIES, 'GetAll',
                          GLib.Variant('(s)', (JOB,)))

    def test_get_job(self):
        dashed = '-'.join((self.job.id[:8], self.job.id[8:12], self.job.id[12:16], self.job.id[16:20],
                           self.job.id[20:]))
        for form in self.job.id, dashed, dashed.upper():
            self.assertEqual(self.client.manager('GetJob', '(s)', form), (self.job.path,))
        self.assert_error('InvalidArgs', self.client.manager, 'GetJob', '(s)', 'nonsense')
        self.assert_error('NotFound', self.client.manager, 'GetJob', '(s)', 'f' * 32)

    def test_resume_without_files(self):
        self.assert_error('Empty', self.job.resume)
        self.assertEqual(self.job.state, 'suspended')
        self.assertEqual(set(self.job.explain()), {'suspended', 'no-files'})

    def test_wrong_signature_and_unknown_method(self):
        self.assert_error('InvalidArgs', self.client.call, MANAGER_PATH, MANAGER, 'GetJob',
                          GLib.Variant('(u)', (1,)))
        self.assert_error('UnknownMethod', self.client.call, MANAGER_PATH, MANAGER, 'Nonsense')
        self.assert_error('UnknownMethod', self.client.call, self.job.path, JOB, 'Nonsense')

    def test_limit_of_files(self):
        self.world.stop()
        self.world.write_config({'MaxFilesPerJob': 2})
        self.world.start()
        last = self.client.create()
        last.add(self.url, self.path)
        rows = [(self.url, self.path + '1'), (self.url, self.path + '2')]
        self.assertIn('2', self.assert_error('TooManyFilesInJob', last.add_files, rows))
        self.assertEqual(last.get('FilesTotal'), 1)

    def test_limit_of_ranges(self):
        """They are looked at and counted; then it is said that they cannot be fetched yet."""
        self.world.stop()
        self.world.write_config({'MaxRangesPerFile': 2})
        self.world.start()
        job = self.client.create()
        for error, ranges in (('InvalidArgs', []), ('InvalidRange', [(5, 0)]),
                              ('InvalidRange', [(1, UNKNOWN - 1)]), ('OverlappingRanges', [(4, 5), (0, 5)]),
                              ('TooManyRangesInFile', [(0, 1), (1, 1), (9, UNKNOWN)]),
                              ('NotSupported', [(7, UNKNOWN), (0, 5)])):
            rows = [(self.url, self.path + '0'), (self.url, self.path, {'ranges': ranges})]
            message = self.assert_error(error, job.add, self.url, self.path, ranges=ranges)
            self.assertIn(message.removeprefix('file 0 of the call: '),
                          self.assert_error(error, job.add_files, rows))
            self.assert_error(error, self.client.create, rows)
            if error == 'TooManyRangesInFile':
                self.assertIn('has 3 ranges, MaxRangesPerFile allows 2', message)
        upload = self.client.create(job_type='upload')
        self.assert_error('DownloadOnly', upload.add, self.url, self.path, ranges=[(0, 5)])
        self.assertEqual(job.get('FilesTotal'), 0)
        self.assertEqual(len(self.client.list_jobs()), 3)


class Properties(WorldCase):
    def test_defaults(self):
        values = self.client.create(MinimumRetryDelay=600 * SECOND).get_all()
        expected = {'State': 'suspended', 'Operation': '', 'Type': 'download', 'Priority': 'normal',
                    'MinimumRetryDelay': 600 * SECOND, 'NoProgressTimeout': 14 * 86400 * SECOND,
                    'NotifyFiles': False, 'NotifyInterval': 500000, 'Segments': 1,
                    'OwnerUID': os.getuid(), 'Error': {}, 'ErrorCount': 0, 'NextRetryTime': 0,
                    'TransferCompletionTime': 0, 'FilesTotal': 0, 'BytesTotal': 0,
                    'RedirectPolicy': 'allow', 'AutoComplete': False, 'Method': 'GET'}
        self.assertEqual({key: values[key] for key in expected}, expected)

    def test_set(self):
        job = self.client.create()
        job.get_all()
        job.set_one('DisplayName', 'new')
        job.set(Description='text', Priority='high', MinimumRetryDelay=SECOND)
        self.client.flush()
        changed = {}
        for one in self.client.named('PropertiesChanged', job.path):
            changed |= one.args[1]
        self.assertEqual((changed['DisplayName'], changed['Priority']), ('new', 'high'))
        self.assertEqual(job.get('MinimumRetryDelay'), 5 * SECOND)
        self.world.restart()
        values = job.get_all()
        self.assertEqual([values[key] for key in ('DisplayName', 'Description', 'Priority')],
                         ['new', 'text', 'high'])

    def test_set_is_all_or_nothing(self):
        job = self.client.create()
        self.assert_error('InvalidArgs', job.set, DisplayName='new', Priority='urgent')
        self.assert_error('StringTooLong', job.set, Priority='high', Description='x' * 1025)
        self.assertEqual((job.get('DisplayName'), job.get('Priority')), ('test', 'normal'))

    def test_set_errors(self):
        job = self.client.create()
        for name in 'State', 'Id', 'Error':
            self.assert_error('InvalidArgs', job.set, **{name: GLib.Variant('s', 'x')})
        with self.assertRaises(DBusError):
            self.client.call(job.path, PROPERTIES, 'Set', GLib.Variant(
                '(ssv)', (JOB, 'State', GLib.Variant('s', 'error'))))
        with self.assertRaises(DBusError):
            self.client.call(job.path, PROPERTIES, 'Get', GLib.Variant('(ss)', (JOB, 'Nonsense')))

    def test_read_only_after(self):
        _, row, _ = self.file('a', script=[Answer(hang=1)])
        job = self.client.create([row])
        self.assert_error('ReadOnlyAfterAddFile', job.set, HighPerformance=True)
        job.set(DynamicContent=True)
        job.resume()
        self.assert_error('ReadOnlyAfterResume', job.set, DynamicContent=False)
        self.assert_error('ReadOnlyAfterResume', job.set, MaximumSize=1)
        job.set(DynamicContent=True, DisplayName='the same value is fine')
        job.cancel()

    def test_manager(self):
        self.assertEqual(self.client.manager_property('JobCount'), 0)
        self.client.create()
        self.assertEqual(self.client.manager_property('JobCount'), 1)
        self.assertRegex(self.client.manager_property('Version'), r'^\d+\.\d+')
        self.assertEqual(self.client.manager_property('MaxFilesPerJob'), 200000)
        text, = self.client.manager('DescribeError', '(ss)', ERROR + 'InsufficientSpace', '')
        self.assertTrue(text)
        self.assert_error('InvalidArgs', self.client.manager, 'DescribeError', '(ss)', 'x.y', '')

    def test_introspection(self):
        for path, interface in (MANAGER_PATH, MANAGER), (self.client.create().path, JOB):
            xml, = self.client.call(path, 'org.freedesktop.DBus.Introspectable', 'Introspect')
            self.assertIn(f'"{interface}"', xml)


class Order(WorldCase):
    def test_calls_of_one_client_keep_their_order(self):
        """Manager and Job calls, sent without waiting: each sees what those before it did."""
        job = self.client.create(name='0')
        reads = []
        for number in range(1, 60):
            job.send('SetProperties', '(a{sv})', {'DisplayName': GLib.Variant('s', str(number))})
            reads.append((number, self.client.send(MANAGER_PATH, MANAGER, 'ListJobs', GLib.Variant(
                '(a{sv})', ({'properties': GLib.Variant('as', ['DisplayName'])},)))))
        for number, pending in reads:
            self.assertEqual(pending.result()[0][0][1]['DisplayName'], str(number))
        self.assertEqual([pending.number for _, pending in reads],
                         sorted(pending.number for _, pending in reads))

    def test_manager_sees_jobs_that_were_just_made(self):
        made = [self.client.send_create(name=str(number)) for number in range(40)]
        count = self.client.send(MANAGER_PATH, PROPERTIES, 'Get',
                                 GLib.Variant('(ss)', (MANAGER, 'JobCount')))
        self.assertEqual(count.result(), (40,))
        self.assertEqual(len({one.result()[0] for one in made}), 40)

    def test_indices_of_files_follow_the_order(self):
        job = self.client.create()
        calls = [job.send('AddFile', '(ssa{sv})', self.server.url(f'/{number}'),
                          self.world.target(str(number)), {}) for number in range(100)]
        listing = job.send('ListFiles', '(uu)', 0, 0)
        self.assertEqual([call.result()[0] for call in calls], list(range(100)))
        self.assertEqual([row[2] for row in listing.result()[0]],
                         [self.world.target(str(number)) for number in range(100)])

    def test_end_and_what_follows(self):
        _, row, _ = self.file()
        job = self.client.create([row], start=True)
        job.wait('transferred')
        calls = [job.send_complete(), job.send('Suspend'), job.send_cancel(),
                 self.client.send_create(name='next')]
        self.assertEqual(calls[0].result()[0], 'completed')
        for call in calls[1:3]:
            with self.assertRaises(DBusError) as caught:
                call.result()
            self.assertEqual(caught.exception.short, 'InvalidState')
        calls[3].result()

    def test_suspend_and_resume_in_a_row(self):
        file, row, path = self.file('a', 4 << 20)
        job = self.client.create([row])
        for _ in range(50):
            job.send('Resume')
            job.send('Suspend')
        job.send('Resume').result()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)


class Durable(WorldCase):
    def test_replies_are_on_disk(self):
        """Calls that arrive together share a commit: what was answered survives the next moment."""
        made = [self.client.send_create(name=str(number)) for number in range(50)]
        paths = [one.result()[0] for one in made]
        self.world.kill_daemon()
        self.world.start()
        self.assertEqual([path for path, _ in self.client.list_jobs()], paths)

    def test_only_what_was_answered_is_promised(self):
        """Killed in mid-flight: all answered calls are there, and no job is half."""
        rows = [(self.server.url(f'/{number}'), self.world.target(str(number))) for number in range(3)]
        made = [self.client.send_create(rows, name=str(number)) for number in range(55)]
        wait_for(lambda: sum(one.done for one in made) >= 5, 'some answers')
        self.world.kill_daemon()
        self.world.start()
        answered = set()
        for one in made:
            try:
                answered.add(one.result()[0])
            except DBusError:
                pass
        listed = {path: values for path, values in self.client.list_jobs()}
        self.assertLessEqual(answered, set(listed))
        self.assertEqual({values['FilesTotal'] for values in listed.values()}, {3})

    def test_calls_without_reply_are_refused(self):
        message = Gio.DBusMessage.new_method_call(NAME, MANAGER_PATH, MANAGER, 'CreateJob')
        message.set_body(GLib.Variant('(ssa{sv})', ('ghost', 'download', {})))
        message.set_flags(Gio.DBusMessageFlags.NO_REPLY_EXPECTED)
        self.client.connection.send_message(message, Gio.DBusSendMessageFlags.NONE)
        self.assertEqual(self.client.list_jobs(), [])
        job = self.client.create()
        message = Gio.DBusMessage.new_method_call(NAME, job.path, JOB, 'Cancel')
        message.set_body(GLib.Variant('(a{sv})', ({},)))
        message.set_flags(Gio.DBusMessageFlags.NO_REPLY_EXPECTED)
        self.client.connection.send_message(message, Gio.DBusSendMessageFlags.NONE)
        self.assertEqual(job.state, 'suspended')

    def test_client_that_leaves_does_not_undo(self):
        leaver = self.world.client()
        leaver.create(name='stays')
        leaver.close()
        self.assertEqual([values['DisplayName'] for _, values in self.client.list_jobs()], ['stays'])

    def test_client_that_leaves_during_complete(self):
        file, row, path = self.file()
        job = self.client.create([row], start=True)
        job.wait('transferred')
        leaver = self.world.client()
        leaver.list_jobs()  # the service knows by now who this is
        job.seen_by(leaver).send_complete()
        leaver.connection.flush_sync(None)
        leaver.close()
        self.client.expect('JobRemoved')
        self.assert_file(path, file)

    def test_service_ends_with_its_bus(self):
        self.world.bus_process.kill()
        self.world.daemon.wait(DEADLINE)


if __name__ == '__main__':
    tap.main()
