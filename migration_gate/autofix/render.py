"""Alembic's operations as the lines of a revision, by Alembic's own renderer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic.operations.ops import MigrateOperation

_SPOILT = re.compile(r"%|\\|(?<![:\w]):\w")


def rendered(*operations: MigrateOperation) -> list[str]:
    """The lines of a revision's body."""
    from alembic.autogenerate import render_python_code  # noqa: PLC0415 - only where there is something to mend
    from alembic.operations.ops import UpgradeOps  # noqa: PLC0415 - only where there is something to mend
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - only where there is something to mend

    context = MigrationContext.configure(dialect_name="postgresql")
    code = render_python_code(
        UpgradeOps(ops=list(operations)), migration_context=context, alembic_module_prefix="op."
    )
    lines = [line for line in code.splitlines() if not line.lstrip().startswith("# ###")]
    return [line.removeprefix("    ") for line in lines]


def kept(name: str) -> Any:
    """A name that no naming convention changes."""
    from sqlalchemy.sql.elements import conv  # noqa: PLC0415 - only where there is something to mend

    return conv(name)


def schema_of(name: str) -> str | None:
    """A schema as Alembic takes it."""
    return None if name == "public" else name


def speakable(text: str | None) -> bool:
    """Whether Alembic's renderer keeps the text: it takes `:name` for a parameter and doubles `%`."""
    return text is None or (_SPOILT.search(text) is None and text.isprintable())
