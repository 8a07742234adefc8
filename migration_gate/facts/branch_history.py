"""What git tells of the base's revisions: where its branch is now, and what a squash made of them."""

from __future__ import annotations

from migration_gate.facts.history import RevisionFile
from migration_gate.lazy_dataclass import dataclass


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
