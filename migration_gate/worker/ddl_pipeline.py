"""Sends DDL without waiting for each answer, which saves a third of the time that the models take."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator

from . import private_api


@contextlib.contextmanager
def pipelined_ddl(connection: Any) -> Iterator[None]:
    """Send the DDL of the block in the driver's pipeline, if it has one; raises what Postgres refused.

    What is no DDL may depend on the statements before it, and its answer is read: the pipeline ends there.
    """
    from sqlalchemy import event

    pipeline = private_api.open_pipeline(connection)
    if pipeline is None:
        yield
        return
    with contextlib.ExitStack() as stack:
        stack.enter_context(pipeline)

        def end_pipeline(
            _connection: Any, _cursor: Any, _sql: str, _values: Any, context: Any, *_: Any
        ) -> None:
            if not context.isddl:
                stack.close()

        event.listen(connection, "before_cursor_execute", end_pipeline)
        try:
            yield
        finally:
            event.remove(connection, "before_cursor_execute", end_pipeline)
