# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real libvirtd, in tests/libvirt/sandbox, where /run is its own."""
import os
import subprocess
import uuid

from daemon import until

HERE = os.environ['BOOTZERO_SOURCE'] + '/tests/libvirt'


def domain_xml(name, metadata='', arguments='', devices=''):
    return f"""<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name><uuid>{uuid.uuid5(uuid.NAMESPACE_DNS, name)}</uuid>{metadata}
  <memory unit='MiB'>64</memory><os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/><hyperv mode='custom'><relaxed state='on'/></hyperv></features>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='usb' index='0' model='none'/>
  <memballoon model='none'/>{devices}</devices>
  <qemu:commandline>{arguments}</qemu:commandline></domain>"""


def virsh(*arguments, text=None):
    done = subprocess.run(['virsh', '-q', '-c', 'qemu:///system', *arguments], input=text, text=True, capture_output=True)
    if done.returncode:
        raise AssertionError(f'virsh {arguments}: {done.stderr}')
    return done.stdout


def create(*arguments):
    path = '/run/domain.xml'
    with open(path, 'w', encoding='utf-8') as file:
        file.write(domain_xml(*arguments))
    virsh('create', path)


def pid_of(name):
    with open(f'/run/libvirt/qemu/{name}.pid', encoding='ascii') as file:
        return int(file.read())


class Libvirtd:
    def __init__(self):
        subprocess.run(['bash', '-c', f'. {HERE}/daemon.sh; [ -e /etc/libvirt/qemu.conf ] || daemon_configure'],
                       check=True)
        self.start()

    def start(self, wait=True):
        self.process = subprocess.Popen(['libvirtd'], stderr=subprocess.DEVNULL)
        if wait:
            self.wait()

    @staticmethod
    def wait():
        until(lambda: subprocess.run(['virsh', '-q', '-c', 'qemu:///system', 'list'], capture_output=True).returncode, 0,
              seconds=30)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=30)
