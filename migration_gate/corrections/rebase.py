"""`rebase`: puts the new revisions of a branch on top of the head of its base, or joins them by a merge.

It works on the text of the revision files: nothing of the project is imported, and no Postgres is started;
only the project's own `script.py.mako`, of which a merge revision is made, runs in the project's interpreter.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from migration_gate.analysis.history_change import HistoryChange, compare_histories
from migration_gate.analysis.history_defects import find_unrelated_trees
from migration_gate.analysis.revision_graph import are_deliberate, build_graph, split_into_trees
from migration_gate.analysis.stale_parents import (
    StaleParent,
    find_removed_parents,
    find_stale_after_merge,
    find_stale_parents,
    merge_histories,
)
from migration_gate.change.revision_comparison import complete_base, list_version_folders
from migration_gate.checks import broken_history
from migration_gate.ci.base_revision import compare_with_base
from migration_gate.config.loading import load_settings
from migration_gate.config.settings import Settings
from migration_gate.corrections.file_replacement import replace_files
from migration_gate.corrections.merge_revision import make_merge_revision
from migration_gate.edits.revision_header import NotEditable, put_on_top
from migration_gate.errors import GateError, Misconfigured
from migration_gate.facts import Base, Facts, History, Replay, Revision
from migration_gate.git.git_command import find_repository_root
from migration_gate.lazy_dataclass import dataclass
from migration_gate.project.locate import locate_environment
from migration_gate.project.version_locations import VersionLocations
from migration_gate.scan.revision_files import RevisionSources, read_revision_files
from migration_gate.scan.revision_history import build_history
from migration_gate.static import find_version_folders
from migration_gate.wording import join_words


@dataclass(frozen=True, slots=True)
class FileEdit:
    """The content of a file before and after; None before if it is new."""

    path: Path
    before: bytes | None
    after: bytes


@dataclass(frozen=True)
class _Place:
    """The revision files of a project."""

    settings: Settings
    top: Path
    """of the repository; paths in findings are relative to it"""

    @cached_property
    def locations(self) -> VersionLocations:
        """The folders of the revisions. Raises GateError if only running code could tell."""
        locations = find_version_folders(locate_environment(self.settings, os.environ))
        if not locations.folders:
            raise GateError(
                "The folders of the revisions are decided in code.",
                advice="Set `down_revision` by hand: `migration-gate check` names the file and the line.",
            )
        return locations

    def read_history(self) -> History:
        """The history that the files tell now. Raises GateError if they do not."""
        recursive = self.locations.is_recursive
        sources = read_revision_files(self.locations.folders, self.top, recursive=recursive)
        history = build_history(sources, self.settings.target)
        if not history.revisions:
            raise GateError(f"The history cannot be read from its files: {_name_defect(history, sources)}")
        return history

    def find_folder(self, revision: Revision) -> Path:
        """The folder of the configuration in which a revision lies, however deep."""
        file = self.top / revision.location.file
        folders = (Path(os.path.realpath(folder)) for folder in self.locations.folders)
        return next(filter(file.is_relative_to, folders), file.parent)


def _name_defect(history: History, sources: RevisionSources) -> str:
    """The first reason, as a sentence."""
    findings = broken_history.check(Facts(replay=Replay(history=history)))
    messages = [f"{finding.message}." for finding in findings]
    doubts = [f"`{source.file.path}`: {source.doubt}." for source in sources.files if source.doubt]
    return next(iter((*messages, *doubts)), "there is no revision.")


def run_rebase(path: Path, options: Mapping[str, object], *, writes: bool, merges: bool) -> str:
    """What is to be done below `path`, as text with a diff; done as well if `writes`. Raises GateError."""
    projects = load_settings(path, options, os.environ)
    texts = []
    for settings in projects:
        title = [f"{settings.name}:"] if len(projects) > 1 else []
        texts.append("\n".join([*title, *_rebase_project(settings, writes=writes, merges=merges)]))
    return "\n\n".join(texts)


def _rebase_project(settings: Settings, *, writes: bool, merges: bool) -> Iterator[str]:
    place = _Place(settings, Path(os.path.realpath(find_repository_root(settings.root))))
    history = place.read_history()
    heads = _find_heads_to_join(history)
    change = None if merges and heads else _find_change(place, history)
    _refuse_missing_revisions(change)
    if not heads:
        _refuse_unrelated_trees(history)
        yield f"Nothing to do: {_describe_heads(history)}."
        return
    stale = () if merges else _plan(change, heads, place.settings.base)
    edits = [_make_merge(place, history, heads)] if merges else _make_edits(place, stale)
    for edit in edits:
        yield _render_diff(edit, place.top)
    if not writes:
        yield "Nothing was written: `--write` does it."
        return
    yield f"Written. {_write_edits(place, edits, stale)}"


def _find_heads_to_join(history: History) -> tuple[str, ...]:
    """The heads of the first tree of revisions that has several which nothing explains."""
    for tree in split_into_trees(build_graph(history)):
        heads = tuple(head for head in history.heads if head in tree)
        if len(heads) > 1 and not are_deliberate(history, heads):
            return heads
    return ()


def _refuse_unrelated_trees(history: History) -> None:
    """Raise GateError if a first revision lacks its `down_revision`: which one it follows is not known."""
    for finding in find_unrelated_trees(history):
        raise GateError(f"{finding.message}.", advice=finding.fix)


def _describe_heads(history: History) -> str:
    if len(history.heads) == 1:
        return f"there is one head, `{history.heads[0]}`"
    return f"the heads {join_words(history.heads)} are meant"


def _find_change(place: _Place, history: History) -> HistoryChange | None:
    """The revisions beside those of the base; None if there is no base. Raises GateError."""
    settings = place.settings
    comparison = compare_with_base(settings.root, settings.base, os.environ)
    base = Base(comparison.base.commit or "", comparison.base.reason)
    facts = Facts(settings.name, Replay(history=history), base=base)
    if not base.commit or not list_version_folders(history):
        return None
    return compare_histories(complete_base(facts, settings, comparison))


def _refuse_missing_revisions(change: HistoryChange | None) -> None:
    """Raise GateError if the base's branch has got revisions which the new ones have to follow."""
    tip = change.base.tip if change is not None else None
    merged = merge_histories(change) if change is not None else None
    if change is None or tip is None:
        return
    if removed := dict.fromkeys(item.parent for item in find_removed_parents(change)):
        raise GateError(
            f"{tip.name} has removed {join_words(removed)}, on which this branch builds.",
            advice=f"Bring it in, with `git rebase {tip.name}` or `git merge {tip.name}`; then set "
            "`down_revision` by hand: `migration-gate check` names the file and the line.",
        )
    if merged is None or not change.added:
        return
    if find_stale_parents(change) or find_stale_after_merge(change):
        raise GateError(
            f"{tip.name} has got {join_words(sorted(merged.tip_ids))}, which this branch lacks.",
            advice=f"Bring it in first, with `git rebase {tip.name}` or `git merge {tip.name}`; then run "
            "`migration-gate rebase` again.",
        )


def _plan(change: HistoryChange | None, heads: tuple[str, ...], base: str | None) -> tuple[StaleParent, ...]:
    join = "`migration-gate rebase --merge` joins the heads instead."
    if change is None:
        advice = f"HEAD does not descend from `{base}`, as far as git knows: fetch the history of both."
        raise Misconfigured(
            f"There are the heads {join_words(heads)}, and no base tells which of them is new.",
            where="base",
            advice=f"{advice if base else 'Name the branch into which the change goes: `--base main`.'} Or: "
            f"{join}",
        )
    stale = find_stale_parents(change)
    if not stale:
        raise GateError(
            f"The heads {join_words(heads)} cannot be put in one line: more than one of them stands on the "
            f"base ({change.base.reason}), none does, or a line begins with a merge.",
            advice=join,
        )
    return stale


def _make_edits(place: _Place, stale: tuple[StaleParent, ...]) -> list[FileEdit]:
    edits = []
    for item in stale:
        path = place.top / item.revision.location.file
        before = path.read_bytes()
        try:
            after = put_on_top(before, item.parent, item.new_parent)
        except NotEditable as error:
            raise GateError(
                f"`{item.revision.location.file}` cannot be edited, because {error}.",
                advice=f'Write `down_revision = "{item.new_parent}"` there by hand.',
                where=item.revision.location.file,
            ) from error
        edits.append(FileEdit(path, before, after))
    return edits


def _make_merge(place: _Place, history: History, heads: tuple[str, ...]) -> FileEdit:
    newest = history.find_revision(heads[-1])
    assert newest is not None  # noqa: S101 - heads are revisions
    known_ids = {revision.id for revision in history.revisions}
    merge = make_merge_revision(place.settings, place.find_folder(newest), heads, known_ids)
    if merge.path.exists():
        raise GateError(f"`{merge.path}` exists already.")
    return FileEdit(merge.path, None, merge.text.encode())


def _render_diff(edit: FileEdit, top: Path) -> str:
    name = os.path.relpath(edit.path, top)
    before, after = (
        (data or b"").decode("utf-8", "replace").replace("\r\n", "\n").splitlines(keepends=True)
        for data in (edit.before, edit.after)
    )
    old_name = "/dev/null" if edit.before is None else f"a/{name}"
    lines = difflib.unified_diff(before, after, old_name, f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _write_edits(place: _Place, edits: list[FileEdit], expected: tuple[StaleParent, ...]) -> str:
    """Write the files and read them again; what came of it. Raises GateError, with the files as they were."""
    try:
        for edit in edits:
            edit.path.parent.mkdir(parents=True, exist_ok=True)
        replace_files({edit.path: edit.after for edit in edits})
        history = place.read_history()
        _verify_heads(history, expected)
    except (GateError, OSError) as error:
        replace_files({edit.path: edit.before for edit in edits})
        message = error.message if isinstance(error, GateError) else str(error)
        raise GateError(f"{message} The files are as they were.") from error
    return f"{_describe_heads(history)[0].upper()}{_describe_heads(history)[1:]}."


def _verify_heads(history: History, expected: tuple[StaleParent, ...]) -> None:
    """Raise GateError if the files that were written do not tell what was meant."""
    parents = {revision.id: revision.parents for revision in history.revisions}
    is_expected = all(item.new_parent in parents.get(item.revision.id, ()) for item in expected)
    if not is_expected or _find_heads_to_join(history):
        raise GateError(f"After the edit the heads would be {join_words(history.heads)}.")
