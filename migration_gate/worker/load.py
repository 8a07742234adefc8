"""Finds the project's Alembic configuration in its own interpreter, and reads the revision graph."""

from __future__ import annotations

import os
import re
import runpy
import sys
from contextlib import ExitStack
from typing import Any, Callable, Optional

from .answer_stream import AnswerStream
from .error_report import describe_error
from .protocol import ConfigSource, HistoryRead, Order, RevisionScript, ScriptsFound

TEMPLATE_ARGUMENTS = ["upgrade", "heads"]


class Loaded:
    """The configuration, and how the project wants to be run."""

    def __init__(self) -> None:
        self.config: Any = None
        self.script: Any = None
        self.wrap: Callable[[Callable[[], Any]], Any] = lambda function: function()
        self.contexts = ExitStack()


def load(order: Order) -> Loaded:
    """The project's Config and ScriptDirectory, by the way that the order names."""
    found = Loaded()
    wanted = order.config
    if wanted.kind == "hook":
        _from_hook(found, wanted.hook or "")
    elif wanted.kind == "flask":
        _from_flask(found, wanted, order.x_arguments)
    else:
        found.config = _from_file(wanted, order.x_arguments)
    _fill(found.config, order.x_arguments)
    from alembic.script import ScriptDirectory

    found.script = ScriptDirectory.from_config(found.config)
    return found


def _options(file: Optional[str], x: tuple[str, ...]) -> Any:
    """What `alembic upgrade heads` would have parsed: env.py may look at it."""
    import argparse

    from alembic.config import CommandLine

    arguments = ["-c", file] if file else []
    for each in x:
        arguments += ["-x", each]
    try:
        return CommandLine().parser.parse_args(arguments + TEMPLATE_ARGUMENTS)
    except SystemExit:
        return argparse.Namespace(x=list(x) or None, config=file)


def _from_file(wanted: ConfigSource, x: tuple[str, ...]) -> Any:
    from alembic.config import Config

    options = _options(wanted.file if wanted.kind == "ini" else None, x)
    if wanted.kind == "toml":
        beside = os.path.join(os.path.dirname(wanted.file or ""), "alembic.ini")
        ini = beside if os.path.isfile(beside) else None
        return Config(ini, toml_file=wanted.file, ini_section=wanted.section, cmd_opts=options)
    config = Config(wanted.file, ini_section=wanted.section, cmd_opts=options)
    if wanted.script_location:  # what the file says does not lead there from where we run
        config.set_main_option("script_location", wanted.script_location.replace("%", "%%"))
    return config


def _from_hook(found: Loaded, file: str) -> None:
    """Run the user's file; it leaves `cfg`, perhaps `ctx` (a context to be in) and `wrap` (who runs us)."""
    sys.path.insert(0, os.path.dirname(file))
    left = runpy.run_path(file, run_name="migration_gate_hook")
    found.config = left.get("cfg")
    if found.config is None:
        raise LookupError(
            "the hook %s left no `cfg`: it has to build an alembic.config.Config of that name" % file
        )
    if left.get("wrap") is not None:
        found.wrap = left["wrap"]
    if left.get("ctx") is not None:
        found.contexts.enter_context(left["ctx"])


def _from_flask(found: Loaded, wanted: ConfigSource, x: tuple[str, ...]) -> None:
    os.environ["FLASK_APP"] = wanted.flask_app or ""
    from flask.cli import ScriptInfo  # type: ignore[import-not-found]

    app = ScriptInfo(app_import_path=wanted.flask_app or "").load_app()
    found.contexts.enter_context(app.app_context())
    extension = app.extensions.get("migrate")
    if extension is None:
        raise LookupError("the Flask application has no Flask-Migrate: Migrate(app, db) was not called")
    folder = wanted.file or extension.directory
    try:
        found.config = extension.migrate.get_config(folder, x_arg=list(x))
    except TypeError:  # Flask-Migrate before 2.0
        found.config = extension.migrate.get_config(folder)


def _fill(config: Any, x: tuple[str, ...]) -> None:
    """What `alembic` itself would have set, where the project's own code did not."""
    if config.cmd_opts is None:
        config.cmd_opts = _options(config.config_file_name, x)
    prepend = config.get_main_option("prepend_sys_path")
    if prepend:
        folders = [part.strip() for part in re.split(r"[%s\n]|,\s*" % re.escape(os.pathsep), prepend)]
        sys.path[:0] = [os.path.abspath(folder) for folder in folders if folder]
    if not config.get_main_option("sqlalchemy.url"):
        config.set_main_option("sqlalchemy.url", "postgresql://gate:gate@localhost:5432/gate")


def read_revisions(script: Any) -> tuple[RevisionScript, ...]:
    """Every revision that Alembic sees, newest first."""
    return tuple(
        RevisionScript(
            id=revision.revision,
            parents=tuple(revision._versioned_down_revisions),
            depends_on=tuple(revision._resolved_dependencies or ()),
            labels=tuple(sorted(revision.branch_labels)),
            message=(revision.doc or "").strip(),
            file=os.path.realpath(revision.path),
            line=_upgrade_line(revision.module),
        )
        for revision in script.walk_revisions()
    )


def _upgrade_line(module: Any) -> int:
    """The line of a revision's `upgrade()`, 1 where there is none."""
    code = getattr(getattr(module, "upgrade", None), "__code__", None)
    return getattr(code, "co_firstlineno", 1)


class ScriptHistory:
    """The revisions, read when Alembic would import their modules.

    That is after env.py was imported: a module that is imported by a revision first may not be importable
    later (circular imports that only work in the project's own order).
    """

    def __init__(self, script: Any, answer: AnswerStream) -> None:
        self._script = script
        self._answer = answer
        self._readable: Optional[bool] = None
        locations = script._version_locations
        folders = locations() if callable(locations) else locations
        real_folders = tuple(os.path.realpath(folder) for folder in folders)
        answer.send(ScriptsFound(real_folders, os.path.realpath(script.dir)))

    def report_once(self) -> bool:
        """Read the graph and send it, at the first call; whether it could be read."""
        if self._readable is None:
            self._readable = False  # reading it may run env.py's code, which asks again
            line = self._read()
            self._readable = line.error is None
            self._answer.send(line)
        return self._readable

    def _read(self) -> HistoryRead:
        revisions: tuple[RevisionScript, ...] = ()
        try:
            revisions = read_revisions(self._script)
            heads, bases = tuple(self._script.get_heads()), tuple(self._script.get_bases())
        except Exception as error:  # a broken history is a finding, not a crash
            return HistoryRead(revisions, (), (), describe_error(error, home=os.getcwd()))
        return HistoryRead(revisions, heads, bases)
