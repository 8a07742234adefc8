"""The frames of the project's code that are running."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Any, Iterator

from .error_report import is_project_file
from .protocol.reported_error import Frame

MAX_FRAMES = 12


def list_project_frames(home: str) -> list[Frame]:
    """The project's frames that are running, outermost first; of the callers of a greenlet too."""
    frames: list[Frame] = []
    for frame in _walk_frames():
        file = frame.f_code.co_filename
        if not file.startswith("<") and _is_of_project(file, home):
            frames.append(Frame(os.path.abspath(file), frame.f_lineno, frame.f_code.co_name))
    return frames[:MAX_FRAMES][::-1]


def _walk_frames() -> Iterator[Any]:
    """Every running frame, innermost first. SQLAlchemy's `run_sync` runs its function in a greenlet."""
    frame: Any = sys._getframe(1)
    greenlets = sys.modules.get("greenlet")
    current = greenlets.getcurrent() if greenlets is not None else None
    while frame is not None:
        while frame is not None:
            yield frame
            frame = frame.f_back
        current = getattr(current, "parent", None)
        frame = getattr(current, "gr_frame", None)


@lru_cache(maxsize=None)
def _is_of_project(file: str, home: str) -> bool:
    return is_project_file(file, home)
