"""Reads what alembic.ini and `[tool.alembic]` say, without Alembic."""

from __future__ import annotations

import configparser
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from migration_gate.errors import ProjectNotFound
from migration_gate.project.model import ConfigKind


@dataclass(frozen=True, slots=True)
class AlembicConfig:
    """One section of a configuration file of Alembic's."""

    file: Path
    kind: ConfigKind
    """ini or toml"""
    section: str
    script_location: str | None
    """as written, with %(here)s filled in"""
    prepend_sys_path: tuple[str, ...] = ()
    url: str | None = None
    other_sections: tuple[str, ...] = ()
    """further sections with a history of their own"""

    @property
    def folder(self) -> Path:
        """The file's folder."""
        return self.file.parent


def read_alembic_config(file: Path, section: str) -> AlembicConfig:
    """One section of an ini or TOML file; ProjectNotFound when the file cannot be read."""
    return _toml(file, section) if file.suffix == ".toml" else _ini(file, section)


def _ini(file: Path, section: str) -> AlembicConfig:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(file.read_text(encoding="utf-8-sig"), source=file.name)
    except (configparser.Error, UnicodeDecodeError, OSError) as error:
        raise ProjectNotFound(
            f"`{file.name}` could not be read: {str(error).splitlines()[0].rstrip('.')}.",
            where=str(file),
            advice="Mend the file, or name another one with `alembic:`.",
        ) from error
    shared = dict(parser.defaults())
    histories = [name for name in parser.sections() if _own(parser, name)]
    if section not in parser and "script_location" not in shared:
        if section != "alembic" or (histories and len(histories) > 1):
            raise _no_section(file, section, parser.sections())
        if not histories and not (file.parent / "env.py").is_file():
            raise _no_section(file, section, parser.sections())
    values = dict(parser[section]) if section in parser else shared
    if section == "alembic" and "script_location" not in values and len(histories) == 1:
        section = histories[0]
        values = dict(parser[section])
    location = values.get("script_location")
    return AlembicConfig(
        file=file,
        kind="ini",
        section=section,
        script_location=_filled(location, file.parent) if location else None,
        prepend_sys_path=_split(_filled(values.get("prepend_sys_path", ""), file.parent)),
        url=values.get("sqlalchemy.url"),
        other_sections=tuple(name for name in histories if name != section),
    )


def _own(parser: configparser.ConfigParser, section: str) -> bool:
    location = parser[section].get("script_location")
    return bool(location) and (section == "alembic" or location != parser.defaults().get("script_location"))


def _no_section(file: Path, section: str, sections: list[str]) -> ProjectNotFound:
    return ProjectNotFound(
        f"`{file.name}` has no section [{section}].",
        where=str(file),
        advice=f"Its sections: {', '.join(sections) or 'none'}. "
        "Name one: `alembic: {config: alembic.ini, section: NAME}`.",
    )


def _toml(file: Path, section: str) -> AlembicConfig:
    values = read_alembic_table(file)
    if values is None:
        raise ProjectNotFound(
            f"`{file.name}` has no `[tool.alembic]`.",
            where=str(file),
            advice="Name an alembic.ini with `alembic:`.",
        )
    location, prepend = values.get("script_location"), values.get("prepend_sys_path", ())
    entries = _split(prepend) if isinstance(prepend, str) else tuple(map(str, prepend))  # type: ignore[call-overload]
    return AlembicConfig(
        file=file,
        kind="toml",
        section=section,
        script_location=_filled(str(location), file.parent) if location else None,
        prepend_sys_path=tuple(_filled(each, file.parent) for each in entries),
    )


def read_alembic_table(file: Path) -> dict[str, object] | None:
    """`[tool.alembic]`, or None where there is none or the file is not TOML."""
    try:
        tools = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError):
        return None
    table = tools.get("alembic") if isinstance(tools, dict) else None
    return table if isinstance(table, dict) else None


def _filled(text: str, here: Path) -> str:
    return text.strip().replace("%(here)s", str(here)).replace("%%", "%")


def _split(text: str) -> tuple[str, ...]:
    """As Alembic splits it: at commas, colons and spaces."""
    return tuple(part for part in re.split(r"[,:\s]+", text) if part)


def find_config_in_folder(folder: Path, section: str) -> AlembicConfig | None:
    """The configuration that lies in a folder: alembic.ini, else `[tool.alembic]`; None without either."""
    ini, toml = folder / "alembic.ini", folder / "pyproject.toml"
    table = read_alembic_table(toml) if toml.is_file() else None
    if table and "script_location" in table and (not ini.is_file() or _bare(ini, section)):
        return read_alembic_config(toml, section)
    return read_alembic_config(ini, section) if ini.is_file() else None


def _bare(ini: Path, section: str) -> bool:
    """Whether an ini leaves script_location to pyproject.toml."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(ini.read_text(encoding="utf-8-sig"))
    except (configparser.Error, UnicodeDecodeError, OSError):
        return False
    return not any("script_location" in parser[name] for name in parser.sections())
