"""Whose rows are read when a foreign key is validated: the server's message has the key's name alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from migration_gate.facts import DdlCommand, Observation, ObservedStatement, RowWork, StoredRelation, WorkKind

Names = frozenset[tuple[str, str]]
"""each a schema and a name"""


def place_foreign_keys(observation: Observation, commands: Sequence[DdlCommand]) -> Observation:
    """The observation, with the work for a foreign key on the table that has the key.

    A command that changes a referenced column names that one's table. Left out is a key of a new table.
    """
    details = {
        work.detail
        for statement in observation.statements
        for work in statement.works
        if work.kind is WorkKind.FOREIGN_KEY
    }
    if not details:
        return observation
    owners = _list_owners(commands, details)
    statements = tuple(
        _place_in_statement(statement, owners, observation.relations) for statement in observation.statements
    )
    return replace(observation, statements=statements)


def _list_owners(commands: Iterable[DdlCommand], details: Iterable[str]) -> Mapping[str, Names]:
    """For each of the foreign keys every name that a table with such a key has ever had."""
    names: dict[int, set[tuple[str, str]]] = defaultdict(set)
    oids: dict[str, set[int]] = {detail: set() for detail in details}
    for command in commands:
        if command.table is not None:
            names[command.oid].add((command.table.schema, command.table.name))
            for rule in command.constraints:
                if rule.name in oids and rule.definition.startswith("FOREIGN KEY"):
                    oids[rule.name].add(command.oid)
    return {
        detail: frozenset(name for oid in tables for name in names[oid]) for detail, tables in oids.items()
    }


def _place_in_statement(
    statement: ObservedStatement, owners: Mapping[str, Names], relations: Sequence[StoredRelation]
) -> ObservedStatement:
    if not any(work.kind is WorkKind.FOREIGN_KEY for work in statement.works):
        return statement
    works = [placed for work in statement.works for placed in _place_work(work, owners, relations)]
    return replace(statement, works=tuple(dict.fromkeys(works)))


def _place_work(
    work: RowWork, owners: Mapping[str, Names], relations: Sequence[StoredRelation]
) -> Iterator[RowWork]:
    names = owners.get(work.detail, frozenset()) if work.kind is WorkKind.FOREIGN_KEY else frozenset()
    if not names or (work.relation.schema, work.relation.name) in names:
        yield work
        return
    for relation in relations:
        if (relation.schema, relation.name) in names:
            yield replace(work, relation=relation)
