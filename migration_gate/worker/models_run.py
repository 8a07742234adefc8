"""One run of env.py that runs no step: the models are created as env.py has them at its last context.

It has a process of its own, in which no revision has run, and ends env.py at that point: what a revision or
the end of env.py does to the metadata does not change what the history is compared with. Its database is a
copy of the replayed one, so that env.py finds the tables that it reads there.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Any, Callable, Optional

from .answer_stream import AnswerStream, OrderStream
from .env_context import EnvContext, keep_context, list_table_names, remember_options
from .models_database import ModelsDatabase
from .program_events import PROGRAM_EVENTS, PROGRAMS_WITHOUT_DATABASE, name_program
from .protocol.model_lines import ContextsMissing
from .protocol.order import ModelsRequest, Order
from .redirection import Redirection
from .used_files import FilesUsed


class ModelsFinished(BaseException):
    """Ends env.py when the models have been created. No Exception, which env.py might catch."""


class ModelsRun:
    """Runs env.py, and creates the models as soon as it has as many contexts as in the replay."""

    def __init__(
        self, order: Order, orders: OrderStream, redirection: Redirection, answer: AnswerStream
    ) -> None:
        self._order = order
        self._orders = orders
        self._answer = answer
        self._redirection = redirection
        self._reflected = ReflectedTables()
        self._files_used: Optional[FilesUsed] = FilesUsed() if order.keeps_facts else None
        """what the project uses, as far as that is seen"""
        self._contexts: list[EnvContext] = []
        self._explicit_options: dict[str, Any] = {}
        self._script: Any = None
        self.is_other_database: Callable[[Any], bool] = lambda connection: False
        """whether a connection leads to a database that this run does not judge"""
        self._changed_names = frozenset(map(os.path.basename, order.changed_files))
        self._ran_changed_files = False
        self._is_finished = False
        self.own_error: BaseException | None = None
        """what ended the creation of the models; env.py may only show what followed from it"""

    def install(self) -> None:
        """Have all that uses a database wait until the copy is there; the project's code comes later."""
        self._redirection.await_database = self._await_request
        self._redirection.database_comes_later = True
        sys.addaudithook(self._follow_event)
        if self._files_used is not None:
            self._files_used.watch()
        self._reflected.install()

    def _follow_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Notice code of the change's files, by their names; and wait before programs."""
        if event == "exec":
            file = os.path.basename(getattr(arguments[0], "co_filename", ""))
            self._ran_changed_files = self._ran_changed_files or file in self._changed_names
        elif event in PROGRAM_EVENTS and name_program(arguments) not in PROGRAMS_WITHOUT_DATABASE:
            self._await_request()

    def _await_request(self) -> ModelsRequest:
        """The request, once the history has run. What is left takes a moment: garbage is not looked for."""
        request = self._orders.demand_request()
        gc.disable()
        return request

    def run_env(self, config: Any, script: Any) -> None:
        """Run env.py until the models have been created. Raises what env.py raises before that."""
        from alembic.runtime.environment import EnvironmentContext

        self._script = script
        environment = EnvironmentContext(
            config,
            script,
            fn=self._keep_context,
            as_sql=False,
            destination_rev=",".join(self._order.target),
            tag=None,
        )
        self._explicit_options = remember_options(environment)
        try:
            with environment:
                script.run_env()
        except BaseException:  # its connections were ended: any error may follow
            if self.own_error is not None:
                raise self.own_error from None
            if not self._is_finished:
                raise

    def send_missing_contexts(self) -> None:
        """Send that env.py ended too early, if it did."""
        if not self._is_finished:
            self._answer.send(ContextsMissing(len(self._contexts)))

    def _keep_context(self, heads: Any, context: Any) -> tuple[Any, ...]:
        """Alembic calls this for each `context.run_migrations()`; no step is run."""
        if self._is_finished or self.is_other_database(context.connection):
            return ()
        request = self._await_request()
        place = request.places[len(self._contexts)]
        translation = context.connection.get_execution_options().get("schema_translate_map")
        self._contexts.append(keep_context(context, self._explicit_options, place, translation))
        if len(self._contexts) < len(request.places):
            return ()
        try:
            self._create_models(request)
        except BaseException as error:
            self.own_error = error
            raise
        self._is_finished = True
        raise ModelsFinished

    def _create_models(self, request: ModelsRequest) -> None:
        """Create the models."""
        self._answer.release()  # this attempt is the one that counts
        lost = set(request.tables) - set(list_table_names(self._contexts))
        if lost:
            # A revision that imports a model registers it, for `alembic check` too.
            list(self._script.walk_revisions())
            lost -= set(list_table_names(self._contexts))
        database = ModelsDatabase(self._order, self._redirection, self._answer, self._files_used)
        database.create_models(
            self._contexts,
            self._reflected.tables,
            tuple(sorted(lost)),
            describes_tables=request.describes_tables,
            ran_changed_files=self._ran_changed_files,
        )


class ReflectedTables:
    """The Table objects whose columns SQLAlchemy read from the database."""

    def __init__(self) -> None:
        self.tables: dict[int, Any] = {}
        """by `id()` of the Table"""

    def install(self) -> None:
        """Listen on every Table."""
        from sqlalchemy import Table, event

        def column_reflect(inspector: Any, table: Any, column: Any) -> None:
            self.tables[id(table)] = table

        event.listen(Table, "column_reflect", column_reflect)
