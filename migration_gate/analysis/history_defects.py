"""The ways in which a chain of revisions can be broken: one function each, from a history to findings."""

from __future__ import annotations

import posixpath
import shlex
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Set

from migration_gate.analysis.revision_graph import (
    are_deliberate,
    build_graph,
    describe_revision,
    find_ancestors,
    find_circle,
    find_heads_of_trees,
    find_location,
    find_similar_id,
    list_locations,
)
from migration_gate.check import Evidence, Finding
from migration_gate.facts import (
    Correction,
    FileDefect,
    History,
    Location,
    MissingParent,
    RevisionFile,
    SetVariable,
)
from migration_gate.wording import join_words

_PROBLEMS = {
    FileDefect.SYNTAX: "is no valid Python",
    FileDefect.ACCESS: "cannot be read",
    FileDefect.NESTING: "cannot be parsed",
}
_FIXES = {
    FileDefect.SYNTAX: "Fix the syntax.",
    FileDefect.ACCESS: "Make it readable for the user that runs the gate.",
    FileDefect.NESTING: "Shorten the expression, or split it over several variables.",
}


def find_unreadable_files(history: History) -> Iterator[Finding]:
    """Files that cannot be read, or that Python cannot parse."""
    for file in history.files:
        if file.error:
            yield Finding(
                object=file.path,
                message=f"`{file.path}` {_PROBLEMS[file.defect]}: {file.error}",
                location=Location(file.path, file.line),
                revision=file.revision,
                fix=_FIXES[file.defect],
            )


def find_missing_parents(history: History) -> Iterator[Finding]:
    """Parents and dependencies that no file has; nothing if an unreadable file may be the missing one."""
    if any(file.error for file in history.files):
        return
    known_ids = {revision.id for revision in history.revisions}
    known_ids |= {file.revision for file in history.files if file.revision}
    for missing in dict.fromkeys((*history.missing_parents, *_parents_in_no_file(history, known_ids))):
        child, parent = missing.revision, missing.parent
        similar_id = find_similar_id(parent, known_ids - {child})
        yield Finding(
            object=f"{child} {parent}",
            message=f"`{child}` depends on `{parent}`, and no file has that revision",
            location=_locate_parent(history, missing),
            revision=child,
            fix=_describe_restoring(parent, similar_id),
            corrections=_name_similar_parent(history, missing, similar_id),
        )


def _name_similar_parent(
    history: History, missing: MissingParent, similar_id: str | None
) -> tuple[Correction, ...]:
    """The `down_revision` with the id that was probably meant."""
    files = [file for file in history.files if file.revision == missing.revision]
    if similar_id is None or len(files) != 1:
        return ()
    if missing.revision in find_ancestors(build_graph(history, with_dependencies=True), similar_id):
        return ()  # it would be a circle
    introduction = f"If `{similar_id}` was meant:"
    return (SetVariable(files[0].path, "down_revision", missing.parent, similar_id, introduction),)


def _locate_parent(history: History, missing: MissingParent) -> Location | None:
    """The line that names the parent; that of the revision if another one does."""
    for file in history.files:
        if file.revision == missing.revision and missing.parent in file.parents and file.parents_line:
            return Location(file.path, file.parents_line)
    return find_location(history, missing.revision)


def _parents_in_no_file(history: History, known_ids: set[str]) -> Iterator[MissingParent]:
    for file in history.files:
        if file.is_loaded:
            for parent in sorted(set(file.parents) - known_ids, key=file.parents.index):
                yield MissingParent(file.revision or file.path, parent)


def _describe_restoring(parent: str, similar_id: str | None) -> str:
    command = f"git log --diff-filter=D -S {shlex.quote(parent)}"
    restore = f"estore its file (`{command}` finds who removed it)"
    if similar_id:
        return f"Did you mean `{similar_id}`? If not, r{restore}."
    return f"R{restore}, or name another parent."


def list_duplicates(history: History) -> dict[str, tuple[RevisionFile, ...]]:
    """The files of each id that several files have."""
    files_by_id: dict[str, list[RevisionFile]] = defaultdict(list)
    for file in _files_of_this_history(history):
        if file.revision:
            files_by_id[file.revision].append(file)
    return {revision: tuple(files) for revision, files in files_by_id.items() if len(files) > 1}


def list_uncertain_revisions(history: History) -> frozenset[str]:
    """Revisions whose place in the graph depends on which file of a duplicate id Alembic happens to load.

    What looks wrong with these follows from the duplicate, which is reported.
    """
    duplicates = list_duplicates(history)
    parents = (parent for files in duplicates.values() for file in files for parent in file.parents)
    return frozenset((*duplicates, *parents))


def find_duplicate_ids(history: History) -> Iterator[Finding]:
    """Ids that several files have."""
    for revision, files in list_duplicates(history).items():
        yield Finding(
            object=revision,
            message=f"`{revision}` is the id of {len(files)} files, and Alembic runs only one of them",
            location=Location(files[-1].path, files[-1].line),
            revision=revision,
            evidence=tuple(Evidence("file", str(Location(file.path, file.line))) for file in files),
            fix="Give one of them another id, and correct the `down_revision` of those that follow it.",
            other_locations=tuple(Location(file.path, file.line) for file in files[:-1]),
        )


def find_circles(history: History) -> Iterator[Finding]:
    """Revisions that depend on each other, or one on itself."""
    circle = find_circle(build_graph(history, with_dependencies=True))
    if circle and list_duplicates(history).keys().isdisjoint(circle):
        problem = "depend on each other in a circle" if len(circle) > 1 else "is its own parent"
        yield Finding(
            object=" ".join(sorted(circle)),
            message=f"{join_words(circle)} {problem}",
            location=find_location(history, circle[0]),
            revision=circle[0],
            evidence=tuple(Evidence("revision", describe_revision(history, revision)) for revision in circle),
            fix="One of them has the wrong `down_revision`, most likely the newest."
            if len(circle) > 1
            else "Name the revision before it as its `down_revision`.",
            other_locations=list_locations(history, circle[1:]),
        )


def find_unrelated_trees(history: History, changed_files: Collection[str] = ()) -> Iterator[Finding]:
    """Trees that have no revision in common, unless folders or branch labels of their own show intent.

    The first revision of the change is to blame, where `changed_files` tell which one that is.
    """
    heads_by_base = find_heads_of_trees(history)
    # Branch labels are known only if Alembic could read the history.
    if not history.revisions or len(heads_by_base) < 2:
        return
    if not list_duplicates(history).keys().isdisjoint(heads_by_base):
        return
    if len(history.locations) > 1 or are_deliberate(history, tuple(heads_by_base.values())):
        return
    locations = {base: find_location(history, base) for base in heads_by_base}
    changed = [base for base, location in locations.items() if location and location.file in changed_files]
    bases = tuple(heads_by_base)
    last = (changed or bases)[-1]
    yield Finding(
        object=" ".join(sorted(bases)),
        message=f"{join_words(bases)} are unrelated first revisions: {len(bases)} histories in one folder",
        location=locations[last],
        revision=last,
        evidence=tuple(Evidence("base", describe_revision(history, base)) for base in bases),
        fix=f'Give `{last}` its `down_revision`, or a `branch_labels = ("...",)` if both are meant.',
        other_locations=list_locations(history, [base for base in bases if base != last]),
    )


def find_unloaded_files(history: History) -> Iterator[Finding]:
    """Files that look like revisions of this history, and that Alembic never runs."""
    duplicates = list_duplicates(history)
    for file in _list_unloaded_files(history):
        if file.revision in duplicates:
            continue
        reason = f" ({file.not_loaded_because})" if file.not_loaded_because else ""
        yield Finding(
            object=file.path,
            message=f"`{file.path}` looks like a revision, and never runs{reason}",
            location=Location(file.path, file.line),
            revision=file.revision,
            fix="Move it into the folder of revisions, add its folder to `version_locations`, or delete it.",
        )


def _list_unloaded_files(history: History) -> list[RevisionFile]:
    """Unloaded files that belong here: in a folder of revisions, or with a parent that belongs here."""
    own_files = _files_of_this_history(history)
    candidates = [file for file in own_files if not file.is_loaded and not file.error]
    belonging = {file.path for file in _find_belonging(history, candidates)}
    return [file for file in candidates if file.path in belonging]


def _find_belonging(history: History, candidates: Iterable[RevisionFile]) -> Iterator[RevisionFile]:
    """Those in a folder of revisions; then, round by round, the children of what belongs here."""
    folders = tuple(f"{folder.rstrip('/')}/" for folder in history.locations)
    known_ids = {file.revision for file in history.files if file.is_loaded}
    waiting = list(candidates)
    while additions := [file for file in waiting if _belongs_here(file, folders, known_ids)]:
        yield from additions
        waiting = [file for file in waiting if not _belongs_here(file, folders, known_ids)]
        known_ids.update(file.revision for file in additions)


def _belongs_here(file: RevisionFile, folders: tuple[str, ...], known_ids: Set[str | None]) -> bool:
    return file.path.startswith(folders) or not known_ids.isdisjoint(file.parents)


def _files_of_this_history(history: History) -> list[RevisionFile]:
    """The files without those of other histories.

    Another history is a folder with a first revision of its own, none of whose files Alembic loads: a project
    may keep one for another dialect or another database, with the same ids.
    """
    files_by_folder: dict[str, list[RevisionFile]] = defaultdict(list)
    for file in history.files:
        files_by_folder[posixpath.dirname(file.path)].append(file)
    others = {
        folder
        for folder, files in files_by_folder.items()
        if folder not in history.locations and _is_another_history(files)
    }
    return [file for file in history.files if posixpath.dirname(file.path) not in others]


def _is_another_history(files: list[RevisionFile]) -> bool:
    is_loaded = any(file.is_loaded for file in files)
    has_base = any(file.revision and not file.parents for file in files)
    return has_base and not is_loaded
