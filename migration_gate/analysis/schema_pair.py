"""The schema that the live release uses, beside the one that the change leaves."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property

from migration_gate.analysis.origin import find_origin, find_removal, find_removing_command
from migration_gate.facts import (
    CatalogObject,
    Column,
    Facts,
    Origin,
    RefusalCause,
    Replay,
    Snapshot,
    Table,
)
from migration_gate.lazy_dataclass import dataclass

NO_ORIGIN = Origin()


@dataclass(frozen=True)
class SchemaPair:
    """Both catalogs, and how one became the other."""

    facts: Facts
    base: Replay
    """what stood before"""
    new_steps: frozenset[int]
    """numbers of the steps of revisions that are not at the base"""

    @property
    def earlier(self) -> Snapshot:
        """The catalog of the base."""
        return self.base.catalog

    @property
    def later(self) -> Snapshot:
        """The catalog of the change."""
        return self.replay.catalog

    @property
    def replay(self) -> Replay:
        """Of the change."""
        return self.facts.replay

    def list_tables(self) -> Iterator[tuple[Table, Table]]:
        """The tables that both have, before and after."""
        for table in self.earlier.tables:
            after = self.later.find_table(table.schema, table.name)
            if after is not None:
                yield table, after

    def list_columns(self) -> Iterator[tuple[Column, Column]]:
        """The columns that both have, before and after."""
        for table, _ in self.list_tables():
            after = {column.name: column for column in self.later.columns_of(table)}
            for column in self.earlier.columns_of(table):
                if column.name in after:
                    yield column, after[column.name]

    def list_origins(self, columns: Collection[Column]) -> Iterator[Column]:
        """Of columns that changed alike, those whose tables have not inherited it from another's."""
        changed = {(column.full_table_name, column.name) for column in columns}
        for column in columns:
            table = self.later.find_table(column.schema, column.table)
            parents = table.inherits if table is not None else ()
            if not any((parent, column.name) in changed for parent in parents):
                yield column

    def is_named(self, name: str) -> bool:
        """Whether a statement of the change's revisions names it."""
        return re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", self._texts) is not None

    def is_reported(self, column: Column, *causes: RefusalCause) -> bool:
        """Whether a trial has shown that the live release fails with the column, for one of these reasons."""
        return any(
            (item.schema, item.table, item.column) == (column.schema, column.table, column.name)
            and item.cause in causes
            for item in self.facts.running_code.old_code
        )

    def is_table_reported(self, schema: str, name: str) -> bool:
        """Whether a trial has shown that the live release misses the table or view."""
        return any(
            (item.schema, item.table, item.cause) == (schema, name, RefusalCause.MISSING_TABLE)
            for item in self.facts.running_code.old_code
        )

    def is_call_reported(self, name: str) -> bool:
        """Whether a trial has shown that a default of the live release misses the function or sequence."""
        return any(
            item.cause is RefusalCause.DEFAULT and name in re.findall(r"\w+", item.value)
            for item in self.facts.running_code.old_code
        )

    def find_removal(self, missing: CatalogObject) -> Origin:
        """The revision and line that removed it; of the change, or an empty one."""
        command = find_removing_command(self.replay, missing)
        if command is not None and command.step in self.new_steps:
            return find_removal(self.replay, missing)
        return self._find_naming(missing)

    def find_change(self, changed: CatalogObject, *properties: str) -> Origin:
        """The revision and line that made it so; of the change, or an empty one."""
        origin = find_origin(self.replay, changed, properties or None)
        return origin if origin.revision in self._new_revisions else self._find_naming(changed)

    def find_addition(self, part: CatalogObject) -> Origin:
        """Where the change made a constraint or an index; not where it validated or converted it."""
        origin = find_origin(self.replay, part, ("name",))
        return origin if origin.revision in self._new_revisions else self.find_change(part)

    def find_statement(self, item: CatalogObject, words: str) -> Origin:
        """A statement of the change that has the words, a pattern, and names it; else one that names it."""
        origin = self._find_naming(item, re.compile(words, re.IGNORECASE))
        return origin if origin.revision else self._find_naming(item)

    def _find_naming(self, item: CatalogObject, words: re.Pattern[str] | None = None) -> Origin:
        """A statement of the change that names it, and has the words."""
        name = str(getattr(item, "name", "")).lower()
        named = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        for step in self.replay.steps:
            if name and step.number in self.new_steps:
                for statement in step.list_run():
                    has_words = words is None or words.search(statement.sql)
                    if has_words and named.search(statement.sql.lower()):
                        return self._locate(step.revision, statement.line)
        return NO_ORIGIN

    def _locate(self, revision: str, line: int | None) -> Origin:
        known = self.replay.history.find_revision(revision)
        location = replace(known.location, line=line or known.location.line) if known is not None else None
        return Origin(revision, location)

    @cached_property
    def _new_revisions(self) -> frozenset[str]:
        return frozenset(step.revision for step in self.replay.steps if step.number in self.new_steps)

    @cached_property
    def _texts(self) -> str:
        steps = (step for step in self.replay.steps if step.number in self.new_steps)
        return "\n".join(statement.sql for step in steps for statement in step.list_run()).lower()


def pair_schemas(facts: Facts) -> SchemaPair | None:
    """Both schemas; None if the base is not known, or the change has no new revision."""
    base = facts.base
    if base is None or base.facts is None or not facts.replay.is_complete:
        return None
    history = base.facts.replay.history
    new = [step.number for step in facts.replay.steps if history.find_revision(step.revision) is None]
    if not new or not base.facts.replay.is_complete:
        return None
    return SchemaPair(facts, base.facts.replay, frozenset(new))
