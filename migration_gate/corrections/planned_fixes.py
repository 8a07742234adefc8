"""What can be written to correct the findings of a project: edits of its files, and new revisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePosixPath
from textwrap import indent

from migration_gate.analysis import naming_conventions
from migration_gate.analysis.drift_revision import format_revision_file
from migration_gate.analysis.revision_bodies import make_identifier
from migration_gate.corrections.revision_name import RevisionNames
from migration_gate.edits.corrected_file import correct_file
from migration_gate.edits.file_edits import FileText, NotApplicable
from migration_gate.edits.revision_header import NotEditable
from migration_gate.edits.suggested_edits import name_file
from migration_gate.facts import Correction, DriftRevision, Facts
from migration_gate.lazy_dataclass import dataclass
from migration_gate.report.printable_text import split_blocks
from migration_gate.verdict.outcome import ProjectReport, Verdict

OWNER_CHECKS = ("nullable-owner", "unreferenced-owner", "uncascaded-owner", "unindexed-owner")
"""whose fixes are operations of a revision, where the revision that is to blame is not part of the change"""
REBASE_CHECKS = ("several-heads", "stale-parent")
"""whose edits move heads, on which a new revision would be put"""
LATER = "What needs a new revision is left until the heads are in one line: run `migration-gate fix` again."
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


def plan_fixes(
    report: ProjectReport, verdicts: Sequence[Verdict], top: Path, names: RevisionNames
) -> PlannedFixes:
    """The fixes of these verdicts. `top` is the repository's; `names`: of new revisions' files."""
    choice = _FixChoice(report.facts, verdicts, _find_folder(report.facts, top, names), names)
    files, problems = _edit_files(choice.edited, top)
    new_files = _list_new_revisions(choice)
    if choice.moves_heads and choice.waiting:
        problems = (*problems, LATER)
    corrected = {verdict.id for verdict in (*choice.in_revision, *choice.edited, *choice.owners)}
    return PlannedFixes(
        files=(*files, *new_files),
        corrected=tuple(verdict for verdict in verdicts if verdict.id in corrected),
        left=tuple(verdict for verdict in verdicts if verdict.id not in corrected),
        problems=problems,
    )


@dataclass(frozen=True)
class _FixChoice:
    """Which findings are corrected by edits, by the revision for all drift, and by the one for owners."""

    facts: Facts
    verdicts: Sequence[Verdict]
    folder: str | None
    """of the revisions; None if no file can be added to it"""
    names: RevisionNames = RevisionNames()

    @cached_property
    def moves_heads(self) -> bool:
        """Whether edits put heads in one line: no revision can be added to them at the same time."""
        return any(verdict.edits and verdict.check in REBASE_CHECKS for verdict in self.verdicts)

    @property
    def can_add(self) -> bool:
        """Whether a revision can be added now."""
        return self.folder is not None and not self.moves_heads

    @cached_property
    def in_revision(self) -> list[Verdict]:
        """Differences that the one revision for all drift removes."""
        revision = self.facts.replay.drift_revision
        if revision is None or not self.can_add:
            return []
        return [verdict for verdict in self.verdicts if _is_in_revision(verdict, revision)]

    @cached_property
    def waiting(self) -> list[Verdict]:
        """What a revision is for, while none can be added: it is not corrected in the models instead."""
        if self.can_add:
            return []
        return [verdict for verdict in self.verdicts if verdict.check in ("drift", *OWNER_CHECKS)]

    @cached_property
    def edited(self) -> list[Verdict]:
        """What edits of files correct."""
        others = (*self.in_revision, *self.waiting)
        return [verdict for verdict in self.verdicts if verdict.edits and verdict not in others]

    @cached_property
    def owners(self) -> list[Verdict]:
        """What is wrong with owners in the database, and needs a revision on top of the only head.

        None where env.py migrates several databases: a revision of operations alone would run in each.
        """
        if not self.can_add or len(self.facts.replay.history.heads) != 1 or self.facts.replay.database:
            return []
        return [verdict for verdict in self.verdicts if _needs_owner_revision(verdict, self.facts)]

    def name_file(self, identifier: str, slug: str) -> str:
        """The path of a new revision, relative to the repository."""
        return f"{self.folder}/{self.names.name_file(identifier, slug, datetime.now())}"


def _is_in_revision(verdict: Verdict, revision: DriftRevision) -> bool:
    """Whether the finding is a difference that the revision removes."""
    finding = verdict.finding
    left = {(kind.replace(" ", "-"), name) for kind, name in revision.left_kinds}
    if verdict.check != "drift" or finding.kind == "unmanaged":
        return False
    if finding.object == naming_conventions.OBJECT:  # one finding for many differences
        return all(kind != finding.kind for kind, _ in left)
    return (finding.kind, finding.object) not in left


def _needs_owner_revision(verdict: Verdict, facts: Facts) -> bool:
    """Whether only a new revision corrects what the database has: the old one is not part of the change."""
    revision_files = {revision.location.file for revision in facts.replay.history.revisions}
    edits_revision = any(edit.file in revision_files for edit in verdict.edits)
    return verdict.check in OWNER_CHECKS and not edits_revision and bool(_list_code(verdict))


def _list_code(verdict: Verdict) -> str:
    """The operations of a finding's fix."""
    return next((block.text for block in split_blocks(verdict.finding.fix) if block.is_code), "")


def _edit_files(verdicts: Sequence[Verdict], top: Path) -> tuple[list[FileText], tuple[str, ...]]:
    """The files with the corrections of these verdicts, and what could not be edited."""
    files: list[FileText] = []
    problems: list[str] = []
    for path, corrections in _group_corrections(verdicts).items():
        if not is_inside(top, path):
            problems.append(f"{path} is left as it is: it lies outside of the repository")
            continue
        try:
            files.append(correct_file(path, (top / path).read_bytes(), corrections))
        except (OSError, NotApplicable, NotEditable) as error:
            problems.append(f"{path} is left as it is: {error}")
    return files, tuple(problems)


def _group_corrections(verdicts: Sequence[Verdict]) -> dict[str, list[Correction]]:
    """The corrections of each file that has edits, each once."""
    edited_files = {edit.file for verdict in verdicts for edit in verdict.edits}
    groups: dict[str, list[Correction]] = defaultdict(list)
    for correction in dict.fromkeys(chain.from_iterable(item.finding.corrections for item in verdicts)):
        if name_file(correction) in edited_files:
            groups[name_file(correction)].append(correction)
    return dict(groups)


def _list_new_revisions(choice: _FixChoice) -> Iterator[FileText]:
    """The revision for all drift, and on top of it the one for the owners."""
    replay = choice.facts.replay
    drift = replay.drift_revision if choice.in_revision else None
    if drift is not None:
        text = format_revision_file(drift)
        yield FileText(choice.name_file(drift.identifier, "drift"), None, text.encode())
    if choice.owners:
        parent = drift.identifier if drift is not None else replay.history.heads[0]
        code = "\n".join(dict.fromkeys(_list_code(verdict) for verdict in choice.owners))
        identifier = make_identifier((parent, code))
        text = OWNER_REVISION.format(identifier=identifier, parent=parent, upgrade=indent(code, "    "))
        yield FileText(choice.name_file(identifier, "owners"), None, text.encode())


def _find_folder(facts: Facts, top: Path, names: RevisionNames) -> str | None:
    """Where the revision is that a new one follows; None if that is outside of the repository.

    That is its version location, where `names` have folders of that in them.
    """
    history, drift = facts.replay.history, facts.replay.drift_revision
    followed = next(reversed(history.revisions), None)
    if drift is not None and drift.down_revision:
        followed = history.find_revision(drift.down_revision[0]) or followed
    if followed is not None:
        file = PurePosixPath(followed.location.file)
        above = [place for place in history.locations if names.has_folders and file.is_relative_to(place)]
        folder: str | None = max(above, key=len) if above else file.parent.as_posix()
    else:
        folder = next(iter(history.locations), None)
    return folder if folder is not None and is_inside(top, folder) else None


def is_inside(top: Path, path: str) -> bool:
    """Whether a path, relative to `top`, leads to a place inside of it, by whatever links."""
    return (top / path).resolve().is_relative_to(top.resolve())
