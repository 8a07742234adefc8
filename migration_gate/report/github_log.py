"""The report as GitHub's runner reads it on standard output: annotations, and the text in a folded group.

For composite actions, and for CI systems that know the same workflow commands (Gitea, Forgejo). The text of a
project is escaped inside of the commands, and the runner ignores commands outside of them.
"""

from __future__ import annotations

from migration_gate.report.annotations import select_annotations
from migration_gate.report.phrases import report_title, verdict_line
from migration_gate.report.workflow_commands import format_annotation, format_command, format_suspended
from migration_gate.verdict.outcome import Report


def render(report: Report, text: str) -> str:
    """The lines to print; `text` is the report for people, which is folded under the verdict."""
    lines = [
        format_command("group", report_title(report)),
        format_suspended(text),
        format_command("endgroup"),
        *map(format_annotation, select_annotations(report)),
        format_suspended(verdict_line(report)),
    ]
    return "\n".join(lines) + "\n"
