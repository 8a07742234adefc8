"""Sizes of tables as people write them: `48 GB`, `120 million rows`, `1.5 GB, 3 million rows`."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

from migration_gate.lazy_dataclass import dataclass
from migration_gate.sql.identifiers import qualified_name
from migration_gate.wording import BYTE_UNITS, format_bytes, format_rows

EXAMPLES = "`48 GB`, `120 million rows` or both, `48 GB, 120 million rows`"
LARGEST = 2**62
"""rows or bytes; more is a slip of the pen"""
_BYTE_FACTORS = {
    "b": 1,
    "byte": 1,
    "bytes": 1,
    **{unit.lower(): 1024**power for power, unit in enumerate(BYTE_UNITS) if power},
    **{unit.lower().replace("b", "ib"): 1024**power for power, unit in enumerate(BYTE_UNITS) if power},
}
_ROW_FACTORS = {"": 1, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PART = re.compile(
    r"(?P<sign>-?)(?P<number>\d{1,3}(?:[,_]\d{3})+|\d+)(?P<rest>\.\d+)?\s*(?P<unit>[A-Za-z ]*)"
)
_NAME = r'"(?:[^"]|"")+"|[^\s".:](?:[^".:\n]*[^\s".:])?'
_QUALIFIED = re.compile(rf"(?:(?P<schema>{_NAME})\.)?(?P<name>{_NAME})")


@dataclass(frozen=True, slots=True)
class SizeText:
    """What such a text says."""

    rows: int | None = None
    bytes: int | None = None


def parse_size(text: str) -> SizeText:
    """Rows, bytes or both. Raises ValueError, whose text is the rest of a sentence about the value."""
    rows: int | None = None
    size: int | None = None
    for part in re.split(r",\s+", text.strip()):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"is `{text[:60]}`, and has to be a size such as {EXAMPLES}")
        if match["sign"]:
            raise ValueError(f"is `{text[:60]}`, and no table has less than nothing")
        unit = " ".join(match["unit"].lower().split())
        number = Decimal(re.sub(r"[,_]", "", match["number"]) + (match["rest"] or ""))
        row_unit = re.sub(r"\s*\brows?$", "", unit)
        if unit in _BYTE_FACTORS and size is None:
            size = _multiply(number, _BYTE_FACTORS[unit], text)
        elif row_unit in _ROW_FACTORS and rows is None:
            rows = _multiply(number, _ROW_FACTORS[row_unit], text)
        else:
            raise ValueError(f"is `{text[:60]}`, and has to be a size such as {EXAMPLES}")
    return SizeText(rows, size)


def _multiply(number: Decimal, factor: int, text: str) -> int:
    product = (number * factor).to_integral_value(ROUND_CEILING)
    if product > LARGEST:
        raise ValueError(f"is `{text[:60]}`, which no table has")
    return int(product)


def format_size(size: SizeText) -> str:
    """The text of a size, which `parse_size` reads; never less than it is."""
    rows = [format_rows(size.rows)] if size.rows is not None else []
    return ", ".join([*rows, *([format_bytes(size.bytes)] if size.bytes is not None else [])])


def parse_table_name(text: str) -> tuple[str, str]:
    """Schema and name; `public` where none is named. What has no quotes is taken as it is.

    Raises ValueError, whose text is the rest of a sentence.
    """
    match = _QUALIFIED.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"names the table `{text[:60]}`: write `orders` or `sales.orders`, and names with dots in quotes"
        )
    return _unquote(match["schema"] or "public"), _unquote(match["name"])


def _unquote(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def can_be_written(schema: str, name: str) -> bool:
    """Whether a name stands on one line, and is read back as it was."""
    text = qualified_name(schema, name)
    return len(text.splitlines()) == 1 and text.isprintable() and parse_table_name(text) == (schema, name)
