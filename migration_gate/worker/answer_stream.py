"""The worker's two pipes: the order comes in through one, and the answer goes out through the other."""

from __future__ import annotations

import os
import threading
from typing import Optional

from .process_attributes import open_memory
from .protocol import Line, encode_line
from .protocol.history_lines import ContextConfigured, ScriptsFound
from .protocol.order import (
    DATABASE_RESTORED,
    STATE_KEPT,
    ModelsRequest,
    Order,
    Request,
    decode_order,
    decode_request,
)
from .protocol.run_lines import StageStarted

IMMEDIATE_LINES = (StageStarted, ScriptsFound)
"""lines that are the same in every attempt, and that the gate waits for"""


class AnswerStream:
    """Writes the answer, line by line, to a descriptor that the project's own programs do not inherit."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._owner = os.getpid()
        self._held_lines: list[Line] = []
        self._keeps_lines = False

    @property
    def is_owner(self) -> bool:
        """Whether this process answers: it is not one that the project's code forked."""
        return os.getpid() == self._owner

    @property
    def is_holding(self) -> bool:
        """Whether lines wait until it is certain that this attempt is the one that counts."""
        return self._keeps_lines and self.is_owner

    def take_over(self) -> None:
        """From now on this process writes the answer, which a fork of the owner is."""
        self._owner = os.getpid()

    def hold(self) -> None:
        """From now on this process writes the answer, and keeps its lines until the first context."""
        self._owner = os.getpid()
        self._keeps_lines = True

    def release(self) -> None:
        """Write what was kept."""
        self._keeps_lines = False
        lines, self._held_lines = self._held_lines, []
        for line in lines:
            self.send(line)

    def send(self, line: Line) -> None:
        """Write one line. Does nothing in a process that the project's code forked from this one."""
        if not self.is_owner:
            return
        if isinstance(line, ContextConfigured):
            self.release()
        if self.is_holding and not isinstance(line, IMMEDIATE_LINES):
            self._held_lines.append(line)
            return
        data = encode_line(line)
        while data:  # a pipe that is full takes a part
            data = data[os.write(self._descriptor, data) :]


class OrderStream:
    """What the gate sends: the order, and when the history has run a request for the models."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._stream = os.fdopen(descriptor, "rb")
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._request: Optional[ModelsRequest] = None
        self.received_request = ""
        """as it came through the pipe"""

    def restore_request(self, text: str) -> None:
        """Read the pipe from now on in this process; the request that an earlier one has received already."""
        self._owner = os.getpid()
        if text:
            self.received_request = text
            self._request = self._demand_models(decode_request(text.encode("ascii")))
            open_memory()

    def take_over(self) -> None:
        """From now on this process receives the requests, which a fork of the owner is."""
        self._owner = os.getpid()

    def receive_order(self) -> Order:
        """The order, as soon as the gate has sent it. Ends the process if the gate has no order for it."""
        line = self._stream.readline()
        if not line:
            os._exit(0)
        return decode_order(line)

    def await_restored_database(self) -> None:
        """Return when the gate has restored the database. Ends the process if it does not."""
        if self._stream.readline() != DATABASE_RESTORED:
            os._exit(0)

    def await_kept_state(self) -> None:
        """Return when the gate has copied the server. Ends the process if the gate is not there any more."""
        if self._stream.readline() != STATE_KEPT:
            os._exit(0)

    def demand_request(self) -> ModelsRequest:
        """The request for the models. Ends the process if the gate has none: the history failed."""
        request = self.await_request()
        if request is None:
            os._exit(0)
        return request

    def await_request(self) -> Optional[ModelsRequest]:
        """The request for the models, as soon as it comes, and the same at each later call.

        None if the gate closes the pipe: then there is nothing more to do. A process that the project's
        code forked from this one ends here: the request is not for it.
        """
        if os.getpid() != self._owner:
            os._exit(0)
        with self._lock:
            if self._request is None:
                line = self._stream.readline()
                self._request = self._demand_models(decode_request(line)) if line else None
                self.received_request = line.decode("ascii")
                open_memory()
            return self._request

    def receive_request(self) -> Optional[Request]:
        """The next request, as soon as it comes; None if the gate closes the pipe.

        Only the process that has run the history gets several.
        """
        if os.getpid() != self._owner:
            os._exit(0)
        line = self._stream.readline()
        return decode_request(line) if line else None

    @staticmethod
    def _demand_models(request: Request) -> ModelsRequest:
        assert isinstance(request, ModelsRequest)  # noqa: S101  (nothing else is sent to the models' process)
        return request
