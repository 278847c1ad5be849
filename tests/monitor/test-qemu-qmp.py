# SPDX-License-Identifier: LGPL-2.1-or-later
"""QEMU's own QMP client for Python at a guest's endpoint and the host's: it knows nothing of bootzero."""
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import unittest

try:
    SOURCE = subprocess.run([os.environ['FETCH_QEMU_QMP']], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
except subprocess.CalledProcessError:
    print("SKIP: QEMU's client cannot be had")
    sys.exit(77)
sys.path.insert(0, SOURCE)
from qemu.qmp import ConnectError, ExecuteError, QMPClient  # noqa: E402: needs the path above

from daemon import Daemon, states, until  # noqa: E402
from guests import Guest  # noqa: E402
from qmp import SCHEMA, Qmp  # noqa: E402

MIB = 1 << 20


class Sent(QMPClient):
    """Keeps the bytes that went out."""
    sent = b''

    def _do_send(self, msg):
        self.sent += bytes(msg)
        super()._do_send(msg)


class TestQemuClient(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.daemon = Daemon(folder.name)
        self.addCleanup(self.daemon.end)
        self.guest = Guest(folder.name, 1, name='win11')
        self.addCleanup(self.guest.end)
        with Qmp(self.daemon.path) as client:
            until(lambda: states(client), {'win11': 'armed 1'})

    async def connect(self, path):
        client = Sent('test')
        await asyncio.wait_for(client.connect(path), 30)
        self.addAsyncCleanup(self.leave, client)
        return client

    async def leave(self, client):
        with contextlib.suppress(EOFError):  # told late: its guest was killed
            await client.disconnect()

    async def both(self):
        """The guest's endpoint, and the host's."""
        return [await self.connect(path) for path in (self.guest.path, self.daemon.path)]

    async def next(self, client):
        event = await asyncio.wait_for(client.events.get(), 10)
        SCHEMA.validate_event(event)
        return event['event'], event['data']

    async def test_greeting_and_commands(self):
        for client in await self.both():
            SCHEMA.validate(client.greeting._asdict()['QMP']['version'], 'VersionInfo')
            self.assertEqual(client.greeting.QMP.capabilities, [])
            names = [c['name'] for c in await client.execute('query-commands')]
            self.assertIn('__bootzero_query-tracking', names)
            self.assertEqual(await client.execute('query-qmp-schema'), SCHEMA.introspect())
            [tracking] = await client.execute('__bootzero_query-tracking', {'domain': 'win11'})
            self.assertEqual((tracking['state'], tracking['generation']), ('armed', 1))
            zeroed = await client.execute('__bootzero_query-zeroed-ranges', {'domain': self.guest.uuid})
            self.assertEqual(zeroed['zeroed-bytes'], 15 * MIB)
            self.assertNotIn(b'\n', client.sent)

    async def test_errors(self):
        for client in await self.both():
            for command, arguments, kind, text in (
                    ('quit', None, 'CommandNotFound', 'The command quit has not been found'),
                    ('qmp_capabilities', None, 'CommandNotFound',
                     'Capabilities negotiation is already complete, command ignored'),
                    ('__bootzero_query-tracking', {'more': 1}, 'GenericError', "Parameter 'more' is unexpected")):
                with self.assertRaises(ExecuteError) as caught:
                    await client.execute(command, arguments)
                self.assertEqual((caught.exception.error_class, str(caught.exception)), (kind, text))

    async def test_commands_at_once(self):
        for client in await self.both():
            answers = await asyncio.gather(*(client.execute('query-version') for _ in range(200)))
            self.assertEqual(len(answers), 200)

    async def test_events(self):
        clients = await self.both()
        self.guest.do('8001')
        self.guest.do('8002')
        self.guest.reset()
        for client in clients:
            changes = [await self.next(client) for _ in range(4)]
            self.assertEqual([data.get('state', data.get('call')) for _, data in changes],
                             ['discovered', 'reported', 1, 'armed'])
        self.guest.kill()
        _, data = await self.next(clients[1])
        self.assertEqual(data['state'], 'gone')

    async def test_it_may_not_ask_for_more(self):
        """Out-of-band commands are not offered; a client that wants them is told."""
        class Oob(Sent):
            async def _get_greeting(self):
                greeting = await super()._get_greeting()
                greeting.QMP.capabilities.append('oob')
                return greeting

        for path in (self.guest.path, self.daemon.path):
            with self.assertRaisesRegex(ConnectError, "Negotiation failed"):
                await asyncio.wait_for(Oob('test').connect(path), 30)

    async def test_shell(self):
        for path in (self.guest.path, self.daemon.path):
            done = subprocess.run([sys.executable, '-m', 'qemu.qmp.qmp_shell', '-N', path], text=True, capture_output=True,
                                  env=dict(os.environ, PYTHONPATH=SOURCE, HOME='/nonexistent'),
                                  input='qmp_capabilities\n__bootzero_query-tracking domain=win11\n', timeout=60)
            self.assertIn('"state": "armed"', done.stdout, done.stderr)


if __name__ == '__main__':
    unittest.main()
