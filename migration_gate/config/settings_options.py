"""The options of the command line that set what a configuration file can set as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

LIMITS = ("run", "statement", "import", "install")
"""time limits that have an option, `--run-timeout` and so on"""
F = TypeVar("F", bound=Callable[..., Any])


def _parse_variables(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """Each `NAME=VALUE` as name and value."""
    variables = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE.")
        variables[name] = value
    return variables


SETTINGS_OPTIONS = (
    click.option("--config", metavar="FILE", help="Our configuration, if not .migration-gate.yml."),
    click.option(
        "--project", metavar="NAME", multiple=True, help="Only this one of `projects:`; repeatable."
    ),
    click.option("--alembic", metavar="PATH", help="alembic.ini, pyproject.toml or their folder."),
    click.option("--section", metavar="NAME", help="The section of alembic.ini to read."),
    click.option("--flask-app", metavar="APP", help="The application, for Flask-Migrate."),
    click.option("--hook", metavar="FILE", help="A Python file that leaves an Alembic Config in `cfg`."),
    click.option("--python", metavar="PATH", help="The project's interpreter, or its virtual environment."),
    click.option("--install", metavar="HOW", help="Install its packages: auto, off, or a command."),
    click.option("--python-version", metavar="VERSION", help="The Python to install them for."),
    click.option("--groups", metavar="NAME", multiple=True, help="A group to install; repeatable."),
    click.option("--extras", metavar="NAME", multiple=True, help="An extra to install; repeatable."),
    click.option("--without", metavar="NAME", multiple=True, help="A package not to install; repeatable."),
    click.option("--cache", metavar="DIR", help="Where installed environments are kept."),
    click.option("--working-directory", metavar="DIR", help="Where env.py and the migrations run."),
    click.option(
        "--env",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_parse_variables,
        help="A variable; repeatable.",
    ),
    click.option("--env-file", metavar="FILE", multiple=True, help="A dotenv file; repeatable."),
    click.option("--target", metavar="REVISION", multiple=True, help="What to upgrade to; repeatable."),
    click.option("-x", "x", metavar="ARG", multiple=True, help="Alembic's -x argument; repeatable."),
    click.option(
        "--postgres", metavar="WHICH", help="auto, local, embedded, a major version, an image, a URL."
    ),
    click.option("--network/--no-network", default=None, help="Let the project's code reach the network."),
    click.option("--run-timeout", metavar="SECONDS", help="Limit for the whole replay."),
    click.option("--statement-timeout", metavar="SECONDS", help="Limit for one SQL statement."),
    click.option("--import-timeout", metavar="SECONDS", help="Limit for importing the project."),
    click.option("--install-timeout", metavar="SECONDS", help="Limit for installing its packages."),
    click.option("--base", metavar="REVISION", help="What the change is compared with, for git."),
    click.option("--watch", metavar="PATTERN", multiple=True, help="Further files of it; repeatable."),
    click.option("--snapshots", metavar="WHICH", help="Of revisions: changed, none, all, or the newest N."),
    click.option("--baseline", metavar="FILE", help="Findings that were there before."),
    click.option("--scope", metavar="SCOPE", help="What blocks: change (new or worse) or all."),
    click.option("--squawk/--no-squawk", default=None, help="Ask squawk about the SQL, too."),
    click.option("--observe", metavar="WHICH", help="Revisions to observe: change, all or off."),
    click.option("--rollback", metavar="WHICH", help="Revisions to downgrade: change, all or off."),
    click.option("--checkpoint", metavar="USE", help="Begin from a kept state: auto, scratch or off."),
    click.option("--from-scratch", is_flag=True, help="The same as --checkpoint scratch: replay everything."),
    click.option("--sizes", metavar="FILE", help="Sizes of tables, from `migration-gate sizes`."),
    click.option("--small-table", metavar="SIZE", help="Below it a table is small: 1 GB, or off."),
    click.option("--policy", metavar="WHOSE", help="Settings that judge: of the change, or of its base."),
    click.option("--fail-on", metavar="SEVERITY", help="The least that fails: error or warning."),
)
"""the options that `check` and `doctor` share; each has a key of the configuration"""


def add_settings_options(command: F) -> F:
    """Let a command take all of SETTINGS_OPTIONS."""
    for add_option in reversed(SETTINGS_OPTIONS):
        command = add_option(command)
    return command


def nest_options(options: dict[str, Any]) -> dict[str, object]:
    """The options as the mapping of a configuration file; options that were not given are left out."""
    config: dict[str, object] = {
        name: value for name, value in options.items() if value not in (None, (), {})
    }
    if config.pop("from_scratch", False):
        config["checkpoint"] = "scratch"
    alembic = {"config": config.pop("alembic", None), "section": config.pop("section", None)}
    limits = {kind: config.pop(f"{kind}_timeout", None) for kind in LIMITS}
    for key, values in (("alembic", alembic), ("limits", limits)):
        known_values = {name: value for name, value in values.items() if value is not None}
        if known_values:
            config[key] = known_values
    return config
