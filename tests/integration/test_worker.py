#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The two processes: workers that die, hang or stand still, and never two writers of one file."""
import fcntl
import glob
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap  # noqa: E402
from bus import DEADLINE, SECOND, wait_for  # noqa: E402
from httpd import MIB, Answer  # noqa: E402
from processes import count_descriptors, process_start, status_field  # noqa: E402
from world import World, WorldCase, temporaries  # noqa: E402


class Worker(WorldCase):
    config = {'WorkerIdleTimeout': '2s', 'WorkerTimeout': '3s', 'StopTimeout': '1s',
              'ProbeTimeout': '1s'}

    def half_way(self, name='a', size=16 * MIB, **options):
        """A job that stands still at half of its file, (job, resource, path)."""
        file, row, path = self.file(name, size, script=[Answer(stall=size // 2)])
        job = self.client.create([row], start=True, **options)
        wait_for(lambda: job.get('BytesTransferred') == size // 2, 'the first half')
        return job, file, path

    def lock_files(self):
        return glob.glob(self.world.path('**', f'worker-{os.getuid()}.lock'), recursive=True)

    def test_started_on_demand_and_gone_when_idle(self):
        self.assertEqual(self.world.workers(), [])
        job, file, path = self.half_way()
        pid = self.world.worker()
        start = process_start(pid)
        file.released.set()
        job.wait('transferred')
        wait_for(lambda: process_start(pid) != start, 'the idle worker to leave')
        self.assertEqual(job.complete()[0], 'completed')
        self.assert_file(path, file)

    def test_one_worker_for_a_user(self):
        jobs = [self.half_way(f'f{number}', MIB)[0] for number in range(2)]
        self.assertEqual(len(self.world.workers()), 1)
        for job in jobs:
            job.cancel()

    def test_worker_ends_with_the_daemon(self):
        self.half_way()
        pid = self.world.worker()
        start = process_start(pid)
        self.world.kill_daemon()
        wait_for(lambda: process_start(pid) != start, 'the worker to end')

    def test_stopped_worker_is_replaced(self):
        """A worker that does not answer is killed, and its successor goes on where it was."""
        job, file, path = self.half_way()
        pid = self.world.worker()
        start = process_start(pid)
        os.kill(pid, signal.SIGSTOP)
        file.released.set()
        wait_for(lambda: process_start(pid) != start, 'the hanging worker to be killed')
        job.wait('transferred')
        self.assertEqual((job.get('ErrorCount'), job.get('Error')), (0, {}))
        job.complete()
        self.assert_file(path, file)

    def test_killed_while_a_large_file_is_written(self):
        """What is there was written without holes: its successor goes on behind it, and does not
        read or fetch it again."""
        file, row, path = self.file('large', 96 * MIB, rate=200 * MIB)
        job = self.client.create([row], start=True)
        place = os.path.dirname(path)

        def present():
            names = temporaries(place)
            return os.path.getsize(os.path.join(place, names[0])) if names else 0

        sizes = []
        for least in 30, 60:
            wait_for(lambda: present() >= least * MIB, 'more of the file')
            sizes.append(present())
            self.world.kill_worker()
        job.wait('transferred', hurry=True)
        job.complete()
        self.assert_file(path, file)
        resumed = [int(value[6:-1]) for value in self.server.ranges('/large') if value]
        self.assertEqual(len(resumed), len(sizes))
        for begin, size in zip(resumed, sizes):
            self.assertGreaterEqual(begin, size)

    def test_complete_with_a_stopped_worker(self):
        done, row, path = self.file('done')
        job = self.client.create([row], start=True)
        job.wait('transferred')
        unfinished, second, other = self.file('open', 2 * MIB, script=[Answer(stall=MIB)])
        job.add(*second)
        job.resume()
        wait_for(lambda: job.get('BytesTransferred') == 2 * MIB, 'the second file')
        os.kill(self.world.worker(), signal.SIGSTOP)
        result, details = job.complete()
        self.assertEqual((result, details['kept']), ('partial', [(0, path)]))
        self.assert_file(path, done)
        self.assertFalse(os.path.exists(other))
        self.assert_no_temporaries()

    def test_suspend_with_a_stopped_worker(self):
        job, file, path = self.half_way()
        os.kill(self.world.worker(), signal.SIGSTOP)
        job.suspend()
        self.assertEqual(job.state, 'suspended')
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_add_file_with_a_stopped_worker(self):
        """What cannot be looked at in time is accepted and looked at when its turn comes."""
        self.half_way()
        os.kill(self.world.worker(), signal.SIGSTOP)
        other = os.path.join(self.world.directory, 'elsewhere')
        job = self.client.create()
        self.assertEqual(job.add(self.server.url('/b'), other + '/b'), 0)

    def test_nobody_writes_while_an_old_worker_may(self):
        """As long as a process of before holds the lock of the worker, no worker is started."""
        job, file, path = self.half_way()
        locks = self.lock_files()
        self.assertEqual(len(locks), 1, locks)
        self.world.kill_daemon()
        with open(locks[0], 'r+b') as lock:
            def locked():
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return True
                except BlockingIOError:
                    return False
            wait_for(locked, 'the old worker to let go')
            self.world.start()
            wait_for(lambda: 'worker-stuck' in job.explain(), 'the daemon to notice')
            requests = len(self.server.requests())
            self.assertEqual((self.world.workers(), len(self.server.requests())), ([], requests))
            self.assertIn(job.state, ('queued', 'connecting'))
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_the_worker_holds_its_lock(self):
        self.half_way()
        lock_file, = self.lock_files()
        with open(lock_file, 'r+b') as lock, self.assertRaises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def lose_three_times(self, job, file, begun):
        for number in range(3):
            file.stalled.clear()
            self.world.kill_worker()
            if number < 2:
                wait_for(begun, 'the next try')
        wait_for(lambda: job.state == 'transient-error', lambda: f'transient-error, not {job.state}')
        self.assertEqual(job.error[0], 'WorkerLost')
        self.assertEqual(job.get('ErrorCount'), 0)

    def test_lost_again_and_again(self):
        """The file that kills its worker stops; a job that has nothing to do with it runs on."""
        job, file, path = self.half_way()
        file.script = [Answer(stall=10)] * 20

        def begun():
            return file.stalled.is_set() and job.file_states() == ['transferring']
        self.lose_three_times(job, file, begun)
        other, row, other_path = self.file('other')
        second = self.client.create([row], start=True)
        second.wait('transferred')
        second.complete()
        self.assert_file(other_path, other)
        file.script = []
        job.resume()
        job.wait('transferred')
        job.complete()
        self.assert_file(path, file)

    def test_lost_before_any_news(self):
        """A server whose very answer kills the worker: it has told nothing by then."""
        file, row, _ = self.file('a', script=[Answer(hang=1)] * 20)
        job = self.client.create([row], start=True)
        wait_for(file.stalled.is_set, 'the request')
        self.lose_three_times(job, file, file.stalled.is_set)

    def test_worker_has_what_its_user_has(self):
        self.half_way()
        pid = self.world.worker()
        self.assertEqual(set(status_field(pid, 'Uid')), {str(os.getuid())})
        self.assertEqual(status_field(pid, 'NoNewPrivs'), ['1'])

    def test_descriptors_do_not_pile_up(self):
        job, file, _ = self.half_way()
        worker, daemon = self.world.worker(), self.world.daemon_pid
        before = count_descriptors(worker), count_descriptors(daemon)
        for number in range(20):
            other, row, _ = self.file(f'f{number}')
            second = self.client.create([row], start=True)
            second.wait('transferred')
            second.complete()
        self.assertEqual(self.world.worker(), worker)
        self.assertLessEqual(count_descriptors(worker), before[0] + 8)
        self.assertLessEqual(count_descriptors(daemon), before[1] + 4)
        job.cancel()


class TwoDaemons(WorldCase):
    def test_second_daemon_of_a_state_directory(self):
        """On another bus, so that the name is not what keeps it out."""
        file, row, path = self.file('a', 2 * MIB, script=[Answer(stall=MIB)])
        job = self.client.create([row], start=True)
        wait_for(file.stalled.is_set, 'the answer')
        other = World()
        self.addCleanup(other.close)
        other.state_dir = self.world.state_dir
        second = other.launch()
        second.wait(DEADLINE)
        self.assertNotEqual(second.returncode, 0)
        with open(other.log, encoding='utf-8', errors='replace') as log:
            self.assertIn(str(self.world.daemon_pid), log.read())
        file.released.set()
        job.wait('transferred')
        self.assertEqual(len(self.server.requests('/a')), 1)
        job.complete()
        self.assert_file(path, file)

    def test_second_daemon_of_a_bus(self):
        second = self.world.launch()
        second.wait(DEADLINE)
        self.assertNotEqual(second.returncode, 0)
        self.assertEqual(self.client.list_jobs(), [])

    def test_successor_waits_for_the_predecessor(self):
        """A daemon that is started while the old one still ends takes over."""
        job = self.client.create(name='kept')
        pid = self.world.daemon_pid
        os.kill(pid, signal.SIGSTOP)
        other = World()
        self.addCleanup(other.close)
        other.state_dir = self.world.state_dir
        other.daemon = other.launch()
        os.kill(pid, signal.SIGCONT)
        self.world.stop()
        client = other.client()

        def taken_over():
            try:
                return client.list_jobs()
            except Exception:  # noqa: BLE001 (not there yet)
                return None
        listed = wait_for(taken_over, 'the second daemon to take over')
        self.assertEqual([path for path, _ in listed], [job.path])


class Slow(WorldCase):
    def test_hanging_server_does_not_block_others(self):
        stuck, row, _ = self.file('stuck', script=[Answer(hang=1)])
        first = self.client.create([row], start=True, MinimumRetryDelay=60 * SECOND)
        wait_for(stuck.stalled.is_set, 'the request')
        other, second_row, path = self.file('b')
        second = self.client.create([second_row], start=True)
        second.wait('transferred')
        second.complete()
        self.assert_file(path, other)
        self.assertEqual(first.state, 'connecting')
        first.cancel()


if __name__ == '__main__':
    tap.main()
