"""Tables that env.py's filters (`include_object`, `include_name`) leave out of the comparison.

An extension's table, the model of a view and a table whose model carries a flag are left out on purpose. Any
other one that a revision made or a model maps is not compared, and nothing else would say so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

from migration_gate.analysis.origin import find_origin
from migration_gate.facts import FilteredObject, Replay, Table, Unchecked, display_name
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import count_noun, join_words

RETURN_TRUE = "Have `{option}` in env.py return True for everything that is to be compared"
NOT_LEFT_OUT = "Have `{option}` in env.py return True for it"
SHOWN_NAMES = 8
"""of one kind, in a note"""
PLURALS = {"index": "indexes", "unique_constraint": "unique constraints"}
"""of Alembic's kinds; the others only get an s"""


@dataclass(frozen=True)
class LeftOutTables:
    """What the filters of a replay leave out; tables by `schema.name`."""

    replay: Replay

    @cached_property
    def history_tables(self) -> Mapping[str, Table]:
        """The tables that the migrations made, without partitions that no model has."""
        modelled = set(self.replay.models.tables)
        tables = {table.full_name: table for table in self.replay.catalog.tables}
        return {
            name: table for name, table in tables.items() if table.partition_bound is None or name in modelled
        }

    @cached_property
    def comparable_tables(self) -> frozenset[str]:
        """Those that the models have or the migrations made, but for views and extensions' tables."""
        catalog = self.replay.catalog
        views = {view.full_name for view in catalog.views}
        foreign = {name for extension in catalog.extensions for name in extension.tables}
        return frozenset({*self.replay.models.tables, *self.history_tables} - views - foreign)

    @cached_property
    def filters_by_table(self) -> Mapping[str, FilteredObject]:
        """What left each comparable table out, by itself or with its schema; those with a flag too."""
        return self._find_filters(self.comparable_tables)

    @cached_property
    def view_models(self) -> Mapping[str, FilteredObject]:
        """What left out each model of a view: that may be meant, but it was not compared."""
        views = {view.full_name for view in self.replay.catalog.views}
        return self._find_filters(views.intersection(self.replay.models.tables))

    def _find_filters(self, names: Collection[str]) -> Mapping[str, FilteredObject]:
        """What left out each of these tables, by itself or with its schema."""
        filters: dict[str, FilteredObject] = {}
        for item in self.replay.models.filtered_objects:
            if item.kind == "schema":
                in_schema = (name for name in names if name.startswith(f"{item.name}."))
                filters |= dict.fromkeys(in_schema, item)
            elif item.kind == "table" and item.table in (None, item.name):
                name = f"{item.schema or 'public'}.{item.name}"
                if name in names:
                    filters[name] = item
        return dict(sorted(filters.items()))

    @cached_property
    def hidden_tables(self) -> Mapping[str, FilteredObject]:
        """Those that no flag explains."""
        return {name: item for name, item in self.filters_by_table.items() if not item.is_flagged}

    @cached_property
    def tables_without_columns(self) -> Mapping[str, FilteredObject]:
        """Tables of both sides whose every column is left out."""
        columns = Counter(column.full_table_name for column in self.replay.catalog.columns)
        left_out: dict[str, dict[str, FilteredObject]] = {}
        for item in self.replay.models.filtered_objects:
            if item.kind == "column":
                left_out.setdefault(f"{item.schema or 'public'}.{item.table}", {})[item.name] = item
        return {
            name: next(iter(items.values()))
            for name, items in left_out.items()
            if name in self.comparable_tables and 0 < columns[name] <= len(items)
        }

    def find_unchecked(self) -> Iterator[Unchecked]:
        """What the filters leave out without a reason that is known."""
        if self.comparable_tables and set(self.hidden_tables) == self.comparable_tables:
            yield _describe_everything(self.hidden_tables, "every table")
            return
        yield from (self._describe_table(name, item) for name, item in self.hidden_tables.items())
        compared = self.comparable_tables - set(self.filters_by_table)
        if compared and compared <= set(self.tables_without_columns):
            yield _describe_everything(self.tables_without_columns, "every column of every table")
            return
        for name, item in self.tables_without_columns.items():
            if name in compared:
                yield Unchecked(
                    _shown_name(name),
                    f"`{item.option}` of env.py leaves every column of it out of the comparison",
                    NOT_LEFT_OUT.format(option=item.option),
                )

    def _describe_table(self, name: str, item: FilteredObject) -> Unchecked:
        what = f"its schema `{item.name}`" if item.kind == "schema" else "it"
        maker = self._describe_maker(name)
        return Unchecked(
            _shown_name(name),
            f"`{item.option}` of env.py leaves {what} out of the comparison, and {maker}",
            NOT_LEFT_OUT.format(option=item.option),
        )

    def _describe_maker(self, name: str) -> str:
        table = self.history_tables.get(name)
        revision = find_origin(self.replay, table).revision if table is not None else None
        if name not in self.replay.models.tables:
            return f"revision `{revision}` made it" if revision else "the migrations' database has it"
        if table is None:
            return "a model maps it"
        return f"a model maps it, revision `{revision}` made it" if revision else "a model maps it"

    def describe_filters(self) -> Iterator[str]:
        """Notes: everything that each filter leaves out."""
        for option in ("include_object", "include_name"):
            items = [item for item in self.replay.models.filtered_objects if item.option == option]
            known = [item for item in items if item.kind != "table" or self._is_known(item)]
            if known:
                yield f"env.py's {option} left out of the comparison: {'; '.join(_count_kinds(known))}"

    def _is_known(self, item: FilteredObject) -> bool:
        return f"{item.schema or 'public'}.{item.name}" not in self.replay.version_tables


def _describe_everything(tables: Mapping[str, FilteredObject], what: str) -> Unchecked:
    options = list(dict.fromkeys(item.option for item in tables.values()))
    option = options[0]
    return Unchecked(
        option,
        f"{join_words(options)} of env.py {'leaves' if len(options) == 1 else 'leave'} {what} out of the "
        f"comparison ({_list_names(map(_shown_name, tables))}): nothing was compared with the models",
        RETURN_TRUE.format(option=option),
    )


def _count_kinds(items: Iterable[FilteredObject]) -> Iterator[str]:
    """`table `a`, 12 columns (…)`, one text for each kind."""
    names_by_kind: dict[str, list[str]] = defaultdict(list)
    for item in items:
        names_by_kind[item.kind].append(_display_filtered(item))
    tables_first = sorted(names_by_kind, key=lambda kind: kind != "table")
    for kind in tables_first:
        names = names_by_kind[kind]
        noun = kind.replace("_", " ")
        plural = PLURALS.get(kind, f"{noun}s")
        yield f"{count_noun(len(names), noun, plural)} ({_list_names(sorted(names))})"


def _display_filtered(item: FilteredObject) -> str:
    """The name of what is left out, as reports show it."""
    schema = item.schema or "public"
    if item.kind == "schema":
        return item.name
    if item.kind == "table" or not item.table:
        return display_name(schema, item.name)
    return f"{display_name(schema, item.table)}.{item.name}"


def _list_names(names: Iterable[str]) -> str:
    listed = list(names)
    if len(listed) <= SHOWN_NAMES:
        return join_words(listed)
    shown = ", ".join(f"`{name}`" for name in listed[:SHOWN_NAMES])
    return f"{shown} and {len(listed) - SHOWN_NAMES} more"


def _shown_name(name: str) -> str:
    return display_name(*name.split(".", 1))
