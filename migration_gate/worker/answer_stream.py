"""The worker's two pipes: the order comes in through one, and the answer goes out through the other."""

from __future__ import annotations

import os

from .protocol import Line, Order, decode_order, encode_line


class AnswerStream:
    """Writes the answer, line by line, to a descriptor that the project's own programs do not inherit."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._owner = os.getpid()

    def send(self, line: Line) -> None:
        """Write one line. Does nothing in a process that the project's code forked from this one."""
        if os.getpid() != self._owner:
            return
        data = encode_line(line)
        while data:
            data = data[os.write(self._descriptor, data) :]


def receive_order(descriptor: int) -> Order:
    """The order, as soon as the gate has sent it and closed the pipe."""
    os.set_inheritable(descriptor, False)
    with os.fdopen(descriptor, "rb") as stream:
        return decode_order(stream.read())
