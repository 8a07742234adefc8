"""One migration whose locks and work are judged, and the project that it stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

INI = "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n"
ENV = dedent(
    """
    import os

    import sqlalchemy as sa
    from alembic import context

    engine = sa.create_engine(os.environ["BENCHMARK_URL"], poolclass=sa.NullPool)

    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=sa.MetaData(),
            transaction_per_migration={own},
        )
        with context.begin_transaction():
            context.run_migrations()
    """
).lstrip()
STATEMENT = re.compile(r"^(?:op\.|with |for |bind|cursor|    |\w+ = )")
BASE = "0001"


@dataclass(frozen=True, slots=True)
class LockCase:
    """Revisions after the base. A line that is no Python is an SQL statement."""

    kind: str
    """of what is changed"""
    name: str
    revisions: tuple[str, ...]
    """the bodies of their upgrades"""
    transaction_per_migration: bool = False
    since_major: int = 0
    """the first PostgreSQL that has the statement"""

    @property
    def key(self) -> str:
        """Kind and name."""
        return f"{self.kind}: {self.name}"

    @property
    def revision_names(self) -> tuple[str, ...]:
        """The file names of the revisions, without their folder."""
        return tuple(f"{number:04}_case.py" for number in range(2, len(self.revisions) + 2))


def write_project(case: LockCase, base_upgrade: str, folder: Path) -> Path:
    """Write the project of a case; its folder."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text(INI)
    (folder / "migrations" / "env.py").write_text(ENV.format(own=case.transaction_per_migration))
    (versions / "0001_base.py").write_text(_revision_text(BASE, None, base_upgrade))
    parent = BASE
    for name, body in zip(case.revision_names, case.revisions, strict=True):
        (versions / name).write_text(_revision_text(name[:4], parent, body))
        parent = name[:4]
    return folder


def _revision_text(revision: str, parent: str | None, upgrade: str) -> str:
    lines = [line.rstrip() for line in upgrade.strip("\n").splitlines() if line.strip()]
    body = indent("\n".join(map(_python_line, lines)) or "pass", "    ")
    return (
        f'"""{revision}"""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
        f'revision = "{revision}"\ndown_revision = {parent!r}\n\n\n'
        f"def upgrade():\n{body}\n\n\ndef downgrade():\n    raise NotImplementedError\n"
    )


def _python_line(line: str) -> str:
    return line if STATEMENT.match(line) else f"op.execute({line!r})"
