"""Several configuration files that mean one history: Pyramid's inis, a pyproject.toml with an alembic.ini."""

from __future__ import annotations

from pathlib import Path

from migration_gate.errors import ProjectNotFound
from migration_gate.project.alembic_config import AlembicConfig, read_alembic_config
from migration_gate.project.search import find_unusual_ini_files

USUAL_NAMES = ("alembic.ini", "pyproject.toml")


def find_unusual_configs(top: Path, section: str) -> list[AlembicConfig]:
    """Of files of another name with a section [alembic]: one for each history.

    Pyramid has one file for each way to run the program; the one for development comes first.
    """
    configs: dict[tuple[Path, str | None], AlembicConfig] = {}
    for file in sorted(find_unusual_ini_files(top), key=_rank_file):
        config = read_alembic_config(file, section)
        configs.setdefault((config.folder, config.script_location), config)
    return list(configs.values())


def _rank_file(file: Path) -> tuple[bool, bool, str]:
    is_for_development = any(word in file.name for word in ("dev", "local"))
    return (not file.name.startswith("alembic"), not is_for_development, str(file))


def describe_unusual_name(config: AlembicConfig) -> tuple[str, ...]:
    """A note on a configuration of another name than Alembic's own."""
    if config.file.name in USUAL_NAMES:
        return ()
    return (f"Alembic's configuration is the section [{config.section}] of `{config.file.name}`",)


def is_same_history(file: Path, config: AlembicConfig) -> bool:
    """Whether an alembic.ini only completes a pyproject.toml, or names the same scripts."""
    if config.kind == "toml" and file.parent == config.folder:
        return True
    try:
        other = read_alembic_config(file, config.section)
    except ProjectNotFound:
        return False
    scripts = _resolve_scripts(config)
    return scripts is not None and scripts == _resolve_scripts(other)


def _resolve_scripts(config: AlembicConfig) -> Path | None:
    """The folder of env.py, where the configuration says it from its own folder."""
    scripts = (config.folder / config.script_location).resolve() if config.script_location else None
    return scripts if scripts is not None and (scripts / "env.py").is_file() else None
