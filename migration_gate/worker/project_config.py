"""Gets the project's Alembic configuration in its own interpreter, as `alembic upgrade heads` would."""

from __future__ import annotations

import os
import re
import runpy
import sys
from contextlib import ExitStack
from dataclasses import field
from typing import Any, Callable, Optional

from .additions import Additions
from .deferred_methods import dataclass
from .placeholders import PLACEHOLDER_URL
from .protocol.order import ConfigSource, Order

EVERYTHING = "heads"
PATH_SEPARATORS = re.compile(r"[%s\n]|,\s*" % re.escape(os.pathsep))
"""of Alembic's prepend_sys_path"""


def _call_directly(function: Callable[[], Any]) -> Any:
    return function()


@dataclass(frozen=True)
class UpgradeCommand:
    """What `alembic upgrade` is called with."""

    x_arguments: tuple[str, ...]
    revision: str


@dataclass(frozen=True)
class ProjectConfig:
    """The configuration, and what the project wants around the run of env.py."""

    config: Any
    """an alembic.config.Config"""
    call_env: Callable[[Callable[[], Any]], Any] = _call_directly
    """calls the function that runs env.py, and returns what that returned"""
    contexts: ExitStack = field(default_factory=ExitStack)
    """what was entered for the configuration: leave it when everything is done"""


def load_project_config(order: Order, additions: Additions) -> ProjectConfig:
    """The configuration, from where the order says. Raises whatever the project's code raises.

    `additions` are what an earlier attempt failed for the want of.
    """
    source = order.config
    command = UpgradeCommand(order.x_arguments, order.target[0] if len(order.target) == 1 else EVERYTHING)
    if source.kind == "hook":
        project = _load_from_hook(source.hook or "")
    elif source.kind == "flask":
        project = _load_from_flask(source, order.x_arguments)
    elif source.kind == "toml":
        project = ProjectConfig(_load_from_toml(source, command))
    else:
        project = ProjectConfig(_load_from_ini(source, command))
    _complete_config(project.config, command, additions)
    return project


def _load_from_ini(source: ConfigSource, command: UpgradeCommand) -> Any:
    from alembic.config import Config

    options = _parse_command_line(source.file, command)
    config = Config(source.file, ini_section=source.section, cmd_opts=options)
    if source.script_location:
        config.set_main_option("script_location", source.script_location.replace("%", "%%"))
    return config


def _load_from_toml(source: ConfigSource, command: UpgradeCommand) -> Any:
    """A pyproject.toml (Alembic 1.16 and later), and the alembic.ini beside it if there is one."""
    from alembic.config import Config

    ini_file = os.path.join(os.path.dirname(source.file or ""), "alembic.ini")
    return Config(
        ini_file if os.path.isfile(ini_file) else None,
        toml_file=source.file,
        ini_section=source.section,
        cmd_opts=_parse_command_line(None, command),
    )


def _load_from_hook(file: str) -> ProjectConfig:
    """Run the user's file.

    It leaves the configuration in `cfg`, and perhaps a context manager in `ctx` and, in `wrap`, a function
    that runs the function which it is given.
    """
    sys.path.insert(0, os.path.dirname(file))
    names = runpy.run_path(file, run_name="migration_gate_hook")
    if names.get("cfg") is None:
        raise LookupError(
            "the hook %s left no `cfg`: it has to build an alembic.config.Config of that name" % file
        )
    contexts = ExitStack()
    if names.get("ctx") is not None:
        contexts.enter_context(names["ctx"])
    return ProjectConfig(names["cfg"], names.get("wrap") or _call_directly, contexts)


def _load_from_flask(source: ConfigSource, x_arguments: tuple[str, ...]) -> ProjectConfig:
    """Flask-Migrate's configuration, in the context of its application."""
    os.environ["FLASK_APP"] = source.flask_app or ""
    from flask.cli import ScriptInfo  # type: ignore[import-not-found]

    app = ScriptInfo(app_import_path=source.flask_app).load_app()
    contexts = ExitStack()
    contexts.enter_context(app.app_context())
    extension = app.extensions.get("migrate")
    if extension is None:
        raise LookupError("the Flask application has no Flask-Migrate: Migrate(app, db) was not called")
    folder = source.file or extension.directory
    try:
        config = extension.migrate.get_config(folder, x_arg=list(x_arguments))
    except TypeError:  # Flask-Migrate before 2.0
        config = extension.migrate.get_config(folder)
    return ProjectConfig(config, contexts=contexts)


def _complete_config(config: Any, command: UpgradeCommand, additions: Additions) -> None:
    """Do what the command `alembic` itself does, and give what the project was found to want."""
    if config.cmd_opts is None and (command.x_arguments or additions.command_line):
        config.cmd_opts = _parse_command_line(config.config_file_name, command)
    for name, value in additions.options.items():
        config.set_main_option(name, value.replace("%", "%%"))
    # After the options: the folders may be written with one of them.
    sys.path[:0] = _list_prepended_folders(config)
    if additions.url and not config.get_main_option("sqlalchemy.url"):
        config.set_main_option("sqlalchemy.url", PLACEHOLDER_URL)


def _list_prepended_folders(config: Any) -> list[str]:
    """Those of `prepend_sys_path`, which only the command `alembic` itself reads."""
    folders = PATH_SEPARATORS.split(config.get_main_option("prepend_sys_path") or "")
    return [os.path.abspath(folder.strip()) for folder in folders if folder.strip()]


def _parse_command_line(file: Optional[str], command: UpgradeCommand) -> Any:
    """The namespace that `alembic -c FILE -x … upgrade REVISION` makes, which env.py may look at."""
    import argparse

    from alembic.config import CommandLine

    arguments = ["-c", file] if file else []
    for argument in command.x_arguments:
        arguments += ["-x", argument]
    try:
        return CommandLine().parser.parse_args([*arguments, "upgrade", command.revision])
    except SystemExit:
        return argparse.Namespace(x=list(command.x_arguments) or None, config=file)
