# SPDX-License-Identifier: LGPL-2.1-or-later
"""The endpoint of a guest, in a process that has the provider preloaded."""
import os
import socket
import stat
import statistics
import tempfile
import time
import unittest

from daemon import rss_mib
from guests import Guest, ON
from hostile import Hostile
from qmp import Qmp, QmpError

MIB = 1 << 20


class TestEndpoint(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def guest(self, *arguments, **settings):
        guest = Guest(self.folder, *arguments, **settings)
        self.addCleanup(guest.end)
        return guest

    def client(self, guest, **settings):
        client = Qmp(guest.path, **settings)
        self.addCleanup(client.close)
        return client

    def tracking(self, client):
        [tracking] = client.execute('__bootzero_query-tracking')
        return tracking

    # --- the life of a guest

    def test_sequence(self):
        guest = self.guest(name='win, "11" é')
        client = self.client(guest)
        domain = {'name': 'win, "11" é', 'uuid': guest.uuid}
        self.assertEqual(self.tracking(client),
                         {'domain': domain, 'state': 'armed', 'generation': 1, 'provider': 'preload'})
        self.assertEqual(guest.do('8001'), '0')
        self.assertEqual(client.next(), ('__bootzero_TRACKING_CHANGE', {
            'state': 'discovered', 'generation': 1, 'provider': 'preload', 'domain': domain}))
        self.assertEqual(guest.do('8002'), '0')
        self.assertEqual(client.change(), 'reported 1')
        name, report = client.next()
        self.assertEqual(name, '__bootzero_ZEROED_MEMORY_REPORTED')
        self.assertEqual(report.pop('domain'), domain)
        self.assertEqual((report['call'], report['ranges'], report['ram-bytes'], report['truncated']),
                         (1, 2, 15 * MIB, False))
        self.assertEqual(report['zeroed-bytes'], 15 * MIB - 4096)  # without the page of the answer
        self.assertEqual(len(report['backends']), 1)
        tracking = self.tracking(client)
        self.assertEqual((tracking['state'], tracking['report']), ('reported', report))

        guest.do('8001')  # does not take the report back
        guest.do('8002')
        name, report = client.next()
        self.assertEqual((name, report['call']), ('__bootzero_ZEROED_MEMORY_REPORTED', 2))
        self.assertEqual(self.tracking(client)['state'], 'reported')

        guest.reset()
        self.assertEqual(client.change(), 'armed 2 reset')
        self.assertNotIn('report', self.tracking(client))
        guest.do('8002')
        self.assertEqual(client.change(), 'reported 2')
        client.next()
        self.assertTrue(client.silent())

    def test_declined(self):
        guest = self.guest()
        client = self.client(guest)
        self.assertEqual(guest.do('bad'), '4')
        self.assertEqual(client.change(), 'declined 1 the call was refused (status 4)')
        guest.do('migrate on')
        self.assertEqual(guest.do('8002'), '6')
        self.assertEqual(client.change(), 'declined 1 the guest is being migrated or saved (status 6)')
        guest.do('8002')
        self.assertTrue(client.silent())
        guest.do('migrate off')
        guest.do('8002')
        self.assertEqual(client.change(), 'reported 1')
        guest.do('write')
        guest.do('8002')
        self.assertEqual(client.change(), 'declined 1 no page of its memory is still zero')

    def test_what_is_a_reset(self):
        guest = self.guest()
        client = self.client(guest)
        guest.do('sregs boot')  # before it ran: the start
        guest.do('run')
        guest.do('sregs other')
        guest.do('sregs saved')  # it was stopped and goes on
        self.assertTrue(client.silent())
        for _ in range(3):  # one reset loads them more than once
            guest.do('sregs boot')
        self.assertEqual(client.change(), 'armed 2 reset')
        self.assertTrue(client.silent())

    def test_what_is_a_load(self):
        guest = self.guest()
        client = self.client(guest)
        guest.do('sregs boot')
        for _ in range(2):
            guest.do('sregs saved')
        self.assertEqual(client.change(), 'armed 2 other memory was loaded')
        self.assertTrue(client.silent())
        guest.do('run')
        guest.do('sregs saved')
        self.assertTrue(client.silent())
        guest.do('sregs boot')
        guest.do('sregs saved')
        self.assertEqual([client.change(), client.change()], ['armed 3 reset', 'armed 4 other memory was loaded'])

    def test_offered_nothing(self):
        guest = self.guest(settings='ext-query-caps=on')
        tracking = self.tracking(self.client(guest))
        self.assertEqual((tracking['state'], tracking['reason'], tracking['generation']),
                         ('off', 'the guest is offered no boot-zeroed memory', 0))

    def test_zeroed_ranges(self):
        guest = self.guest(mib=64)
        client = self.client(guest)
        found = client.execute('__bootzero_query-zeroed-ranges')
        self.assertEqual(found['ranges'], [{'start': MIB, 'size': 63 * MIB}])
        self.assertEqual((found['zeroed-bytes'], found['ram-bytes']), (63 * MIB, 63 * MIB))
        self.assertEqual(found['memory'], [
            {'start': 0, 'size': 640 << 10, 'reason': 'firmware uses the first MiB'}, {'start': MIB, 'size': 63 * MIB}])
        guest.do('8002')
        found = client.execute('__bootzero_query-zeroed-ranges', {'domain': guest.uuid.upper()})
        self.assertEqual(found['zeroed-bytes'], 63 * MIB - 4096)
        guest.do('write')
        self.assertEqual(client.execute('__bootzero_query-zeroed-ranges', {'domain': 'guest1'})['ranges'], [])
        with self.assertRaisesRegex(QmpError, "GenericError: No guest 'x' here: this is the endpoint of 'guest1'"):
            client.execute('__bootzero_query-zeroed-ranges', {'domain': 'x'})

    # --- the protocol

    def test_all_commands(self):
        client = self.client(self.guest())
        names = [c['name'] for c in client.execute('query-commands')]
        schema = client.execute('query-qmp-schema')
        self.assertEqual(sorted(names), sorted(e['name'] for e in schema if e['meta-type'] == 'command'))
        for name in names:
            if name == 'qmp_capabilities':
                with self.assertRaisesRegex(QmpError, 'CommandNotFound: Capabilities negotiation is already complete'):
                    client.execute(name)
            else:
                client.execute(name)
        self.assertEqual(client.execute('query-version'), client.greeting['QMP']['version'])

    def test_before_negotiation(self):
        guest = self.guest()
        client = self.client(guest, negotiate=False)
        with self.assertRaisesRegex(QmpError, "CommandNotFound: Expecting capabilities negotiation with "
                                              "'qmp_capabilities'"):
            client.execute('query-version')
        guest.do('8001')
        self.assertTrue(client.silent())  # no event either
        client.execute('qmp_capabilities')

    def test_several_clients(self):
        guest = self.guest()
        clients = [self.client(guest) for _ in range(32)]
        with self.assertRaises((EOFError, ConnectionError)):
            Qmp(guest.path)
        guest.do('8001')
        for client in clients:
            self.assertEqual(client.change(), 'discovered 1')
        clients[7].close()
        for _ in range(1000):
            try:
                self.client(guest)
                break
            except (EOFError, ConnectionError):
                time.sleep(0.01)
        else:
            self.fail('the place of a client that left is not free again')

    # --- those who behave badly

    def test_hostile_clients(self):
        guest = self.guest()
        client = self.client(guest)
        with Hostile(guest.path) as hostile:
            vcpu, other = [], []  # seconds, of which the median counts: a busy machine may stop any of us for a while
            for generation in range(2, 42):
                started = time.monotonic()
                guest.reset()
                guest.do('8001')
                vcpu.append(time.monotonic() - started)
                self.assertEqual([client.change(), client.change()],
                                 [f'armed {generation} reset', f'discovered {generation}'])
                other.append(time.monotonic() - started)
                time.sleep(0.05)
        self.assertLess(statistics.median(vcpu), 0.5)
        self.assertLess(statistics.median(other), 1)
        self.assertGreater(min(hostile.thrown_out.values()), 0, hostile.thrown_out)
        self.assertLess(rss_mib(guest.process), int(os.environ['BZ_RSS_LIMIT']))

    def test_guest_that_asks_without_pause(self):
        guest = self.guest()
        client = self.client(guest)
        started = time.monotonic()
        self.assertEqual(guest.do('8002 20000'), '0')
        reports, lost = 0, 0
        while reports + lost < 20000:
            name, data = client.next()
            if name == '__bootzero_EVENTS_LOST':
                lost += data['count']
            elif name == '__bootzero_ZEROED_MEMORY_REPORTED':
                reports += 1
        seconds = time.monotonic() - started
        self.assertLessEqual(reports, 101 * (seconds + 2))
        self.assertGreater(lost, 0)
        self.assertEqual(self.tracking(client)['report']['call'], 20000)

    # --- the socket

    def test_mode_and_removal(self):
        guest = self.guest(umask=0o777)
        status = os.stat(guest.path)
        self.assertEqual((stat.S_ISSOCK(status.st_mode), stat.S_IMODE(status.st_mode)), (True, 0o660))
        guest.end()
        self.assertFalse(os.path.exists(guest.path))

    def test_stale_socket_is_replaced(self):
        first = self.guest()
        first.kill()
        self.assertTrue(os.path.exists(first.path))
        self.assertEqual(self.tracking(self.client(self.guest()))['state'], 'armed')

    def test_served_socket_is_left(self):
        first = self.guest()
        second = self.guest()
        self.assertIn(f'bootzero: no QMP endpoint at {first.path}: something else is there; the guest runs without it',
                      second.log())
        self.assertEqual(second.do('8002'), '0')
        second.end()
        self.assertEqual(self.tracking(self.client(first))['state'], 'armed')

    def test_busy_socket_is_left(self):
        """Its owner has not accepted those who came before, so nobody can connect just now."""
        path = os.path.join(self.folder, '00000000-0000-4000-8000-000000000001.qmp')
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
            listener.bind(path)
            listener.listen(0)
            first.connect(path)
            self.assertIn('something else is there', self.guest().log())
            with listener.accept()[0]:
                self.assertTrue(os.path.exists(path))

    def test_other_file_is_left(self):
        path = os.path.join(self.folder, '00000000-0000-4000-8000-000000000001.qmp')
        with open(path, 'w', encoding='ascii') as file:
            file.write('mine')
        self.assertIn('something else is there', self.guest().log())
        with open(path, encoding='ascii') as file:
            self.assertEqual(file.read(), 'mine')

    def test_no_folder(self):
        guest = Guest(self.folder + '/none')
        self.addCleanup(guest.end)
        self.assertIn(f'bootzero: no QMP endpoint at {guest.path}: No such file or directory; '
                      'the guest runs without it', guest.log())
        self.assertEqual(guest.do('8001'), '0')


if __name__ == '__main__':
    unittest.main()
