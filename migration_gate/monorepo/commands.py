"""The commands `projects` and `join`: the projects of a repository, and one report of several runs."""

from __future__ import annotations

import os
import stat
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from migration_gate.errors import Misconfigured
from migration_gate.report.formats import FORMATS, GITHUB

MACHINE_FORMATS = frozenset({"json", "matrix", "sarif", "codequality", GITHUB})
"""no line of these begins with `::`, so none is a workflow command"""


@click.command("projects")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "matrix"]),
    default="text",
    help="How to write them; matrix is GitHub's, on one line.",
)
@click.option("--changed", is_flag=True, help="Only those that the change touches.")
@click.option("--base", metavar="REVISION", help="What the change is compared with, for git.")
@click.option("--config", metavar="FILE", help="Our configuration, if not .migration-gate.yml.")
@click.option("--project", metavar="NAME", multiple=True, help="Only this one of `projects:`; repeatable.")
@click.option("--github-output", metavar="NAME", help="Write them to this output of the GitHub step, too.")
def list_projects(  # noqa: PLR0917 - one parameter an option
    path: Path,
    form: str,
    changed: bool,
    base: str | None,
    config: str | None,
    project: tuple[str, ...],
    github_output: str | None,
) -> int:
    """List the projects of PATH: those of the configuration, else those that are found.

    With --changed, if nothing is known of the change, all of them.
    """
    from migration_gate.monorepo import selection  # noqa: PLC0415 - not needed to print help
    from migration_gate.report import workflow_commands  # noqa: PLC0415 - not needed to print help

    values: dict[str, object] = {"base": base, "config": config, "project": project}
    options = {name: value for name, value in values.items() if value}
    selected = selection.select_projects(path, options, os.environ, changed=changed)
    text = selection.render_selection(selected, form)
    if form == "matrix" and selected.note:
        click.echo(selected.note, err=True)
    with _without_workflow_commands(form):
        click.echo(text)
    if github_output:
        output_file = _file_of_runner("GITHUB_OUTPUT", "--github-output")
        workflow_commands.append_outputs(output_file, {github_output: text})
    return 0


@click.command("join")
@click.argument("reports", metavar="[REPORT]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--expect", metavar="NAME", multiple=True, help="A project that must report; repeatable.")
@click.option(
    "--matrix", metavar="JSON", help="All of this matrix must report. Else that of MIGRATION_GATE_MATRIX."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    help="How to write the report.",
)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the report there.")
@click.option("--github-summary", is_flag=True, help="Add it to the summary of the GitHub step, too.")
def join_json_reports(  # noqa: PLR0917 - one parameter an option
    reports: tuple[Path, ...],
    expect: tuple[str, ...],
    matrix: str | None,
    form: str,
    output: Path | None,
    github_summary: bool,
) -> int:
    """Join JSON REPORTs (files, or folders of them) into one verdict.

    Exit status: the worst of theirs; 2 where a project did not report.
    """
    from migration_gate.monorepo import join_reports  # noqa: PLC0415 - not needed to print help
    from migration_gate.report import deliver, workflow_commands  # noqa: PLC0415 - not needed to print help

    if matrix is None:
        matrix = os.environ.get("MIGRATION_GATE_MATRIX")  # (click takes an empty variable for none)
    expected_names = join_reports.expected_projects(expect, matrix)
    joined = join_reports.read_reports(reports, expected_names)
    if github_summary:
        summary_file = _file_of_runner("GITHUB_STEP_SUMMARY", "--github-summary")
        workflow_commands.append_text(summary_file, join_reports.render_joined(joined, "summary"))
    text = join_reports.render_joined(joined, form)
    with nullcontext() if output else _without_workflow_commands(form):
        deliver.write_text(text, output, form)
    return join_reports.joined_status(joined)


def _without_workflow_commands(form: str) -> AbstractContextManager[None]:
    """Nothing in a text for people acts on a runner that reads it; programs and files get it unchanged."""
    from migration_gate.report import workflow_commands  # noqa: PLC0415 - not needed to print help

    is_on_runner = os.environ.get("GITHUB_ACTIONS") == "true"
    is_written_to_file = stat.S_ISREG(os.fstat(1).st_mode)
    if form in MACHINE_FORMATS or not is_on_runner or is_written_to_file:
        return nullcontext()
    return workflow_commands.suspend_commands()


def _file_of_runner(variable: str, option: str) -> Path:
    """The file that a GitHub runner names in `variable`, to which an option writes."""
    if not os.environ.get(variable):
        raise Misconfigured(
            f"`{option}` was given, but {variable} is not set.",
            where=option,
            advice="Leave the option out outside of a GitHub step.",
        )
    return Path(os.environ[variable])


MONOREPO_COMMANDS = (list_projects, join_json_reports)
