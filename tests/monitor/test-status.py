# SPDX-License-Identifier: LGPL-2.1-or-later
"""virt-bootzero status, watch and map."""
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import unittest
import xml.etree.ElementTree

from daemon import Daemon, report, states, until, until_watching
from guests import Guest
from qmp import SCHEMA, SECONDS, Qmp

MIB, GIB = 1 << 20, 1 << 30


class TestStatus(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.environment = dict(os.environ, BOOTZERO_CONFIG=f'{self.folder}/bootzero.conf', LC_ALL='C.UTF-8',
                                ASAN_OPTIONS='detect_leaks=1')

    def start(self, *guests):
        self.daemon = Daemon(self.folder)
        self.addCleanup(self.daemon.end)
        client = Qmp(self.daemon.path)
        self.addCleanup(client.close)
        made = []
        for number, settings in enumerate(guests, 1):
            made.append(Guest(self.folder, number, **settings))
            self.addCleanup(made[-1].end)
        until(lambda: list(states(client).values()), ['armed 1'] * len(guests))
        return client, made

    def run_cli(self, *arguments, status=0):
        done = subprocess.run([os.environ['BZ_CLI'], *arguments], env=self.environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertNotIn('Sanitizer', done.stderr)
        return done.stderr if status else done.stdout

    def spawn(self, *arguments):
        process = subprocess.Popen([os.environ['BZ_CLI'], *arguments], env=self.environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_without_daemon(self):
        with open(f'{self.folder}/bootzero.conf', 'w', encoding='ascii') as file:
            file.write(f'[bootzero]\nruntime-directory = {self.folder}\n')
        for command in (['status'], ['watch'], ['map', 'x']):
            said = self.run_cli(*command, status=1)
            self.assertRegex(said, f'^error: .*: cannot reach virtbootzerod at {self.folder}/monitor.qmp: .*: start it, '
                                   'as root: systemctl start virtbootzerod\n$')

    def test_session(self):
        """Without configuration, a user's own daemon is in the user's runtime folder; the system's is not for all."""
        if os.geteuid() != 0:
            self.skipTest('needs root, to be somebody else')
        os.chown(self.folder, 65534, 65534)
        environment = dict(self.environment, XDG_RUNTIME_DIR=self.folder)
        environment.pop('BOOTZERO_CONFIG')

        def status():
            return subprocess.run([os.environ['BZ_CLI'], 'status'], env=environment, user=65534, group=65534,
                                  extra_groups=[], capture_output=True, text=True)

        self.assertIn(f'cannot reach virtbootzerod at {self.folder}/bootzero/monitor.qmp: ', status().stderr)
        daemon = subprocess.Popen([os.environ['BZ_DAEMON'], '--without-libvirt'], env=environment, user=65534, group=65534,
                                  extra_groups=[])
        try:
            until(lambda: status().stdout[:4], 'NAME')
            os.chmod(f'{self.folder}/bootzero/monitor.qmp', 0)
            self.assertRegex(status().stderr, '^error: .*: may not connect to virtbootzerod at .*/monitor.qmp: be root, or '
                                              'in the group of the socket\n$')
        finally:
            daemon.terminate()
            self.assertEqual(daemon.wait(), 0)

    def test_misuse(self):
        self.assertIn('a domain is needed', self.run_cli('map', status=2))
        self.assertIn("unexpected operand 'b'", self.run_cli('status', 'a', 'b', status=2))

    def test_status(self):
        client, (first, second, _) = self.start({}, {'name': 'win11-\u00e9'}, {'name': 'z\n\x1b[31m'})
        first.do('8002')
        second.do('bad')
        until(lambda: list(states(client).values()), ['reported 1', 'declined 1', 'armed 1'])
        lines = self.run_cli('status').splitlines()
        took = f'{report(client, "guest1")["scan-ns"] / 1e6:.1f} ms'
        wide = len(took)
        self.assertEqual(lines[0], f'NAME           STATE     GENERATION  PROVIDER  ZEROED  {"SCAN":{wide}}  REASON')
        self.assertEqual(lines[1], f'guest1         reported  1           preload   15 MiB  {took}  ')
        self.assertEqual(lines[2], f'win11-\u00e9        declined  1           preload   -       {"-":{wide}}  '
                                   'the call was refused (status 4)')
        self.assertTrue(lines[3].startswith('z\\x0a\\x1b[31m  armed'), lines[3])
        self.assertEqual(len(lines), 4)
        self.assertEqual(len(self.run_cli('status', second.uuid).splitlines()), 2)
        told = json.loads(self.run_cli('status', '--json'))
        SCHEMA.validate_return('__bootzero_query-tracking', told)
        self.assertEqual([g['state'] for g in told], ['reported', 'declined', 'armed'])
        self.assertIn("There is no running guest 'x'", self.run_cli('status', 'x', status=1))

    def test_watch(self):
        client, (first, second) = self.start({}, {})
        watch, one, as_json = self.spawn('watch'), self.spawn('watch', 'guest2'), self.spawn('watch', '--json')
        for process in (watch, one, as_json):
            generation = until_watching(second, process)
        for process in (watch, one):
            while f'generation {generation}:' not in process.stdout.readline():
                pass
        first.do('8002')
        at = r'^\d\d:\d\d:\d\d  '
        self.assertRegex(watch.stdout.readline(), at + 'guest1  reported, generation 1\n$')
        took = f'{report(client, "guest1")["scan-ns"] / 1e6:.1f} ms'
        self.assertRegex(watch.stdout.readline(), at + f'guest1  was told of 15 MiB in 2 ranges, found in {took}\n$')
        second.reset()
        for process in (watch, one):
            self.assertRegex(process.stdout.readline(), at + f'guest2  armed, generation {generation + 1}: reset\n$')
        event = json.loads(as_json.stdout.readline())
        self.assertEqual((set(event), event['event'], event['data']['state']),
                         ({'time', 'event', 'data'}, '__bootzero_TRACKING_CHANGE', 'reported'))
        self.assertRegex(event['time'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$')
        self.assertEqual(json.loads(as_json.stdout.readline())['data']['call'], 1)
        as_json.stdout.close()  # its reader leaves: it ends at the next event
        second.reset()
        as_json.wait(timeout=SECONDS)

    def connections(self):
        """To the daemon; the socket that listens has the path, too."""
        with open('/proc/net/unix', encoding='ascii') as file:
            return sum(line.rstrip().endswith(f'{self.folder}/monitor.qmp') for line in file) - 1

    def test_watch_ends_with_the_daemon(self):
        self.start()
        watch = self.spawn('watch')
        until(lambda: self.connections(), 2)
        self.daemon.end()
        self.assertEqual(watch.wait(timeout=SECONDS), 1)
        self.assertRegex(watch.stderr.read(), 'virtbootzerod has (closed|broken) the connection')

    def test_map(self):
        client, (guest,) = self.start({'mib': 512})
        guest.do('8002')  # writes a page at 2 MiB
        lines = self.run_cli('map', 'guest1').splitlines()
        self.assertEqual(lines[0], '     0 MiB  ··░░▒' + '░' * 59)
        self.assertEqual(lines[1], '    32 MiB  ' + '░' * 64)
        self.assertEqual(len([line for line in lines if '░░' in line]), 16)
        self.assertIn('░ zero   ▒ mostly zero   ▓ mostly touched   █ touched', '\n'.join(lines))
        self.assertIn('511 MiB of 512 MiB (99 %) would be reported now; a cell is 512 KiB', lines)
        self.assertIn('Never reported: 640 KiB: firmware uses the first MiB', lines)
        self.assertLessEqual(max(map(len, lines)), 80)
        guest.do('write')
        lines = self.run_cli('map', guest.uuid).splitlines()
        self.assertEqual(lines[1], '    32 MiB  ' + '█' * 64)
        self.assertIn("There is no running guest 'x'", self.run_cli('map', 'x', status=1))

    def serve(self, answer):
        """In the daemon's place, answers each client's command with this."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(f'{self.folder}/monitor.qmp')
        listener.listen()
        with open(f'{self.folder}/bootzero.conf', 'w', encoding='ascii') as file:
            file.write(f'[bootzero]\nruntime-directory = {self.folder}\n')

        def talk():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b'{"QMP": {}}{"return": {}}')
                connection.sendall(json.dumps({'return': answer}).encode())
                while connection.recv(4096):
                    pass

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        self.addCleanup(thread.join)

    def test_map_of_a_terabyte(self):
        """As readable as one of 512 MiB: as many cells, no line longer than 80 columns, and whole numbers at the left."""
        ranges = [(4 * GIB, 296 * GIB), (420 * GIB, 605 * GIB), (GIB, 2 * GIB)]
        memory = [(0, 640 << 10, 'firmware uses the first MiB'), (MIB, 3 * GIB - MIB, None), (4 * GIB, 1021 * GIB, None),
                  (2048 * GIB, 64 * GIB, 'its content outlives the guest')]
        answer = {
            'domain': {'name': 'big', 'uuid': '4dea22b3-1d52-d8f3-2516-782e98ab3fa0'}, 'truncated': False, 'scan-ns': 1,
            'zeroed-bytes': 903 * GIB, 'ram-bytes': 1024 * GIB - MIB,
            'ranges': [{'start': start, 'size': size} for start, size in ranges],
            'memory': [{'start': start, 'size': size, **({'reason': why} if why else {})} for start, size, why in memory]}
        SCHEMA.validate_return('__bootzero_query-zeroed-ranges', answer)
        self.serve(answer)
        lines = self.run_cli('map', 'big').splitlines()
        self.assertEqual(lines[:12], [
            '     0 GiB  ▒' + '░' * 63, '   128 GiB  ' + '░' * 64, '   256 GiB  ' + '░' * 22 + '█' * 42,
            '   384 GiB  ' + '█' * 18 + '░' * 46, *(f'{n:6} GiB  ' + '░' * 64 for n in (512, 640, 768)),
            '   896 GiB  ' + '░' * 64, '  1024 GiB  ░' + ' ' * 63, '       ...', '  2048 GiB  ' + '·' * 32 + ' ' * 32, ''])
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertIn('903 GiB of 1.1 TiB (82 %) would be reported now; a cell is 2.0 GiB', lines)

    def test_svg(self):
        client, (guest,) = self.start({'mib': 64, 'name': 'a <b> & c'})
        guest.do('8002')
        path = f'{self.folder}/map.svg'
        self.assertEqual(self.run_cli('map', '--svg', path, 'a <b> & c'), '')
        root = xml.etree.ElementTree.parse(path).getroot()
        self.assertEqual(root.tag, '{http://www.w3.org/2000/svg}svg')
        texts = [t.text for t in root.iter('{http://www.w3.org/2000/svg}text')]
        self.assertIn('Memory of a <b> & c', texts)
        self.assertTrue(any(re.match('63 MiB of 64 MiB .99 %. would be reported now', t) for t in texts), texts)
        self.assertEqual(self.run_cli('map', '--svg', '-', 'a <b> & c').split('\n')[0],
                         "<?xml version='1.0' encoding='UTF-8'?>")
        self.assertIn('/none/x', self.run_cli('map', '--svg', '/none/x', 'a <b> & c', status=1))


if __name__ == '__main__':
    unittest.main()
