#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Disks that lose power, are taken out and put back, or are full."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import SECOND, wait_for  # noqa: E402
from disks import Disk, HeldReads, Tmpfs, command, own_mounts  # noqa: E402
from httpd import KIB, MIB, Answer  # noqa: E402
from processes import process_start  # noqa: E402
from world import World, WorldCase, temporaries  # noqa: E402


class PowerCut(WorldCase):
    """Database and downloads are on one disk, which forgets all that was not synced."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.end)
        self.disk = Disk(self.world.path('image'), self.world.path('disk'), 384 * MIB)
        self.world.state_dir = self.world.path('disk', 'state')
        self.world.downloads = self.world.path('disk', 'downloads')
        os.mkdir(self.world.downloads)
        command('sync', '-f', self.world.downloads)
        self.world.start()
        self.server = self.world.server()
        self.client = self.world.client()

    def end(self):
        faults = self.world.close()
        self.disk.unmount()
        self.assertEqual([fault for fault in faults if 'CRITICAL' in fault], [])

    def cut_and_start(self):
        """The machine loses power and comes up again."""
        self.disk.cut_power()
        self.world.kill_daemon()
        for pid, start in list(self.world.seen.items()):
            wait_for(lambda: self.ended(pid, start), 'the processes to end')
        self.disk.unmount()
        self.disk.mount()
        self.world.start()

    @staticmethod
    def ended(pid, start):
        return process_start(pid) != start

    def test_transferred_means_on_the_disk(self):
        rows = [self.file(f'f{number}', size)[1] for number, size in
                enumerate([8 * MIB] + [10 * KIB] * 30)]
        job = self.client.create(rows, start=True)
        self.client.expect('JobTransferred')
        self.cut_and_start()
        self.assertEqual(job.state, 'transferred')
        requests = len(self.server.requests())
        self.assertEqual(job.complete()[0], 'completed')
        self.assertEqual(len(self.server.requests()), requests)
        for number in range(31):
            self.assert_file(self.world.target(f'f{number}'), self.server.resources[f'/f{number}'])
        self.assert_no_temporaries()

    def test_completed_means_on_the_disk(self):
        rows = [self.file(f'f{number}', 100 * KIB)[1] for number in range(5)]
        job = self.client.create(rows, start=True)
        job.wait('transferred')
        job.complete()
        self.cut_and_start()
        self.assertEqual(job.tombstone()['result'], 'completed')
        self.assertEqual(self.client.list_jobs(), [])
        for number in range(5):
            self.assert_file(self.world.target(f'f{number}'), self.server.resources[f'/f{number}'])
        self.assert_no_temporaries()

    def test_cancelled_means_on_the_disk(self):
        _, row, _ = self.file('a', 2 * MIB)
        job = self.client.create([row], start=True)
        job.wait('transferred')
        job.cancel()
        self.cut_and_start()
        self.assertEqual(job.tombstone()['result'], 'cancelled')
        self.assertEqual(os.listdir(self.world.downloads), [])

    def test_created_means_on_the_disk(self):
        file, row, path = self.file('a', 2 * MIB)
        job = self.client.create([row])
        self.cut_and_start()
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_loses_at_most_a_checkpoint(self):
        """64 MiB or 5 seconds, whichever is more: 80 MiB at this rate, if the disk takes no time."""
        for attempt in range(4):
            file, row, path = self.file(f'a{attempt}', 230 * MIB, rate=16 * MIB)
            job = self.client.create([row], start=True)
            wait_for(lambda: job.get('BytesTransferred') >= 200 * MIB, 'most of the file')
            file.rate = 0
            self.cut_and_start()
            job.wait('transferred')
            resumed = self.server.ranges(f'/a{attempt}')[-1]
            job.complete()
            self.assert_file(path, file)
            os.unlink(path)
            if resumed and int(resumed[6:-1]) >= 90 * MIB:
                return
        self.fail(f'resumed only at {resumed}')

    def test_in_the_middle_of_a_file(self):
        """What had not reached the disk is fetched again, and nothing else is believed."""
        file, row, path = self.file('a', 24 * MIB, script=[Answer(stall=20 * MIB)])
        job = self.client.create([row], start=True)
        wait_for(lambda: job.get('BytesTransferred') == 20 * MIB, 'most of the file')
        self.cut_and_start()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)
        self.assert_no_temporaries()



class Slow(WorldCase):
    """A disk that takes its time."""

    def test_others_do_not_wait(self):
        """While a worker reads files from end to end, all its other jobs go on."""
        slow = self.world.path('slow')
        os.mkdir(slow)
        files = [self.file(f'f{number}', MIB)[0] for number in range(8)]
        rows = [(self.server.url(f'/f{number}'), os.path.join(slow, f'f{number}'),
                 {'digest': 'sha256:' + file.sha256}) for number, file in enumerate(files)]
        done, lost = [self.client.create([self.file(name, MIB)[1]], start=True) for name in 'ab']
        done.wait('transferred')
        lost.wait('transferred')
        try:
            reads = HeldReads(slow)
        except OSError as error:
            self.skip_kernel(f'fanotify with permissions: {error}')
        job = self.client.create(rows, start=True)
        try:
            wait_for(lambda: reads.count() >= 4, 'four files to be read')
            self.assertEqual(done.complete()[0], 'completed')
            lost.cancel()
            other, row, path = self.file('c', MIB)
            third = self.client.create([row], start=True)
            third.wait('transferred')
            third.complete()
            self.assert_file(path, other)
            self.assertEqual(job.state, 'transferring')
        finally:
            reads.let_go()
        job.wait('transferred')
        self.assertEqual(job.complete()[0], 'completed')
        for number, file in enumerate(files):
            self.assert_file(os.path.join(slow, f'f{number}'), file)


class Removable(WorldCase):
    """The destination is on a disk that is taken out and put back."""

    def setUp(self):
        super().setUp()
        self.disk = Disk(self.world.path('image'), self.world.target('stick'))
        self.mounted = True

    def end(self):
        if self.mounted:
            self.take_out()
        super().end()

    def take_out(self):
        self.disk.unmount()
        self.mounted = False

    def put_back(self):
        self.disk.mount()
        self.mounted = True

    def stick(self, name):
        return os.path.join(self.disk.mount_point, name)

    def half_way(self, **options):
        file, row, _ = self.file('a', 4 * MIB, script=[Answer(stall=MIB)])
        job = self.client.create([(row[0], self.stick('a'))], start=True, **options)
        wait_for(lambda: job.get('BytesTransferred') == MIB, 'the first bytes')
        job.suspend()
        return job, file

    def test_goes_on_when_it_is_back(self):
        job, file = self.half_way(MinimumRetryDelay=3600 * SECOND)
        self.take_out()
        job.resume()
        job.wait('transient-error')
        self.assertEqual(job.error, ('DestinationUnavailable', 'local-file'))
        self.assertEqual(job.get('ErrorCount'), 0)
        self.assertEqual(os.listdir(self.disk.mount_point), [])
        self.put_back()
        job.wait('transferred')
        self.assertEqual(self.server.ranges('/a')[-1], f'bytes={MIB}-')
        job.complete()
        self.assert_file(self.stick('a'), file)

    def test_another_disk_in_its_place(self):
        job, file = self.half_way()
        self.take_out()
        other = Disk(self.world.path('other-image'), self.disk.mount_point, 16 * MIB,
                     made=1_600_000_000)
        job.resume()
        job.wait('transient-error')
        self.assertEqual(job.error[0], 'DestinationUnavailable')
        self.assertEqual(temporaries(self.disk.mount_point), [])
        other.unmount()
        self.put_back()
        job.wait('transferred', hurry=True)
        job.complete()
        self.assert_file(self.stick('a'), file)

    def test_restart_while_it_is_out(self):
        job, file = self.half_way()
        job.resume()
        self.world.kill_daemon()
        self.take_out()
        self.world.start()
        job.wait('transient-error')
        self.assertEqual(job.error[0], 'DestinationUnavailable')
        self.put_back()
        job.wait('transferred')
        job.complete()
        self.assert_file(self.stick('a'), file)

    def test_complete_while_it_is_out(self):
        file, row, _ = self.file('a')
        job = self.client.create([(row[0], self.stick('a'))], start=True)
        job.wait('transferred')
        self.take_out()
        self.assert_error('CommitFailed', job.complete)
        self.assertEqual((job.state, os.listdir(self.disk.mount_point)), ('transferred', []))
        self.put_back()
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(self.stick('a'), file)

    def test_cancel_while_it_is_out(self):
        job, _ = self.half_way()
        part = self.stick(f'.transferd-{job.id}-0.part')
        self.assertTrue(os.path.exists(part))
        self.take_out()
        self.assertEqual(job.cancel(), ('cancelled', {'undeleted': [part]}))
        self.assertEqual(job.tombstone()['undeleted'], [part])
        self.put_back()
        self.assertTrue(os.path.exists(part) or not temporaries(self.disk.mount_point))
        wait_for(lambda: not temporaries(self.disk.mount_point), 'the leftover to be removed')

    def test_leftover_is_removed_after_a_restart(self):
        job, _ = self.half_way()
        self.take_out()
        job.cancel()
        self.world.restart()
        self.put_back()
        wait_for(lambda: not temporaries(self.disk.mount_point), 'the leftover to be removed')


class Full(WorldCase):
    """A file system that is too small, until somebody makes room."""

    def setUp(self):
        super().setUp()
        self.small = Tmpfs(self.world.target('small'), 8 * MIB)

    def end(self):
        faults = self.world.close()
        self.small.unmount()
        self.assertEqual(faults, [])

    def small_path(self, name):
        return os.path.join(self.small.mount_point, name)

    def check(self, length):
        file, row, _ = self.file('a', 12 * MIB, length=length)
        job = self.client.create([(row[0], self.small_path('a'))], start=True)
        job.wait('error')
        self.assertEqual(job.error, ('InsufficientSpace', 'local-file'))
        self.client.expect('JobError')
        command('mount', '-o', 'remount,size=64m', self.small.mount_point)
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(self.small_path('a'), file)

    def test_size_is_known(self):
        self.check('known')

    def test_size_is_unknown(self):
        self.check('chunked')

    def check_many(self, size, limit, room):
        """Small files, whose temporaries are made and written by another thread."""
        command('mount', '-o', 'remount,' + limit, self.small.mount_point)
        files = [self.file(f'f{number}', size) for number in range(200)]
        job = self.client.create([(row[0], self.small_path(f'f{number}'))
                                  for number, (_, row, _) in enumerate(files)], start=True)
        job.wait('error')
        self.assertEqual(job.error, ('InsufficientSpace', 'local-file'))
        command('mount', '-o', 'remount,' + room, self.small.mount_point)
        job.resume()
        job.wait('transferred')
        job.complete()
        for number, (file, _, _) in enumerate(files):
            self.assert_file(self.small_path(f'f{number}'), file)
        self.assertEqual(temporaries(self.small.mount_point), [])

    def test_many_small_files(self):
        self.check_many(60 * KIB, 'size=8m', 'size=64m')

    def test_many_small_files_without_inodes(self):
        self.check_many(KIB, 'nr_inodes=100', 'nr_inodes=1000')

    def test_many_small_files_that_just_fit(self):
        """What another thread is writing counts once."""
        rows = [(self.file(f'f{number}', 60 * KIB)[1][0], self.small_path(f'f{number}'))
                for number in range(129)]
        for _ in range(10):
            job = self.client.create(rows, start=True, Priority='foreground')
            self.assertEqual(job.wait('transferred', 'error'), 'transferred', job.error)
            job.cancel()

    def test_somebody_else_fills_it(self):
        """Space that was reserved is ours; what cannot be reserved is an error with the bytes kept."""
        with open(self.small_path('filler'), 'wb') as filler:
            filler.write(bytes(6 * MIB))
        file, row, _ = self.file('a', 4 * MIB)
        job = self.client.create([(row[0], self.small_path('a'))], start=True)
        job.wait('error')
        self.assertEqual(job.error[0], 'InsufficientSpace')
        os.unlink(self.small_path('filler'))
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(self.small_path('a'), file)

    def test_some_space_stays_free(self):
        """Of 100 MiB 5 must stay free."""
        command('mount', '-o', 'remount,size=100m', self.small.mount_point)
        _, row, _ = self.file('a', 97 * MIB)
        job = self.client.create([(row[0], self.small_path('a'))], start=True)
        job.wait('error')
        self.assertEqual(job.error[0], 'InsufficientSpace')
        job.cancel()
        _, row, _ = self.file('b', 90 * MIB)
        job = self.client.create([(row[0], self.small_path('b'))], start=True)
        job.wait('transferred')
        job.cancel()

    def test_space_is_given_back(self):
        """A hostile length reserves nothing for good, and Cancel frees everything."""
        for number in range(3):
            _, row, _ = self.file(f'a{number}', 3 * MIB)
            job = self.client.create([(row[0], self.small_path(f'a{number}'))], start=True)
            job.wait('transferred')
            job.cancel()
        info = os.statvfs(self.small.mount_point)
        self.assertEqual(info.f_bfree, info.f_blocks)

    def test_bytes_are_kept_for_resume(self):
        file, row, _ = self.file('a', 6 * MIB, script=[Answer(stall=2 * MIB)], length='chunked')
        file.script.append(Answer(length='known'))
        job = self.client.create([(row[0], self.small_path('a'))], start=True)
        wait_for(lambda: job.get('BytesTransferred') == 2 * MIB, 'the first bytes')
        with open(self.small_path('filler'), 'wb') as filler:
            try:
                filler.write(bytes(6 * MIB))
            except OSError:
                pass
        file.released.set()
        job.wait('error')
        self.assertEqual(job.error[0], 'InsufficientSpace')
        os.unlink(self.small_path('filler'))
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(self.small_path('a'), file)


if __name__ == '__main__':
    own_mounts()
    tap.main()
