"""`check --static`: what can be told from text alone, for a hook that must answer at once.

No Postgres is started, and nothing of the project is imported or run. What only a replay can tell is named.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from migration_gate import check, explain, git
from migration_gate.config import loading
from migration_gate.config.settings import Settings
from migration_gate.errors import GateError
from migration_gate.facts import Facts, Replay, Snapshot, Table
from migration_gate.project.locate import AlembicEnvironment, locate_environment
from migration_gate.project.search import read_text_file
from migration_gate.report import deliver
from migration_gate.scan import repository, revision_files, revision_history
from migration_gate.verdict import judge
from migration_gate.verdict.outcome import Problem, ProjectReport, Report

CHECKS = ("raw-sql-file", "schema-change-outside-migrations", "broken-history", "several-heads")
"""those whose facts are in the text of files"""
_MODELS = re.compile(
    rb"\b__tablename__\s*(?::\s*\w+\s*)?=\s*[\"'](\w+)[\"']|\bTable\(\s*[\"'](\w+)[\"']\s*,\s*[\w.]*metadata"
    rb"|^class\s+(\w+)\([^)\n]*\btable\s*=\s*True",
    re.MULTILINE | re.IGNORECASE,
)
MAX_MODEL_FILE_BYTES = 1 << 20
"""bytes of a Python file that are looked through for models"""


def run_static_check(path: Path, options: Mapping[str, object], targets: deliver.ReportTargets) -> int:
    """Read every project below `path`, deliver the report, and return the exit status."""
    begun = time.perf_counter()
    every = loading.load_settings(path, options, os.environ, known_checks=explain.known_kinds())
    found = tuple(check_project_text(settings) for settings in every)
    return deliver.deliver_report(deliver.add_version(Report(found, time.perf_counter() - begun)), targets)


def check_project_text(settings: Settings) -> ProjectReport:
    """One project, read and judged by the checks that need no more than text."""
    begun = time.perf_counter()
    known = explain.known_checks()
    chosen = [one for one in known if check.check_name(one) in CHECKS]
    try:
        facts = read_facts(
            settings, [check.check_name(one) for one in known if check.check_name(one) not in CHECKS]
        )
    except GateError as error:
        return ProjectReport(settings.name, problem=Problem.from_error(error), static=True)
    texts = deliver.read_comment_files(facts, settings.root)
    # Who allows what no check looked at here is right to do so: the whole gate judges allowances.
    verdicts = tuple(
        v for v in judge.judge_findings(facts, settings, chosen, texts, date.today()) if v.check in CHECKS
    )
    seconds = time.perf_counter() - begun
    return ProjectReport(settings.name, facts, verdicts, settings.fail_on, seconds=seconds, static=True)


def read_facts(settings: Settings, others: list[str]) -> Facts:
    """The facts that text can tell; `others` are the checks that it cannot serve."""
    top = Path(os.path.realpath(git.find_repository_root(settings.root)))
    notes = [f"read as text only; not checked: {', '.join(others)}"]
    located = locate_environment(settings, os.environ)
    folders, recursive = find_version_folders(located)
    if not folders:
        notes.append("where the revisions are is decided in code: several heads were not looked for")
    texts = revision_files.read_revision_files(folders, top, recursive=recursive)
    notes += [
        f"`{s.file.path}` could not be placed in the history: {s.doubt}" for s in texts.files if s.doubt
    ]
    own = [file.file.path for file in texts.files]
    tree = repository.read_repository(
        settings, [*(str(top / path) for path in own), *_scripts(located, folders)]
    )
    names = dict.fromkeys((*texts.created_tables, *_modelled(settings)))
    replay = Replay(
        history=revision_history.build_history(texts, settings.target),
        catalog=Snapshot(tables=tuple(Table("public", name) for name in names)),
        notes=tuple(notes),
    )
    return Facts(settings.name, replay, tree, settings.owners)


def find_version_folders(located: AlembicEnvironment) -> tuple[tuple[Path, ...], bool]:
    """The folders of the revisions, and whether those inside them count; none where only code knows."""
    if located.kind == "hook" or located.entry_file is None or located.config is None:
        return (), False
    scripts = located.entry_file.parent
    file = located.config / "alembic.ini" if located.config.is_dir() else located.config
    text = read_text_file(file) if file.is_file() else ""
    recursive = re.search(r"^recursive_version_locations\s*=\s*[\"']?(true|yes|on|1)\b", text, re.M | re.I)
    named = re.search(r"^version_locations\s*=\s*(.+(?:\n[ \t]+\S.*)*)", text, re.MULTILINE)
    if named is None:
        return (scripts / "versions",), recursive is not None
    plain = named[1].replace("%(here)s", str(file.parent)).replace("%%", "%")
    parts = [part for part in re.split(r"[\s,;:\[\]\"']+", plain) if part]
    return tuple(located.directory / part for part in parts), recursive is not None


def _scripts(located: AlembicEnvironment, folders: tuple[Path, ...]) -> list[str]:
    """What belongs to the migrations besides the revision files."""
    found = [*folders, *([located.entry_file] if located.entry_file else [])]
    return [str(each) for each in found]


def _modelled(settings: Settings) -> list[str]:
    """The tables that models speak of, as far as their text says."""
    found: list[str] = []
    for path in git.list_tracked_files(settings.root).paths:
        file = settings.root / path
        if not path.endswith(".py") or file.is_symlink():
            continue
        try:
            with file.open("rb") as stream:
                text = stream.read(MAX_MODEL_FILE_BYTES)
        except OSError:
            continue  # the repository's reader says what could not be read
        found += [
            (table or called or model.lower()).decode() for table, called, model in _MODELS.findall(text)
        ]
    return found
