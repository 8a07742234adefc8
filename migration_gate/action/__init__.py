"""The gate as a GitHub action: reads inputs, examines the projects, and publishes the report on GitHub.

inputs, outputs     what the action takes and gives; manifest: action.yml and the README's tables
request             what a workflow's inputs request
publish             log, annotations, summary, outputs, and what is written on a pull request:
comment_client      its comment; review_client: suggestions, on lines that diff_patch finds, and those of
                    earlier runs (published_suggestions). They use github_client, api_account (whose token
                    it is) and repeated_attempts
workspace           files in the workspace, where a pull request may have put links
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from dataclasses import replace
from pathlib import Path

from migration_gate.action.inputs import INPUTS
from migration_gate.action.outputs import OUTPUTS, WrittenReports, output_values
from migration_gate.action.publish import (
    publish_annotations,
    publish_comments,
    publish_error,
    publish_log,
    publish_outputs,
    publish_summary,
)
from migration_gate.action.request import ActionRequest, input_variable, read_request
from migration_gate.action.workspace import write_workspace_file
from migration_gate.ci import untrusted_code
from migration_gate.errors import GateError
from migration_gate.report.deliver import add_version
from migration_gate.report.error_text import unexpected_error
from migration_gate.report.formats import render_report
from migration_gate.report.workflow_commands import mask_secret, suspend_commands
from migration_gate.verdict.outcome import Problem, ProjectReport, Report

__all__ = ["INPUTS", "OUTPUTS", "run_action"]


def run_action(environ: MutableMapping[str, str]) -> int:
    """Examine what the inputs in `environ` request, publish the report, and return the exit status."""
    token = _take_token(environ)
    _join_output_streams()
    # Set first, so that a run that ends early is not taken for a pass.
    publish_outputs(environ, {"result": "not-checked"})
    request = ActionRequest()
    with suspend_commands():
        workspace = _enter_workspace(environ)
        try:
            request = read_request(environ)
            report = _examine_projects(request, environ)
        except GateError as error:
            report = _report_problem(_problem_of_input(error))
        except Exception as error:  # noqa: BLE001 - any other exception is a bug of ours, and is published as one
            report = _report_problem(Problem.from_error(unexpected_error(error, shows_traceback=True)))
    publish_log(report)
    if request.annotations:
        publish_annotations(report)
    if request.summary:
        publish_summary(environ, report)
    written = _write_reports(request, report, workspace)
    if request.comment != "never":
        publish_comments(environ, report, request, token)
    publish_outputs(environ, output_values(report, written))
    return report.status if written.is_complete else max(report.status, 2)


def _take_token(environ: MutableMapping[str, str]) -> str:
    """Remove the token from `environ` and mask it, before anything else can see or print it."""
    token = environ.pop(input_variable("token"), "").strip()
    mask_secret(token)
    return token


def _join_output_streams() -> None:
    """Send stderr to stdout: the runner reads both at once, and would mix up what must stay in order."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(1, 2)


def _enter_workspace(environ: MutableMapping[str, str]) -> Path:
    """The top of the repository, which becomes the current folder."""
    folder = Path(environ.get("GITHUB_WORKSPACE") or ".")
    if folder.is_dir():
        os.chdir(folder)
    return Path.cwd()


def _examine_projects(request: ActionRequest, environ: MutableMapping[str, str]) -> Report:
    from migration_gate import entrypoint  # noqa: PLC0415 - not needed to refuse an input

    if request.allow_untrusted_code:
        environ[untrusted_code.ALLOW_VARIABLE] = "true"
    report: Report = entrypoint.examine_projects(request.path, request.options)
    return report


def _report_problem(problem: Problem) -> Report:
    """The report on a run that could not examine any project."""
    return add_version(Report((ProjectReport("", problem=problem),)))


def _problem_of_input(error: GateError) -> Problem:
    """The error as a problem that names the input where the error names an option of the command line."""
    from migration_gate.config.loading import option_name  # noqa: PLC0415 - not needed when all goes well

    problem = Problem.from_error(error)
    if not problem.where.startswith("--"):
        return problem
    input_names = {option_name(item.key): item.name for item in INPUTS if item.key}
    name = input_names.get(problem.where, problem.where.removeprefix("--"))
    return replace(problem, where=f"with: {name}")


def _write_reports(request: ActionRequest, report: Report, workspace: Path) -> WrittenReports:
    """Write the requested files; an error is published for each that cannot be written."""
    written = WrittenReports()
    for file in request.report_files:
        try:
            text = render_report(report, file.form)
            path = write_workspace_file(workspace, file.path, text, file.input_name)
        except GateError as error:
            publish_error(f"{error.message} {error.advice}")
            written = replace(written, is_complete=False)
        else:
            written = written.with_path(file.form, path)
    return written
