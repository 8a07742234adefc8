"""What git tells of the revisions at the base of a change, and of those that its branch has got since.

They are read as text: nothing of another commit runs here.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from migration_gate.ci.base_revision import BaseRevision, Comparison, find_missing_tip
from migration_gate.config.settings import Settings
from migration_gate.errors import GateError
from migration_gate.facts import Base, BranchTip, Facts, History, Lineage
from migration_gate.git.git_command import find_repository_root
from migration_gate.git.tree_export import FolderChanges, compare_folders, read_folders
from migration_gate.scan.revision_files import (
    RevisionSource,
    RevisionSources,
    is_revision_path,
    parse_revision_file,
)
from migration_gate.scan.revision_history import build_history
from migration_gate.wording import join_words

PACKAGE_FILE = re.compile(
    r"(?:^|/)(?:[^/]*requirements[^/]*\.(?:txt|in)|requirements/[^/]+\.(?:txt|in)|pyproject\.toml|setup\.(?:py|cfg)"
    r"|Pipfile(?:\.lock)?|(?:poetry|uv|pdm)\.lock|pylock[^/]*\.toml|environment\.ya?ml)$"
)


def complete_base(facts: Facts, settings: Settings, comparison: Comparison) -> Facts:
    """The facts with what only git can tell of their base; notes say what it could not."""
    if facts.base is None:
        return facts
    notes = _name_package_files(facts.base, comparison)
    base = replace(facts.base, lineage=comparison.base.lineage)
    folders = list_version_folders(facts.replay.history, base.history)
    if base.commit and folders and not base.is_unchanged and not base.is_new_project:
        base = _add_text_history(base, settings, folders, notes)
        base = _add_tip(base, comparison.base, settings, folders, notes)
        submodules = _list_submodules(comparison, folders, find_repository_root(settings.root))
        base = replace(base, submodules=submodules)
        notes += _find_unseen(base)
    replay = replace(facts.replay, notes=(*facts.replay.notes, *notes))
    return replace(facts, replay=replay, base=base)


def _name_package_files(base: Base, comparison: Comparison) -> list[str]:
    """A note if the base may have wanted other packages than those with which it was examined."""
    files = sorted(filter(is_package_file, comparison.changed_paths()))
    if base.facts is None or not files:
        return []
    return [f"The base was examined with the packages of the change, though {join_words(files)} may differ."]


def is_package_file(path: str) -> bool:
    """Whether a file says which packages a project has."""
    return PACKAGE_FILE.search(path) is not None


def list_version_folders(*histories: History | None) -> tuple[str, ...]:
    """The folders of the revisions, relative to the repository; none that lies outside of it."""
    folders: list[str] = []
    for history in filter(None, histories):
        folders += history.locations
        folders += [posixpath.dirname(revision.location.file) for revision in history.revisions]
    return tuple(dict.fromkeys(folder for folder in folders if not folder.startswith("/")))


def parse_history(contents: Mapping[str, bytes], folders: tuple[str, ...]) -> History:
    """The revisions in files of a commit, as their text tells."""
    files = _parse_files(contents, folders)
    return build_history(RevisionSources(files, folders), ("heads",))


def _add_text_history(base: Base, settings: Settings, folders: tuple[str, ...], notes: list[str]) -> Base:
    """The base with the history that its files tell, if it could not be examined."""
    if base.facts is not None:
        return base
    try:
        contents = read_folders(settings.root, base.commit, folders)
    except GateError as error:
        notes.append(f"The revisions of the base could not be read: {error.message}")
        return base
    return replace(base, text_history=parse_history(contents, folders))


def _add_tip(
    base: Base, revision: BaseRevision, settings: Settings, folders: tuple[str, ...], notes: list[str]
) -> Base:
    """The base with the revisions that its branch has got since."""
    if revision.tip is None:
        return base
    try:
        tip = find_missing_tip(settings.root, revision.tip)
        if tip is None:
            return base
        changes = compare_folders(settings.root, base.commit, tip, folders)
    except GateError as error:
        notes.append(
            f"What {revision.tip_name} has got since the base is not known, so several heads that only the "
            f"merge makes were not looked for: {error.message}"
        )
        return base
    return replace(base, tip=_make_tip(revision.tip_name, tip, changes, folders))


def _make_tip(name: str, commit: str, changes: FolderChanges, folders: tuple[str, ...]) -> BranchTip | None:
    sources = _parse_files(changes.contents, folders)
    removed = tuple(path for path in changes.removed if is_revision_path(path, folders))
    if not sources and not removed:
        return None
    return BranchTip(name, commit, tuple(source.file for source in sources), removed)


def _parse_files(contents: Mapping[str, bytes], folders: tuple[str, ...]) -> tuple[RevisionSource, ...]:
    paths = [path for path in contents if is_revision_path(path, folders)]
    sources = (parse_revision_file(contents[path], path) for path in paths)
    return tuple(source for source in sources if source is not None)


def _list_submodules(comparison: Comparison, folders: tuple[str, ...], top: Path) -> tuple[str, ...]:
    """The changed paths that are folders around those of the revisions."""
    return tuple(
        path
        for path in sorted(comparison.changed_paths("MAT"))
        if any(f"{folder}/".startswith(f"{path}/") for folder in folders) and not (top / path).is_symlink()
    )


def _find_unseen(base: Base) -> list[str]:
    """Sentences on what a comparison of the revisions cannot see."""
    sentences = []
    if base.lineage is Lineage.OTHER:
        sentences.append(
            f"HEAD does not descend from the base ({base.reason}): removed, edited and re-parented revisions "
            "were not looked for."
        )
    for path in base.submodules:
        sentences.append(
            f"The revisions lie in the submodule `{path}`: which of its files the change adds or edits "
            "is not known, so the locks and the downgrades of new revisions were not looked at."
        )
    return sentences
