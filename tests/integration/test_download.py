#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Downloads when all goes well: from CreateJob to the file in its place, and what is seen on the way."""
import email.utils
import os
import stat
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DEADLINE, UNKNOWN, wait_for  # noqa: E402
from httpd import KIB, LAST_MODIFIED, MIB, Answer  # noqa: E402
from world import WorldCase, digest, temporaries  # noqa: E402


class Download(WorldCase):
    def test_one_file_step_by_step(self):
        file, row, path = self.file('a', 3 * MIB + 1)
        job = self.client.create(name='one')
        self.assertEqual(job.state, 'suspended')
        self.assertEqual(job.add(*row), 0)
        self.assertEqual(self.server.requests(), [])
        job.resume()
        job.wait('transferred')
        self.assertFalse(os.path.exists(path))
        self.assertEqual(temporaries(self.world.downloads), [f'.transferd-{job.id}-0.part'])
        self.assertEqual(job.get('BytesTransferred'), 3 * MIB + 1)
        self.assertEqual(job.get('BytesTotal'), 3 * MIB + 1)
        self.assertEqual(job.get('FilesTransferred'), 1)
        self.assertGreater(job.get('TransferCompletionTime'), job.get('CreationTime'))
        self.assertEqual(job.complete(), ('completed', {'kept': [(0, path)], 'discarded': [],
                                                        'moved': [], 'undeleted': []}))
        self.assert_file(path, file)
        self.assert_no_temporaries()

    def test_created_filled_and_started_in_one_step(self):
        file, row, path = self.file()
        job = self.client.create([row], start=True)
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_order_of_signals(self):
        _, row, _ = self.file()
        self.client.manager('Subscribe', '(a{sv})', {})
        job = self.client.create([row], start=True)
        job.wait('transferred')
        reply = job.send_complete()
        reply.result()
        self.client.flush()
        told = [one for one in self.client.signals if one.path == job.path
                or (one.args and one.args[0] == job.path)]
        names = [one.name for one in told if one.name != 'PropertiesChanged']
        self.assertEqual(names, ['JobAdded', 'JobTransferred', 'JobRemoved'])
        states = [one.args[1]['State'] for one in told
                  if one.name == 'PropertiesChanged' and 'State' in one.args[1]]
        self.assertEqual([states[0], states[-1]], ['queued', 'acknowledged'])
        self.assertIn('transferred', states)
        order = [one.name if one.name != 'PropertiesChanged' else one.args[1].get('State')
                 for one in told]
        self.assertLess(order.index('transferred'), order.index('acknowledged'))
        self.assertLess(order.index('acknowledged'), order.index('JobRemoved'))
        self.assertEqual(order.index('JobRemoved'), len(order) - 1)
        self.assertEqual(self.client.named('JobRemoved')[0].args, (job.path, 'completed'))

    def test_strangers_to_a_job_hear_only_of_its_life(self):
        _, row, _ = self.file()
        other = self.world.client()
        self.client.manager('Subscribe', '(a{sv})', {})
        job = self.client.create([row], start=True)
        job.wait('transferred')
        job.complete()
        other.flush()
        self.assertEqual([one.name for one in other.signals],
                         ['JobAdded', 'JobTransferred', 'JobRemoved'])

    def test_reading_all_properties_subscribes(self):
        _, row, _ = self.file()
        job = self.client.create([row])
        seen = job.get_all()
        self.assertEqual((seen['State'], seen['Id'], seen['FilesTotal']), ('suspended', job.id, 1))
        job.resume()
        job.wait('transferred')
        self.client.flush()
        states = [one.args[1].get('State') for one in self.client.named('PropertiesChanged', job.path)]
        self.assertIn('transferred', states)

    def test_unsubscribe(self):
        _, row, _ = self.file()
        self.client.manager('Subscribe', '(a{sv})', {})
        job = self.client.create([row])
        self.client.manager('Unsubscribe')
        self.client.flush()
        self.client.signals.clear()
        job.resume()
        job.wait('transferred')
        self.client.flush()
        self.assertEqual([one.name for one in self.client.signals], ['JobTransferred'])

    def test_empty_file(self):
        file, row, path = self.file('empty', 0)
        job = self.client.create([row], start=True)
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(path, file)

    def test_unknown_length(self):
        for length in 'chunked', 'close':
            with self.subTest(length):
                file, row, path = self.file(length, MIB, length=length,
                                            script=[Answer(stall=300 * KIB)])
                job = self.client.create([row], start=True)
                self.assertEqual(job.get('BytesTotal'), UNKNOWN)
                wait_for(file.stalled.is_set, 'the answer')
                file.released.set()
                job.wait('transferred')
                self.assertEqual(job.get('BytesTotal'), MIB)
                job.complete()
                self.assert_file(path, file)

    def test_modification_time(self):
        _, row, path = self.file()
        job = self.client.create([row], start=True)
        job.wait('transferred')
        job.complete()
        expected = email.utils.parsedate_to_datetime(LAST_MODIFIED).timestamp()
        self.assertEqual(os.stat(path).st_mtime, expected)

    def test_permissions(self):
        expected = {'plain': ({}, 0o644), 'umask': ({'umask': 0o027}, 0o640),
                    'mode': ({'mode': 0o751}, 0o751), 'both': ({'mode': 0o600, 'umask': 0}, 0o600)}
        rows = [(*self.file(name)[1], options) for name, (options, _) in expected.items()]
        job = self.client.create(rows, start=True)
        job.wait('transferred')
        job.complete()
        modes = {name: stat.S_IMODE(os.stat(self.world.target(name)).st_mode) for name in expected}
        self.assertEqual(modes, {name: mode for name, (_, mode) in expected.items()})

    def test_temporaries_are_private_to_the_owner(self):
        file, row, _ = self.file('a', MIB, script=[Answer(stall=1000)])
        job = self.client.create([row], start=True)
        wait_for(file.stalled.is_set, 'the answer')
        names = wait_for(lambda: temporaries(self.world.downloads), 'the temporary')
        info = os.stat(self.world.target(names[0]))
        self.assertEqual(info.st_uid, os.getuid())
        self.assertFalse(info.st_mode & 0o022)
        job.cancel()

    def test_several_files_and_connections_at_a_time(self):
        rows = [self.file(f'f{number}', 100 * KIB, rate=200 * KIB)[1] for number in range(24)]
        job = self.client.create(rows, start=True, Priority='foreground')
        job.wait('transferred')
        self.assertGreater(self.server.busy_peak, 1)
        self.assertLessEqual(self.server.busy_peak, 6)
        job.complete()
        for number in range(24):
            self.assert_file(self.world.target(f'f{number}'), self.server.resources[f'/f{number}'])

    def test_six_connections_count_over_all_jobs(self):
        jobs = []
        for number in range(4):
            rows = [self.file(f'{number}-{one}', 60 * KIB, rate=100 * KIB)[1] for one in range(6)]
            jobs.append(self.client.create(rows, start=True, Priority='foreground'))
        for job in jobs:
            job.wait('transferred')
            job.complete()
        self.assertLessEqual(self.server.busy_peak, 6)

    def test_what_a_request_says(self):
        _, row, _ = self.file()
        job = self.client.create([row], start=True)
        job.wait('transferred')
        request, = self.server.requests('/a')
        self.assertEqual(request.method, 'GET')
        self.assertEqual(request.headers.get('accept-encoding', 'identity'), 'identity')
        self.assertIn('transferd', request.headers['user-agent'].lower())
        self.assertNotIn('cookie', request.headers)
        self.assertIsNone(request.range)

    def test_progress_is_coalesced(self):
        file, row, _ = self.file('a', 2 * MIB, rate=MIB, script=[Answer(stall=MIB)])
        self.client.manager('Subscribe', '(a{sv})', {})
        begin = time.monotonic()
        job = self.client.create([row], start=True)

        def amounts():
            return [one.args[1]['BytesTransferred']
                    for one in self.client.named('PropertiesChanged', job.path)
                    if 'BytesTransferred' in one.args[1]]
        wait_for(lambda: MIB in amounts(), 'the half to be told')
        file.released.set()
        job.wait('transferred')
        took = time.monotonic() - begin
        self.client.flush()
        self.assertEqual(amounts(), sorted(amounts()))
        self.assertEqual(amounts()[-1], 2 * MIB)
        # one for each interval, and what came with a change of the state
        self.assertLessEqual(len(amounts()), took / 0.5 + 5)

    def test_notify_files(self):
        rows = [self.file(f'f{number}', 1000)[1] for number in range(40)]
        self.client.manager('Subscribe', '(a{sv})', {})
        begin = time.monotonic()
        job = self.client.create(rows, start=True, NotifyFiles=True)
        job.wait('transferred')
        took = time.monotonic() - begin
        self.client.flush()
        told = [one for one in self.client.signals if one.name in ('FilesTransferred', 'JobTransferred')]
        self.assertEqual(told[-1].name, 'JobTransferred')
        files = [number for one in told[:-1] for number in one.args[1]]
        self.assertEqual(sorted(files), list(range(40)))
        self.assertLessEqual(len(told), 4 * took + 6)

    def test_suspend_keeps_the_bytes(self):
        file, row, path = self.file('a', 8 * MIB, script=[Answer(stall=5 * MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == 5 * MIB, 'the first bytes')
        job.suspend()
        self.assertEqual(job.state, 'suspended')
        job.resume()
        job.wait('transferred')
        self.assertEqual(self.server.ranges('/a'), [None, f'bytes={5 * MIB}-'])
        self.assertEqual(self.server.requests('/a')[1].headers['if-range'], file.etag)
        job.complete()
        self.assert_file(path, file)

    def test_resume_by_date_without_a_strong_tag(self):
        for etag in None, 'W/"weak"':
            with self.subTest(etag):
                name = f'file-{etag is None}'
                file, row, path = self.file(name, 2 * MIB, etag=etag, script=[Answer(stall=MIB)])
                job = self.client.create([row], start=True)
                wait_for(lambda: job.get('BytesTransferred') == MIB, 'the first bytes')
                job.suspend()
                job.resume()
                job.wait('transferred')
                last = self.server.requests('/' + name)[1]
                self.assertEqual(last.headers.get('if-range'), LAST_MODIFIED)
                self.assertEqual(last.range, f'bytes={MIB}-')
                job.complete()
                self.assert_file(path, file)

    def test_no_resume_without_a_validator(self):
        file, row, path = self.file('a', 2 * MIB, etag='', last_modified='',
                                    script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == MIB, 'the first bytes')
        job.suspend()
        job.resume()
        job.wait('transferred')
        self.assertEqual(self.server.ranges('/a'), [None, None])
        job.complete()
        self.assert_file(path, file)

    def test_add_file_while_transferring(self):
        file, row, _ = self.file('a', 2 * MIB, script=[Answer(stall=MIB)])
        _, second, path = self.file('b')
        job = self.client.create([row], start=True)
        wait_for(file.stalled.is_set, 'the answer')
        self.assertEqual(job.add(*second), 1)
        file.released.set()
        job.wait('transferred')
        self.assertEqual(job.file_states(), ['transferred'] * 2)
        job.complete()
        self.assert_file(path, self.server.resources['/b'])

    def test_add_file_to_a_transferred_job(self):
        _, row, _ = self.file('a')
        _, second, path = self.file('b')
        job = self.client.create([row], start=True)
        job.wait('transferred')
        self.client.expect('JobTransferred')
        self.assert_error('Empty', job.resume)
        job.add(*second)
        self.assertEqual(job.state, 'transferred')
        job.resume()
        self.client.expect('JobTransferred')
        self.assertEqual(job.state, 'transferred')
        job.complete()
        self.assert_file(path, self.server.resources['/b'])

    def test_open_temporary(self):
        file, row, _ = self.file('a', 2 * MIB, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == MIB, 'the first bytes')
        descriptor = self.open_temporary(job, 0)
        with os.fdopen(descriptor, 'rb') as part:
            self.assertEqual(part.read(MIB), file.content.bytes(0, MIB))
        with self.assertRaises(OSError):
            os.write(self.open_temporary(job, 0), b'x')
        job.cancel()

    def open_temporary(self, job, index):
        from bus import JOB, NAME, GLib
        reply, descriptors = self.client.connection.call_with_unix_fd_list_sync(
            NAME, job.path, JOB, 'OpenTemporary', GLib.Variant('(u)', (index,)), None, 0, int(DEADLINE * 1000),
            None, None)
        return descriptors.get(reply.unpack()[0])

    def test_redirects_are_followed(self):
        other = self.world.server()
        there = other.add('/there', MIB)
        self.server.add('/here', MIB, seed='here')
        self.server.redirect('/same', '/here', 301)
        self.server.redirect('/away', other.url('/there'), 307)
        rows = [(self.server.url('/' + name), self.world.target(name)) for name in ('same', 'away')]
        job = self.client.create(rows, start=True)
        job.wait('transferred')
        self.assertEqual([row[1] for row in job.files()], [row[0] for row in rows])
        job.complete()
        self.assert_file(rows[0][1], self.server.resources['/here'])
        self.assert_file(rows[1][1], there)

    def test_redirects_are_reported(self):
        self.server.add('/here', MIB)
        self.server.redirect('/old', '/here')
        job = self.client.create([(self.server.url('/old'), self.world.target('a'))], start=True,
                                 RedirectPolicy='report')
        job.wait('transferred')
        self.assertEqual(job.files()[0][1], self.server.url('/here'))

    def test_digest_right(self):
        file, row, path = self.file()
        job = self.client.create([(*row, {'digest': 'sha256:' + file.sha256})], start=True)
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_size_right(self):
        file, row, path = self.file()
        job = self.client.create([(*row, {'size': MIB})], start=True)
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_foreground_and_background(self):
        jobs = []
        for priority in 'low', 'normal', 'high', 'foreground':
            _, row, _ = self.file(priority)
            jobs.append(self.client.create([row], start=True, Priority=priority))
        for job in jobs:
            job.wait('transferred')
            job.complete()

    def test_local_file(self):
        source = self.world.path('source')
        with open(source, 'wb') as file:
            file.write(os.urandom(3 * MIB))
        path = self.world.target('copy')
        job = self.client.create([('file://' + source, path)], start=True)
        job.wait('transferred')
        self.assertFalse(os.path.exists(path))
        job.complete()
        self.assertEqual(digest(path), digest(source))
        job = self.client.create([('file://' + source + '-not', path + '2')], start=True)
        job.wait('error')
        self.assertEqual(job.error[0], 'FileMissing')

    def test_dynamic_content_is_never_resumed(self):
        file, row, path = self.file('a', 2 * MIB, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True, DynamicContent=True)
        wait_for(lambda: job.get('BytesTransferred') == MIB, 'the first bytes')
        job.suspend()
        job.resume()
        job.wait('transferred')
        self.assertEqual(self.server.ranges('/a'), [None, None])
        job.complete()
        self.assert_file(path, file)

    def test_auto_complete_replaces_nothing_newer(self):
        file, row, path = self.file('a', 2 * MIB, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True, AutoComplete=True)
        wait_for(file.stalled.is_set, 'the answer')
        with open(path, 'w', encoding='utf-8') as mine:
            mine.write('mine')
        newer = os.stat(path).st_mtime + 3600
        os.utime(path, (newer, newer))
        file.released.set()
        self.client.expect('JobTransferred')
        wait_for(lambda: 'complete-failed' in job.events(), 'the attempt to end')
        wait_for(lambda: job.get('Operation') == '', 'the job to be as before')
        self.assertEqual(job.state, 'transferred')
        with open(path, encoding='utf-8') as mine:
            self.assertEqual(mine.read(), 'mine')
        job.complete()
        self.assert_file(path, file)

    def test_auto_complete(self):
        file, row, path = self.file()
        job = self.client.create([row], start=True, AutoComplete=True)
        removed = self.client.expect('JobRemoved')
        self.assertEqual(removed.args, (job.path, 'completed'))
        self.assert_file(path, file)
        self.assert_no_temporaries()


if __name__ == '__main__':
    tap.main()
