# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hundreds of guests come, ask, are reset, end and crash while the monitor is killed at times: in the end it is right."""
import random
import resource
import tempfile
import time
import unittest

from daemon import Daemon, states, until
from guests import Guest
from qmp import Qmp

SECONDS = 15
GUESTS = 300


class TestChurn(unittest.TestCase):
    def setUp(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.live, self.wanted = {}, {}
        self.addCleanup(lambda: [guest.kill() for guest in self.live.values()])

    def start(self, number):
        self.live[number] = Guest(self.folder, number, mib=4)
        self.wanted[number] = ('armed', 1)

    def forget(self, number):
        del self.wanted[number]
        return self.live.pop(number)

    def something(self, number):
        if number not in self.live:
            return self.start(number)
        guest = self.live[number]
        state, generation = self.wanted[number]
        what = random.choice(['8001', '8002', 'reset', 'kill', 'end', 'replace'])
        if what == '8001':
            guest.do('8001')
            self.wanted[number] = ('discovered' if state == 'armed' else state, generation)
        elif what == '8002':
            guest.do('8002')
            self.wanted[number] = ('reported', generation)
        elif what == 'reset':
            guest.reset()
            self.wanted[number] = ('armed', generation + 1)
        elif what == 'end':
            self.forget(number).end()
        else:
            self.forget(number).kill()
            if what == 'replace':
                self.start(number)

    def test_churn(self):
        seed = random.randrange(1 << 32)
        random.seed(seed)
        daemon = Daemon(self.folder)
        end = time.monotonic() + SECONDS
        round_ = 0
        while time.monotonic() < end:
            round_ += 1
            self.something(random.randrange(1, GUESTS + 1))
            if round_ % 499 == 0:
                daemon.kill()
                daemon = Daemon(self.folder)
        self.addCleanup(daemon.end)
        wanted = {f'guest{n}': f'{state} {generation}' for n, (state, generation) in self.wanted.items()}
        with Qmp(daemon.path) as client:
            try:
                until(lambda: states(client), wanted)
            except AssertionError:
                found = states(client)
                wrong = {k: (found.get(k), wanted.get(k)) for k in {*found, *wanted} if found.get(k) != wanted.get(k)}
                self.fail(f'seed {seed}, {round_} rounds: found and wanted are {wrong}')
        self.assertEqual(daemon.log(), '')


if __name__ == '__main__':
    unittest.main()
