"""The PostgreSQL driver: one that is built from source gives way to its wheel, and a missing one is added."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from migration_gate.project.interpreter import DRIVERS
from migration_gate.project.search import read_text_file

WHEELS = {"psycopg2": "psycopg2-binary", "psycopg-c": "psycopg-binary"}
"""what has to be built, and the same with everything in it"""
PACKAGES = {
    "psycopg2": "psycopg2-binary",
    "psycopg": "psycopg[binary]",
    "asyncpg": "asyncpg",
    "pg8000": "pg8000",
}
"""what a URL's driver is installed as"""
PSYCOPG_BY_DEFAULT = (2, 1)
"""the SQLAlchemy whose `postgresql://` means psycopg, and psycopg2 before"""
ASYNC = re.compile(r"async_engine_from_config|create_async_engine|AsyncEngine")


def can_build() -> bool:
    """Whether psycopg2 can be built here: its headers are known, and there is a compiler."""
    return bool(shutil.which("pg_config") and (shutil.which("cc") or shutil.which("gcc")))


def missing(packages: Mapping[str, str], scripts: Sequence[Path]) -> tuple[tuple[str, ...], str]:
    """What to add so that env.py can connect, and why; nothing where a driver is there.

    `packages` are the installed ones, `scripts` env.py, the hook and the ini.
    """
    if any(name in packages for name in DRIVERS):
        return (), ""
    text = "".join(read_text_file(each) for each in scripts)
    if match := re.search(r"postgres(?:ql)?\+(psycopg2|psycopg|asyncpg|pg8000)", text):
        return (PACKAGES[match[1]],), f"the project's URL names {match[1]}"
    if ASYNC.search(text):
        return ("asyncpg", "greenlet"), "env.py is asynchronous"
    version = packages.get("sqlalchemy", "2.0")
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    package = PACKAGES["psycopg" if numbers >= PSYCOPG_BY_DEFAULT else "psycopg2"]
    return (package,), f"SQLAlchemy {version} takes it by default"


def from_source(files: Iterable[Path]) -> list[tuple[str, str]]:
    """The drivers among direct requirements that would be built: a name, and its wheel's requirement."""
    found: dict[str, str] = {}
    for file in files:
        for match in re.finditer(
            r"^[\s\"'-]*(psycopg2|psycopg-c)(?![\w.-])\s*([<>=!~][^;#\"'\n\\]*)?",
            read_text_file(file),
            re.M | re.I,
        ):
            name = match[1].lower()
            found.setdefault(name, WHEELS[name] + (match[2] or "").split("--")[0].replace(" ", ""))
    return list(found.items())
