"""The gate as a GitHub action: inputs in; log, annotations, summary, files, comment and outputs out."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

from migration_gate.action import outputs, publish, workspace
from migration_gate.action import request as asking
from migration_gate.action.inputs import INPUTS
from migration_gate.action.outputs import OUTPUTS
from migration_gate.action.request import ActionRequest
from migration_gate.ci import untrusted_code
from migration_gate.errors import GateError
from migration_gate.report import deliver, workflow_commands
from migration_gate.report.error_text import unexpected_error
from migration_gate.report.formats import render_report
from migration_gate.verdict.outcome import Problem, ProjectReport, Report

__all__ = ["INPUTS", "OUTPUTS", "run_action"]


def run_action(environ: MutableMapping[str, str]) -> int:
    """Check what the inputs in `environ` ask for, tell everybody, and return the exit status."""
    token = _token(environ)
    _one_stream()
    # Whatever ends this run early, nobody takes it for a pass.
    publish.publish_outputs(environ, {"result": "not-checked"})
    asked = ActionRequest()
    with workflow_commands.suspend_commands():
        top = _workspace(environ)
        try:
            asked = asking.read_request(environ)
            if asked.allow_untrusted_code:
                environ[untrusted_code.ALLOW_VARIABLE] = "true"
            report = _examined(asked)
        except GateError as error:
            report = _not_examined(_problem(error))
        except Exception as error:  # noqa: BLE001 - the last resort, as on the command line; shown like the rest
            report = _not_examined(Problem.from_error(unexpected_error(error, debug=True)))
    publish.publish_log(report)
    if asked.annotations:
        publish.publish_annotations(report)
    if asked.summary:
        publish.publish_summary(environ, report)
    files, status = _files(asked, report, top), report.status
    if asked.comment != "never":
        publish.publish_comments(environ, report, asked, token)
    publish.publish_outputs(environ, outputs.output_values(report, files))
    return status if len(files) == 1 + len(asked.files) else max(status, 2)


def _examined(asked: ActionRequest) -> Report:
    from migration_gate import entrypoint  # noqa: PLC0415 - the engine is not needed to refuse an input

    report: Report = entrypoint.examine_projects(asked.path, asked.options)
    return report


def _not_examined(problem: Problem) -> Report:
    return deliver.add_version(Report((ProjectReport("", problem=problem),)))


def _token(environ: MutableMapping[str, str]) -> str:
    """The token, before anything else can see or print it."""
    token = environ.pop(asking.input_variable("token"), "").strip()
    workflow_commands.mask_secret(token)
    return token


def _one_stream() -> None:
    """The runner reads stdout and stderr side by side: what must stay in order goes through one of them."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(1, 2)


def _workspace(environ: MutableMapping[str, str]) -> Path:
    """The top of the repository, and the folder that we work in from now on."""
    folder = Path(environ.get("GITHUB_WORKSPACE") or ".")
    if folder.is_dir():
        os.chdir(folder)
    return Path.cwd()


def _problem(error: GateError) -> Problem:
    """The error, with the input's name where the command line's would stand."""
    problem = Problem.from_error(error)
    if not problem.where.startswith("--"):
        return problem
    option = problem.where.removeprefix("--")
    names = {"-".join(one.key[-1:]).replace("_", "-"): one.name for one in INPUTS if one.key}
    error.where = f"with: {names.get(option, option)}"
    return Problem.from_error(error)


def _files(asked: ActionRequest, report: Report, top: Path) -> dict[str, str]:
    """Write the reports that were asked for; the paths of those that could be, by format."""
    written = {}
    for form, name in (("json", asked.report), *asked.files):
        try:
            text = render_report(report, form)
            written[form] = workspace.write_workspace_file(
                top, name, text, "report" if form == "json" else form
            )
        except GateError as error:
            publish.publish_error(f"{error.message} {error.advice}")
    return written
