"""Commands for several projects and several machines: list the projects, and join their reports."""

from __future__ import annotations

import os
import stat
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from migration_gate.errors import Misconfigured


@click.command()
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
def projects(  # noqa: PLR0917 - one parameter an option
    path: Path,
    form: str,
    changed: bool,
    base: str | None,
    config: str | None,
    project: tuple[str, ...],
    github_output: str | None,
) -> int:
    """List the projects of PATH: those of the configuration, else those that are found.

    With --changed, where nothing is known of the change, all of them.
    """
    from migration_gate.monorepo import selection as matrix  # noqa: PLC0415 - not needed to print help
    from migration_gate.report import workflow_commands  # noqa: PLC0415 - not needed to print help

    given: dict[str, object] = {"base": base, "config": config, "project": project}
    options = {name: value for name, value in given.items() if value}
    selection = matrix.select(path, options, os.environ, changed=changed)
    text = matrix.render(selection, form)
    if form == "matrix" and selection.note:
        click.echo(selection.note, err=True)
    with _inert(form):
        click.echo(text)
    if github_output:
        workflow_commands.outputs(_file("GITHUB_OUTPUT", "--github-output"), {github_output: text})
    return 0


def _inert(form: str) -> AbstractContextManager[None]:
    """Nothing in a text for people acts on a runner that reads it; programs and files get it as it is."""
    from migration_gate.report import workflow_commands  # noqa: PLC0415 - not needed to print help

    for_people = form not in ("json", "matrix", "sarif", "codequality")  # no line of those begins with `::`
    if os.environ.get("GITHUB_ACTIONS") != "true" or not for_people:
        return nullcontext()
    return nullcontext() if stat.S_ISREG(os.fstat(1).st_mode) else workflow_commands.stopped()


def _file(variable: str, option: str) -> Path:
    """The runner's file that an option writes to."""
    if not os.environ.get(variable):
        raise Misconfigured(
            f"`{option}` was given, but {variable} is not set.",
            where=option,
            advice="Leave the option out where no step of GitHub's runs.",
        )
    return Path(os.environ[variable])


@click.command()
@click.argument("reports", metavar="[REPORT]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--expect", metavar="NAME", multiple=True, help="A project that must report; repeatable.")
@click.option(
    "--matrix", envvar="MIGRATION_GATE_MATRIX", metavar="JSON", help="All of this matrix must report."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "summary", "sarif", "junit", "codequality"]),
    default="text",
    help="How to write the report.",
)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the report there.")
@click.option("--github-summary", is_flag=True, help="Add it to the summary of the GitHub step, too.")
def join(  # noqa: PLR0917 - one parameter an option
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
    from migration_gate.monorepo import join_reports as joining  # noqa: PLC0415 - not needed to print help
    from migration_gate.report import deliver, workflow_commands  # noqa: PLC0415 - not needed to print help

    joined = joining.read(reports, joining.expected(expect, matrix))
    if github_summary:
        workflow_commands.append(
            _file("GITHUB_STEP_SUMMARY", "--github-summary"), joining.rendered(joined, "summary")
        )
    text = joining.rendered(joined, form)
    with nullcontext() if output else _inert(form):
        deliver.write(text, output)
    return joining.status(joined)
