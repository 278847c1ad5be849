#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stock QEMU on the real KVM, started in each way that changes its memory or its rights: what the provider finds.

Each guest runs its firmware, is stopped, and the endpoint is asked, which looks as for the guest's own question. Then the
content of every page that was found zero is read from the process. Usage: test-qemu-answers.py PROVIDER
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

from qmp import Qmp

MIB = 1 << 20
SIZE = 128
SANDBOX = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'
ALL = (SIZE - 1) * MIB * 9 // 10  # firmware has the rest


def skip(reason):
    print('skipped:', reason)
    sys.exit(77)


def backend(*properties, size=SIZE):
    return ['-object', ','.join(properties) + f',id=ram,size={size}M', '-machine', 'pc,memory-backend=ram']


class Monitor:
    """QEMU's own."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.file = self.socket.makefile('rw')
        self.file.readline()
        self.execute('qmp_capabilities')

    def execute(self, command, **arguments):
        self.file.write(json.dumps({'execute': command, 'arguments': arguments}) + '\n')
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if 'event' not in answer:
                return answer['return']

    def host_address(self, gpa):
        text = self.execute('human-monitor-command', **{'command-line': f'gpa2hva {gpa:#x}'})
        return int(re.search(r' is (0x[0-9a-f]+)', text).group(1), 16)


class Guest:
    def __init__(self, directory, arguments):
        self.uuid = str(uuid.uuid4())
        self.log = open(os.path.join(directory, self.uuid + '.log'), 'w+')
        self.pid_file = os.path.join(directory, self.uuid + '.pid')
        own = os.path.join(directory, self.uuid + '.monitor')
        endpoint = os.path.join(directory, self.uuid + '.qmp')
        command = [QEMU, '-uuid', self.uuid, '-nodefaults', '-display', 'none', '-accel', 'kvm', '-cpu', 'host,hv-relaxed',
                   '-pidfile', self.pid_file, '-qmp', f'unix:{own},server=on,wait=off', '-m', str(SIZE), *arguments]
        environment = dict(os.environ, LD_PRELOAD=PROVIDER, BOOTZERO=f'boot-zeroed-mem=on,qmp={directory}/')
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        try:
            self.monitor = self.connect(Monitor, own)
            self.client = self.connect(Qmp, endpoint)
            self.pid = int(open(self.pid_file).read())
        except BaseException:
            self.process.kill()
            print(self.text())
            raise

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def connect(self, kind, path):
        """QEMU is ready when it has written its process id; a socket may be there and nobody listen yet."""
        end = time.monotonic() + 30
        while True:
            try:
                if os.path.exists(self.pid_file):
                    return kind(path)
            except (FileNotFoundError, ConnectionRefusedError):
                pass
            if time.monotonic() > end or self.process.poll() not in (None, 0):
                raise AssertionError('QEMU does not start')
            time.sleep(0.01)

    def look(self):
        self.monitor.execute('stop')
        return self.client.execute('__bootzero_query-zeroed-ranges')

    def expect_zero(self, ranges):
        with open(f'/proc/{self.pid}/mem', 'rb', buffering=0) as memory:
            for one in ranges:
                # Guest addresses that follow each other need not be neighbours in the process.
                for gpa in range(one['start'], one['start'] + one['size'], MIB):
                    size = min(MIB, one['start'] + one['size'] - gpa)
                    memory.seek(self.monitor.host_address(gpa))
                    content = memory.read(size)
                    assert len(content) == size and content.count(0) == size, f'not zero: something from {gpa:#x} on'

    def end(self):
        try:
            self.monitor.execute('quit')
        except (OSError, ValueError):
            pass
        end = time.monotonic() + 20
        while os.path.exists(f'/proc/{self.pid}') and self.process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        self.process.wait(20)


def check(name, directory, arguments, least=ALL, most=None, reason=None, check_process=None):
    guest = Guest(directory, arguments)
    try:
        if check_process:
            check_process(guest.pid)
        time.sleep(0.2)  # firmware
        found = guest.look()
        zeroed = found['zeroed-bytes']
        assert zeroed == sum(one['size'] for one in found['ranges']), found
        assert zeroed >= least, f'{zeroed} bytes of {least}: {found.get("reason")}'
        assert most is None or zeroed <= most, f'{zeroed} bytes, more than {most}'
        assert reason is None or reason in found.get('reason', ''), found.get('reason')
        guest.expect_zero(found['ranges'])
        print(f'ok      {name}: {zeroed >> 20} MiB of {SIZE}')
    except BaseException as error:
        print(f'FAILED  {name}: {error!r}\n{guest.text()}')
        raise
    finally:
        guest.end()


def is_nobody_in(directory):
    def look(pid):
        assert os.stat(f'/proc/{pid}').st_uid == 65534 or 'Uid:\t65534' in open(f'/proc/{pid}/status').read(), 'still root'
        assert os.path.samefile(f'/proc/{pid}/root', directory), 'not in its chroot'
        try:
            open(f'/proc/{pid}/root/proc/self/pagemap').close()
            raise AssertionError('there is a /proc in its chroot')
        except FileNotFoundError:
            pass
    return look


def cases(directory):
    tmpfs = tempfile.mkdtemp(dir='/dev/shm', prefix='bootzero-')
    disk = tempfile.mkdtemp(dir='/var/tmp', prefix='bootzero-')
    try:
        check('plain', directory, [])
        check('paused', directory, ['-S'])
        check('sandbox', directory, ['-sandbox', SANDBOX])
        check('mem-path', directory, ['-mem-path', tmpfs])
        check('memfd, shared', directory, backend('memory-backend-memfd', 'share=on'))
        check('memfd, private', directory, backend('memory-backend-memfd', 'share=off'))
        check('file on tmpfs, shared', directory, backend('memory-backend-file', f'mem-path={tmpfs}/a', 'share=on'))
        check('file on tmpfs, private', directory, backend('memory-backend-file', f'mem-path={tmpfs}/b', 'share=off'))
        on_disk = subprocess.run(['stat', '-f', '-c', '%T', disk], stdout=subprocess.PIPE, text=True).stdout.strip()
        if on_disk == 'ext2/ext3':
            check('file on disk, private', directory, backend('memory-backend-file', f'mem-path={disk}/a', 'share=off'))
            check('file on disk, shared', directory, backend('memory-backend-file', f'mem-path={disk}/b', 'share=on'), 0, 0,
                  'guest memory is a shared file that is neither a memfd nor on tmpfs')
        check('preallocated', directory, backend('memory-backend-ram', 'prealloc=on'))
        check('preallocated by four threads', directory,
              backend('memory-backend-ram', 'prealloc=on', 'prealloc-threads=4'))
        check('locked', directory, ['-overcommit', 'mem-lock=on'], 0, MIB)
        check('two nodes of different kinds', directory,
              ['-smp', '2', '-object', 'memory-backend-ram,id=a,size=64M', '-object',
               'memory-backend-memfd,id=b,size=64M,share=on', '-numa', 'node,memdev=a', '-numa', 'node,memdev=b'])
        check('daemonize', directory, ['-daemonize'])
        if os.geteuid() == 0:
            empty = os.path.join(directory, 'empty')
            os.mkdir(empty)
            os.chmod(directory, 0o755)
            usage = subprocess.run([QEMU, '--help'], stdout=subprocess.PIPE, text=True).stdout
            run_with = re.search(r'-run-with .*', usage)
            leave = (['-run-with', f'chroot={empty},user=nobody'] if run_with and 'user=' in run_with.group(0) else
                     ['-chroot', empty, '-runas', 'nobody'])
            check('daemonize, another root and user, sandbox', directory,
                  ['-daemonize', '-sandbox', 'on,obsolete=deny,resourcecontrol=deny', *leave],
                  check_process=is_nobody_in(empty))
            check('another root and user, shared memory', directory,
                  [*leave, *backend('memory-backend-memfd', 'share=on')], check_process=is_nobody_in(empty))
        else:
            print('not root: another root and user were not tried')
    finally:
        shutil.rmtree(tmpfs)
        shutil.rmtree(disk)


def main():
    global PROVIDER, QEMU
    PROVIDER = os.path.realpath(sys.argv[1])
    QEMU = shutil.which(os.environ.get('QEMU', 'qemu-system-x86_64'))
    if not QEMU:
        skip('no qemu-system-x86_64')
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        skip('/dev/kvm cannot be opened')
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix='bootzero-') as directory:
        cases(directory)


if __name__ == '__main__':
    main()
