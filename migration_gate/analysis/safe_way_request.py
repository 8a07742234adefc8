"""What a safe way is made of, and what is asked of the statement that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from migration_gate.analysis.alter_table_actions import changes_column, split_alter_table
from migration_gate.analysis.blocking_works import BlockingWork
from migration_gate.analysis.observed_changes import find_current_name, find_table_change
from migration_gate.analysis.safe_operations import LATER, describe_column, execute, join_code
from migration_gate.analysis.sized_facts import SizedFacts
from migration_gate.facts import ColumnState, ObservedStatement, Replay
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import name_on_search_path
from migration_gate.wording import code_block

LET_GO = "`autocommit_block()` commits what was done before it, so no lock is held while it works"


@dataclass(frozen=True, slots=True)
class SafeWay:
    """How a statement can be written so that it blocks others for moments only."""

    words: str
    code: str = ""
    """operations for the revision, in the place of the statement"""
    is_whole: bool = False
    """they do all that the statement does, its quick parts too"""

    def describe(self) -> str:
        """Both, as the fix of a finding."""
        return self.words + (code_block(self.code) if self.code else "")


@dataclass(frozen=True, slots=True)
class SafeWayRequest:
    """The work that is to be done in another way."""

    replay: Replay
    item: BlockingWork

    @property
    def table(self) -> str:
        """The table as SQL takes it."""
        return name_on_search_path(*find_current_name(self.replay, self.item.work.relation))

    @property
    def schema(self) -> str:
        """The table's schema."""
        return self.item.work.relation.schema

    @property
    def heirs(self) -> tuple[str, ...]:
        """The tables that inherit from it, as SQL takes them: they get its columns, but not its triggers."""
        relation = self.item.work.relation
        names = [f"{relation.schema}.{relation.table or relation.name}"]
        heirs: dict[str, str] = {}
        for name in names:
            for table in self.replay.catalog.tables:
                if table.partition_bound is None and name in table.inherits and table.full_name not in heirs:
                    heirs[table.full_name] = name_on_search_path(table.schema, table.name)
                    names.append(table.full_name)
        return tuple(heirs.values())

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the table's primary key as it was before; none without one."""
        before = self.item.change.before
        constraints = before.constraints if before is not None else ()
        return next((item.columns for item in constraints if item.definition.startswith("PRIMARY KEY")), ())

    def add_new_column(self, column: ColumnState) -> str:
        """The call that adds a new column of the statement's, with its default."""
        default = f" DEFAULT {column.default}" if column.default else ""
        null = "" if column.nullable else " NOT NULL"
        return execute(f"ALTER TABLE {self.table} ADD COLUMN {describe_column(column)}{default}{null}")

    @property
    def statement(self) -> str:
        """The call that runs the statement as it is."""
        return execute(join_words_of(self.item.statement))


def join_words_of(statement: ObservedStatement) -> str:
    """The statement's text on one line, as far as its blanks may be joined: not inside of a literal."""
    sql = statement.sql.strip().rstrip(";")
    return sql if "'" in sql or '"' in sql or "$" in sql or "--" in sql else " ".join(sql.split())


def lift_to_parent(sized: SizedFacts, item: BlockingWork) -> BlockingWork:
    """The work as one on the parent, if the statement came to a partition, or to an heir, by that."""
    parent = sized.find_stem(item.statement, item.work.relation)
    if parent is None:
        return item
    change = find_table_change(sized.facts.replay, item.statement, parent)
    names = [new.name for new in (*change.new_constraints, *change.new_indexes)]
    detail = names[0] if item.work.detail and names else item.work.detail
    return replace(item, work=replace(item.work, relation=parent, detail=detail), change=change)


def with_quick_actions(request: SafeWayRequest, way: SafeWay) -> SafeWay:
    """The way, with what else the statement does and what takes a moment.

    The new type of a column is in another one for now, so what is said of that column has its place in the
    way itself.
    """
    table = split_alter_table(request.item.statement.sql)
    if table is None or not way.code or way.is_whole or request.statement in way.code:
        return way
    changed = [change.column.name for change in request.item.change.type_changes]
    before, behind = (
        [action for action in actions if not changes_column(action, changed)]
        for actions in table.split_quick()
    )
    first, last = (execute(text) if text else "" for text in map(table.write, (before, behind)))
    now, later, rest = way.code.partition(f"\n\n{LATER}")
    return replace(way, code=join_code(first, now, last) + later + rest)


def list_earlier_columns(sized: SizedFacts, item: BlockingWork) -> Iterator[str]:
    """The calls that add columns which the same operation of the revision's has added before the statement.

    `add_column` with a foreign key, an index or `unique` is more than one statement: what is written in the
    place of the operation has to have them all.
    """
    own, relation = item.statement, item.work.relation
    if own.location is None:
        return
    for earlier in sized.list_column_additions(own.step, own.location, relation):
        if earlier.number < own.number:
            yield execute(join_words_of(earlier))


def with_earlier_columns(sized: SizedFacts, item: BlockingWork, way: SafeWay) -> SafeWay:
    """The way, with the columns of the same operation before it."""
    columns = list(list_earlier_columns(sized, item)) if way.code else []
    return replace(way, code=join_code(columns, way.code)) if columns else way
