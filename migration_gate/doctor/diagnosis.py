"""Examines every project of a folder, and answers as text or JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from migration_gate import explain
from migration_gate.config import loading
from migration_gate.config.settings import Settings
from migration_gate.doctor.doctor_text import render_text
from migration_gate.doctor.examination_sections import examine_project
from migration_gate.doctor.hook_draft import write_hook_draft
from migration_gate.doctor.project_examination import Examination
from migration_gate.errors import GateError


def diagnose(
    path: Path,
    options: Mapping[str, object],
    form: str,
    *,
    runs_env_py: bool = False,
    writes_hook: bool = False,
) -> tuple[str, int]:
    """The report on every project of PATH, as `text` or `json`, and the status: 2 if anything is missing.

    `runs_env_py` runs env.py of each once; `writes_hook` writes a draft of a hook where one is needed.
    """
    environ = dict(os.environ)
    projects = loading.load_settings(path, options, environ, list_checks=explain.known_kinds)
    examinations = [
        _examine(settings, environ, runs_env_py=runs_env_py, writes_hook=writes_hook) for settings in projects
    ]
    status = 2 if any(examination.missing for examination in examinations) else 0
    if form == "json":
        return _render_json(examinations), status
    return "\n\n".join(render_text(examination) for examination in examinations), status


def _examine(
    settings: Settings, environ: Mapping[str, str], *, runs_env_py: bool, writes_hook: bool
) -> Examination:
    hook_section: dict[str, str | list[str]] = {}
    problem: GateError | None = None
    if writes_hook:
        try:
            draft = write_hook_draft(settings)
        except GateError as error:
            problem = error
        else:
            hook_section = draft.describe(settings)
            settings = replace(settings, hook=draft.file)
    examination = examine_project(settings, environ)
    if hook_section:
        examination.sections = {"hook": hook_section, **examination.sections}
    if problem is not None:
        examination.note_missing(problem.message, problem.advice, problem.where)
    if runs_env_py:
        from migration_gate.doctor.trial_section import add_trial  # noqa: PLC0415 - the engine

        add_trial(examination, settings)
    return examination


def _render_json(examinations: Sequence[Examination]) -> str:
    projects = [
        {"name": examination.name, **examination.sections, "missing": examination.missing}
        for examination in examinations
    ]
    return json.dumps({"version": 1, "projects": projects}, indent=2)
