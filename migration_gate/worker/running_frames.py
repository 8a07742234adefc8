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
        code = frame.f_code
        if _is_of_project(code.co_filename, home):
            frames.append(Frame(_absolute_path(code.co_filename), frame.f_lineno, code.co_name))
            if len(frames) == MAX_FRAMES:
                break
    frames.reverse()
    return frames


def _walk_frames() -> Iterator[Any]:
    """Every running frame, innermost first. SQLAlchemy's `run_sync` runs its function in a greenlet.

    There are some 60 for each DDL element: what is known of a file is kept.
    """
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
    return not file.startswith("<") and is_project_file(file, home)


@lru_cache(maxsize=None)
def _absolute_path(file: str) -> str:
    return os.path.abspath(file)
