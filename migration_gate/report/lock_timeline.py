"""A picture of a transaction: its statements, and below them who waits for which table, from when to when.

The chart holds no text of the project as it is: labels are plain, and none stands where Mermaid expects a
word of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migration_gate.analysis.observed_changes import list_judged
from migration_gate.facts import ObservedStatement, StoredRelation
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.change_table import LOCK_CHECKS, WORK_CHECKS
from migration_gate.report.markdown import escape_markdown, fence_mermaid, fold_section
from migration_gate.report.mermaid import plain_label
from migration_gate.report.verdict_selection import standing_verdicts
from migration_gate.verdict.outcome import ProjectReport
from migration_gate.wording import count_noun, join_lines

SETTING_CHECKS = ("missing-lock-timeout", "needless-lock")
"""that are about one statement: the others of its transaction do not matter"""
MAX_CHARTS = 3
MAX_STATEMENTS = 12
"""of one chart; each is a column"""
MAX_TABLES = 10
STATEMENT_LENGTH = 200
TAG_LENGTH = 16
NAME_LENGTH = 14
"""characters of a label: a telephone shows 375 pixels"""
READERS, WRITERS = "all wait", "writes wait"
DIRECTIVE = '%%{init: {"gantt": {"leftPadding": 90}}}%%'
HEADER = (
    DIRECTIVE,
    "gantt",
    "  dateFormat YYYY-MM-DD",
    "  axisFormat %-d",
    "  tickInterval 1day",
    "  todayMarker off",
)
NEW_LINE, QUOTE = "\n", "'"
DAY = "2000-01-{:02}"
"""a statement is a day long: Mermaid draws nothing but times"""
LEGEND = (
    "Each column is a statement of the list, however long it takes. Red above: it goes through rows while "
    "others wait. Below: who waits for a table, from the statement that locks it to the end of the "
    "transaction; red: reads, too."
)


@dataclass(frozen=True, slots=True)
class LockBar:
    """Statements during which the same others wait for a table."""

    relation: StoredRelation
    blocks_reads: bool
    first: int
    """position of the statement in its transaction, from 0"""
    last: int


def render_timelines(project: ProjectReport) -> str:
    """Folded charts of transactions that hold locks over several statements; empty without a finding."""
    transactions = ((statements, list_lock_bars(statements)) for statements in _list_concerned(project))
    charts = [
        _draw_chart(statements, bars)
        for statements, bars in transactions
        if any(bar.last > bar.first for bar in bars)
    ]
    if not charts:
        return ""
    more = len(charts) - MAX_CHARTS
    rest = f"\n{count_noun(more, 'more transaction')} of this kind.\n" if more > 0 else ""
    text = "\n".join(charts[:MAX_CHARTS])
    return fold_section("Locks, statement by statement", f"{LEGEND}\n\n{text}{rest}")


def list_lock_bars(statements: Sequence[ObservedStatement]) -> list[LockBar]:
    """The bars of one transaction's statements, by the table that is locked first.

    Of a long transaction these are as much of them as is drawn: it may hold thousands of locks.
    """
    bars: dict[StoredRelation, list[LockBar]] = {}
    for position, statement in enumerate(statements):
        if position > MAX_STATEMENTS and any(bar.last > bar.first for own in bars.values() for bar in own):
            break
        for lock in statement.locks:
            if lock.relation.is_table and lock.blocks_writes:
                _extend(bars.setdefault(lock.relation, []), lock.relation, lock.blocks_reads, position)
    return [bar for own in bars.values() for bar in own]


def _extend(bars: list[LockBar], relation: StoredRelation, blocks_reads: bool, position: int) -> None:
    previous = bars[-1] if bars else None
    if previous is None or (previous.last, previous.blocks_reads) != (position - 1, blocks_reads):
        bars.append(LockBar(relation, blocks_reads, position, position))
    else:
        bars[-1] = LockBar(relation, blocks_reads, previous.first, position)


def _list_concerned(project: ProjectReport) -> Iterator[list[ObservedStatement]]:
    """The statements of each transaction whose locks a finding is about, without those that lock nothing."""
    checks = {*WORK_CHECKS, *LOCK_CHECKS}.difference(SETTING_CHECKS)
    revisions = {
        item.finding.revision for item in standing_verdicts(project.verdicts) if item.check in checks
    }
    transactions: dict[int, list[ObservedStatement]] = {}
    for statement in list_judged(project.facts):
        transactions.setdefault(statement.transaction, []).append(statement)
    for statements in transactions.values():
        if revisions.intersection(statement.revision for statement in statements):
            yield [item for item in statements if item.taken or item.works or item.written]


def _draw_chart(statements: Sequence[ObservedStatement], bars: Sequence[LockBar]) -> str:
    lines = [*HEADER]
    revision: str | None = None
    shown = statements[:MAX_STATEMENTS]
    for position, statement in enumerate(shown):
        if statement.revision != revision:
            revision = statement.revision
            lines.append(f"  section {plain_label(revision, NAME_LENGTH)}")
        lines.append(_draw_statement(position, statement))
    tables = list(dict.fromkeys(bar.relation for bar in bars if bar.first < len(shown)))
    for table in tables[:MAX_TABLES]:
        lines.append(f"  section {plain_label(str(table), NAME_LENGTH)}")
        lines += [
            _draw_bar(bar, len(shown)) for bar in bars if bar.relation == table and bar.first < len(shown)
        ]
    listed = "".join(f"{number}. {_quote_statement(item)}\n" for number, item in enumerate(shown, 1))
    others = _count_others(len(statements) - len(shown), len(tables) - MAX_TABLES)
    return f"{fence_mermaid(NEW_LINE.join(lines))}\n{listed}{others}"


def _quote_statement(statement: ObservedStatement) -> str:
    """The statement as Markdown on one line."""
    text = join_lines(statement.sql or statement.client_sql) or statement.tag
    short = text if len(text) <= STATEMENT_LENGTH else f"{text[: STATEMENT_LENGTH - 1]}…"
    return f"<code>{escape_markdown(short.replace('`', QUOTE))}</code>"


def _draw_statement(position: int, statement: ObservedStatement) -> str:
    is_waited_for = any(lock.blocks_writes and lock.relation.is_table for lock in statement.locks)
    text = statement.tag or " ".join((statement.sql or statement.client_sql).split()[:2])
    tags = "crit, " if statement.works and is_waited_for else ""
    label = plain_label(text, TAG_LENGTH)
    return f"  {position + 1}. {label} :{tags}{_name_day(position)}, {_name_day(position + 1)}"


def _draw_bar(bar: LockBar, end: int) -> str:
    tags, text = ("crit", READERS) if bar.blocks_reads else ("active", WRITERS)
    return f"  {text} :{tags}, {_name_day(bar.first)}, {_name_day(min(bar.last + 1, end))}"


def _name_day(position: int) -> str:
    return DAY.format(position + 1)


def _count_others(statements: int, tables: int) -> str:
    """What has no room in the chart."""
    counts = [
        count_noun(number, f"more {noun}")
        for number, noun in ((statements, "statement"), (tables, "table"))
        if number > 0
    ]
    return f"\nNot drawn: {' and '.join(counts)}.\n" if counts else ""
