# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk without space, and one without inodes: sockets, metrics and logs. In a mount name space of its own."""
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from daemon import Daemon, settled, states, until
from guests import Guest
from qmp import SECONDS, Qmp


class TestDisk(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.disk = f'{folder.name}/disk'
        self.run = f'{self.disk}/run'
        self.metrics_path = f'{self.disk}/metrics.prom'
        self.config = f'{folder.name}/own.conf'
        with open(self.config, 'w', encoding='utf-8') as file:
            file.write(f'[bootzero]\nruntime-directory = {self.run}\n')
        os.mkdir(self.disk)

    def mount(self, options):
        subprocess.run(['mount', '-t', 'tmpfs', '-o', options, 'bootzero-test', self.disk], check=True)
        self.addCleanup(subprocess.run, ['umount', '-l', self.disk], check=True)
        os.mkdir(self.run)

    def daemon(self):
        daemon = Daemon(self.folder, '--metrics', self.metrics_path, wait=False, BOOTZERO_CONFIG=self.config)
        self.addCleanup(daemon.end)
        daemon.path = f'{self.run}/monitor.qmp'
        return daemon

    def guest(self, number):
        guest = Guest(self.run, number, mib=4)
        self.addCleanup(guest.end)
        return guest

    def written_now(self):
        """What is not there to stay: the file that will replace the metrics."""
        return set(os.listdir(self.disk)) - {'run', 'metrics.prom', 'full'}

    @contextlib.contextmanager
    def paused(self, daemon):
        """Does not run, and was not writing: what it does about a full disk, it does when the disk is full and stays so."""
        process = daemon.process
        while True:
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            if not self.written_now():
                break
            process.send_signal(signal.SIGCONT)
            time.sleep(0.01)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def fill(self):
        with open(f'{self.disk}/full', 'ab', buffering=0) as file, self.assertRaisesRegex(OSError, 'No space left'):
            while True:
                file.write(bytes(512))

    def metrics(self):
        """The file's text, which is whole whenever there is one. What is written beside it, to replace it, does not stay."""
        until(self.written_now, set())
        try:
            with open(self.metrics_path, encoding='utf-8') as file:
                text = file.read()
        except FileNotFoundError:
            return None
        self.assertTrue(text.startswith('# TYPE bootzero_guests gauge\n') and text.endswith('# EOF\n'), text)
        return text

    def says(self, state, count):
        return f'bootzero_guests{{state="{state}"}} {count}\n' in (self.metrics() or '')

    def test_no_space(self):
        self.mount('size=256k,nr_inodes=100')
        daemon = self.daemon()
        daemon.wait()
        client = Qmp(daemon.path)
        self.addCleanup(lambda: client.close())
        guest = self.guest(1)
        until(lambda: self.says('armed', 1), True)
        with self.paused(daemon):
            os.unlink(self.metrics_path)
            self.fill()
        for i in range(3):
            guest.do('8002')
            guest.reset()
        other = self.guest(2)  # its socket needs no block
        wanted = {'guest1': 'armed 4', 'guest2': 'armed 1'}
        until(lambda: states(client), wanted)
        self.assertEqual(other.do('8002'), '0')
        wanted['guest2'] = 'reported 1'
        until(lambda: states(client), wanted)
        until(lambda: daemon.log().count('there are no metrics: '), 1)
        # A restart while it is full, also with another's socket file in its place.
        client.close()
        daemon.kill()
        self.assertTrue(os.path.exists(daemon.path))
        daemon = self.daemon()
        daemon.wait()
        client = Qmp(daemon.path)
        settled(client, wanted)
        guest.do('bad')
        self.assertEqual(client.change(), 'declined 4 the call was refused (status 4)')
        until(lambda: daemon.log().count('there are no metrics: '), 2)
        time.sleep(4.5)  # it is tried again twice
        self.assertIsNone(self.metrics())
        # Space returns.
        os.unlink(f'{self.disk}/full')
        until(lambda: self.says('declined', 1) and self.says('reported', 1), True)
        self.assertEqual(daemon.end(), 0)
        self.assertIsNone(self.metrics())
        lines = daemon.log().splitlines()
        self.assertEqual([line.split(': ')[1] for line in lines], ['there are no metrics'] * 2 +
                         ['metrics can be written again'], lines)

    def test_space_for_one_file_alone(self):
        """The old file goes first, when there is no place for both: the numbers stay up to date."""
        self.mount('size=64k,nr_inodes=100')
        daemon = self.daemon()
        daemon.wait()
        guest = self.guest(1)
        until(lambda: self.says('armed', 1), True)
        with self.paused(daemon):
            self.fill()
        guest.do('8002')
        until(lambda: self.says('reported', 1), True)
        guest.do('bad')
        until(lambda: self.says('declined', 1), True)
        self.assertEqual(daemon.log(), '')

    def test_no_inodes(self):
        self.mount('size=1m,nr_inodes=100')
        number = 0
        with self.assertRaisesRegex(OSError, 'No space left'):
            while True:
                number += 1
                os.mknod(f'{self.run}/{number}')
        daemon = self.daemon()
        self.assertEqual(daemon.process.wait(timeout=SECONDS), 1)
        self.assertEqual(daemon.log(), f'error: cannot listen on {daemon.path}: Error binding to address '
                                       '(GUnixSocketAddress): No space left on device\n')
        guest = self.guest(1)
        self.assertIn(f'bootzero: no QMP endpoint at {guest.path}: No space left on device; the guest runs without it',
                      guest.log())
        self.assertEqual(guest.do('8002'), '0')
        for name in '1234':
            os.unlink(f'{self.run}/{name}')
        daemon = self.daemon()
        daemon.wait()
        client = Qmp(daemon.path)
        self.addCleanup(client.close)
        self.guest(2)
        self.assertEqual(client.change(), 'armed 1')


if __name__ == '__main__':
    if os.geteuid() != 0:
        print('SKIP: needs root, to mount a small disk')
        sys.exit(77)
    if 'BZ_OWN_MOUNTS' not in os.environ:
        os.environ['BZ_OWN_MOUNTS'] = 'yes'
        os.execvp('unshare', ['unshare', '--mount', '--propagation', 'private', sys.executable, *sys.argv])
    unittest.main()
