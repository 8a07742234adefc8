"""From settings to a project: the hook, the named configuration, Flask-Migrate, else a search."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from migration_gate.config.settings import Settings
from migration_gate.errors import ProjectNotFound
from migration_gate.project import flask, import_path, interpreter, search
from migration_gate.project.alembic_config import AlembicConfig, read_alembic_config
from migration_gate.project.model import ConfigKind, Project

PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile", "manage.py")
NAME_IT = "name it under `projects:`"


@dataclass(frozen=True, slots=True)
class AlembicEnvironment:
    """What is known of a project before its interpreter is."""

    kind: ConfigKind
    directory: Path
    config: Path | None = None
    section: str = "alembic"
    script_location: Path | None = None
    flask_app: str | None = None
    prepend_sys_path: tuple[str, ...] = ()
    entry_file: Path | None = None
    """env.py or the hook"""
    notes: tuple[str, ...] = ()


def find_project(settings: Settings, environ: Mapping[str, str] | None = None) -> Project:
    """The project that the settings mean.

    Raises ProjectNotFound where there is none, or more than one; ProjectNotImported where no interpreter
    has its packages.
    """
    environ = os.environ if environ is None else environ
    top = find_repository_root(settings.root)
    located = locate_environment(settings, environ)
    chosen = interpreter.choose_interpreter(
        settings.python, located.directory, top, environ, settings.installed
    )
    return Project(
        name=settings.name,
        root=settings.root,
        directory=located.directory,
        python=chosen.python,
        kind=located.kind,
        config=located.config,
        section=located.section,
        script_location=located.script_location,
        flask_app=located.flask_app,
        hook=settings.hook,
        sys_path=import_path.build_import_path(
            located.directory, located.prepend_sys_path, located.entry_file, top
        ),
        notes=(*located.notes, *chosen.notes),
    )


def find_repository_root(folder: Path) -> Path:
    """The top of the repository; the folder itself outside of one."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def locate_environment(settings: Settings, environ: Mapping[str, str]) -> AlembicEnvironment:
    """The Alembic environment and the folder it runs in; ProjectNotFound where there is none."""
    if settings.hook:
        return AlembicEnvironment(
            "hook", settings.working_directory, section=settings.section, entry_file=settings.hook
        )
    if settings.alembic:
        return _placed(read_alembic_config(settings.alembic, settings.section), settings, environ)
    found: list[AlembicConfig] = []
    start = settings.project_folder or settings.working_directory
    for top in dict.fromkeys((start, settings.working_directory)):
        found = found or search.find_nearest_configs(top, settings.section)
    if len(found) > 1:
        raise search.several_configs_error(found, settings.root)
    if not found and settings.flask_app:
        raise ProjectNotFound(
            f"`flask_app` is set, but no folder of Flask-Migrate's was found in `{start}`.",
            where=str(start),
            advice="Name the folder that holds its env.py and alembic.ini: `alembic: path/to/migrations`.",
        )
    if not found:
        raise search.no_config_error(start)
    return _placed(found[0], settings, environ, _unseen(found[0], settings))


def _unseen(config: AlembicConfig, settings: Settings) -> tuple[str, ...]:
    """Other histories of the repository, which this run does not replay: that must be said."""
    start = settings.project_folder or settings.working_directory
    files = [each for each in search.find_ini_files(start) if each != config.file]
    return tuple(
        f"`{file.relative_to(start)}` is another history, and not replayed: {NAME_IT}" for file in files
    )


def _placed(
    config: AlembicConfig, settings: Settings, environ: Mapping[str, str], notes: tuple[str, ...] = ()
) -> AlembicEnvironment:
    if not config.script_location and len(config.other_sections) > 1:
        raise search.several_sections_error(config, settings.root)
    # Who names the file names what is wanted of it: another project may well take the other section.
    notes += tuple(
        f"section [{name}] of `{config.file.name}` is another history, and not replayed: {NAME_IT}"
        for name in (() if settings.alembic else config.other_sections)
    )
    if settings.flask_app or flask.is_flask_migrate_folder(config.folder):
        return _flask(config, settings, environ, notes)
    directory, scripts, override = _script_location(config, settings)
    return AlembicEnvironment(
        kind=config.kind,
        directory=directory,
        config=config.file,
        section=config.section,
        script_location=override,
        prepend_sys_path=config.prepend_sys_path,
        entry_file=scripts / "env.py" if scripts else None,
        notes=notes,
    )


def _explicit(settings: Settings) -> bool:
    return dict(settings.origins).get("working_directory", "default") != "default"


def _script_location(config: AlembicConfig, settings: Settings) -> tuple[Path, Path | None, Path | None]:
    """The folder to run in, the folder of env.py, and that folder again where it must be told to Alembic."""
    text, here = config.script_location, config.folder
    top = find_repository_root(settings.root)
    above = [each for each in here.parents if each.is_relative_to(top)]
    bases = list(dict.fromkeys((here, settings.working_directory, settings.root, *above)))
    beside = (here / "env.py").is_file()
    if text and ":" in text and not Path(text).is_absolute():
        package = Path(*text.split(":"))
        base = next((b for each in bases for b in (each, each / "src") if (b / package).is_dir()), None)
        return _default(config, settings, base), base / package if base else None, None
    if text and Path(text).is_absolute() and Path(text).is_dir():
        return _default(config, settings, None), Path(text), None
    if text and not Path(text).is_absolute():
        base = next((each for each in bases if (each / text / "env.py").is_file()), None)
        base = base or next((each for each in bases if (each / text).is_dir()), None)
        if base:
            scripts = (base / text).resolve()
            fixed = _explicit(settings) and base != settings.working_directory
            return (settings.working_directory, scripts, scripts) if fixed else (base, scripts, None)
    if beside:
        return _default(config, settings, None), here, here
    tried = ", ".join(f"`{each}`" for each in bases)
    raise ProjectNotFound(
        f"`{config.file.name}` says `script_location = {text}`, and no such folder exists." if text
        else f"`{config.file.name}` names no `script_location` in [{config.section}].",
        where=str(config.file),
        advice=f"We looked from {tried}. Mend it, or name the right configuration with `alembic:`.",
    )  # fmt: skip


def _default(config: AlembicConfig, settings: Settings, package_base: Path | None) -> Path:
    """The folder to run in, where the configuration works from any."""
    here = config.folder
    if _explicit(settings) or here in (settings.working_directory, settings.root):
        return settings.working_directory if _explicit(settings) else here
    if package_base is not None:
        return package_base.parent if package_base.name == "src" else package_base
    if (here / "env.py").is_file() and not (here.parent / "__init__.py").is_file():
        return here.parent
    if (here / "__init__.py").is_file():
        return settings.working_directory
    return here if any((here / name).exists() for name in PROJECT_FILES) else settings.working_directory


def _flask(
    config: AlembicConfig, settings: Settings, environ: Mapping[str, str], notes: tuple[str, ...]
) -> AlembicEnvironment:
    tops = list(dict.fromkeys((settings.working_directory, config.folder.parent, settings.root)))
    if settings.flask_app:
        name, why = settings.flask_app, "FLASK_APP from the setting `flask_app`"
        known = flask.resolve_application(name, tops, why)
        found: flask.FlaskApplication | None = flask.FlaskApplication(
            name, known.directory if known else tops[0], why
        )
    else:
        found = flask.find_application(tops, dict(settings.env), environ)
    if found is None:
        raise ProjectNotFound(
            f"`{config.folder}` belongs to Flask-Migrate, and no FLASK_APP was found.",
            where=str(config.folder / "env.py"),
            advice="Name the application, as FLASK_APP would: `flask_app: package.module:create_app`.",
        )
    scripts = config.folder if (config.folder / "env.py").is_file() else _script_location(config, settings)[1]
    return AlembicEnvironment(
        kind="flask",
        directory=settings.working_directory if _explicit(settings) else found.directory,
        config=scripts or config.folder,
        section=config.section,
        flask_app=found.name,
        prepend_sys_path=config.prepend_sys_path,
        entry_file=(scripts or config.folder) / "env.py",
        notes=(*notes, f"{found.why}: {found.name}"),
    )
