"""What a report says of the gate's own looseness: new allowances, and checks that are off or lowered."""

from __future__ import annotations

from collections.abc import Iterator

from migration_gate.verdict.outcome import ProjectReport
from migration_gate.wording import count_noun

MAX_LISTED = 50
MAX_CODE = 60
"""characters of the code that a comment covers"""


def name_new_allowances(project: ProjectReport) -> str:
    """`The change adds 2 allowances`; '' if it adds none."""
    number = len(project.new_allowances)
    return f"The change adds {count_noun(number, 'allowance')}" if number else ""


def list_new_allowances(project: ProjectReport) -> Iterator[str]:
    """Each allowance that the change adds, with its reason and its place, a line each."""
    for entry in project.new_allowances[:MAX_LISTED]:
        covered = entry.object
        if entry.is_comment:
            covered = f"on {covered[:MAX_CODE]}" if covered else "for its whole file"
        until = f", until {entry.until}" if entry.until else ""
        place = f" ({entry.location}{until})" if entry.location is not None else until
        yield f"{entry.check} {covered}: {entry.reason}{place}"
    if len(project.new_allowances) > MAX_LISTED:
        yield f"and {len(project.new_allowances) - MAX_LISTED} more"


def name_lowered(project: ProjectReport) -> str:
    """`3 checks off or lowered`; '' if there are none."""
    return f"{count_noun(len(project.lowered), 'check')} off or lowered" if project.lowered else ""


def list_lowered(project: ProjectReport) -> Iterator[str]:
    """Each check, or kind, with what it is set to, a line each."""
    for item in project.lowered:
        yield f"{item.check}: {item.severity.value if item.severity else 'off'}"
