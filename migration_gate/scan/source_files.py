"""Which tracked files are read for schema changes (Python, shell, workflow and compose files), and how."""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from pathlib import PurePosixPath

from migration_gate.facts import SchemaChangeKind
from migration_gate.lazy_dataclass import dataclass
from migration_gate.scan.code_change import CodeChange
from migration_gate.scan.python_ddl import find_python_changes
from migration_gate.scan.shell_ddl import find_psql_statements


class SourceKind(StrEnum):
    """How a file is read."""

    PYTHON = "python"
    SHELL = "shell"
    WORKFLOW = "workflow"


@dataclass(frozen=True, slots=True)
class SourceChanges:
    """What one file says about schema changes."""

    changes: tuple[CodeChange, ...] = ()
    unchecked: str = ""
    """why the file could not be checked"""


_NOT_APPLICATION = re.compile(
    r"(?:^|/)(?:tests?|testing|[\w-]*_tests?|tests?[_-][\w-]*|unit_?tests|fixtures?|docs?|examples?|samples?|benchmarks?"
    r"|demos?|tutorials?|cookbooks?|node_modules|vendor|third_party|site-packages|\.venv|venv)/"
    r"|(?:^|/)(?:test_[^/]*|[^/]*_tests?|conftest|tests?|testing|[^/]*_testing|test(?:ing)?_?(?:utils?|helpers?|support))\.\w+$",
    re.IGNORECASE,
)
"""paths of tests, documentation, examples and installed packages"""
_SHELL_NAME = re.compile(
    r"\.(?:sh|bash|zsh|ksh|mk)$|^(?:GNU)?Makefile|^Dockerfile|\.Dockerfile$|^Containerfile|^Procfile|^justfile$|^[\w-]+$",
    re.IGNORECASE,
)
_WORKFLOW_NAME = re.compile(
    r"^(?:\.gitlab-ci|docker-compose|compose|bitbucket-pipelines|azure-pipelines|appveyor|\.travis|Taskfile"
    r"|cloudbuild|buildspec|render|fly|helmfile|values)[\w.-]*\.ya?ml$",
    re.IGNORECASE,
)
_WORKFLOW_FOLDERS = (".github/", ".circleci/", ".woodpecker/", ".gitlab/")
_CALLS = (
    *(b"create_all", b"drop_all", b"createtable", b"droptable", b"createindex", b"dropindex"),
    *(b"addconstraint", b"dropconstraint"),
)
_OBJECT = rb"(?:[a-z]+\s+){0,5}?(?:table|index|view|type|domain|sequence|trigger|policy|rule|statistics)\s"
_DDL = tuple(re.compile(verb + rb"\s+" + _OBJECT) for verb in (b"create", b"alter", b"drop"))
"""one expression for each verb: the literal at its beginning makes the search fast"""
_COMMENT_ON = re.compile(rb"comment\s+on\s")
_NAME_WITHOUT_SUFFIX = re.compile(r"[\w-]+")


def find_source_kind(path: str) -> SourceKind | None:
    """How a tracked file is read; None for all that is not read, tests and documentation among it."""
    kind = _find_kind_by_name(path)
    if kind is None or "{{" in path or _NOT_APPLICATION.search(path):
        return None
    return kind


def _find_kind_by_name(path: str) -> SourceKind | None:
    """The kind that the file's name, or its folder, means."""
    name = path.rpartition("/")[2]
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ".py":
        return SourceKind.PYTHON
    if suffix in (".yml", ".yaml"):
        is_workflow = path.startswith(_WORKFLOW_FOLDERS) or "/.github/" in path or _WORKFLOW_NAME.match(name)
        return SourceKind.WORKFLOW if is_workflow else None
    return SourceKind.SHELL if _SHELL_NAME.search(name) else None


def find_schema_changes(path: str, kind: SourceKind, data: bytes) -> SourceChanges:
    """The schema changes in a file of this kind; `path` is relative to the project's folder."""
    if kind is SourceKind.PYTHON:
        return _find_in_python(path, data)
    if b"psql" not in data or (kind is SourceKind.SHELL and not _is_script(path, data)):
        return SourceChanges()
    kind_of_change: SchemaChangeKind = "workflow" if kind is SourceKind.WORKFLOW else "shell"
    statements = find_psql_statements(data.decode("utf-8", "replace"))
    return SourceChanges(
        tuple(CodeChange(item.line, item.text, kind_of_change, item.relations) for item in statements)
    )


def _find_in_python(path: str, data: bytes) -> SourceChanges:
    """The changes in a Python file; it is parsed only if it mentions one."""
    if not _may_change_schema(data):
        return SourceChanges()
    changes = find_python_changes(path, data)
    if changes is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return SourceChanges(unchecked=f"it mentions schema changes, but Python {version} cannot parse it")
    return SourceChanges(tuple(changes))


def _may_change_schema(data: bytes) -> bool:
    """A quick look before parsing: most files mention nothing of the kind."""
    lower = data.lower()
    if any(call in lower for call in _CALLS) or any(ddl.search(lower) for ddl in _DDL):
        return True
    has_comment = b"comment" in lower and _COMMENT_ON.search(lower) is not None
    has_event = b"after_create" in lower or b"before_create" in lower
    return has_event or has_comment or _may_create_table(data)


def _may_create_table(data: bytes) -> bool:
    """Whether the file may call `table.create(bind)` or `table.drop(bind)`."""
    if b"__table__" not in data and b"Table(" not in data:
        return False
    return b".create(" in data or b".drop(" in data


def _is_script(path: str, data: bytes) -> bool:
    """Whether a file without a suffix is a shell script; the others are known by their name."""
    name = path.rpartition("/")[2]
    if not _NAME_WITHOUT_SUFFIX.fullmatch(name) or name.lower().endswith("file"):
        return True
    return data.startswith(b"#!")
