"""Lets the gate copy the server between two revisions, where a later run can begin as this one goes on.

What the revisions have done so far is committed for that, unseen by the project's code. So it happens only
where a COMMIT changes nothing for the revisions that follow, and where a new session is like this one.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Optional, Sequence

from .answer_stream import AnswerStream, OrderStream
from .catalog_snapshot import execute_unseen
from .files_read import FilesRead, list_loaded_modules
from .listener_guard import ListenerGuard
from .local_settings import LocalSettings, read_settings
from .protocol.history_lines import EarlierRevisionsRan, StepKeywords
from .protocol.order import Order

FILES = "the look at the files that the project has read"
COMMIT_AND_CHAIN = 120000
"""server_version_num of the first server that has COMMIT AND CHAIN"""
HAS_OWN_ROLE = """
select current_user = session_user and rolsuper from pg_catalog.pg_roles where rolname = current_user
"""
"""another role may not read all that is asked for next"""
LABELS = """
with mine as (
    select mod(txid_current_if_assigned(), 4294967296) as xid
), labels as (
    select e.enumtypid, e.xmin, e.cmin,
        cast(cast(e.xmin as text) as bigint) >= (select xid from mine) as is_mine
    from pg_catalog.pg_enum e
)
"""
COMMIT_OBSTACLES = """
when exists (select from pg_catalog.pg_class where relpersistence = 't'
    and relnamespace = pg_catalog.pg_my_temp_schema()) then 'there are temporary tables'
when exists (select from labels where is_mine group by enumtypid
    having count(distinct concat(xmin, ' ', cmin)) > 1)
    or exists (select from labels a join labels b using (enumtypid) where a.is_mine and not b.is_mine)
    then 'the open transaction has added values to an enum type'
when exists (select from pg_catalog.pg_trigger t
    join pg_catalog.pg_stat_xact_user_tables s on s.relid = t.tgrelid
    where t.tgdeferrable and s.n_tup_ins + s.n_tup_upd + s.n_tup_del > 0)
    then 'rows were written whose constraints are checked at the end of the transaction'
when exists (select from pg_catalog.pg_cursors where name <> '' and statement <> pg_catalog.current_query())
    then 'cursors are open'
when exists (select from pg_catalog.pg_locks
    where pid = pg_catalog.pg_backend_pid() and locktype = 'advisory')
    then 'the session holds advisory locks'
"""
"""what later revisions would find otherwise after a COMMIT"""
SESSION_OBSTACLES = """
when exists (select from pg_catalog.pg_class where relpersistence = 'u') then 'there are unlogged tables'
when exists (select from pg_catalog.pg_prepared_statements where from_sql)
    then 'there are prepared statements'
when exists (select from pg_catalog.pg_prepared_xacts) then 'there are prepared transactions'
when exists (select from pg_catalog.pg_stat_activity where backend_type = 'client backend'
    and pid <> pg_catalog.pg_backend_pid() and xact_start is not null)
    then 'another session has a transaction'
when (select count(*) from pg_catalog.pg_tablespace) > 2 then 'there are tablespaces'
when exists (select from pg_catalog.pg_replication_slots) then 'there are replication slots'
when exists (select from pg_catalog.pg_file_settings where right(sourcefile, 20) = 'postgresql.auto.conf')
    then 'ALTER SYSTEM has changed settings'
"""
"""what a new session, on a copy of the server, would find otherwise"""
FIND_COMMIT_OBSTACLE = "%s select case %s else '' end" % (LABELS, COMMIT_OBSTACLES)
FIND_SESSION_OBSTACLE = "select case %s else '' end" % SESSION_OBSTACLES


class StateKeeper:
    """Waits at most once in a run: when the revisions that are not new have run."""

    def __init__(
        self,
        order: Order,
        answer: AnswerStream,
        orders: OrderStream,
        guard: ListenerGuard,
        local_settings: LocalSettings,
    ) -> None:
        self._order = order
        self._answer = answer
        self._orders = orders
        self._guard = guard
        self._local_settings = local_settings
        self._contexts = 0
        self._is_done = False
        self._observed: frozenset[str] = frozenset()
        self._files_read = FilesRead()
        if order.keeps_state:
            self._files_read.watch()
        self._settings: Optional[dict[str, str]] = None
        """of the session, when the context began"""
        self.has_model_ddl: Callable[[], bool] = lambda: False
        """whether something was built from the models so far"""
        self.list_keywords: Callable[[], tuple[StepKeywords, ...]] = tuple

    def begin(self, context: Any, observed_revisions: frozenset[str]) -> None:
        """A context begins, some of whose revisions are looked at or rolled back."""
        self._contexts += 1
        self._observed = observed_revisions
        earlier = self._order.earlier_run
        if earlier is not None and observed_revisions.intersection(earlier.revisions):
            raise RuntimeError("revisions of the earlier run are looked at one by one")
        if self._order.keeps_state:
            with self._guard.querying("the look at the settings of the session"):
                self._settings = dict(read_settings(context.connection))

    def keep(self, context: Any, revisions: Sequence[str], *, has_more: bool, is_whole_target: bool) -> None:
        """These revisions of the context have run: have the state copied, if nothing is in the way.

        `has_more`: new ones follow.
        """
        earlier = self._order.earlier_run.revisions if self._order.earlier_run is not None else ()
        has_run_some = len(revisions) > len(earlier)
        keeps_state = self._order.keeps_state and has_run_some
        copies_base = self._order.copies_base and has_run_some and has_more
        if self._is_done or not (keeps_state or copies_base) or not self._answer.is_owner:
            return
        self._is_done = True
        commit_obstacle = self._find_commit_obstacle(context, revisions, is_whole_target=is_whole_target)
        obstacle = commit_obstacle or (self._find_state_obstacle(context.connection) if keeps_state else "")
        is_committed = not commit_obstacle and (copies_base or not obstacle)
        if is_committed:
            with self._guard.querying("the copy of the server between two revisions"):
                self._local_settings.commit(context.connection)
        line = EarlierRevisionsRan(tuple(revisions), obstacle, is_committed, self.list_keywords())
        if keeps_state and not obstacle:
            line = self._add_files(line)
        self._answer.send(line)
        if is_committed:
            self._orders.await_kept_state()

    def _add_files(self, line: EarlierRevisionsRan) -> EarlierRevisionsRan:
        """With what the project has read and imported; if that is not known, no later run begins here."""
        with_obstacle = dataclasses.replace(line, obstacle="%s failed" % FILES)
        with self._guard.observing(FILES):
            files, modules = self._files_read.list_paths(), list_loaded_modules()
            line = dataclasses.replace(line, files_read=files, modules=modules)
        return with_obstacle if FILES in self._guard.failures else line

    def _find_commit_obstacle(self, context: Any, revisions: Sequence[str], *, is_whole_target: bool) -> str:
        """What is in the way of a COMMIT that is no one's but ours; '' if nothing is."""
        server = self._order.server
        obstacles = {
            "env.py has several contexts, or the run several targets": self._contexts != 1
            or not is_whole_target,
            "the server is not the gate's own, or too old": server.version < COMMIT_AND_CHAIN
            or not server.token,
            "older revisions are looked at one by one": bool(self._observed.intersection(revisions)),
            "a savepoint is open": context.connection.in_nested_transaction(),
            "something of the gate's failed": bool(self._guard.failures),
        }
        obstacle = next((words for words, is_there in obstacles.items() if is_there), "")
        if obstacle:
            return obstacle
        obstacle = "it could not be seen what a commit would change"
        with self._guard.querying("the look for what a commit would change"):
            if execute_unseen(context.connection, HAS_OWN_ROLE)[0][0]:
                obstacle = find_commit_obstacle(context.connection)
            else:
                obstacle = "the session has another role"
        return obstacle

    def _find_state_obstacle(self, connection: Any) -> str:
        """What a new session, on a copy of the server, would find otherwise; '' if nothing."""
        if self.has_model_ddl():
            return "older revisions build tables from the models"
        obstacle = "it could not be seen what a new session would find"
        with self._guard.querying("the look for what a new session would find"):
            if dict(read_settings(connection)) == self._settings:
                obstacle = str(execute_unseen(connection, FIND_SESSION_OBSTACLE)[0][0])
            else:
                obstacle = "older revisions have changed settings of the session"
        return obstacle


def find_commit_obstacle(connection: Any) -> str:
    """What a COMMIT would change for the revisions that follow; '' if nothing."""
    return str(execute_unseen(connection, FIND_COMMIT_OBSTACLE)[0][0])
