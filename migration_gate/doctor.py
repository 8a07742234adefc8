"""Says what the gate found and what is missing, and runs nothing of the project."""

from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from migration_gate import explain
from migration_gate.config import loading
from migration_gate.config.settings import Settings
from migration_gate.errors import GateError, ProjectNotFound
from migration_gate.project import alembic_config, environment_variables, import_path, interpreter, locate
from migration_gate.project.interpreter import Interpreter
from migration_gate.project.locate import AlembicEnvironment

T = TypeVar("T")
Lines = dict[str, str | list[str]]
"""a label and its text, or several"""
REDIRECTED = "whatever it says, every connection is led to the ephemeral server"


@dataclass
class Examination:
    """What was found for one project, by section, and what is missing."""

    name: str
    sections: dict[str, Lines] = field(default_factory=dict)
    missing: list[dict[str, str]] = field(default_factory=list)

    def call_or_note_missing(self, call: Callable[[], T]) -> T | None:
        """The result of a call, or None and one more thing missing."""
        try:
            return call()
        except GateError as error:
            self.note_missing(error.message, error.advice, error.where)
            return None

    def note_missing(self, says: str, advice: str, where: str = "") -> None:
        """Note something that is missing, and the setting that helps."""
        self.missing.append({"says": says, "advice": advice, "where": where})


def diagnose(path: Path, options: Mapping[str, object], form: str) -> tuple[str, int]:
    """The report on every project of PATH, as text or JSON, and the exit status: 2 when something lacks."""
    environ = dict(os.environ)
    found = [
        examine_project(settings, environ)
        for settings in loading.load(path, options, environ, known_checks=explain.known_kinds())
    ]
    status = 2 if any(each.missing for each in found) else 0
    if form == "json":
        projects = [{"name": each.name, **each.sections, "missing": each.missing} for each in found]
        return json.dumps({"version": 1, "projects": projects}, indent=2), status
    return "\n\n".join(render_text(each) for each in found), status


def examine_project(settings: Settings, environ: Mapping[str, str]) -> Examination:
    """Look at one project: files are read, and at most an interpreter is asked what is installed."""
    seen = Examination(settings.name)
    top = locate.find_repository_root(settings.root)
    located = seen.call_or_note_missing(lambda: locate.locate_environment(settings, environ))
    directory = located.directory if located else settings.working_directory
    pending = seen.call_or_note_missing(lambda: _pending(settings, environ)) if located else None
    chosen = None
    if not pending:
        chosen = seen.call_or_note_missing(
            lambda: interpreter.choose_interpreter(settings.python, directory, top, environ)
        )
    if located:
        path = import_path.build_import_path(
            located.directory, located.prepend_sys_path, located.entry_file, top
        )
        seen.sections["project"] = _project(located, path)
        seen.sections["database url"] = _url(seen, located, path, settings, environ)
    if chosen or pending:
        seen.sections["interpreter"] = pending or (_interpreter(seen, chosen) if chosen else {})
    seen.sections["postgres"] = _postgres(seen, settings)
    seen.sections["configuration"] = {key: f"{value}  ({origin})" for key, value, origin in _values(settings)}
    return seen


def _pending(settings: Settings, environ: Mapping[str, str]) -> Lines:
    """What would be installed; nothing where that is switched off, or an interpreter is at hand."""
    from migration_gate import install  # noqa: PLC0415 - off on most machines that ask

    if not install.wanted(settings, environ):
        return {}
    work = install.job(settings, environ)
    lines: Lines = {
        "python": f"{work.wish.request}, because of {work.wish.why}",
        "installed": f"from {work.title}, when the gate runs",
    }
    for label, names in (("groups", settings.groups), ("extras", settings.extras)):
        if names:
            lines[label] = ", ".join(names)
    return lines


def _project(located: AlembicEnvironment, path: tuple[str, ...]) -> Lines:
    lines: Lines = {"found": located.kind}
    for label, value in (
        ("config", located.config),
        ("section", located.section if located.section != "alembic" else None),
        ("flask_app", located.flask_app),
        ("scripts", located.entry_file.parent if located.entry_file else None),
        ("runs in", located.directory),
    ):
        if value is not None:
            lines[label] = str(value)
    lines["import path"] = list(path)
    if located.notes:
        lines["notes"] = list(located.notes)
    return lines


def _interpreter(seen: Examination, chosen: Interpreter) -> Lines:
    packages = dict(chosen.packages)
    drivers = [f"{name} {packages[name]}" for name in interpreter.DRIVERS if name in packages]
    if not drivers:
        seen.note_missing(
            f"`{chosen.python}` has no PostgreSQL driver.",
            f"Install one there: `{chosen.python} -m pip install psycopg2-binary`.",
        )
    lines: Lines = {
        "python": str(chosen.python),
        "chosen": chosen.why,
        "version": ".".join(map(str, chosen.version)) or "unknown",
        "alembic": packages.get("alembic", "missing"),
        "sqlalchemy": packages.get("sqlalchemy", "missing"),
        "drivers": ", ".join(drivers) or "none",
    }
    if chosen.notes:
        lines["notes"] = list(chosen.notes)
    return lines


def _url(
    seen: Examination,
    located: AlembicEnvironment,
    path: tuple[str, ...],
    settings: Settings,
    environ: Mapping[str, str],
) -> Lines:
    """How the project chooses its URL, as far as its files say."""
    lines: Lines = {}
    if located.kind == "ini" and located.config:
        try:
            url = alembic_config.read_alembic_config(located.config, located.section).url
        except ProjectNotFound:
            url = None
        if url:
            lines["in the ini"] = hide_password(url)
    read = environment_variables.find_variables(located.entry_file, path) if located.entry_file else ()
    given = dict(settings.env)
    shown = [each for each in read if each.is_database_setting or each.required]
    lines["variables"] = [
        f"{each.name}  {_place(each.file, settings.root)}:{each.line}"
        f"{', required' if each.required else ''}"
        f"{', set' if each.name in given or each.name in environ else ''}"
        for each in shown
    ] or ["none read by env.py and what it imports"]
    unset = [
        each.name for each in shown if each.required and each.name not in given and each.name not in environ
    ]
    if unset:
        lines["not set"] = [
            f"{', '.join(unset)}: filled with placeholders; if one must hold a real value, set it:",
            "env: {" + ", ".join(f"{name}: …" for name in unset[:3]) + "}",
        ]
    lines["at run time"] = REDIRECTED
    return lines


def hide_password(url: str) -> str:
    """A URL without its password."""
    return re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1:***@", url)


def _place(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def _postgres(seen: Examination, settings: Settings) -> Lines:
    from migration_gate.postgres.choice import choose_server  # noqa: PLC0415 - only this section needs it

    choice = seen.call_or_note_missing(lambda: choose_server(settings.postgres))
    if choice is None:
        return {"wanted": hide_password(settings.postgres), "found": "none"}
    lines: Lines = {
        "wanted": hide_password(settings.postgres),
        "taken": choice.description,
        "why": choice.reason,
    }
    if choice.notes:
        lines["notes"] = list(choice.notes)
    return lines


def _values(settings: Settings) -> list[tuple[str, str, str]]:
    """Every key, its value and its origin; values that may be secrets are hidden."""
    values = loading.values(settings)
    return [(key, values.get(key, ""), origin) for key, origin in settings.origins]


def render_text(seen: Examination) -> str:
    """One project's report, for people, in 80 columns where paths allow it."""
    lines = [seen.name, "=" * len(seen.name)]
    for title, section in seen.sections.items():
        lines += ["", title.capitalize()]
        width = max(map(len, section), default=0) + 2
        for label, value in section.items():
            several = [value] if isinstance(value, str) else value
            for number, each in enumerate(several):
                lines += _wrapped(each, f"  {label if number == 0 else '':<{width}}")
    lines += ["", "Missing" if seen.missing else "Nothing is missing that can be seen without running it."]
    for lack in seen.missing:
        where = f" ({lack['where']})" if lack["where"] else ""
        lines += _wrapped(lack["says"] + where, "  - ")
        for line in lack["advice"].splitlines():
            # Indented lines are configuration to copy.
            lines += [f"    {line}"] if line.startswith(" ") else _wrapped(line, "    ") if line else [""]
    return "\n".join(lines)


def _wrapped(line: str, start: str) -> list[str]:
    """Start and line in 80 columns, the lines after the first indented as far as the start is long."""
    wrap = textwrap.TextWrapper(80, break_long_words=False, break_on_hyphens=False)
    wrap.initial_indent, wrap.subsequent_indent = start, " " * len(start)
    return wrap.wrap(line) or [start.rstrip()]
