"""What the models' text has and the metadata lacks, though their modules were imported: env.py removed it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from migration_gate.analysis.model_registration import ModelRegistration
from migration_gate.facts import Facts, Location, ModelDefinition, Unchecked
from migration_gate.wording import join_words

_SHOWN = 8
"""tables that are named in the reason"""
_SEPARATOR = re.compile(r"[^a-z0-9]")


def find_removed_models(facts: Facts) -> Iterator[Unchecked]:
    """Tables and columns that stand in the text of imported modules, and that nothing was compared with."""
    registration = ModelRegistration(facts.replay, facts.tree)
    if registration.removed:
        names = sorted({definition.table for definition in registration.removed})
        yield Unchecked(" ".join(names), _describe_tables(registration.removed))
    yield from _find_removed_columns(facts, registration)


def _describe_tables(definitions: Sequence[ModelDefinition]) -> str:
    places = [_describe_place(definition) for definition in definitions[:_SHOWN]]
    if len(definitions) > _SHOWN:
        places.append(f"{len(definitions) - _SHOWN} others")
    verb = "is" if len(definitions) == 1 else "are"
    return (
        f"{join_words(places, quote='')} {verb} in modules that were imported, and not in the metadata "
        "that env.py passed to Alembic: it was emptied, or tables were removed from it"
    )


def _describe_place(definition: ModelDefinition) -> str:
    return f"`{definition.class_name or definition.variable or definition.table}` ({definition.location})"


def _find_removed_columns(facts: Facts, registration: ModelRegistration) -> Iterator[Unchecked]:
    columns_by_table = _list_columns(facts)
    for definition in registration.registered:
        table = registration.find_registered_table(definition)
        if table is None or table not in columns_by_table or definition.is_conditional:
            continue
        known = {_fold_name(name) for name in columns_by_table[table]}
        for name, location in _list_certain_columns(definition).items():
            if _fold_name(name) not in known:
                yield Unchecked(f"{definition.table}.{name}", _describe_column(location))


def _describe_column(location: Location) -> str:
    return (
        f"it stands in the model ({location}), and the metadata that env.py passed to Alembic has no such "
        "column: it was removed, or the table was read from the database"
    )


def _list_columns(facts: Facts) -> Mapping[str, list[str]]:
    """The columns of each table that the models made, by `schema.name`; none of one that they could not."""
    models = facts.replay.models
    columns: dict[str, list[str]] = {}
    for column in models.snapshot.columns if models.snapshot is not None else ():
        columns.setdefault(column.full_table_name, []).append(column.name)
    for uncreated in models.uncreated_objects:
        if uncreated.kind == "table":
            columns.pop(uncreated.table or "", None)
    return columns


def _list_certain_columns(definition: ModelDefinition) -> Mapping[str, Location]:
    return {
        part.name: part.location
        for part in definition.parts
        if part.kind == "column" and part.is_certain and part.name is not None
    }


def _fold_name(name: str) -> str:
    """A column's name without case and separators: an event may rename `userName` to `user_name`."""
    return _SEPARATOR.sub("", name.lower())
