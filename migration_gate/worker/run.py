"""The worker in reading order: hello, guard, import, prepare, replay, models, done."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import runpy
import signal
import subprocess
import sys
from typing import Any, Optional

from .answer_stream import AnswerStream, receive_order
from .drivers import AfterImport, watch
from .error_report import describe_error
from .placeholders import ASYNC, SYNC, Dialects, fill_environment, fill_settings, installed
from .protocol import Done, ErrorReport, Note, Order, RunFailed, Stage, StageStarted, WorkerStarted
from .redirect import Guard
from .statement_recorder import StatementRecorder, StepRecord


def run(order_descriptor: int, answer_descriptor: int) -> int:
    """Do what the order says; 0 whenever the answer could be finished."""
    answer = AnswerStream(answer_descriptor)
    preload()
    order = receive_order(order_descriptor)
    os.environ.update(order.environment)
    if hasattr(signal, "SIGUSR1"):  # asked for when a limit is reached: where does it hang?
        stderr = os.dup(2)
        faulthandler.register(signal.SIGUSR1, file=stderr, all_threads=False)
        faulthandler.enable(file=stderr, all_threads=False)
    sys.path[:0] = order.sys_path
    Session(order, answer).run()
    answer.send(Done())
    return 0


def preload() -> None:
    """Import what every replay needs while the server starts; what fails here fails again, and is told."""
    with contextlib.suppress(Exception):
        for name in ("alembic.command", "alembic.runtime.environment", "sqlalchemy.dialects.postgresql"):
            importlib.import_module(name)


class Session:
    """One order, carried out."""

    def __init__(self, order: Order, answer: AnswerStream) -> None:
        self.order = order
        self.answer = answer
        self.home = os.getcwd()
        self.stage: Stage = "import"
        self.notes: list[str] = []
        self.guard = Guard(order.server, order.database, answer)
        self.walk: Any = None
        self.recorder: Optional[StatementRecorder] = None

    def run(self) -> None:
        """Every stage; the first error ends it and is told."""
        try:
            if self._start():
                self._replay()
        except BaseException as error:  # sys.exit of the project's too: told as data
            self._fail(error)

    def _start(self) -> bool:
        imports = AfterImport()
        sys.meta_path.insert(0, imports)
        watch(self.guard, imports)
        try:
            import alembic
            import sqlalchemy
        except ImportError as error:
            self.answer.send(RunFailed("interpreter", describe_error(error)))
            return False
        drivers = tuple(installed(tuple(dict.fromkeys(SYNC + ASYNC))))
        python = sys.version.split()[0]
        self.answer.send(WorkerStarted(python, alembic.__version__, sqlalchemy.__version__, drivers))
        if not drivers:
            missing = describe_error(ImportError("no PostgreSQL driver is installed"))
            self.answer.send(RunFailed("driver", missing))
            return False
        self.guard.install()
        Dialects(self.guard).install(imports)
        fill_environment()
        fill_settings(imports, self.notes)
        return True

    def _begin_stage(self, name: Stage) -> None:
        self.stage = name
        self.answer.send(StageStarted(name))

    def _replay(self) -> None:
        from .load import ScriptHistory, load
        from .upgrade import Walk

        self._begin_stage("prepare")
        for command in self.order.prepare:
            self._prepare(command.kind, command.text)
        self._begin_stage("import")
        self.recorder = StatementRecorder(self.home)
        self.recorder.install()
        loaded = load(self.order)
        with loaded.contexts:
            history = ScriptHistory(loaded.script, self.answer)
            self.walk = Walk(self.order, loaded.script, self.recorder, self.answer, history)

            def run() -> bool:
                self._begin_stage("replay")
                try:
                    self.walk.run(loaded.config)
                except BaseException:
                    if history.report_once():
                        raise
                    return False  # no wonder, with revisions that cannot be read
                return history.report_once()

            replayed = loaded.wrap(run)
            if replayed is not False and self.order.task == "replay":
                self._begin_stage("models")
                self._models()
        self._tell_notes()

    def _models(self) -> None:
        from .models import Models

        if self.walk.contexts:
            Models(self.order, self.guard, self.walk.contexts).report(self.answer)

    def _prepare(self, kind: str, text: str) -> None:
        """A Python file in this interpreter, or a command; both before the project is imported."""
        if kind == "python":
            arguments, sys.argv[:] = sys.argv[:], [text]
            try:
                runpy.run_path(text, run_name="__main__")
            except SystemExit as exit_:
                if exit_.code not in (None, 0):
                    raise
            finally:
                sys.argv[:] = arguments
        else:
            subprocess.run(text, shell=True, check=True)  # noqa: S602  (the user's own command, from the configuration)

    def _tell_notes(self) -> None:
        for note in dict.fromkeys(self.notes):
            self.answer.send(Note(note))

    def _fail(self, error: BaseException) -> None:
        self._tell_notes()
        report = describe_error(error, home=self.home)
        file, line, record = None, None, StepRecord()
        if self.recorder is not None:
            file, line = self.recorder.file, self.recorder.line
            record = self.recorder.end_step()
        failed = RunFailed(
            stage=self.stage,
            error=report,
            revision=self.walk.running if self.walk is not None else None,
            file=os.path.realpath(file) if file is not None else None,
            line=line,
            statements=record.statements,
            first_error=self._first_error(report),
        )
        self.answer.send(failed)

    def _first_error(self, error: ErrorReport) -> Optional[ErrorReport]:
        """The error that the last one only follows from: "current transaction is aborted" hides it."""
        errors = self.recorder.open_errors if self.recorder is not None else []
        if errors and (errors[0].message, errors[0].statement) != (error.message, error.statement):
            return errors[0]
        return None
