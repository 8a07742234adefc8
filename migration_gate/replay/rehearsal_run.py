"""Runs the new revisions with rows in all tables, from the base, and says what became of the rows.

The base's database is filled, and the revisions run in it one by one. Where one fails, plainer rows are made
for the tables that it is about, in a new copy: the rows with which it succeeds tell why it failed, and the
rehearsal goes on from there. What fails without rows, too, is not about rows.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migration_gate.analysis.refusals import makes_shared_object_again
from migration_gate.catalog.broken_rules import find_broken_rules
from migration_gate.catalog.generated_rows import count_rows
from migration_gate.catalog.row_losses import find_row_changes
from migration_gate.catalog.row_state import RowState, describe_unread, read_row_state
from migration_gate.catalog.stored_rows import StoredRows
from migration_gate.catalog.trial_statements import RowRefused
from migration_gate.facts import (
    Failure,
    Rehearsal,
    RehearsedRevision,
    RowFailure,
    RowlessTable,
    Snapshot,
    Table,
    Unchecked,
)
from migration_gate.progress import Progress
from migration_gate.replay.base_database import RevisionSplit, make_base_database
from migration_gate.replay.early_filling import EarlyFilling
from migration_gate.replay.failure_facts import FailureBuilder
from migration_gate.replay.filled_copy import FilledCopy, FilledDatabase, open_filled_copy
from migration_gate.replay.loss_causes import LossCauses, list_executed
from migration_gate.replay.loss_search import (
    MOST_STATEMENTS,
    SEARCHED_KINDS,
    LossSearch,
    number_statements,
)
from migration_gate.replay.null_rows import find_row_with_null
from migration_gate.replay.own_rows import OwnRows
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.row_watch import begin_row_watch, read_watched_states
from migration_gate.replay.runs_channel import QUERY_CANCELED, RunsChannel, RunsSession
from migration_gate.replay.sql_rows import OwnRowsRefused
from migration_gate.replay.trial_errors import ADVICE, describe_trial_error
from migration_gate.replay.wanted_rows import WantedRows
from migration_gate.replay.written_rows import list_written_rows
from migration_gate.sql.identifiers import QUOTED_KEYWORDS
from migration_gate.worker.protocol.order import RevisionRun
from migration_gate.worker.protocol.rollback_lines import FinishedRun, RunsFinished
from migration_gate.worker.run_limit import HANGS

if TYPE_CHECKING:
    import psycopg

PART = "rehearsal"
UNKNOWN = "it is not known what the later new revisions do to rows"
WATCHED_STEP = 1
"""not 0: the worker calls `migration_gate.observe` after each statement"""
SEVERAL_CONTEXTS = "env.py runs revisions in several contexts"
_WORD = re.compile(r"\w+")


class RehearsalRun:
    """The new revisions of one history."""

    def __init__(
        self,
        setup: ReplaySetup,
        channel: RunsChannel,
        split: RevisionSplit,
        failures: FailureBuilder,
        version_tables: Sequence[str],
        *,
        copied: Collection[str],
        search_path: str = "",
    ) -> None:
        """`copied`: the revisions that `setup.earlier_database` holds. `search_path`: the migrations'."""
        self._setup = setup
        self._channel = channel
        self._split = split
        self._copied = copied
        self._failures = failures
        self._version_tables = version_tables
        self._own_rows = OwnRows(setup, channel, failures, version_tables, search_path)
        self._wanted = WantedRows(self._own_rows)
        self._results: dict[str, RehearsedRevision] = {}
        self._notes: dict[str, None] = {}
        self._doubtful: dict[str, Sequence[str]] = {}
        """the statements of revisions in which several of them may have changed rows"""
        self._first_fill: FilledDatabase | None = None
        self._prepared: Future[FilledCopy] | None = None
        self._met_limit = False
        self._shares_session = True
        """one run of env.py runs several revisions"""

    @property
    def _is_impossible(self) -> bool:
        return self._split.contexts > 1 or bool(self._setup.other_databases)

    @property
    def _has_base(self) -> bool:
        """Whether `setup.earlier_database` is the base, and nothing has to run for that."""
        return bool(self._copied) and set(self._copied) == set(self._split.old)

    def begin(self, background: ThreadPoolExecutor, early_filling: EarlyFilling) -> None:
        """Make the rows in the background, if no code of the project's has to run for that.

        `close` has to be called then.
        """
        if self._has_base and not self._is_impossible and not self._own_rows.is_active:
            early_copy = early_filling.take(self._version_tables, self._copied)
            self._prepared = early_copy or background.submit(self._open_filled_copy)
        else:
            early_filling.close()

    def close(self) -> None:
        """End what is not used."""
        prepared, self._prepared = self._prepared, None
        if prepared is not None and prepared.exception() is None:
            prepared.result().connection.close()

    def rehearse(self) -> Generator[Progress, None, Rehearsal]:
        """Run all of them. What cannot be rehearsed is said in the result."""
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        yield Progress("rehearsal", total=len(self._split.new))
        if self._is_impossible:
            return Rehearsal(unproven=SEVERAL_CONTEXTS, is_impossible=True)
        problem = "" if self._has_base else make_base_database(self._setup, self._channel, self._split)
        position = 0
        try:
            while not problem and position < len(self._split.new):
                yield Progress("rehearsal", self._split.new[position], position, len(self._split.new))
                position, problem = self._run_from_base(position)
            for revision in self._doubtful:
                yield Progress("rehearsal", revision, len(self._split.new), len(self._split.new))
                # What is known without it stays.
                with contextlib.suppress(psycopg.Error, RowRefused, OwnRowsRefused):
                    self._search_statements(revision)
        except RowRefused as refused:
            problem = f"no rows could be made: {refused}"
        except psycopg.Error as error:
            problem = describe_trial_error(self._setup.server, self._setup.rehearsal_database, error)
            # Where nothing was rehearsed, analysis/unrehearsed_change says so.
            rest = Unchecked(PART, f"{problem}, so {UNKNOWN}", ADVICE)
            return self._build_rehearsal(problem, *([rest] if self._results else []))
        return self._build_rehearsal(problem)

    def _build_rehearsal(self, problem: str, *unchecked: Unchecked) -> Rehearsal:
        first = self._first_fill
        changed = [revision for revision in self._split.new if revision in self._split.changed]
        return Rehearsal(
            revisions=tuple(self._results[revision] for revision in changed if revision in self._results),
            tables=len(first.filled) if first is not None else 0,
            rows=count_rows(first.filled) if first is not None else 0,
            rowless=tuple(
                RowlessTable(table.schema, table.name, table.refusal)
                for table in (first.filled if first is not None else ())
                if not table.is_filled
            ),
            unproven=problem,
            is_limit=self._met_limit,
            own_rows=first.own_rows if first is not None else 0,
            unchecked=(*self._own_rows.unchecked, *unchecked),
            notes=(*self._own_rows.notes, *self._notes),
        )

    # One run from the base.

    def _run_from_base(self, start: int) -> tuple[int, str]:
        """Run the new revisions, and compare the rows of those from `start` on.

        Returns how many are done, and why no more can be. After a failure plainer rows are wanted.
        """
        database = self._setup.rehearsal_database
        try:
            copy = self._take_filled_copy()
        except OwnRowsRefused as refused:
            self._own_rows.refuse(refused)
            return start, ""
        filled = copy.database
        with copy.connection as connection, RunsSession(self._channel, database) as session:
            for number, revision in enumerate(self._split.new):
                runs = [RevisionRun(revision, "upgrade")]
                finished = session.run(runs) if self._shares_session else self._channel.run(database, runs)
                if finished.problem and self._shares_session and finished.problem != HANGS:
                    self._shares_session = False
                    return start, ""
                if finished.problem:
                    return number, finished.problem
                if finished.error is not None:
                    return number, self._handle_failure(connection, revision, finished, filled)
                if not self._compare_rows(
                    connection, revision, filled, finished.finished, keeps=number >= start
                ):
                    # In a process of its own, a revision keeps no connection open.
                    problem = "" if self._shares_session else QUERY_CANCELED
                    self._shares_session = False
                    return max(start, number), problem
        return len(self._split.new), ""

    def _open_filled_copy(self) -> FilledCopy:
        """Raises OwnRowsRefused, and RowRefused."""
        wanted = self._wanted
        return open_filled_copy(
            self._setup, self._version_tables, self._own_rows, wanted.varieties, wanted.others
        )

    def _take_filled_copy(self) -> FilledCopy:
        """The one that is made in the background, once; then another."""
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        prepared, self._prepared = self._prepared, None
        # Beside the rollback there may have been too many connections: alone it can succeed.
        has_failed = prepared is not None and isinstance(prepared.exception(), psycopg.OperationalError)
        copy = self._open_filled_copy() if prepared is None or has_failed else prepared.result()
        self._first_fill = self._first_fill or copy.database
        return copy

    def _compare_rows(
        self,
        connection: psycopg.Connection[Any],
        revision: str,
        filled: FilledDatabase,
        runs: Sequence[FinishedRun],
        *,
        keeps: bool,
    ) -> bool:
        """Read the rows after a revision, and keep what became of them; whether they could be read."""
        import psycopg  # noqa: PLC0415 - loaded while the server starts

        try:
            after = read_row_state(connection, filled.state)
            if keeps:
                self._notes.update(dict.fromkeys(describe_unread(filled.tracked, after, revision)))
                self._add_result(connection, revision, filled, after, runs)
        except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
            return False
        filled.tracked = _follow_rows(filled, after)
        filled.state = after
        return True

    def _add_result(
        self,
        connection: psycopg.Connection[Any],
        revision: str,
        filled: FilledDatabase,
        after: RowState,
        runs: Sequence[FinishedRun],
    ) -> None:
        statements = [item for run in runs for item in list_executed(run)]
        texts = [statement.sql for statement in statements]
        changes = find_row_changes(filled.state, after, filled.tracked, texts)
        known = self._results.get(revision) or RehearsedRevision(revision)
        causes = LossCauses(statements, (routine.name for routine in filled.snapshot.routines))
        searched = [change for change in changes if change.kind in SEARCHED_KINDS]
        if len(texts) <= MOST_STATEMENTS and not all(map(causes.is_plain, searched)):
            self._doubtful[revision] = texts
        broken = find_broken_rules(connection, self._version_tables, texts)
        self._results[revision] = replace(
            known,
            changes=tuple(causes.find_cause(change) for change in changes),
            broken_rules=tuple(map(causes.find_breaker, broken)),
            written=list_written_rows(runs),
        )

    # One more run, for the statements that changed rows.

    def _search_statements(self, revision: str) -> None:
        """Say of the changes of a revision which statement they came with; if it runs again as it did."""
        result = self._results.get(revision)
        if result is None or not result.changes:
            return
        database = self._setup.rehearsal_database
        copy = self._open_filled_copy()
        filled = copy.database
        with copy.connection as connection, RunsSession(self._channel, database) as session:
            for name in self._split.new[: self._split.new.index(revision) + 1]:
                watched: Collection[int] = ()
                if name == revision:
                    watched = _list_watched(filled.state, result, self._doubtful[revision])
                    if not begin_row_watch(connection, list(filled.state.tables), watched):
                        return
                runs = [RevisionRun(name, "upgrade", WATCHED_STEP if watched else 0)]
                finished = session.run(runs) if self._shares_session else self._channel.run(database, runs)
                if finished.problem or finished.error is not None:
                    return
                if name != revision:
                    after = read_row_state(connection, filled.state)
                    filled.tracked = _follow_rows(filled, after)
                    filled.state = after
            states = read_watched_states(connection, filled.state, watched)
        numbered = [item for run in finished.finished for item in number_statements(run)]
        functions = [routine.name for routine in filled.snapshot.routines]
        search = LossSearch(filled.state, filled.tracked, states, numbered, functions)
        located = [part for change in result.changes for part in search.locate(change)]
        self._results[revision] = replace(result, changes=tuple(located))

    # Failures.

    def _handle_failure(
        self,
        connection: psycopg.Connection[Any],
        revision: str,
        finished: RunsFinished,
        filled: FilledDatabase,
    ) -> str:
        """Remember the failure, and choose plainer rows; why that leads nowhere, or ''."""
        assert finished.error is not None  # noqa: S101 - the caller has looked
        failure = self._failures.build_failure(finished.error, finished.failed, finished.line)
        if failure.statement is None and failure.sqlstate and finished.statements:
            failure = replace(failure, statement=finished.statements[-1].sql)
        if finished.failed != revision or not self._wanted.are_any:
            known = self._results.get(revision)
            if (
                known is not None
                and known.failure is not None
                and _is_same_error(known.failure.failure, failure)
            ):
                self._results.pop(revision)  # it is not about rows
            self._met_limit = makes_shared_object_again(failure)
            return f"`{revision}` fails when it runs again, without rows, too: {failure.message}"
        blamed = f"{failure.message} {failure.detail or ''} {failure.statement or ''}"
        texts = [blamed, *(statement.sql for statement in finished.statements)]
        involved = _add_heirs(filled.snapshot, _list_named_tables(filled.snapshot, texts))
        null_row = find_row_with_null(connection, failure.message)
        rows = self._wanted.choose_plainer(revision, failure, involved, filled.snapshot)
        if rows is None:
            self._results.pop(revision, None)
        elif rows != "own" or not self._fails_with_plain_rows(revision):
            # What the error and its statement name; other statements of the revision ran.
            named = _list_named_tables(filled.snapshot, [blamed]) or involved
            tables = tuple(str(table) for table in named)
            row_failure = RowFailure(failure, rows, null_row, tables)
            self._results[revision] = RehearsedRevision(revision, failure=row_failure)
        return ""

    def _fails_with_plain_rows(self, revision: str) -> bool:
        """Whether it is known that any rows make the revision fail, none of the project's in particular."""
        known = self._results.get(revision)
        return known is not None and known.failure is not None and known.failure.rows in ("plain", "filled")


def _is_same_error(one: Failure, other: Failure) -> bool:
    return (one.sqlstate, one.message, one.statement) == (other.sqlstate, other.message, other.statement)


def _list_watched(state: RowState, result: RehearsedRevision, texts: Iterable[str]) -> list[int]:
    """The tables whose rows were changed, and those that the texts name: rows may have gone there."""
    changed = {(change.schema, change.table) for change in result.changes}
    words = _list_words(texts)
    return [
        oid
        for oid, table in state.tables.items()
        if (table.schema, table.name) in changed or _is_named(table, words)
    ]


def _list_named_tables(snapshot: Snapshot, texts: Iterable[str]) -> list[Table]:
    """The tables whose names stand in the texts; a keyword is a name only in quotes."""
    known = tuple(texts)
    words = _list_words(known)
    return [
        table
        for table in snapshot.tables
        if _is_named(table, words)
        and (table.name not in QUOTED_KEYWORDS or any(f'"{table.name}"' in text for text in known))
    ]


def _list_words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in _WORD.findall(text.lower())}


def _is_named(table: Table | StoredRows, words: set[str]) -> bool:
    """Whether all words of the table's name are among these, in small letters."""
    return words.issuperset(_WORD.findall(table.name.lower()))


def _add_heirs(snapshot: Snapshot, tables: Sequence[Table]) -> list[Table]:
    """The tables, and those that inherit from them: a statement goes through their rows, too."""
    found = list(tables)
    for table in found:
        found += [heir for heir in snapshot.tables if table.full_name in heir.inherits and heir not in found]
    return found


def _follow_rows(filled: FilledDatabase, after: RowState) -> Mapping[int, StoredRows]:
    """The made rows after a revision: all rows of the tables that had only such."""
    tracked = {}
    for oid, table in filled.tracked.items():
        later = after.tables.get(oid)
        if later is None:
            continue
        if later is filled.state.tables[oid]:
            tracked[oid] = table
            continue
        others = [row for row in filled.state.tables[oid].rows if row not in table.rows]
        tracked[oid] = replace(later, rows=tuple(row for row in later.rows if row not in others))
    return tracked
