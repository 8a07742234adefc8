"""Has the project examined at the base of the change, in a process beside this one.

Where the change edits no revision, the replay of the change shows what the base's own would: then only the
base's models are created, in one more copy of the replayed database. Where it adds revisions and nothing
else, and these import no more of the project's than env.py, the models are the same, too, and no process is
needed.
Else the process is a run of the gate of its own, with its own server: roles and whatever else belongs to a
whole cluster cannot collide.

The end of the process, however it comes, is the end of all that it started.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path, PurePosixPath
from queue import SimpleQueue
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from migration_gate.change.base_messages import (
    BaseAnswer,
    BaseRequest,
    NothingShared,
    Shared,
    SharedDatabase,
    SharedEarlier,
    SharedReplay,
)
from migration_gate.change.revision_dependencies import (
    REVISION_MARK,
    UNREAD_SUFFIXES,
    find_shared_imports,
    use_data_files,
)
from migration_gate.ci.base_revision import Comparison, FileChange
from migration_gate.config.settings import Settings
from migration_gate.errors import Broken, GateError, TimedOut
from migration_gate.facts import Base, Facts
from migration_gate.git.git_command import find_repository_root
from migration_gate.git.tracked_files import list_tracked_files
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sandbox.process_end import ENDED_FROM_OUTSIDE, describe_exit, wait_for_process

if TYPE_CHECKING:
    from migration_gate.change.kept_examination import KeptExamination
    from migration_gate.checkpoint.kept_base import BaseStore

GATE = Path(__file__).parents[1] / "__main__.py"
COMMAND = "examine-base"
"""a hidden command of the command line"""
COMMIT_LENGTH = 12
WITHOUT_BASE = (
    "Where it would never end, and the change is what mends it, check the change by itself: `--base HEAD`. "
    "Old findings block then, too."
)
STOP_SECONDS = 20.0
"""what the process gets to stop its server"""


@dataclass(frozen=True, slots=True)
class _Begun:
    """What could be found out of the base while the change was examined."""

    base: Base | None = None
    shared_imports: frozenset[str] | None = None
    """the change only adds revisions, which import these modules: the rest follows from its facts"""


class BaseExamination:
    """An examination of the base, in a process that ends at the latest when the block ends."""

    def __init__(self, settings: Settings, python: Path, comparison: Future[Comparison]) -> None:
        self._settings = settings
        self._python = python
        self._comparison = comparison
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._is_stopped = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="base")
        self._shared: SimpleQueue[Shared | SharedEarlier] = SimpleQueue()
        self._received: list[Shared] = []
        """what was taken from there"""
        self._begun: Future[_Begun] | None = None
        self._store: Future[BaseStore | None] = Future()
        self._kept: KeptExamination | None = None
        self._is_awaiting_kept = False
        """whether a kept examination serves is not known yet: no process runs"""
        self._serves_earlier: Future[bool] = Future()
        """whether a kept examination serves with the facts of an earlier run; False if a process is needed"""
        self._copy_database: Callable[[], None] | None = None
        """to be called before a process is told of the database"""

    def __enter__(self) -> BaseExamination:
        self._begun = self._thread.submit(self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.offer_store(None)
        self.share(NothingShared())
        self._stop()
        self._thread.shutdown()

    def offer_store(self, store: BaseStore | None) -> None:
        """Say where an examination of the base may be kept; only then one begins."""
        if not self._store.done():
            self._store.set_result(store)

    def share_database(self, message: SharedDatabase, copy_database: Callable[[], None]) -> None:
        """Share the database, if something may use it. It is copied now, or never if nothing uses it.

        What is copied of the base alone may still be copied later.
        """
        with self._lock:
            is_wanted = self._is_awaiting_kept or (self._process is not None and self._process.poll() is None)
            if self._is_awaiting_kept and message.is_of_base:
                self._copy_database = copy_database
        if is_wanted:
            if self._copy_database is None:
                copy_database()
            self.share(message)

    def serves_earlier(self, digest: str) -> bool:
        """Whether the base is known with the facts of an earlier run, which shared what has this digest."""
        assert self._begun is not None  # noqa: S101 - the block was entered
        self._shared.put(SharedEarlier(digest))
        known: tuple[Future[Any], ...] = (self._begun, self._serves_earlier)
        wait(known, return_when=FIRST_COMPLETED)
        if self._serves_earlier.done():
            return self._serves_earlier.result()
        return self._begun.exception() is None and self._begun.result().shared_imports is None

    def describe_shared(self) -> str:
        """A digest of what was shared in this run, once the base is known; '' if it was not all needed."""
        from migration_gate.change.kept_examination import find_shared_digest  # noqa: PLC0415 - see above

        return find_shared_digest(self._received)

    def share(self, message: Shared) -> None:
        """Tell the process what it may use; see `base_messages` for the order."""
        self._shared.put(message)

    def await_base(self, facts: Facts) -> Base | None:
        """The base of a change with these facts; None if it has to be examined alone (`examine_alone`)."""
        self.offer_store(None)
        self.share(NothingShared())  # if nothing was said of the replay
        assert self._begun is not None  # noqa: S101 - the block was entered
        begun = self._begun.result()
        if begun.shared_imports is None:
            return begun.base
        from migration_gate.change.earlier_replay import derive_base_facts  # noqa: PLC0415 - see `_run_process`
        from migration_gate.verdict.comment_files import read_comment_files  # noqa: PLC0415

        comparison = self._comparison.result()
        base_facts = derive_base_facts(facts, comparison.changed_paths("A"), begun.shared_imports)
        if base_facts is None:
            return None
        texts = read_comment_files(base_facts, find_repository_root(self._settings.root))
        return Base(
            str(comparison.base.commit),
            comparison.base.reason,
            base_facts,
            comment_texts=tuple(texts.items()),
        )

    def examine_alone(self) -> Base:
        """The base, examined now by itself; only after the server of the change is free."""
        self.share(NothingShared())  # an earlier process may have taken the first one
        comparison = self._comparison.result()
        commit = str(comparison.base.commit)
        base = self._thread.submit(self._examine_commit, commit, comparison, is_alone=True).result()
        assert base is not None  # noqa: S101 - nothing is in its way
        return base

    def _begin(self) -> _Begun:
        """Have the base examined if it can differ from the change."""
        comparison = self._comparison.result()
        base = comparison.base
        if base.commit is None:
            return _Begun(Base("", base.reason))
        if not comparison.files:
            return _Begun(Base("", f"nothing differs from {base.reason}"))
        top = find_repository_root(self._settings.root)
        read_files = _list_read_files(top, comparison.files)
        if not read_files:
            return _Begun(Base(base.commit, base.reason, is_unchanged=True))
        shared_imports = _find_shared_imports(top, read_files)
        if shared_imports is not None:
            return _Begun(shared_imports=shared_imports)
        return _Begun(self._examine_commit(base.commit, comparison))

    def _examine_commit(self, commit: str, comparison: Comparison, *, is_alone: bool = False) -> Base | None:
        answer = self._find_kept_answer(comparison) if not is_alone else None
        answer = answer or self._run_process(commit, comparison, is_alone=is_alone)
        if answer.must_be_alone:
            return None
        if answer.trouble is not None:
            raise _say_of_base(answer.trouble, comparison)
        return Base(
            commit,
            comparison.base.reason,
            answer.facts,
            answer.failure,
            is_new_project=answer.is_new_project,
            comment_texts=answer.comment_texts,
        )

    def _find_kept_answer(self, comparison: Comparison) -> BaseAnswer | None:
        """What an earlier run has kept, when it is known to serve; None as soon as it is known not to."""
        store = self._store.result()
        if store is None:
            return None
        from migration_gate.change.kept_examination import find_kept_examination  # noqa: PLC0415 - seldom

        judging = self._choose_settings(comparison)
        self._kept = find_kept_examination(store, self._settings, judging, self._python, comparison)
        if self._kept is None or self._kept.found is None:
            return None
        self._is_awaiting_kept = True
        answer = self._await_replay(self._kept) or self._kept.find_answer(self._received)
        with self._lock:
            self._is_awaiting_kept = False
        return answer

    def _await_replay(self, kept: KeptExamination) -> BaseAnswer | None:
        """The kept answer, if an earlier run's facts serve instead of a replay; None when it has run."""
        while not (self._received and isinstance(self._received[-1], SharedReplay | NothingShared)):
            message = self._shared.get()
            if isinstance(message, SharedEarlier):
                answer = kept.find_earlier_answer(message.digest)
                self._serves_earlier.set_result(answer is not None)
                if answer is not None:
                    return answer
            else:
                self._received.append(message)
        return None

    def _receive(self) -> Shared:
        while isinstance(message := self._shared.get(), SharedEarlier):
            continue
        self._received.append(message)
        return message

    def _choose_settings(self, comparison: Comparison) -> Settings:
        """Those with which the base is examined, before they are told where it lies."""
        # The module is loaded before the server starts: what it needs later is not.
        from migration_gate.change.base_policy import choose_policy  # noqa: PLC0415

        return choose_policy(self._settings, comparison, os.environ).settings

    def _run_process(self, commit: str, comparison: Comparison, *, is_alone: bool) -> BaseAnswer:
        if not self._serves_earlier.done():
            self._serves_earlier.set_result(False)
        settings = self._choose_settings(comparison)
        kept = None if is_alone else self._kept
        answer_end, process_end = os.pipe()
        with os.fdopen(answer_end, "rb") as answers:
            try:
                process = self._start(process_end)
            finally:
                os.close(process_end)
            if process is None or process.stdin is None:
                return BaseAnswer(failure="The run was ended.")
            request = BaseRequest(
                settings,
                self._python,
                commit,
                tuple(sorted(comparison.changed_paths())),
                tuple(sorted(comparison.edited_paths())),
                is_alone,
                kept is not None and kept.store.writes,
                process_end,
            )
            with contextlib.suppress(BrokenPipeError):  # it has ended, or needs nothing more
                self._send_messages(process.stdin, request)
            data = answers.read()
            process.wait()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        if process.returncode or not data:  # what came of the answer is no answer
            return BaseAnswer(trouble=Broken(f"The process for it {describe_exit(process.returncode)}."))
        answer = pickle.loads(data)  # noqa: S301 - from the process that was started here
        assert isinstance(answer, BaseAnswer)  # noqa: S101 - tells mypy
        if kept is not None:
            kept.keep(self._received, answer, data)
        return answer

    def _send_messages(self, stream: IO[bytes], request: BaseRequest) -> None:
        pickle.dump(request, stream)
        stream.flush()
        received = iter(() if request.is_alone else tuple(self._received))
        while True:
            message = next(received, None) or self._receive()
            if isinstance(message, SharedDatabase) and self._copy_database is not None:
                self._copy_database()
            pickle.dump(message, stream)
            stream.flush()
            if isinstance(message, SharedReplay | NothingShared):
                return

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


def _say_of_base(trouble: GateError, comparison: Comparison) -> GateError:
    """The same error, told of the base: nothing is judged without it, since old findings would block."""
    base = comparison.base
    advice = trouble.advice or ENDED_FROM_OUTSIDE
    if isinstance(trouble, TimedOut):
        advice = f"{advice} {WITHOUT_BASE}"
    return type(trouble)(
        f"The base of the change ({base.reason}, commit {str(base.commit)[:COMMIT_LENGTH]}) could not be "
        f"examined. {trouble.message}",
        advice=advice,
        where=trouble.where,
        evidence=trouble.evidence,
    )


def _list_read_files(top: Path, files: Sequence[FileChange]) -> Sequence[FileChange]:
    """The files that matter for a replay or a check: all, if a revision reads one that seldom does."""
    unread = [file.path for file in files if _is_unread(file)]
    if unread and use_data_files(top, list_tracked_files(top).paths, unread):
        return files
    return [file for file in files if not _is_unread(file)]


def _is_unread(file: FileChange) -> bool:
    return PurePosixPath(file.path).suffix in UNREAD_SUFFIXES


def _find_shared_imports(top: Path, files: Sequence[FileChange]) -> frozenset[str] | None:
    """The modules that these and env.py import; None if they are not all new revisions like that."""
    if not all(file.status == "A" and _is_revision(top / file.path) for file in files):
        return None
    new_paths = [file.path for file in files]
    return find_shared_imports(top, [*list_tracked_files(top).paths, *new_paths], new_paths)


def _is_revision(path: Path) -> bool:
    try:
        return path.suffix == ".py" and REVISION_MARK in path.read_bytes()
    except OSError:
        return False
