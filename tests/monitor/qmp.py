# SPDX-License-Identifier: LGPL-2.1-or-later
"""A QMP client that behaves as the strictest real ones do, and judges every message by the schema."""
import json
import os
import socket
import time

import qapi

SCHEMA = qapi.load(os.path.join(os.environ['BOOTZERO_SOURCE'], 'schema', 'bootzero.json'))
SECONDS = 30  # until something that must come has not


class QmpError(Exception):
    """The server answered with an error."""


class Qmp:
    def __init__(self, path, negotiate=True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SECONDS)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.bytes = b''
        self.events = []  # (message, time.monotonic() of its arrival)
        self.last_id = 0
        self.greeting = self.message()
        SCHEMA.validate(self.greeting['QMP']['version'], 'VersionInfo')
        assert self.greeting['QMP']['capabilities'] == [], self.greeting
        if negotiate:
            self.execute('qmp_capabilities')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError('the server has closed the connection')
        self.bytes += data

    def message(self):
        """The next one. Each ends with CR LF and has no other."""
        while b'\r\n' not in self.bytes:
            self.receive()
        line, self.bytes = self.bytes.split(b'\r\n', 1)
        assert b'\n' not in line and b'\r' not in line, line
        return json.loads(line.decode())

    def answer(self):
        """The next message that is no event."""
        while True:
            message = self.message()
            if 'event' not in message:
                return message
            SCHEMA.validate_event(message)
            self.events.append((message, time.monotonic()))

    def execute(self, command, arguments=None):
        self.last_id += 1
        request = {'execute': command, 'id': self.last_id}
        if arguments is not None:
            request['arguments'] = arguments
        self.send(json.dumps(request))  # no newline
        answer = self.answer()
        assert answer.pop('id') == self.last_id, answer
        if 'error' in answer:
            assert set(answer) == {'error'} and set(answer['error']) == {'class', 'desc'}, answer
            raise QmpError(f"{answer['error']['class']}: {answer['error']['desc']}")
        assert set(answer) == {'return'}, answer
        SCHEMA.validate_return(command, answer['return'])
        return answer['return']

    def event(self, timeout=SECONDS):
        """The next event, with the time it came."""
        if not self.events:
            self.socket.settimeout(timeout)
            try:
                message = self.message()
            finally:
                self.socket.settimeout(SECONDS)
            SCHEMA.validate_event(message)
            self.events.append((message, time.monotonic()))
        return self.events.pop(0)

    def next(self, timeout=SECONDS):
        """(name, data) of the next event."""
        message, _ = self.event(timeout)
        return message['event'], message['data']

    def change(self, timeout=SECONDS):
        """The next change of state in short: 'armed 1 reset'."""
        while True:
            name, data = self.next(timeout)
            if name == '__bootzero_TRACKING_CHANGE':
                return f"{data['state']} {data['generation']} {data.get('reason', '')}".rstrip()

    def silent(self, seconds=0.3):
        """Nothing comes."""
        self.socket.settimeout(seconds)
        try:
            message = self.message()
        except (TimeoutError, socket.timeout):
            return True
        finally:
            self.socket.settimeout(SECONDS)
        raise AssertionError(f'unexpected: {message}')
