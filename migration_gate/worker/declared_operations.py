"""Runs the operations that the project's own comparison asks for, in the copy of the replayed database.

What changes there is what the project declares beside its models: a view or a function of alembic_utils, for
example. The catalog is read then, and once more after the way back; nothing stays.
"""

from __future__ import annotations

import dataclasses
import textwrap
from typing import Any, Iterable, Optional

from .catalog_snapshot import read_catalog
from .deferred_methods import dataclass
from .env_context import EnvContext, make_migration_context
from .error_report import describe_error
from .project_comparison import is_reversible
from .protocol.model_lines import DeclaredOperation
from .protocol.order import Order


@dataclass(frozen=True)
class DeclaredState:
    """The operations as code, and the catalog with them."""

    operations: tuple[DeclaredOperation, ...] = ()
    catalog: Optional[str] = None
    """as JSON, after all upgrades"""
    restored_catalog: Optional[str] = None
    """as JSON, after all downgrades"""


def run_declared_operations(
    context: EnvContext, order: Order, operations: Iterable[Any], connection: Any
) -> DeclaredState:
    """Run each as the code that a revision would have. The transaction is rolled back by the caller."""
    runner = OperationRunner(make_migration_context(context, connection), connection)
    upgraded = [runner.run_upgrade(operation) for operation in operations]
    catalog = read_catalog(connection, order.catalog_query)
    declared = [runner.run_downgrade(operation, line) for operation, line in reversed(upgraded)]
    restored_catalog = read_catalog(connection, order.catalog_query)
    return DeclaredState(tuple(reversed(declared)), catalog, restored_catalog)


class ExecutedTexts:
    """Records what is executed on a connection inside of a `with` block."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._texts: list[Optional[str]] = []

    @property
    def texts(self) -> Optional[tuple[str, ...]]:
        """As the server gets them; None if one of them has parameters."""
        texts = tuple(text for text in self._texts if text is not None)
        return texts if len(texts) == len(self._texts) else None

    def __enter__(self) -> None:
        from sqlalchemy import event

        self._texts = []
        event.listen(self._connection, "before_cursor_execute", self._record)

    def __exit__(self, *error: object) -> None:
        from sqlalchemy import event

        event.remove(self._connection, "before_cursor_execute", self._record)

    def _record(self, connection: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
        if connection.dialect.paramstyle in ("format", "pyformat"):
            statement = statement.replace("%%", "%")
        self._texts.append(None if parameters else statement)


class OperationRunner:
    """Runs operations as the lines that Alembic's renderer, or the project's own, writes for them."""

    def __init__(self, migration_context: Any, connection: Any) -> None:
        from alembic.operations import Operations

        self._migration_context = migration_context
        self._connection = connection
        self._operations = Operations(migration_context)
        self._executed = ExecutedTexts(connection)

    def run_upgrade(self, operation: Any) -> tuple[Any, DeclaredOperation]:
        """The operation after its run, with its lines or why it fails."""
        lines = self._render_lines(operation)
        error = self._run_lines(lines) if lines is not None else self._invoke_operation(operation)
        line = DeclaredOperation(
            label=_describe_operation(operation),
            upgrade="" if error is not None or lines is None else lines,
            downgrade="",
            error=error,
            upgrade_statements=None if error is not None or lines is None else self._executed.texts,
        )
        return operation, line

    def run_downgrade(self, operation: Any, line: DeclaredOperation) -> DeclaredOperation:
        """The line with the way back, if there is one that runs."""
        if line.error is not None or not is_reversible(operation):
            return line
        try:
            reverse = operation.reverse()
        except Exception:  # an operation need not have one
            return line
        lines = self._render_lines(reverse)
        if lines is None or self._run_lines(lines) is not None:
            return line
        if not line.upgrade:
            return line
        return dataclasses.replace(line, downgrade=lines, downgrade_statements=self._executed.texts)

    def _render_lines(self, operation: Any) -> Optional[str]:
        """The operation as code of a revision; None if nothing renders it."""
        from alembic.autogenerate import render_op_text
        from alembic.autogenerate.api import AutogenContext

        try:
            context = AutogenContext(self._migration_context, autogenerate=False)
            text = textwrap.dedent(str(render_op_text(context, operation))).strip()
        except Exception:  # of the project's own renderer too
            return None
        lines = [line for text in sorted(context.imports) for line in text.splitlines()]
        return "\n".join([*dict.fromkeys(lines), text]) if text else None

    def _run_lines(self, lines: str) -> Optional[str]:
        """None, or why the lines fail; what was done before stays."""
        import sqlalchemy
        from sqlalchemy.dialects import postgresql

        names = {"op": self._operations, "sa": sqlalchemy, "postgresql": postgresql}
        try:
            with self._connection.begin_nested(), self._executed:
                exec(compile(lines, "<revision>", "exec"), names)  # noqa: S102  (as a revision would)
        except Exception as error:
            return describe_error(error).message
        return None

    def _invoke_operation(self, operation: Any) -> Optional[str]:
        try:
            with self._connection.begin_nested():
                self._operations.invoke(operation)
        except Exception as error:
            return describe_error(error).message
        return None


def _describe_operation(operation: Any) -> str:
    """What an operation says of itself: the texts of its diff, or its class."""
    try:
        words = [str(word) for word in operation.to_diff_tuple()]
    except Exception:  # an operation need not have one
        words = []
    return " ".join(words) or type(operation).__name__
