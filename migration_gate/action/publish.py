"""Tells people on GitHub what was found; nothing in here can fail a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from migration_gate.action import comment_client as sticky
from migration_gate.action.comment_client import CommentRefused, NotCommented, PullRequest
from migration_gate.action.request import ActionRequest, input_variable
from migration_gate.check import Severity
from migration_gate.ci import event
from migration_gate.ci.event import Event
from migration_gate.errors import GateError
from migration_gate.report import comment, workflow_commands
from migration_gate.report.annotations import select_annotations
from migration_gate.report.formats import render_report
from migration_gate.report.phrases import describe_counts, verdict_line
from migration_gate.report.printable_text import escape_unprintable
from migration_gate.report.summary import LIMIT
from migration_gate.report.summary import render as summary_of
from migration_gate.report.workflow_commands import Annotation
from migration_gate.verdict.outcome import Report

WIDTH = 100


def publish_log(report: Report) -> None:
    """The text report, folded, and the verdict below it; all of it inert."""
    title = verdict_line(report)
    if len(report.projects) == 1 and (project := report.projects[0]).name:
        title = f"{escape_unprintable(project.name)[:100]}: {describe_counts(project.verdicts)}"
    workflow_commands.show_folded(title, render_report(report, "text", is_terminal=True, width=WIDTH))
    with workflow_commands.suspend_commands():
        workflow_commands.write_line(verdict_line(report))


def publish_annotations(report: Report) -> None:
    """The worst findings, on the lines of the pull request."""
    for one in select_annotations(report):
        workflow_commands.write_line(workflow_commands.format_annotation(one))


def publish_error(text: str) -> None:
    """An error of the run itself."""
    workflow_commands.write_line(
        workflow_commands.format_annotation(Annotation(Severity.ERROR, text, "Migration Gate"))
    )


def _mention(text: str, severity: Severity = Severity.WARNING) -> None:
    workflow_commands.write_line(
        workflow_commands.format_annotation(Annotation(severity, text, "Migration Gate"))
    )


def publish_summary(environ: Mapping[str, str], report: Report) -> None:
    """The page of the run, in the room that is left there."""
    if not (name := environ.get("GITHUB_STEP_SUMMARY")):
        return
    file = Path(name)
    try:
        used = file.stat().st_size if file.exists() else 0
        workflow_commands.append_text(file, summary_of(report, limit=LIMIT - used, source=_source(environ)))
    except OSError as error:
        _mention(f"The summary could not be written: {error.strerror or error}.")


def publish_outputs(environ: Mapping[str, str], values: Mapping[str, str]) -> None:
    """What later steps can ask for."""
    if name := environ.get("GITHUB_OUTPUT"):
        try:
            workflow_commands.append_outputs(Path(name), values)
        except OSError as error:
            _mention(f"The outputs could not be written: {error.strerror or error}.")


def publish_comments(environ: Mapping[str, str], report: Report, asked: ActionRequest, token: str) -> None:
    """One comment a project, where there is a token and a pull request; why not, where one was expected."""
    known = _event(environ)
    if not token or known.pull_request is None or not known.repository:
        if asked.comment == "always" and not token:
            _mention("No comment: there is no token (pull requests of forks have none).", Severity.NOTE)
        return
    api = known.api_url or "https://api.github.com"
    # Where nothing is said, the same server: the token goes there.
    graphql = environ.get("GITHUB_GRAPHQL_URL") or f"{api.removesuffix('/v3')}/graphql"
    pull = PullRequest(known.repository, known.pull_request, token, api, graphql)
    path, whole, run, source = *_scopes(environ), _run(environ, known), _source(environ)
    written = [
        comment.render_comment(one, path if one.name else whole, run=run, source=source)
        for one in report.projects
    ]
    if all(project.name for project in report.projects):
        written.append(comment.render_resolved_comment(whole))
    for one in written:
        try:
            sticky.upsert_comment(pull, one, always=asked.comment == "always" and not one.only_resolves)
        except CommentRefused as error:
            _mention(f"No comment: {error}. The summary of this run has it all.", Severity.NOTE)
            return
        except NotCommented as error:
            _mention(f"No comment: {escape_unprintable(str(error))}. The summary of this run has it all.")
            return


def _scopes(environ: Mapping[str, str]) -> tuple[str, str]:
    """What a comment is about beside a project's name, and without one: jobs of a matrix must not share it.

    Read as it was given, for it must be the same where the inputs could not be read.
    """
    path, project = (environ.get(input_variable(name), "").strip() for name in ("path", "project"))
    return path or ".", f"{path or '.'}\0{project}"


def _event(environ: Mapping[str, str]) -> Event:
    try:
        return event.read_event(environ)
    except GateError as error:
        _mention(f"{error.message} {error.advice}")
        return Event()


def _run(environ: Mapping[str, str], known: Event) -> str:
    number = environ.get("GITHUB_RUN_ID")
    return (
        f"{known.server_url}/{known.repository}/actions/runs/{number}" if number and known.server_url else ""
    )


def _source(environ: Mapping[str, str]) -> str:
    """Where the files of this change can be read."""
    try:
        known = event.read_event(environ)
    except GateError:
        return ""  # whoever needs the event says so
    commit = known.head or known.commit
    if not (commit and known.server_url and known.repository):
        return ""
    address = f"{known.server_url}/{known.repository}/blob/{commit}"
    return address if comment.ADDRESS.fullmatch(address) else ""
