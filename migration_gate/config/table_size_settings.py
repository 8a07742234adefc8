"""What `tables`, `sizes` and `small_table` together say of the sizes of tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from migration_gate.config.checkout_paths import FILE_LINE
from migration_gate.config.config_keys import Key
from migration_gate.config.faults import ConfigFault, combine_faults
from migration_gate.config.precedence import SettingValue
from migration_gate.config.sections import TableSizeKeys
from migration_gate.config.size_text import SizeText, parse_size, parse_table_name
from migration_gate.config.sizes_file import read_sizes
from migration_gate.facts import TableSize, TableSizes


def read_table_sizes(merged: Mapping[Key, SettingValue], file: Path | None) -> TableSizes:
    """The sizes that the settings know. `file`: what `sizes` names. Raises Misconfigured."""
    limit = _read_limit(str(merged["small_table",].value))
    own = _read_tables(merged)
    written = read_sizes(file, merged["sizes",].where) if file is not None else None
    tables = {(size.schema, size.name): size for size in own}
    if file is not None and written is not None:
        origin = f"{file.name}, {written.day}"
        for table in written.tables:
            if table.size is not None:
                size = TableSize(table.schema, table.name, table.size.rows, table.size.bytes, origin)
                tables.setdefault((table.schema, table.name), size)
    return TableSizes(
        tuple(tables.values()),
        small_rows=limit.rows,
        small_bytes=limit.bytes,
        file=file.name if file is not None else "",
        written=written.day.isoformat() if written is not None else "",
        configured=tuple(map(str, own)),
    )


def find_sizes_file(merged: Mapping[Key, SettingValue]) -> Path | None:
    """The file that `sizes` names; None if it is not there."""
    setting = merged["sizes",]
    file = setting.folder / str(setting.value) if setting.value is not None else None
    return file if file is not None and file.is_file() else None


def _read_limit(text: str) -> SizeText:
    return SizeText() if text == "off" else parse_size(text)


def _read_tables(merged: Mapping[Key, SettingValue]) -> list[TableSize]:
    """The entries of `tables`. Raises Misconfigured if one names no table, or a table is there twice."""
    sizes: dict[tuple[str, str], TableSize] = {}
    faults = []
    for key, setting in merged.items():
        if key[0] != "tables" or not isinstance(setting.value, TableSizeKeys):
            continue
        try:
            schema, name = parse_table_name(str(key[1]))
        except ValueError as error:
            faults.append(ConfigFault(f"`tables` {error}.", setting.where))
            continue
        if (schema, name) in sizes:
            faults.append(ConfigFault(f"`tables` has `{schema}.{name}` twice.", setting.where, "Keep one."))
        origin = setting.where if FILE_LINE.search(setting.where) else f"tables, {setting.where}"
        sizes[schema, name] = TableSize(schema, name, setting.value.rows, setting.value.bytes, origin)
    if faults:
        raise combine_faults(faults)
    return list(sizes.values())
