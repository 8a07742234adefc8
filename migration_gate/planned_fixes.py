"""What can be written to correct the findings of a project: edits of its files, and new revisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from textwrap import indent

from migration_gate.analysis.drift_revision import format_revision_file
from migration_gate.analysis.revision_bodies import make_identifier
from migration_gate.edits.file_edits import FileText, NotApplicable, apply_edits, group_edits
from migration_gate.facts import DriftRevision, Facts
from migration_gate.report.printable_text import split_blocks
from migration_gate.verdict.outcome import ProjectReport, Verdict

OWNER_CHECKS = ("nullable-owner", "unreferenced-owner", "uncascaded-owner", "unindexed-owner")
"""whose fixes are operations of a revision, where the revision that is to blame is not part of the change"""
TO_BE_FILLED_IN = "= ..."
"""in a backfill: only people know whose rows they are"""
OWNER_REVISION = '''"""give every row an owner

Revision ID: {identifier}
Revises: {parent}
"""

import sqlalchemy as sa
from alembic import op

revision = "{identifier}"
down_revision = "{parent}"
branch_labels = None
depends_on = None


def upgrade() -> None:
{upgrade}


def downgrade() -> None:
    raise NotImplementedError("write the way back, if there is one")
'''


@dataclass(frozen=True, slots=True)
class PlannedFixes:
    """What is going to be written for one project."""

    files: tuple[FileText, ...]
    """relative to the repository"""
    corrected: tuple[Verdict, ...]
    """the findings that this is for"""
    left: tuple[Verdict, ...]
    """those for which nothing can be written"""
    problems: tuple[str, ...] = ()

    @property
    def must_be_completed(self) -> tuple[str, ...]:
        """The files in which something is to be filled in before they can run."""
        return tuple(file.path for file in self.files if TO_BE_FILLED_IN.encode() in file.after)


def plan_fixes(report: ProjectReport, verdicts: Sequence[Verdict], top: Path) -> PlannedFixes:
    """The fixes of these verdicts. `top` is the repository's."""
    revision = report.facts.replay.drift_revision
    drift = [verdict for verdict in verdicts if verdict.check == "drift"]
    in_revision = [item for item in drift if _is_in_revision(item, revision)]
    edited = [verdict for verdict in verdicts if verdict not in in_revision and verdict.edits]
    has_one_head = len(report.facts.replay.history.heads) == 1
    owners = [item for item in verdicts if has_one_head and _needs_owner_revision(item, report.facts)]
    files, problems = _edit_files(edited, top)
    new_files = _list_new_revisions(report.facts, revision if in_revision else None, owners)
    corrected = {verdict.id for verdict in (*in_revision, *edited, *owners)}
    return PlannedFixes(
        files=(*files, *new_files),
        corrected=tuple(verdict for verdict in verdicts if verdict.id in corrected),
        left=tuple(verdict for verdict in verdicts if verdict.id not in corrected),
        problems=problems,
    )


def _is_in_revision(verdict: Verdict, revision: DriftRevision | None) -> bool:
    """Whether the one revision for all drift removes the difference."""
    return (
        revision is not None
        and verdict.finding.kind != "unmanaged"
        and verdict.finding.object not in revision.left_out
    )


def _needs_owner_revision(verdict: Verdict, facts: Facts) -> bool:
    """Whether only a new revision corrects what the database has: the old one is not part of the change."""
    revision_files = {revision.location.file for revision in facts.replay.history.revisions}
    edits_revision = any(edit.file in revision_files for edit in verdict.edits)
    return verdict.check in OWNER_CHECKS and not edits_revision and bool(_list_code(verdict))


def _list_code(verdict: Verdict) -> str:
    """The operations of a finding's fix."""
    return next((block.text for block in split_blocks(verdict.finding.fix) if block.is_code), "")


def _edit_files(verdicts: Sequence[Verdict], top: Path) -> tuple[list[FileText], tuple[str, ...]]:
    """The files with the edits of these verdicts, and what could not be edited."""
    files: list[FileText] = []
    problems: list[str] = []
    for path, edits in group_edits(edit for verdict in verdicts for edit in verdict.edits).items():
        try:
            files.append(apply_edits(path, (top / path).read_bytes(), edits))
        except (OSError, NotApplicable) as error:
            problems.append(f"{path} is left as it is: {error}")
    return files, tuple(problems)


def _list_new_revisions(
    facts: Facts, drift: DriftRevision | None, owners: Sequence[Verdict]
) -> Iterator[FileText]:
    """The revision for all drift, and on top of it the one for the owners."""
    folder = _find_folder(facts)
    if folder is None:
        return
    if drift is not None:
        text = format_revision_file(drift)
        yield FileText(f"{folder}/{drift.identifier}_drift.py", None, text.encode())
    if owners:
        parent = drift.identifier if drift is not None else facts.replay.history.heads[0]
        code = "\n".join(dict.fromkeys(_list_code(verdict) for verdict in owners))
        identifier = make_identifier((parent, code))
        text = OWNER_REVISION.format(identifier=identifier, parent=parent, upgrade=indent(code, "    "))
        yield FileText(f"{folder}/{identifier}_owners.py", None, text.encode())


def _find_folder(facts: Facts) -> str | None:
    """Where the newest revision is."""
    revisions = facts.replay.history.revisions
    if revisions:
        return PurePosixPath(revisions[-1].location.file).parent.as_posix()
    return next(iter(facts.replay.history.locations), None)
