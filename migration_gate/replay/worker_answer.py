"""The worker's answer: what its lines say, as facts.

    reader = AnswerReader(root, lines)     # any number of lines, also while the worker still writes
    reader.steps(), reader.models(), …     # facts, with paths relative to `root`

Lines are the dataclasses of `worker/protocol/`; `answer_lines.py` has validated them. How one of them
becomes a fact stands in `history_facts.py`, `step_facts.py`, `failure_facts.py` and `model_facts.py`.
Nothing in here reads a file or a database.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from migration_gate.facts import (
    Connection,
    CursorStatement,
    Failure,
    History,
    MigrationContext,
    Models,
    ModelStatement,
    SoftwareVersion,
    Statement,
    Step,
    StepKeyword,
    StepKeywords,
    Unchecked,
)
from migration_gate.lazy_dataclass import dataclass
from migration_gate.replay.failure_facts import FailureBuilder
from migration_gate.replay.history_facts import build_history
from migration_gate.replay.model_facts import build_model_statement, build_models
from migration_gate.replay.repository_paths import RepositoryPaths
from migration_gate.replay.step_facts import build_cursor_statement, build_statements, build_step
from migration_gate.scan.revision_files import RevisionSource
from migration_gate.worker.protocol import Line
from migration_gate.worker.protocol.history_lines import (
    ContextConfigured,
    ContextFinished,
    EarlierRevisionsRan,
    HistoryFinished,
    HistoryRead,
    RevisionsPlanned,
    ScriptsFound,
)
from migration_gate.worker.protocol.model_lines import ModelDdlFound, ModelsCreated
from migration_gate.worker.protocol.project_requests import (
    ConnectionRequested,
    DatabasesFound,
    MissingSetting,
    SettingSupplied,
)
from migration_gate.worker.protocol.run_lines import (
    FailedStage,
    Note,
    ObservationFailed,
    RunFailed,
    WorkerStarted,
)
from migration_gate.worker.protocol.step_lines import StepFinished, StepStarted

REPORT_ADVICE = "Report this to the authors of Migration Gate"
AnyLine = TypeVar("AnyLine", bound=Line)


@dataclass(frozen=True, slots=True)
class StoppedRun:
    """Where the project's code failed, and how."""

    stage: FailedStage
    failure: Failure
    missing: tuple[MissingSetting, ...] = ()
    """what was asked for in vain"""


class AnswerReader:
    """What the lines of an answer say, as facts."""

    def __init__(self, root: Path, lines: Sequence[Line]) -> None:
        """`root`: files in it are named relative to it."""
        self._lines = lines
        self._paths = RepositoryPaths(root)
        history = self._find_first(HistoryRead)
        revision_files = {script.id: script.file for script in history.revisions} if history else {}
        self.failures = FailureBuilder(self._paths, revision_files)
        self._steps: tuple[Step, ...] | None = None

    def _find_all(self, kind: type[AnyLine]) -> Iterator[AnyLine]:
        return (line for line in self._lines if isinstance(line, kind))

    def _find_first(self, kind: type[AnyLine]) -> AnyLine | None:
        return next(self._find_all(kind), None)

    def scripts(self) -> ScriptsFound | None:
        """The folders of the revisions and of env.py; None if the project's configuration did not load."""
        return self._find_first(ScriptsFound)

    def contexts(self) -> tuple[ContextFinished, ...]:
        """The contexts of env.py that ran to their end."""
        return tuple(self._find_all(ContextFinished))

    def migration_contexts(self) -> tuple[MigrationContext, ...]:
        """Every context that began, in its order."""
        schemas = {line.number: line.default_schema for line in self.contexts()}
        return tuple(
            MigrationContext(
                line.number,
                line.starting_heads,
                line.has_metadata,
                schemas.get(line.number, line.default_schema),
            )
            for line in self._find_all(ContextConfigured)
        )

    def skipped_contexts(self) -> int:
        """How many contexts env.py configured, and did not run."""
        finished = self._find_first(HistoryFinished)
        return finished.skipped_contexts if finished is not None else 0

    def step_keywords(self) -> tuple[StepKeywords, ...]:
        """What env.py gives to the functions of the revisions, if it gives anything."""
        if self._find_first(HistoryFinished) is None:
            return ()
        # What an earlier run has seen stands in its own line.
        lines = (line for line in self._lines if isinstance(line, EarlierRevisionsRan | HistoryFinished))
        calls = dict.fromkeys(call for line in lines for call in line.step_keywords)
        return tuple(
            StepKeywords(tuple(StepKeyword(word.name, word.value) for word in call.keywords), call.is_judged)
            for call in calls
        )

    def begun_steps(self) -> Mapping[int, str]:
        """The revisions that began to run, by the numbers of their steps."""
        return {line.number: line.revision for line in self._find_all(StepStarted)}

    def notes(self) -> tuple[str, ...]:
        """What the worker and the sandbox want a reader of the report to know."""
        return tuple(line.text for line in self._find_all(Note))

    def unchecked(self) -> tuple[Unchecked, ...]:
        """What the worker could not see, because something of its own failed in the project's calls."""
        return tuple(
            Unchecked(line.what, f"it failed, by no fault of the project's: {line.error}", REPORT_ADVICE)
            for line in self._find_all(ObservationFailed)
        )

    def supplied_settings(self) -> tuple[SettingSupplied, ...]:
        """What the project failed for the want of, and got a dummy value for."""
        return tuple(self._find_all(SettingSupplied))

    def found_databases(self) -> DatabasesFound | None:
        """The databases that env.py migrates, if the gate did not know that there are several."""
        return self._find_first(DatabasesFound)

    def heads(self) -> tuple[str, ...]:
        """Of the history; none if it was not read."""
        graph = self._find_first(HistoryRead)
        return graph.heads if graph is not None else ()

    def version_tables(self) -> tuple[str, ...]:
        """`schema.name` of each, in the order of the contexts."""
        finished = {line.number: line for line in self.contexts()}
        contexts = [finished.get(line.number, line) for line in self._find_all(ContextConfigured)]
        return tuple(dict.fromkeys(_name_version_table(line) for line in contexts))

    def versions(self) -> tuple[SoftwareVersion, ...]:
        """Of the interpreter, Alembic and SQLAlchemy, and the driver that was used, or else could be."""
        started = self._find_first(WorkerStarted)
        versions: list[SoftwareVersion] = []
        drivers = [line.driver for line in self._find_all(ContextConfigured)]
        if started is not None:
            versions += (
                SoftwareVersion("python", started.python),
                SoftwareVersion("alembic", started.alembic),
                SoftwareVersion("sqlalchemy", started.sqlalchemy),
            )
            drivers += started.drivers
        if drivers:
            versions.append(SoftwareVersion("driver", drivers[0]))
        return tuple(versions)

    def connections(self) -> tuple[Connection, ...]:
        """What the project asked for."""
        return tuple(
            Connection(line.dialect, line.driver, line.address, line.intercepted_by, line.outcome)
            for line in self._find_all(ConnectionRequested)
        )

    # The history.

    def history(self, target: tuple[str, ...], files: Sequence[RevisionSource]) -> History:
        """The revision graph, in the order of the replay if there is one, with the revision files."""
        return build_history(
            self._find_first(HistoryRead) or HistoryRead((), (), ()),
            files,
            plans=tuple(self._find_all(RevisionsPlanned)),
            scripts=self.scripts(),
            target=target,
            error=self.history_error(),
            paths=self._paths,
        )

    def history_error(self) -> Failure | None:
        """Why Alembic could not read the revisions."""
        graph = self._find_first(HistoryRead)
        if graph is None or graph.error is None:
            return None
        return self.failures.build_failure(graph.error, None)

    # The steps.

    def has_finished_steps(self) -> bool:
        """Whether a revision ran to its end."""
        return self._find_first(StepFinished) is not None

    def steps(self) -> tuple[Step, ...]:
        """Every step that ran to its end by now. They are built once: they hold whole catalogs."""
        if self._steps is None:
            lines = self._find_all(StepFinished)
            tables = self.version_tables()
            self._steps = tuple(build_step(line, tables, self.failures) for line in lines)
        return self._steps

    # Failures.

    def failure(self) -> StoppedRun | None:
        """Where and how the run ended early; None if it did not."""
        line = self._find_first(RunFailed)
        if line is None:
            return None
        failure = self.failures.build_failure(line.error, line.revision, line.line)
        if failure.statement is None and failure.sqlstate and line.statements:
            # A driver's own exception does not hold the statement: it is the one that ran last.
            failure = dataclasses.replace(failure, statement=line.statements[-1].sql)
        if line.first_error is not None:
            first_error = self.failures.build_failure(line.first_error, line.revision)
            failure = dataclasses.replace(failure, first_error=first_error)
        return StoppedRun(line.stage, failure, line.missing)

    def failed_statements(self) -> tuple[Statement, ...]:
        """What the revision that failed had run; nothing if none failed."""
        line = self._find_first(RunFailed)
        if line is None or line.revision is None:
            return ()
        return build_statements(line.statements, line.revision, self.failures)

    def cursor_statements(self) -> Mapping[int, tuple[CursorStatement, ...]]:
        """What drivers' own cursors ran, by the number of the step; of the one that failed, too."""
        found = {step.number: step.cursor_statements for step in self.steps()}
        line = self._find_first(RunFailed)
        numbers = [number for number, revision in self.begun_steps().items() if number not in found]
        if line is not None and numbers:
            found[numbers[-1]] = tuple(map(build_cursor_statement, line.cursor_statements))
        return found

    # The models.

    def models(self) -> Models:
        """What env.py gave as target_metadata, without the snapshot of the database that it made."""
        return build_models(
            self._find_first(ModelsCreated) or ModelsCreated(0, ()),
            scripts=self.scripts(),
            version_tables=self.version_tables(),
            paths=self._paths,
        )

    def has_created_models(self) -> bool:
        """Whether there is a database with the tables of the models."""
        created = self._find_first(ModelsCreated)
        return created is not None and bool(created.tables) and self._find_first(RunFailed) is None

    def model_statements(self) -> tuple[ModelStatement, ...]:
        """What was built from the models while the history ran."""
        return tuple(
            build_model_statement(statement, self._paths)
            for line in self._find_all(ModelDdlFound)
            for statement in line.statements
        )


def _name_version_table(context: ContextConfigured | ContextFinished) -> str:
    return f"{context.version_table_schema or context.default_schema}.{context.version_table}"
