#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Jobs that send, as clients see them on the bus: what is refused, shown, kept and cleaned up."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bits_server import BitsServer  # noqa: E402
from bus import UNKNOWN, DBusError, GLib, wait_for  # noqa: E402
from httpd import KIB, MIB, Answer, Content, Forever  # noqa: E402
from upload_server import Fault  # noqa: E402
from world import WorldCase, digest, snapshot, temporaries  # noqa: E402

TYPES = ('upload', 'upload-reply')


class UploadJobCase(WorldCase):
    def setUp(self):
        super().setUp()
        self.bits = BitsServer()
        self.addCleanup(self.bits.end)
        self.bits.reply = b'well received'

    def source(self, name='source', size=300 * KIB):
        path = self.world.target(name)
        with open(path, 'wb') as file:
            file.write(Content(size, name).bytes(0, size))
        return path

    def job(self, name='source', job_type='upload-reply', start=True, size=300 * KIB, **options):
        options.setdefault('UploadProtocol', 'bits')
        return self.client.create([(self.bits.url('/' + name), self.source(name, size))],
                                  job_type=job_type, start=start, **options)

    def transferred(self, name='source', **options):
        job = self.job(name, **options)
        job.wait('transferred')
        return job

    def stalled(self, job_type='upload-reply', **options):
        """A job of which the server has taken a part, and no more as yet. There is more of it than
        fits on the way, so that what was not sent when it ends is never received."""
        self.bits.script = [Fault('Fragment', stall=100 * KIB)]
        job = self.job(job_type=job_type, size=32 * MIB, **options)
        self.bits.stalled.wait(30)
        wait_for(lambda: job.state == 'transferring', 'a start')
        return job

    def in_state(self, state, job_type='upload-reply'):
        """A job in `state`; its server has a session of it if it can."""
        if state == 'suspended':
            return self.job(job_type=job_type, start=False)
        if state == 'transferring':
            return self.stalled(job_type)
        if state == 'transferred':
            return self.transferred(job_type=job_type)
        self.bits.script = [Fault('Fragment', status=503 if state == 'transient-error' else 403)]
        job = self.job(job_type=job_type)
        job.wait(state)
        return job

    def open_reply(self, job):
        """What OpenReply gives to read."""
        reply, descriptors = job.client.connection.call_with_unix_fd_list_sync(
            'org.transferd.Transfer1', job.path, 'org.transferd.Transfer1.Job', 'OpenReply', None,
            None, 0, 60000, None, None)
        with os.fdopen(descriptors.get(reply.unpack()[0]), 'rb') as file:
            return file.read()


class Creation(UploadJobCase):
    def test_properties(self):
        path = self.source()
        job = self.client.create([(self.bits.url('/a'), path)], job_type='upload-reply')
        shown = job.get_all()
        self.assertEqual(shown['Type'], 'upload-reply')
        self.assertEqual(shown['FilesTotal'], 1)
        self.assertEqual(shown['FilesTransferred'], 0)
        self.assertEqual(shown['BytesTotal'], 300 * KIB)
        self.assertEqual(shown['BytesTransferred'], 0)
        self.assertEqual(shown['ReplyBytesTotal'], UNKNOWN)
        self.assertEqual(shown['ReplyBytesTransferred'], 0)
        self.assertEqual(shown['UploadProtocol'], 'auto')
        self.assertEqual(shown['ReplyFileName'], '')
        self.assertEqual(job.files(), [(0, self.bits.url('/a'), path, 0, 300 * KIB, 'waiting', {})])
        self.assertEqual(job.files(1), [])
        self.assertIn('upload', self.client.manager_property('Features'))

    def test_types_and_properties(self):
        for job_type, options, name in (
                ('download', {'UploadProtocol': 'bits'}, 'NotCompatible'),
                ('download', {'ReplyFileName': '/x'}, 'NotCompatible'),
                ('upload', {'ReplyFileName': '/x'}, 'NotCompatible'),
                ('upload', {'MaximumSize': 5}, 'DownloadOnly'),
                ('upload-reply', {'DynamicContent': True}, 'DownloadOnly'),
                ('upload', {'UploadProtocol': 'gopher'}, 'InvalidArgs'),
                ('upload-reply', {'ReplyFileName': 'x'}, 'InvalidPath')):
            with self.subTest(f'{job_type} {options}'):
                self.assert_error(name, self.client.create, job_type=job_type, **options)
        self.assertEqual(self.client.list_jobs(), [])

    def test_protocol_is_chosen_before(self):
        job = self.job(job_type='upload', start=False)
        job.set(UploadProtocol='put')
        job.set(UploadProtocol='bits')
        job.resume()
        self.assert_error('ReadOnlyAfterResume', job.set, UploadProtocol='put')
        job.set(UploadProtocol='bits')
        job.wait('transferred')

    def test_files_that_cannot_be_sent(self):
        url = self.bits.url('/a')
        target = self.world.target
        os.mkdir(target('directory'))
        os.mkfifo(target('fifo'))
        os.symlink(self.source('real'), target('link'))
        for job_type in TYPES:
            job = self.client.create(job_type=job_type)
            for path in 'nothing', 'directory', 'fifo', 'no/where':
                with self.subTest(f'{job_type} {path}'):
                    message = self.assert_error('InvalidPath', job.add, url, target(path))
                    self.assertIn(path, message)
            self.assert_error('InvalidUrl', job.add, 'file:///etc/motd', target('real'))
            self.assert_error('DownloadOnly', job.add, url, target('real'), size=5)
            self.assertEqual(job.get('FilesTotal'), 0)
            self.assertEqual(job.get('BytesTotal'), 0)

    def test_number_of_files(self):
        paths = [self.source(name) for name in 'abc']
        reply = self.client.create(job_type='upload-reply')
        rows = [(self.bits.url(f'/{number}'), path) for number, path in enumerate(paths)]
        self.assert_error('TooManyFiles', reply.add_files, rows)
        self.assert_error('TooManyFiles', self.client.create, rows, job_type='upload-reply')
        self.assertEqual(reply.add(*rows[0]), 0)
        self.assert_error('TooManyFiles', reply.add, *rows[1])
        job = self.client.create(rows, job_type='upload')
        self.assertEqual(job.get('FilesTotal'), 3)
        self.assertEqual(job.get('BytesTotal'), 3 * 300 * KIB)
        self.assert_error('DuplicateDestination', job.add, *rows[1])

    def test_where_the_reply_cannot_go(self):
        path = self.source()
        url = self.bits.url('/a')
        self.assert_error('DuplicateDestination', self.client.create, [(url, path)],
                          job_type='upload-reply', ReplyFileName=path)
        self.assert_error('InvalidPath', self.client.create, [(url, path)],
                          job_type='upload-reply', ReplyFileName=self.world.target('no/where'))
        self.assertEqual(self.client.list_jobs(), [])


class Reply(UploadJobCase):
    def test_round_trip(self):
        job = self.transferred()
        reply = job.files()[0][2] + '.reply'
        self.assertEqual(bytes(job.call('GetReplyData')[0]), b'well received')
        self.assertEqual(self.open_reply(job), b'well received')
        self.assertEqual(job.get('ReplyBytesTotal'), 13)
        self.assertEqual(job.get('ReplyBytesTransferred'), 13)
        self.assertEqual(job.get('BytesTransferred'), 300 * KIB)
        self.assertEqual(job.get('FilesTransferred'), 1)
        self.assertEqual(job.file_states(), ['transferred'])
        self.assertFalse(os.path.exists(reply))
        self.assertEqual(job.complete(), ('completed', {'kept': [(0, reply)], 'discarded': [],
                                                        'moved': [], 'undeleted': []}))
        with open(reply, 'rb') as file:
            self.assertEqual(file.read(), b'well received')
        self.assert_no_temporaries()
        row = job.tombstone(files=True)
        self.assertEqual((row['result'], row['type']), ('completed', 'upload-reply'))
        self.assertEqual((row['kept-count'], row['discarded-count']), (1, 0))
        self.assertEqual(row['kept'], [(0, reply)])
        self.assertEqual(self.bits.files['/source'].sha256, digest(self.world.target('source')))

    def test_nothing_said(self):
        self.bits.reply = None
        job = self.transferred()
        self.assertEqual(bytes(job.call('GetReplyData')[0]), b'')
        self.assertEqual(self.open_reply(job), b'')
        self.assertEqual(job.get('ReplyBytesTotal'), 0)
        job.complete()
        self.assertEqual(os.path.getsize(self.world.target('source.reply')), 0)

    def test_long(self):
        self.bits.reply = Content(3 * MIB, 'reply').bytes(0, 3 * MIB)
        job = self.transferred()
        self.assertIn('OpenReply', self.assert_error('TooLarge', job.call, 'GetReplyData'))
        self.assertEqual(self.open_reply(job), self.bits.reply)
        self.assertEqual(job.get('ReplyBytesTotal'), 3 * MIB)

    def test_longest_at_once(self):
        self.bits.reply = Content(MIB, 'reply').bytes(0, MIB)
        self.assertEqual(bytes(self.transferred().call('GetReplyData')[0]), self.bits.reply)

    def test_named(self):
        name = self.world.target('answer')
        job = self.job(ReplyFileName=name, start=False)
        job.set(ReplyFileName='')
        job.set(ReplyFileName=name)
        self.assert_error('DuplicateDestination', job.set, ReplyFileName=self.world.target('source'))
        job.resume()
        job.wait('transferred')
        self.assert_error('InvalidState', job.set, ReplyFileName=self.world.target('late'))
        job.set(ReplyFileName=name)
        self.assertEqual(job.complete()[1]['kept'], [(0, name)])
        self.assertFalse(os.path.exists(self.world.target('source.reply')))
        with open(name, 'rb') as file:
            self.assertEqual(file.read(), b'well received')

    def test_renamed_while_it_is_sent(self):
        job = self.stalled()
        job.set(ReplyFileName=self.world.target('answer'))
        self.bits.release()
        job.wait('transferred', hurry=True)
        job.complete()
        self.assertTrue(os.path.exists(self.world.target('answer')))
        self.assert_no_temporaries()

    def test_is_told(self):
        watched = self.job(start=False)
        watched.get_all()
        watched.resume()
        watched.wait('transferred')
        self.client.flush()
        changes = {}
        for signal in self.client.named('PropertiesChanged', watched.path):
            changes.update(signal.args[1])
        self.assertEqual(changes['ReplyBytesTransferred'], 13)
        self.assertEqual(changes['ReplyBytesTotal'], 13)
        self.assertEqual(changes['State'], 'transferred')

    def test_mode(self):
        path = self.source()
        job = self.client.create([(self.bits.url('/a'), path, {'mode': 0o640})], start=True,
                                 job_type='upload-reply', UploadProtocol='bits')
        job.wait('transferred')
        job.complete()
        self.assertEqual(os.stat(path + '.reply').st_mode & 0o7777, 0o640)

    def test_keep_both(self):
        reply = self.world.target('source.reply')
        with open(reply, 'w', encoding='utf-8') as file:
            file.write('mine')
        job = self.transferred()
        self.assert_error('CommitFailed', job.complete, overwrite='fail')
        self.assertEqual(job.state, 'transferred')
        kept, = job.complete(overwrite='keep-both')[1]['kept']
        self.assertEqual(kept[0], 0)
        self.assertNotEqual(kept[1], reply)
        with open(reply, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'mine')

    def test_deleted_by_somebody(self):
        """A server has no reply any more once it was told that it arrived: the file goes again."""
        self.bits.allow_overwrites = True
        job = self.transferred()
        part, = temporaries(self.world.downloads)
        os.unlink(os.path.join(self.world.downloads, part))
        self.assert_error('CommitFailed', job.complete)
        self.assertEqual(job.state, 'suspended')
        self.assertEqual(job.error, ('FileMissing', 'local-file'))
        self.assertTrue(job.get('Error')['reply'])
        self.assert_error('InvalidState', job.complete)
        job.resume()
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        self.assertTrue(os.path.exists(self.world.target('source.reply')))

    def test_name_of_the_temporary_is_taken(self):
        job = self.job(start=False)
        taken = self.world.target(f'.transferd-{job.id}-1.part')
        os.symlink('elsewhere', taken)
        job.resume()
        job.wait('transferred', hurry=True)
        self.assertIn('part-replaced', job.events())
        job.complete()
        with open(self.world.target('source.reply'), 'rb') as file:
            self.assertEqual(file.read(), b'well received')
        self.assertEqual(os.readlink(taken), 'elsewhere')

    def test_temporary_is_gone_on_the_way(self):
        """The server still has the reply: only that is fetched again."""
        self.bits.reply = Content(2 * MIB, 'reply').bytes(0, 2 * MIB)
        self.bits.reply_options = {'script': [Answer(stall=MIB)]}
        job = self.job()
        wait_for(lambda: job.get('ReplyBytesTransferred') >= MIB // 2, 'half of the reply')
        job.suspend()
        part, = temporaries(self.world.downloads)
        os.unlink(os.path.join(self.world.downloads, part))
        job.resume()
        job.wait('suspended')
        self.assertEqual(job.error, ('FileMissing', 'local-file'))
        self.assertTrue(job.get('Error')['reply'])
        job.resume()
        job.wait('transferred')
        self.assertEqual(self.open_reply(job), self.bits.reply)
        self.assertEqual(self.bits.kinds().count('Create-Session'), 1)
        job.complete()

    def test_auto_complete(self):
        job = self.job(AutoComplete=True)
        self.client.expect('JobRemoved', None)
        self.assertEqual(job.tombstone()['result'], 'completed')
        self.assertTrue(os.path.exists(self.world.target('source.reply')))

    def test_survives_a_restart(self):
        job = self.transferred()
        self.world.restart()
        self.assertEqual(job.state, 'transferred')
        self.assertEqual(job.get('ReplyBytesTotal'), 13)
        self.assertEqual(job.get('FilesTotal'), 1)
        self.assertEqual(bytes(job.call('GetReplyData')[0]), b'well received')
        job.complete()


class States(UploadJobCase):
    def check(self, state, job_type):
        before = snapshot(self.world.downloads)
        job = self.in_state(state, job_type)
        if state != 'transferred':
            self.assert_error('InvalidState', job.complete)
            self.assertEqual(job.state, state)
        if job_type == 'upload':
            self.assert_error('NotSupported', job.call, 'GetReplyData')
            self.assert_error('NotSupported', job.call, 'OpenReply')
        elif state != 'transferred':
            self.assert_error('InvalidState', job.call, 'GetReplyData')
            self.assert_error('InvalidState', job.call, 'OpenReply')
        for method, signature, *values in (('SetRemoteName', '(us)', 0, self.bits.url('/b')),
                                           ('ReplaceRemotePrefix', '(ss)', 'http:', 'https:'),
                                           ('SetValidationState', '(ub)', 0, True)):
            self.assert_error('NotSupported', job.call, method, signature, *values)
        self.assert_error('NotSupported', job.call, 'OpenTemporary', '(u)', 0)
        self.assert_error('InvalidArgs', job.call, 'OpenTemporary', '(u)', 1)
        self.assertEqual(job.cancel(), ('cancelled', {'undeleted': []}))
        self.bits.release()
        self.client.flush()
        self.assertEqual(self.client.named('JobRemoved')[-1].args, (job.path, 'cancelled'))
        self.assert_error('InvalidState', job.cancel)
        wait_for(lambda: not self.bits.sessions, 'the server to forget')
        # what was wholly sent stays at the server, and what was to be sent stays here
        self.assertEqual('/source' in self.bits.files, state == 'transferred')
        os.unlink(self.world.target('source'))
        self.assertEqual(snapshot(self.world.downloads), before)

    def test_notifies_no_reply_as_a_file(self):
        job = self.job(start=False, NotifyFiles=True)
        job.get_all()
        job.resume()
        self.assertEqual(self.client.expect('FilesTransferred').args, (job.path, [0]))


for one_type in TYPES:
    for one_state in 'suspended', 'transferring', 'transient-error', 'error', 'transferred':
        setattr(States, f'test_{one_type}_{one_state}'.replace('-', '_'),
                lambda self, state=one_state, job_type=one_type: self.check(state, job_type))


class Failures(UploadJobCase):
    def test_source_changes(self):
        for job_type in TYPES:
            with self.subTest(job_type):
                job = self.job(job_type=job_type, start=False)
                with open(self.world.target('source'), 'ab') as file:
                    file.write(b'more')
                job.resume()
                job.wait('error')
                self.assertEqual(job.error, ('LocalFileChanged', 'local-file'))
                error = job.get('Error')
                self.assertEqual(error['file'], 0)
                self.assertNotIn('reply', error)
                job.cancel()

    def test_source_is_gone(self):
        job = self.job(start=False)
        os.unlink(self.world.target('source'))
        job.resume()
        job.wait('error')
        self.assertEqual(job.error, ('FileMissing', 'local-file'))
        job.cancel()

    def test_which_half(self):
        self.bits.reply_options = {'script': Forever(Answer(status=403))}
        job = self.job()
        job.wait('error')
        error = job.get('Error')
        self.assertEqual(error['http-status'], 403)
        self.assertTrue(error['reply'])
        self.assertEqual(error['file'], 0)
        self.assertIn('reply', error['message'])
        self.assertEqual(job.get('BytesTransferred'), 300 * KIB)
        self.assertEqual(job.get('FilesTransferred'), 0)
        job.cancel()
        wait_for(lambda: not self.bits.sessions, 'the server to forget')
        self.assertIn('/source', self.bits.files)
        self.assert_no_temporaries()


class Sessions(UploadJobCase):
    def test_server_is_away(self):
        """The job ends at once; its server hears of it when it is back, even after a restart."""
        job = self.stalled('upload')
        job.suspend()
        self.bits.stop()
        self.assertEqual(job.cancel()[0], 'cancelled')
        self.assertEqual(self.client.list_jobs(), [])
        self.assertEqual(len(self.bits.sessions), 1)
        self.bits.released.clear()
        self.bits.start()
        self.world.restart()
        wait_for(lambda: not self.bits.sessions, 'the server to forget')
        self.assertEqual(self.bits.kinds()[-1], 'Cancel-Session')

    def test_killed_while_cancelling(self):
        job = self.stalled()
        job.send_cancel()
        self.world.restart()
        # whether it was recorded or not: nobody was told that it was
        for path, _ in self.client.list_jobs():
            self.assertEqual(path, job.path)
            try:
                job.cancel()
            except DBusError as error:  # it goes on by itself, and was at its end by now
                self.assertEqual(error.short, 'InvalidState')
        self.bits.release()
        wait_for(lambda: not self.bits.sessions, 'the server to forget')
        os.unlink(self.world.target('source'))
        self.assertEqual(snapshot(self.world.downloads), [])


if __name__ == '__main__':
    tap.main()
