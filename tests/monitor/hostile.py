# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients of an endpoint that mean harm, all at once."""
import socket
import threading

MIB = 1 << 20
KINDS = {
    'no newline': (b'{"execute": "', b'a' * 65536),
    'deep': (b'', b'[{"a": ' * 8192),
    'garbage': (b'', b'\xff\x00' * 32768),
    'closing': (b'', b'}' * 65536),
    'never reads': (b'{"execute": "qmp_capabilities"}', b'{"execute": "query-qmp-schema"}' * 2000),
}


class Hostile:
    """
    Until it is closed, each kind sends up to 100 MB, comes again when it is thrown out, and reads nothing. The one that only
    does not read stays: whoever waits for it waits for ever.
    """

    def __init__(self, path):
        self.path = path
        self.over = threading.Event()
        self.thrown_out = dict.fromkeys(KINDS, 0)
        self.threads = [threading.Thread(target=self.run, args=(kind,)) for kind in KINDS]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def run(self, kind):
        first, flood = KINDS[kind]
        while not self.over.is_set():
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(0.2)
                try:
                    client.connect(self.path)
                    client.sendall(first)
                    for _ in range(100 * MIB // len(flood)):
                        client.sendall(flood)
                        if self.over.is_set():
                            return
                except TimeoutError:  # it does not take more: as good
                    self.thrown_out[kind] += 1
                    self.over.wait(None if kind == 'never reads' else 0.2)
                except OSError:
                    self.thrown_out[kind] += 1
