"""Reads alembic.ini and `[tool.alembic]`, without Alembic."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from migration_gate.errors import ProjectNotFound
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.model import ConfigKind

DEFAULT_SECTION = "alembic"


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
    """One section of an ini or TOML file. Raises ProjectNotFound if it cannot be read."""
    return _read_toml(file, section) if file.suffix == ".toml" else _read_ini(file, section)


def find_config_in_folder(folder: Path, section: str) -> AlembicConfig | None:
    """The configuration in a folder: alembic.ini, else `[tool.alembic]`; None without either.

    An alembic.ini without any script_location leaves it to `[tool.alembic]`, as for Alembic.
    """
    ini_file, toml_file = folder / "alembic.ini", folder / "pyproject.toml"
    table = read_alembic_table(toml_file) if toml_file.is_file() else None
    toml_names_scripts = table is not None and "script_location" in table
    if toml_names_scripts and not (ini_file.is_file() and _ini_names_scripts(ini_file)):
        return read_alembic_config(toml_file, section)
    return read_alembic_config(ini_file, section) if ini_file.is_file() else None


def read_alembic_table(file: Path) -> Mapping[str, object] | None:
    """`[tool.alembic]`, or None if there is none or the file is not TOML."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError):
        return None
    match document:
        case {"tool": {"alembic": dict(table)}}:
            return table
        case _:
            return None


def read_file_template(file: Path, section: str) -> str | None:
    """The option `file_template` of an ini or TOML file; None if it has none, or cannot be read."""
    if file.suffix == ".toml":
        value = (read_alembic_table(file) or {}).get("file_template")
    else:
        try:
            parser = _parse_ini(file)
        except (configparser.Error, UnicodeDecodeError, OSError):
            return None
        values = parser[section] if section in parser else parser.defaults()
        value = values.get("file_template")
    return value.strip().replace("%%", "%") if isinstance(value, str) else None


def _read_ini(file: Path, section: str) -> AlembicConfig:
    try:
        parser = _parse_ini(file)
    except (configparser.Error, UnicodeDecodeError, OSError) as error:
        raise ProjectNotFound(
            f"`{file.name}` could not be read: {str(error).splitlines()[0].rstrip('.')}.",
            where=str(file),
            advice="Fix the file, or name another one with `alembic:`.",
        ) from error
    histories = [name for name in parser.sections() if _has_own_history(parser, name)]
    section = _choose_section(file, parser, section, histories)
    values = parser[section] if section in parser else parser.defaults()
    location = values.get("script_location")
    return AlembicConfig(
        file=file,
        kind="ini",
        section=section,
        script_location=_fill_here(location, file.parent) if location else None,
        prepend_sys_path=_split_paths(_fill_here(values.get("prepend_sys_path", ""), file.parent)),
        url=values.get("sqlalchemy.url"),
        other_sections=tuple(name for name in histories if name != section),
    )


def _parse_ini(file: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(file.read_text(encoding="utf-8-sig"), source=file.name)
    return parser


def _has_own_history(parser: configparser.ConfigParser, section: str) -> bool:
    """Whether a section names a script_location of its own, not only the one of [DEFAULT]."""
    location = parser[section].get("script_location")
    is_own = section == DEFAULT_SECTION or location != parser.defaults().get("script_location")
    return bool(location) and is_own


def _choose_section(
    file: Path, parser: configparser.ConfigParser, section: str, histories: Sequence[str]
) -> str:
    """The section that was asked for, or the only history if that was the default one and has none.

    Raises ProjectNotFound if the file has no such section.
    """
    values = parser[section] if section in parser else parser.defaults()
    if "script_location" in values:
        return section
    if section == DEFAULT_SECTION and len(histories) == 1:
        return histories[0]
    # An ini beside its env.py needs no section: the scripts are there.
    is_beside_scripts = section == DEFAULT_SECTION and not histories and (file.parent / "env.py").is_file()
    if section not in parser and not is_beside_scripts:
        raise _no_section_error(file, section, parser.sections())
    return section


def _no_section_error(file: Path, section: str, sections: Sequence[str]) -> ProjectNotFound:
    return ProjectNotFound(
        f"`{file.name}` has no section [{section}].",
        where=str(file),
        advice=f"Its sections: {', '.join(sections) or 'none'}. "
        "Name one: `alembic: {config: alembic.ini, section: NAME}`.",
    )


def _ini_names_scripts(file: Path) -> bool:
    """Whether any section of an ini has a script_location; so it is taken to be if it cannot be read."""
    try:
        parser = _parse_ini(file)
    except (configparser.Error, UnicodeDecodeError, OSError):
        return True
    return any("script_location" in parser[name] for name in parser.sections())


def _read_toml(file: Path, section: str) -> AlembicConfig:
    table = read_alembic_table(file)
    if table is None:
        raise ProjectNotFound(
            f"`{file.name}` has no `[tool.alembic]`.",
            where=str(file),
            advice="Name an alembic.ini with `alembic:`.",
        )
    location = table.get("script_location")
    return AlembicConfig(
        file=file,
        kind="toml",
        section=section,
        script_location=_fill_here(str(location), file.parent) if location else None,
        prepend_sys_path=tuple(
            _fill_here(entry, file.parent) for entry in _list_paths(table.get("prepend_sys_path"))
        ),
    )


def _list_paths(value: object) -> tuple[str, ...]:
    """The entries of a TOML value, which may be an array or one text, as in an ini."""
    match value:
        case str():
            return _split_paths(value)
        case list():
            return tuple(map(str, value))
        case _:
            return ()


def _split_paths(text: str) -> tuple[str, ...]:
    """As Alembic splits it: at commas, colons and spaces."""
    return tuple(part for part in re.split(r"[,:\s]+", text) if part)


def _fill_here(text: str, folder: Path) -> str:
    return text.strip().replace("%(here)s", str(folder)).replace("%%", "%")
