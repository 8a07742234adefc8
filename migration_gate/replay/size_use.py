"""What a run makes of the sizes of production's tables: rates of this machine, and remarks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import psycopg

from migration_gate.analysis.work_extent import list_needed_kinds
from migration_gate.config.settings import Settings
from migration_gate.errors import GateError
from migration_gate.facts import Facts, Replay, TableSizes, WorkKind
from migration_gate.postgres.server import Server
from migration_gate.replay.calibration import measure_rates
from migration_gate.wording import count_noun, join_words

STALE_DAYS = 90
"""after which it is said how old the statistics are; they count all the same"""
SEVERAL = (
    "the sizes of tables are not used: env.py migrates several databases, and a name does not tell in which "
    "of them its table is; name one project for each under `projects:`, with sizes of its own"
)
NOT_MEASURED = (
    "how long the work on tables of known size takes is not said: rates are measured on a server that the "
    "gate itself starts, and not on yours"
)


def add_work_rates(facts: Facts, settings: Settings, server: Server, today: date) -> Facts:
    """The facts with the rates that findings need, and with what is to be said of the sizes.

    Nothing is measured if no finding is about a table of known size, or if the server is the user's.
    """
    if settings.judged_database or settings.other_databases:
        return _add_notes(replace(facts, sizes=TableSizes()), [SEVERAL])
    notes = list(_describe_sizes(facts, today))
    kinds = list_needed_kinds(facts)
    if kinds and not server.token:
        notes.append(NOT_MEASURED)
    elif kinds:
        facts, failure = _measure(facts, server, kinds)
        notes += [failure] if failure else []
    return _add_notes(facts, notes)


def _measure(facts: Facts, server: Server, kinds: frozenset[WorkKind]) -> tuple[Facts, str]:
    """The facts with the rates, and why there are none."""
    try:
        return replace(facts, work_rates=measure_rates(server, kinds)), ""
    except psycopg.errors.QueryCanceled:
        reason = "it took longer than 5 s"
    except (psycopg.Error, GateError) as error:
        reason = " ".join(str(error).split())
    return facts, f"no times are given, as this machine's rates could not be measured: {reason}"


def _describe_sizes(facts: Facts, today: date) -> Iterator[str]:
    sizes = facts.sizes
    if unknown := list_unknown_tables(facts):
        number = count_noun(len(unknown), "table")
        yield f"`tables` has {number} that the replayed database has not: {join_words(unknown)}"
    if sizes.written:
        age = (today - date.fromisoformat(sizes.written)).days
        if age < -1:  # a day: the two clocks may be in different time zones
            yield f"the statistics of `{sizes.file}` are from {sizes.written}, which is yet to come"
        elif age > STALE_DAYS:
            yield (
                f"the statistics of `{sizes.file}` are {count_noun(age, 'day')} old ({sizes.written}): "
                "`migration-gate sizes` writes them anew"
            )
        if sizes.tables and not _has_known_table(facts.replay, sizes):
            yield f"`{sizes.file}` has none of the tables of the replayed database: is it another one's?"


def list_unknown_tables(facts: Facts) -> list[str]:
    """Names in `tables:` that no table has, and none had before the change; none if that is not known."""
    replay = facts.replay
    if not replay.is_complete:
        return []
    known = {str(table) for table in replay.catalog.tables} | {str(view) for view in replay.catalog.views}
    known |= {str(relation) for relation in replay.observation.relations}
    return [name for name in facts.sizes.configured if name not in known]


def _has_known_table(replay: Replay, sizes: TableSizes) -> bool:
    names = {(table.schema, table.name) for table in replay.catalog.tables}
    names |= {(relation.schema, relation.name) for relation in replay.observation.relations}
    return not names or any(sizes.find(*name) is not None for name in names)


def _add_notes(facts: Facts, notes: list[str]) -> Facts:
    return replace(facts, replay=replace(facts.replay, notes=(*facts.replay.notes, *notes)))
