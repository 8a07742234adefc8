"""Small Alembic projects, written to a folder: an env.py of some kind, and a history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent, indent

from tests.support.project_files import revision_text, write_files

URL = "postgresql://app:secret@db.invalid:5432/app"
FROM_CONFIG = (
    "engine_from_config(config.get_section(config.config_ini_section), prefix='sqlalchemy.', "
    "poolclass=pool.NullPool)"
)
IN_TRANSACTION = "with context.begin_transaction():\n    context.run_migrations()"
ENV = """\
from alembic import context
from sqlalchemy import create_engine, engine_from_config, event, pool, text
{imports}
config = context.config
target_metadata = None
{top}

def run_online():
    engine = {engine}
    with {connect} as connection:
{before}
        context.configure(connection=connection, target_metadata=target_metadata{configure})
{run}


if context.is_offline_mode():
    context.configure(url={url!r}, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    run_online()
"""
ASYNC_ENV = """\
import asyncio
from alembic import context
from sqlalchemy import pool, text
from sqlalchemy.ext.asyncio import async_engine_from_config, create_async_engine
{imports}
config = context.config
target_metadata = None
{top}

def do_run(connection):
{before}
    context.configure(connection=connection, target_metadata=target_metadata{configure})
{run}


async def run_online():
    engine = {engine}
    async with {connect} as connection:
        await connection.run_sync(do_run)
    await engine.dispose()


asyncio.run(run_online())
"""


def env(
    *,
    url: str = URL,
    imports: str = "",
    top: str = "",
    engine: str = FROM_CONFIG,
    connect: str = "engine.connect()",
    before: str = "pass",
    configure: str = "",
    run: str = IN_TRANSACTION,
) -> str:
    """A synchronous env.py of Alembic's usual shape."""
    return ENV.format(
        url=url, imports=imports, top=dedent(top), engine=engine, connect=connect,
        before=indent(dedent(before), " " * 8), configure=configure and f", {configure}",
        run=indent(dedent(run), " " * 8),
    )  # fmt: skip


def async_env(
    *,
    imports: str = "",
    top: str = "",
    engine: str = FROM_CONFIG.replace("engine_from", "async_engine_from"),
    connect: str = "engine.connect()",
    before: str = "pass",
    configure: str = "",
    run: str = IN_TRANSACTION,
) -> str:
    """An asynchronous env.py of Alembic's usual shape."""
    return ASYNC_ENV.format(
        imports=imports, top=dedent(top), engine=engine, connect=connect,
        before=indent(dedent(before), "    "), configure=configure and f", {configure}",
        run=indent(dedent(run), "    "),
    )  # fmt: skip


@dataclass(frozen=True)
class Rev:
    """One revision file."""

    id: str
    body: str
    down: str | tuple[str, ...] | None = None
    message: str = "a change"
    imports: str = ""
    labels: tuple[str, ...] | None = None
    depends: str | tuple[str, ...] | None = None
    folder: str = "versions"

    def text(self) -> str:
        """The file."""
        return revision_text(
            self.id,
            self.down,
            self.body,
            message=self.message,
            imports=self.imports,
            labels=self.labels,
            depends_on=self.depends,
        )


STANDARD = (
    Rev(
        "0001",
        """
        op.execute("CREATE TYPE user_status AS ENUM ('active', 'gone')")
        op.create_table(
            "users",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("name", sa.String(50), nullable=False),
        )
        """,
    ),
    Rev("0002", 'op.add_column("users", sa.Column("email", sa.String(200)))', "0001"),
    Rev(
        "0003",
        """
        op.create_table(
            "posts",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", name="posts_user"), nullable=False),
            sa.Column("title", sa.Text),
        )
        """,
        "0002",
    ),
    Rev("0004", 'op.create_index("ix_posts_title", "posts", ["title"])', "0003"),
    Rev(
        "0005",
        """
        op.execute("INSERT INTO users (name, email) VALUES ('a', 'a@example.com'), ('b', 'b@example.com')")
        op.alter_column("users", "email", nullable=False)
        """,
        "0004",
    ),
)
"""users and posts in five revisions: what most kinds of env.py are tried with"""


def one(body: str, imports: str = "") -> tuple[Rev, ...]:
    """A history of one revision."""
    return (Rev("0001", body, imports=imports),)


def after(revisions: Sequence[Rev], *bodies: str, imports: str = "") -> tuple[Rev, ...]:
    """The history, with more revisions at its end."""
    out = list(revisions)
    for body in bodies:
        out.append(Rev(f"{len(out) + 1:04}", body, out[-1].id, imports=imports))
    return tuple(out)


def instead(revisions: Sequence[Rev], identifier: str, body: str) -> tuple[Rev, ...]:
    """The history, with another body for one revision."""
    return tuple(replace(each, body=body) if each.id == identifier else each for each in revisions)


def lay(
    folder: Path,
    revisions: Sequence[Rev] = STANDARD,
    env: str = "",
    *,
    url: str = URL,
    ini: str = "",
    files: Mapping[str, str] | None = None,
) -> Path:
    """Write the project, and return its folder."""
    config = f"[alembic]\nscript_location = migrations\nprepend_sys_path = .\nsqlalchemy.url = {url}\n"
    scripts = {f"migrations/{revision.folder}/{revision.id}.py": revision.text() for revision in revisions}
    more_files = {name: dedent(text) for name, text in (files or {}).items()}
    environment = {"alembic.ini": config + dedent(ini), "migrations/env.py": env or globals()["env"](url=url)}
    return write_files(folder, {**environment, **scripts, **more_files})


def line_of(folder: Path, revision: str, text: str, versions: str = "versions") -> int:
    """The line on which `text` stands in a revision's file, from 1."""
    lines = (folder / "migrations" / versions / f"{revision}.py").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)
