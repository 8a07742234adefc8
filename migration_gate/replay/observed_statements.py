"""Builds the facts of an observation from the server's log, session by session."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from migration_gate.facts import (
    CursorStatement,
    History,
    Observation,
    ObservedStatement,
    ObserveScope,
    RowWork,
    StoredRelation,
    WorkKind,
)
from migration_gate.replay.late_readings import LateStatement, choose_reader, choose_statement
from migration_gate.replay.observation_log import LogMessage, LogPoint
from migration_gate.replay.observed_session import (
    Evidence,
    Session,
    SessionState,
    has_part,
    is_about_work,
    reads_in_silence,
    reads_itself,
)
from migration_gate.replay.observed_sql import (
    ROW_TAGS,
    WHERE,
    controls_session,
    drop_control,
    ends_transaction,
    find_row_part,
    find_tag,
    is_cleanup,
    take_part,
)
from migration_gate.replay.observed_work import BaseRelations
from migration_gate.replay.statement_book import READING_TAGS, StatementBook

SHOWN_SQL = 200
LOST = (
    "the gate's record of the locks of `{revision}` breaks off: something dropped the schema "
    "migration_gate, or keeps it from writing to the server's log"
)
HELD_LOCKS = (
    "env.py runs the revisions inside of a savepoint, so their locks cannot be told from those of the "
    "revisions before them"
)
UNOBSERVED_SESSION = (
    "while `{revision}` ran, a statement came from a session that the gate does not observe (psql's, or one "
    "that was opened before); what it locked was not seen: {sql}"
)
LATE_READINGS = (
    "`{revision}` runs so many statements, with so many locks or beside so many tables, that not all of "
    "these was read after each of the later ones: the statement that names a table counts as the one that "
    "locked it, or went through its rows"
)
UNSTATED_TAGS = ("", "SELECT", "VALUES", "TABLE", "EXPLAIN", "SAVEPOINT", "ANALYZE")
"""statements of such sessions that need not be told"""
KEPT_LOCKS = (
    "the locks of the change's revisions could not be told from those of the revisions before them: env.py "
    "runs all in one transaction, which has something that a COMMIT would change for the later ones (values "
    "added to an enum type, a temporary table, deferred checks); with `transaction_per_migration=True` they "
    "are seen"
)


def build_observation(
    messages: Sequence[LogMessage],
    steps: Mapping[int, str],
    history: History,
    *,
    scope: ObserveScope,
    version_tables: Collection[str],
    has_failed: bool = False,
    cursor_statements: Mapping[int, Sequence[CursorStatement]] = MappingProxyType({}),
) -> Observation:
    """What the log says of the looked-at revisions.

    `steps`: the revisions by the numbers of their steps; `has_failed`: the last one did not run to its end;
    `cursor_statements`: what drivers' own cursors ran in them.
    """
    book = StatementBook(steps, history, BaseRelations(version_tables), cursor_statements)
    reader = ObservationReader(book)
    for message in messages:
        reader.read(message)
    reader.finish(has_failed=has_failed)
    return Observation(
        scope=scope,
        revisions=tuple(reader.revisions),
        statements=reader.list_statements(),
        relations=reader.base.list_tables(),
        blind_spots=tuple(reader.blind_spots),
        partly_seen=tuple(reader.partly_seen),
        remarks=tuple(reader.remarks),
    )


class ObservationReader:
    """Goes through the log once."""

    def __init__(self, book: StatementBook) -> None:
        self._book = book
        self._sessions: dict[str, Session] = {}
        self.base = book.base
        self.revisions: dict[str, None] = {}
        self.blind_spots: dict[str, None] = {}
        self.remarks: dict[str, None] = {}
        self.partly_seen: dict[str, None] = {}

    def read(self, message: LogMessage) -> None:
        """Take the next message."""
        session = self._sessions.setdefault(message.pid, Session())
        if message.point is not None:
            self._read_point(session, message, message.point)
        elif self._book.step is None:
            return
        elif message.statement:
            self._begin_statement(session, message.statement)
        elif message.unobserved_statement:
            self._add_unobserved(message.unobserved_statement)
        elif is_about_work(message):
            session.messages.append(message)

    def list_statements(self) -> tuple[ObservedStatement, ...]:
        """Those that were read."""
        return self._book.list_statements()

    def finish(self, *, has_failed: bool) -> None:
        """The log has ended."""
        if not has_failed:
            self._miss_end()
        for session in self._sessions.values():
            self._add_unknown(session)

    # Statements of the client.

    def _begin_statement(self, session: Session, sql: str) -> None:
        if ends_transaction(sql):
            self._add_unknown(session)
            session.statement, session.parts, session.is_described = "", [], True
            session.leave_transaction()
        if is_cleanup(sql):  # what ends is still the statement before it
            return
        session.is_controlled = controls_session(sql)
        if session.is_controlled:
            return
        if session.statement and not session.is_described:
            session.earlier.append(session.statement)
        session.parts = drop_control(sql)
        session.statement = session.parts[0] if len(session.parts) == 1 else sql
        session.client_sql, session.is_described = sql.strip(), False

    def _add_unknown(self, session: Session) -> None:
        """Add statements that no point followed: a driver's own cursor ran them."""
        self._add_earlier(session)
        if session.statement and not session.is_described:
            self._add_unseen(session, session.statement)
            session.statement = ""

    def _add_earlier(self, session: Session) -> None:
        statements, session.earlier = session.earlier, []
        client_sql = session.client_sql
        for sql in statements:
            session.client_sql = sql.strip()
            self._add_unseen(session, sql)
            unread = LateStatement(len(self._book.statements), sql, frozenset())
            session.late_locks.append(unread)
            session.late_rows.append(unread)
        session.client_sql = client_sql

    def _add_unseen(self, session: Session, sql: str) -> None:
        """Add a statement of which the server has said nothing: without a WHERE it goes through all rows."""
        tag = find_tag(sql)
        works: list[RowWork] = []
        if tag in ("UPDATE", "DELETE") and not WHERE.search(sql):
            works = [RowWork(WorkKind.ROWS, table) for table in self.base.find_changed_tables(sql)]
        self._book.add(session, session.state, sql, tag, Evidence(works=works))

    # Points.

    def _read_point(self, session: Session, message: LogMessage, point: LogPoint) -> None:
        if point.point in ("begin", "held", "kept"):
            self._begin_step(session, point)
        elif point.point == "join":
            session.state, session.is_observed = session.read_state(point), True
            session.scan_lists.read(point.scans)
        elif self._book.step is not None:
            if point.was_blind and session.is_observed and not session.is_described and session.statement:
                self._add_blind_spot(session)
            session.is_observed = True
            self._end_statement(session, message, point)
            if point.point == "end":
                self._book.step = None

    def _miss_end(self) -> None:
        """Add a blind spot if a revision has begun whose last point is not there."""
        if self._book.step is not None:
            self._add_gap(self.blind_spots, LOST.format(revision=self._book.name_revision()))

    def _add_gap(self, gaps: dict[str, None], text: str) -> None:
        gaps[text] = None
        self.partly_seen[self._book.name_revision()] = None

    def _begin_step(self, session: Session, point: LogPoint) -> None:
        self._miss_end()
        self._book.step = point.step
        self.revisions[self._book.name_revision()] = None
        self.base.add(point)
        previous = session.state
        session.state = session.read_state(point)
        session.locks.read_anew()
        if session.state.transaction != previous.transaction:
            session.locks.forget()
            session.locks.held_before = frozenset()
        session.late_locks, session.late_rows = [], []
        if point.point == "held":
            self._add_gap(self.blind_spots, HELD_LOCKS)
        if point.point == "kept":
            self.remarks[KEPT_LOCKS] = None
        if point.point in ("held", "kept"):
            session.locks.held_before = frozenset(session.state.locks.expand())
        session.file_lists.read(point.files)
        session.scan_lists.read(point.scans)
        session.statement, session.messages, session.is_observed = "", [], True

    def _add_blind_spot(self, session: Session) -> None:
        revision = self._book.name_revision()
        sql = " ".join(session.statement.split())[:SHOWN_SQL]
        text = (
            f"`{revision}` changes what the server logs (log_min_messages, log_statement), or resets its "
            f"session: what a statement does with rows is not known: {sql}"
        )
        self._add_gap(self.blind_spots, text)

    def _add_unobserved(self, sql: str) -> None:
        """Say that another program has run a statement, unless that takes no lock to speak of."""
        if not controls_session(sql) and find_tag(sql) not in UNSTATED_TAGS:
            shown = " ".join(sql.split())[:SHOWN_SQL]
            text = UNOBSERVED_SESSION.format(revision=self._book.name_revision(), sql=shown)
            self._add_gap(self.remarks, text)

    def _end_statement(self, session: Session, message: LogMessage, point: LogPoint) -> None:
        state = session.read_state(point)
        if state.transaction != session.state.transaction:
            session.leave_transaction()
        self._add_earlier(session)
        current = self._describe_current(session, point)
        scans = self._find_new_scans(session, point, current)
        evidence = Evidence(
            point,
            self.base.find_works(session.messages, point, state.locks),
            self._find_changed_files(session, point, current),
            session.messages,
        )
        session.messages = []
        self._settle_locks(session, state, point, current)
        count = len(self._book.statements)
        if point.point == "command":
            self._add_command(session, state, message, evidence, scans)
        elif session.statement and self._has_news(session, state, evidence, scans):
            sql = find_row_part(session.parts) if session.is_described else ""
            sql = sql or session.statement
            works = [*evidence.works, *self.base.count_rows(scans)]
            self._book.add(session, state, sql, find_tag(sql), replace(evidence, works=works))
        self._note_unread(session, point, count)
        session.state, session.is_described = state, True
        if point.point == "statement":
            self._book.place(session, point)

    def _describe_current(self, session: Session, point: LogPoint) -> list[LateStatement]:
        """The statement that ends, if it is another one than those whose commands have been added."""
        number = len(self._book.statements) + 1
        if session.is_described and point.point != "command":
            sql = find_row_part(session.parts)
            return [LateStatement(number, sql, frozenset())] if find_tag(sql) in ROW_TAGS else []
        targets = frozenset(oid for oid, _, _ in point.targets or ())
        return [LateStatement(number, session.statement, targets)]

    def _note_unread(self, session: Session, point: LogPoint, count: int) -> None:
        """Remember the statements that were added after the first `count` ones, if not all was read."""
        targets = frozenset(oid for oid, _, _ in point.targets or ())
        new = [LateStatement(item.number, item.sql, targets) for item in self._book.statements[count:]]
        session.late_locks = [*session.late_locks, *new] if point.locks is None else []
        session.late_rows = [*session.late_rows, *new] if point.scans is None else []
        if _is_unread(point):
            self._add_gap(self.remarks, LATE_READINGS.format(revision=self._book.name_revision()))

    def _settle_locks(
        self, session: Session, state: SessionState, point: LogPoint, current: list[LateStatement]
    ) -> None:
        """Find out which of the statements since the last reading have taken the new locks."""
        if session.late_locks and point.locks is not None:
            self._book.settle(session, state, [*session.late_locks, *current])
            session.state = state

    def _has_news(
        self, session: Session, state: SessionState, evidence: Evidence, scans: Mapping[int, int]
    ) -> bool:
        """Whether more is known of a statement than its commands have shown."""
        if not session.is_described or evidence.messages or evidence.files or scans:
            return True
        if session.settled:
            return True
        if _is_unread(evidence.point):  # what it did with rows may be read later
            return any(find_tag(part) in ROW_TAGS for part in session.parts)
        return bool(state.locks.find_changes(session.state.locks).added)

    def _add_command(
        self,
        session: Session,
        state: SessionState,
        message: LogMessage,
        evidence: Evidence,
        scans: Mapping[int, int],
    ) -> None:
        """Add a DDL command, and before it what else was done in the same text of the client's."""
        tag = message.point.tag or "" if message.point is not None else ""
        inner = message.inner_statement
        skipped, part = ([], inner) if inner else take_part(session.parts, tag)
        rows = self.base.count_rows(scans)
        works = list(evidence.works)
        if tag in READING_TAGS:
            works += rows
        else:
            if reads_in_silence(tag, part or session.statement):
                works += [replace(work, kind=WorkKind.VERIFICATION) for work in rows]
                rows = rows if any(find_tag(sql) in ROW_TAGS for sql in skipped) else []
            rows = [] if reads_itself(evidence) else rows
            others = [work for work in rows if not has_part(work, evidence)]
            if others or skipped:
                sql = skipped[0] if skipped else ""
                before = Evidence(evidence.point, works=others)
                self._book.add(session, session.state, sql, find_tag(sql) or "DML", before)
        self._book.add(session, state, part or session.statement, tag, replace(evidence, works=works))

    def _find_changed_files(
        self, session: Session, point: LogPoint, current: list[LateStatement]
    ) -> list[int]:
        """Relations that have another file than at the session's last point."""
        if point.files is None:
            return []
        previous = session.file_lists.newest
        changed = [oid for oid, _ in session.file_lists.read(point.files).find_changes(previous).added]
        own = []
        for oid in changed:
            if oid in self.base.by_oid:
                number = self._choose_late(session, oid, current, choose_statement)
                if number is None:
                    own.append(oid)
                else:
                    self._book.add_file(number, oid)
        return own

    def _find_new_scans(
        self, session: Session, point: LogPoint, current: list[LateStatement]
    ) -> dict[int, int]:
        """How often the statement has gone through tables, by their oids."""
        if point.scans is None:
            return {}
        previous = session.scan_lists.newest
        newest = session.scan_lists.read(point.scans)
        own = {}
        for oid, times in self.base.find_new_scans(newest, newest.find_changes(previous)).items():
            number = self._choose_late(session, oid, current, choose_reader)
            if number is None:
                own[oid] = times
            else:
                self._book.add_rows(number, self.base.by_oid[oid])
        return own

    def _choose_late(
        self,
        session: Session,
        oid: int,
        current: list[LateStatement],
        choose: Callable[[Sequence[LateStatement], int, StoredRelation], int],
    ) -> int | None:
        """The statement before this one that worked on a relation; None if it was this one."""
        if not session.late_rows:
            return None
        number = choose([*session.late_rows, *current], oid, self.base.by_oid[oid])
        return None if current and number == current[0].number else number


def _is_unread(point: LogPoint | None) -> bool:
    """Whether not all was read at the point."""
    return point is not None and (point.locks is None or point.scans is None)
