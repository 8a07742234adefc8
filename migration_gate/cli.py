"""The command line: commands, options, and exit statuses.

0 no findings that block, 1 findings that block, 2 something to fix first, 3 a bug in Migration Gate; 130 and
143 when interrupted. Modules that a command needs are imported in its function: `--help` and `--version` do
not wait for them.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import click

from migration_gate import __version__
from migration_gate.config.settings_options import add_settings_options, nest_options
from migration_gate.corrections.correction_commands import CORRECTION_COMMANDS
from migration_gate.errors import GateError
from migration_gate.monorepo.commands import MONOREPO_COMMANDS
from migration_gate.process.interruption import (
    Terminated,
    find_interruption,
    forget_interruption,
    ignore_signals,
    raise_on_signals,
)
from migration_gate.report.error_text import render_error, unexpected_error
from migration_gate.report.formats import FORMATS, PRINTED_FORMATS
from migration_gate.report.workflow_commands import suspend_commands_on_runner

WIDTH = 80
GARBAGE_THRESHOLD = 1_000_000
"""new objects after which Python looks for garbage; its own default is 700"""
CONTAINER_LIBRARY = "testcontainers"


def _parse_report_targets(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, Path], ...]:
    """Each `FORMAT=FILE` as format and file."""
    targets = []
    for text in values:
        form, equals, file = text.partition("=")
        if form not in FORMATS or not equals or not file:
            raise click.BadParameter(f"{text!r} is not FORMAT=FILE; the formats are {', '.join(FORMATS)}.")
        targets.append((form, Path(file)))
    return tuple(targets)


def _print_version(context: click.Context, _option: click.Parameter, requested: bool) -> None:
    if requested and not context.resilient_parsing:
        click.echo(f"migration-gate {__version__}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Print the version.",
)
@click.option("--debug", is_flag=True, help="Show the traceback when the gate itself breaks.")
def command_line(debug: bool) -> None:
    """Replay every Alembic migration on a throw-away Postgres, and block what drifts."""


@command_line.command("check")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    help="How to write the report.",
)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the report there.")
@click.option(
    "--report",
    "files",
    metavar="FORMAT=FILE",
    multiple=True,
    callback=_parse_report_targets,
    help="Write it there as well, in this format; repeatable.",
)
@click.option("--static", is_flag=True, help="Only what the files show: no Postgres, and nothing runs.")
@add_settings_options
def check_project(
    path: Path,
    form: str,
    output: Path | None,
    files: tuple[tuple[str, Path], ...],
    static: bool,
    **options: Any,
) -> int:
    """Replay the migrations of PATH, compare them with its models, and judge.

    Exit status: 0 clean, 1 findings that block, 2 something to fix first, 3 the gate broke.
    """
    from migration_gate.report.deliver import ReportFile, ReportTargets  # noqa: PLC0415 - not needed to print help

    targets = ReportTargets(form, output, tuple(ReportFile(*file) for file in files))
    if static:
        from migration_gate import static as reading  # noqa: PLC0415 - neither is this

        return reading.run_static_check(path, nest_options(options), targets)
    from migration_gate import entrypoint  # noqa: PLC0415 - the engine is not needed to print help

    status: int = entrypoint.run_check(path, nest_options(options), targets)
    return status


@command_line.command("action")
def run_action() -> int:
    """Run `check` as the GitHub action: options come from its inputs (INPUT_*), results go to its runner.

    This is the default command where GITHUB_ACTIONS is set.
    """
    from migration_gate import action as on_github  # noqa: PLC0415 - not needed to print help

    status: int = on_github.run_action(os.environ)
    return status


@command_line.command("doctor")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to write the answer."
)
@click.option(
    "--try", "runs_env_py", is_flag=True, help="Run env.py once on the gate's own server, but no revision."
)
@click.option(
    "--write-hook",
    "writes_hook",
    is_flag=True,
    help="Draft a hook where the project builds its configuration in code.",
)
@add_settings_options
def diagnose_project(path: Path, form: str, runs_env_py: bool, writes_hook: bool, **options: Any) -> int:
    """Print what is missing and what was found in PATH; run nothing of it, unless told to."""
    from migration_gate import doctor as examination  # noqa: PLC0415 - not needed to print help

    text, status = examination.diagnose(
        path, nest_options(options), form, runs_env_py=runs_env_py, writes_hook=writes_hook
    )
    click.echo(text)
    return status


@command_line.command("explain")
@click.argument("name", metavar="[CHECK]", required=False)
def explain_check(name: str | None) -> int:
    """List the checks, or explain one."""
    from migration_gate import explain as explanation  # noqa: PLC0415 - not needed to print help

    click.echo(explanation.describe_check(name) if name else explanation.describe_all_checks())
    return 0


@command_line.command("schema")
def print_schema() -> int:
    """Print the JSON schema of the configuration file."""
    import json  # noqa: PLC0415 - not needed to print help

    from migration_gate.config import loading  # noqa: PLC0415 - not needed to print help

    click.echo(json.dumps(loading.config_schema(), indent=2))
    return 0


@command_line.command("examine-base", hidden=True)
def examine_base() -> NoReturn:
    """Examine a project at the base of a change, for the process that started this one."""
    from migration_gate.change import base_process  # noqa: PLC0415 - not needed to print help

    base_process.answer_request()


for command in (*MONOREPO_COMMANDS, *CORRECTION_COMMANDS):
    command_line.add_command(command)


def run_as_program() -> NoReturn:
    """The installed command; on GitHub, without arguments, it is the action."""
    arguments = sys.argv[1:]
    if not arguments and os.environ.get("GITHUB_ACTIONS") == "true":
        arguments = ["action"]
    # The facts are kept until the report is written: there is little garbage, and looking for it takes long.
    gc.set_threshold(GARBAGE_THRESHOLD)
    try:
        status = run_command_line(arguments)
        ignore_signals()  # nothing is left to clean up
        forget_interruption()
    except Terminated as interruption:  # before the command began, or at its very end
        status = _report_interruption(interruption)
    end_process(status)


def end_process(status: int) -> NoReturn:
    """End this process. To take apart all that the interpreter holds would take some 20 ms.

    It is done only where somebody may count on it: another thread, a library that removes containers at the
    end, or a stream that cannot be written to, which the interpreter reports in its own way.
    """
    gc.freeze()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(status)
    if threading.active_count() > 1 or CONTAINER_LIBRARY in sys.modules:
        sys.exit(status)
    os._exit(status)


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; errors are printed on stderr."""
    raise_on_signals()
    if "action" in arguments[:1]:  # which prints commands of its own
        return _run_command(arguments)
    with suspend_commands_on_runner(os.environ, is_text=not _is_machine_readable(arguments)):
        return _run_command(arguments)


def _report_interruption(interruption: BaseException | None) -> int:
    """The exit status of a run that a signal ended; all that it had started has been removed."""
    forget_interruption()
    click.echo("Interrupted; nothing is left behind.", err=True)
    return interruption.status if isinstance(interruption, Terminated) else 130


def _is_machine_readable(arguments: Sequence[str]) -> bool:
    """Whether `--format` names a format that programs read."""
    formats = [value for option, value in pairwise(arguments) if option == "--format"]
    formats += [option.partition("=")[2] for option in arguments if option.startswith("--format=")]
    return bool(formats) and formats[-1] not in PRINTED_FORMATS


def _run_command(arguments: Sequence[str]) -> int:
    try:
        return int(command_line.main(list(arguments), prog_name="migration-gate", standalone_mode=False) or 0)
    except click.Abort as error:
        return _report_interruption(error.__cause__)
    except Exception as error:  # noqa: BLE001 - each kind is reported
        interruption = find_interruption()
        if interruption is not None:
            return _report_interruption(interruption)
        return _report_error(error, is_debugged="--debug" in arguments)


def _report_error(error: Exception, *, is_debugged: bool) -> int:
    """Show what ended the run, and return the exit status."""
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, GateError):
        click.echo(render_error(error), err=True)
        return error.status
    return _report_bug(error, is_debugged=is_debugged)


def _report_bug(error: Exception, *, is_debugged: bool) -> int:
    """Show a bug of ours, and return the exit status; a container takes the files with it that it wrote."""
    from migration_gate.sandbox.user import (  # noqa: PLC0415 - not needed when all goes well
        runs_in_container,
        runs_on_github,
    )

    broken = unexpected_error(error, shows_traceback=is_debugged or runs_in_container(os.environ))
    if runs_on_github(os.environ) and broken.evidence:
        from migration_gate.report.broken_run import publish_broken_run  # noqa: PLC0415 - nor is this

        publish_broken_run(os.environ, broken)
    else:
        click.echo(render_error(broken), err=True)
    return broken.status
