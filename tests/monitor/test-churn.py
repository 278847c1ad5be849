# SPDX-License-Identifier: LGPL-2.1-or-later
"""
1,000 guests come, ask, are reset, end and crash, while the monitor and libvirtd are stopped, killed and started at random:
in the end it is right. With BZ_LIBVIRTD, in tests/libvirt/sandbox, libvirtd is a real one and has domains of its own.
"""
import os
import random
import resource
import signal
import tempfile
import time
import unittest

from daemon import Daemon, states, until
from guests import Guest
from qmp import Qmp

if 'BZ_LIBVIRTD' in os.environ:
    from libvirtd import Libvirtd, create, pid_of, virsh

GUESTS = int(os.environ.get('BZ_GUESTS', '1000'))
SECONDS = 20
LAST_SECONDS = 5  # of these, without a restart of the monitor, one who listens must miss nothing


class TestChurn(unittest.TestCase):
    def setUp(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.live, self.wanted = {}, {}
        self.counts = {}
        self.addCleanup(lambda: [guest.kill() for guest in self.live.values()])
        self.libvirtd = None
        if 'BZ_LIBVIRTD' in os.environ:
            self.libvirtd = Libvirtd()
            self.addCleanup(self.libvirtd.end)
            self.addCleanup(lambda: [virsh('destroy', name) for name in virsh('list', '--name').split()])

    def start_daemon(self):
        arguments = ('--connect', 'qemu:///system') if self.libvirtd else ()
        self.daemon = Daemon(self.folder, *arguments)

    def did(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    # --- guests

    def start(self, *numbers):
        """At once, so that they come together."""
        numbers = list(numbers)
        for number in numbers:
            self.live[number] = Guest(self.folder, number, mib=4, wait=False)
            self.wanted[f'guest{number}'] = ('armed', 1)
            self.did('start')
        for number in numbers:
            self.live[number].line()

    def forget(self, number):
        del self.wanted[f'guest{number}']
        return self.live.pop(number)

    def something(self, number):
        if number not in self.live:
            return self.start(number)
        guest = self.live[number]
        state, generation = self.wanted[f'guest{number}']
        what = random.choice(['8001', '8002', 'bad', 'reset', 'kill', 'end', 'replace'])
        self.did(what)
        if what == '8001':
            guest.do('8001')
            self.wanted[f'guest{number}'] = ('discovered' if state == 'armed' else state, generation)
        elif what in ('8002', 'bad'):
            guest.do(what)
            self.wanted[f'guest{number}'] = ('reported' if what == '8002' else 'declined', generation)
        elif what == 'reset':
            guest.reset()
            self.wanted[f'guest{number}'] = ('armed', generation + 1)
        elif what == 'end':
            self.forget(number).end()
        else:
            self.forget(number).kill()
            if what == 'replace':
                self.start(number)

    # --- the monitor and libvirt

    def disturb_daemon(self):
        what = random.choice(['kill monitor', 'restart monitor', 'pause monitor'])
        self.did(what)
        if what == 'pause monitor':
            self.daemon.process.send_signal(signal.SIGSTOP)
            for _ in range(20):
                self.something(random.randrange(1, GUESTS + 1))
            self.daemon.process.send_signal(signal.SIGCONT)
            return
        if what == 'kill monitor':
            self.daemon.kill()
        else:
            self.daemon.end()
        for _ in range(random.choice([0, 20])):
            self.something(random.randrange(1, GUESTS + 1))
        self.start_daemon()

    def disturb_libvirt(self):
        if not self.libvirtd:
            return
        what = random.choice(['kill libvirtd', 'restart libvirtd', 'domain', 'domain', 'crash'])
        self.libvirtd.wait()  # it may be about to start
        names = [name for name in self.wanted if name.startswith('domain')]
        if what == 'kill libvirtd':
            self.libvirtd.kill()
            self.libvirtd.start(wait=False)
        elif what == 'restart libvirtd':
            self.libvirtd.end()
            self.libvirtd.start(wait=False)
        elif what == 'crash' and names:
            name = random.choice(names)
            pid = pid_of(name)
            if random.random() < 0.5:  # nobody sees it
                self.libvirtd.kill()
                self.libvirtd.start(wait=False)
            os.kill(pid, signal.SIGKILL)
            del self.wanted[name]
        else:
            self.did('domain')
            name = f'domain{self.counts["domain"]}'
            create(name)
            self.wanted[name] = ('off', 0)
            return
        self.did(what)

    # --- the test

    def test_churn(self):
        seed = random.randrange(1 << 32)
        random.seed(seed)
        self.start_daemon()
        new = list(range(1, GUESTS + 1))
        random.shuffle(new)
        end = time.monotonic() + SECONDS
        rounds = 0
        while new or time.monotonic() < end - LAST_SECONDS:
            rounds += 1
            self.start(*(number for number in new[:8] if number not in self.live))
            del new[:8]
            for _ in range(4):
                self.something(random.choice([*self.live, random.randrange(1, GUESTS + 1)]))
            if rounds % 12 == 0:
                self.disturb_daemon()
            if rounds % 16 == 0:
                self.disturb_libvirt()
        client = Qmp(self.daemon.path)
        self.addCleanup(client.close)
        heard = states(client)
        end = time.monotonic() + LAST_SECONDS
        while time.monotonic() < end:
            rounds += 1
            self.something(random.randrange(1, GUESTS + 1))
            if rounds % 60 == 0:
                self.disturb_libvirt()
        self.addCleanup(self.daemon.end)
        wanted = {name: f'{state} {generation}' for name, (state, generation) in self.wanted.items()}
        print(f'seed {seed}: {len(wanted)} guests are left of', self.counts)
        until(lambda: self.difference(states(client), wanted), {})
        self.assertEqual(self.difference(self.listen(client, heard), wanted), {})
        self.assertLessEqual({line for line in self.daemon.log().splitlines() if 'libvirt can' not in line}, set())

    @staticmethod
    def listen(client, heard):
        """What one knows who has asked once, and then only heard events."""
        for message, _ in client.events:
            data = message['data']
            name = data['domain']['name']
            if data.get('state') == 'gone':
                heard.pop(name, None)
            elif 'state' in data:
                heard[name] = f"{data['state']} {data['generation']}"
        return heard

    @staticmethod
    def difference(found, wanted):
        """{name: (found, wanted)}"""
        return {k: (found.get(k), wanted.get(k)) for k in {*found, *wanted} if found.get(k) != wanted.get(k)}


if __name__ == '__main__':
    unittest.main()
