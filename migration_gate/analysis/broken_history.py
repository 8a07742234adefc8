"""The ways in which a chain of revisions can break, each as a finding."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from migration_gate.analysis import revision_graph
from migration_gate.check import Evidence, Finding
from migration_gate.facts import History, Location, RevisionFile
from migration_gate.wording import join_words


def unreadable(history: History) -> Iterator[Finding]:
    """Files that Python cannot parse."""
    for file in history.files:
        if file.error:
            says = f"`{file.path}` is no valid Python: {file.error}"
            yield Finding(
                file.path, says, Location(file.path, file.line), file.revision, fix="Mend the syntax."
            )


def missing(history: History) -> Iterator[Finding]:
    """Parents and dependencies that no file has."""
    if any(file.error for file in history.files):
        return  # what cannot be read may be what is missing
    known = {r.id for r in history.revisions} | {f.revision for f in history.files}
    files = (
        (file.revision or file.path, parent)
        for file in history.files
        if file.is_loaded
        for parent in file.parents
        if parent not in known
    )
    for child, parent in dict.fromkeys(
        (*((row.revision, row.parent) for row in history.missing_parents), *files)
    ):
        near = revision_graph.similar(parent, known - {child})
        restore = f"estore its file (`git log --diff-filter=D -S {parent}` finds who removed it)"
        fix = (
            f"Did you mean `{near}`? If not, r{restore}." if near else f"R{restore}, or name another parent."
        )
        says = f"`{child}` stands on `{parent}`, and no file has that revision"
        yield Finding(f"{child} {parent}", says, revision_graph.place_of(history, child), child, fix=fix)


def duplicates(history: History) -> Iterator[Finding]:
    """One id in several files."""
    files: dict[str, list[RevisionFile]] = defaultdict(list)
    for file in _ours(history):
        if file.revision:
            files[file.revision].append(file)
    for revision, same in files.items():
        if len(same) > 1:
            says = f"`{revision}` is the id of {len(same)} files, and Alembic runs only one of them"
            evidence = tuple(Evidence("file", str(Location(file.path, file.line))) for file in same)
            fix = "Give one of them an id of its own, and correct the `down_revision` that means it."
            yield Finding(revision, says, Location(same[-1].path, same[-1].line), revision, evidence, fix)


def circle(history: History) -> Iterator[Finding]:
    """Revisions that stand on each other."""
    if found := revision_graph.cycle(revision_graph.parents(history, dependencies=True)):
        says = f"{join_words(found)} stand on each other in a circle"
        evidence = tuple(Evidence("revision", revision_graph.described(history, one)) for one in found)
        fix = "One of them has the wrong `down_revision`, most likely the newest."
        place = revision_graph.place_of(history, found[0])
        yield Finding(" ".join(sorted(found)), says, place, found[0], evidence, fix)


def unrelated(history: History) -> Iterator[Finding]:
    """Trees that share nothing; several folders, or labels of their own, say that they are meant."""
    trees = revision_graph.trees(history)
    meant = len(history.locations) > 1 or revision_graph.deliberate(history, tuple(trees.values()))
    # Labels are known only where Alembic could read the history.
    if history.revisions and len(trees) > 1 and not meant:
        bases = tuple(trees)
        says = f"{join_words(bases)} are unrelated first revisions: {len(bases)} histories in one folder"
        evidence = tuple(Evidence("base", revision_graph.described(history, base)) for base in bases)
        fix = f'Give `{bases[-1]}` its `down_revision`, or a `branch_labels = ("...",)` if both are meant.'
        place = revision_graph.place_of(history, bases[-1])
        yield Finding(" ".join(sorted(bases)), says, place, bases[-1], evidence, fix)


def unseen(history: History) -> Iterator[Finding]:
    """Files that look like revisions of this history, and that Alembic never runs."""
    for file in _strays(history):
        why = f" ({file.not_loaded_because})" if file.not_loaded_because else ""
        says = f"`{file.path}` looks like a revision, and never runs{why}"
        fix = "Move it into the folder of revisions, add its folder to `version_locations`, or delete it."
        yield Finding(file.path, says, Location(file.path, file.line), file.revision, fix=fix)


def _strays(history: History) -> list[RevisionFile]:
    """Unseen files that belong here: below a folder of revisions, or standing on a revision that runs."""
    left = [file for file in _ours(history) if not file.is_loaded and not file.error]
    inside = tuple(f"{folder.rstrip('/')}/" for folder in history.locations)
    found = [file for file in left if file.path.startswith(inside)]
    known = {file.revision for file in history.files if file.is_loaded} | {file.revision for file in found}
    while more := [file for file in left if file not in found and not known.isdisjoint(file.parents)]:
        found += more
        known |= {file.revision for file in more}
    return [file for file in left if file in found]


def _ours(history: History) -> list[RevisionFile]:
    """The files without other histories: folders with a first revision of their own, of which nothing runs.

    A project may keep one for another dialect or another database, with the same ids.
    """
    folders: dict[str, list[RevisionFile]] = defaultdict(list)
    for file in history.files:
        folders[posixpath.dirname(file.path)].append(file)
    others = {
        folder
        for folder, files in folders.items()
        if folder not in history.locations
        and not any(file.is_loaded for file in files)
        and any(file.revision and not file.parents for file in files)
    }
    return [file for file in history.files if posixpath.dirname(file.path) not in others]
