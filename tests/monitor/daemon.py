# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtbootzerod, run by a test in a folder of its own."""
import os
import re
import select
import subprocess
import time

from qmp import Qmp


class Daemon:
    def __init__(self, folder, *arguments, wait=True, prefix=(), more=(), stderr=None, **environment):
        self.folder = folder
        self.path = os.path.join(folder, 'monitor.qmp')
        self.log_path = os.path.join(folder, 'log')
        config = os.path.join(folder, 'bootzero.conf')
        with open(config, 'w', encoding='utf-8') as file:
            file.write('\n'.join(['[bootzero]', f'runtime-directory = {folder}', *more, '']))
        environment = {**os.environ, 'BOOTZERO_CONFIG': config, 'ASAN_OPTIONS': 'detect_leaks=1', **environment}
        if '--connect' not in arguments:
            arguments += ('--without-libvirt',)
        with open(self.log_path, 'a', encoding='utf-8') as log:
            self.process = subprocess.Popen([*prefix, os.environ['BZ_DAEMON'], *arguments], env=environment,
                                            stderr=log if stderr is None else stderr,
                                            pass_fds=(3,) if prefix else ())
        if wait:
            self.wait()

    def wait(self, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                Qmp(self.path).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        raise AssertionError(f'no daemon: {self.log()}')

    def log(self):
        with open(self.log_path, encoding='utf-8') as file:
            return file.read()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(timeout=20)
        assert 'Sanitizer' not in self.log(), self.log()
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()


def states(client):
    """{name: 'state generation'} of all guests."""
    return {g['domain']['name']: f"{g['state']} {g['generation']}" for g in client.execute('__bootzero_query-tracking')}


def report(client, name):
    """What the guest was told last, as QMP tells it."""
    [tracking] = client.execute('__bootzero_query-tracking', {'domain': name})
    return tracking['report']


def until(what, wanted, seconds=30):
    """Waits until what() is wanted."""
    end = time.monotonic() + seconds
    while (found := what()) != wanted:
        if time.monotonic() > end:
            raise AssertionError(f'still {found}, wanted {wanted}')
        time.sleep(0.02)


def settled(client, wanted):
    """Waits until these are the states, and reads the events that told it, if there were any: it may have come later."""
    until(lambda: states(client), wanted)
    client.events.clear()


def rss_mib(process):
    """What a process has resident now."""
    with open(f'/proc/{process.pid}/status', encoding='ascii') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS')) / 1024


def until_watching(guest, watch):
    """Waits until `virt-bootzero watch` is heard; what it says from then on is for the test. Resets the guest, and once more."""
    while not select.select([watch.stdout], [], [], 0.3)[0]:
        guest.reset()
    with Qmp(guest.path) as client:
        guest.reset()
        [tracking] = client.execute('__bootzero_query-tracking')
    while not re.search(rf'generation"?[ :]{tracking["generation"]}\b', watch.stdout.readline()):
        pass
    return tracking['generation']
