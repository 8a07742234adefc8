"""What env.py leaves out of the comparison with the models, and did not leave out at the base.

Only what was there at the base counts: a new object that an old filter leaves out is no new filter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from migration_gate.analysis.left_out_tables import LeftOutTables
from migration_gate.analysis.loosened_settings import Loosening
from migration_gate.facts import FilteredObject, Location, Replay, display_name
from migration_gate.wording import join_words

SHOWN_NAMES = 8
"""in a message"""
EVERYTHING = "*"
"""the schema of an entry that stands for all columns: `compare_type=False`"""
ALL_OF_KIND = {"type": "compare_type", "default": "compare_server_default"}


def find_loosened_filters(base: Replay, change: Replay) -> Iterator[Loosening]:
    """One for each argument of `context.configure` that leaves out more than at the base."""
    if not _is_complete(base) or not _is_complete(change):
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


def _is_complete(replay: Replay) -> bool:
    return replay.failure is None and replay.history.error is None


def _list_compared_no_more(base: Replay, replay: Replay) -> dict[str, tuple[str, ...]]:
    """By option, what `replay` leaves out of the tables that the base has, sorted."""
    tables_of_base = LeftOutTables(base).comparable_tables
    names: dict[str, set[str]] = defaultdict(set)
    hidden = LeftOutTables(replay).filters_by_table
    for table, item in hidden.items():
        if table in tables_of_base:
            names[item.option].add(f"table {table.removeprefix('public.')}")
    objects_of_base = _list_objects(base)
    for item in (*replay.models.filtered_objects, *replay.models.dismissed_objects):
        if item.schema == EVERYTHING:
            names[ALL_OF_KIND.get(item.kind, item.option)].add(f"every {item.kind}")
        elif _is_part(item) and item.option and _identify(item) in objects_of_base:
            table = f"{item.schema or 'public'}.{item.table}"
            if table in tables_of_base and table not in hidden:
                names[item.option].add(_describe_part(item))
    return {option: tuple(sorted(found)) for option, found in names.items()}


def _is_part(item: FilteredObject) -> bool:
    return item.kind not in ("table", "schema") and item.table is not None


def _list_objects(base: Replay) -> frozenset[tuple[str, str | None, str]]:
    """Schema, table and name of the columns, constraints and indexes of both databases of the base."""
    objects: set[tuple[str, str | None, str]] = set()
    for catalog in (base.catalog, base.models.snapshot):
        if catalog is not None:
            objects |= {
                (part.schema, part.table, part.name)
                for part in (*catalog.columns, *catalog.constraints, *catalog.indexes)
            }
    return frozenset(objects)


def _identify(item: FilteredObject) -> tuple[str, str | None, str]:
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
