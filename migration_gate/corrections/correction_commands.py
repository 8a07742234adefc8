"""The commands `rebase`, `allow`, `fix`, `baseline` and `sizes`: those that write into a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from migration_gate.config.settings_options import add_settings_options, nest_options
from migration_gate.config.sizes_file import SIZES_NAME


@click.command("rebase")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--write", "writes", is_flag=True, help="Write it; without this only the diff is printed.")
@click.option("--merge", "merges", is_flag=True, help="Join the heads by a merge revision instead.")
@click.option("--base", metavar="REVISION", help="The branch into which the change goes, for git.")
@click.option("--config", metavar="FILE", help="Our configuration, if not .migration-gate.yml.")
@click.option("--project", metavar="NAME", multiple=True, help="Only this one of `projects:`; repeatable.")
@click.option("--alembic", metavar="PATH", help="alembic.ini, pyproject.toml or their folder.")
@click.option("--section", metavar="NAME", help="The section of alembic.ini to read.")
@click.option("--python", metavar="PATH", help="The project's interpreter, for its script.py.mako.")
def rebase_revisions(path: Path, writes: bool, merges: bool, **options: Any) -> int:
    """Put the new revisions in PATH on top of the head of the base: `down_revision` and `Revises:`.

    Prints a diff; works on text, without Postgres.
    """
    from migration_gate.corrections import rebase  # noqa: PLC0415 - not needed to print help

    click.echo(rebase.run_rebase(path, nest_options(options), writes=writes, merges=merges))
    return 0


@click.command("allow")
@click.argument("finding", metavar="ID")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--reason", required=True, metavar="TEXT", help="Why it is accepted.")
@click.option("--until", default="", metavar="DATE", help="The last day on which it is, as 2027-01-31.")
@click.option("--comment", "is_comment", is_flag=True, help="A comment at its line, not an entry.")
@click.option(
    "--from",
    "report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The JSON report that has the finding; without it the project is checked.",
)
@click.option("--write", "writes", is_flag=True, help="Write it; without this only the diff is shown.")
@add_settings_options
def allow_finding(finding: str, path: Path, reason: str, until: str, **options: Any) -> int:
    """Allow the finding with this ID, in the configuration file or by a comment, and check that it is."""
    from migration_gate.corrections import new_allowance  # noqa: PLC0415 - not needed to print help

    own = {name: options.pop(name) for name in ("is_comment", "report", "writes")}
    request = new_allowance.AllowRequest(path, finding, reason, until, **own)
    text, status = new_allowance.allow_finding(request, nest_options(options))
    click.echo(text)
    return status


@click.command("fix")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--write", is_flag=True, help="Write it; else it is only shown.")
@click.option("--all", "fixes_all", is_flag=True, help="Correct what was there before the change, too.")
@add_settings_options
def fix_project(path: Path, write: bool, fixes_all: bool, **options: Any) -> int:
    """Show what corrects the findings of PATH: one revision for all drift, and edits of its files.

    It is tried on a copy first.
    """
    from migration_gate.corrections import fix_command  # noqa: PLC0415 - not needed to print help

    for text in fix_command.fix_projects(path, nest_options(options), writes=write, fixes_all=fixes_all):
        click.echo(text)
    return 0


@click.command("baseline")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--renew", is_flag=True, help="Write it anew, with the findings that it lacks.")
@add_settings_options
def write_baseline(path: Path, renew: bool, **options: Any) -> int:
    """Write the findings of PATH into its baseline; if there is one, remove those that are gone.

    What the baseline holds does not block where the base of a change is not known.
    """
    from migration_gate.corrections import baseline_command as writing  # noqa: PLC0415 - not needed to print help

    for text in writing.write_baselines(path, nest_options(options), is_renewed=renew):
        click.echo(text)
    return 0


@click.command("sizes")
@click.option(
    "--database",
    "databases",
    metavar="URL",
    multiple=True,
    help="The live database; without a password, PGPASSWORD or ~/.pgpass has it.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=SIZES_NAME,
    show_default=True,
    metavar="FILE",
    help="Write them there; - is standard output.",
)
def write_sizes(databases: tuple[str, ...], output: Path) -> int:
    """Write the sizes of a live database's tables into a file: names, rows and bytes.

    From its statistics: no table is read or locked, and nothing is written there. The setting `sizes` names
    the file; findings then say how much work a statement is, and weigh less on small tables.
    """
    from migration_gate.corrections import sizes_command as writing  # noqa: PLC0415 - not needed to print help

    click.echo(writing.write_sizes(databases, output))
    return 0


CORRECTION_COMMANDS = (rebase_revisions, allow_finding, fix_project, write_baseline, write_sizes)
