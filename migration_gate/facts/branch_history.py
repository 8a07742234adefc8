"""What git tells of the base's revisions: how the base and HEAD are related, and where its branch is now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from migration_gate.facts.history import RevisionFile


class Lineage(StrEnum):
    """How the base and HEAD are related."""

    ANCESTOR = "ancestor"
    """HEAD has all that the base has: what is missing was removed"""
    SAME_BRANCH = "same branch"
    """an ancestor, and an earlier state of the branch itself: it may not have run anywhere yet"""
    OTHER = "other"
    """the base may have what HEAD never had"""


@dataclass(frozen=True, slots=True)
class BranchTip:
    """The newest state of the branch into which the change goes, where HEAD lacks some of it."""

    name: str
    """as a reader knows it: `origin/main`, `the base of pull request 7`"""
    commit: str
    """its full id"""
    files: tuple[RevisionFile, ...] = ()
    """the revision files that it has added or edited since the base"""
    removed_files: tuple[str, ...] = ()
    """the revision files that it has deleted since the base"""


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """An object of the database, before and after; texts are None where it is missing."""

    object: str
    noun: str
    """table, column, index..."""
    before: str | None
    after: str | None
    is_known: bool = True
    """False if a later revision changes the object, too"""


@dataclass(frozen=True, slots=True)
class SquashProof:
    """What a squash made different."""

    revision: str
    """the last revision of the squash; those behind it are further ones"""
    differences: tuple[ObjectChange, ...] = ()
    """none if both catalogs are the same"""
