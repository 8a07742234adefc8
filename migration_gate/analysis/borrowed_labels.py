"""Labels of an enum that a revision makes without spelling them: it imports the application, which has them.

`sa.Enum(*[kind.name for kind in Kind], name="kind")` and a text that is put together in this way are, to
Postgres and SQLAlchemy, what a person wrote. But the revision's own text lacks the labels.
"""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence

from migration_gate.analysis.step_location import find_statement_location
from migration_gate.facts import EnumType, Location, Replay, RevisionFile, Statement
from migration_gate.lazy_dataclass import dataclass
from migration_gate.python_parser import parse_module, walk_nodes
from migration_gate.sql.lexer import Token, TokenKind, tokenize

_READS_FILES = re.compile(r"\b(open|read_text|load|loads)\(")
_MAKES_LABELS = re.compile(r"\s*(CREATE\s+TYPE\b.*\bAS\s+ENUM|ALTER\s+TYPE\b.*\bADD\s+VALUE)\b", re.I | re.S)


@dataclass(frozen=True, slots=True)
class BorrowedLabels:
    """An enum whose labels one statement of a revision takes from the application."""

    revision: str
    enum: EnumType
    """of the models"""
    location: Location | None
    statement: str
    modules: tuple[str, ...]
    """of the application, which the revision imports"""


def find_borrowed_labels(replay: Replay) -> Iterator[BorrowedLabels]:
    """Each such statement whose labels are those that the models have today.

    Nothing of a revision that has them from elsewhere, or may: from a file, or from what lies beside it.
    """
    files = {file.revision: file for file in replay.history.files if file.is_loaded and not file.error}
    for step in replay.steps:
        statements = [statement for statement in step.list_run() if _MAKES_LABELS.match(statement.sql)]
        file = files.get(step.revision) if statements else None
        if file is None or _READS_FILES.search(file.text):
            continue
        nodes = _parse(file.text)
        modules = _list_application_modules(replay, file, nodes)
        spelt = "\n".join(_list_words(nodes)) if modules else ""
        for statement in statements if modules else ():
            enum = _find_enum(replay, statement)
            labels = _read_labels(statement)
            if enum is not None and labels and not any(_is_spelt(label, spelt) for label in labels):
                location = find_statement_location(replay, step, statement)
                yield BorrowedLabels(step.revision, enum, location, statement.sql, modules)


def _parse(text: str) -> list[ast.AST]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return list(walk_nodes(parse_module(text)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return []


def _list_application_modules(
    replay: Replay, file: RevisionFile, nodes: Sequence[ast.AST]
) -> tuple[str, ...]:
    """The modules of the application that the file imports; none if it imports some beside the revisions."""
    migrations = posixpath.dirname(posixpath.dirname(file.path))
    imported = [name for node in nodes for name in _list_names(node)]
    modules = [module for module in replay.models.imported_modules if module.name in imported]
    is_beside = bool(migrations) and any(module.file.startswith(f"{migrations}/") for module in modules)
    if is_beside or "" in imported:
        return ()
    names = sorted(module.name for module in modules)
    return tuple(name for name in names if not any(other.startswith(f"{name}.") for other in names))


def _list_names(node: ast.AST) -> Iterator[str]:
    """The modules that a statement imports; '' for one that is relative to the revision."""
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        case ast.ImportFrom():
            yield ""


def _list_words(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The strings and the names of a text: members of an enum of its own are names."""
    for node in nodes:
        match node:
            case ast.Constant(value=str(text)) | ast.Name(id=text) | ast.Attribute(attr=text):
                yield text


def _is_spelt(label: str, spelt: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(label)}(?!\w)", spelt) is not None


def _read_labels(statement: Statement) -> list[str]:
    """The strings behind ENUM or VALUE."""
    tokens = list(tokenize(statement.sql))
    start = next((n for n, token in enumerate(tokens) if token.keyword in ("ENUM", "VALUE")), len(tokens))
    strings = [token.text for token in tokens[start:] if token.kind is TokenKind.STRING]
    labels = [text[1:-1].replace("''", "'") for text in strings if text.startswith("'")]
    return labels[:1] if tokens and tokens[0].keyword == "ALTER" else labels


def _find_enum(replay: Replay, statement: Statement) -> EnumType | None:
    """The models' enum that the statement makes as it is today, or gives a label that it has today."""
    models = replay.models.snapshot
    name = _read_name(list(tokenize(statement.sql)))
    labels = _read_labels(statement)
    for enum in models.enums if models is not None else ():
        is_named = enum.name == name[-1] and (len(name) == 1 or enum.schema == name[0])
        if is_named and (set(labels) == set(enum.labels) or (len(labels) == 1 and labels[0] in enum.labels)):
            return enum
    return None


def _read_name(tokens: list[Token]) -> tuple[str, ...]:
    """Schema and name, or the name alone, of the type that `CREATE TYPE` or `ALTER TYPE` is about."""
    if len(tokens) > 4 and tokens[3].text == ".":
        return tokens[2].name, tokens[4].name
    return (tokens[2].name,) if len(tokens) > 2 else ("",)
