"""Words about a tracked `.sql` file, and the `raw_sql.allow` pattern that would let it stay."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from migration_gate.check import Evidence
from migration_gate.facts import SqlFile
from migration_gate.wording import code_block, count_noun, join_words

_HOLDS = {"schema": "schema changes", "data": "data changes", "query": "queries"}
_SHOWN = 8
"""tables that are listed by name"""


def holds(file: SqlFile) -> str:
    """What it holds, in words: `queries and data changes`."""
    return join_words((_HOLDS[kind] for kind in file.statement_kinds), quote="")


def head(file: SqlFile) -> str:
    """The beginning of its first statement: `CREATE TABLE users`."""
    said = re.split(r"\s*\(|\s+AS\s", file.first_statement or "", maxsplit=1, flags=re.IGNORECASE)[0]
    return said if len(said) <= 70 else said[:69].rstrip() + "…"


def evidence(file: SqlFile) -> tuple[Evidence, ...]:
    """Its first statement, what it holds, and the tables it changes."""
    more = len(file.tables) - _SHOWN
    tables = (*file.tables[:_SHOWN], *([count_noun(more, "other")] if more > 0 else []))
    found = (
        ("statement", file.first_statement),
        ("holds", ", ".join(file.statement_kinds)),
        ("changes", ", ".join(tables)),
    )
    return tuple(Evidence(label, text) for label, text in found if text)


def patterns(files: Iterable[SqlFile], prefix: str) -> dict[str, str]:
    """The narrowest sensible pattern for each path: the file, or `folder/*.sql` where several lie there.

    Patterns count from the project's folder, which is `prefix` inside the repository.
    """
    paths = {file.path: file.path.removeprefix(f"{prefix}/") if prefix else file.path for file in files}
    crowd = Counter(_folder(path) for path in paths.values())
    return {path: _pattern(inside, crowd[_folder(inside)]) for path, inside in paths.items()}


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _pattern(path: str, neighbours: int) -> str:
    folder = _folder(path)
    escaped = re.sub(r"([\\*?\[\]])", r"\\\1", folder if neighbours > 1 else path)
    if neighbours > 1:
        return f"{escaped}/*.sql" if folder else "/*.sql"
    return escaped if folder else f"/{escaped}"


def fix(file: SqlFile, pattern: str) -> str:
    """What to do with the file, and the setting that lets it stay."""
    if file.executed_by:
        first = "Copy its statements into the revision, so that the revision is whole on its own."
    elif "schema" in file.statement_kinds:
        first = "Write a revision that executes these statements, and delete the file."
    elif file.unreadable:
        first = "Save it as UTF-8 text, or delete it."
    else:
        first = "Move what the database needs into a revision, or the query into the code that uses it."
    quoted = pattern.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f"{first} If it is meant to stay, allow it:" + code_block(f'raw_sql:\n  allow:\n    - "{quoted}"')
