"""The history as the revision files tell it in their text, where nothing is imported and nothing runs."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from migration_gate.facts import History, Location, MissingParent, Revision, RevisionFile
from migration_gate.scan.python_syntax import parse

_CREATES = re.compile(
    rb"\bcreate_table\(\s*[\"'](\w+)|\brename_table\(\s*[\"']\w+[\"'],\s*[\"'](\w+)"
    rb"|\bCREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:\"?\w+\"?\.)?\"?(\w+)",
    re.IGNORECASE,
)
_NEWER = re.compile(rb"^\s*(?:type\s+\w+|(?:class|def|async def)\s+\w+\[|except\*?\s+[\w.]+,)", re.MULTILINE)
"""what a newer Python than ours may mean"""
NAMES = ("revision", "down_revision", "depends_on", "branch_labels")


@dataclass(frozen=True, slots=True)
class RevisionSource:
    """One revision file as it is written."""

    file: RevisionFile
    message: str = ""
    upgrade_line: int | None = None
    """the line of its `upgrade()`"""
    depends_on: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    doubt: str = ""
    """why what it says is not sure"""


@dataclass(frozen=True, slots=True)
class RevisionSources:
    """All revision files of a project."""

    files: tuple[RevisionSource, ...] = ()
    locations: tuple[str, ...] = ()
    doubts: tuple[tuple[str, str], ...] = ()
    """file, and why what it says is not sure"""
    creates: tuple[str, ...] = field(default=())
    """names of the tables that are created somewhere"""


def read_revision_files(locations: Sequence[Path], top: Path, *, recursive: bool = False) -> RevisionSources:
    """The revision files of these folders, by path from `top`."""
    found = [
        written
        for place in locations
        for file in _files(place, recursive=recursive)
        if (written := _written(file, _shown(file, top))) is not None
    ]
    doubts = tuple((each.file.path, each.doubt) for each in found if each.doubt)
    creates = dict.fromkeys(name for each in found for name in each.file.created_tables)
    return RevisionSources(
        tuple(found), tuple(_shown(place, top) for place in locations), doubts, tuple(creates)
    )


def read_revision_files_below(
    locations: Sequence[Path], scripts: Path, top: Path
) -> tuple[RevisionSource, ...]:
    """Each revision file in or below these folders and that of env.py, by path from `top`.

    Files that cannot be parsed are told of in `locations` alone: elsewhere they may be anything.
    """
    files = dict.fromkeys(file for folder in (*locations, scripts) for file in _files(folder, recursive=True))
    found = (_written(file, _shown(file, top)) for file in files if file.name != "env.py")
    inside = {_shown(folder, top) for folder in locations}
    return tuple(
        each
        for each in found
        if each is not None and (each.file.revision or os.path.dirname(each.file.path) in inside)  # noqa: PTH120
    )


def build_history(texts: RevisionSources, target: tuple[str, ...]) -> History:
    """The graph. As with Alembic, a broken one has files, and no revisions."""
    known = [each for each in texts.files if each.file.revision]
    ids = [str(each.file.revision) for each in known]
    complete = {each.file.path: _resolved(each, ids) for each in known}
    missing = [
        MissingParent(i, p)
        for i, each in zip(ids, complete.values(), strict=True)
        for p in each
        if p not in ids
    ]
    told = History(
        files=tuple(replace(e.file, parents=complete.get(e.file.path, ())) for e in texts.files),
        locations=texts.locations,
        target=target,
        missing_parents=tuple(missing),
    )
    unread = any(each.file.error or each.doubt for each in texts.files)
    if missing or unread or len(set(ids)) < len(ids) or _circular(ids, complete.values()):
        return told
    parents = {each for own in complete.values() for each in own}
    labels = _labels(known, complete)
    revisions = tuple(
        Revision(
            i,
            complete[e.file.path],
            e.message,
            Location(e.file.path, e.upgrade_line),
            e.depends_on,
            labels[i],
        )
        for i, e in zip(ids, known, strict=True)
    )
    return replace(
        told,
        revisions=revisions,
        heads=tuple(i for i in ids if i not in parents),
        bases=tuple(r.id for r in revisions if not r.parents),
    )


def _files(folder: Path, *, recursive: bool) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f != "__pycache__" and f[0] != ".") if recursive else []
        yield from (
            Path(place) / name for name in sorted(names) if re.fullmatch(r"(?!\.#|__init__).*\.py", name)
        )


def _shown(path: Path, top: Path) -> str:
    real = Path(os.path.realpath(path))
    return real.relative_to(top).as_posix() if real.is_relative_to(top) else str(path)


def _written(file: Path, shown: str) -> RevisionSource | None:
    """None for a file that is no revision."""
    try:
        text = file.read_bytes()
        tree, left_out = ast.parse(text, shown), False
    except OSError as error:
        return RevisionSource(RevisionFile(shown, None, error=error.strerror or str(error)))
    except (SyntaxError, ValueError) as error:
        newer = parse(text, shown) if "f-string" in str(error) or _NEWER.search(text) else None
        if newer is None:
            says = getattr(error, "msg", None) or str(error)
            return RevisionSource(RevisionFile(shown, None, error=says, line=getattr(error, "lineno", None)))
        tree, left_out = newer, True
    names = {name: (value, node.lineno) for node in tree.body for name, value in _assigned(node)}
    if "revision" not in names:
        return None
    values, doubts = {}, []
    for name in NAMES:
        values[name] = _strings(names[name][0]) if name in names else ()
        if values[name] is None:
            doubts.append(f"its `{name}` is not written as text")
    creates = {name.decode() for found in _CREATES.findall(text) for name in found if name}
    identifier = next(iter(values["revision"] or ()), None)
    told = RevisionFile(
        shown,
        identifier,
        values["down_revision"] or (),
        line=names["revision"][1],
        created_tables=tuple(sorted(creates)),
    )
    upgrade = next(
        (n.lineno for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "upgrade"), None
    )
    message = (ast.get_docstring(tree) or "").split("\n\n")[0].strip() if not left_out else ""
    return RevisionSource(
        told, message, upgrade, values["depends_on"] or (), values["branch_labels"] or (), "; ".join(doubts)
    )


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign)
        else []
    )
    value = getattr(node, "value", None)
    for target in targets:
        if isinstance(target, ast.Name) and target.id in NAMES and value is not None:
            yield target.id, value


def _strings(value: ast.expr) -> tuple[str, ...] | None:
    """One text or several; None where it is neither."""
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError):
        return None
    if literal is None:
        return ()
    several = (literal,) if isinstance(literal, str) else literal
    fits = isinstance(several, tuple | list | set) and all(isinstance(each, str) for each in several)
    return tuple(several) if fits else None


def _resolved(written: RevisionSource, ids: Sequence[str]) -> tuple[str, ...]:
    """The parents by their whole ids: Alembic takes the beginning of one as well."""
    return tuple(
        parent
        if parent in ids
        else next((i for i in ids if len(parent) > 3 and i.startswith(parent)), parent)
        for parent in written.file.parents
    )


def _circular(ids: Sequence[str], parents: Iterable[tuple[str, ...]]) -> bool:
    left = dict(zip(ids, map(set, parents), strict=True))
    while left:
        done = {one for one, above in left.items() if not above & left.keys()}
        if not done:
            return True
        left = {one: above for one, above in left.items() if one not in done}
    return False


def _labels(
    known: Sequence[RevisionSource], parents: dict[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Labels as Alembic hands them on: to all descendants, and back to where the branch began."""
    above = {str(each.file.revision): parents[each.file.path] for each in known}
    below: dict[str, list[str]] = {one: [] for one in above}
    for one, own in above.items():
        for parent in own:
            below[parent].append(one)
    labels: dict[str, set[str]] = {one: set() for one in above}
    for each in known:
        start = str(each.file.revision)
        waiting = [start] if each.branch_labels else []
        while waiting:
            one = waiting.pop()
            labels[one] |= set(each.branch_labels)
            waiting += [child for child in below[one] if not set(each.branch_labels) <= labels[child]]
        while each.branch_labels and len(above[start]) == 1 and len(below[above[start][0]]) == 1:
            start = above[start][0]
            labels[start] |= set(each.branch_labels)
    return {one: tuple(sorted(own)) for one, own in labels.items()}
