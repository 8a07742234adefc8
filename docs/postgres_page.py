"""The table of `docs/postgres.md`: which major comes from where, and with what."""

from __future__ import annotations

import re

from migration_gate.postgres.binaries import COMMON_EXTENSIONS
from migration_gate.postgres.server_package import ServerPackage, list_packages

TABLE_MARKS = re.compile(r"(<!-- servers -->\n).*?(<!-- /servers -->)", re.DOTALL)
SYSTEMS = (
    ("manylinux", "Linux with glibc {} or newer"),
    ("musllinux", "Alpine (musl)"),
    ("macosx", "macOS {} or newer"),
)
EXTRA_EXTENSIONS = ("vector",)
"""not among the contributed ones, but often used"""


def fill_server_table(page: str) -> str:
    """The page with the table of packages between `<!-- servers -->` and `<!-- /servers -->`."""
    rows = [
        "| Postgres | package | runs on | has | lacks | licence |",
        "| --- | --- | --- | --- | --- | --- |",
        *map(_render_row, sorted(list_packages(), key=lambda package: package.major)),
    ]
    table = "\n".join(rows) + "\n"
    return TABLE_MARKS.sub(lambda marks: f"{marks[1]}{table}{marks[2]}", page)


def _render_row(package: ServerPackage) -> str:
    contributed = len(set(package.extensions) - set(EXTRA_EXTENSIONS))
    present = [f"{contributed} contributed extensions"] if contributed else []
    present += [f"`{name}`" for name in EXTRA_EXTENSIONS if name in package.extensions]
    absent = [f"`{name}`" for name in package.missing_extensions()]
    lacks = "all contributed extensions" if len(absent) == len(COMMON_EXTENSIONS) else ", ".join(absent)
    megabytes = max(wheel.size for wheel in package.wheels) // 1_000_000
    cells = (
        package.server,
        f"{package.name} {package.version}, {megabytes} MB",
        "; ".join(_list_systems(package)),
        ", ".join(present),
        f"{lacks}, ICU",
        package.licence,
    )
    return f"| {' | '.join(cells)} |"


def _list_systems(package: ServerPackage) -> list[str]:
    """Each system with the least version, and its architectures."""
    tags = [wheel.tags[0] for wheel in package.wheels]
    systems = []
    for prefix, title in SYSTEMS:
        fitting = [match for tag in tags if (match := re.fullmatch(rf"{prefix}_(\d+)_(\d+)_(.*)", tag))]
        if fitting:
            version = fitting[0][1] if prefix == "macosx" else f"{fitting[0][1]}.{fitting[0][2]}"
            systems.append(f"{title.format(version)} ({', '.join(match[3] for match in fitting)})")
    return systems
