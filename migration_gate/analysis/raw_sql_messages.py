"""Texts about a tracked `.sql` file, and the `raw_sql.allow` pattern that would allow it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from migration_gate.check import Evidence
from migration_gate.facts import SqlFile
from migration_gate.wording import code_block, count_noun, join_words

_CONTENTS = {"schema": "schema changes", "data": "data changes", "query": "queries"}
_LISTED_TABLES = 8
"""tables that are listed by name"""
_HEAD_LENGTH = 70
"""characters of a statement that a message shows"""


def describe_contents(file: SqlFile) -> str:
    """What kinds of statements the file holds: `schema changes and queries`."""
    return join_words((_CONTENTS[kind] for kind in file.statement_kinds), quote="")


def shorten_first_statement(file: SqlFile) -> str:
    """The beginning of its first statement: `CREATE TABLE users`."""
    head = re.split(r"\s*\(|\s+AS\s", file.first_statement or "", maxsplit=1, flags=re.IGNORECASE)[0]
    return head if len(head) <= _HEAD_LENGTH else f"{head[: _HEAD_LENGTH - 1].rstrip()}…"


def collect_evidence(file: SqlFile) -> tuple[Evidence, ...]:
    """Its first statement, what it holds, and the tables it changes."""
    tables = list(file.tables[:_LISTED_TABLES])
    if len(file.tables) > _LISTED_TABLES:
        tables.append(count_noun(len(file.tables) - _LISTED_TABLES, "other"))
    evidence = (
        Evidence("statement", file.first_statement or ""),
        Evidence("holds", ", ".join(file.statement_kinds)),
        Evidence("changes", ", ".join(tables)),
    )
    return tuple(piece for piece in evidence if piece.text)


def suggest_patterns(files: Iterable[SqlFile], prefix: str) -> Mapping[str, str]:
    """For each path the narrowest sensible pattern: the file, or `folder/*.sql` for several such in a folder.

    Patterns count from the project's folder, which is `prefix` inside the repository.
    """
    paths = {file.path: file.path.removeprefix(f"{prefix}/") if prefix else file.path for file in files}
    neighbours = Counter(_pattern_of_folder(path) for path in paths.values())
    return {
        full: _suggest_pattern(path, neighbours[_pattern_of_folder(path)]) for full, path in paths.items()
    }


def _suggest_pattern(path: str, neighbours: int) -> str:
    folder = _folder_of(path)
    pattern = _escape_pattern(path)
    if neighbours > 1:
        pattern = _pattern_of_folder(path)
    # A pattern without a folder would match in every folder.
    return pattern if folder or neighbours > 1 else f"/{pattern}"


def _pattern_of_folder(path: str) -> str:
    """Every file of the same kind in the folder: `reports/*.sql`."""
    name = path.rpartition("/")[2]
    suffix = re.search(r"(?:\.(?:sql|psql|ddl))?\.\w+$", name)
    return f"{_escape_pattern(_folder_of(path))}/*{suffix[0] if suffix else ''}"


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _escape_pattern(path: str) -> str:
    return re.sub(r"([\\*?\[\]])", r"\\\1", path)


def describe_fix(file: SqlFile, pattern: str) -> str:
    """What to do with the file, and the setting that allows it."""
    quoted = pattern.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    setting = f'raw_sql:\n  allow:\n    - "{quoted}"'
    return f"{_describe_replacement(file)} If it is meant to stay, allow it:{code_block(setting)}"


def _describe_replacement(file: SqlFile) -> str:
    if file.executed_by:
        return "Copy its statements into the revision, so that the revision is whole on its own."
    if "schema" in file.statement_kinds:
        return "Write a revision that executes these statements, and delete the file."
    if file.unreadable:
        return "Save it as UTF-8 text, or delete it."
    return "Move what the database needs into a revision, or the query into the code that uses it."
