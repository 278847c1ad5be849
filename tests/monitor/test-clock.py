# SPDX-License-Identifier: LGPL-2.1-or-later
"""The wall clock jumps, forwards and backwards, under the daemon, guests and the command line (clock.c)."""
import json
import mmap
import os
import re
import select
import struct
import subprocess
import tempfile
import time
import unittest

from daemon import Daemon, states, until, until_watching
from guests import Guest
from qmp import Qmp

DAY = 86400
# An hour, either way; the first second; behind what 31 and 32 bits hold; and around the whole second that is now.
JUMPS = (3600, -3600, -int(time.time()), 40 * 365 * DAY, 100 * 365 * DAY, 1, -1, 0)


class TestClock(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        path = f'{self.folder}/clock'
        with open(path, 'wb') as file:
            file.write(bytes(8))
        with open(path, 'r+b') as file:
            self.clock = mmap.mmap(file.fileno(), 8)
        self.addCleanup(self.clock.close)
        self.preload = dict(BZ_CLOCK=path, LD_PRELOAD=os.environ['BZ_CLOCK_SEAM'], ASAN_OPTIONS=os.environ['ASAN_OPTIONS'])
        self.daemon = Daemon(self.folder, '--metrics', f'{self.folder}/metrics.prom', **self.preload)
        self.addCleanup(self.daemon.end)
        self.client = Qmp(self.daemon.path)
        self.addCleanup(self.client.close)
        os.environ['BZ_CLOCK'] = path
        self.guest = Guest(self.folder, 1, mib=4, preload=os.environ['BZ_CLOCK_SEAM'])
        self.addCleanup(self.guest.end)
        self.assertEqual(self.client.change(), 'armed 1')

    def jump(self, seconds):
        self.clock[:] = struct.pack('q', seconds)
        self.offset = seconds

    def event(self, client):
        """What the next event tells; it has the time of the clock that jumped."""
        event, _ = client.event()
        told = event['timestamp']['seconds'] + event['timestamp']['microseconds'] / 1e6
        self.assertAlmostEqual(told, time.time() + self.offset, delta=30)
        return event['data'].get('state', event['data'].get('call'))

    def cpu(self):
        ticks = []
        for pid in (self.daemon.process.pid, self.guest.process.pid):
            with open(f'/proc/{pid}/stat', encoding='ascii') as stat:
                ticks.append(sum(map(int, stat.read().rsplit(')', 1)[1].split()[11:13])))
        return sum(ticks)

    def test_jumps(self):
        direct = Qmp(self.guest.path)
        self.addCleanup(direct.close)
        watch = subprocess.Popen([os.environ['BZ_CLI'], 'watch', '--json'], stdout=subprocess.PIPE, text=True, env=dict(
            os.environ, BOOTZERO_CONFIG=f'{self.folder}/bootzero.conf', **self.preload))
        self.addCleanup(lambda: (watch.kill(), watch.wait(), watch.stdout.close()))
        generation = until_watching(self.guest, watch)
        for client in (direct, self.client):
            while client.change() != f'armed {generation} reset':
                pass
        before, started = self.cpu(), time.monotonic()
        for number, seconds in enumerate(JUMPS, 1):
            self.jump(seconds)
            self.guest.reset()
            self.guest.do('8001')
            self.guest.do('8002')
            for client in (direct, self.client):
                self.assertEqual([self.event(client) for _ in range(4)], ['armed', 'discovered', 'reported', number])
            self.assertEqual(states(self.client), {'guest1': f'reported {generation + number}'})
            lines = [json.loads(watch.stdout.readline()) for _ in range(4)]
            self.assertEqual({re.sub('-.*', '', line['time']) for line in lines},
                             {time.strftime('%Y', time.gmtime(time.time() + seconds))})
            other = Guest(self.folder, number + 1, mib=4, preload=os.environ['BZ_CLOCK_SEAM'])
            self.assertEqual(self.event(self.client), 'armed')
            other.kill()
            self.assertEqual(self.event(self.client), 'gone')
            for _ in range(2):
                watch.stdout.readline()
        until(lambda: f'bootzero_reports_total {len(JUMPS)}\n' in self.metrics(), True)
        self.assertTrue(self.client.silent(1))
        # It takes its time by another clock, so nothing is busy and nothing was given up.
        self.assertLess(self.cpu() - before, 10 * (time.monotonic() - started) + 20)
        self.assertEqual(self.daemon.log(), '')

    def metrics(self):
        with open(f'{self.folder}/metrics.prom', encoding='utf-8') as file:
            return file.read()

    def test_limits_go_on(self):
        """What a second allows is counted by another clock: a jump neither gives more nor takes it away for long."""
        started = time.monotonic()
        self.guest.order('8002 20000')
        reader = select.poll()
        reader.register(self.guest.process.stdout, select.POLLIN)
        jumps = 0
        while not reader.poll(2):
            jumps += 1
            self.jump(DAY * (jumps if jumps % 2 else -jumps))
        self.guest.line()
        reports = lost = 0
        while reports + lost < 20000:
            name, data = self.client.next()
            lost += data.get('count', 0)
            reports += name == '__bootzero_ZEROED_MEMORY_REPORTED'
        seconds = time.monotonic() - started
        self.assertGreater(jumps, 2)
        self.assertLessEqual(reports, 101 * (seconds + 2))
        self.assertLess(seconds, 100)
        self.guest.reset()
        self.assertEqual(self.client.change(), 'armed 2 reset')


if __name__ == '__main__':
    unittest.main()
