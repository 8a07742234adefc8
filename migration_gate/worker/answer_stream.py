"""The worker's two pipes: the order comes in through one, and the answer goes out through the other."""

from __future__ import annotations

import os
import threading
from typing import Optional

from .protocol import Line, ModelsRequest, Order, decode_models_request, decode_order, encode_line


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


class OrderStream:
    """What the gate sends: the order, and when the history has run a request for the models."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._stream = os.fdopen(descriptor, "rb")
        self._lock = threading.Lock()
        self._request: Optional[ModelsRequest] = None

    def receive_order(self) -> Order:
        """The order, as soon as the gate has sent it. Ends the process where the gate has no order for it."""
        line = self._stream.readline()
        if not line:
            os._exit(0)
        return decode_order(line)

    def demand_request(self) -> ModelsRequest:
        """The request for the models. Ends the process where the gate has none: the history failed."""
        request = self.await_request()
        if request is None:
            os._exit(0)
        return request

    def await_request(self) -> Optional[ModelsRequest]:
        """The request for the models, as soon as it comes, and the same at each later call.

        None where the gate closes the pipe: then there is nothing more to do.
        """
        with self._lock:
            if self._request is None:
                line = self._stream.readline()
                self._request = decode_models_request(line) if line else None
            return self._request
