"""CREATE ... IF NOT EXISTS that did nothing, because another object of that name was there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from migration_gate.analysis.ddl_text import CreateIndex, CreateTable, parse_creations
from migration_gate.analysis.step_location import find_statement_location
from migration_gate.check import Evidence, Finding
from migration_gate.facts import DdlCommand, Location, Replay, Step
from migration_gate.sql.identifiers import split_qualified_name


@dataclass(frozen=True, slots=True)
class ExistingObject:
    """What had the name already."""

    description: str
    """the columns of a table, the definition of an index"""
    created_by: DdlCommand


@dataclass(slots=True)
class _KnownObjects:
    """The tables and indexes that exist at a point of the log of DDL commands."""

    tables: dict[str, list[DdlCommand]] = field(default_factory=lambda: defaultdict(list))
    """commands after which a table of that name existed, in whatever schema"""
    indexes: dict[str, ExistingObject] = field(default_factory=dict)

    def add(self, command: DdlCommand) -> None:
        if command.kind == "table" and command.identity and command.columns:
            self.tables[split_qualified_name(command.identity)[-1]].append(command)
        for index in command.indexes:
            known = self.indexes.get(index.name)
            if known is None or known.description != index.definition:
                self.indexes[index.name] = ExistingObject(index.definition, command)


def group_hidden_conflicts(replay: Replay) -> Mapping[int, list[Finding]]:
    """The conflicts of the whole replay, by the number of the step that did not create what it asked for."""
    steps = {step.number: step for step in replay.steps}
    findings: dict[int, list[Finding]] = defaultdict(list)
    known_objects = _KnownObjects()
    for command in replay.ddl_commands:
        step = steps.get(command.step)
        if step and command.statement and not command.identity:
            for creation in parse_creations(command.statement):
                existing = _find_conflict(creation, known_objects)
                if existing:
                    location = _find_location(replay, step, command.statement)
                    finding = _describe_conflict(replay, step, creation, existing)
                    findings[step.number].append(replace(finding, location=location))
        known_objects.add(command)
    return findings


def _find_conflict(creation: CreateTable | CreateIndex, known: _KnownObjects) -> ExistingObject | None:
    """The object that has the name, if it is not of the shape that was asked for."""
    if not creation.if_not_exists:
        return None
    if isinstance(creation, CreateTable):
        return _find_other_table(creation, known.tables[creation.name])
    existing = known.indexes.get(creation.name)
    return existing if existing and _is_other_index(creation, existing.description) else None


def _find_other_table(creation: CreateTable, commands: list[DdlCommand]) -> ExistingObject | None:
    if creation.schema is not None:
        name = (creation.schema, creation.name)
        commands = [command for command in commands if split_qualified_name(command.identity) == name]
    if not commands:
        return None
    columns = [column.name for column in commands[-1].columns]
    if set(columns) == set(creation.columns):
        return None
    return ExistingObject(", ".join(columns), created_by=commands[0])


def _is_other_index(creation: CreateIndex, definition: str) -> bool:
    """Whether the index that Postgres describes has another table or other keys, as far as it is readable."""
    existing = next(parse_creations(definition), None)
    if not isinstance(existing, CreateIndex):
        return False
    return (existing.table, existing.keys, existing.is_unique) != (
        creation.table,
        creation.keys,
        creation.is_unique,
    )


def _describe_conflict(
    replay: Replay, step: Step, creation: CreateTable | CreateIndex, existing: ExistingObject
) -> Finding:
    noun = "table" if isinstance(creation, CreateTable) else "index"
    requested = creation.columns if isinstance(creation, CreateTable) else creation.keys
    creator = replay.find_revision_of_step(existing.created_by.step)
    created_by = f"revision `{creator}`" if creator else "something that ran before the first revision"
    return Finding(
        object=f"{step.revision} {creation.name}",
        message=f"`{step.revision}` left out the {noun} `{creation.name}`: "
        "another one of that name was there",
        revision=step.revision,
        evidence=(
            Evidence("wanted", ", ".join(requested)),
            Evidence("there", existing.description),
            Evidence("made by", f"{created_by}, before this one"),
        ),
        fix=f"Create it without IF NOT EXISTS, under its own name, or alter the {noun} that is there.",
        kind="hidden-conflict",
    )


def _find_location(replay: Replay, step: Step, sql: str) -> Location | None:
    statements = (statement for statement in step.statements if statement.sql.strip() == sql.strip())
    return find_statement_location(replay, step, next(statements, None))
