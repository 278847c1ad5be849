# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtbootzerod and the endpoints of guests, without libvirt."""
import json
import os
import re
import shutil
import signal
import socket
import stat
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import unittest

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
except ImportError:
    parse = None

from daemon import Daemon, report, rss_mib, settled, states, until
from guests import Guest
from hostile import Hostile
from qmp import SECONDS, Qmp, QmpError

MIB = 1 << 20


class TestMonitor(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def daemon(self, *arguments, **settings):
        daemon = Daemon(self.folder, *arguments, **settings)
        self.addCleanup(daemon.end)
        return daemon

    def guest(self, *arguments, **settings):
        guest = Guest(self.folder, *arguments, **settings)
        self.addCleanup(guest.end)
        return guest

    def client(self, path=None):
        client = Qmp(path or os.path.join(self.folder, 'monitor.qmp'))
        self.addCleanup(client.close)
        return client

    def test_sequence(self):
        daemon = self.daemon()
        client = self.client()
        self.assertEqual(states(client), {})
        guest = self.guest(name='win11')
        self.assertEqual(client.change(), 'armed 1')
        guest.do('8001')
        self.assertEqual(client.next(), ('__bootzero_TRACKING_CHANGE', {
            'state': 'discovered', 'generation': 1, 'provider': 'preload',
            'domain': {'name': 'win11', 'uuid': guest.uuid}}))
        guest.do('8002')
        self.assertEqual(client.change(), 'reported 1')
        name, report = client.next()
        self.assertEqual((name, report['zeroed-bytes'], report['domain']['name']),
                         ('__bootzero_ZEROED_MEMORY_REPORTED', 15 * MIB - 4096, 'win11'))
        guest.reset()
        self.assertEqual(client.change(), 'armed 2 reset')
        guest.do('bad')
        self.assertEqual(client.change(), 'declined 2 the call was refused (status 4)')
        guest.end()
        self.assertEqual(client.change(), 'gone 2')
        until(lambda: states(client), {})
        self.assertEqual(daemon.end(), 0)
        self.assertFalse(os.path.exists(daemon.path))
        self.assertEqual(daemon.log(), '')

    def test_socat(self):
        self.daemon()
        guest = self.guest()
        until(lambda: states(self.client()), {'guest1': 'armed 1'})
        for path in (guest.path, f'{self.folder}/monitor.qmp'):
            done = subprocess.run(['socat', '-t', '5', '-', f'UNIX-CONNECT:{path}'], capture_output=True, text=True, input=(
                '{"execute": "qmp_capabilities"}\n\n  garbage\n{"execute": "query-version", "id": "é"}\n'))
            lines = done.stdout.splitlines()
            self.assertEqual([lines[1], json.loads(lines[2])['error']['class'], json.loads(lines[3])['id']],
                             ['{"return": {}}', 'GenericError', 'é'])

    def test_many_come_and_go(self):
        self.daemon()
        client = self.client()
        guests = [self.guest(n, mib=4) for n in range(1, 31)]
        until(lambda: states(client), {g.name: 'armed 1' for g in guests})
        for guest in guests[::3]:
            guest.kill()
        for guest in guests[1::3]:
            guest.do('8001')
        wanted = {g.name: 'discovered 1' for g in guests[1::3]} | {g.name: 'armed 1' for g in guests[2::3]}
        until(lambda: states(client), wanted)
        again = [self.guest(n, mib=4) for n in range(1, 31, 3)]
        until(lambda: states(client), wanted | {g.name: 'armed 1' for g in again})
        [one] = client.execute('__bootzero_query-tracking', {'domain': 'guest2'})
        self.assertEqual([one], client.execute('__bootzero_query-tracking', {'domain': one['domain']['uuid'].upper()}))
        with self.assertRaisesRegex(QmpError, "There is no running guest 'x'"):
            client.execute('__bootzero_query-tracking', {'domain': 'x'})

    def test_restarts(self):
        guest = self.guest()
        guest.do('8002')
        for end in (Daemon.end, Daemon.kill, Daemon.end):
            daemon = self.daemon()
            client = self.client()
            until(lambda c=client: states(c), {'guest1': 'reported 1'})
            [tracking] = client.execute('__bootzero_query-tracking')
            self.assertEqual(tracking['report']['call'], 1)
            end(daemon)
        guest.reset()  # while nobody looks
        self.daemon()
        client = self.client()
        settled(client, {'guest1': 'armed 2'})
        guest.kill()
        self.guest()  # at the same path
        self.assertEqual([client.change(), client.change()], ['gone 2', 'armed 1'])

    def test_guest_that_is_replaced_unseen(self):
        """Another process at the same path, when the daemon looks again."""
        daemon = self.daemon()
        client = self.client()
        guest = self.guest()
        self.assertEqual(client.change(), 'armed 1')
        guest.do('8001')
        self.assertEqual(client.change(), 'discovered 1')
        self.stop(daemon)
        guest.kill()
        self.guest()
        daemon.process.send_signal(signal.SIGCONT)
        self.assertEqual([client.change(), client.change()], ['gone 1', 'armed 1'])

    def test_links_are_not_followed(self):
        """To what is an endpoint of that guest, but not where endpoints are."""
        os.mkdir(f'{self.folder}/elsewhere')
        guest = Guest(f'{self.folder}/elsewhere')
        self.addCleanup(guest.end)
        path = f'{self.folder}/{guest.uuid}.qmp'
        os.symlink(guest.path, path)
        self.daemon()
        client = self.client()
        for _ in range(300):
            os.unlink(path)
            os.mknod(path, stat.S_IFSOCK)  # which is tried for a while, and may be looked at just now
            os.symlink(guest.path, f'{path}.new')
            os.rename(f'{path}.new', path)
        time.sleep(0.3)
        self.guest(2)
        self.assertEqual(client.change(), 'armed 1')
        self.assertEqual(states(client), {'guest2': 'armed 1'})

    def test_log_that_nobody_reads(self):
        reader, writer = os.pipe()
        daemon = self.daemon(wait=False, stderr=writer)
        os.close(writer)
        daemon.wait()
        os.close(reader)
        self.hostile_endpoint(1, b'{"QMP": {}}{"return": {}}{"return": 1}')  # it complains
        client = self.client()
        until(lambda: states(client).get(''), 'unknown 0')
        self.guest(2)
        until(lambda: states(client).get('guest2'), 'armed 1')

    def test_guests_that_come_too_fast_to_be_told(self):
        """More than the kernel's queue holds, while the daemon has no time."""
        daemon = self.daemon()
        client = self.client()
        with open('/proc/sys/fs/inotify/max_queued_events', encoding='ascii') as file:
            limit = int(file.read())
        self.stop(daemon)
        for number in range(limit + 100):  # two names in turn: the same twice is one event
            os.mknod(f'{self.folder}/{number % 2}')
            os.unlink(f'{self.folder}/{number % 2}')
        self.guest()
        daemon.process.send_signal(signal.SIGCONT)
        until(lambda: states(client), {'guest1': 'armed 1'})

    def test_folder_that_is_removed(self):
        run = f'{self.folder}/run'
        with open(f'{self.folder}/own.conf', 'w', encoding='utf-8') as file:
            file.write(f'[bootzero]\nruntime-directory = {run}\n')
        daemon = self.daemon(wait=False, BOOTZERO_CONFIG=f'{self.folder}/own.conf')
        daemon.path = f'{run}/monitor.qmp'
        daemon.wait()
        client = self.client(daemon.path)
        shutil.rmtree(run)
        until(lambda: os.path.exists(daemon.path), True)
        guest = Guest(run)
        self.addCleanup(guest.end)
        self.assertEqual(client.change(), 'armed 1')  # the old connection is good, too
        self.assertEqual(states(self.client(daemon.path)), {'guest1': 'armed 1'})
        self.assertEqual(daemon.log(), f'virtbootzerod: {run} was removed: guests that run are not found there until they '
                                       'are started again\n')

    def test_only_one(self):
        self.daemon()
        second = self.daemon(wait=False)
        self.assertEqual(second.process.wait(timeout=SECONDS), 1)
        self.assertIn(f'error: cannot listen on {second.path}: ', second.log())
        self.assertEqual(states(self.client()), {})

    def test_zeroed_ranges(self):
        self.daemon()
        client = self.client()
        guest = self.guest(mib=64)
        until(lambda: states(client), {'guest1': 'armed 1'})
        direct = self.client(guest.path).execute('__bootzero_query-zeroed-ranges')
        found = client.execute('__bootzero_query-zeroed-ranges', {'domain': 'guest1'})
        for one in (direct, found):
            one.pop('scan-ns')
        self.assertEqual(direct, found)
        with self.assertRaisesRegex(QmpError, "There is no running guest 'x'"):
            client.execute('__bootzero_query-zeroed-ranges', {'domain': 'x'})
        with self.assertRaisesRegex(QmpError, "Parameter 'domain' is missing"):
            client.execute('__bootzero_query-zeroed-ranges')

    def test_guest_that_hangs(self):
        """Its answer does not come; others do not wait."""
        self.daemon()
        client, other = self.client(), self.client()
        guest = self.guest()
        until(lambda: states(client), {'guest1': 'armed 1'})
        self.stop(guest)
        try:
            client.send('{"execute": "__bootzero_query-zeroed-ranges", "arguments": {"domain": "guest1"}}')
            self.assertTrue(client.silent())
            settled(other, {'guest1': 'armed 1'})
            self.guest(2)
            self.assertEqual(other.change(), 'armed 1')
        finally:
            guest.process.send_signal(signal.SIGCONT)
        self.assertIn('zeroed-bytes', client.answer()['return'])
        # and one that ends instead of answering
        self.stop(guest)
        client.send('{"execute": "__bootzero_query-zeroed-ranges", "arguments": {"domain": "guest1"}}')
        time.sleep(0.2)
        guest.kill()
        self.assertIn('the endpoint ', client.answer()['error']['desc'])

    @staticmethod
    def stop(guest):
        def state():
            with open(f'/proc/{guest.process.pid}/stat', encoding='ascii') as file:
                return file.read().rsplit(')', 1)[1].split()[0]

        guest.process.send_signal(signal.SIGSTOP)
        until(state, 'T')

    # --- those who behave badly

    def hostile_endpoint(self, number, *messages):
        """Serves a guest's socket in a thread, saying just this."""
        uuid = f'00000000-0000-4000-8000-{number:012x}'
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f'{self.folder}/{uuid}.qmp')
        listener.listen()

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                    with connection:
                        for message in messages:
                            connection.sendall(message)
                        connection.recv(65536)
                        time.sleep(0.1)
                        connection.recv(65536)
                except OSError:
                    if listener.fileno() < 0:
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 0)
        self.addCleanup(listener.close)
        self.addCleanup(listener.shutdown, socket.SHUT_RDWR)

    @staticmethod
    def ticks(daemon):
        with open(f'/proc/{daemon.process.pid}/stat', encoding='ascii') as file:
            return sum(map(int, file.read().rsplit(')', 1)[1].split()[11:13]))

    def test_hostile_endpoints(self):
        daemon = self.daemon()
        client = self.client()
        good = self.guest()
        greeting = b'{"QMP": {}}{"return": {}}'
        event = b'{"event": "__bootzero_TRACKING_CHANGE", "data": %s}'
        other = (b'{"domain": {"name": "guest1", "uuid": "00000000-0000-4000-8000-000000000001"}, "state": "lost", '
                 b'"generation": 1, "provider": "preload"}')
        for number, messages in enumerate((
                [b'\xff' * 1000], [b'[' * 100000], [greeting, b'{"a": "' + b'x' * (9 << 20)],
                [greeting, b'{"return": 1}'], [greeting, b'{"return": [{}]}'],
                [greeting, b'{"return": [' + other + b']}'], [greeting, event % other], [greeting, event % b'{}'],
                [greeting, event % b'[]'], [greeting * 3], [b'{"event": 1}'], [greeting, b'{"event": []}']), 2):
            self.hostile_endpoint(number, *messages)
        time.sleep(2)
        before, begin = self.ticks(daemon), time.monotonic()
        time.sleep(2)
        share = (self.ticks(daemon) - before) / (time.monotonic() - begin)
        good.do('8001')
        until(lambda: states(client).get('guest1'), 'discovered 1')
        self.assertLessEqual(set(states(client).values()), {'discovered 1', 'unknown 0'})
        self.assertLess(share, 50)  # percent of a processor: it tries again, and rests in between

    def test_hostile_clients(self):
        daemon = self.daemon()
        client = self.client()
        guest = self.guest()
        self.assertEqual(client.change(), 'armed 1')
        with Hostile(daemon.path) as hostile:
            took = []  # seconds, of which the median counts: a busy machine may stop any of us for a while
            for generation in range(2, 42):
                started = time.monotonic()
                guest.reset()
                guest.do('8001')
                self.assertEqual([client.change(), client.change()],
                                 [f'armed {generation} reset', f'discovered {generation}'])
                self.assertEqual(states(client), {'guest1': f'discovered {generation}'})
                took.append(time.monotonic() - started)
                time.sleep(0.05)
        self.assertLess(statistics.median(took), 1)
        self.assertGreater(min(hostile.thrown_out.values()), 0, hostile.thrown_out)
        self.assertLess(rss_mib(daemon.process), int(os.environ['BZ_RSS_LIMIT']))
        self.assertEqual(daemon.log(), '')

    def test_guest_that_asks_without_pause(self):
        self.daemon()
        client = self.client()
        guest = self.guest()
        self.assertEqual(client.change(), 'armed 1')
        guest.do('8002 5000')
        reports = lost = 0
        while reports + lost < 5000:
            name, data = client.next()
            lost += data.get('count', 0)
            reports += name == '__bootzero_ZEROED_MEMORY_REPORTED'
        self.assertGreater(lost, 0)
        [tracking] = client.execute('__bootzero_query-tracking')
        self.assertEqual((tracking['state'], tracking['report']['call']), ('reported', 5000))

    # --- metrics

    def metrics(self):
        with open(f'{self.folder}/metrics.prom', encoding='utf-8') as file:
            return file.read()

    def test_metrics(self):
        daemon = self.daemon('--metrics', f'{self.folder}/metrics.prom')
        self.assertIn('bootzero_guests{state="armed"} 0\n', self.metrics())
        client = self.client()
        guests = [self.guest(name='a "b"\\'), self.guest(2)]
        until(lambda: states(client), {'a "b"\\': 'armed 1', 'guest2': 'armed 1'})
        guests[0].do('8002')
        guests[1].do('bad')
        for line in ('bootzero_guests{state="declined"} 1\n', 'bootzero_reports_total 1\n'):
            until(lambda wanted=line: wanted in self.metrics(), True)
        text = self.metrics()
        for line in ('bootzero_guests{state="armed"} 0', 'bootzero_guests{state="reported"} 1',
                     'bootzero_guests_declined{reason="the call was refused (status 4)"} 1',
                     'bootzero_guest_reported_bytes{domain="a \\"b\\"\\\\",uuid="00000000-0000-4000-8000-000000000001"} '
                     f'{15 * MIB - 4096}', 'bootzero_events_lost_total 0'):
            self.assertIn(line + '\n', text)
        families = {f.name: f for f in parse(text)}
        [scan] = families['bootzero_guest_scan_seconds'].samples
        self.assertEqual(scan.value, report(client, 'a "b"\\')['scan-ns'] / 1e9)
        self.assertEqual(families['bootzero_reports'].type, 'counter')
        self.assertEqual(families['bootzero_guest_reported_bytes'].unit, 'bytes')
        self.assertEqual(families['bootzero_guest_reported_bytes'].samples[0].labels['domain'], 'a "b"\\')
        daemon.end()
        self.assertFalse(os.path.exists(f'{self.folder}/metrics.prom'))

    # --- as a service

    def test_socket_activation_and_notification(self):
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(f'{self.folder}/activated')
        listener.listen()
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(notify.close)
        notify.bind(f'{self.folder}/notify')
        notify.settimeout(10)
        early = socket.socket(socket.AF_UNIX)  # a client that comes before the service
        early.connect(f'{self.folder}/activated')
        self.addCleanup(early.close)
        saved = os.dup(3) if os.path.exists('/proc/self/fd/3') else None
        os.dup2(listener.fileno(), 3, inheritable=True)
        try:
            daemon = self.daemon(wait=False, prefix=('sh', '-c', 'export LISTEN_PID=$$; exec "$0" "$@"'), LISTEN_FDS='1',
                                 NOTIFY_SOCKET=f'{self.folder}/notify')
        finally:
            if saved is None:
                os.close(3)
            else:
                os.dup2(saved, 3)
                os.close(saved)
        self.assertEqual(notify.recv(100), b'READY=1')
        self.assertIn(b'"QMP"', early.recv(4096))
        self.assertEqual(states(self.client(f'{self.folder}/activated')), {})
        self.assertFalse(os.path.exists(f'{self.folder}/monitor.qmp'))
        self.assertEqual(daemon.end(), 0)
        self.assertEqual(notify.recv(100), b'STOPPING=1')
        self.assertTrue(os.path.exists(f'{self.folder}/activated'))


if __name__ == '__main__':
    if not shutil.which('socat'):
        print('SKIP: needs socat')
        sys.exit(77)
    if parse is None:
        print('SKIP: needs python3-prometheus-client, to check the format of the metrics')
        sys.exit(77)
    unittest.main()
