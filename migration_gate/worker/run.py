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

from .answer_stream import Answer, read_order
from .drivers import AfterImport, watch
from .failure import describe
from .placeholders import ASYNC, SYNC, Dialects, fill_environment, fill_settings, installed
from .redirect import Guard


def run(order_descriptor: int, answer_descriptor: int) -> int:
    """Do what the order says; 0 whenever the answer could be finished."""
    answer = Answer(answer_descriptor)
    preload()
    order = read_order(order_descriptor)
    os.environ.update(order["environment"])
    order["home"] = os.getcwd()
    if hasattr(signal, "SIGUSR1"):  # asked for when a limit is reached: where does it hang?
        stderr = os.dup(2)
        faulthandler.register(signal.SIGUSR1, file=stderr, all_threads=False)
        faulthandler.enable(file=stderr, all_threads=False)
    sys.path[:0] = order["sys_path"]
    Session(order, answer).run()
    answer.send("done")
    return 0


def preload() -> None:
    """Import what every replay needs while the server starts; what fails here fails again, and is told."""
    with contextlib.suppress(Exception):
        for name in ("alembic.command", "alembic.runtime.environment", "sqlalchemy.dialects.postgresql"):
            importlib.import_module(name)


class Session:
    """One order, carried out."""

    def __init__(self, order: dict[str, Any], answer: Answer) -> None:
        self.order = order
        self.send = answer.send
        self.stage = "import"
        self.notes: list[str] = []
        self.guard = Guard(order["server"], order["database"], answer.send)
        self.walk: Any = None
        self.recorder: Any = None

    def run(self) -> None:
        """Every stage; the first error ends it and is told."""
        try:
            if not self._hello():
                return
            if self.order["task"] != "probe":
                self._replay()
        except BaseException as error:  # sys.exit of the project's too: told as data
            self._fail(error)

    def _hello(self) -> bool:
        imports = AfterImport()
        sys.meta_path.insert(0, imports)
        watch(self.guard, imports)
        versions = {"python": sys.version.split()[0]}
        try:
            import alembic
            import sqlalchemy
        except ImportError as error:
            self.send("failure", stage="interpreter", error=describe(error), executable=sys.executable)
            return False
        versions.update(alembic=alembic.__version__, sqlalchemy=sqlalchemy.__version__)
        drivers = installed(tuple(dict.fromkeys(SYNC + ASYNC)))
        self.send("hello", versions=versions, drivers=drivers, executable=sys.executable)
        if not drivers and self.order["task"] != "probe":
            missing = describe(ImportError("no PostgreSQL driver is installed"))
            self.send("failure", stage="driver", error=missing, executable=sys.executable)
            return False
        self.guard.install()
        Dialects(self.guard).install(imports)
        fill_environment()
        fill_settings(imports, self.notes)
        return True

    def _stage(self, name: str) -> None:
        self.stage = name
        self.send("stage", name=name)

    def _replay(self) -> None:
        from .load import History, load
        from .record import Recorder
        from .upgrade import Walk

        self._stage("prepare")
        for kind, text in self.order["prepare"]:
            self._prepare(kind, text)
        self._stage("import")
        self.recorder = Recorder(self.order["home"])
        self.recorder.install()
        loaded = load(self.order)
        with loaded.contexts:
            history = History(loaded.script, self.send)
            self.walk = Walk(self.order, loaded.script, self.recorder, self.send, history.tell)

            def run() -> bool:
                self._stage("replay")
                try:
                    self.walk.run(loaded.config)
                except BaseException:
                    if history.tell():
                        raise
                    return False  # no wonder, with revisions that cannot be read
                return history.tell()

            replayed = loaded.wrap(run)
            if replayed is not False and self.order["task"] == "replay":
                self._stage("models")
                self._models()
        self._tell_notes()

    def _models(self) -> None:
        from .models import Models

        if self.walk.contexts:
            Models(self.order, self.guard, self.walk.contexts).tell(self.send)

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
            self.send("note", text=note)

    def _fail(self, error: BaseException) -> None:
        self._tell_notes()
        found: dict[str, Any] = {"stage": self.stage, "error": describe(error, home=self.order["home"])}
        found["revision"] = self.walk.running if self.walk is not None else None
        found["step"] = self.walk.number if self.walk is not None else 0
        first = self._first(found["error"])
        if first is not None:
            found["first"] = first
        if self.recorder is not None:
            found.update(file=self.recorder.file, line=self.recorder.line)
            found["statements"], found["transactions"] = self.recorder.end()
        self.send("failure", **found)

    def _first(self, error: dict[str, Any]) -> Optional[dict[str, Any]]:
        """The error that the last one only follows from: "current transaction is aborted" hides it."""
        errors = self.recorder.errors if self.recorder is not None else []
        if errors and (errors[0]["says"], errors[0]["statement"]) != (error["says"], error["statement"]):
            found: dict[str, Any] = errors[0]
            return found
        return None
