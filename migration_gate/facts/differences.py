"""What the replayed database and the models disagree about, and the revision that removes it."""

from __future__ import annotations

from typing import Literal

from migration_gate.facts.location import Location
from migration_gate.lazy_dataclass import dataclass

DifferenceKind = Literal[
    "table",
    "column",
    "type",
    "nullability",
    "default",
    "primary key",
    "foreign key",
    "unique",
    "check",
    "exclusion",
    "index",
    "enum",
    "type definition",
    "sequence",
    "comment",
    "table option",
    "name-only",
    "declared",
    "unmanaged",
]


@dataclass(frozen=True, slots=True)
class TypeCast:
    """A conversion between two types that the server has."""

    source: str
    target: str
    is_implicit: bool
    """Postgres uses it unasked: the target holds every value of the source"""


@dataclass(frozen=True, slots=True)
class RenameFix:
    """The lines that rename a table or column, and then change what else differs; they ran both ways."""

    upgrade: str = ""
    downgrade: str = ""
    remaining: tuple[str, ...] = ()
    """objects that differ still after it, which a person has to decide on"""
    refused: str = ""
    """what went wrong when the lines were run; there are none then"""


@dataclass(frozen=True, slots=True)
class NamePair:
    """What may be one table or column under two names, as reports show them."""

    database: str
    models: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A drift: the replayed database and the models disagree about one object."""

    kind: DifferenceKind
    object: str
    """as reports show it: `users.email`"""
    database: str | None
    """as Postgres prints it, None if it is missing"""
    models: str | None
    table: str | None = None
    """`schema.name` of the table it belongs to"""
    column: str | None = None
    upgrade: str = ""
    """body of the `upgrade()` that makes the database agree with the models; empty if there is none"""
    downgrade: str = ""
    """body of the `downgrade()` that undoes it"""
    fix_refused: str = ""
    """why the revision that was written for it is not offered: what went wrong when it was run"""
    loses_values: bool = False
    """for a type: the server's cast is none that it uses unasked, so values may be cut, rounded or refused"""
    includes_default: bool = False
    """for a type: its default, which differs as well, changes with it"""
    fixed_by_others: bool = False
    """the fix of another difference changes this, too"""
    runs_only_with: str = ""
    """why `upgrade` and `downgrade` are to run together with those of other differences: Postgres' words, or
    that it was not tried otherwise"""
    revision: str | None = None
    """the revision that made the database's side, or dropped what is missing; None when no revision did"""
    object_noun: str = ""
    """what an unmanaged or declared object is: view, function, trigger, policy, extension, grant...

    Of a table option, which one: a table may differ in several.
    """
    harmless_because: str = ""
    """why no query is affected, if none is"""
    rename_hint: str = ""
    """for a table or column that one side lacks: the name on the other side that may be the same object"""
    rename_is_likely: bool = False
    """whether names, types and other properties speak for it; else only that nothing else has its type"""
    rename_fix: RenameFix | None = None
    """instead of dropping the one and adding the other: the lines that keep rows, if they were tried"""
    spelled_renames: tuple[NamePair, ...] = ()
    """for a definition: what it spells, columns and tables, that may have another name in the models"""
    differs_in_names_alone: bool = False
    """whether it would be the same under these names"""
    location: Location | None = None
    """the line of `revision` that did it"""
    columns: tuple[str, ...] = ()
    """of a constraint or an index"""


@dataclass(frozen=True, slots=True)
class EngineBody:
    """What a revision does in the database of one engine, where env.py migrates several."""

    engine: str
    """as env.py names it"""
    upgrade: str
    downgrade: str


@dataclass(frozen=True, slots=True)
class DriftRevision:
    """One revision that removes all differences that can be removed; it was run both ways."""

    identifier: str
    down_revision: tuple[str, ...]
    """the head that it follows; none if no revision is there"""
    depends_on: tuple[str, ...]
    """other heads whose objects it changes"""
    upgrade: str
    """body of its `upgrade()`"""
    downgrade: str
    differences: int
    """how many it removes"""
    left_out: tuple[str, ...] = ()
    """objects that have a difference which it does not remove"""
    left_kinds: frozenset[tuple[str, str]] = frozenset()
    """kind and object of each of those differences: it may remove another one of the same object"""
    engine_keyword: str = ""
    """which of the keywords of its functions names the engine; empty if env.py names none"""
    engines: tuple[EngineBody, ...] = ()
    """in the order in which env.py migrates them"""
    takes_keywords: bool = False
    """its functions are given (other) keywords"""
    database: str = ""
    """where env.py migrates several databases without a name: the one that it is for"""
