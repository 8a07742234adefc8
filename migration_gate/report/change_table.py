"""The change's revisions as one table: what each does, and what that means for a database that is live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from migration_gate.analysis.observed_changes import list_judged
from migration_gate.check import Extent, Severity
from migration_gate.facts import Facts, ObservedStatement
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.verdict_selection import standing_verdicts
from migration_gate.verdict.outcome import SEVERITY_RANK, ProjectReport, Verdict
from migration_gate.wording import join_lines

MAX_ROWS = 30
"""the newest revisions; more is no change that anybody reviews"""
SHOWN_WORKS = 2
"""of one revision, beside the first one; each has its own size"""
WORK_CHECKS = ("blocking-change", "work-under-lock")
LOCK_CHECKS = ("broad-lock", "shared-transaction", "missing-lock-timeout", "needless-lock")
FAILING_CHECKS = ("fails-on-rows", "required-column")
ROW_CHECKS = (
    *FAILING_CHECKS,
    "lost-rows",
    "lost-values",
    "destructive",
    "violated-rule",
    "rows-differ-after-rollback",
)
CODE_CHECKS = ("breaks-running-code", "dropped-object", "new-write-restriction", "incompatible-type")
NOBODY, WRITERS, EVERYBODY = "nobody", "writers", "everybody"
NO_WORK = "none"
"""who waits for the locks"""
_SKIPPED = ("SELECT", "SET", "SHOW", "RESET", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
"""words that begin statements which change nothing"""


class CellState(StrEnum):
    """What a cell without a verdict says."""

    FINE = "fine"
    HELD = "held"
    """a lock that is no finding: it is held for a moment"""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cell:
    """What is said of a revision under one aspect."""

    text: str
    """a few words"""
    verdicts: tuple[Verdict, ...] = ()
    """the worst first"""
    state: CellState = CellState.FINE
    """if there are no verdicts"""
    note: str = ""
    """more words, where there is room"""
    lines: tuple[str, ...] = ()
    """what else there is, where there is room for several lines"""
    short_extents: tuple[str, ...] = ()
    """how much work it is, `48 GB, 6 min +3`, each shorter than the one before: the first for which there is
    room is shown, where there is none for the text, too"""

    @property
    def severity(self) -> Severity | None:
        """Of the worst verdict; None without any."""
        return self.verdicts[0].severity if self.verdicts else None


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One revision."""

    revision: str
    operations: tuple[str, ...]
    """its statements, without those that change nothing"""
    locks: Cell
    work: Cell
    rows: Cell
    code: Cell

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Those with a verdict each, in the order of the columns."""
        return (self.locks, self.work, self.rows, self.code)


def list_change_rows(project: ProjectReport) -> tuple[ChangeRow, ...]:
    """The rows of the revisions that production has yet to run; none if nothing was observed."""
    facts = project.facts
    by_revision: dict[str, list[ObservedStatement]] = {}
    for statement in list_judged(facts):
        by_revision.setdefault(statement.revision, []).append(statement)
    verdicts = standing_verdicts(project.verdicts)
    newest = list(by_revision.items())[-MAX_ROWS:]
    return tuple(_build_row(facts, revision, statements, verdicts) for revision, statements in newest)


def list_linked(rows: Iterable[ChangeRow]) -> frozenset[str]:
    """The ids of the findings that the table leads to."""
    return frozenset(verdict.id for row in rows for cell in row.cells for verdict in cell.verdicts[:1])


def _build_row(
    facts: Facts, revision: str, statements: Sequence[ObservedStatement], verdicts: Iterable[Verdict]
) -> ChangeRow:
    own = [verdict for verdict in verdicts if verdict.finding.revision == revision]
    return ChangeRow(
        revision,
        tuple(_list_operations(statements)),
        _doubt(facts, revision, _build_locks(facts, statements, own), NOBODY),
        _doubt(facts, revision, _build_work(own), NO_WORK),
        _build_rows(facts, revision, own),
        _build_code(facts, own),
    )


def _select(verdicts: Iterable[Verdict], checks: Sequence[str]) -> tuple[Verdict, ...]:
    own = [verdict for verdict in verdicts if verdict.check in checks]
    return tuple(sorted(own, key=lambda verdict: SEVERITY_RANK[verdict.severity]))


def _list_operations(statements: Iterable[ObservedStatement]) -> Iterator[str]:
    seen = set()
    for statement in statements:
        text = join_lines(statement.client_sql or statement.sql) or statement.tag
        if _is_skipped(text) and not statement.written:
            text = join_lines(statement.sql)  # what a function did, or what stands behind a SET
        if text not in seen and (statement.written or not _is_skipped(text)):
            seen.add(text)
            yield text


def _is_skipped(text: str) -> bool:
    return not text or text.split(maxsplit=1)[0].upper().rstrip(";") in _SKIPPED


def _doubt(facts: Facts, revision: str, cell: Cell, harmless: str) -> Cell:
    """The cell, unless it says that nothing was seen of a revision that was not seen whole."""
    if cell.text != harmless or cell.verdicts:
        return cell
    failure = facts.replay.failure
    if failure is not None and failure.revision == revision:
        return Cell("unfinished", state=CellState.UNKNOWN)
    is_known = revision not in facts.replay.observation.partly_seen
    return cell if is_known else Cell("partly seen", state=CellState.UNKNOWN)


def _build_locks(facts: Facts, statements: Sequence[ObservedStatement], own: Iterable[Verdict]) -> Cell:
    """Who waits while the revision runs: locks of an earlier one are held to the end of its transaction."""
    # A statement holds what those before it in its transaction hold: after the first, new locks are enough.
    firsts = {item.transaction: item.number for item in reversed(statements)}
    groups = (item.locks if firsts[item.transaction] == item.number else item.taken for item in statements)
    locks = [lock for group in groups for lock in group if lock.relation.is_table]
    strongest = max(locks, key=lambda lock: lock.mode.strength, default=None)
    verdicts = _select(own, LOCK_CHECKS)
    if strongest is None or not strongest.blocks_writes:
        return Cell(NOBODY, verdicts)
    text = EVERYBODY if strongest.blocks_reads else WRITERS
    earlier = facts.replay.observation.find_statement(strongest.since)
    revision = earlier.revision if earlier is not None else statements[0].revision
    is_older = revision != statements[0].revision
    return Cell(text, verdicts, CellState.HELD, note=f"since {revision}" if is_older else "")


def _build_work(own: Iterable[Verdict]) -> Cell:
    verdicts = _select(own, WORK_CHECKS)
    if not verdicts:
        return Cell(NO_WORK)
    kind, *others = dict.fromkeys(_describe_work(verdict) for verdict in verdicts)
    shown = [", ".join(filter(None, item)) for item in others[:SHOWN_WORKS]]
    more = [f"and {len(others) - SHOWN_WORKS} more"] if len(others) > SHOWN_WORKS else []
    extent = verdicts[0].finding.extent
    count = f" +{len(others)}" if others else ""
    short = _shorten_extent(extent, count) if extent is not None else ()
    return Cell(kind[0], verdicts, note=kind[1], lines=(*shown, *more), short_extents=short)


def _describe_work(verdict: Verdict) -> tuple[str, str]:
    """The kind of the work, and how much it is; '' if that is not known. The finding has all measures."""
    extent = verdict.finding.extent
    amount = ", ".join(filter(None, [_first_measure(extent), extent.time])) if extent is not None else ""
    return verdict.finding.kind or "other work", amount


def _first_measure(extent: Extent) -> str:
    """The bytes, or the rows where those are not known."""
    return extent.amount.partition(",")[0]


def _shorten_extent(extent: Extent, count: str) -> tuple[str, ...]:
    """The first measure of the amount, the time, and how many works there are beside; in fewer words each."""
    time = extent.time.removeprefix("about ").replace("more than ", ">").replace("less than ", "<")
    if not time:
        return tuple(dict.fromkeys((f"{_first_measure(extent)}{count}", _first_measure(extent))))
    both = f"{_first_measure(extent)}, {time}"
    return tuple(dict.fromkeys((f"{both}{count}", both, f"{time}{count}", time)))


def _build_rows(facts: Facts, revision: str, own: Iterable[Verdict]) -> Cell:
    """What becomes of rows, as far as they were there when the revision ran."""
    verdicts = _select(own, ROW_CHECKS)
    if verdicts:
        fails = any(verdict.check in FAILING_CHECKS for verdict in verdicts)
        return Cell("fails" if fails else verdicts[0].check.replace("-", " "), verdicts)
    rehearsed = (item for item in facts.replay.rehearsal.revisions if item.revision == revision)
    is_known = any(not item.unproven for item in rehearsed)
    return Cell("kept") if is_known else Cell("untried", state=CellState.UNKNOWN)


def _build_code(facts: Facts, own: Iterable[Verdict]) -> Cell:
    """Whether the release that is live works on."""
    verdicts = _select(own, CODE_CHECKS)
    if verdicts:
        return Cell("fails" if verdicts[0].severity is Severity.ERROR else "may fail", verdicts)
    is_known = facts.base is not None and facts.base.facts is not None and not facts.running_code.unproven
    if not is_known:
        return Cell("untried", state=CellState.UNKNOWN)
    if facts.running_code.untried:
        tried = "partly tried" if facts.running_code.tried else "untried"
        return Cell(tried, state=CellState.UNKNOWN)
    return Cell("works")
