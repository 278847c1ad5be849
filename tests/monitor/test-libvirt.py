# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtbootzerod beside a real libvirtd and real guests. Runs in tests/libvirt/sandbox, where /run is its own."""
import os
import select
import signal
import subprocess
import time
import unittest

from daemon import Daemon, states, until
from guests import ON
from libvirtd import Libvirtd, create, pid_of, virsh
from qmp import Qmp

RUN = '/run/bootzero'
CONFIG = f'{RUN}/bootzero.conf'
STAND_IN = ('ext-query-caps-property = hv-avic', 'boot-zeroed-mem-property = hv-xmm-input')

MARKER = """<metadata><bootzero:features xmlns:bootzero='urn:bootzero:domain:1'>
    <bootzero:boot_zeroed_memory state='on'/></bootzero:features></metadata>"""
QEMU_ARGS = """<qemu:arg value='-global'/><qemu:arg value='x86_64-cpu.hv-avic=on'/>
    <qemu:arg value='-global'/><qemu:arg value='x86_64-cpu.hv-xmm-input=on'/>"""
PRELOAD_ENV = f"""<qemu:env name='LD_PRELOAD' value='{os.environ['BZ_PRELOAD']}:{os.environ['BZ_HYPERCALLS']}'/>
    <qemu:env name='BOOTZERO' value='{ON},qmp={RUN}/'/>
    <qemu:env name='BZ_HYPERCALL' value='/run/hypercall'/>"""


def kvm(answer):
    """What KVM says of Hyper-V to the monitor: tests/libvirt/kvm-answers.c."""
    with open('/run/bootzero-test-kvm', 'w', encoding='ascii') as file:
        file.write(answer)


class TestLibvirt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.makedirs(RUN, exist_ok=True)
        cls.libvirtd = Libvirtd()

    @classmethod
    def tearDownClass(cls):
        cls.libvirtd.end()

    def setUp(self):
        self.addCleanup(self.destroy_all)
        self.client = None
        self.daemon = None
        kvm('able')
        self.begin()
        self.addCleanup(self.finish)

    def begin(self):
        self.daemon = Daemon(RUN, '--connect', 'qemu:///system', wait=False, more=STAND_IN,
                             LD_PRELOAD=os.environ['BZ_SEAMS'])
        self.daemon.wait()
        self.client = Qmp(f'{RUN}/monitor.qmp')

    def finish(self):
        self.client.close()
        self.assertEqual(self.daemon.end(), 0)

    def destroy_all(self):
        for name in virsh('list', '--name').split():
            virsh('destroy', name)

    def hypercall(self, name, code):
        """The guest runs anew after a resume, and finds that it has asked."""
        with open('/run/hypercall.new', 'w', encoding='ascii') as file:
            file.write(code)
        os.rename('/run/hypercall.new', '/run/hypercall')
        virsh('suspend', name)
        virsh('resume', name)
        until(lambda: os.path.exists('/run/hypercall'), False)

    def last_change(self, name, last=None):
        """The newest of what is there to read."""
        while True:
            try:
                _, data = self.client.next(timeout=0.7)
            except TimeoutError:
                return last
            if data['domain']['name'] == name and 'state' in data:
                last = f"{data['state']} {data.get('reason', '')}".rstrip()

    def ends_as(self, name, wanted):
        """This change is told, and none after it."""
        last = None

        def newest():
            nonlocal last
            last = self.last_change(name, last)
            return last

        until(newest, wanted)

    def watched(self, name='plain'):
        """libvirt is connected: it has told of a guest that only it knows."""
        create(name)
        until(lambda: states(self.client).get(name), 'off 0')
        virsh('destroy', name)
        until(lambda: name in states(self.client), False)
        self.last_change(name)

    def test_preload_sequence(self):
        self.watched()
        qemu_events = subprocess.Popen(['virsh', '-c', 'qemu:///system', 'qemu-monitor-event', '--loop'],
                                       stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (qemu_events.kill(), qemu_events.wait(), qemu_events.stdout.close()))
        create('live', MARKER, PRELOAD_ENV)
        self.assertEqual(self.client.change(), 'armed 1')
        while not select.select([qemu_events.stdout], [], [], 0.3)[0]:  # until it listens
            virsh('suspend', 'live')
            virsh('resume', 'live')
        self.hypercall('live', '8001')
        self.assertEqual(self.client.change(), 'discovered 1')
        self.hypercall('live', '8002')
        self.assertEqual(self.client.change(), 'reported 1')
        name, report = self.client.next()
        self.assertEqual((name, report['domain']['name']), ('__bootzero_ZEROED_MEMORY_REPORTED', 'live'))
        self.assertGreater(report['zeroed-bytes'], 32 << 20)
        virsh('reset', 'live')
        self.assertEqual(self.client.change(), 'armed 2 reset')
        self.assertIn(self.last_change('live'), (None, 'armed reset'))
        self.hypercall('live', '8002')
        self.ends_as('live', 'reported')
        virsh('destroy', 'live')
        self.assertEqual(self.client.change().split()[0], 'gone')
        while 'event RESET' not in (line := qemu_events.stdout.readline()):
            self.assertTrue(line)
        self.assertEqual(states(self.client), {})

    def test_preload_restore(self):
        self.watched()
        create('live', MARKER, PRELOAD_ENV)
        self.hypercall('live', '8002')
        self.ends_as('live', 'reported')
        virsh('save', 'live', '/run/saved')
        self.ends_as('live', 'gone')
        virsh('restore', '/run/saved')
        self.ends_as('live', 'armed other memory was loaded')
        self.hypercall('live', '8002')
        self.ends_as('live', 'reported')
        # replaced while nobody looks: what libvirt says of the first process comes when the second is connected
        self.daemon.process.send_signal(signal.SIGSTOP)
        virsh('destroy', 'live')
        create('live', MARKER, PRELOAD_ENV)
        self.daemon.process.send_signal(signal.SIGCONT)
        self.assertEqual([self.client.change(), self.client.change()], ['gone 2', 'armed 1'])
        self.assertIsNone(self.last_change('live'))

    def test_restarts(self):
        self.watched()
        create('live', MARKER, PRELOAD_ENV)
        create('plain')
        self.hypercall('live', '8002')
        wanted = {'live': 'reported 1', 'plain': 'off 0'}
        until(lambda: states(self.client), wanted)
        self.client.close()
        self.daemon.kill()
        self.begin()
        until(lambda: states(self.client), wanted)
        self.libvirtd.kill()
        time.sleep(0.5)
        self.assertEqual(states(self.client), wanted)
        self.libvirtd.start()
        self.assertEqual(states(self.client), wanted)
        self.watched('new')  # again

    def test_libvirtd_dies_and_the_guest_with_it(self):
        self.watched()
        create('live', MARKER, PRELOAD_ENV)
        create('plain')
        until(lambda: states(self.client), {'live': 'armed 1', 'plain': 'off 0'})
        live, plain = pid_of('live'), pid_of('plain')
        self.libvirtd.kill()
        os.kill(live, 9)
        os.kill(plain, 9)
        until(lambda: states(self.client), {'plain': 'off 0'})  # nobody can tell
        self.libvirtd.start()
        until(lambda: states(self.client), {})

    def test_qemu_provider(self):
        """Two of QEMU's properties stand in for those it does not have yet."""
        self.watched()
        create('asks', MARKER, QEMU_ARGS)
        self.assertEqual(self.client.change(), 'armed 1')
        [tracking] = self.client.execute('__bootzero_query-tracking')
        self.assertEqual(tracking['provider'], 'qemu')
        virsh('suspend', 'asks')
        virsh('resume', 'asks')
        self.assertIsNone(self.last_change('asks'))
        virsh('reset', 'asks')
        self.ends_as('asks', 'lost reset: QEMU has not tracked what the guest wrote')
        virsh('destroy', 'asks')
        self.ends_as('asks', 'gone')
        create('asks', MARKER, QEMU_ARGS)
        self.assertEqual(self.client.change(), 'armed 1')
        # restored, it has other memory than QEMU knows of
        virsh('save', 'asks', '/run/saved')
        self.ends_as('asks', 'gone')
        virsh('restore', '/run/saved')
        self.ends_as('asks', 'lost other memory was loaded: QEMU has not tracked it')

    def test_snapshot_revert(self):
        """Another process or the same one: what it runs with is other memory than QEMU knows of."""
        disk = '/run/disk.qcow2'
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', disk, '16M'], check=True)
        self.watched()
        create('asks', MARKER, QEMU_ARGS, f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
               f"<source file='{disk}'/><target dev='vda' bus='virtio'/></disk>")
        self.assertEqual(self.client.change(), 'armed 1')
        virsh('snapshot-create-as', 'asks', 's')
        virsh('snapshot-revert', 'asks', 's')
        self.ends_as('asks', 'lost other memory was loaded: QEMU has not tracked it')
        virsh('snapshot-delete', '--metadata', 'asks', 's')

    def test_qemu_provider_is_not_guessed(self):
        self.watched()
        create('asks', MARKER, QEMU_ARGS)
        self.assertEqual(self.client.change(), 'armed 1')
        self.libvirtd.kill()
        self.ends_as('asks', 'unknown libvirt cannot be reached, so a reset would not be seen')
        self.libvirtd.start()
        self.watched()
        self.assertEqual(states(self.client), {'asks': 'unknown 0'})
        virsh('reset', 'asks')
        self.ends_as('asks', 'lost reset: QEMU has not tracked what the guest wrote')
        self.finish()
        self.begin()
        until(lambda: states(self.client), {'asks': 'unknown 0'})
        [tracking] = self.client.execute('__bootzero_query-tracking')
        self.assertEqual(tracking['reason'], 'the guest ran before it was watched')

    def test_without_what_was_asked(self):
        """Neither QEMU's command line nor its word alone is believed."""
        off = "QEMU has the CPU property '{}', but it is off: remove from <qemu:commandline> what turns it off"
        no_kvm = 'KVM on this host has no Hyper-V emulation: use a kernel built with CONFIG_KVM_HYPERV'
        without = "<qemu:arg value='-cpu'/><qemu:arg value='qemu64,{}=off'/>"
        self.watched()
        for arguments, answer, reason in (
                ('', 'able', off.format('hv-xmm-input')),
                (QEMU_ARGS + without.format('hv-xmm-input'), 'able', off.format('hv-xmm-input')),
                (QEMU_ARGS + without.format('hv-avic'), 'able', off.format('hv-avic')),
                (QEMU_ARGS, 'unable', no_kvm)):
            with self.subTest(reason):
                kvm(answer)
                create('asks', MARKER, arguments)
                until(lambda: states(self.client), {'asks': 'off 0'})
                [tracking] = self.client.execute('__bootzero_query-tracking')
                self.assertEqual((tracking['provider'], tracking['reason']), ('none', reason))
                status = subprocess.run([os.environ['BZ_CLI'], 'status'], env={**os.environ, 'BOOTZERO_CONFIG': CONFIG},
                                        capture_output=True, text=True, check=True).stdout
                self.assertIn(reason, status)
                self.assertIn(f"domain 'asks' runs without boot_zeroed_memory, which it asks for: {reason}\n",
                              self.daemon.log())
                virsh('destroy', 'asks')
                until(lambda: states(self.client), {})

    def test_a_qemu_that_lacks_it(self):
        self.finish()
        self.daemon = Daemon(RUN, '--connect', 'qemu:///system', wait=False,
                             more=('boot-zeroed-mem-property = hv-made-up',), LD_PRELOAD=os.environ['BZ_SEAMS'])
        self.daemon.wait()
        self.client = Qmp(f'{RUN}/monitor.qmp')
        self.watched()
        create('asks', MARKER)
        until(lambda: states(self.client), {'asks': 'unknown 0'})
        [tracking] = self.client.execute('__bootzero_query-tracking')
        self.assertRegex(tracking['reason'], f'^QEMU does not have it by itself, and there is no endpoint {RUN}/.*qmp$')


if __name__ == '__main__':
    unittest.main()
