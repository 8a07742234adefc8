"""Looks for Alembic configurations in a folder and a little below, and for hints where there are none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from migration_gate.errors import ProjectNotFound
from migration_gate.project.alembic_config import AlembicConfig, find_config_in_folder

SKIPPED = frozenset({
    "node_modules", "venv", "env", "site-packages", "dist", "build", "vendor", "__pycache__",
    "tests", "test", "testing", "examples", "example", "docs", "fixtures",
})  # fmt: skip
"""folders whose configurations are not the project's own"""
DEEPEST = 6
MOST = 3000
"""folders that are looked at: 0.1 s, in a repository of any size"""


def _ours(name: str) -> bool:
    return name not in SKIPPED and name[0] not in ".{"


def list_subfolders(top: Path) -> list[Path]:
    """The folders below one that may hold a project, in order of name."""
    try:
        found = sorted(each for each in top.iterdir() if each.is_dir() and not each.is_symlink())
    except OSError:
        return []
    return [each for each in found if _ours(each.name) and not (each / "pyvenv.cfg").exists()]


def find_nearest_configs(top: Path, section: str) -> list[AlembicConfig]:
    """The nearest configurations: at the top, else one folder down, else in the usual places two down."""
    below = list_subfolders(top)
    usual = ("migrations", "alembic", "db", "database")
    deeper = [
        inner
        for each in below
        for inner in list_subfolders(each)
        if each.name == "src" or inner.name in usual
    ]
    deepest = [
        inner
        for each in deeper
        for inner in list_subfolders(each)
        if each.parent.name == "src" and inner.name in usual
    ]
    for level in ([top], below, [*deeper, *deepest]):
        found = [config for folder in level if (config := find_config_in_folder(folder, section))]
        if found:
            return found
    return []


def find_ini_files(top: Path) -> Iterator[Path]:
    """Every alembic.ini below a folder, but for skipped folders."""
    for visited, (path, names, files) in enumerate(os.walk(top)):
        deep = path.count(os.sep) - str(top).count(os.sep)
        names[:] = sorted(each for each in names if _ours(each)) if deep < DEEPEST else []
        if "pyvenv.cfg" in files or visited > MOST:
            names[:] = []
        elif "alembic.ini" in files:
            yield Path(path) / "alembic.ini"


def read_text_file(file: Path) -> str:
    """A file's text, however it is encoded; nothing when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def several_configs_error(found: list[AlembicConfig], root: Path) -> ProjectNotFound:
    """The refusal to choose among histories, with the configuration that names each."""
    lines = ["projects:"]
    for config in found:
        file = _short(config.file, root)
        lines += [f"  {_name(config, root)}:", f"    alembic: {file}"]
    return ProjectNotFound(
        f"There are {len(found)} Alembic configurations, and none is at the top: "
        f"{', '.join(f'`{_short(config.file, root)}`' for config in found)}.",
        where=str(root),
        advice="Name them in `.migration-gate.yml`:\n\n" + "\n".join(f"    {line}" for line in lines),
    )


def several_sections_error(config: AlembicConfig, root: Path) -> ProjectNotFound:
    """The refusal to choose among the sections of one file."""
    lines = ["projects:"]
    file = _short(config.file, root)
    for section in config.other_sections:
        lines += [f"  {section}:", f"    alembic: {{config: {file}, section: {section}}}"]
    return ProjectNotFound(
        f"`{file}` has no history in [{config.section}], and several elsewhere: "
        f"{', '.join(config.other_sections)}.",
        where=str(config.file),
        advice="Name them in `.migration-gate.yml`:\n\n" + "\n".join(f"    {line}" for line in lines),
    )


def _name(config: AlembicConfig, root: Path) -> str:
    parts = config.folder.relative_to(root).parts if config.folder.is_relative_to(root) else ()
    plain = [part for part in parts if part not in ("src", "migrations", "alembic", "db", "database")]
    return "-".join(plain) or "main"


def _short(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def no_config_error(top: Path) -> ProjectNotFound:
    """What to say where no configuration was found: where we looked, and what hints at one."""
    deeper = [_short(each, top) for each in find_ini_files(top)]
    if deeper:
        listed = ", ".join(f"`{each}`" for each in deeper[:5])
        says = f"No alembic.ini in `{top}` or one folder down, but deeper: {listed}."
        return ProjectNotFound(
            says, where=str(top), advice=f"Name it in `.migration-gate.yml`: `alembic: {deeper[0]}`."
        )
    return ProjectNotFound(
        f"No Alembic project was found in `{top}`: no alembic.ini and no `[tool.alembic]` in pyproject.toml, "
        "here or one folder down.",
        where=str(top),
        advice=_advice(top),
    )


def _advice(top: Path) -> str:
    near = [top, *list_subfolders(top)]
    usual = [each for folder in near for each in (folder, folder / "migrations", folder / "alembic")]
    environment = next(
        (e for e in usual if (e / "env.py").is_file() and (e / "script.py.mako").is_file()), None
    )
    required = _required(near)
    if environment and "flask-migrate" not in required:
        return (
            f"`{_short(environment, top)}/env.py` is an Alembic environment without a configuration. If the "
            "project builds one in code, write a file that leaves it in `cfg`, and name it: "
            "`hook: ci/alembic_config.py`."
        )
    if "flask-migrate" in required:
        file = required["flask-migrate"]
        return (
            f"`{file}` lists Flask-Migrate, whose folder was not found: run `flask db init`, or name it, "
            "as `alembic: path/to/migrations`."
        )
    other = next((what for name, what in OTHERS.items() for folder in near if (folder / name).exists()), None)
    if other:
        return (
            f"This looks like {other}, which does not use Alembic. The gate replays Alembic migrations only."
        )
    if "alembic" in required:
        return (
            f"`{required['alembic']}` lists Alembic: name its configuration, "
            "as `alembic: path/to/alembic.ini`, or, where it is built in code, a `hook:`."
        )
    return "Run it in the project's folder, or name the configuration: `alembic: path/to/alembic.ini`."


OTHERS = {
    "prisma/schema.prisma": "a Prisma project",
    "manage.py": "a Django project",
    "knexfile.js": "a Knex project",
    "ormconfig.json": "a TypeORM project",
    "db/schema.rb": "a Rails project",
    "flyway.conf": "a Flyway project",
}


REQUIREMENTS = (
    "requirements*.txt",
    "requirements/*.txt",
    "pyproject.toml",
    "Pipfile",
    "setup.cfg",
    "setup.py",
)


def _required(near: list[Path]) -> dict[str, str]:
    """Which of the packages that matter is named by which file."""
    found: dict[str, str] = {}
    for folder in near:
        for file in (each for pattern in REQUIREMENTS for each in sorted(folder.glob(pattern))):
            if file.is_file():
                text = read_text_file(file).lower().replace("_", "-")
                for package in ("flask-migrate", "alembic"):
                    if package in text:
                        found.setdefault(package, _short(file, near[0]))
    return found
