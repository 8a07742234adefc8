"""A tracked `.sql` file lies beside the migrations.

Nothing says when it ran, on which database, or whether it ran at all: a schema that it changed is one that
no revision can rebuild, and the models and the database part ways unseen.

Instead, move what changes the schema into a revision (`op.execute` takes any statement), and name the files
that are meant to stay, queries for example, in `raw_sql.allow`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from migration_gate.check import Finding, Severity
from migration_gate.facts import Facts, Place, SqlFile

SEVERITY = Severity.ERROR


def check(facts: Facts) -> Iterator[Finding]:
    """Every tracked .sql file that no `raw_sql.allow` pattern covers."""
    blamed = [file for file in facts.tree.sql if file.allowed_by is None]
    crowd = Counter(_folder(file.path) for file in blamed)
    for file in blamed:
        yield Finding(
            at=file.path,
            says=_says(file),
            place=Place(file.path, file.line if file.first else None),
            evidence=tuple(_evidence(file)),
            fix=_fix(file, _pattern(file, facts.tree.prefix, crowd[_folder(file.path)])),
            kind=file.holds[0] if file.holds else None,
            severity=Severity.WARNING if file.executed_by else None,
        )


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _says(file: SqlFile) -> str:
    if file.unreadable:
        return f"`{file.path}` is a tracked .sql file that could not be read: {file.unreadable}"
    if file.executed_by:
        return (
            f"`{file.path}` is read by the revision `{file.executed_by}`; a later edit of it rewrites history"
        )
    if file.first is None:
        return f"`{file.path}` is a tracked .sql file without a statement that changes or reads anything"
    if file.holds[0] != "schema":
        return f"`{file.path}` holds {_and(file.holds)}, and no migration executes it (line {file.line})"
    head = re.split(r"\s*\(|\s+AS\s", file.first, maxsplit=1, flags=re.IGNORECASE)[0]
    head = head if len(head) <= 70 else head[:69].rstrip() + "…"
    return f"`{file.path}` changes the schema outside the migrations ({head}, line {file.line})"


def _and(holds: tuple[str, ...]) -> str:
    words = {"schema": "schema changes", "data": "data changes", "query": "queries"}
    return " and ".join(words[kind] for kind in holds)


def _evidence(file: SqlFile) -> Iterator[tuple[str, str]]:
    if file.first:
        yield "statement", file.first
    if file.holds:
        yield "holds", ", ".join(file.holds)
    if file.tables:
        more = f" and {len(file.tables) - 8} more" if len(file.tables) > 8 else ""
        yield "changes", ", ".join(file.tables[:8]) + more


def _pattern(file: SqlFile, prefix: str, neighbours: int) -> str:
    """The narrowest sensible pattern: the file, or its folder's .sql files where several lie there."""
    path = file.path.removeprefix(f"{prefix}/") if prefix else file.path
    folder, _, _name = path.rpartition("/")
    escaped = re.sub(r"([\\*?\[\]])", r"\\\1", folder if neighbours > 1 else path)
    if neighbours > 1:
        return f"{escaped}/*.sql" if folder else "/*.sql"
    return escaped if folder else "/" + escaped.removeprefix("/")


def _fix(file: SqlFile, pattern: str) -> str:
    if file.executed_by:
        first = "Copy its statements into the revision, so that the revision is whole on its own."
    elif "schema" in file.holds:
        first = "Write a revision that executes these statements, and delete the file."
    elif file.unreadable:
        first = "Save it as UTF-8 text, or delete it."
    else:
        first = "Move what the database needs into a revision, or the query into the code that uses it."
    return (
        f"{first} If it is meant to stay, allow it:\n\n    raw_sql:\n      allow:\n        - {_yaml(pattern)}"
    )


def _yaml(pattern: str) -> str:
    quoted = pattern.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{quoted}"'
