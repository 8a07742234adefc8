"""The repository as text: the files of the revisions, and all the others. Read beside the replay."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from pathlib import Path

from migration_gate.facts import DowngradeText, Tree
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.scan.repository import read_repository
from migration_gate.scan.revision_files import (
    RevisionSource,
    read_revision_file,
    read_revision_files_below,
)
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.history_lines import HistoryRead, ScriptsFound


@dataclass(frozen=True, slots=True)
class RepositoryText:
    """The repository as text."""

    revision_files: tuple[RevisionSource, ...]
    tree: Tree


def read_repository_text(setup: ReplaySetup, scripts: ScriptsFound) -> RepositoryText:
    """The revision files and the other files of the repository."""
    revision_files = read_revision_sources(setup, scripts)
    paths = list_revision_paths(setup, revision_files)
    return RepositoryText(revision_files, read_repository(setup.settings, paths))


def list_revision_paths(setup: ReplaySetup, revision_files: Sequence[RevisionSource]) -> list[str]:
    """Absolute paths of the revision files."""
    return [str(setup.repository / source.file.path) for source in revision_files]


def read_revision_sources(setup: ReplaySetup, scripts: ScriptsFound) -> tuple[RevisionSource, ...]:
    """The revision files as text. Takes a while for a long history."""
    locations = [Path(folder) for folder in scripts.locations]
    if setup.checkpoint is None:
        return read_revision_files_below(locations, Path(scripts.folder), setup.repository)
    texts = setup.checkpoint.read_texts()
    sources = read_revision_files_below(locations, Path(scripts.folder), setup.repository, texts.parse)
    setup.checkpoint.keep_texts()
    return sources


def read_downgrades(lines: Iterable[Line], revisions: Container[str]) -> dict[str, DowngradeText]:
    """The downgrades of these revisions, as their files are written: read by themselves, as they are few."""
    scripts = [
        script
        for line in lines
        if isinstance(line, HistoryRead)
        for script in line.revisions
        if script.id in revisions
    ]
    sources = {script.id: read_revision_file(Path(script.file), script.file) for script in scripts}
    return {name: source.file.downgrade for name, source in sources.items() if source is not None}
