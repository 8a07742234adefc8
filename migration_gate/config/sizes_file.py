"""The file with the sizes of production's tables, which `migration-gate sizes` writes: a table a line.

    # Sizes of 2 tables, from statistics of 2027-01-31. ...
    public.items: unknown
    public.orders: 120 million rows, 48 GB

Whoever can change it decides which findings weigh less, so it is read with suspicion: a line that is not
understood, a table that is there twice, a file that is cut off are errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from migration_gate.config.size_text import (
    SizeText,
    can_be_written,
    format_size,
    parse_size,
    parse_table_name,
)
from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name

SIZES_NAME = ".migration-gate-sizes"
"""of the file, unless another one is named"""
MAX_BYTES = 8 << 20
UNKNOWN = "unknown"
"""stands for the size of a table that has no statistics"""
HEADER = """\
# Sizes of {number} tables, from statistics of {day}. `migration-gate sizes` writes this file anew.
# A partitioned table has the sum of its partitions; bytes are without indexes.
"""
_FIRST_LINE = re.compile(
    r"# Sizes of (?P<number>\d+) tables, from statistics of (?P<day>\d{4}-\d\d-\d\d)\..*"
)
_PART = r'(?:"(?:[^"]|"")+"|[^\s".:]+)'
_LINE = re.compile(rf"(?P<table>{_PART}\.{_PART}): (?P<size>.+)")
_ADVICE = "`migration-gate sizes --database URL` writes it anew."


@dataclass(frozen=True, slots=True)
class WrittenSize:
    """A line of the file."""

    schema: str
    name: str
    size: SizeText | None = None
    """None if it is not known"""


@dataclass(frozen=True, slots=True)
class SizesFile:
    """The file, read."""

    day: date
    """of the statistics"""
    tables: tuple[WrittenSize, ...] = ()


def format_sizes(tables: Iterable[WrittenSize], day: date) -> str:
    """The text of the file: a line for each table, sorted. Names that no line can hold are left out."""
    written = [table for table in tables if can_be_written(table.schema, table.name)]
    lines = sorted(
        f"{qualified_name(table.schema, table.name)}: {format_size(table.size) if table.size else UNKNOWN}\n"
        for table in written
    )
    return HEADER.format(number=len(lines), day=day.isoformat()) + "".join(lines)


def read_sizes(file: Path, where: str) -> SizesFile:
    """What the file says. Raises Misconfigured if it cannot be read, or is damaged. `where`: it is named."""
    try:
        if not file.is_file():  # to open a pipe would wait for who writes into it
            raise Misconfigured(f"`sizes` names `{file}`, which is no file.", where=where, advice=_ADVICE)
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise Misconfigured(
            f"`sizes` names `{file}`, which cannot be read: {error.strerror}.",
            where=where,
            advice="Correct its permissions, or name another file.",
        ) from error
    if len(content) > MAX_BYTES:
        raise Misconfigured(
            f"`sizes` names `{file}`, which is larger than {MAX_BYTES >> 20} MB.", where=where, advice=_ADVICE
        )
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise _damaged(file.name, 1, "it is no text in UTF-8") from error
    return parse_sizes(text, file.name)


def parse_sizes(text: str, name: str) -> SizesFile:
    """What the text of the file says. Raises Misconfigured, with the line, if it is damaged."""
    lines = text.split("\n")
    first = _FIRST_LINE.fullmatch(lines[0].rstrip())
    if first is None:
        raise _damaged(name, 1, "its first line does not say how many tables it has, and of which day")
    if lines[-1]:
        raise _damaged(name, len(lines), "the last line has no end, so it may be cut off")
    day = _parse_day(first["day"], name)
    tables = list(_parse_lines(lines[1:-1], name))
    if len(tables) != int(first["number"]):
        raise _damaged(name, 1, f"it says that it has {first['number']} tables, and has {len(tables)}")
    return SizesFile(day, tuple(tables))


def _parse_day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _damaged(name, 1, f"`{text}` is no date") from error


def _parse_lines(lines: Iterable[str], name: str) -> Iterator[WrittenSize]:
    seen = set()
    for number, line in enumerate(lines, 2):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            raise _damaged(name, number, "it does not read `schema.table: size`")
        try:
            table = parse_table_name(match["table"])
            size = None if match["size"] == UNKNOWN else parse_size(match["size"])
        except ValueError as error:
            raise _damaged(name, number, f"the line {error}") from error
        if table in seen:
            raise _damaged(name, number, "its table is there twice")
        seen.add(table)
        yield WrittenSize(*table, size)


def _damaged(name: str, number: int, problem: str) -> Misconfigured:
    return Misconfigured(
        f"The file of sizes is damaged: {problem}.", where=f"{name}:{number}", advice=_ADVICE
    )
