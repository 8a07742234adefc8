"""What a configuration file holds: plain values, with the line of each. Reads TOML; see `yaml_file`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from migration_gate.config.config_keys import Key, with_underscores
from migration_gate.config.toml_lines import find_toml_lines
from migration_gate.errors import Misconfigured
from migration_gate.lazy_dataclass import dataclass

NAMES = (".migration-gate.yml", ".migration-gate.yaml")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One file's values and the line of each key."""

    values: dict[str, object]
    lines: dict[Key, int]
    name: str
    folder: Path

    @property
    def file(self) -> Path | None:
        """The file; None if there is none."""
        return self.folder / Path(self.name).name if self.name else None

    def line_of(self, key: Key) -> str:
        """`file:line` of a key, or of the nearest thing around it that has a line."""
        key = with_underscores(key)
        for length in range(len(key), 0, -1):
            if key[:length] in self.lines:
                return f"{self.name}:{self.lines[key[:length]]}"
        return self.name


def read_text(file: Path, name: str) -> str:
    """The text of a file; Misconfigured when it cannot be read or is not UTF-8."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Misconfigured(
            f"`{name}` is not UTF-8 text (byte {error.start}).",
            where=name,
            advice="Save the file as UTF-8, or name another one.",
        ) from error
    except OSError as error:
        raise Misconfigured(
            f"`{name}` cannot be read: {error.strerror or error}.",
            where=name,
            advice="Fix its path or its permissions.",
        ) from error
    if "\0" in text:
        raise Misconfigured(
            f"`{name}` is not text.", where=name, advice="It holds zero bytes: name another file."
        )
    return text


def read_toml(file: Path, name: str) -> ConfigFile | None:
    """`[tool.migration-gate]` of a pyproject.toml, or None when it has no such table."""
    text = read_text(file, name)
    if not re.search(r"migration[-_]gate", text):
        return None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        where = f"{name}:{line[1]}" if line else name
        raise Misconfigured(f"This is not TOML: {error}.", where=where, advice="Fix the file.") from error
    tools = document.get("tool", {})
    lines = dict(find_toml_lines(text))
    if "migration_gate" in tools:
        raise Misconfigured(
            "`[tool.migration_gate]` is not the name of our table.",
            where=f"{name}:{lines.get((), 1)}",
            advice="Write `[tool.migration-gate]`.",
        )
    values = tools.get("migration-gate")
    if values is None:
        return None
    if not isinstance(values, dict):
        raise Misconfigured(
            "`tool.migration-gate` is not a table.", where=name, advice="Write a table there."
        )
    return ConfigFile(values, lines, name, file.parent)
