"""Carries out one order, in reading order: start, prepare, import, replay, models, done."""

from __future__ import annotations

import os
from typing import Any, Callable, Optional

from .answer_stream import AnswerStream, OrderStream
from .attempts import Attempt, run_attempts
from .cursor_calls import CursorCalls
from .dialect_choice import DialectChoice
from .driver_patches import install_driver_patches
from .error_report import describe_error
from .import_hooks import ImportHooks
from .listener_guard import ABORTED_TRANSACTION, GateFailed, ListenerGuard
from .local_settings import LocalSettings
from .model_ddl import OBSERVATION, ModelDdlObserver
from .models_database import ModelsDatabase
from .models_run import ModelsRun
from .own_upgrades import OwnUpgrades, identify_history
from .pool_guard import install_pool_guard
from .prepare_commands import run_prepare_command
from .process_attributes import close_memory, open_memory
from .project_config import ProjectConfig, load_project_config
from .protocol.history_lines import HistoryFinished
from .protocol.model_lines import ModelDdlFound
from .protocol.order import Order, RunsRequest
from .protocol.reported_error import ErrorReport
from .protocol.run_lines import (
    DatabaseUsed,
    FailedStage,
    InterpreterEnded,
    Note,
    RunFailed,
    Stage,
    StageStarted,
)
from .redirection import Redirection
from .required_packages import report_packages
from .retry_decision import RetryDecision
from .revision_runs import RevisionRuns
from .script_history import ScriptHistory
from .several_databases import SeveralDatabases
from .stack_dumps import enable_stack_dumps
from .state_keeping import StateKeeper
from .statement_observation import StatementObservation
from .statement_recorder import StatementRecorder
from .step_pipeline import StepPipeline
from .step_record import StepRecord
from .upgrade import HistoryUpgrade
from .used_files import FilesUsed, UsedFiles


class Session:
    """One order, and how far it has come: that is what the report of a failure says."""

    def __init__(self, order: Order, orders: OrderStream, answer: AnswerStream) -> None:
        self._order = order
        self._orders = orders
        self._answer = answer
        self._home = os.getcwd()
        self._stage: FailedStage = "import"
        self._notes: list[Note] = []
        creates_models = order.task == "models"
        database = order.models_database if creates_models else order.database
        self._redirection = Redirection(order.server, database, answer)
        self._models_run = ModelsRun(order, orders, self._redirection, answer) if creates_models else None
        self._guard = ListenerGuard()
        self._local_settings = LocalSettings()
        observation = StatementObservation(
            self._guard, self._redirection, self._local_settings, is_own_server=bool(order.server.token)
        )
        self._recorder = StatementRecorder(self._home, self._guard, observation, self._local_settings)
        self._model_ddl = ModelDdlObserver(self._home, self._guard)
        self._upgrade: Optional[HistoryUpgrade] = None
        self._files_used = FilesUsed()
        if order.keeps_facts and not creates_models:
            self._files_used.watch()
        self._pipeline = StepPipeline(answer)
        self._keeper = StateKeeper(order, answer, orders, self._guard, self._local_settings)
        self._databases = SeveralDatabases(order, self._redirection, answer, self._guard)
        self._own_upgrades = OwnUpgrades(self._redirection, self._home)
        self._retries = RetryDecision(answer, orders, self._redirection, self._guard)

    def run(self) -> int:
        """Every stage; the status to end with. The first error ends it, and is reported."""
        try:
            if not self._prepare_interpreter():
                return 0
            self._run_prepare_commands()
        except BaseException as error:  # a sys.exit of the user's code too
            self._send_failure(error)
            return 0
        close_memory()
        end = run_attempts(self._run_attempt, self._restore_database)
        if not end.is_finished and self._models_run is None:
            os._exit(end.status)  # without the last line: the project's code ended the interpreter
        if not end.is_finished:  # with it: a daemon of the project's may hold the pipe open
            self._answer.send(InterpreterEnded(end.status))
            return 0
        return end.status

    def _run_attempt(self, attempt: Attempt) -> None:
        """In a process of its own: import the project and replay it, or ask for another attempt."""
        if self._models_run is None:
            open_memory()
        enable_stack_dumps()
        self._answer.hold()
        self._retries.begin(attempt)
        try:
            self._run_history()
            self._answer.release()
            self._retries.send_supplied()
            self._send_notes()
        except BaseException as error:  # a sys.exit of the project's code too
            self._retries.retry_after(error)
            self._answer.release()
            self._retries.send_supplied()
            self._send_notes()
            self._send_model_ddl()
            self._send_failure(error)

    def _restore_database(self) -> None:
        """Have the database as it was before the first attempt: one that failed may have committed something.

        The copy for the models has what the history's own attempts left there.
        """
        if self._order.task not in ("replay", "trial"):
            return
        self._answer.send(DatabaseUsed())
        self._orders.await_restored_database()
        for command in self._order.prepare:
            run_prepare_command(command)

    def _prepare_interpreter(self) -> bool:
        """Install what has to be there before the project is imported; False if a package is missing."""
        imports = ImportHooks(self._guard)
        imports.install()
        install_driver_patches(self._redirection, imports)
        CursorCalls(self._note_cursor_call).install(imports)
        if not report_packages(self._answer):
            return False
        self._redirection.install()
        if self._models_run is not None:
            self._models_run.install()
            self._models_run.is_other_database = self._databases.is_other
        elif self._order.task == "replay":
            self._model_ddl.install()
            install_pool_guard()
        DialectChoice(self._redirection).install(imports)
        self._retries.install(imports)
        self._own_upgrades.install(imports)
        return True

    def _note_cursor_call(self, sql: str) -> Optional[Callable[[], None]]:
        self._pipeline.leave()
        return self._recorder.note_cursor_call(sql)

    def _watch_environment(self, environment: Any) -> None:
        self._retries.watch_arguments(environment)
        self._databases.watch(environment, self._retries.end_attempt)

    def _begin_stage(self, name: Stage) -> None:
        self._stage = name
        self._model_ddl.begin_stage(name)
        self._answer.send(StageStarted(name))

    def _run_prepare_commands(self) -> None:
        self._begin_stage("prepare")
        # What they did in the database is in the copy that the models' process gets.
        for command in self._order.prepare if self._models_run is None else ():
            run_prepare_command(command)

    def _run_history(self) -> None:
        from alembic.script import ScriptDirectory

        self._begin_stage("import")
        if self._models_run is None:
            self._pipeline.install()
            self._recorder.install()
            self._pipeline.remember_own_listeners()
        self._own_upgrades.begin(self._retries.additions.history)
        project = load_project_config(self._order, self._retries.additions)
        self._retries.watch_config(project.config)
        script = ScriptDirectory.from_config(project.config)
        if not self._own_upgrades.is_of_skipped(script):
            self._retries.repeat_with_history(identify_history(script))
        with project.contexts:
            if self._models_run is None:
                self._replay(project, script)
            else:
                self._create_models(self._models_run, project, script)

    def _replay(self, project: ProjectConfig, script: Any) -> None:
        history = ScriptHistory(script, self._answer)
        history.is_environment_error = self._retries.is_environment_error
        history.send_folders()
        upgrade = HistoryUpgrade(
            self._order,
            script,
            history,
            self._recorder,
            self._answer,
            model_ddl=self._model_ddl,
            guard=self._guard,
            keeper=self._keeper,
            pipeline=self._pipeline,
        )
        self._keeper.list_keywords = upgrade.keywords.list_keywords
        self._keeper.has_model_ddl = lambda: bool(
            self._model_ddl.find_model_ddl(upgrade.configured_metadatas)
        )
        upgrade.watch_environment = self._watch_environment
        upgrade.is_other_database = self._databases.is_other
        upgrade.before_context = self._retries.retry_on_postgresql
        self._upgrade = upgrade
        is_replayed = project.call_env(lambda: self._run_env(project, history, upgrade))
        # A project's own `call_env` may return nothing: then the run counts as complete.
        if is_replayed is not False and self._order.task == "replay":
            self._finish_history(upgrade, project, script)
        else:
            self._send_model_ddl()

    def _create_models(self, models_run: ModelsRun, project: ProjectConfig, script: Any) -> None:
        """Run env.py without a step, in the process of the models."""
        self._begin_stage("replay")
        try:
            project.call_env(lambda: models_run.run_env(project.config, script))
        except BaseException:
            if models_run.own_error is not None:
                self._stage = "models"
            raise
        models_run.send_missing_contexts()

    def _run_env(self, project: ProjectConfig, history: ScriptHistory, upgrade: HistoryUpgrade) -> bool:
        """Run env.py; False if the revisions cannot be read, which is a finding and no failure."""
        self._begin_stage("replay")
        try:
            upgrade.run_env(project.config)
        except BaseException:
            if history.import_error is None and history.send_once():
                raise
            if history.import_error is not None:
                self._stage = "revisions"
                raise history.import_error from None
            return False  # env.py failed because of the revisions
        upgrade.raise_caught_error()
        return history.send_once()

    def _finish_history(self, upgrade: HistoryUpgrade, project: ProjectConfig, script: Any) -> None:
        """Run revisions once more, if the gate wants that; and create the models, if the other one failed."""
        if not self._answer.is_owner:  # the project's code forked this process, and let it come back here
            os._exit(0)
        self._answer.release()  # env.py ended without an error, with or without a context
        self._begin_stage("models")
        tables = tuple(sorted(upgrade.table_names))
        used = self._files_used.list_used() if self._order.keeps_facts else UsedFiles()
        self._answer.send(
            HistoryFinished(
                tables,
                upgrade.skipped_contexts,
                upgrade.keywords.list_keywords(),
                files_read=used.files,
                modules=used.modules,
                module_folders=used.folders,
            )
        )
        self._send_model_ddl()  # while the gate copies the database
        request = self._orders.receive_request()
        while isinstance(request, RunsRequest):
            self._prepare_runs(upgrade).carry_out(request, project.config, script, project.call_env)
            request = self._orders.receive_request()
        if request is not None:
            open_memory()
            database = ModelsDatabase(self._order, self._redirection, self._answer)
            describes_tables = request.describes_tables
            database.create_models(upgrade.finished_contexts, {}, (), describes_tables=describes_tables)

    def _prepare_runs(self, upgrade: HistoryUpgrade) -> RevisionRuns:
        runs = RevisionRuns(
            self._order,
            self._redirection,
            self._recorder,
            self._answer,
            self._orders,
            home=self._home,
            plans=upgrade.plans,
        )
        runs.is_other_database = self._databases.is_other
        runs.watch_environment = self._retries.watch_arguments
        return runs

    def _send_model_ddl(self) -> None:
        """Send once what was built from the models; what follows is the gate's own."""
        if not self._model_ddl.is_active:
            return
        self._model_ddl.is_active = False
        metadatas = self._upgrade.configured_metadatas if self._upgrade is not None else []
        with self._guard.observing(OBSERVATION):
            statements = self._model_ddl.find_model_ddl(metadatas)
            if statements:
                self._answer.send(ModelDdlFound(statements))

    def _send_notes(self) -> None:
        for note in dict.fromkeys(self._notes):
            self._answer.send(note)
        self._guard.send_failures(self._answer)

    def _send_failure(self, error: BaseException) -> None:
        report = describe_error(error, home=self._home)
        file, line = self._recorder.file, self._recorder.line
        record: StepRecord = self._recorder.end_step()
        self._answer.send(
            RunFailed(
                stage="gate" if self._is_own_failure(error, report) else self._stage,
                error=report,
                revision=self._upgrade.running_revision if self._upgrade is not None else None,
                file=os.path.realpath(file) if file is not None else None,
                line=line,
                statements=record.statements,
                first_error=self._recorder.find_first_error(report),
                missing=self._retries.missing_settings() if not self._has_run_revisions() else (),
                cursor_statements=record.cursor_statements,
            )
        )

    def _is_own_failure(self, error: BaseException, report: ErrorReport) -> bool:
        """Whether the gate's code failed, or a statement of its own aborted the project's transaction."""
        follows_from_own = self._guard.has_spoilt_transaction and report.sqlstate == ABORTED_TRANSACTION
        return isinstance(error, GateFailed) or follows_from_own

    def _has_run_revisions(self) -> bool:
        return self._upgrade is not None and self._upgrade.has_begun
