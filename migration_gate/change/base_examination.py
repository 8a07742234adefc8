"""Has the project examined at the base of the change, in a process beside this one.

It is a run of the gate of its own, with its own server: roles and whatever else belongs to a whole cluster
cannot collide, and its end, however it comes, is the end of all that it started.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType

from migration_gate.ci.base_revision import Comparison
from migration_gate.config.settings import Settings
from migration_gate.facts import Base, Facts
from migration_gate.postgres.url import SCHEME
from migration_gate.sandbox.process_end import wait_for_process

GATE = Path(__file__).parents[1] / "__main__.py"
COMMAND = "examine-base"
"""a hidden command of the command line"""
STOP_SECONDS = 20.0
"""what the process gets to stop its server"""
UNREAD_SUFFIXES = frozenset(
    {".md", ".rst", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".css", ".js", ".ts", ".tsx", ".html"}
)
"""files that neither a replay nor a check reads"""


@dataclass(frozen=True, slots=True)
class BaseRequest:
    """What is to be examined."""

    settings: Settings
    """of the change"""
    python: Path
    """the project's interpreter"""
    commit: str
    answer: int
    """descriptor to write the answer to"""


@dataclass(frozen=True, slots=True)
class BaseAnswer:
    """What came of it."""

    facts: Facts | None = None
    failure: str = ""
    """why there are none, as a sentence"""
    is_new_project: bool = False
    comment_texts: tuple[tuple[str, str], ...] = ()


class BaseExamination:
    """An examination of the base, in a process that ends at the latest when the block ends.

    It begins at once. Only on a server of the user's, where both would meet, it begins when it is awaited.
    """

    def __init__(self, settings: Settings, python: Path, comparison: Future[Comparison]) -> None:
        self._settings = settings
        self._python = python
        self._comparison = comparison
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._is_stopped = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="base")
        self._base: Future[Base] | None = None

    def __enter__(self) -> BaseExamination:
        if not SCHEME.match(self._settings.postgres):
            self._base = self._thread.submit(self._examine)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._thread.shutdown()

    def await_base(self) -> Base:
        """The base, when it has been examined."""
        if self._base is None:
            self._base = self._thread.submit(self._examine)
        return self._base.result()

    def _examine(self) -> Base:
        """The base, examined if it can differ from the change."""
        comparison = self._comparison.result()
        base = comparison.base
        if base.commit is None:
            return Base("", base.reason)
        if not comparison.files:
            return Base("", f"nothing differs from {base.reason}")
        if all(PurePosixPath(file.path).suffix in UNREAD_SUFFIXES for file in comparison.files):
            return Base(base.commit, base.reason, is_unchanged=True)
        return self._run_process(base.commit, base.reason)

    def _run_process(self, commit: str, reason: str) -> Base:
        answer_end, process_end = os.pipe()
        with os.fdopen(answer_end, "rb") as answers:
            try:
                process = self._start(process_end)
            finally:
                os.close(process_end)
            if process is None or process.stdin is None:
                return Base(commit, reason, failure="The run was ended.")
            request = BaseRequest(self._settings, self._python, commit, process_end)
            with contextlib.suppress(BrokenPipeError):
                pickle.dump(request, process.stdin)
                process.stdin.flush()
            data = answers.read()
            process.wait()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        if not data:
            return Base(commit, reason, failure=f"Its process ended with status {process.returncode}.")
        answer = pickle.loads(data)  # noqa: S301 - from the process that was started here
        assert isinstance(answer, BaseAnswer)  # noqa: S101 - tells mypy
        return Base(
            commit,
            reason,
            answer.facts,
            answer.failure,
            is_new_project=answer.is_new_project,
            comment_texts=answer.comment_texts,
        )

    def _start(self, answer: int) -> subprocess.Popen[bytes] | None:
        options = ["-I", "-B"] if sys.dont_write_bytecode else ["-I"]
        with self._lock:
            if self._is_stopped:
                return None
            self._process = subprocess.Popen(
                [sys.executable, *options, str(GATE), COMMAND],
                stdin=subprocess.PIPE,  # which stays open: it ends when the gate does, however that happens
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[answer],
                start_new_session=True,  # Ctrl-C is for the gate, which ends this process in order
            )
            return self._process

    def _stop(self) -> None:
        """End the process in order, if it runs; none is started any more."""
        with self._lock:
            self._is_stopped = True
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            if not wait_for_process(process, STOP_SECONDS):
                process.kill()
