"""Everything that one run of the project's history showed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from functools import cached_property

from migration_gate.facts.change import ChangedFile
from migration_gate.facts.coverage import Coverage, Unchecked
from migration_gate.facts.ddl_commands import DdlCommand
from migration_gate.facts.differences import Difference, DriftRevision
from migration_gate.facts.failure import Failure
from migration_gate.facts.history import History
from migration_gate.facts.ineffective_commands import CaughtError, SkippedCreation
from migration_gate.facts.location import Location
from migration_gate.facts.migration_environment import Connection, MigrationContext, StepKeywords
from migration_gate.facts.model_uses import ModelStatement
from migration_gate.facts.models import Models
from migration_gate.facts.observation import Observation
from migration_gate.facts.owners import NullTrial, OwnershipTrial
from migration_gate.facts.rehearsal import Rehearsal
from migration_gate.facts.rollback import RevisionRollback, RollbackScope
from migration_gate.facts.server_difference import ServerDifference
from migration_gate.facts.snapshot import Snapshot
from migration_gate.facts.stage_time import StageTime
from migration_gate.facts.statement_states import StatementStates, TableHistories
from migration_gate.facts.steps import Statement, Step
from migration_gate.facts.tables import Column
from migration_gate.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class SoftwareVersion:
    """The version of a program or package that took part in a run."""

    name: str
    """python, alembic, sqlalchemy, driver or postgres"""
    version: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of an earlier run, with which the replay began; without a revision, it began from scratch."""

    revision: str = ""
    """the newest that had run then"""
    revisions: int = 0
    """how many had run"""


@dataclass(frozen=True)
class Replay:
    """Everything that one run of the project's history showed."""

    history: History = field(default_factory=History)
    steps: tuple[Step, ...] = ()
    failure: Failure | None = None
    """the error that ended it before the target"""
    ddl_commands: tuple[DdlCommand, ...] = ()
    skipped_creations: tuple[SkippedCreation, ...] = ()
    caught_errors: tuple[CaughtError, ...] = ()
    arrived_heads: tuple[str, ...] = ()
    """the heads in the version table of our server"""
    version_tables: tuple[str, ...] = ()
    contexts: tuple[MigrationContext, ...] = ()
    skipped_contexts: int = 0
    """that env.py configured, and did not run"""
    started_from: str = ""
    """what the settings have done before the first revision: `start_from`, `prepare`"""
    step_keywords: tuple[StepKeywords, ...] = ()
    """none if env.py gives the revisions none"""
    database: str = ""
    """`host:port/database` of the one that was judged, where env.py migrates several"""
    connections: tuple[Connection, ...] = ()
    model_statements: tuple[ModelStatement, ...] = ()
    """what was built from the models while the history ran"""
    catalog: Snapshot = field(default_factory=Snapshot)
    models: Models = field(default_factory=Models)
    differences: tuple[Difference, ...] = ()
    server_differences: tuple[ServerDifference, ...] = ()
    """from the same history on other servers, where `postgres:` names several"""
    drift_revision: DriftRevision | None = None
    """None if nothing differs, or nothing can be removed"""
    versions: tuple[SoftwareVersion, ...] = ()
    notes: tuple[str, ...] = ()
    """what a reader should know: a swapped dialect, dummy settings, a missing layer of protection"""
    unchecked: tuple[Unchecked, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    failed_statements: tuple[Statement, ...] = ()
    """what the revision that failed had run, with the statement that failed"""
    available_extensions: tuple[str, ...] = ()
    """that the server could create; asked for where a revision failed"""
    null_trials: tuple[NullTrial, ...] = ()
    """of owner columns"""
    ownership_trials: tuple[OwnershipTrial, ...] = ()
    """of owner columns, too: with rows in the tables themselves"""
    changed_files: tuple[str, ...] = ()
    """that the change adds or edits, relative to the repository; none if there is no base"""
    changed_lines: tuple[ChangedFile, ...] = ()
    """of these files, as far as git shows them: none of a file that is no text"""
    rollback_scope: RollbackScope = "change"
    """whose downgrades were wanted"""
    rollbacks: tuple[RevisionRollback, ...] = ()
    """of the change's revisions, or of all, in the order of the replay"""
    observation: Observation = field(default_factory=Observation)
    """what the looked-at revisions did to what stood before"""
    rehearsal: Rehearsal = field(default_factory=Rehearsal)
    """what the new revisions did to rows"""
    output: str = ""
    """the end of what the project's code printed"""
    stage_times: tuple[StageTime, ...] = ()
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    """where the replay began"""

    @property
    def is_complete(self) -> bool:
        """Whether the history was read, and ran to its end: otherwise what was not seen says nothing."""
        return self.failure is None and self.history.error is None

    def find_step(self, revision: str) -> Step | None:
        """The first step that ran `revision`, if it was run."""
        return next((step for step in self.steps if step.revision == revision), None)

    def find_revision_of_step(self, number: int) -> str | None:
        """The id of the revision that step `number` ran; None for what ran before the first revision."""
        step = self._steps_by_number.get(number)
        return step.revision if step is not None else None

    def find_step_by_number(self, number: int) -> Step | None:
        """The step of that number, if it ran to its end."""
        return self._steps_by_number.get(number)

    def find_version(self, name: str) -> str:
        """The version of `python`, `postgres`...; empty if it is not known."""
        return next((software.version for software in self.versions if software.name == name), "")

    @property
    def postgres_version(self) -> str:
        """The server's version, `17.12`, without where it is from; empty if it is not known."""
        description = self.find_version("postgres")
        match = re.search(r"PostgreSQL (\d[\w.]*)", description) or re.search(r"(\d[\w.]*)", description)
        return match[1] if match else ""

    def find_null_trial(self, column: Column) -> NullTrial | None:
        """What was tried with the column; None if nothing but NOT NULL has a say."""
        key = (column.schema, column.table, column.name)
        trials = (trial for trial in self.null_trials if (trial.schema, trial.table, trial.column) == key)
        return next(trials, None)

    def find_ownership_trial(self, column: Column) -> OwnershipTrial | None:
        """What was tried with rows and their owners; None if nothing was."""
        key = (column.schema, column.table, column.name)
        trials = (
            trial for trial in self.ownership_trials if (trial.schema, trial.table, trial.column) == key
        )
        return next(trials, None)

    def find_changed_line(self, location: Location) -> int | None:
        """The first line of what is at a location that the change has; None if it has none."""
        file = self._changed_lines_by_file.get(location.file)
        return file.find_line(location) if file is not None else None

    def find_rollback(self, revision: str | None) -> RevisionRollback | None:
        """What came of the downgrade of the revision, if it was wanted and the history ran."""
        return next((rollback for rollback in self.rollbacks if rollback.revision == revision), None)

    def commands_on(self, oid: int) -> tuple[DdlCommand, ...]:
        """The DDL commands on the object with that oid, in their order."""
        return self._commands_by_oid.get(oid, ())

    def commands_on_named(self, schema: str, name: str) -> tuple[DdlCommand, ...]:
        """The DDL commands on every table, sequence, view or type that ever had the name, in their order."""
        oids = self.find_oids(schema, name)
        if len(oids) == 1:
            return self.commands_on(*oids)
        positions = sorted(position for oid in oids for position in self._positions_by_oid[oid])
        return tuple(self.ddl_commands[position] for position in positions)

    def find_oids(self, schema: str, name: str) -> Collection[int]:
        """Those of every table, sequence, view or type that ever had the name."""
        return self._oids_by_name.get((schema, name), ())

    def find_states(self, schema: str, name: str, step: int, query: str) -> StatementStates:
        """What a statement of the step made of the table that has, or once had, the name."""
        return self.table_histories.find_states(self.find_oids(schema, name), step, query)

    @cached_property
    def table_histories(self) -> TableHistories:
        """The states of all tables that the DDL log has."""
        return TableHistories(self.ddl_commands)

    @cached_property
    def _changed_lines_by_file(self) -> Mapping[str, ChangedFile]:
        return {file.path: file for file in self.changed_lines}

    @cached_property
    def _steps_by_number(self) -> Mapping[int, Step]:
        return {step.number: step for step in reversed(self.steps)}

    @cached_property
    def _oids_by_name(self) -> Mapping[tuple[str, str], set[int]]:
        oids: dict[tuple[str, str], set[int]] = defaultdict(set)
        for command in self.ddl_commands:
            state = command.table or command.object
            if state is not None:
                oids[state.schema, state.name].add(command.oid)
        return oids

    @cached_property
    def _commands_by_oid(self) -> Mapping[int, tuple[DdlCommand, ...]]:
        commands = self.ddl_commands
        return {
            oid: tuple(commands[position] for position in positions)
            for oid, positions in self._positions_by_oid.items()
        }

    @cached_property
    def _positions_by_oid(self) -> Mapping[int, Sequence[int]]:
        positions: dict[int, list[int]] = defaultdict(list)
        for position, command in enumerate(self.ddl_commands):
            positions[command.oid].append(position)
        return dict(positions)
