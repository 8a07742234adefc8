"""The worker's lines and the DDL log, as facts."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from migration_gate.facts import (
    AlembicDifference,
    Connection,
    Failure,
    FilteredObject,
    History,
    Location,
    MissingParent,
    ModelLocation,
    Models,
    Revision,
    RevisionFile,
    Snapshot,
    SoftwareVersion,
    Statement,
    Step,
    UncreatedObject,
)
from migration_gate.scan import revision_files
from migration_gate.scan.revision_files import RevisionSource

Line = Mapping[str, Any]


class Reader:
    """Turns lines into facts; paths become relative to `root`."""

    def __init__(self, root: Path, lines: Sequence[Line], catalog: Callable[..., Snapshot]) -> None:
        self._root = root.resolve()
        self._lines = lines
        self._catalog = catalog
        self._files = {row["id"]: row["file"] for row in self._first("history").get("revisions", ())}

    def _first(self, kind: str) -> Line:
        return next(self._all(kind), {})

    def _all(self, kind: str) -> Iterator[Line]:
        return (line for line in self._lines if line["kind"] == kind)

    def path(self, text: str) -> str:
        """Relative to the root where it lies in it."""
        path = Path(text)
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else str(path)

    def written(self) -> tuple[RevisionSource, ...]:
        """The revision files as text; takes a while for a long history."""
        told = self._first("scripts")
        return (
            revision_files.read_revision_files_below(
                [Path(folder) for folder in told.get("locations", ())], Path(told["folder"]), self._root
            )
            if told
            else ()
        )

    def history(self, target: tuple[str, ...], written: Sequence[RevisionSource] | None = None) -> History:
        """The revision graph, in the order of the replay where there is one, and its files."""
        told = self._first("history")
        files = self.written() if written is None else written
        known = [each.file.revision for each in files if each.file.revision]
        broken = bool(told.get("error"))
        seen = {self.path(row["file"]) for row in told.get("revisions", ())}
        order = [revision for line in self._all("order") for revision in line["revisions"]]
        rank = {revision: number for number, revision in enumerate(order)}
        oldest_first = told.get("revisions", ())[::-1]
        rows = sorted(oldest_first, key=lambda row: rank.get(row["id"], len(rank)))
        return History(
            revisions=tuple(self._revision(row) for row in rows),
            heads=tuple(told.get("heads", ())),
            bases=tuple(told.get("bases", ())),
            files=tuple(_seen(each.file, broken or each.file.path in seen) for each in files),
            locations=tuple(self.path(folder) for folder in self._first("scripts").get("locations", ())),
            target=target,
            error=self._failure(told["error"], stage="import") if broken else None,
            missing_parents=tuple(_missing(files, known)) if broken else (),
        )

    def _revision(self, row: Line) -> Revision:
        return Revision(
            row["id"], tuple(row["parents"]), row["message"], Location(self.path(row["file"]), row["line"]),
            tuple(row["depends_on"]), tuple(row["labels"]),
        )  # fmt: skip

    def steps(self) -> tuple[Step, ...]:
        """Every step that was finished."""
        return tuple(self._step(line) for line in self._all("step"))

    def _step(self, line: Line) -> Step:
        return Step(
            number=line["number"],
            revision=line["revision"],
            seconds=line["seconds"],
            statements=tuple(self._statement(row, line["revision"]) for row in line["statements"]),
            transactions=tuple(line["transactions"]),
            in_transaction=line.get("in_transaction", True),
            context=line["context"],
            before=self._snapshot(line.get("before")),
            after=self._snapshot(line.get("after")),
        )

    def _snapshot(self, text: str | None) -> Snapshot | None:
        return None if text is None else self._catalog(text, version_tables=self.version_tables())

    def _statement(self, row: Line, revision: str | None) -> Statement:
        error = self._failure(row["error"], stage="replay", revision=revision) if row.get("error") else None
        return Statement(row["sql"], row["seconds"], row["line"], row.get("rows"), error)

    def failure(self) -> tuple[str, Failure] | None:
        """The stage in which the run ended early, and the error."""
        line = self._first("failure")
        if not line:
            return None
        revision = line.get("revision")
        last = next((row["sql"] for row in reversed(line.get("statements") or ())), None)
        found = self._failure(
            line["error"], stage=line["stage"], revision=revision, line=line.get("line"), last=last
        )
        if line.get("first"):
            where = line["first"].get("line") or self._line_of(revision, line["first"].get("statement"))
            first = self._failure(line["first"], stage=line["stage"], revision=revision, line=where)
            found = dataclasses.replace(found, first_error=first)
        return line["stage"], found

    def _line_of(self, revision: str | None, statement: str | None) -> int | None:
        """Where the statement stands in the revision's file, if it stands there in one place."""
        file = self._files.get(revision or "")
        beginning = (statement or "").strip().partition("\n")[0]
        if not file or not beginning:
            return None
        try:
            text = Path(file).read_text("utf-8", "replace")
        except OSError:
            return None
        return text[: text.index(beginning)].count("\n") + 1 if text.count(beginning) == 1 else None

    def _failure(
        self,
        row: Line,
        *,
        stage: str,
        revision: str | None = None,
        line: int | None = None,
        last: str | None = None,
    ) -> Failure:
        frames = [(self.path(f["file"]), f["line"], f["function"]) for f in row.get("frames", ())]
        file = self._files.get(revision or "")
        place = None
        if file:
            mine = [number for path, number, _ in frames if path == self.path(file)]
            place = Location(self.path(file), mine[-1] if mine else line or row.get("line"))
        elif frames:
            own = [frame for frame in frames if "/site-packages/" not in frame[0]] or frames
            place = Location(own[-1][0], own[-1][1])
        return Failure(
            message=row["says"],
            exception_class=row.get("type", ""),
            sqlstate=row.get("sqlstate"),
            detail=row.get("detail"),
            hint=row.get("hint"),
            statement=row.get("statement") or (last if row.get("sqlstate") else None),
            revision=revision,
            location=place,
            traceback=tuple(f"{path}:{number} in {function}" for path, number, function in frames),
        )

    def connections(self) -> tuple[Connection, ...]:
        """What the project asked for."""
        names = ("dialect", "driver", "wanted", "how", "outcome")
        return tuple(Connection(*(line[name] for name in names)) for line in self._all("connection"))

    def contexts(self) -> tuple[Line, ...]:
        """The contexts of env.py that ran to their end."""
        return tuple(self._all("context_end"))

    def version_tables(self) -> tuple[str, ...]:
        """`schema.name` of each, in the order of the contexts."""
        ended = {line["number"]: line for line in self.contexts()}
        rows = [ended.get(line["number"], line) for line in self._all("context")]
        schemas = [line["version_table_schema"] or line["default_schema"] for line in rows]
        names = [line["version_table"] for line in rows]
        return tuple(dict.fromkeys(f"{schema}.{name}" for schema, name in zip(schemas, names, strict=True)))

    def versions(self) -> tuple[SoftwareVersion, ...]:
        """Of the interpreter and what it imported."""
        told = self._first("hello")
        drivers = [line["driver"] for line in self._all("context")] or told.get("drivers", [])[:1]
        versions = {**told.get("versions", {}), **({"driver": drivers[0]} if drivers else {})}
        return tuple(SoftwareVersion(name, version) for name, version in versions.items())

    def notes(self) -> tuple[str, ...]:
        """What the worker wants a reader to know."""
        return tuple(line["text"] for line in self._all("note"))

    def models(self) -> Models:
        """What env.py handed over, without the snapshot."""
        told = self._first("models")
        rows = told.get("uncreated", ())
        return Models(
            tables=tuple(told.get("tables", ())),
            metadatas=told.get("metadatas", 0),
            uncreated_objects=tuple(
                UncreatedObject(
                    row["object"],
                    row["says"],
                    row["compared"],
                    row["table"],
                    row["object_kind"],
                    row["name"],
                    tuple(row["columns"]),
                )
                for row in rows
            ),
            filtered_objects=tuple(FilteredObject(*row) for row in told.get("filtered", ())),
            alembic_differences=tuple(AlembicDifference(*row) for row in told.get("alembic", ())),
            locations=tuple(
                ModelLocation(table, self._class(file, name)) for table, file, name in told.get("places", ())
            ),
        )

    def _class(self, file: str, name: str) -> Location:
        """The line of `class Name`, found as text: importing is the worker's business."""
        try:
            text = Path(file).read_text("utf-8", "replace")
        except OSError:
            return Location(self.path(file))
        found = re.search(rf"^[ \t]*class[ \t]+{re.escape(name)}\b", text, re.MULTILINE)
        return Location(self.path(file), text.count("\n", 0, found.start()) + 1 if found else None)


def _seen(file: RevisionFile, seen: bool) -> RevisionFile:
    """The file, and whether Alembic loads it; in a broken history that is not known."""
    return dataclasses.replace(
        file, is_loaded=seen, not_loaded_because=None if seen else "Alembic does not load it from there"
    )


def _missing(files: Sequence[RevisionSource], known: Sequence[str]) -> Iterator[MissingParent]:
    """Parents and dependencies that no file has; a label, or the beginning of an id, is one as well."""
    for each in files:
        for parent in (*each.file.parents, *each.depends_on):
            if each.file.revision and "@" not in parent and not any(one.startswith(parent) for one in known):
                yield MissingParent(each.file.revision, parent)
