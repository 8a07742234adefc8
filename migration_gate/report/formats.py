"""The formats of a report, as `--format` names them. The module of a format is imported when it is used."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migration_gate.verdict.outcome import Report

TEXT = "text"
CONCISE = "concise"
GITHUB = "github"
PRINTED_FORMATS = frozenset({TEXT, CONCISE, GITHUB})
"""what people read if it is printed; the others are for programs"""
DEFAULT_WIDTH = 80
"""columns"""
LOG_WIDTH = 100
"""columns of the log of a run on GitHub"""


def render_report(report: Report, form: str, *, is_terminal: bool = False, width: int = DEFAULT_WIDTH) -> str:
    """The report in one of FORMATS. `is_terminal` and `width` are those of the place that shows text."""
    if form == TEXT:
        return _render_text(report, is_terminal=is_terminal, width=width)
    return RENDERERS[form](report)


def _render_text(report: Report, *, is_terminal: bool, width: int) -> str:
    from migration_gate import explain  # noqa: PLC0415
    from migration_gate.report import text_layout, text_report  # noqa: PLC0415

    colour = text_layout.wants_colour(os.environ, is_terminal=is_terminal)
    return text_report.render(report, explain.known_checks(), colour=colour, width=width)


def _render_json(report: Report) -> str:
    from migration_gate.report import json_report  # noqa: PLC0415

    return json_report.render(report)


def _render_summary(report: Report) -> str:
    from migration_gate.report import summary  # noqa: PLC0415

    return summary.render(report)


def _render_sarif(report: Report) -> str:
    from migration_gate import explain  # noqa: PLC0415
    from migration_gate.report import sarif  # noqa: PLC0415

    return sarif.render(report, explain.known_checks())


def _render_junit(report: Report) -> str:
    from migration_gate import explain  # noqa: PLC0415
    from migration_gate.report import junit  # noqa: PLC0415

    return junit.render(report, explain.known_checks())


def _render_codequality(report: Report) -> str:
    from migration_gate.report import codequality  # noqa: PLC0415

    return codequality.render(report)


def _render_concise(report: Report) -> str:
    from migration_gate.report import concise  # noqa: PLC0415

    return concise.render(report)


def _render_github(report: Report) -> str:
    from migration_gate.report import github_log  # noqa: PLC0415

    return github_log.render(report, _render_text(report, is_terminal=False, width=LOG_WIDTH))


RENDERERS: dict[str, Callable[[Report], str]] = {
    "json": _render_json,
    "summary": _render_summary,
    "sarif": _render_sarif,
    "junit": _render_junit,
    "codequality": _render_codequality,
    CONCISE: _render_concise,
    GITHUB: _render_github,
}
FORMATS = (TEXT, *RENDERERS)
