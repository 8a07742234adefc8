"""One downgrade, whether it is broken or correct, and the project that it stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

BASE = "0001"
REVISION = "0002"
INI = "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n"
ENV = dedent(
    """
    import os

    import sqlalchemy as sa
    from alembic import context

    engine = sa.create_engine(os.environ["BENCHMARK_URL"], poolclass=sa.NullPool)
    connectable = context.config.attributes.get("connection", None) or engine


    def run(connection):
        context.configure(
            connection=connection,
            target_metadata=sa.MetaData(),
            compare_type=True,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


    if isinstance(connectable, sa.Connection):
        run(connectable)
    else:
        with connectable.connect() as connection:
            run(connection)
    """
).lstrip()
_STATEMENT = re.compile(r"^(?:op\.|sa\.|with |for |bind|raise |pass$|    |\w+ = )")


@dataclass(frozen=True, slots=True)
class DowngradeCase:
    """A revision's two functions. A line that is no Python is an SQL statement."""

    kind: str
    """of object"""
    name: str
    upgrade: str
    downgrade: str
    is_broken: bool


def write_project(case: DowngradeCase, base_upgrade: str, base_downgrade: str, folder: Path) -> Path:
    """Write the project of a case; its folder."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text(INI)
    (folder / "migrations" / "env.py").write_text(ENV)
    first = _revision_text(BASE, None, base_upgrade, base_downgrade)
    second = _revision_text(REVISION, BASE, case.upgrade, case.downgrade)
    (versions / "0001_base.py").write_text(first)
    (versions / "0002_case.py").write_text(second)
    return folder


def _revision_text(revision: str, parent: str | None, upgrade: str, downgrade: str) -> str:
    return (
        f'"""{revision}"""\n\nimport sqlalchemy as sa\nfrom alembic import op\n'
        "from sqlalchemy.dialects import postgresql\n\n"
        f'revision = "{revision}"\ndown_revision = {parent!r}\n\n\n'
        f"def upgrade():\n{_function_body(upgrade)}\n\n\ndef downgrade():\n{_function_body(downgrade)}\n"
    )


def _function_body(text: str) -> str:
    lines = [line.rstrip() for line in dedent(text).strip("\n").splitlines() if line.strip()]
    return indent("\n".join(map(_python_line, lines)) or "pass", "    ")


def _python_line(line: str) -> str:
    return line if _STATEMENT.match(line) else f"op.execute({line!r})"
