"""Adds the project's own rows to a copy of the base's database: `rehearsal:` with a SQL file or a function.

They are there before rows are generated, so that they have the keys that they want. What fails, changes the
schema, or adds nothing is refused. Of a SQL file that the change edits the base's version is tried as well:
an edited one may fit only the schema that the change makes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migration_gate.analysis.catalog_round_trip import find_round_trip_differences
from migration_gate.catalog.comparable_catalog import CatalogReader
from migration_gate.catalog.row_sequences import advance_sequences
from migration_gate.catalog.row_state import RowState, read_row_state
from migration_gate.catalog.stored_rows import MAX_ROWS, select_new_rows
from migration_gate.config.repository_root import find_repository_root
from migration_gate.errors import RepositoryUnreadable
from migration_gate.facts import Unchecked
from migration_gate.git.tree_export import read_folders
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.failure_facts import FailureBuilder
from migration_gate.replay.replay_setup import ReplaySetup
from migration_gate.replay.runs_channel import RunsChannel
from migration_gate.replay.sql_rows import MISFITS, OwnRowsRefused, execute_rows
from migration_gate.replay.verification import read_arrived_heads
from migration_gate.wording import count_noun, join_words
from migration_gate.worker.protocol.order import RunsRequest

if TYPE_CHECKING:
    import psycopg

FILE_SETTING = "rehearsal.sql_file"
FUNCTION_SETTING = "rehearsal.python"
ENVIRONMENT_FILE = "env.py"
MAX_BYTES = 8 << 20
"""of a SQL file"""
SHOWN_OBJECTS = 3
BASE_ADVICE = (
    "The rows are made at the base, before the first new revision: write them for its schema. Of a SQL "
    "file that the change edits, the base's version is tried, too; a function had better not use models, "
    "which are the change's"
)


@dataclass
class OwnRows:
    """The settings of one project, and what came of them so far."""

    setup: ReplaySetup
    channel: RunsChannel
    failures: FailureBuilder
    version_tables: Sequence[str]
    search_path: str
    """of the migrations; '' if it is not known"""
    unchecked: tuple[Unchecked, ...] = ()
    notes: tuple[str, ...] = ()
    is_left_out: bool = False
    """a revision is tried without them"""
    _texts: list[bytes] = field(default_factory=list)
    """versions of the SQL file, the best first"""
    _first_refusal: OwnRowsRefused | None = None

    def __post_init__(self) -> None:
        file = self.setup.settings.rehearsal_sql
        if file is None:
            return
        try:
            self._texts = [self._read_file(file), *self._list_older_versions(file)]
        except OwnRowsRefused as refused:
            self._give_up(refused)

    @property
    def is_active(self) -> bool:
        """Whether there are rows to add."""
        settings = self.setup.settings
        is_set = settings.rehearsal_sql is not None or settings.rehearsal_function is not None
        return is_set and not self.unchecked and not self.is_left_out

    def add(self, connection: psycopg.Connection[Any], before: RowState) -> int:
        """Add them to the database of the connection, and commit them; how many there are.

        `before`: its rows. Raises OwnRowsRefused; then the database is spoilt, and `refuse` has to know.
        """
        reader = CatalogReader(self.version_tables)
        catalog = reader.read(connection)
        heads = read_arrived_heads(connection, self.version_tables)
        database = connection.info.dbname
        if self.setup.settings.rehearsal_sql is not None:
            with self.setup.server.connect(database) as session:
                text, seconds = self._decode(self._texts[0]), self.setup.settings.statement_seconds
                execute_rows(session, text, self._file_name, self.search_path, seconds)
        if self.setup.settings.rehearsal_function is not None:
            self._call_function(self.setup.settings.rehearsal_function, database)
        after = find_round_trip_differences(catalog, reader.read(connection))
        if after:
            changed = join_words([item.object for item in after[:SHOWN_OBJECTS]])
            raise OwnRowsRefused(f"they change the schema ({changed})", "Have them insert rows alone")
        if read_arrived_heads(connection, self.version_tables) != heads:
            raise OwnRowsRefused("they change the version table", "Have them insert rows alone")
        count = self._count(before, read_row_state(connection, before))
        advance_sequences(connection)
        return count

    def _count(self, before: RowState, after: RowState) -> int:
        for oid, mark in after.marks.items():
            known = before.marks.get(oid)
            if mark.rows > MAX_ROWS and (known is None or known.rows <= MAX_ROWS):
                name = next(
                    (table for number, table in self._name_tables(before) if number == oid), "a table"
                )
                raise OwnRowsRefused(
                    f"{name} has {count_noun(mark.rows, 'row')} with them, and rows of a table are compared "
                    f"up to {MAX_ROWS}",
                    "Add fewer: the edges of each column are enough",
                )
        count = sum(len(table.rows) for table in select_new_rows(after.tables, before.tables).values())
        if count == 0:
            raise OwnRowsRefused(
                "they add no row", "Have them insert and commit rows, or take the setting out"
            )
        return count

    def _name_tables(self, state: RowState) -> list[tuple[int, str]]:
        return [(oid, f"`{table}`") for oid, table in state.tables.items()]

    # What was refused.

    def refuse(self, refused: OwnRowsRefused) -> None:
        """Go on with an older version of the file, or without rows of the project's."""
        self._first_refusal = self._first_refusal or refused
        if len(self._texts) > 1 and refused.setting == FILE_SETTING:
            self._texts.pop(0)
            self.notes = (
                f"`{self._file_name}` was used as it is at the base: as the change has it, {refused.why}",
            )
            return
        self._give_up(self._first_refusal)

    def _give_up(self, refused: OwnRowsRefused) -> None:
        settings = self.setup.settings
        name = refused.setting or (FILE_SETTING if settings.rehearsal_sql is not None else FUNCTION_SETTING)
        self.notes = ()
        self.unchecked = (
            Unchecked(
                name,
                f"the project's rows could not be made at the base: {refused.why}",
                refused.advice or BASE_ADVICE,
            ),
        )

    # The SQL file.

    @property
    def _file_name(self) -> str:
        file = self.setup.settings.rehearsal_sql
        assert file is not None  # noqa: S101 - the callers have looked
        return os.path.relpath(file, self.setup.repository)

    def _read_file(self, file: Path) -> bytes:
        target = file.resolve()
        if not target.is_relative_to(find_repository_root(self.setup.settings.root.resolve())):
            raise OwnRowsRefused(f"`{self._file_name}` leads out of the repository", setting=FILE_SETTING)
        try:
            with target.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise OwnRowsRefused(
                f"`{self._file_name}` cannot be read: {error.strerror}", "Fix it", setting=FILE_SETTING
            ) from error
        if len(content) > MAX_BYTES:
            raise OwnRowsRefused(
                f"`{self._file_name}` is larger than {MAX_BYTES >> 20} MB",
                "Keep few rows: the edges of each column are enough",
                setting=FILE_SETTING,
            )
        return content

    def _list_older_versions(self, file: Path) -> list[bytes]:
        """The file as it is at the base, if the change has edited it."""
        top = self.setup.repository.resolve()
        if self.setup.base_commit is None or str(file.resolve()) not in self.setup.changed_files:
            return []
        path = file.resolve().relative_to(top).as_posix()
        try:
            return list(read_folders(top, self.setup.base_commit, [path]).values())
        except RepositoryUnreadable:
            return []

    def _decode(self, content: bytes) -> str:
        try:
            if (end := content.find(b"\0")) >= 0:  # where Postgres, too, would stop reading
                raise UnicodeDecodeError("utf-8", content, end, end + 1, "NUL")  # noqa: TRY301
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise OwnRowsRefused(
                f"`{self._file_name}:{line}` is not UTF-8",
                "Save the file as UTF-8 text",
                setting=FILE_SETTING,
            ) from error

    # The function.

    def _call_function(self, function: str, database: str) -> None:
        finished = self.channel.send(RunsRequest(database, (), prepares=False, rows_function=function))
        if finished.problem:
            raise OwnRowsRefused(f"`{function}`: {finished.problem}", setting=FUNCTION_SETTING)
        if finished.error is None:
            return
        failure = self.failures.build_failure(finished.first_error or finished.error, None, finished.line)
        # What fails in env.py fails before the function: it cannot be imported.
        is_reached = failure.location is not None and Path(failure.location.file).name != ENVIRONMENT_FILE
        place = f" ({failure.location})" if is_reached else ""
        has_name = failure.sqlstate is not None or failure.message.startswith(failure.exception_class)
        name = "" if has_name else f"{failure.exception_class}: "
        detail = f" ({failure.detail})" if failure.detail else ""
        raise OwnRowsRefused(
            f"`{function}`{place}: {name}{failure.message}{detail}",
            "" if failure.sqlstate in MISFITS else "Correct the function",
            setting=FUNCTION_SETTING,
        )
