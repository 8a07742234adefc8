"""The observed statements as facts, each with the locks that its session holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from migration_gate.analysis.revision_text import index_literals, normalize_statement
from migration_gate.facts import (
    CursorStatement,
    HeldLock,
    HeldLocks,
    History,
    Location,
    LockMode,
    ObservedStatement,
    RowWork,
    StoredRelation,
    WorkKind,
    sort_locks,
)
from migration_gate.replay.cursor_lines import CursorLines
from migration_gate.replay.late_readings import LateStatement, choose_statement
from migration_gate.replay.observation_log import LogPoint
from migration_gate.replay.observed_session import Evidence, Session, SessionState, reads_in_silence
from migration_gate.replay.observed_sql import ROW_TAGS, TRUNCATION
from migration_gate.replay.observed_work import BaseRelations, infer_locks, without_rewritten_rows
from migration_gate.replay.work_messages import parse_proof

READING_TAGS = ("CREATE TABLE AS", "SELECT INTO", "CREATE MATERIALIZED VIEW", "REFRESH MATERIALIZED VIEW")
"""commands that run a query"""
OWN_WORDS = ("CREATE", "ALTER", "DROP", "REFRESH", "COMMENT", "REINDEX", "CLUSTER", "VACUUM")
"""of commands whose work with rows the server tells itself"""


class StatementBook:
    """Takes statements one after the other."""

    def __init__(
        self,
        steps: Mapping[int, str],
        history: History,
        base: BaseRelations,
        cursor_statements: Mapping[int, Sequence[CursorStatement]],
    ) -> None:
        self._steps = steps
        self._history = history
        self.base = base
        self._cursor_lines = {step: CursorLines(items) for step, items in cursor_statements.items()}
        self._transactions: dict[tuple[int, str], int] = {}
        self.step: int | None = None
        """of the revision that runs"""
        self.statements: list[ObservedStatement] = []
        self._literals: dict[str, Mapping[str, int]] = {}
        """by the file: the lines of the statements in its text"""

    def list_statements(self) -> tuple[ObservedStatement, ...]:
        """All of them. Those of a transaction with few locks have them as a tuple."""
        for position, item in enumerate(self.statements):
            if isinstance(item.locks, HeldLocks):
                self.statements[position] = replace(item, locks=item.locks.shorten())
        return tuple(map(self._place_by_text, self.statements))

    def _place_by_text(self, statement: ObservedStatement) -> ObservedStatement:
        """With the line in the revision's file, if a driver's own cursor ran it; else that of its literal."""
        known = self._find_location(statement.revision, None)
        if known is None or statement.location != known:
            return statement
        lines = self._cursor_lines.get(statement.step)
        line = lines.find(statement) if lines is not None else None
        if line is not None:
            return replace(statement, location=self._find_location(statement.revision, line))
        if known.file not in self._literals:
            self._literals[known.file] = index_literals(self._history.find_calls(known.file))
        text = normalize_statement(statement.client_sql or statement.sql)
        return replace(
            statement, location=self._find_location(statement.revision, self._literals[known.file].get(text))
        )

    def name_revision(self) -> str:
        """The revision that runs; '' if none does."""
        return self._steps.get(self.step or 0, "")

    def add(self, session: Session, state: SessionState, sql: str, tag: str, evidence: Evidence) -> None:
        """Add a statement of the session, whose state is that at its end."""
        number = len(self.statements) + 1
        new = session.locks.follow(state.locks, self.base.by_oid, number, lambda oid: number)
        held, taken = session.locks.list_at(number), sort_locks([*session.settled, *new])
        session.settled = []
        works, emptied = list(evidence.works), self._find_emptied(sql, evidence)
        if evidence.files and not emptied:
            works += self.base.find_file_works(evidence.files, works)
            inferred = infer_locks(works, held, number)
            held, taken = held.add(inferred), [*taken, *inferred]
        revision = self.name_revision()
        client_sql = session.client_sql
        point = evidence.point
        session.unplaced.append(len(self.statements))
        self.statements.append(
            ObservedStatement(
                number=number,
                step=self.step or 0,
                revision=revision,
                sql=sql.strip(),
                tag=tag,
                client_sql=client_sql if client_sql != sql.strip() else "",
                location=self._find_location(revision, None),
                transaction=self._number_transaction(session, state),
                locks=held,
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

    def settle(self, session: Session, state: SessionState, candidates: Sequence[LateStatement]) -> None:
        """Give the session's new locks to those of its statements after which nobody read any."""
        relations = self.base.by_oid
        taken: dict[int, list[HeldLock]] = defaultdict(list)
        for lock in session.locks.follow(
            state.locks,
            relations,
            candidates[-1].number,
            lambda oid: choose_statement(candidates, oid, relations[oid]),
        ):
            taken[lock.since].append(lock)
        session.settled = taken.pop(len(self.statements) + 1, [])
        for number, locks in taken.items():
            self._amend(number, taken=locks)

    def add_rows(self, number: int, relation: StoredRelation) -> None:
        """Say that an earlier statement went through a table."""
        tag = self.statements[number - 1].tag
        if reads_in_silence(tag, self.statements[number - 1].sql):
            self._amend(number, works=[RowWork(WorkKind.VERIFICATION, relation)])
        elif tag.partition(" ")[0] not in OWN_WORDS or tag in READING_TAGS:
            self._amend(number, works=[RowWork(WorkKind.ROWS, relation)])

    def add_file(self, number: int, oid: int) -> None:
        """Say that an earlier statement gave a relation another file."""
        statement = self.statements[number - 1]
        emptied = self._find_emptied(statement.sql, Evidence(files=[oid]))
        works = [] if emptied else list(self.base.find_file_works([oid], statement.works))
        self._amend(
            number,
            taken=infer_locks(works, statement.locks, number),
            works=works,
            emptied=emptied,
        )

    def _amend(
        self,
        number: int,
        *,
        taken: Sequence[HeldLock] = (),
        works: Sequence[RowWork] = (),
        emptied: Sequence[StoredRelation] = (),
    ) -> None:
        statement = self.statements[number - 1]
        written = self._find_written(statement.sql, statement.tag, taken)
        self.statements[number - 1] = replace(
            statement,
            taken=tuple(sort_locks([*statement.taken, *taken])),
            works=without_rewritten_rows([*statement.works, *works]),
            written=tuple(dict.fromkeys([*statement.written, *written])),
            emptied=(*statement.emptied, *emptied),
        )

    def _read_client_sql(self, positions: Sequence[int]) -> str:
        statements = (self.statements[position] for position in positions)
        return next((item.client_sql or item.sql for item in statements), "")

    def _find_location(self, revision: str, line: int | None) -> Location | None:
        known = self._history.find_revision(revision)
        if known is None:
            return None
        return replace(known.location, line=line) if line is not None else known.location

    def place(self, session: Session, point: LogPoint) -> None:
        """Add the line of a client's statement, which is known when it has ended."""
        client_sql = self._read_client_sql(session.unplaced[-1:])
        for position in session.unplaced:
            statement = self.statements[position]
            location = statement.location  # a driver's own cursor ran what is another text
            if self._read_client_sql([position]) == client_sql and not session.is_controlled:
                location = self._find_location(statement.revision, point.line)
            in_block = point.in_block is not False
            self.statements[position] = replace(statement, location=location, is_in_block=in_block)
        session.unplaced = []
        session.statement = ""
