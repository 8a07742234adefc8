"""The answer: JSON lines on a file descriptor that the project's children do not get."""

from __future__ import annotations

import json
import os
import time
from typing import Any


class Answer:
    """Writes one line at a time; a forked child of the project's stays silent."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._owner = os.getpid()
        self._start = time.perf_counter()

    def send(self, kind: str, **fields: Any) -> None:
        """Write `fields` as one line of that kind, with the seconds since the start."""
        if os.getpid() != self._owner:
            return
        fields["kind"] = kind
        fields["at"] = round(time.perf_counter() - self._start, 4)
        line = json.dumps(fields, default=str, ensure_ascii=True).encode() + b"\n"
        while line:
            line = line[os.write(self._descriptor, line) :]


def read_order(descriptor: int) -> dict[str, Any]:
    """The whole order, as sent."""
    os.set_inheritable(descriptor, False)
    with os.fdopen(descriptor, "rb") as stream:
        order: dict[str, Any] = json.loads(stream.read())
    return order
