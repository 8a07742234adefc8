"""How much work statements are, by the sizes of production's tables, and how long it takes on this machine.

Severity depends on sizes alone. Times are by rates that this run measured, so they differ from run to run:
they are told, and decide nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from migration_gate.analysis.blocking_works import (
    BlockingWork,
    WorkUnderLock,
    find_blocking_works,
    find_works_under_lock,
)
from migration_gate.analysis.sized_facts import SizedFacts
from migration_gate.check import Evidence, Extent, Finding, Severity
from migration_gate.facts import (
    Facts,
    ObservedStatement,
    RowWork,
    TableSize,
    TableSizes,
    WorkKind,
    WorkRate,
    WorkRates,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.wording import format_bytes, format_duration, format_rows, join_words

BUILDS = (WorkKind.INDEX_BUILD, WorkKind.INDEX_REBUILD)
BY_ROWS = (WorkKind.INDEX_BUILD, WorkKind.FOREIGN_KEY)
"""how long they take depends on the number of rows, and on their width only as far as they are read"""
WHOLE_UPDATE = re.compile(r"\s*UPDATE\b(?!.*\b(WHERE|FROM)\b)", re.IGNORECASE | re.DOTALL)
"""changes every row"""
OTHER_STORAGE = re.compile(r"\bTABLESPACE\b", re.IGNORECASE)
"""files are copied from one disk to another one"""
LOWERED = {Severity.ERROR: Severity.WARNING, Severity.WARNING: Severity.NOTE, Severity.NOTE: Severity.NOTE}
SHOWN_TABLES = 3
RATE_WORDS = {
    WorkKind.REWRITE: "rewrites",
    WorkKind.VERIFICATION: "reads",
    WorkKind.FOREIGN_KEY: "looks up references of",
    WorkKind.INDEX_BUILD: "builds an index of",
    WorkKind.ROWS: "updates",
}


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    """How long some work takes."""

    seconds: float = 0.0
    is_complete: bool = True
    """False: there is more, of which it is not known how long it takes"""


def weigh_blocking_work(
    sized: SizedFacts, finding: Finding, items: Sequence[BlockingWork], severity: Severity
) -> Finding:
    """The finding with its extent; less severe than `severity` if all tables of the work are small.

    items: of one statement.
    """
    works = [work for item in items for work in _list_own_works(item)]
    return _weigh(sized, finding, items[0].statement, works, severity)


def weigh_work_under_lock(
    sized: SizedFacts, finding: Finding, item: WorkUnderLock, severity: Severity
) -> Finding:
    """The same for work while an earlier lock is held."""
    return _weigh(sized, finding, item.statement, item.works, severity)


def list_needed_kinds(facts: Facts) -> frozenset[WorkKind]:
    """The kinds of work of which a rate is needed: a finding is about them, and the table's size is known."""
    sized = SizedFacts(facts)
    works = [(item.statement, work) for item in find_blocking_works(facts) for work in _list_own_works(item)]
    works += [(item.statement, work) for item in find_works_under_lock(facts) for work in item.works]
    kinds = {
        _find_rate_kind(sized, statement, work)
        for statement, work in works
        if sized.find_size(statement, work).size is not None
    }
    return frozenset(kind for kind in kinds if kind is not None)


def _list_own_works(item: BlockingWork) -> list[RowWork]:
    """What the statement does to the table, the indexes that it builds included."""
    return [work for work in item.statement.works if work.relation == item.work.relation]


def _weigh(
    sized: SizedFacts,
    finding: Finding,
    statement: ObservedStatement,
    works: Sequence[RowWork],
    severity: Severity,
) -> Finding:
    if not sized.sizes.tables:
        return finding
    works = list(sized.list_distinct(statement, works))
    items = sized.list_sizes(statement, works)
    sizes = [item.size for item in items if item.size is not None]
    missing = [item.table for item in items if item.size is None]
    evidence = list(_describe_sizes(sizes, missing))
    if not sizes:
        return replace(finding, evidence=(*finding.evidence, *evidence))
    names = {work.relation.table_name for work in works}
    partitions = " with all partitions" if any(item.table not in names for item in items) else ""
    estimate = estimate_time(sized, statement, works)
    lowered = LOWERED[severity] if sized.is_small(statement) else severity
    weight = f"a {lowered} instead of {_with_article(severity)}" if lowered != severity else ""
    evidence += _describe_rates(sized, statement, works) if estimate is not None else ()
    if weight:
        evidence.append(Evidence("weight", f"{weight}: {_describe_limit(sized.sizes)}"))
    return replace(
        finding,
        extent=Extent(_describe_amount(sizes, missing) + partitions, _describe_time(estimate), weight),
        severity=lowered if weight else finding.severity,
        evidence=(*finding.evidence, *evidence),
    )


def _with_article(severity: Severity) -> str:
    return f"an {severity}" if severity is Severity.ERROR else f"a {severity}"


def _describe_amount(sizes: Sequence[TableSize], missing: Sequence[str]) -> str:
    """What is known of all tables together."""
    rows, size = _add_up(item.rows for item in sizes), _add_up(item.bytes for item in sizes)
    parts = [format_bytes(size)] if size is not None else []
    parts += [format_rows(rows)] if rows is not None else []
    if not parts:  # rows of one, bytes of another one
        parts = [_describe_size(size) for size in sizes[:SHOWN_TABLES]]
    text = ", ".join(parts)
    return f"at least {text}" if missing else text


def _add_up(numbers: Iterable[int | None]) -> int | None:
    """The sum; None if a number is not known."""
    known = list(numbers)
    return None if None in known else sum(number or 0 for number in known)


def _describe_size(size: TableSize) -> str:
    parts = [format_bytes(size.bytes)] if size.bytes is not None else []
    parts += [format_rows(size.rows)] if size.rows is not None else []
    return f"`{size}`: {', '.join(parts)}"


def _describe_sizes(sizes: Iterable[TableSize], missing: Sequence[str]) -> Iterator[Evidence]:
    for size in list(sizes)[:SHOWN_TABLES]:
        yield Evidence("size", f"{_describe_size(size)} ({size.origin})")
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        names = join_words(missing[:SHOWN_TABLES])
        more = f" and {len(missing) - SHOWN_TABLES} more" if len(missing) > SHOWN_TABLES else ""
        yield Evidence("size", f"{names}{more} {verb} not among the sizes: nothing is concluded")


def _describe_limit(sizes: TableSizes) -> str:
    limits = [format_bytes(sizes.small_bytes)] if sizes.small_bytes is not None else []
    limits += [format_rows(sizes.small_rows)] if sizes.small_rows is not None else []
    return f"all that is gone through is less than `small_table`, {', '.join(limits)}"


def _describe_time(estimate: TimeEstimate | None) -> str:
    if estimate is None:
        return ""
    duration = format_duration(estimate.seconds)
    if not estimate.is_complete:
        return f"more than {duration}" if estimate.seconds >= 1 else ""
    return duration if duration.startswith("less") else f"about {duration}"


def estimate_time(
    sized: SizedFacts, statement: ObservedStatement, works: Sequence[RowWork]
) -> TimeEstimate | None:
    """How long works of a statement take; None if that is not known of any of them."""
    times = [_estimate_work(sized, statement, work) for work in works]
    known = [time for time in times if time is not None]
    return TimeEstimate(sum(known), len(known) == len(times)) if known else None


def _estimate_work(sized: SizedFacts, statement: ObservedStatement, work: RowWork) -> float | None:
    """Seconds; None if the size or the rate is not known."""
    kind, size = _find_rate_kind(sized, statement, work), sized.find_size(statement, work).size
    rate = sized.facts.work_rates.find(kind) if kind is not None else None
    if rate is None or size is None:
        return None
    by_rows = size.rows / rate.rows_per_second if size.rows is not None else 0.0
    if kind in BY_ROWS and size.rows is not None:
        return max(by_rows, _read_bytes(sized.facts.work_rates, size))
    by_bytes = size.bytes / rate.bytes_per_second if size.bytes is not None else 0.0
    return max(by_rows, by_bytes)


def _read_bytes(rates: WorkRates, size: TableSize) -> float:
    """Seconds for reading the table once."""
    rate = rates.find(WorkKind.VERIFICATION)
    return size.bytes / rate.bytes_per_second if rate is not None and size.bytes is not None else 0.0


def _find_rate_kind(sized: SizedFacts, statement: ObservedStatement, work: RowWork) -> WorkKind | None:
    """The kind of work whose rate tells how long this takes; None if no rate does."""
    if work.kind in BUILDS:
        return WorkKind.INDEX_BUILD if (work.relation.schema, work.detail) in sized.btrees else None
    if work.kind is WorkKind.REWRITE:  # a view's time is that of its query
        is_plain = work.relation.kind == "table" and not OTHER_STORAGE.search(statement.sql)
        return WorkKind.REWRITE if is_plain else None
    if work.kind is WorkKind.ROWS:
        parent = sized.find_partitioned(statement, work.relation)
        is_changed = work.relation in statement.written or parent in statement.written
        changes_all = is_changed and WHOLE_UPDATE.match(statement.sql) is not None
        return WorkKind.ROWS if changes_all else None
    return work.kind


def _describe_rates(
    sized: SizedFacts, statement: ObservedStatement, works: Sequence[RowWork]
) -> tuple[Evidence, ...]:
    """How fast this machine was, and what that says of production's."""
    kinds = dict.fromkeys(_find_rate_kind(sized, statement, work) for work in works)
    rates = [rate for kind in kinds if kind is not None and (rate := sized.facts.work_rates.find(kind))]
    texts = [_describe_rate(rate) for rate in rates]
    text = f"this machine {' and '.join(texts)} a second, in memory and with nothing else to do"
    return (Evidence("rate", f"{text}; production may be slower"),)


def _describe_rate(rate: WorkRate) -> str:
    size, rows = format_bytes(int(rate.bytes_per_second)), format_rows(int(rate.rows_per_second))
    return f"{RATE_WORDS[rate.kind]} {size} ({rows})"
