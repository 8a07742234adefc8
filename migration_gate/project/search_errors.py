"""What to say where a search for an Alembic configuration found none, or several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from migration_gate.errors import ProjectNotFound
from migration_gate.project.alembic_config import AlembicConfig
from migration_gate.project.search import (
    USUAL_FOLDERS,
    find_bare_environment,
    list_subfolders,
    read_text_file,
)

DRAFTED_HOOK = "migration_gate_hook.py"
"""what `doctor --write-hook` writes"""
OTHER_TOOLS = {
    "prisma/schema.prisma": "a Prisma project",
    "manage.py": "a Django project",
    "knexfile.js": "a Knex project",
    "ormconfig.json": "a TypeORM project",
    "db/schema.rb": "a Rails project",
    "flyway.conf": "a Flyway project",
}
"""files by which projects are known that use another tool for migrations"""
REQUIREMENTS = (
    "requirements*.txt",
    "requirements/*.txt",
    "pyproject.toml",
    "Pipfile",
    "setup.cfg",
    "setup.py",
)
"""files that list a project's packages"""


def several_configs_error(configs: Sequence[AlembicConfig], root: Path) -> ProjectNotFound:
    """The refusal to choose among configurations, with the lines that name each of them."""
    files = [_relative_path(config.file, root) for config in configs]
    names = [_suggest_project_name(config, root) for config in configs]
    if len(set(names)) < len(names):  # several in one folder
        names = [config.file.stem for config in configs]
    if len(set(names)) < len(names):
        names = [file.replace("/", "-").rpartition(".")[0] for file in files]
    lines = ["projects:"]
    for name, file in zip(names, files, strict=True):
        lines += [f"  {name}:", f"    alembic: {file}"]
    return ProjectNotFound(
        f"There are {len(files)} Alembic configurations, and none is at the top: "
        f"{', '.join(f'`{file}`' for file in files)}.",
        where=str(root),
        advice=_suggest_configuration(lines),
    )


def several_sections_error(config: AlembicConfig, root: Path) -> ProjectNotFound:
    """The refusal to choose among the sections of one file, with the lines that name each of them."""
    file = _relative_path(config.file, root)
    lines = ["projects:"]
    for section in config.other_sections:
        lines += [f"  {section}:", f"    alembic: {{config: {file}, section: {section}}}"]
    return ProjectNotFound(
        f"`{file}` has no history in [{config.section}], and several elsewhere: "
        f"{', '.join(config.other_sections)}.",
        where=str(config.file),
        advice=_suggest_configuration(lines),
    )


def empty_history_error(
    config: AlembicConfig, scripts: Path, others: Sequence[Path], top: Path
) -> ProjectNotFound:
    """The refusal to replay a history without revisions, where others have some."""
    file, empty, other = (_relative_path(path, top) for path in (config.file, scripts, others[0]))
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    ini = others[0] / "alembic.ini"
    use = (
        f"name its configuration: `alembic: {_relative_path(ini, top)}`"
        if ini.is_file()
        else f"correct `script_location` in `{file}`; or, if the project builds that configuration in code, "
        "`migration-gate doctor --write-hook` drafts a file that does so; name it with `hook:`"
    )
    return ProjectNotFound(
        f"`{file}` leads to `{empty}`, which has no revisions; there are some in `{other}`{more}.",
        where=str(config.file),
        advice=f"To replay these, {use}. If the empty one is meant, name it: `alembic: {file}`.",
    )


def no_config_error(top: Path) -> ProjectNotFound:
    """Where we looked, and what hints at a configuration of another kind."""
    return ProjectNotFound(
        f"No Alembic project was found in `{top}`: no alembic.ini and no `[tool.alembic]` in pyproject.toml.",
        where=str(top),
        advice=_advise_without_config([top, *list_subfolders(top)]),
    )


def _advise_without_config(folders: Sequence[Path]) -> str:
    """What to do, by what else lies in the folders; the first of them is the top."""
    top = folders[0]
    environment = find_bare_environment(top)
    flask_migrate_file = _find_requirement("flask-migrate", folders)
    if environment is not None and flask_migrate_file is None:
        if (top / DRAFTED_HOOK).is_file():
            name = DRAFTED_HOOK
            return f"`{name}` is there: if it builds the configuration, name it, as `hook: {name}`."
        return (
            f"`{_relative_path(environment, top)}/env.py` is an Alembic environment without a configuration. "
            "If the project builds one in code, `migration-gate doctor --write-hook` drafts a file that does "
            "so; name it with `hook:`."
        )
    if flask_migrate_file is not None:
        return (
            f"`{_relative_path(flask_migrate_file, top)}` lists Flask-Migrate, whose folder was not found: "
            "run `flask db init`, or name it, as `alembic: path/to/migrations`."
        )
    other_tool = _find_other_tool(folders)
    if other_tool is not None:
        return (
            f"This looks like {other_tool}, which does not use Alembic. "
            "The gate replays Alembic migrations only."
        )
    alembic_file = _find_requirement("alembic", folders)
    if alembic_file is not None:
        return (
            f"`{_relative_path(alembic_file, top)}` lists Alembic: name its configuration, as "
            "`alembic: path/to/alembic.ini`, or, where it is built in code, a `hook:`."
        )
    return "Run it in the project's folder, or name the configuration: `alembic: path/to/alembic.ini`."


def _find_other_tool(folders: Sequence[Path]) -> str | None:
    for name, tool in OTHER_TOOLS.items():
        if any((folder / name).exists() for folder in folders):
            return tool
    return None


def _find_requirement(package: str, folders: Sequence[Path]) -> Path | None:
    """The first file that lists the package."""
    for folder in folders:
        for pattern in REQUIREMENTS:
            for file in sorted(folder.glob(pattern)):
                if file.is_file() and package in read_text_file(file).lower().replace("_", "-"):
                    return file
    return None


def _suggest_configuration(lines: Sequence[str]) -> str:
    return "Name them in `.migration-gate.yml`:\n\n" + "\n".join(f"    {line}" for line in lines)


def _suggest_project_name(config: AlembicConfig, root: Path) -> str:
    """The folders of a configuration but for usual ones: `services-billing`."""
    if not config.folder.is_relative_to(root):
        return "main"
    parts = config.folder.relative_to(root).parts
    return "-".join(part for part in parts if part not in ("src", *USUAL_FOLDERS)) or "main"


def _relative_path(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)
