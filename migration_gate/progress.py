"""What a person sees who waits: one line that says where the gate is, on a terminal alone."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from types import TracebackType

from migration_gate.facts import Facts

STAGE_TITLES = {
    "find": "Finding the project",
    "install": "Installing its packages",
    "postgres": "Starting Postgres",
    "prepare": "Preparing the database",
    "import": "Importing the project",
    "replay": "Replaying",
    "models": "Creating the models beside it",
    "compare": "Comparing",
    "repository": "Reading the repository",
}
REDRAW_SECONDS = 0.05
"""seconds between two drawings"""
LOG_SECONDS = 10.0
"""seconds between two lines in a log, where nobody sees a line change"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an examination is, for people who wait."""

    stage: str
    """find, install, postgres, import, prepare, replay, models, compare or repository"""
    text: str = ""
    done: int = 0
    total: int = 0


class StageClock:
    """Wall time of each stage, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stage, self._since = "", 0.0

    def start(self, stage: str) -> None:
        """End the stage before, if there is one, and begin this."""
        now = time.perf_counter()
        if self._stage:
            self.seconds[self._stage] = round(self.seconds.get(self._stage, 0.0) + now - self._since, 4)
        self._stage, self._since = stage, now


class ProgressDisplay:
    """Follows an examination on stderr; silent where stderr is closed."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._drawn = 0.0
        self._width = 0

    def __enter__(self) -> ProgressDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def show_examination(self, examination: Generator[Progress, None, Facts]) -> Facts:
        """Run it to its end, showing its progress, and give its facts."""
        self._drawn = time.monotonic() if not self._live else 0.0
        try:
            while True:
                self._show(next(examination))
        except StopIteration as end:
            facts: Facts = end.value
            return facts
        finally:
            examination.close()
            self._clear()

    def _show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._drawn < (REDRAW_SECONDS if self._live else LOG_SECONDS):
            return
        self._drawn = now
        line = STAGE_TITLES.get(progress.stage, progress.stage)
        if progress.total:
            line += f" {progress.done}/{progress.total}"
        if progress.text and progress.stage in ("find", "install", "postgres", "replay"):
            line += f" · {progress.text}"
        line = "".join(each if each.isprintable() else "?" for each in line)[:78]
        if self._live:
            self._clear()
            self._width = len(line)
            print(line, end="", file=sys.stderr, flush=True)
        else:
            print(f"{line} …", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._live and self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)
            self._width = 0
