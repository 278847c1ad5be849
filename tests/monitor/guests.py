# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests on the fake KVM, each a process with a real endpoint."""
import os
import subprocess

ON = 'ext-query-caps=on,boot-zeroed-mem=on'


class Guest:
    def __init__(self, folder, number=1, name=None, mib=16, settings=ON, preload=None, wait=True, **popen):
        self.uuid = f'00000000-0000-4000-8000-{number:012x}'
        self.name = f'guest{number}' if name is None else name
        self.path = os.path.join(folder, self.uuid + '.qmp')
        libraries = os.environ['BZ_PRELOAD'] + (f':{preload}' if preload else '')
        environment = dict(os.environ, LD_PRELOAD=libraries,
                           BOOTZERO=f'{settings},qmp={folder}/')
        name = self.name.replace(',', ',,')
        self.process = subprocess.Popen(
            [os.environ['BZ_GUEST'], str(mib), '-name', f'guest={name},debug-threads=on', '-uuid', self.uuid.upper()],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **popen)
        if wait:
            self.line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def line(self):
        return self.process.stdout.readline().rstrip('\n')

    def order(self, command):
        self.process.stdin.write(command + '\n')
        self.process.stdin.flush()

    def do(self, command):
        self.order(command)
        return self.line()

    def log(self):
        self.order('log')
        lines = []
        while (line := self.line()) != '.':
            lines.append(line)
        return '\n'.join(lines)

    def reset(self):
        self.do('run')
        self.do('sregs boot')

    def kill(self):
        self.process.kill()
        self.end()

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
