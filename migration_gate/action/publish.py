"""Publishes a report on GitHub: log, annotations, summary, outputs and comments. Nothing here fails a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from migration_gate.action.comment_client import upsert_comment
from migration_gate.action.github_client import CommentRefused, NotCommented, PullRequest
from migration_gate.action.request import ActionRequest, input_variable
from migration_gate.action.review_client import write_suggestions
from migration_gate.check import Severity
from migration_gate.ci.event import Event, read_event
from migration_gate.errors import GateError
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report import summary
from migration_gate.report.annotations import select_annotations
from migration_gate.report.comment import ADDRESS, Comment, render_comment, render_resolved_comment
from migration_gate.report.formats import LOG_WIDTH, render_report
from migration_gate.report.phrases import report_title, verdict_line
from migration_gate.report.printable_text import escape_unprintable
from migration_gate.report.suggestion import render_suggestions
from migration_gate.report.workflow_commands import (
    Annotation,
    append_outputs,
    append_text,
    format_annotation,
    show_folded,
    suspend_commands,
    write_line,
)
from migration_gate.verdict.outcome import Report

GITHUB_API = "https://api.github.com"
SEE_SUMMARY = "The summary of this run has it all."


@dataclass(frozen=True, slots=True)
class CommentScopes:
    """What comments are about, so that the jobs of a matrix do not edit each other's comment."""

    project: str
    """beside the name of a project"""
    run: str
    """where a project has no name, because the run could not examine any"""


def publish_log(report: Report) -> None:
    """Print the text report, folded, and the result below it; the runner carries out no command in them."""
    show_folded(report_title(report), render_report(report, "text", is_terminal=True, width=LOG_WIDTH))
    with suspend_commands():
        write_line(verdict_line(report))


def publish_annotations(report: Report) -> None:
    """Show the worst findings on the lines of the pull request."""
    for annotation in select_annotations(report):
        write_line(format_annotation(annotation))


def publish_error(text: str) -> None:
    """Annotate the run with an error of its own."""
    _annotate_run(Severity.ERROR, text)


def _annotate_run(severity: Severity, text: str) -> None:
    write_line(format_annotation(Annotation(severity, text, "Migration Gate")))


def publish_summary(environ: Mapping[str, str], report: Report) -> None:
    """Append to the summary page of the step, as far as other tools left room there."""
    name = environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    file = Path(name)
    try:
        used_bytes = file.stat().st_size if file.exists() else 0
        limit = summary.LIMIT - used_bytes
        append_text(
            file, summary.render(report, limit=limit, source=_source_address(_event_or_none(environ)))
        )
    except OSError as error:
        _annotate_run(Severity.WARNING, f"The summary could not be written: {error.strerror or error}.")


def publish_outputs(environ: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Set outputs of the step."""
    name = environ.get("GITHUB_OUTPUT")
    if not name:
        return
    try:
        append_outputs(Path(name), values)
    except OSError as error:
        _annotate_run(Severity.WARNING, f"The outputs could not be written: {error.strerror or error}.")


def publish_comments(environ: Mapping[str, str], report: Report, request: ActionRequest, token: str) -> None:
    """Write one comment per project, and the suggestions, if there are a token and a pull request.

    Where `comment: always` asks for one and there is none, an annotation says why.
    """
    event = _read_event_or_warn(environ)
    always = request.comment == "always"
    if always and not token:
        reason = "No comment: there is no token (pull requests of forks have none)."
        _annotate_run(Severity.NOTE, reason)
    if not token or event.pull_request is None or not event.repository:
        return
    pull_request = _pull_request(environ, event, event.pull_request, token)
    with _annotate_refusal("No comment"):
        for comment in _render_comments(environ, report, event):
            upsert_comment(pull_request, comment, always=always and not comment.only_resolves)
        # After the comment: a token that may not write the one may not write the others.
        if request.suggestions and event.head is not None:
            with _annotate_refusal("No suggestions"):
                suggestions = render_suggestions(report.projects, _comment_scopes(environ).run)
                write_suggestions(pull_request, event.head, suggestions)


@contextmanager
def _annotate_refusal(what: str) -> Iterator[None]:
    """Annotate the run if something could not be written: that fails no run."""
    try:
        yield
    except CommentRefused as error:
        _annotate_run(Severity.NOTE, f"{what}: {error}. {SEE_SUMMARY}")
    except NotCommented as error:
        reason = escape_unprintable(str(error))
        _annotate_run(Severity.WARNING, f"{what}: {reason}. {SEE_SUMMARY}")


def _read_event_or_warn(environ: Mapping[str, str]) -> Event:
    """The event; one without a pull request if it cannot be read, which an annotation says."""
    try:
        return read_event(environ)
    except GateError as error:
        _annotate_run(Severity.WARNING, f"{error.message} {error.advice}")
        return Event()


def _pull_request(environ: Mapping[str, str], event: Event, number: int, token: str) -> PullRequest:
    """The pull request at the server of the event; the token goes to no other."""
    api = event.api_url or GITHUB_API
    graphql = environ.get("GITHUB_GRAPHQL_URL") or f"{api.removesuffix('/v3')}/graphql"
    return PullRequest(event.repository, number, token, api, graphql)


def _render_comments(environ: Mapping[str, str], report: Report, event: Event) -> Sequence[Comment]:
    """A comment per project, and where all could be examined one that replaces that of a failed run."""
    scopes = _comment_scopes(environ)
    run, source = _run_address(environ, event), _source_address(event)
    comments = []
    for project in report.projects:
        scope = scopes.project if project.name else scopes.run
        comments.append(render_comment(project, scope, run=run, source=source))
    if all(project.name for project in report.projects):
        comments.append(render_resolved_comment(scopes.run))
    return comments


def _comment_scopes(environ: Mapping[str, str]) -> CommentScopes:
    """From the inputs as they are written: the same where the inputs could not be read."""
    path = environ.get(input_variable("path"), "").strip() or "."
    project = environ.get(input_variable("project"), "").strip()
    return CommentScopes(project=path, run=f"{path}\0{project}")


def _event_or_none(environ: Mapping[str, str]) -> Event | None:
    """The event; None if it cannot be read, which is reported if it is needed."""
    try:
        return read_event(environ)
    except GateError:
        return None


def _run_address(environ: Mapping[str, str], event: Event) -> str:
    """The page of this run; empty if it is not known."""
    number = environ.get("GITHUB_RUN_ID")
    if not number or not event.server_url:
        return ""
    return f"{event.server_url}/{event.repository}/actions/runs/{number}"


def _source_address(event: Event | None) -> str:
    """The page of the files of this change; empty if it is not known."""
    if event is None:
        return ""
    commit = event.head or event.commit
    if not commit or not event.server_url or not event.repository:
        return ""
    address = f"{event.server_url}/{event.repository}/blob/{commit}"
    return address if ADDRESS.fullmatch(address) else ""
