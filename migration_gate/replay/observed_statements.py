"""Builds the facts of an observation from the server's log, session by session."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, replace

from migration_gate.facts import (
    HeldLock,
    History,
    Location,
    LockMode,
    Observation,
    ObservedStatement,
    ObserveScope,
    RowWork,
    StoredRelation,
    WorkKind,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.observation_log import LoggedLock, LogMessage, LogPoint, SessionState
from migration_gate.replay.observed_sql import (
    ROW_TAGS,
    TRUNCATION,
    WHERE,
    controls_session,
    ends_transaction,
    find_row_part,
    find_tag,
    split_parts,
    take_part,
)
from migration_gate.replay.observed_work import MODES, BaseRelations, infer_locks, without_rewritten_rows
from migration_gate.replay.work_messages import parse_proof, parse_work

READING_TAGS = ("CREATE TABLE AS", "SELECT INTO", "CREATE MATERIALIZED VIEW", "REFRESH MATERIALIZED VIEW")
"""commands that run a query"""
NO_STATE = SessionState("", ())
SHOWN_SQL = 200
LOST = (
    "the gate's record of the locks of `{revision}` breaks off: something dropped the schema "
    "migration_gate, or keeps it from writing to the server's log"
)
HELD_LOCKS = (
    "env.py runs the revisions inside of a savepoint, so their locks cannot be told from those of the "
    "revisions before them"
)
KEPT_LOCKS = (
    "the locks of the change's revisions could not be told from those of the revisions before them: env.py "
    "runs all in one transaction, which has something that a COMMIT would change for the later ones (values "
    "added to an enum type, a temporary table, deferred checks); with `transaction_per_migration=True` they "
    "are seen"
)


@dataclass(slots=True)
class Session:
    """What is known of one session so far."""

    statement: str = ""
    """that runs, or ran last"""
    parts: list[str] = field(default_factory=list)
    """what is left of it, if it consists of several statements"""
    is_described: bool = False
    """commands of it are facts already"""
    messages: list[LogMessage] = field(default_factory=list)
    """since the last point"""
    earlier: list[str] = field(default_factory=list)
    """statements since the last point, without the last one: the worker does not know them"""
    unplaced: list[int] = field(default_factory=list)
    """positions of the facts whose line is not known yet"""
    state: SessionState = NO_STATE
    states: dict[str, SessionState] = field(default_factory=dict)
    """by their digests"""
    files: dict[int, int] = field(default_factory=dict)
    scans: dict[int, int] = field(default_factory=dict)
    held_before: frozenset[LoggedLock] = frozenset()
    """locks of revisions that are not looked at, in the same transaction"""
    since: dict[tuple[int, LockMode], int] = field(default_factory=dict)
    """the number of the statement that took the lock"""
    is_observed: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen between two points of a session."""

    point: LogPoint | None = None
    works: Sequence[RowWork] = ()
    files: Sequence[int] = ()
    """oids of relations that got another file"""
    messages: Sequence[LogMessage] = ()


def build_observation(
    messages: Sequence[LogMessage],
    steps: Mapping[int, str],
    history: History,
    *,
    scope: ObserveScope,
    version_tables: Collection[str],
    has_failed: bool = False,
) -> Observation:
    """What the log says of the looked-at revisions.

    `steps`: the revisions by the numbers of their steps; `has_failed`: the last one did not run to its end.
    """
    reader = ObservationReader(steps, history, BaseRelations(version_tables))
    for message in messages:
        reader.read(message)
    reader.finish(has_failed=has_failed)
    return Observation(
        scope=scope,
        revisions=tuple(reader.revisions),
        statements=tuple(reader.statements),
        relations=reader.base.list_tables(),
        blind_spots=tuple(reader.blind_spots),
        remarks=tuple(reader.remarks),
    )


class ObservationReader:
    """Goes through the log once."""

    def __init__(self, steps: Mapping[int, str], history: History, base: BaseRelations) -> None:
        self._steps = steps
        self._history = history
        self._sessions: dict[str, Session] = {}
        self._step: int | None = None
        self._transactions: dict[tuple[int, str], int] = {}
        self.base = base
        self.revisions: dict[str, None] = {}
        self.statements: list[ObservedStatement] = []
        self.blind_spots: dict[str, None] = {}
        self.remarks: dict[str, None] = {}

    def read(self, message: LogMessage) -> None:
        """Take the next message."""
        session = self._sessions.setdefault(message.pid, Session())
        if message.point is not None:
            if message.point.state is not None:
                session.states[message.point.digest] = message.point.state
            self._read_point(session, message, message.point)
        elif self._step is None:
            return
        elif message.statement:
            self._begin_statement(session, message.statement)
        elif is_about_work(message):
            session.messages.append(message)

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
            session.state, session.since = replace(session.state, locks=()), {}
            return
        if controls_session(sql):
            return
        if session.statement and not session.is_described:
            session.earlier.append(session.statement)
        session.statement, session.is_described = sql, False
        session.parts = split_parts(sql)

    def _add_unknown(self, session: Session) -> None:
        """Add statements that no point followed: a driver's own cursor ran them."""
        self._add_earlier(session)
        if session.statement and not session.is_described:
            self._add_unseen(session, session.statement)
            session.statement = ""

    def _add_earlier(self, session: Session) -> None:
        statements, session.earlier = session.earlier, []
        for sql in statements:
            self._add_unseen(session, sql)

    def _add_unseen(self, session: Session, sql: str) -> None:
        """Add a statement of which the server has said nothing: without a WHERE it goes through all rows."""
        tag = find_tag(sql)
        works: list[RowWork] = []
        if tag in ("UPDATE", "DELETE") and not WHERE.search(sql):
            works = [RowWork(WorkKind.ROWS, table) for table in self.base.find_changed_tables(sql)]
        self._add(session, session.state, sql, tag, Evidence(works=works))

    # Points.

    def _read_point(self, session: Session, message: LogMessage, point: LogPoint) -> None:
        if point.point in ("begin", "held", "kept"):
            self._begin_step(session, point)
        elif point.point == "join":
            session.state = session.states.get(point.digest, session.state)
            session.scans, session.is_observed = dict(point.scans), True
        elif self._step is not None:
            if point.was_blind and session.is_observed and not session.is_described and session.statement:
                self._add_blind_spot(session)
            session.is_observed = True
            self._end_statement(session, message, point)
            if point.point == "end":
                self._step = None

    def _miss_end(self) -> None:
        """Add a blind spot if a revision has begun whose last point is not there."""
        if self._step is not None:
            self.blind_spots[LOST.format(revision=self._steps.get(self._step, ""))] = None

    def _begin_step(self, session: Session, point: LogPoint) -> None:
        self._miss_end()
        self._step = point.step
        self.revisions[self._steps.get(point.step or 0, "")] = None
        self.base.add(point)
        previous = session.state
        session.state = session.states.get(point.digest, session.state)
        if session.state.transaction != previous.transaction:
            session.since, session.held_before = {}, frozenset()
        if point.point == "held":
            self.blind_spots[HELD_LOCKS] = None
        if point.point == "kept":
            self.remarks[KEPT_LOCKS] = None
        if point.point in ("held", "kept"):
            session.held_before = frozenset(session.state.locks)
        session.files = dict(session.state.files or ())
        session.scans = dict(point.scans)
        session.statement, session.messages, session.is_observed = "", [], True

    def _add_blind_spot(self, session: Session) -> None:
        revision = self._steps.get(self._step or 0, "")
        sql = " ".join(session.statement.split())[:SHOWN_SQL]
        self.blind_spots[
            f"`{revision}` changes what the server logs (log_min_messages, log_statement), or resets its "
            f"session: what a statement does with rows is not known: {sql}"
        ] = None

    def _end_statement(self, session: Session, message: LogMessage, point: LogPoint) -> None:
        state = session.states.get(point.digest, session.state)
        if state.transaction != session.state.transaction:
            session.state, session.since = replace(session.state, locks=()), {}
        scans = self.base.find_new_scans(dict(point.scans), session.scans)
        session.scans = dict(point.scans)
        evidence = Evidence(
            point,
            self.base.find_works(session.messages, point, state),
            self._find_changed_files(session, state),
            session.messages,
        )
        session.messages = []
        self._add_earlier(session)
        if point.point == "command":
            self._add_command(session, state, message, evidence, scans)
        elif session.statement and self._has_news(session, state, evidence, scans):
            sql = find_row_part(session.parts) if session.is_described else ""
            sql = sql or session.statement
            works = [*evidence.works, *self.base.count_rows(scans)]
            self._add(session, state, sql, find_tag(sql), replace(evidence, works=works))
        session.state, session.is_described = state, True
        if point.point == "statement":
            self._place(session, point)

    def _has_news(
        self, session: Session, state: SessionState, evidence: Evidence, scans: Mapping[int, int]
    ) -> bool:
        """Whether more is known of a statement than its commands have shown."""
        if not session.is_described or evidence.messages or evidence.files or scans:
            return True
        return bool(set(state.locks) - set(session.state.locks))

    def _place(self, session: Session, point: LogPoint) -> None:
        """Add the line of a client's statement, which is known when it has ended."""
        for position in session.unplaced:
            statement = self.statements[position]
            location = self._find_location(statement.revision, point.line)
            in_block = point.in_block is not False
            self.statements[position] = replace(statement, location=location, is_in_block=in_block)
        session.unplaced = []
        session.statement = ""

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
        elif tag == "ALTER DOMAIN":  # it reads the tables that use the domain, and no message says so
            works += [replace(work, kind=WorkKind.VERIFICATION) for work in rows]
        else:
            rows = [] if _reads_itself(evidence) else rows
            others = [work for work in rows if not _has_part(work, evidence)]
            if others or skipped:
                sql = skipped[0] if skipped else ""
                before = Evidence(evidence.point, works=others)
                self._add(session, session.state, sql, find_tag(sql) or "DML", before)
        self._add(session, state, part or session.statement, tag, replace(evidence, works=works))

    def _find_changed_files(self, session: Session, state: SessionState) -> list[int]:
        """Relations that have another file than at the session's last point."""
        if state.files is None or state is session.state:
            return []
        current = dict(state.files)
        changed = [oid for oid, file in current.items() if session.files.get(oid) != file]
        session.files = current
        return [oid for oid in changed if oid in self.base.by_oid]

    # Facts.

    def _add(self, session: Session, state: SessionState, sql: str, tag: str, evidence: Evidence) -> None:
        number = len(self.statements) + 1
        held, taken = self._find_locks(session, state, number)
        works, emptied = list(evidence.works), self._find_emptied(sql, evidence)
        if evidence.files and not emptied:
            works += self.base.find_file_works(evidence.files, works)
            inferred = infer_locks(works, held, number)
            held, taken = [*held, *inferred], [*taken, *inferred]
        revision = self._steps.get(self._step or 0, "")
        client_sql = session.statement.strip()
        point = evidence.point
        session.unplaced.append(len(self.statements))
        self.statements.append(
            ObservedStatement(
                number=number,
                step=self._step or 0,
                revision=revision,
                sql=sql.strip(),
                tag=tag,
                client_sql=client_sql if client_sql != sql.strip() else "",
                location=self._find_location(revision, None),
                transaction=self._number_transaction(session, state),
                locks=tuple(held),
                taken=tuple(taken),
                works=tuple(work for work in without_rewritten_rows(works) if work.relation not in emptied),
                written=self._find_written(sql, tag, taken),
                emptied=emptied,
                proofs=tuple(filter(None, (parse_proof(message.text) for message in evidence.messages))),
                lock_timeout=point.lock_timeout if point is not None else 0,
                statement_timeout=point.statement_timeout if point is not None else 0,
            )
        )

    def _find_emptied(self, sql: str, evidence: Evidence) -> tuple[StoredRelation, ...]:
        if not evidence.files or not TRUNCATION.search(sql):
            return ()
        self.base.emptied.update(evidence.files)
        relations = (self.base.by_oid[oid] for oid in evidence.files)
        return tuple(relation for relation in relations if relation.is_table)

    def _find_written(self, sql: str, tag: str, taken: Sequence[HeldLock]) -> tuple[StoredRelation, ...]:
        written = {lock.relation: None for lock in taken if lock.mode is LockMode.ROW_EXCLUSIVE}
        if tag in ROW_TAGS:
            written.update(dict.fromkeys(self.base.find_changed_tables(sql)))
        return tuple(relation for relation in written if relation.is_table)

    def _number_transaction(self, session: Session, state: SessionState) -> int:
        key = (id(session), state.transaction)
        return self._transactions.setdefault(key, len(self._transactions) + 1)

    def _find_locks(
        self, session: Session, state: SessionState, number: int
    ) -> tuple[list[HeldLock], list[HeldLock]]:
        """The strongest lock on each relation, and those that are new."""
        relations = self.base.by_oid
        own = [lock for lock in state.locks if lock not in session.held_before]
        current = {(lock.oid, MODES[lock.mode]) for lock in own if lock.oid in relations}
        current = {
            (oid, mode) for oid, mode in current if mode.blocks_writes or relations[oid].kind != "index"
        }
        taken = [HeldLock(relations[oid], mode, number) for oid, mode in current - set(session.since)]
        session.since = {key: session.since.get(key, number) for key in current}
        strongest: dict[int, HeldLock] = {}
        for (oid, mode), since in session.since.items():
            if oid not in strongest or mode.strength > strongest[oid].mode.strength:
                strongest[oid] = HeldLock(relations[oid], mode, since)
        return sorted(strongest.values(), key=_lock_order), sorted(taken, key=_lock_order)

    def _find_location(self, revision: str, line: int | None) -> Location | None:
        known = self._history.find_revision(revision)
        if known is None:
            return None
        return replace(known.location, line=line) if line is not None else known.location


def is_about_work(message: LogMessage) -> bool:
    """Whether the server says what a statement of the project's does with rows, or need not do."""
    if message.level != "DEBUG" or "migration_gate" in message.context:
        return False
    return parse_work(message.text) is not None or bool(parse_proof(message.text))


def _reads_itself(evidence: Evidence) -> bool:
    """Whether a command reads tables by a query of its own, as for a new foreign key."""
    works = (parse_work(message.text) for message in evidence.messages)
    return any(work is not None and work.kind is WorkKind.FOREIGN_KEY for work in works)


def _has_part(work: RowWork, evidence: Evidence) -> bool:
    """Whether the command itself has read the table."""
    if any(work.relation == own.relation for own in evidence.works):
        return True
    point = evidence.point
    if point is None or not (point.tag or "").endswith("INDEX"):
        return False
    return any(name == work.relation.name for _, name, _ in point.targets or ())


def _lock_order(lock: HeldLock) -> tuple[int, str]:
    return (-lock.mode.strength, str(lock.relation))
