#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Remote files: they move while they are fetched, or turn out not to be what they should be."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import wait_for  # noqa: E402
from httpd import KIB, MIB, Answer, Forever  # noqa: E402
from world import WorldCase, digest, temporaries  # noqa: E402

SIZE = 3 * MIB


class Rename(WorldCase):
    def begin(self, **options):
        """A job that has fetched 1 MiB of its only file, whose server then stands still."""
        self.old, row, self.path = self.file('old', SIZE, seed='same', script=[Answer(stall=MIB)])
        self.new = self.server.add('/new', SIZE, seed='same', **options)
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == MIB, 'the first bytes')
        return job

    def finish(self, job):
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(self.path, self.new)
        self.assert_no_temporaries()

    def test_running_goes_on_where_it_was(self):
        job = self.begin()
        job.call('SetRemoteName', '(us)', 0, self.server.url('/new'))
        self.finish(job)
        self.assertEqual(self.server.ranges('/new'), [f'bytes={MIB}-'])
        self.assertEqual(len(self.server.requests('/old')), 1)
        self.assertEqual(job.get('ErrorCount'), 0)

    def test_suspended_goes_on_where_it_was(self):
        job = self.begin()
        job.suspend()
        job.call('SetRemoteName', '(us)', 0, self.server.url('/new'))
        self.assertEqual(job.state, 'suspended')
        self.assertEqual(job.files()[0][1], self.server.url('/new'))
        self.world.restart()
        job.resume()
        self.finish(job)
        self.assertEqual(self.server.ranges('/new'), [f'bytes={MIB}-'])

    def test_other_version_begins_anew(self):
        job = self.begin(etag='"other"', last_modified='Mon, 02 Jan 2023 03:04:06 GMT')
        job.call('SetRemoteName', '(us)', 0, self.server.url('/new'))
        self.finish(job)
        self.assertEqual(self.server.requests('/new')[-1].sent, SIZE)

    def test_same_tag_of_another_size_begins_anew(self):
        """A tag means something to one server only: the size tells that it is another file."""
        job = self.begin()
        self.new.content = type(self.new.content)(SIZE + MIB, 'larger')
        job.call('SetRemoteName', '(us)', 0, self.server.url('/new'))
        self.finish(job)

    def test_server_without_ranges_begins_anew(self):
        job = self.begin(ranges=False)
        job.call('SetRemoteName', '(us)', 0, self.server.url('/new'))
        self.finish(job)

    def test_failed_job_goes_on_elsewhere(self):
        gone = self.server.add('/gone', script=Forever(Answer(status=404)))
        self.new = self.server.add('/new', SIZE)
        self.path = self.world.target('a')
        job = self.client.create([(self.server.url(gone.path), self.path)], start=True)
        job.wait('error')
        job.call('SetRemoteName', '(us)', 0, self.server.url('/new'))
        self.assertEqual(job.state, 'error')
        job.resume()
        self.finish(job)

    def test_transferred_changes_its_name_only(self):
        resource, row, path = self.file('a', 1000)
        job = self.client.create([row], start=True)
        job.wait('transferred')
        job.call('SetRemoteName', '(us)', 0, self.server.url('/nowhere'))
        self.assertEqual((job.state, job.files()[0][1]), ('transferred', self.server.url('/nowhere')))
        job.complete()
        self.assert_file(path, resource)
        self.assertEqual(len(self.server.requests()), 1)

    def test_refusals(self):
        job = self.client.create([self.file('a')[1]])
        set_name = ('SetRemoteName', '(us)')
        self.assert_error('InvalidArgs', job.call, *set_name, 1, self.server.url('/b'))
        self.assert_error('InvalidUrl', job.call, *set_name, 0, 'ftp://host/b')
        self.assert_error('StringTooLong', job.call, *set_name, 0, 'http://h/' + 'x' * 8192)
        self.assert_error('InvalidArgs', job.call, 'ReplaceRemotePrefix', '(ss)', '', 'http://')
        self.assert_error('InvalidUrl', job.call, 'ReplaceRemotePrefix', '(ss)', 'http:', 'ftp:')
        job.cancel()
        self.assert_error('InvalidState', job.call, *set_name, 0, self.server.url('/b'))
        self.assert_error('InvalidState', job.call, 'ReplaceRemotePrefix', '(ss)', 'http:', 'http:')

    def test_prefix(self):
        """Finished, running and waiting files of a job move to another directory of the server."""
        rows = []
        for number in range(6):
            self.server.add(f'/one/{number}', 500 * KIB, seed=number,
                            script=[Answer(stall=100 * KIB)] if number in (2, 4) else [])
            self.server.add(f'/two/{number}', 500 * KIB, seed=number)
            rows.append((self.server.url(f'/one/{number}'), self.world.target(f'{number}')))
        rows.append((self.server.url('/other'), self.world.target('other')))
        self.server.add('/other', 10)
        job = self.client.create(rows, start=True)
        wait_for(lambda: job.get('FilesTransferred') == 5 and
                 job.get('BytesTransferred') == 2200 * KIB + 10, 'all but two files')
        count = job.call('ReplaceRemotePrefix', '(ss)', self.server.url('/one/'),
                         self.server.url('/two/'))[0]
        self.assertEqual(count, 6)
        job.wait('transferred')
        self.assertEqual([row[1] for row in job.files()],
                         [self.server.url(f'/two/{number}') for number in range(6)]
                         + [self.server.url('/other')])
        fetched = sorted(one.path for one in self.server.requests() if one.path.startswith('/two'))
        self.assertEqual(fetched, ['/two/2', '/two/4'])
        job.complete()
        for number in range(6):
            self.assert_file(rows[number][1], self.server.resources[f'/two/{number}'])
        self.assert_error('InvalidState', job.call, 'ReplaceRemotePrefix', '(ss)', 'http:', 'http:')

    def test_prefix_that_no_url_has(self):
        job = self.client.create([self.file('a')[1]])
        before = job.get('ModificationTime')
        self.assertEqual(job.call('ReplaceRemotePrefix', '(ss)', 'HTTP:', 'https:'), (0,))
        self.assertEqual(job.get('ModificationTime'), before)


class Validation(WorldCase):
    def validate(self, job, file, valid):
        job.call('SetValidationState', '(ub)', file, valid)

    def two_files(self):
        self.a, row_a, self.path_a = self.file('a', SIZE)
        self.b, row_b, self.path_b = self.file('b', 1000)
        job = self.client.create([row_a, row_b], start=True)
        job.wait('transferred')
        return job

    def test_not_valid(self):
        job = self.two_files()
        self.client.manager('Subscribe', '(a{sv})', {})
        self.client.signals.clear()
        self.validate(job, 0, False)
        self.assertEqual((job.state, job.error), ('error', ('ValidationFailed', 'remote-file')))
        self.assertEqual(job.get('Error')['file'], 0)
        self.assertEqual((job.get('BytesTransferred'), job.get('FilesTransferred')), (1000, 1))
        self.assertEqual(job.files()[0][3], 0)
        self.client.flush()
        self.assertEqual(len(self.client.named('JobError')), 1)
        wait_for(lambda: len(temporaries(self.world.downloads)) == 1, 'the temporary to go')
        self.a.become(seed='right')
        job.resume()
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(self.path_a, self.a)
        self.assert_file(self.path_b, self.b)
        self.assert_no_temporaries()
        self.assertEqual(self.server.ranges('/a'), [None, None])

    def test_not_valid_and_cancel(self):
        job = self.two_files()
        self.validate(job, 0, False)
        job.cancel()
        wait_for(lambda: temporaries(self.world.downloads) == [], 'the temporaries to go')

    def test_not_valid_and_complete(self):
        job = self.two_files()
        self.validate(job, 0, False)
        result, details = job.complete()
        self.assertEqual((result, [row[0] for row in details['kept']]), ('partial', [1]))
        self.assertEqual(digest(self.path_b), self.b.sha256)
        wait_for(lambda: os.listdir(self.world.downloads) == ['b'], 'the temporary to go')

    def test_not_valid_while_others_are_fetched(self):
        self.a, row_a, self.path_a = self.file('a', 1000)
        self.b, row_b, self.path_b = self.file('b', SIZE, script=[Answer(stall=MIB)])
        job = self.client.create([row_a, row_b], start=True)
        wait_for(lambda: job.get('BytesTransferred') == MIB + 1000 and
                 job.get('FilesTransferred') == 1, 'the first file')
        self.validate(job, 0, False)
        self.assertEqual(job.state, 'error')
        self.assert_error('InvalidState', self.validate, job, 1, False)
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(self.path_a, self.a)
        self.assert_file(self.path_b, self.b)
        self.assertEqual(self.server.ranges('/b'), [None, f'bytes={MIB}-'])

    def test_valid(self):
        job = self.two_files()
        self.validate(job, 1, True)
        shown = [row[6].get('validated') for row in job.files()]
        self.assertEqual(shown, [None, True])
        self.world.restart()
        self.assertEqual([row[6].get('validated') for row in job.files()], shown)
        self.assertEqual(job.state, 'transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_error('InvalidState', self.validate, job, 1, True)

    def test_not_yet(self):
        job = self.client.create([self.file('a')[1]])
        for valid in True, False:
            self.assert_error('InvalidState', self.validate, job, 0, valid)
        self.assert_error('InvalidArgs', self.validate, job, 1, True)


if __name__ == '__main__':
    tap.main()
