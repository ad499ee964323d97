#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Servers that misbehave: whatever they do, the file is right in the end or not there at all."""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DEADLINE, ERROR, SECOND, wait_for  # noqa: E402
from httpd import KIB, MIB, Answer, Forever  # noqa: E402
from world import WorldCase  # noqa: E402

SIZE = 3 * MIB


class Faults(WorldCase):
    def survive(self, script, **options):
        """Fetches a file from a resource with this script, hurrying over every delay."""
        file, row, path = self.file('a', SIZE, script=script, **options)
        job = self.client.create([row], start=True)
        job.wait('transferred', hurry=True)
        self.assertEqual(job.get('BytesTransferred'), SIZE)
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(path, file)
        self.assert_no_temporaries()
        self.client.flush()
        self.assertEqual(self.client.named('JobError'), [])
        return file

    def survive_restart(self, lie, **options):
        """Is cut at 1 MiB, gets the answer `lie` to its question for the rest."""
        return self.survive([Answer(reset=MIB), lie], **options)

    def test_status_burst(self):
        self.survive([Answer(status=503)] * 4)
        self.assertEqual(len(self.server.requests('/a')), 5)

    def test_truncation(self):
        self.survive([Answer(truncate=MIB), Answer(truncate=500 * KIB)])
        self.assertEqual(self.server.ranges('/a'),
                         [None, f'bytes={MIB}-', f'bytes={MIB + 500 * KIB}-'])

    def test_truncation_before_the_first_byte(self):
        self.survive([Answer(truncate=0)])

    def test_truncation_of_unknown_length(self):
        self.survive([Answer(truncate=MIB)], length='chunked')

    def test_reset(self):
        self.survive([Answer(reset=MIB), Answer(reset=1), Answer(reset=MIB)])

    def test_reset_at_nothing(self):
        self.survive([Answer(reset=0)])

    def test_drop(self):
        self.survive([Answer(drop=True)] * 2)

    def test_slow_drip(self):
        self.survive([Answer(truncate=SIZE - 20 * KIB)], rate=0)
        file, row, path = self.file('slow', 30 * KIB, rate=10 * KIB)
        job = self.client.create([row], start=True)
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_stall(self):
        file, row, path = self.file('a', SIZE, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == MIB, 'the first bytes')
        self.assertEqual(job.state, 'transferring')
        file.released.set()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_stall_and_suspend(self):
        file, row, path = self.file('a', SIZE, script=[Answer(stall=MIB), Answer(hang=1)])
        job = self.client.create([row], start=True)
        for _ in range(2):
            wait_for(file.stalled.is_set, 'the stall')
            file.stalled.clear()
            job.suspend()
            job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_no_ranges(self):
        self.survive([Answer(reset=MIB), Answer(reset=MIB)], ranges=False)
        self.assertTrue(all(one.status == 200 for one in self.server.requests('/a')))

    def test_ranges_ignored_once(self):
        self.survive_restart(Answer(ranges=False))

    def test_not_satisfiable(self):
        self.survive_restart(Answer(status=416, headers={'Content-Range': f'bytes */{SIZE}'}))

    def test_not_satisfiable_without_a_reason(self):
        self.survive_restart(Answer(status=416))

    def test_range_is_wrong(self):
        for number, text in enumerate((
                'bytes 0-{last}/{total}', 'bytes 1048577-{last}/{total}', 'bytes {first}-{last}/77',
                'bytes {first}-9999999/{total}', 'bytes {first}-{last}/9999999', 'nonsense',
                'bytes */{total}', 'bytes {last}-{first}/{total}', '')):
            with self.subTest(text):
                name = f'wrong{number}'
                file, row, path = self.file(name, SIZE, script=[
                    Answer(reset=MIB), Answer(content_range=text or None, headers={} if text else {
                        'Content-Range': None})])
                job = self.client.create([row], start=True)
                # Refused for good or asked again: both will do, a splice will not.
                if self.wait_end_or_error(job) == 'error':
                    self.assertEqual(job.error, ('InvalidServerResponse', 'remote-file'))
                    job.resume()
                    job.wait('transferred', hurry=True)
                job.complete()
                self.assert_file(path, file)

    def wait_end_or_error(self, job):
        return job.wait('transferred', 'error', hurry=True)

    def test_answer_is_shorter_than_asked(self):
        self.survive_restart(Answer(most=MIB))

    def test_changed_between_requests(self):
        file, row, path = self.file('a', SIZE, script=[Answer(reset=MIB)])
        file.script[0].after = lambda: file.become(seed='new')
        job = self.client.create([row], start=True)
        job.wait('transferred', hurry=True)
        self.assertEqual(job.get('BytesTransferred'), SIZE)
        job.complete()
        self.assert_file(path, file)

    def test_changed_and_smaller(self):
        file, row, path = self.file('a', SIZE, script=[Answer(reset=2 * MIB)])
        file.script[0].after = lambda: file.become(seed='new', size=MIB)
        job = self.client.create([row], start=True)
        job.wait('transferred', hurry=True)
        self.assertEqual(job.get('BytesTotal'), MIB)
        job.complete()
        self.assert_file(path, file)

    def test_changed_and_if_range_ignored(self):
        """A server that sends the rest of another file under another tag."""
        file, row, path = self.file('a', SIZE, script=[Answer(reset=MIB), Answer(ignore_if_range=True)])
        file.script[0].after = lambda: file.become(seed='new')
        job = self.client.create([row], start=True)
        job.wait('transferred', hurry=True)
        self.assertIn('restarted', job.events())
        job.complete()
        self.assert_file(path, file)

    def test_changed_every_time(self):
        file, row, path = self.file('a', SIZE)
        file.script = [Answer(reset=MIB, after=lambda number=number: file.become(seed=number))
                       for number in range(4)]
        job = self.client.create([row], start=True)
        job.wait('transferred', hurry=True)
        job.complete()
        self.assert_file(path, file)

    def test_changed_while_suspended(self):
        file, row, path = self.file('a', SIZE, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == MIB, 'the first bytes')
        job.suspend()
        file.become(seed='new', size=2 * MIB)
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_weak_tag_is_no_validator(self):
        file, row, path = self.file('a', SIZE, etag='W/"x"', last_modified='',
                                    script=[Answer(reset=MIB, etag='W/"x"')])
        file.script[0].after = lambda: file.become(seed='new', etag='W/"x"')
        job = self.client.create([row], start=True)
        job.wait('transferred', hurry=True)
        job.complete()
        self.assert_file(path, file)

    def test_more_than_announced(self):
        self.survive([Answer(surplus=1000)])

    def test_two_lengths(self):
        """Nobody knows which of them is meant; the same one twice is only odd."""
        file, row, path = self.file('a', SIZE, headers={'content-length': '5'})
        job = self.client.create([row], start=True)
        job.wait('error')
        self.assertEqual(job.error, ('InvalidServerResponse', 'remote-file'))
        file.headers = {'content-length': str(SIZE)}
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_content_coding(self):
        file, row, path = self.file('a', SIZE, headers={'Content-Encoding': 'gzip'})
        job = self.client.create([row], start=True)
        job.wait('error')
        self.assertEqual(job.error, ('InvalidServerResponse', 'remote-file'))
        file.headers = {}
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_goes_on_when_the_server_is_back(self):
        file, row, path = self.file('a', SIZE, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == MIB, 'the first bytes')
        self.server.stop()
        job.wait('transient-error')
        self.assertIn(job.error[0], ('ConnectionLost', 'ConnectionFailed'))
        back = self.world.server()
        back.resources = self.server.resources
        job.cancel()
        job = self.client.create([(back.url('/a'), path)], start=True)
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)


class Fatal(WorldCase):
    def test_status(self):
        expected = {400: 'HttpStatus', 401: 'AuthenticationRequired', 403: 'HttpStatus',
                    404: 'HttpStatus', 405: 'HttpStatus', 407: 'ProxyAuthenticationRequired',
                    410: 'HttpStatus', 501: 'HttpStatus', 505: 'HttpStatus'}
        for status, name in expected.items():
            with self.subTest(status):
                file, row, path = self.file(f's{status}', script=[Answer(status=status)])
                job = self.client.create([row], start=True)
                signal = self.client.expect('JobError')
                self.assertEqual(job.state, 'error')
                error = job.get('Error')
                self.assertEqual(error['name'], ERROR + name)
                self.assertEqual((error['http-status'], error['file']), (status, 0))
                self.assertIn(error['context'], ('remote-file', 'transport'))
                self.assertTrue(error['message'])
                self.assertEqual(signal.args, (job.path, ERROR + name, error['context']))
                self.assertEqual((job.get('ErrorCount'), job.get('NextRetryTime')), (1, 0))
                job.resume()
                job.wait('transferred')
                self.assertEqual(job.get('Error'), {})
                job.complete()
                self.assert_file(path, file)

    def test_error_is_told_once_for_each_entry(self):
        _, row, _ = self.file('a', script=Forever(Answer(status=404)))
        job = self.client.create([row], start=True)
        for _ in range(3):
            self.client.expect('JobError')
            self.client.flush()
            self.assertEqual(self.client.named('JobError'), [])
            job.suspend()
            self.assertEqual(job.state, 'error')
            job.resume()
        self.client.expect('JobError')
        self.assertEqual(job.get('ErrorCount'), 4)

    def test_state_and_error_are_told_together(self):
        """Whoever acts on the state must be able to say why, and is told once."""
        _, row, _ = self.file('a', script=Forever(Answer(status=404)))
        self.client.manager('Subscribe', '(a{sv})', {})
        job = self.client.create([row], start=True)
        job.wait('error')
        self.client.flush()
        told = [one.args[1] for one in self.client.named('PropertiesChanged', job.path)]
        entries = [one for one in told if one.get('State') == 'error']
        self.assertEqual(len(entries), 1, told)
        self.assertEqual(entries[0]['Error']['http-status'], 404)

    def test_one_bad_file_stops_the_job(self):
        good, row, path = self.file('good')
        _, bad, _ = self.file('bad', script=Forever(Answer(status=404)))
        job = self.client.create([row, bad], start=True)
        job.wait('error')
        self.assertEqual(job.get('Error')['file'], 1)
        result, details = job.complete()
        self.assertEqual((result, [number for number, _ in details['discarded']][-1]), ('partial', 1))
        for number, kept in details['kept']:
            self.assertEqual((number, kept), (0, path))
            self.assert_file(path, good)
        self.assert_no_temporaries()

    def test_redirects(self):
        self.server.add('/a')
        self.server.redirect('/loop', '/loop')
        self.server.redirect('/file', 'file:///etc/passwd')
        self.server.redirect('/refused', '/a')
        self.server.add('/nowhere', script=Forever(Answer(status=302)))
        expected = {'loop': 'TooManyRedirects', 'file': None, 'refused': 'RedirectRefused',
                    'nowhere': None}
        for name, error in expected.items():
            with self.subTest(name):
                options = {'RedirectPolicy': 'refuse'} if name == 'refused' else {}
                job = self.client.create([(self.server.url('/' + name), self.world.target(name))],
                                         start=True, **options)
                job.wait('error')
                if error:
                    self.assertEqual(job.error[0], error)
                job.cancel()
        self.assertEqual(os.listdir(self.world.downloads), [])
        self.assertLessEqual(len(self.server.requests('/loop')), 25)

    def test_digest_wrong(self):
        _, row, path = self.file()
        job = self.client.create([(*row, {'digest': 'sha256:' + '0' * 64})], start=True)
        job.wait('error')
        self.assertEqual(job.error[0], 'DigestMismatch')
        job.complete()
        self.assertFalse(os.path.exists(path))

    def test_size_wrong(self):
        _, row, path = self.file('a', SIZE)
        job = self.client.create([(*row, {'size': SIZE - 1})], start=True)
        job.wait('error')
        job.cancel()
        self.assertFalse(os.path.exists(path))

    def test_maximum_size(self):
        for length in 'known', 'chunked':
            with self.subTest(length):
                _, row, _ = self.file(length, SIZE, length=length)
                job = self.client.create([row], start=True, MaximumSize=MIB)
                job.wait('error')
                self.assertEqual(job.error[0], 'MaximumSizeExceeded')
                job.cancel()
        self.assert_no_temporaries()

    def test_maximum_size_counts_nothing_twice(self):
        """What was thrown away because the source changed is no part of the job."""
        other, first, first_path = self.file('first', MIB)
        file, row, path = self.file('a', SIZE, script=[Answer(stall=SIZE - MIB), Answer(reset=2 * MIB)])
        job = self.client.create([first, row], start=True, MaximumSize=SIZE + MIB)
        wait_for(lambda: job.get('BytesTransferred') == SIZE, 'most of it')
        job.suspend()
        file.become(seed='new')
        file.script[0].after = lambda: file.become(seed='newer')
        job.resume()
        job.wait('transferred', hurry=True)
        job.complete()
        self.assert_file(first_path, other)
        self.assert_file(path, file)

    def test_no_retry_when_the_delay_exceeds_the_patience(self):
        _, row, _ = self.file('a', script=Forever(Answer(status=503)))
        job = self.client.create([row], start=True, NoProgressTimeout=SECOND)
        job.wait('error')
        self.client.expect('JobError')


class Transient(WorldCase):
    def test_status(self):
        for status in 408, 409, 425, 429, 500, 502, 503, 504:
            with self.subTest(status):
                file, row, path = self.file(f's{status}', script=[Answer(status=status)])
                job = self.client.create([row], start=True)
                job.wait('transient-error')
                error = job.get('Error')
                self.assertEqual((error['name'], error['http-status']), (ERROR + 'HttpStatus', status))
                self.assertEqual(job.get('ErrorCount'), 1)
                job.resume()
                job.wait('transferred')
                job.complete()
                self.assert_file(path, file)
        self.client.flush()
        self.assertEqual(self.client.named('JobError'), [])

    def test_retried_by_itself(self):
        file, row, path = self.file('a', script=[Answer(status=503)])
        job = self.client.create([row], start=True, MinimumRetryDelay=5 * SECOND)
        job.wait('transferred')
        first, second = self.server.requests('/a')
        self.assertGreaterEqual(second.time - first.time, 4.9)
        self.assertEqual(job.get('NextRetryTime'), 0)
        job.complete()
        self.assert_file(path, file)

    def test_retry_after(self):
        _, row, _ = self.file('a', script=[Answer(status=503, headers={'Retry-After': '100'})])
        begin = time.time()
        job = self.client.create([row], start=True, MinimumRetryDelay=5 * SECOND)
        job.wait('transient-error')
        self.assertIn('retry-delay', job.explain())
        due = job.get('NextRetryTime') / SECOND
        self.assertTrue(begin + 90 < due < time.time() + 115, due - begin)

    def test_back_off(self):
        _, row, _ = self.file('a', script=Forever(Answer(status=503)))
        begin = time.time()
        job = self.client.create([row], start=True, MinimumRetryDelay=100 * SECOND)
        for number in range(1, 5):
            wait_for(lambda: job.get('ErrorCount') == number, 'the next error')
            due = job.get('NextRetryTime') / SECOND
            self.assertTrue(begin + 85 < due < time.time() + 450, due - begin)
            if number < 4:
                begin = time.time()
                job.resume()

    def test_connection_refused(self):
        with socket.socket() as deaf:  # has the port, so that nobody else can, and does not listen
            deaf.bind(('127.0.0.1', 0))
            url = f'http://127.0.0.1:{deaf.getsockname()[1]}/a'
            job = self.client.create([(url, self.world.target('a'))], start=True)
            job.wait('transient-error')
            self.assertEqual(job.error[0], 'ConnectionFailed')

    def test_name_not_resolved(self):
        job = self.client.create([('http://transferd.invalid/a', self.world.target('a'))], start=True)
        job.wait('transient-error')
        self.assertEqual(job.error[0], 'NameNotResolved')

    def test_no_http(self):
        with socket.create_server(('127.0.0.1', 0)) as listener:
            url = f'http://127.0.0.1:{listener.getsockname()[1]}/a'
            job = self.client.create([(url, self.world.target('a'))], start=True)
            listener.settimeout(DEADLINE)
            connection, _ = listener.accept()
            connection.sendall(b'220 mail.example.org ESMTP\r\n\r\n')
            connection.close()
            listener.close()
            job.wait('transient-error', 'error')
            job.cancel()
        self.assert_no_temporaries()

    def test_error_is_gone_when_bytes_flow(self):
        file, row, _ = self.file('a', SIZE, script=[Answer(status=503), Answer(stall=MIB)])
        job = self.client.create([row], start=True)
        job.wait('transient-error')
        job.suspend()
        self.assertEqual(job.state, 'suspended')
        job.resume()
        wait_for(file.stalled.is_set, 'the answer')
        job.wait('transferring')
        self.assertEqual(job.get('Error'), {})
        job.cancel()


if __name__ == '__main__':
    tap.main()
