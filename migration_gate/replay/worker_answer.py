"""The worker's answer: its lines, validated as they come in, and what they say as facts.

    line = parse_line(data)                # raises AnswerCorrupted
    reader = AnswerReader(root, lines)     # any number of lines, also while the worker still writes
    reader.steps(), reader.models(), …     # facts, with paths relative to `root`

Lines are the dataclasses of `worker/protocol.py`; `match line: case StepStarted(): …` tells them apart.
Nothing in here reads a file or a database.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Discriminator, TypeAdapter, ValidationError

from migration_gate.catalog.snapshot_reader import parse_snapshot
from migration_gate.errors import AnswerCorrupted
from migration_gate.facts import (
    AlembicDifference,
    Connection,
    DeclaredOperation,
    Failure,
    FilteredObject,
    History,
    ImportedModule,
    Location,
    MigrationContext,
    MissingParent,
    ModelLocation,
    ModelObject,
    Models,
    ModelStatement,
    Revision,
    RevisionFile,
    Snapshot,
    SoftwareVersion,
    Statement,
    Step,
    StepKeyword,
    StepKeywords,
    TransactionBoundary,
    Unchecked,
    UncreatedObject,
)
from migration_gate.scan.revision_files import RevisionSource
from migration_gate.worker import protocol
from migration_gate.worker.protocol import (
    ConnectionRequested,
    ContextConfigured,
    ContextFinished,
    DatabasesFound,
    ErrorReport,
    ExecutedStatement,
    FailedStage,
    Frame,
    HistoryFinished,
    HistoryRead,
    Line,
    MissingSetting,
    ModelDdl,
    ModelDdlFound,
    ModelsCreated,
    Note,
    ObservationFailed,
    RevisionScript,
    RevisionsPlanned,
    RunFailed,
    ScriptsFound,
    SettingSupplied,
    StepFinished,
    UncreatedPart,
    WorkerStarted,
)

REPORT_ADVICE = "Report this to the authors of Migration Gate"
SHOWN_BYTES = 400
"""of a line that cannot be understood"""
AnyLine = TypeVar("AnyLine", bound=Line)


ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""a NUL character in JSON: Postgres and the file system refuse it in names, paths and texts"""


@cache
def _line_adapter() -> TypeAdapter[Line]:
    """Built at the first line: it takes some 10 ms, which `--help` need not wait for."""
    line_types = Annotated[Line, Discriminator("kind")]
    return TypeAdapter(line_types, config={"strict": True, "allow_inf_nan": False})


@cache
def _snapshot_adapter() -> TypeAdapter[Snapshot]:
    """Built where the first snapshot arrives."""
    return TypeAdapter(Snapshot)


def parse_line(data: bytes) -> Line:
    """One line of the answer. Raises AnswerCorrupted where it is none that the worker writes."""
    try:
        line = _line_adapter().validate_json(ESCAPED_NUL.sub(rb"\1\\ufffd", data))
    except ValidationError as error:
        raise corrupted_answer(_describe_problem(error), data) from None
    for text in _list_catalogs(line):
        if text is not None:
            _demand_catalog(text)
    return line


def _list_catalogs(line: Line) -> tuple[str | None, ...]:
    """The catalogs as JSON that the line has."""
    match line:
        case StepFinished():
            return (line.before, line.after)
        case ModelsCreated():
            return (line.declared_catalog, line.restored_catalog)
        case _:
            return ()


def _demand_catalog(text: str) -> None:
    """Raise AnswerCorrupted where the text is no snapshot: each field of each row is checked."""
    try:
        _snapshot_adapter().validate_json(text, strict=True)
        parse_snapshot(text)
    except (ValueError, RecursionError):  # (pydantic's ValidationError is a ValueError)
        raise corrupted_answer("a snapshot is not a catalog", text.encode()) from None


def corrupted_answer(problem: str, data: bytes) -> AnswerCorrupted:
    """The error for a piece of the answer that the worker cannot have sent."""
    return AnswerCorrupted(
        f"The project's code wrote on the gate's pipe: {problem}.",
        advice="The worker sends what happens through a file descriptor of its own in the project's process. "
        "Look in env.py, in the migrations and in what they import for code that writes to a descriptor "
        "which it has not opened itself (`os.write`, `os.fdopen`, a loop over all descriptors), and have it "
        "use its own files, or sys.stdout.",
        evidence=data[:SHOWN_BYTES].decode("utf-8", "replace"),
    )


def _describe_problem(error: ValidationError) -> str:
    """What is wrong with a line, by the first thing that pydantic complains about."""
    problem = error.errors(include_url=False, include_input=False)[0]
    if problem["type"] == "json_invalid":
        return "a line of the worker's answer is not JSON"
    if not problem["loc"]:
        return "a line of the worker's answer is of no kind that the worker writes"
    kind, *path = (str(part) for part in problem["loc"])
    field = f"the field `{'.'.join(path)}` " if path else ""
    return f"in a line of kind `{kind}`, {field}is wrong ({problem['msg'].lower()})"


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
        self._root = root.resolve()
        self._lines = lines
        history = self._find_first(HistoryRead)
        self._revision_files = {script.id: script.file for script in history.revisions} if history else {}

    def _find_all(self, kind: type[AnyLine]) -> Iterator[AnyLine]:
        return (line for line in self._lines if isinstance(line, kind))

    def _find_first(self, kind: type[AnyLine]) -> AnyLine | None:
        return next(self._find_all(kind), None)

    def scripts(self) -> ScriptsFound | None:
        """The folders of the revisions and of env.py; None where the project's configuration did not load."""
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
        """What env.py gives to the functions of the revisions, where it gives anything."""
        finished = self._find_first(HistoryFinished)
        return tuple(
            StepKeywords(
                tuple(StepKeyword(keyword.name, keyword.value) for keyword in call.keywords), call.is_judged
            )
            for call in (finished.step_keywords if finished is not None else ())
        )

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
        """The databases that env.py migrates, where the gate did not know that there are several."""
        return self._find_first(DatabasesFound)

    def heads(self) -> tuple[str, ...]:
        """Of the history; none where it was not read."""
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
        versions: dict[str, str] = {}
        if started is not None:
            versions |= {
                "python": started.python,
                "alembic": started.alembic,
                "sqlalchemy": started.sqlalchemy,
            }
        drivers = [line.driver for line in self._find_all(ContextConfigured)]
        if started is not None:
            drivers += started.drivers
        if drivers:
            versions["driver"] = drivers[0]
        return tuple(SoftwareVersion(name, version) for name, version in versions.items())

    def connections(self) -> tuple[Connection, ...]:
        """What the project asked for."""
        return tuple(
            Connection(line.dialect, line.driver, line.address, line.intercepted_by, line.outcome)
            for line in self._find_all(ConnectionRequested)
        )

    # The history.

    def history(self, target: tuple[str, ...], files: Sequence[RevisionSource]) -> History:
        """The revision graph, in the order of the replay where there is one, with the revision files."""
        graph = self._find_first(HistoryRead) or HistoryRead((), (), ())
        loaded_files = {self._relative_path(script.file) for script in graph.revisions}
        return History(
            revisions=tuple(
                self._build_revision(script) for script in self._in_replay_order(graph.revisions)
            ),
            heads=tuple(dict.fromkeys(graph.heads)),  # a duplicate id is listed twice
            bases=tuple(dict.fromkeys(graph.bases)),
            files=tuple(
                # What Alembic loads of a history that it cannot read is not known.
                _with_loading(source.file, graph.error is not None or source.file.path in loaded_files)
                for source in files
            ),
            locations=tuple(self._relative_path(folder) for folder in self._script_locations()),
            target=target,
            error=self.history_error(),
            missing_parents=_missing_parents(files) if graph.error is not None else (),
        )

    def _script_locations(self) -> tuple[str, ...]:
        scripts = self.scripts()
        return scripts.locations if scripts is not None else ()

    def history_error(self) -> Failure | None:
        """Why Alembic could not read the revisions."""
        graph = self._find_first(HistoryRead)
        if graph is None or graph.error is None:
            return None
        return self._build_failure(graph.error, None)

    def _in_replay_order(self, scripts: Sequence[RevisionScript]) -> list[RevisionScript]:
        """Those that did not run come last, oldest first. `scripts` are newest first."""
        planned = (revision for line in self._find_all(RevisionsPlanned) for revision in line.revisions)
        rank = {revision: number for number, revision in enumerate(planned)}
        oldest_first = scripts[::-1]
        return sorted(oldest_first, key=lambda script: rank.get(script.id, len(rank)))

    def _build_revision(self, script: RevisionScript) -> Revision:
        return Revision(
            id=script.id,
            parents=script.parents,
            message=script.message,
            location=Location(self._relative_path(script.file), script.line),
            depends_on=script.depends_on,
            labels=script.labels,
        )

    # The steps.

    def has_finished_steps(self) -> bool:
        """Whether a revision ran to its end."""
        return any(True for _ in self._find_all(StepFinished))

    def steps(self) -> tuple[Step, ...]:
        """Every step that ran to its end."""
        version_tables = self.version_tables()
        return tuple(self._build_step(line, version_tables) for line in self._find_all(StepFinished))

    def _build_step(self, line: StepFinished, version_tables: Sequence[str]) -> Step:
        return Step(
            number=line.number,
            revision=line.revision,
            seconds=line.seconds,
            statements=tuple(
                self._build_statement(statement, line.revision) for statement in line.statements
            ),
            transactions=tuple(
                TransactionBoundary(boundary.name, boundary.statements_before)
                for boundary in line.transactions
            ),
            in_transaction=line.in_transaction,
            context=line.context,
            before=_parse_snapshot_text(line.before, version_tables),
            after=_parse_snapshot_text(line.after, version_tables),
            dropped_statements=line.dropped_statements,
            unrecorded_statements=line.unrecorded_statements,
        )

    def _build_statement(self, statement: ExecutedStatement, revision: str) -> Statement:
        error = self._build_failure(statement.error, revision) if statement.error is not None else None
        return Statement(
            sql=statement.sql,
            seconds=statement.seconds,
            line=statement.line,
            rows=statement.rows,
            error=error,
            in_migration_transaction=statement.in_migration_transaction,
        )

    # Failures.

    def failure(self) -> StoppedRun | None:
        """Where and how the run ended early; None where it did not."""
        line = self._find_first(RunFailed)
        if line is None:
            return None
        failure = self._build_failure(line.error, line.revision, line.line)
        if failure.statement is None and failure.sqlstate and line.statements:
            failure = dataclasses.replace(failure, statement=line.statements[-1].sql)
        if line.first_error is not None:
            first = self._build_failure(line.first_error, line.revision)
            failure = dataclasses.replace(failure, first_error=first)
        return StoppedRun(line.stage, failure, line.missing)

    def failed_statements(self) -> tuple[Statement, ...]:
        """What the revision that failed had run; nothing where none failed."""
        line = self._find_first(RunFailed)
        if line is None or line.revision is None:
            return ()
        revision = line.revision
        return tuple(self._build_statement(statement, revision) for statement in line.statements)

    def _build_failure(self, error: ErrorReport, revision: str | None, line: int | None = None) -> Failure:
        """The error as a fact; `line` is that of the revision's file, where no frame says so."""
        frames = [dataclasses.replace(frame, file=self._relative_path(frame.file)) for frame in error.frames]
        return Failure(
            message=error.message,
            exception_class=error.exception_class,
            sqlstate=error.sqlstate,
            detail=error.detail,
            hint=error.hint,
            statement=error.statement or None,
            revision=revision,
            location=self._locate_failure(frames, revision, line or error.line),
            traceback=tuple(f"{frame.file}:{frame.line} in {frame.function}" for frame in frames),
        )

    def _locate_failure(
        self, frames: Sequence[Frame], revision: str | None, line: int | None
    ) -> Location | None:
        """In the revision's file where one ran, else the innermost frame of the project's own."""
        if revision is not None and revision in self._revision_files:
            file = self._relative_path(self._revision_files[revision])
            lines_of_file = [frame.line for frame in frames if frame.file == file]
            return Location(file, lines_of_file[-1] if lines_of_file else line)
        if not frames:
            return None
        own_frames = [frame for frame in frames if "/site-packages/" not in frame.file]
        innermost = (own_frames or frames)[-1]
        return Location(innermost.file, innermost.line)

    # The models.

    def models(self) -> Models:
        """What env.py gave as target_metadata, without the snapshot of the database that it made."""
        created = self._find_first(ModelsCreated) or ModelsCreated(0, ())
        version_tables = self.version_tables()
        scripts = self.scripts()
        return Models(
            tables=created.tables,
            metadatas=created.metadatas,
            uncreated_objects=tuple(_build_uncreated_object(part) for part in created.uncreated),
            filtered_objects=_build_filtered_objects(created.filtered),
            alembic_differences=tuple(
                AlembicDifference(difference.operation, difference.table, difference.text)
                for difference in created.alembic_differences
            ),
            locations=tuple(
                ModelLocation(mapped.table, Location(self._relative_path(mapped.file), mapped.line))
                for mapped in created.mapped_classes
            ),
            imported_modules=tuple(
                ImportedModule(module.name, self._relative_path(module.file))
                for module in created.imported_modules
            ),
            environment_file=self._relative_path(f"{scripts.folder}/env.py") if scripts is not None else None,
            reflected_tables=created.reflected_tables,
            lost_tables=created.lost_tables,
            disabled_triggers=created.disabled_triggers,
            dismissed_objects=_build_filtered_objects(created.dismissed),
            declared_operations=tuple(
                DeclaredOperation(operation.label, operation.upgrade, operation.downgrade, operation.error)
                for operation in created.declared
            ),
            declared_snapshot=_parse_snapshot_text(created.declared_catalog, version_tables),
            restored_snapshot=_parse_snapshot_text(created.restored_catalog, version_tables),
            problems=tuple(Unchecked(problem.object, problem.why) for problem in created.problems),
        )

    def model_statements(self) -> tuple[ModelStatement, ...]:
        """What was built from the models while the history ran."""
        return tuple(
            self._build_model_statement(statement)
            for line in self._find_all(ModelDdlFound)
            for statement in line.statements
        )

    def _build_model_statement(self, statement: ModelDdl) -> ModelStatement:
        frame = statement.frame
        return ModelStatement(
            step=statement.step,
            revision=statement.revision,
            stage=statement.stage,
            objects=tuple(ModelObject(item.kind, item.name, item.source) for item in statement.objects),
            is_executed=statement.is_executed,
            location=Location(self._relative_path(frame.file), frame.line) if frame is not None else None,
            code=statement.code,
            traceback=tuple(self._describe_frame(frame) for frame in statement.frames),
        )

    def _describe_frame(self, frame: Frame) -> str:
        return f"{self._relative_path(frame.file)}:{frame.line} in {frame.function}"

    def _relative_path(self, text: str) -> str:
        """Relative to the root where it is in it."""
        path = Path(text)
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else str(path)


def _build_filtered_objects(items: Sequence[protocol.FilteredObject]) -> tuple[FilteredObject, ...]:
    return tuple(
        FilteredObject(item.kind, item.schema, item.table, item.name or "", item.option, item.is_flagged)
        for item in items
    )


def _name_version_table(context: ContextConfigured | ContextFinished) -> str:
    return f"{context.version_table_schema or context.default_schema}.{context.version_table}"


def _parse_snapshot_text(text: str | None, version_tables: Sequence[str]) -> Snapshot | None:
    if text is None:
        return None
    return parse_snapshot(text, version_tables=version_tables)


def _with_loading(file: RevisionFile, is_loaded: bool) -> RevisionFile:
    reason = None if is_loaded else "Alembic does not load it from there"
    return dataclasses.replace(file, is_loaded=is_loaded, not_loaded_because=reason)


def _missing_parents(files: Sequence[RevisionSource]) -> tuple[MissingParent, ...]:
    """Parents and dependencies that are in no file. The beginning of an id is enough, as for Alembic."""
    known = [source.file.revision for source in files if source.file.revision]
    return tuple(
        MissingParent(source.file.revision, parent)
        for source in files
        for parent in (*source.file.parents, *source.depends_on)
        if source.file.revision and not _is_known(parent, known)
    )


def _is_known(parent: str, known: Sequence[str]) -> bool:
    return "@" in parent or any(revision.startswith(parent) for revision in known)


def _build_uncreated_object(part: UncreatedPart) -> UncreatedObject:
    return UncreatedObject(
        object=part.label,
        message=part.message,
        compared_by_alembic=part.compared_by_alembic,
        table=part.table,
        kind=part.kind,
        name=part.name,
        columns=part.columns,
    )
