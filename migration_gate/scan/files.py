"""Which tracked files are read for schema changes, and how: Python, shell, workflow and compose files."""

from __future__ import annotations

import re
import sys
from pathlib import PurePosixPath

from migration_gate.scan.python_ddl import Hit, find_python_changes
from migration_gate.scan.shell_ddl import find_psql_statements

PYTHON, SHELL, WORKFLOW = "python", "shell", "workflow"

_NOT_THE_APPLICATION = re.compile(
    r"(?:^|/)(?:tests?|testing|[\w-]*_tests?|tests?[_-][\w-]*|unit_?tests|fixtures?|docs?|examples?|samples?|benchmarks?"
    r"|demos?|tutorials?|cookbooks?|node_modules|vendor|third_party|site-packages|\.venv|venv)/"
    r"|(?:^|/)(?:test_[^/]*|[^/]*_tests?|conftest|tests?)\.\w+$",
    re.IGNORECASE,
)
_SHELL_NAME = re.compile(
    r"\.(?:sh|bash|zsh|ksh|mk)$|^(?:GNU)?Makefile|^Dockerfile|\.Dockerfile$|^Containerfile|^Procfile|^justfile$|^[\w-]+$",
    re.IGNORECASE,
)
_WORKFLOW_NAME = re.compile(
    r"^(?:\.gitlab-ci|docker-compose|compose|bitbucket-pipelines|azure-pipelines|appveyor|\.travis|Taskfile"
    r"|cloudbuild|buildspec|render|fly|helmfile|values)[\w.-]*\.ya?ml$",
    re.IGNORECASE,
)
_CALLS = (
    *(b"create_all", b"drop_all", b"createtable", b"droptable", b"createindex", b"dropindex"),
    *(b"addconstraint", b"dropconstraint"),
)
_OBJECT = rb"(?:[a-z]+\s+){0,5}?(?:table|index|view|type|domain|sequence|trigger|policy|rule|statistics)\s"
_DDL = tuple(re.compile(verb + rb"\s+" + _OBJECT) for verb in (b"create", b"alter", b"drop"))
"""one expression a verb: the literal at its start makes the search fast"""


def find_source_kind(path: str) -> str | None:
    """How a tracked file is read: python, shell or workflow; None for all others, tests and docs."""
    name = path.rpartition("/")[2]
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".py":
        kind: str | None = PYTHON
    elif suffix in (".yml", ".yaml"):
        inside = (
            path.startswith((".github/", ".circleci/", ".woodpecker/", ".gitlab/")) or "/.github/" in path
        )
        kind = WORKFLOW if inside or _WORKFLOW_NAME.match(name) else None
    else:
        kind = SHELL if _SHELL_NAME.search(name) else None
    return None if kind is None or "{{" in path or _NOT_THE_APPLICATION.search(path) else kind


class Changes:
    """The schema changes found so far; give it one file after the other."""

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self.unchecked: list[tuple[str, str]] = []

    def look(self, file: str, path: str, kind: str, data: bytes) -> None:
        """Read one file; `file` is its name in findings, `path` is counted from the project's folder."""
        if kind != PYTHON:
            if b"psql" in data and (kind == WORKFLOW or _is_script(path, data)):
                for line, statement, tables in find_psql_statements(data.decode("utf-8", "replace")):
                    self.hits.append(Hit(file, line, statement, kind, tables))
        elif _may_change_a_schema(data):
            found = find_python_changes(path, data)
            if found is None:
                why = "it speaks of schema changes, but Python {}.{} cannot parse it"
                self.unchecked.append((file, why.format(*sys.version_info[:2])))
            for hit in found or ():
                self.hits.append(Hit(file, hit.line, hit.statement, hit.how, hit.tables, hit.scopes))


def _may_change_a_schema(data: bytes) -> bool:
    """A quick look before parsing: most files say nothing of the sort."""
    lower = data.lower()
    if any(call in lower for call in _CALLS) or any(ddl.search(lower) for ddl in _DDL):
        return True
    if b"comment" in lower and re.search(rb"comment\s+on\s", lower):
        return True
    return (b".create(" in data or b".drop(" in data) and (b"__table__" in data or b"Table(" in data)


def _is_script(path: str, data: bytes) -> bool:
    """Whether a file without a suffix is a shell script; the others are known by their name."""
    name = path.rpartition("/")[2]
    return not re.fullmatch(r"[\w-]+", name) or name.lower().endswith("file") or data.startswith(b"#!")
