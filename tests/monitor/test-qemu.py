# SPDX-License-Identifier: LGPL-2.1-or-later
"""The endpoint in a real QEMU, started in each way libvirt and people start it; and what a reset is there."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from guests import ON
from qmp import Qmp

QEMU = os.environ.get('QEMU', 'qemu-system-x86_64')
SANDBOX = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'
UUID = '4dea22b3-1d52-d8f3-2516-782e98ab3fa0'


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.02)
    raise AssertionError('nothing happened')


class QemuMonitor(Qmp):
    """QEMU's own endpoint: its events and answers are not in our schema."""

    def __init__(self, path):
        import json
        import socket
        self.json = json
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.bytes = b''
        self.message()
        self.execute('qmp_capabilities')

    def execute(self, command, arguments=None):
        self.send(self.json.dumps({'execute': command, 'arguments': arguments or {}}))
        while 'return' not in (answer := self.message()):
            assert 'event' in answer, answer
        return answer['return']

    def human(self, line):
        return self.execute('human-monitor-command', {'command-line': line})


class TestQemu(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = f'{self.folder}/{UUID}.qmp'

    def start(self, *arguments, daemon=False):
        command = [QEMU, '-nodefaults', '-display', 'none', '-m', '64', '-accel', 'kvm', '-cpu', 'host',
                   '-uuid', UUID, '-name', 'guest=win11,debug-threads=on',
                   '-debugcon', f'file:{self.folder}/firmware', '-global', 'isa-debugcon.iobase=0x402',
                   '-qmp', f'unix:{self.folder}/monitor,server=on,wait=off', *arguments]
        environment = dict(os.environ, LD_PRELOAD=os.environ['BZ_PRELOAD'], BOOTZERO=f'{ON},qmp={self.folder}/')
        process = subprocess.Popen(command, env=environment)
        self.addCleanup(process.wait)
        if daemon:
            self.assertEqual(process.wait(timeout=30), 0)
        else:
            self.addCleanup(process.kill)
        wait_for(lambda: os.path.exists(self.path))
        client = Qmp(self.path)
        self.addCleanup(client.close)
        [tracking] = client.execute('__bootzero_query-tracking')
        self.assertEqual(tracking, {'domain': {'name': 'win11', 'uuid': UUID}, 'state': 'armed', 'generation': 1,
                                    'provider': 'preload'})
        monitor = QemuMonitor(f'{self.folder}/monitor')
        self.addCleanup(monitor.close)
        return client, monitor

    def is_silent(self):
        return os.path.getsize(f'{self.folder}/firmware') == 0

    def runs(self):
        """Its firmware does. Not found by a look at the registers: that would load them again."""
        wait_for(lambda: not self.is_silent())
        time.sleep(0.5)

    def resets(self, client, count):
        """Each is told; SeaBIOS resets the machine once more when it finds that it ran before."""
        self.assertEqual(client.change(), f'armed {count + 1} reset')
        try:
            self.assertEqual(client.change(timeout=10), f'armed {count + 2} reset')
        except TimeoutError:
            return count + 1
        self.assertTrue(client.silent(0.5))
        return count + 2

    def test_resets(self):
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', f'{self.folder}/disk', '8M'], check=True)
        client, monitor = self.start('-smp', '2', '-sandbox', SANDBOX, '-drive', f'if=virtio,file={self.folder}/disk')
        self.runs()
        for _ in range(3):
            monitor.execute('stop')
            monitor.human('info registers')
            monitor.execute('cont')
        monitor.human('savevm here')
        self.assertTrue(client.silent(0.5))
        monitor.execute('system_reset')
        count = self.resets(client, 1)
        self.assertEqual(monitor.human('loadvm here'), '')
        self.assertEqual(client.change(), f'armed {count + 1} reset')
        self.assertEqual(client.change(), f'armed {count + 2} other memory was loaded')
        self.assertTrue(client.silent(0.5))
        found = client.execute('__bootzero_query-zeroed-ranges')
        self.assertGreater(found['zeroed-bytes'], 32 << 20)
        monitor.execute('quit')
        wait_for(lambda: not os.path.exists(self.path))

    def test_incoming_migration(self):
        _, monitor = self.start()
        self.runs()
        monitor.execute('migrate', {'uri': f'exec:cat >{self.folder}/saved'})
        wait_for(lambda: monitor.execute('query-migrate').get('status') == 'completed')
        monitor.execute('quit')
        wait_for(lambda: not os.path.exists(self.path))
        client, monitor = self.start('-incoming', 'defer')
        monitor.execute('migrate-incoming', {'uri': f'exec:cat {self.folder}/saved'})
        self.assertEqual(client.change(), 'armed 2 other memory was loaded')
        self.assertTrue(client.silent(0.5))
        self.assertEqual(monitor.execute('query-status')['status'], 'running')

    def test_paused_start(self):
        client, monitor = self.start('-S', '-M', 'q35')
        self.assertTrue(self.is_silent())
        monitor.execute('cont')
        self.runs()
        self.assertTrue(client.silent(0.5))

    def test_daemon_in_a_chroot_as_another_user(self):
        if os.geteuid() != 0:
            self.skipTest('needs root')
        os.mkdir(f'{self.folder}/empty')
        os.chmod(self.folder, 0o755)
        client, monitor = self.start('-daemonize', '-chroot', f'{self.folder}/empty', '-runas', 'nobody',
                                     '-pidfile', f'{self.folder}/pid', daemon=True)
        with open(f'{self.folder}/pid', encoding='ascii') as file:
            pid = int(file.read())
        self.addCleanup(lambda: os.path.exists(f'/proc/{pid}') and os.kill(pid, signal.SIGKILL))
        self.assertGreater(client.execute('__bootzero_query-zeroed-ranges')['zeroed-bytes'], 32 << 20)
        self.runs()
        monitor.execute('system_reset')
        self.resets(client, 1)
        monitor.execute('quit')
        wait_for(lambda: not os.path.exists(f'/proc/{pid}'))


if __name__ == '__main__':
    if not shutil.which(QEMU):
        print(f'SKIP: needs {QEMU}')
        sys.exit(77)
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        print('SKIP: /dev/kvm cannot be opened')
        sys.exit(77)
    unittest.main()
