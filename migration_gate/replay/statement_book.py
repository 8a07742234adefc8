"""The observed statements as facts, each with the locks that its session holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from migration_gate.facts import HeldLock, History, Location, LockMode, ObservedStatement, StoredRelation
from migration_gate.replay.observation_log import LogPoint, SessionState
from migration_gate.replay.observed_session import Evidence, Session
from migration_gate.replay.observed_sql import ROW_TAGS, TRUNCATION
from migration_gate.replay.observed_work import MODES, BaseRelations, infer_locks, without_rewritten_rows
from migration_gate.replay.work_messages import parse_proof


class StatementBook:
    """Takes statements one after the other."""

    def __init__(self, steps: Mapping[int, str], history: History, base: BaseRelations) -> None:
        self._steps = steps
        self._history = history
        self._base = base
        self._transactions: dict[tuple[int, str], int] = {}
        self.step: int | None = None
        """of the revision that runs"""
        self.statements: list[ObservedStatement] = []

    def name_revision(self) -> str:
        """The revision that runs; '' if none does."""
        return self._steps.get(self.step or 0, "")

    def add(self, session: Session, state: SessionState, sql: str, tag: str, evidence: Evidence) -> None:
        """Add a statement of the session, whose state is that at its end."""
        number = len(self.statements) + 1
        held, taken = self._find_locks(session, state, number)
        works, emptied = list(evidence.works), self._find_emptied(sql, evidence)
        if evidence.files and not emptied:
            works += self._base.find_file_works(evidence.files, works)
            inferred = infer_locks(works, held, number)
            held, taken = [*held, *inferred], [*taken, *inferred]
        revision = self.name_revision()
        client_sql = session.statement.strip()
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
        self._base.emptied.update(evidence.files)
        relations = (self._base.by_oid[oid] for oid in evidence.files)
        return tuple(relation for relation in relations if relation.is_table)

    def _find_written(self, sql: str, tag: str, taken: Sequence[HeldLock]) -> tuple[StoredRelation, ...]:
        written = {lock.relation: None for lock in taken if lock.mode is LockMode.ROW_EXCLUSIVE}
        if tag in ROW_TAGS:
            written.update(dict.fromkeys(self._base.find_changed_tables(sql)))
        return tuple(relation for relation in written if relation.is_table)

    def _number_transaction(self, session: Session, state: SessionState) -> int:
        key = (id(session), state.transaction)
        return self._transactions.setdefault(key, len(self._transactions) + 1)

    def _find_locks(
        self, session: Session, state: SessionState, number: int
    ) -> tuple[list[HeldLock], list[HeldLock]]:
        """The strongest lock on each relation, and those that are new."""
        relations = self._base.by_oid
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

    def place(self, session: Session, point: LogPoint) -> None:
        """Add the line of a client's statement, which is known when it has ended."""
        for position in session.unplaced:
            statement = self.statements[position]
            location = self._find_location(statement.revision, point.line)
            in_block = point.in_block is not False
            self.statements[position] = replace(statement, location=location, is_in_block=in_block)
        session.unplaced = []
        session.statement = ""


def _lock_order(lock: HeldLock) -> tuple[int, str]:
    return (-lock.mode.strength, str(lock.relation))
