"""From settings to a project: the hook, the named configuration, Flask-Migrate, else a search."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from migration_gate.config.repository_root import find_repository_root
from migration_gate.config.settings import Settings
from migration_gate.errors import ProjectNotFound
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project import search_errors
from migration_gate.project.alembic_config import AlembicConfig, read_alembic_config
from migration_gate.project.flask import FlaskApplication, find_application, is_flask_migrate_folder
from migration_gate.project.import_path import build_import_path
from migration_gate.project.interpreter_choice import choose_interpreter
from migration_gate.project.model import ConfigKind, Project
from migration_gate.project.same_history import (
    describe_unusual_name,
    find_unusual_configs,
    is_same_history,
)
from migration_gate.project.script_location import find_script_location, is_working_directory_set
from migration_gate.project.search import (
    find_ini_files,
    find_nearest_configs,
    has_revisions,
    list_environments,
    read_text_file,
)

NAME_IT = "name it under `projects:`"
LOCATIONS = re.compile(r"^[^#;\n]*(?<!recursive_)version_locations\b", re.MULTILINE)
"""the option that names folders of revisions outside of that of env.py; not in a comment, as in new files"""


@dataclass(frozen=True, slots=True)
class AlembicEnvironment:
    """What is known of a project before its interpreter is. Paths are absolute."""

    kind: ConfigKind
    directory: Path
    """the folder to run in"""
    config: Path | None = None
    """alembic.ini, pyproject.toml, or Flask-Migrate's folder"""
    section: str = "alembic"
    script_location: Path | None = None
    """the folder of env.py, where what the configuration says does not lead there from `directory`"""
    flask_app: str | None = None
    prepend_sys_path: tuple[str, ...] = ()
    entry_file: Path | None = None
    """env.py or the hook; None if env.py is not in the repository"""
    notes: tuple[str, ...] = ()
    """how it was found, if that was not obvious"""


def find_project(settings: Settings, environ: Mapping[str, str] | None = None) -> Project:
    """The project that the settings mean.

    Raises ProjectNotFound if there is none, or more than one; ProjectNotImported where no interpreter
    has its packages.
    """
    environ = os.environ if environ is None else environ
    root = find_repository_root(settings.root)
    environment = locate_environment(settings, environ)
    interpreter = choose_interpreter(
        settings.python, environment.directory, root, environ, settings.installed
    )
    return Project(
        name=settings.name,
        root=settings.root,
        directory=environment.directory,
        python=interpreter.python,
        kind=environment.kind,
        config=environment.config,
        section=environment.section,
        script_location=environment.script_location,
        flask_app=environment.flask_app,
        hook=settings.hook,
        import_path=build_import_path(
            environment.directory, environment.prepend_sys_path, environment.entry_file, root
        ),
        notes=(*environment.notes, *interpreter.notes),
    )


def locate_environment(settings: Settings, environ: Mapping[str, str]) -> AlembicEnvironment:
    """The Alembic environment and the folder to run it in. Raises ProjectNotFound if there is none."""
    if settings.hook:
        return AlembicEnvironment(
            "hook", settings.working_directory, section=settings.section, entry_file=settings.hook
        )
    if settings.alembic:
        config = read_alembic_config(settings.alembic, settings.section)
        return _locate_configured(config, settings, environ)
    config = _search_config(settings)
    notes = (
        *describe_unusual_name(config),
        *_describe_other_files(config, settings),
        *_describe_other_sections(config),
    )
    environment = _locate_configured(config, settings, environ, notes)
    _refuse_empty_history(config, environment, settings)
    return environment


def _refuse_empty_history(config: AlembicConfig, environment: AlembicEnvironment, settings: Settings) -> None:
    """Raise ProjectNotFound if the configuration that was found has no revisions, and another folder has."""
    entry = environment.entry_file
    if entry is None or has_revisions(entry.parent):
        return
    if any(LOCATIONS.search(read_text_file(file)) for file in (config.file, entry)):
        return  # its revisions are elsewhere
    top = settings.project_folder or settings.working_directory
    others = [folder for folder in list_environments(top) if folder != entry.parent and has_revisions(folder)]
    if others:
        raise search_errors.empty_history_error(config, entry.parent, others, top)


def _search_config(settings: Settings) -> AlembicConfig:
    """The one configuration in or near the project's folder, else in or near the working directory."""
    start = settings.project_folder or settings.working_directory
    configs = find_nearest_configs(start, settings.section)
    if not configs and start != settings.working_directory:
        configs = find_nearest_configs(settings.working_directory, settings.section)
    if not configs and not settings.flask_app:
        configs = _find_deep_configs(settings.working_directory, settings.section)
    if len(configs) > 1:
        raise search_errors.several_configs_error(configs, settings.root)
    if configs:
        return configs[0]
    if settings.flask_app:
        raise ProjectNotFound(
            f"`flask_app` is set, but no folder of Flask-Migrate's was found in `{start}`.",
            where=str(start),
            advice="Name the folder that holds its env.py and alembic.ini: `alembic: path/to/migrations`.",
        )
    raise search_errors.no_config_error(start)


def _find_deep_configs(top: Path, section: str) -> list[AlembicConfig]:
    """Those of every alembic.ini, however deep it lies; else of files of another name."""
    configs = [read_alembic_config(file, section) for file in find_ini_files(top)]
    return configs or find_unusual_configs(top, section)


def _describe_other_files(config: AlembicConfig, settings: Settings) -> tuple[str, ...]:
    """Notes on other histories of the repository, which this run does not replay."""
    start = settings.project_folder or settings.working_directory
    return tuple(
        f"`{file.relative_to(start)}` is another history, and not replayed: {NAME_IT}"
        for file in find_ini_files(start)
        if file != config.file and not is_same_history(file, config)
    )


def _describe_other_sections(config: AlembicConfig) -> tuple[str, ...]:
    """Notes on other histories in the same file. Not needed where the user named the file and a section."""
    return tuple(
        f"section [{name}] of `{config.file.name}` is another history, and not replayed: {NAME_IT}"
        for name in config.other_sections
    )


def _locate_configured(
    config: AlembicConfig, settings: Settings, environ: Mapping[str, str], notes: tuple[str, ...] = ()
) -> AlembicEnvironment:
    if not config.script_location and len(config.other_sections) > 1:
        raise search_errors.several_sections_error(config, settings.root)
    if settings.flask_app or is_flask_migrate_folder(config.folder):
        return _locate_flask_environment(config, settings, environ, notes)
    placement = find_script_location(config, settings)
    return AlembicEnvironment(
        kind=config.kind,
        directory=placement.directory,
        config=config.file,
        section=config.section,
        script_location=placement.override,
        prepend_sys_path=config.prepend_sys_path,
        entry_file=placement.scripts / "env.py" if placement.scripts else None,
        notes=notes,
    )


def _locate_flask_environment(
    config: AlembicConfig, settings: Settings, environ: Mapping[str, str], notes: tuple[str, ...]
) -> AlembicEnvironment:
    """Flask-Migrate makes its configuration from the application: that has to be found."""
    application = _find_flask_application(config, settings, environ)
    if (config.folder / "env.py").is_file():
        scripts = config.folder
    else:
        scripts = find_script_location(config, settings).scripts or config.folder
    directory = settings.working_directory if is_working_directory_set(settings) else application.directory
    return AlembicEnvironment(
        kind="flask",
        directory=directory,
        config=scripts,
        section=config.section,
        flask_app=application.name,
        prepend_sys_path=config.prepend_sys_path,
        entry_file=scripts / "env.py",
        notes=(*notes, f"{application.reason}: {application.name}"),
    )


def _find_flask_application(
    config: AlembicConfig, settings: Settings, environ: Mapping[str, str]
) -> FlaskApplication:
    folders = list(dict.fromkeys((settings.working_directory, config.folder.parent, settings.root)))
    application = find_application(folders, settings.flask_app, settings.env_by_name(), environ)
    if application is None:
        raise ProjectNotFound(
            f"`{config.folder}` belongs to Flask-Migrate, and no FLASK_APP was found.",
            where=str(config.folder / "env.py"),
            advice="Name the application, as FLASK_APP would: `flask_app: package.module:create_app`.",
        )
    return application
