"""Replaces a PostgreSQL driver that has to be built by its wheel, and chooses the driver that is missing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.interpreter import DRIVERS
from migration_gate.project.search import read_text_file

WHEELS = {"psycopg2": "psycopg2-binary", "psycopg-c": "psycopg-binary"}
"""a package that has to be built, and the package that is the same as a wheel"""
DRIVER_PACKAGES = {
    "psycopg2": "psycopg2-binary",
    "psycopg": "psycopg[binary]",
    "asyncpg": "asyncpg",
    "pg8000": "pg8000",
}
"""the driver in a URL, and the package to install for it"""
PSYCOPG_BY_DEFAULT = (2, 1)
"""the first SQLAlchemy that takes psycopg for `postgresql://`; older ones take psycopg2"""
ASYNC_ENGINE = re.compile(r"async_engine_from_config|create_async_engine|AsyncEngine")
BUILT_DRIVER = re.compile(
    r"^[\s\"'-]*(psycopg2|psycopg-c)(?![\w.-])\s*([<>=!~][^;#\"'\n\\]*)?(;[^#\n\\]*)?",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DriverReplacement:
    """A driver that cannot be built here, and what is installed instead."""

    name: str
    requirement: str
    """the wheel in the versions that were asked for: `psycopg2-binary==2.9.10`"""

    @property
    def note(self) -> str:
        """What to say about it in the report."""
        return f"{WHEELS[self.name]} was installed for {self.name}, which has to be built and cannot be here"


@dataclass(frozen=True, slots=True)
class MissingDriver:
    """A driver to install, so that env.py can connect."""

    packages: tuple[str, ...]
    """the driver, and what it needs beside"""
    reason: str


def can_build_drivers() -> bool:
    """Whether psycopg2 can be built here: there are PostgreSQL's headers and a compiler."""
    return bool(shutil.which("pg_config") and (shutil.which("cc") or shutil.which("gcc")))


def find_replacements(texts: Iterable[str]) -> list[DriverReplacement]:
    """The drivers in lists of requirements, or in a pyproject.toml or setup.py, that cannot be built here."""
    if can_build_drivers():
        return []
    replacements: dict[DriverReplacement, None] = {}
    for text in texts:
        for match in BUILT_DRIVER.finditer(text):
            name = match[1].lower()
            versions = (match[2] or "").partition("--")[0].replace(" ", "")
            is_quoted = match[0].lstrip().startswith(("'", '"'))  # there the marker's end is not to be told
            marker = "" if is_quoted else (match[3] or "").partition("--")[0].strip()
            requirement = f"{WHEELS[name]}{versions} {marker}".strip()
            replacements[DriverReplacement(name, requirement)] = None
    return list(replacements)


def find_named_driver(scripts: Sequence[Path]) -> MissingDriver | None:
    """The driver that the files ask for which say how env.py connects; None if SQLAlchemy chooses it."""
    text = "".join(read_text_file(script) for script in scripts)
    if match := re.search(r"postgres(?:ql)?\+(psycopg2|psycopg|asyncpg|pg8000)", text):
        return MissingDriver((DRIVER_PACKAGES[match[1]],), f"the project's URL names {match[1]}")
    if ASYNC_ENGINE.search(text):
        return MissingDriver(("asyncpg", "greenlet"), "env.py is asynchronous")
    return None


def choose_missing_driver(packages: Mapping[str, str], scripts: Sequence[Path]) -> MissingDriver | None:
    """The driver to add so that env.py can connect; None if there is one.

    packages: the installed packages and their versions.
    scripts: the files that say how env.py connects.
    """
    if any(name in packages for name in DRIVERS):
        return None
    named = find_named_driver(scripts)
    if named is not None:
        return named
    version = packages.get("sqlalchemy", "2.0")
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    driver = "psycopg" if numbers >= PSYCOPG_BY_DEFAULT else "psycopg2"
    return MissingDriver((DRIVER_PACKAGES[driver],), f"SQLAlchemy {version} takes it by default")
