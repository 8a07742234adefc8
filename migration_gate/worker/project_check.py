"""What `alembic check` would say beyond the models, context by context, and what comes of its operations."""

from __future__ import annotations

from functools import partial
from typing import Any, Iterable

from . import private_api
from .declared_operations import DeclaredState, run_declared_operations
from .env_context import EnvContext
from .error_report import describe_error
from .own_connection import OwnConnections
from .project_comparison import ProjectComparison, compare_as_project
from .protocol.model_lines import ModelsProblem
from .protocol.order import Order

COMPARATORS = "the project's own comparators"


class ProjectCheck:
    """The comparisons of all contexts together. The tables of the replay are still there."""

    def __init__(self, order: Order, connections: OwnConnections) -> None:
        self._order = order
        self._connections = connections
        self.comparison = ProjectComparison()
        self.declared = DeclaredState()
        """of the first context that has operations: a loop over tenants has the same for each"""

    def check_context(self, context: EnvContext) -> None:
        """Compare in one context, and run what its comparison asks for."""
        comparison = self._compare_as_project(context)
        self.comparison.filtered += comparison.filtered
        self.comparison.dismissed += comparison.dismissed
        self.comparison.problems += comparison.problems
        if comparison.operations and not self.declared.operations:
            self._run_operations(context, comparison.operations)

    def _compare_as_project(self, context: EnvContext) -> ProjectComparison:
        try:
            return self._compare_in_copy(context, with_comparators=True)
        except Exception as error:
            if not private_api.has_foreign_comparators():
                raise
            message = describe_error(error).message
            comparison = self._compare_in_copy(context, with_comparators=False)
            comparison.problems.append(ModelsProblem(COMPARATORS, "they failed: %s" % message))
            return comparison

    def _compare_in_copy(self, context: EnvContext, *, with_comparators: bool) -> ProjectComparison:
        compare = partial(compare_as_project, context, with_comparators)
        return self._connections.run(self._order.models_database, context, compare)

    def _run_operations(self, context: EnvContext, operations: Iterable[Any]) -> None:
        def run_and_roll_back(connection: Any) -> DeclaredState:
            savepoint = connection.begin_nested()
            try:
                return run_declared_operations(context, self._order, operations, connection)
            finally:
                savepoint.rollback()

        try:
            self.declared = self._connections.run(self._order.models_database, context, run_and_roll_back)
        except Exception as error:
            message = describe_error(error).message
            problem = ModelsProblem(COMPARATORS, "what they found could not be run: %s" % message)
            self.comparison.problems.append(problem)
