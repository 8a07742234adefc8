"""What env.py leaves out of the comparison with the models, and did not leave out at the base.

Only what was there at the base counts: a new object that an old filter leaves out is no new filter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from typing import TypeAlias

from migration_gate.analysis.left_out_tables import LeftOutTables
from migration_gate.analysis.loosened_settings import Loosening
from migration_gate.facts import FilteredObject, Location, Replay, display_name
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import join_words

SHOWN_NAMES = 8
"""in a message"""
EVERYTHING = "*"
"""the schema of an entry that stands for all columns: `compare_type=False`"""
PartKey: TypeAlias = tuple[str, str | None, str]
"""schema, table and name of a part of a table"""
ALL_OF_KIND = {"type": "compare_type", "default": "compare_server_default"}


def find_loosened_filters(base: Replay, change: Replay) -> Iterator[Loosening]:
    """One for each argument of `context.configure` that leaves out more than at the base."""
    if not (base.is_complete and change.is_complete):
        return
    location = _find_environment_line(change)
    left_out_before = _list_compared_no_more(base, base)
    for option, names in _list_compared_no_more(base, change).items():
        new_names = [name for name in names if name not in left_out_before.get(option, ())]
        if new_names:
            shown = join_words(new_names[:SHOWN_NAMES])
            rest = len(new_names) - SHOWN_NAMES
            more = f" and {rest} more" if rest > 0 else ""
            message = f"`{option}` of env.py leaves out {shown}{more}, which was compared at the base"
            yield Loosening("filter", option, message, location, "compared", "left out")


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """Something that an argument of `context.configure` keeps out of the comparison."""

    option: str
    name: str
    """for a reader: `table media`, `every type`"""


def _list_compared_no_more(base: Replay, replay: Replay) -> dict[str, tuple[str, ...]]:
    """By option, what `replay` leaves out of the tables that the base has, sorted."""
    tables_of_base = LeftOutTables(base).comparable_tables
    filters = LeftOutTables(replay).filters_by_table
    parts = _list_parts_of(base, tables_of_base - filters.keys())
    names: dict[str, set[str]] = defaultdict(set)
    for left_out in (*_list_tables(filters, tables_of_base), *_list_parts(replay, parts)):
        names[left_out.option].add(left_out.name)
    return {option: tuple(sorted(left_out)) for option, left_out in names.items()}


def _list_tables(filters: Mapping[str, FilteredObject], tables_of_base: Set[str]) -> Iterator[_LeftOut]:
    for table, item in filters.items():
        if table in tables_of_base:
            yield _LeftOut(item.option, f"table {table.removeprefix('public.')}")


def _list_parts(replay: Replay, parts_of_base: Set[PartKey]) -> Iterator[_LeftOut]:
    """Columns, constraints and indexes that are left out by themselves; or one property of all columns."""
    for item in (*replay.models.filtered_objects, *replay.models.dismissed_objects):
        if item.schema == EVERYTHING:
            yield _LeftOut(ALL_OF_KIND.get(item.kind, item.option), f"every {item.kind}")
        elif _is_part(item) and item.option and _identify(item) in parts_of_base:
            yield _LeftOut(item.option, _describe_part(item))


def _is_part(item: FilteredObject) -> bool:
    return item.kind not in ("table", "schema") and item.table is not None


def _list_parts_of(base: Replay, tables: Set[str]) -> frozenset[PartKey]:
    """The columns, constraints and indexes of some tables, in both databases of the base."""
    parts: set[PartKey] = set()
    for catalog in (base.catalog, base.models.snapshot):
        if catalog is not None:
            parts |= {
                (part.schema, part.table, part.name)
                for part in (*catalog.columns, *catalog.constraints, *catalog.indexes)
                if part.full_table_name in tables
            }
    return frozenset(parts)


def _identify(item: FilteredObject) -> PartKey:
    return item.schema or "public", item.table, item.name


def _describe_part(item: FilteredObject) -> str:
    table = display_name(item.schema or "public", item.table or "")
    noun = f"the {item.kind} of " if item.kind in ALL_OF_KIND else f"{item.kind.replace('_', ' ')} "
    return f"{noun}{table}.{item.name}"


def _find_environment_line(change: Replay) -> Location | None:
    """The first line of env.py that the change has; the file, if it has none of it."""
    file = change.models.environment_file
    if file is None:
        return None
    location = Location(file)
    return Location(file, change.find_changed_line(location))
