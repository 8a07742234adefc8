"""Shows the progress of an examination, and measures its stages."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator
from types import TracebackType
from typing import TypeVar

from migration_gate.facts import StageTime
from migration_gate.lazy_dataclass import dataclass

T = TypeVar("T")

STAGE_TITLES = {
    "find": "Finding the project",
    "install": "Installing its packages",
    "postgres": "Starting Postgres",
    "prepare": "Preparing the database",
    "import": "Importing the project",
    "replay": "Replaying",
    "models": "Creating the models beside it",
    "rollback": "Rolling back",
    "rehearsal": "Rehearsing with rows",
    "compare": "Comparing",
    "repository": "Reading the repository",
    "base": "Waiting for the base of the change",
}
STAGES_WITH_TEXT = ("find", "install", "postgres", "replay", "rollback", "rehearsal")
"""stages whose text is worth a place on the line"""
REDRAW_SECONDS = 0.05
"""between two drawings on a terminal"""
LOG_SECONDS = 10.0
"""between two lines in a log, where a line cannot be drawn again"""
LONGEST_LINE = 78
"""columns: a terminal of 80 shows it without wrapping it"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an examination is."""

    stage: str
    """find, install, postgres, import, prepare, replay, models, rollback, compare, base or repository"""
    text: str = ""
    """what of the stage: a name, a revision, a line of the installer"""
    done: int = 0
    total: int = 0
    """revisions; 0 if they are not counted"""
    title: str = ""
    """shown in place of the stage's own title"""

    def describe(self) -> str:
        """One printable line: `Replaying 3/7 · 0003`."""
        line = self.title or STAGE_TITLES.get(self.stage, self.stage)
        if self.total:
            line += f" {self.done}/{self.total}"
        if self.text and self.stage in STAGES_WITH_TEXT:
            line += f" · {self.text}"
        printable = "".join(character if character.isprintable() else "?" for character in line)
        return printable[:LONGEST_LINE]


class StageClock:
    """Adds up the wall time of stages."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._stage = ""
        self._entered = 0.0

    def enter(self, stage: str) -> None:
        """End the stage before, if there is one, and begin this one. A stage may be entered again."""
        now = time.perf_counter()
        if self._stage:
            self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._entered
        self._stage, self._entered = stage, now

    def stop(self) -> tuple[StageTime, ...]:
        """End the last stage: the seconds of each, in the order in which they were entered first."""
        self.enter("")
        return tuple(StageTime(stage, round(seconds, 4)) for stage, seconds in self._seconds.items())


def measure_stages(
    examination: Generator[Progress, None, T],
) -> Generator[Progress, None, tuple[T, tuple[StageTime, ...]]]:
    """Pass the progress on; to what the examination returns, add the seconds of each stage."""
    clock = StageClock()
    try:
        while True:
            try:
                progress = next(examination)
            except StopIteration as end:
                return end.value, clock.stop()
            clock.enter(progress.stage)
            yield progress
    finally:
        examination.close()


class ProgressDisplay:
    """Shows the progress of examinations on stderr, until its block ends.

    A terminal shows one line, which is drawn again and again; a log gets a line every ten seconds.
    """

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._shown_at = 0.0
        self._width = 0
        """of the line on the terminal"""

    def __enter__(self) -> ProgressDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear_line()

    def show_examination(self, examination: Generator[Progress, None, T]) -> T:
        """Run an examination to its end, and show its progress: what it returns. Raises what it raises."""
        self._shown_at = 0.0 if self._is_terminal else time.monotonic()
        try:
            while True:
                self._show(next(examination))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            examination.close()
            self._clear_line()

    def _show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._shown_at < (REDRAW_SECONDS if self._is_terminal else LOG_SECONDS):
            return
        self._shown_at = now
        line = progress.describe()
        if self._is_terminal:
            self._clear_line()
            self._width = len(line)
            print(line, end="", file=sys.stderr, flush=True)
        else:
            print(f"{line} …", file=sys.stderr, flush=True)

    def _clear_line(self) -> None:
        if self._is_terminal and self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)
            self._width = 0
