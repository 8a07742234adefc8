"""A stranger's small project, and the real command run on it in a world of its own."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from migration_gate.postgres.run_directory import MEMORY_FOLDER, has_memory_folder
from tests.support.child_signals import restore_default_signals
from tests.support.project_files import commit_all, revision_text, write_files

COMMAND = str(Path(sys.executable).with_name("migration-gate"))
MARK = "STRANGER_RUN"
"""the variable that every process of a run inherits"""
INI = """
[alembic]
script_location = migrations
prepend_sys_path = .
sqlalchemy.url = postgresql://app:app@db.invalid/app
"""
ENV = """
from alembic import context
from sqlalchemy import create_engine

from shop.models import Base
from shop.settings import URL

engine = create_engine(URL)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
PATH_LENGTH = len("/dev/shm/g12345678")
RANDOM_LENGTH = 8
"""characters that tempfile adds to a prefix"""
SETTINGS = 'URL = "postgresql://app:app@db.invalid/app"\n'
MODELS = """
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Item(Base):
    __tablename__ = "item"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), nullable=False)
"""
CREATE = (
    'op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(40)))'
)
WIDEN = (
    'op.alter_column("item", "name", type_=sa.String(50), existing_type=sa.String(40), nullable=False,'
    " existing_nullable=True)"
)


def revision(name: str, parent: str | None, upgrade: str, downgrade: str = "pass") -> str:
    """The text of a revision file."""
    return revision_text(name, parent, upgrade, downgrade, message=name)


def project(**changed: str | None) -> dict[str, str]:
    """The files of a clean project; a keyword replaces one (`env_py`), None leaves it out."""
    files = {
        "alembic_ini": INI,
        "env_py": ENV,
        "settings_py": SETTINGS,
        "models_py": MODELS,
        "one_py": revision("one", None, CREATE, 'op.drop_table("item")'),
        "two_py": revision("two", "one", WIDEN),
    }
    places = {
        "alembic_ini": "alembic.ini",
        "env_py": "migrations/env.py",
        "settings_py": "shop/settings.py",
        "models_py": "shop/models.py",
        "one_py": "migrations/versions/one.py",
        "two_py": "migrations/versions/two.py",
    }
    given: dict[str, str | None] = {**files, **changed}
    found = {places.get(name, name): text.lstrip() for name, text in given.items() if text is not None}
    return {"shop/__init__.py": "", **found}


def lay(folder: Path, files: Mapping[str, str | bytes], *, git: bool = True) -> Path:
    """Write the files, tracked by git unless told otherwise; the folder."""
    write_files(folder, files)
    if git:
        commit(folder)
    return folder


def commit(folder: Path) -> str:
    """Commit everything; the commit's id."""
    return commit_all(folder, "all")


@dataclass(frozen=True)
class Ran:
    """What one run of the command said."""

    status: int
    out: str
    err: str

    @property
    def complaints(self) -> str:
        """What stands on stderr beside the lines that say where a slow run is."""
        return re.sub(r"^.* …\n", "", self.err, flags=re.MULTILINE)

    @property
    def said(self) -> str:
        """Everything, for a failed assertion."""
        return f"status {self.status}\n{self.out}\n{self.err}"


class World:
    """A folder for a project and for temporary files, and a mark by which its processes are known."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.project = top / "project"
        self.temporary = top / "tmp"
        self.temporary.mkdir()
        self.temporary.chmod(0o1777)
        self.mark = secrets.token_hex(8)

    def lay(self, files: Mapping[str, str | bytes], *, git: bool = True) -> Path:
        """Write the project."""
        return lay(self.project, files, git=git)

    def environment(self, **changed: str | None) -> dict[str, str]:
        """What the command sees: nothing of the caller's but PATH and HOME."""
        given: dict[str, str | None] = {
            "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8",
            "TMPDIR": str(self.temporary), MARK: self.mark, "MIGRATION_GATE_CHECKPOINT": "off", **changed,
        }  # fmt: skip
        return {name: text for name, text in given.items() if text is not None}

    def command(
        self,
        *options: str,
        path: Path | None = None,
        python: str | None = sys.executable,
        program: tuple[str, ...] = (COMMAND,),
    ) -> list[str]:
        """The command line of `check`."""
        chosen = ["--python", python] if python else []
        return [*program, "check", str(path or self.project), "--format", "text", *chosen, *options]

    def start(self, *options: str, env: Mapping[str, str | None] | None = None) -> subprocess.Popen[str]:
        """The command, started."""
        return subprocess.Popen(
            self.command(*options), env=self.environment(**(env or {})), cwd="/", text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=restore_default_signals,  # noqa: PLW1509
        )  # fmt: skip

    def check(
        self,
        *options: str,
        path: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        python: str | None = sys.executable,
        program: tuple[str, ...] = (COMMAND,),
    ) -> Ran:
        """Run it to its end; nothing may be left behind, whatever came of it."""
        done = subprocess.run(
            self.command(*options, path=path, python=python, program=program),
            env=self.environment(**(env or {})), cwd="/", capture_output=True, timeout=90, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        ran = Ran(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode())
        assert "Traceback" not in ran.said, ran.said
        assert "The gate broke" not in ran.said, "".join(f.read_text() for f in self.temporary.glob("*.log"))
        self.demand_nothing_left()
        return ran

    def processes(self) -> dict[int, str]:
        """Those that carry the mark, or work in our folders."""
        return {pid: line for pid, line in _running() if self.mark in line or str(self.temporary) in line}

    def folders(self) -> list[str]:
        """What lies among the temporary files."""
        return sorted(each.name for each in self.temporary.iterdir())

    def demand_nothing_left(self, attempts: int = 1200) -> None:
        """No process and no folder, at most so many looks later: clocks go on while processes are stopped."""
        for _ in range(attempts):
            if not self.processes() and not self.folders():
                return
            time.sleep(0.05)
        assert not self.processes()
        assert not [str(each) for each in self.temporary.rglob("*")]

    def plain(self, text: str) -> str:
        """The text without what differs between machines and runs."""
        for found, name in ((str(self.top), "TOP"), (sys.executable, "PYTHON")):
            text = text.replace(found, name)
        text = re.sub(r"  - the project's code ran as root.*?where they\s+may\n", "", text, flags=re.DOTALL)
        text = text.replace("Remarks\n\n", "")
        text = re.sub(r"PostgreSQL \d[\d.]*", "PostgreSQL V", text)
        text = re.sub(r"\b\d+(\.\d+)? s\b(?! )", "N s", text)
        text = _wrap_again(text, "PYTHON")
        return re.sub(r"\b(Python|Alembic|SQLAlchemy|psycopg2?) \d+(\.\d+)+\S*?(?=[,\s])", r"\1 V", text)


def _wrap_again(text: str, word: str) -> str:
    """Wrap each paragraph with the word again, which stands for a path of any length."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(
        _wrap_paragraph(paragraph) if re.search(rf"\b{word}\b(?!PATH)", paragraph) else paragraph
        for paragraph in paragraphs
    )


def _wrap_paragraph(paragraph: str) -> str:
    indent = paragraph[: len(paragraph) - len(paragraph.lstrip())]
    return textwrap.fill(
        " ".join(paragraph.split()),
        80,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _running() -> Iterator[tuple[int, str]]:
    """Every process with its command line and environment as one text; dead ones that nobody reaped too."""
    for each in Path("/proc").iterdir():
        if each.name.isdigit() and int(each.name) != os.getpid():
            try:
                text = (each / "cmdline").read_bytes() + b"\0" + (each / "environ").read_bytes()
            except OSError:
                continue  # it has just ended, or is another user's
            yield int(each.name), text.decode("utf-8", "replace").replace("\0", " ")


@contextmanager
def world(name: str = "g") -> Iterator[World]:
    """A world below a short path that every user may enter; removed afterwards.

    The path has the same length wherever it lies: where a message is wrapped depends on it.
    """
    parent = str(MEMORY_FOLDER if has_memory_folder() else "/tmp")
    prefix = name.ljust(PATH_LENGTH - len(parent) - RANDOM_LENGTH - 1, "-")
    top = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).resolve()
    top.chmod(0o755)
    try:
        yield World(top)
    finally:
        shutil.rmtree(top, ignore_errors=True)


@pytest.fixture
def here() -> Iterator[World]:
    """A world for one test; what a failed assertion left behind is ended."""
    with world() as made:
        yield made
        for pid in made.processes():
            os.kill(pid, signal.SIGKILL)
