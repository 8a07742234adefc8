"""What one run does with checkpoints: which one it begins from, and what it writes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from migration_gate.checkpoint.cluster_copy import ClusterRefused, copy_running_cluster, remove_folder
from migration_gate.checkpoint.dependencies import Dependency, find_dependencies, list_paths
from migration_gate.checkpoint.facts_key import FactsPlace
from migration_gate.checkpoint.kept_base import BaseStore
from migration_gate.checkpoint.kept_texts import KeptTexts
from migration_gate.checkpoint.policy import CheckpointUse, choose_use
from migration_gate.checkpoint.saved_state import (
    CATALOG,
    DATA,
    LINES,
    LOG,
    SavedState,
    StateRecord,
    compute_content_digest,
    describe_steps,
    encode_lines,
    mark_old_sessions,
    select_lines,
    write_record,
)
from migration_gate.checkpoint.store import CheckpointStore, find_store
from migration_gate.checkpoint.surroundings import compute_surroundings
from migration_gate.config.settings import Settings
from migration_gate.errors import Broken
from migration_gate.git.git_command import find_repository_root
from migration_gate.lazy_dataclass import dataclass
from migration_gate.postgres.cluster_files import measure_folder
from migration_gate.postgres.saved_cluster import SavedCluster
from migration_gate.postgres.server import Server
from migration_gate.postgres.server_choice import ServerChoice
from migration_gate.project import Project
from migration_gate.wording import count_noun
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.history_lines import (
    ContextFinished,
    EarlierRevisionsRan,
    HistoryRead,
    ScriptsFound,
)

if TYPE_CHECKING:
    import psycopg

WAL_FILES = """
select redo_wal_file, pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn())
from pg_catalog.pg_control_checkpoint()
"""
SHOWN_OBJECTS = 5


@dataclass(slots=True)
class _Copy:
    """A checkpoint that is being written."""

    folder: Path
    line: EarlierRevisionsRan
    lines: list[Line]
    database: str
    password: str


@dataclass(frozen=True, slots=True)
class FactsRun:
    """What the facts of a run depend on, if its worker has said so."""

    used_files: tuple[str, ...]
    """what the run has executed or opened, and the folders of the revisions: absolute paths"""
    module_folders: tuple[str, ...]
    """in which modules were looked for: absolute paths"""
    migration_files: tuple[str, ...]
    """absolute paths of the files of the revisions"""


@dataclass(slots=True)
class CheckpointRun:
    """One run. `state` is what fits the repository; the run begins from it only if the server does."""

    use: CheckpointUse
    store: CheckpointStore
    surroundings: str
    project: Project
    state: SavedState | None = None
    notes: list[str] = field(default_factory=list)
    """why there is no checkpoint, as clauses"""
    is_restored: bool = False
    """the server was started from `state`"""
    facts_run: FactsRun | None = None
    """None if the facts of the run cannot be kept"""
    _copy: _Copy | None = None
    _texts: KeptTexts | None = None

    def describe(self) -> str:
        """Where the replay began, for the report."""
        if self.state is not None and self.is_restored:
            count = count_noun(len(self.state.record.revisions), "revision")
            verb = "was" if len(self.state.record.revisions) == 1 else "were"
            return (
                f"the replay began from a checkpoint at `{self.state.newest_revision}` ({count} {verb} "
                "replayed before)"
            )
        if self.notes:
            return f"the replay began from scratch; no checkpoint was kept: {self.notes[-1]}"
        return "the replay began from scratch"

    @property
    def cluster(self) -> SavedCluster | None:
        """What the server is to be started from."""
        if self.state is None or not self.use.begins_from:
            return None
        record = self.state.record
        return SavedCluster(
            self.state.data, self.state.log, record.password, record.files, record.bytes, self.state.is_intact
        )

    @property
    def base_store(self) -> BaseStore | None:
        """Where the examination of the base is kept; None if the run begins from no checkpoint."""
        return BaseStore(self.facts_place) if self.facts_place is not None else None

    @property
    def facts_place(self) -> FactsPlace | None:
        """Where facts are kept; None if the run begins from no checkpoint."""
        if self.state is None or not self.use.begins_from:
            return None
        return FactsPlace(self.state, self.surroundings, self.use.writes)

    def read_texts(self) -> KeptTexts:
        """What is kept of the revisions' texts; nothing if the run began from no checkpoint."""
        self._texts = KeptTexts(self.state.folder if self.is_restored and self.state is not None else None)
        return self._texts

    def keep_texts(self) -> None:
        """Keep those of this run with the checkpoint from which it began, if some are new."""
        is_kept = self.is_restored and self.use.writes and self._texts is not None and self._texts.has_new
        if is_kept and self.state is not None and self._texts is not None:
            with contextlib.suppress(OSError):
                self._texts.write(self.state.folder)

    def discard_state(self) -> None:
        """The server could not be started from it: nothing else can, either."""
        if self.state is not None:
            self.remove_state()
            self.notes.append("one was damaged, and was removed")

    def remove_state(self) -> None:
        """No later run is to begin from it."""
        if self.state is not None:
            self.store.remove(self.state)
            self.state = None

    @property
    def wants_inputs(self) -> bool:
        """Whether the worker is to say what the project's code used: the facts of the run may be kept."""
        return self.is_restored and self.use.writes

    @property
    def wants_state(self) -> bool:
        """Whether the worker is to say when the old revisions have run."""
        return self.use.writes or (self.use.compares and self.state is not None)

    def take_state(
        self,
        connection: psycopg.Connection[tuple[object, ...]],
        server: Server,
        lines: Sequence[Line],
        catalog: Iterable[object],
    ) -> None:
        """The old revisions have run, and the worker waits: copy the server, or compare.

        lines: the last one says so. `connection` leads to the database. Raises Broken if there is
        another state in the checkpoint.
        """
        line = lines[-1]
        assert isinstance(line, EarlierRevisionsRan)  # noqa: S101 - the caller has matched it
        texts = sorted(repr(item) for item in catalog)
        if self.use.compares and self.state is not None and self.state.record.revisions == line.revisions:
            self._compare(self.state, lines, texts)
        elif self.use.writes:
            with self._excusing():
                self._begin_copy(connection, server, lines, texts)

    def _compare(self, state: SavedState, lines: Sequence[Line], texts: list[str]) -> None:
        try:
            kept = state.read_catalog() if state.is_intact() else None
        except OSError:
            kept = None
        if kept is None:
            self.discard_state()
            return
        differing = sorted(set(texts).symmetric_difference(kept))
        if not differing and describe_steps(lines) == state.record.steps:
            return
        self.store.remove(state)
        raise Broken(
            f"The replay of {len(state.record.revisions)} revisions left another state than the "
            f"checkpoint at {state.newest_revision} holds ({state.folder}).",
            advice="Something that a revision depends on is in no file that the gate knows: the clock, "
            "a random name, the network. The checkpoint was removed. If it happens again, set "
            "`checkpoint: off`.",
            evidence="\n".join(differing[:SHOWN_OBJECTS]) or "the statements of a revision differ",
        )

    def _begin_copy(
        self,
        connection: psycopg.Connection[tuple[object, ...]],
        server: Server,
        lines: Sequence[Line],
        texts: list[str],
    ) -> None:
        line = lines[-1]
        selected = select_lines(lines)
        if selected is None or server.data is None or server.log is None:
            self.notes.append("more than revisions ran")
            return
        folder = self.store.make_folder()
        try:
            connection.execute("checkpoint")
            ((first, last),) = connection.execute(WAL_FILES).fetchall()
            copy_running_cluster(server.data, folder / DATA, (str(first), str(last)))
            (folder / LOG).write_bytes(mark_old_sessions(server.log.read_bytes()))
            (folder / CATALOG).write_text("\n".join(texts), "utf-8", "surrogateescape")
        except BaseException:
            remove_folder(folder)
            raise
        assert isinstance(line, EarlierRevisionsRan)  # noqa: S101 - see above
        self._copy = _Copy(folder, line, selected, connection.info.dbname, server.password)

    def finish_copy(self, lines: Sequence[Line], top: Path, preparation_notes: tuple[str, ...]) -> None:
        """The history has run: complete the checkpoint, if one was begun and is of use."""
        copy, self._copy = self._copy, None
        if copy is None:
            return
        try:
            with self._excusing():
                self._complete(copy, lines, top, preparation_notes)
        finally:
            remove_folder(copy.folder)

    def _complete(
        self, copy: _Copy, lines: Sequence[Line], top: Path, preparation_notes: tuple[str, ...]
    ) -> None:
        scripts = _list_scripts(copy.line, lines, top)
        dependencies = self._find_dependencies(copy.line, lines, top, scripts or ())
        if (
            scripts is None
            or dependencies is None
            or sum(isinstance(line, ContextFinished) for line in lines) != 1
        ):
            self.notes.append("what the old revisions depend on could not be told")
            return
        (copy.folder / LINES).write_bytes(encode_lines(copy.lines))
        files, size = measure_folder(str(copy.folder / DATA))
        record = StateRecord(
            surroundings=self.surroundings,
            dependencies=dependencies,
            revisions=copy.line.revisions,
            scripts=scripts,
            database=copy.database,
            password=copy.password,
            files=files,
            bytes=size,
            content=compute_content_digest(copy.folder),
            steps=describe_steps(copy.lines),
            preparation_notes=preparation_notes,
        )
        if self._texts is not None:
            self._texts.write(copy.folder)
        write_record(copy.folder, record)
        self.store.add(copy.folder)

    def _find_dependencies(
        self, ran: EarlierRevisionsRan, lines: Sequence[Line], top: Path, scripts: Sequence[str]
    ) -> tuple[Dependency, ...] | None:
        """None if what loads the revisions is not in the repository."""
        found = next((line for line in lines if isinstance(line, ScriptsFound)), None)
        if found is None:
            return None
        roots = [Path(found.folder) / "env.py"]
        roots += [self.project.hook] if self.project.hook is not None else []
        roots += _list_flask_files(self.project, top)
        try:
            starts = [_name_file(root, top) for root in roots]
        except ValueError:
            return None
        return find_dependencies(
            top,
            scripts,
            starts,
            follows_all=self.project.kind in ("flask", "hook"),
            files_read=ran.files_read,
            modules=ran.modules,
        )

    @contextlib.contextmanager
    def _excusing(self) -> Iterator[None]:
        """What goes wrong inside is a remark: the verdict does not depend on a checkpoint."""
        try:
            yield
        except ClusterRefused as refused:
            self.notes.append(str(refused))
        except OSError as error:
            self.notes.append(f"it could not be written: {error.strerror or error}")
        except (SystemError, RecursionError, ValueError) as error:
            self.notes.append(f"what the old revisions depend on could not be read: {error}")


def _list_scripts(ran: EarlierRevisionsRan, lines: Sequence[Line], top: Path) -> tuple[str, ...] | None:
    """The files of the old revisions; None if one is a package's, outside of the repository."""
    history = next((line for line in lines if isinstance(line, HistoryRead)), None)
    files = {script.id: script.file for script in history.revisions} if history is not None else {}
    try:
        return tuple(_name_file(Path(files[revision]), top) for revision in ran.revisions)
    except (KeyError, ValueError):
        return None


def _list_flask_files(project: Project, top: Path) -> list[Path]:
    """The module of the Flask application, wherever it is in the repository."""
    if project.flask_app is None:
        return []
    module = project.flask_app.split(":")[0].removesuffix(".py").replace(".", "/")
    ends = (f"/{module}.py", f"/{module}/__init__.py")
    return [top / path for path in list_paths(top) if f"/{path}".endswith(ends)]


def _name_file(path: Path, top: Path) -> str:
    """Relative to the top of the repository. Raises ValueError if it is not in it."""
    return path.resolve().relative_to(top.resolve()).as_posix()


def prepare_checkpoint(
    settings: Settings,
    project: Project,
    choice: ServerChoice,
    list_changed: Callable[[], Collection[str]],
    environ: Mapping[str, str] = os.environ,
) -> CheckpointRun | None:
    """What this run does with checkpoints; None if nothing. Starts no process.

    `list_changed`: the files of the change, relative to the top of the repository.
    """
    use = choose_use(settings, choice, environ)
    top = find_repository_root(settings.root)
    store = find_store(settings, top)
    if store is None or not (use.begins_from or use.writes or use.compares):
        return None
    surroundings = compute_surroundings(settings, project, choice, environ)
    if surroundings is None:
        return None
    return CheckpointRun(use, store, surroundings, project, store.find(surroundings, list_changed))
