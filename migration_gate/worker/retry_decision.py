"""Decides, if the project failed before its first revision, whether another attempt may come further."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Iterator, Literal, NoReturn, Optional

from .additions import Additions
from .answer_stream import AnswerStream, OrderStream
from .attempts import Attempt, UseOfRun
from .error_report import STANDARD_LIBRARY, WORKER_FOLDER
from .flask_database import OPTION, FlaskDatabase
from .import_hooks import ImportHooks
from .listener_guard import ListenerGuard
from .placeholders import PLACEHOLDER_URL, make_text
from .protocol.project_requests import MissingSetting, SettingSupplied
from .redirection import Redirection
from .refused_values import without_refused_values
from .setting_guesses import guess_database_variables, guess_settings
from .setting_reads import (
    ReadKind,
    SettingRead,
    SettingReads,
    WatchedDict,
    WatchedList,
    watch_own_attributes,
)
from .settings_fields import SettingsFields
from .startup_failure import StartupFailure, describe_startup_failure
from .wanted_settings import find_wanted_settings

CONFIG_KINDS: tuple[Literal["attribute", "config"], ...] = ("attribute", "config")
INSTALLED = ("%ssite-packages%s" % (os.sep, os.sep), "%sdist-packages%s" % (os.sep, os.sep))


class RetryDecision:
    """Watches one attempt: what it asks for, and what it is given."""

    def __init__(
        self, answer: AnswerStream, orders: OrderStream, redirection: Redirection, guard: ListenerGuard
    ) -> None:
        self._home = os.getcwd()
        self._answer = answer
        self._orders = orders
        self._redirection = redirection
        self._reads = SettingReads(guard)
        self._fields = SettingsFields(self._reads, guard)
        self._flask = FlaskDatabase()
        self._attempt = Attempt(is_final=True)
        self._config: Any = None

    @property
    def additions(self) -> Additions:
        """What this attempt is given beyond what the user said."""
        return self._attempt.additions

    def install(self, imports: ImportHooks) -> None:
        """Watch the environment's variables, settings classes and Flask-SQLAlchemy."""
        self._reads.install()
        self._fields.install(imports)
        self._flask.install(imports)
        await_database = self._redirection.await_database

        def decide_and_await() -> None:
            if self._redirection.database_comes_later:
                self.retry_on_postgresql()  # the process that runs the history does so at its first context
            await_database()

        self._redirection.await_database = decide_and_await

    def begin(self, attempt: Attempt) -> None:
        """Give the attempt what it is to have."""
        self._attempt = attempt
        self._orders.restore_request(attempt.request)
        os.environ.update(attempt.additions.variables)
        self._reads.supplied = set(attempt.additions.variables)
        self._fields.is_filling = attempt.additions.settings_fields
        self._flask.is_filling = attempt.additions.flask_url

    def watch_config(self, config: Any) -> None:
        """Watch what is asked of the project's alembic.config.Config."""
        self._config = config
        config.attributes = WatchedDict(config.attributes, "attribute", self._reads)
        watch_own_attributes(config, self._reads)

    def watch_arguments(self, environment: Any) -> None:
        """Watch which `-x` arguments are asked of an EnvironmentContext."""
        get_x_argument = environment.get_x_argument

        def watched_get_x_argument(as_dictionary: bool = False) -> Any:
            arguments = get_x_argument(as_dictionary=as_dictionary)
            if as_dictionary:
                return WatchedDict(arguments, "x", self._reads)
            return WatchedList(arguments, self._reads)

        environment.get_x_argument = watched_get_x_argument

    # Another attempt.

    def retry_after(self, error: BaseException) -> None:
        """Have another attempt if that may help; else nothing happens."""
        if not self._answer.is_holding or self._attempt.is_final:
            return
        with contextlib.suppress(Exception):  # objects of the project's may raise whatever is asked of them
            self._ask_for_another(self._describe_failure(error))

    def _ask_for_another(self, failure: StartupFailure) -> None:
        additions = find_wanted_settings(failure)
        if additions is not None:
            self._try_again(additions)
        guess = guess_settings(
            failure, lacks_url=self._lacks_url(), lacks_command_line=self._lacks_command_line()
        )
        if self._attempt.proven is not None:
            if guess is not None:
                self._try_again(guess)
            self._take_guess_back()
        # On another database than PostgreSQL the project may have failed over that alone.
        postgresql = self._guess_postgresql()
        first = postgresql if failure.is_of_database() else guess
        chosen = first or guess or postgresql
        if chosen is not None:
            self._try_again(chosen, without_refused_values(failure))
        truthful = without_refused_values(failure)
        if truthful != self.additions:
            self._attempt.give_up(truthful, self._use_of_run())

    def repeat_with_history(self, history: str) -> None:
        """Have the same attempt again, in which the history is known before the project's code runs."""
        if self._answer.is_holding:
            self._attempt.repeat(history, self._use_of_run())

    def retry_on_postgresql(self) -> None:
        """Have another attempt if the project believes that it is on another database, and need not."""
        if not self._redirection.replaced_urls or not self._answer.is_holding or self._attempt.is_final:
            return
        if self._attempt.proven is not None:
            self._take_guess_back()
        guess = self._guess_postgresql()
        if guess is not None:
            self._try_again(guess, self.additions)

    def _guess_postgresql(self) -> Optional[Additions]:
        """What may have the project believe that it is on PostgreSQL; None if it believes that."""
        replaced = tuple(self._redirection.replaced_urls)
        return guess_database_variables(self._reads, self.additions, replaced) if replaced else None

    def _try_again(self, additions: Additions, proven: Optional[Additions] = None) -> NoReturn:
        self._attempt.try_again(additions, proven, self._use_of_run())

    def _use_of_run(self) -> UseOfRun:
        return UseOfRun(self._orders.received_request, self._redirection.has_connected)

    def _take_guess_back(self) -> NoReturn:
        self._attempt.take_guess_back(self._use_of_run())

    def end_attempt(self) -> NoReturn:
        """End the process of this attempt, which has said what there is to say."""
        self._attempt.finish()

    def is_environment_error(self, error: BaseException) -> bool:
        """Whether a revision that cannot be imported lacks a setting, a package, a file or a service."""
        if isinstance(error, ModuleNotFoundError):
            return not self._is_own_module(error.name or "")
        if isinstance(error, OSError):
            return True
        failure = self._describe_failure(error)
        return find_wanted_settings(failure) is not None or without_refused_values(failure) != self.additions

    def _is_own_module(self, name: str) -> bool:
        """Whether the project has a package of this name: then it is the revision that is wrong."""
        top = name.partition(".")[0]
        if "." in name and top in sys.modules:
            return self._is_project_file(getattr(sys.modules[top], "__file__", None) or self._home + os.sep)
        folders = [self._home, os.path.join(self._home, "src")]
        paths = [os.path.join(folder, top) for folder in folders]
        return any(os.path.isdir(path) or os.path.isfile(path + ".py") for path in paths)

    def _describe_failure(self, error: BaseException) -> StartupFailure:
        return describe_startup_failure(
            error, self._reads, self.additions, self._fields.refusals, self._is_project_file
        )

    def _is_project_file(self, file: str) -> bool:
        if "<" in file or any(part in file for part in INSTALLED) or file.startswith(WORKER_FOLDER):
            return False
        return file.startswith(self._home + os.sep) or not file.startswith(STANDARD_LIBRARY)

    def _lacks_url(self) -> bool:
        if self._config is None:
            return False
        try:
            return not self._config.get_main_option("sqlalchemy.url")
        except Exception:  # `%(NAME)s` that nothing has filled in
            return False

    def _lacks_command_line(self) -> bool:
        return self._config is not None and self._config.cmd_opts is None

    # For the report.

    def send_supplied(self) -> None:
        """Send what this attempt was given in spite of the user's silence."""
        additions = self.additions
        for name, value in additions.variables.items():
            instead_of = additions.replaced.get(name, "")
            self._answer.send(SettingSupplied("variable", name, value, instead_of, self._find_place(name)))
        for name, value in self._fields.supplied.items():
            self._answer.send(SettingSupplied("field", name, value))
        options = {**additions.options, **({"sqlalchemy.url": PLACEHOLDER_URL} if additions.url else {})}
        for name, value in options.items():
            self._answer.send(SettingSupplied("option", name, value))
        if self._flask.is_supplied:
            self._answer.send(SettingSupplied("flask", OPTION, PLACEHOLDER_URL))

    def missing_settings(self) -> tuple[MissingSetting, ...]:
        """What was asked for in vain in this attempt."""
        return tuple(self._list_missing())

    def _list_missing(self) -> Iterator[MissingSetting]:
        for read in self._reads.missing_variables().values():
            is_own = any(self._is_project_file(caller.file) for caller in read.callers[:1])
            if is_own and not read.is_existence_check:
                example = self.additions.suggest_example(read.name)
                in_vain = read.name in self.additions.guessed_in_vain
                place = self._place_of(read)
                yield MissingSetting("variable", read.name, example, read.default, place, in_vain)
        refused = set(self.additions.tried).difference(self.additions.variables)
        for name in (*sorted(refused), *self._fields.refused):
            yield MissingSetting("variable", name, place=self._find_place(name))
        for name, default in self._reads.defaults.items():
            yield MissingSetting("variable", name, make_text(name), default)
        for name in self._reads.names("x"):
            yield MissingSetting("x", name, place=self._find_place(name, "x"))
        for kind in CONFIG_KINDS:
            for name in self._reads.names(kind):
                yield MissingSetting(kind, name, place=self._find_place(name, kind))

    def _find_place(self, name: str, kind: ReadKind = "variable") -> str:
        """Where the project asks for the setting, first without a default; '' if a library does."""
        reads = [read for read in self._reads.reads if (read.kind, read.name) == (kind, name)]
        reads.sort(key=lambda read: (read.default is not None, read.is_existence_check))
        return next(filter(None, map(self._place_of, reads)), "")

    def _place_of(self, read: SettingRead) -> str:
        """The innermost of the project's own callers."""
        for caller in read.callers:
            if self._is_project_file(caller.file):
                is_below = caller.file.startswith(self._home + os.sep)
                file = os.path.relpath(caller.file, self._home) if is_below else caller.file
                return "%s:%d" % (file, caller.line)
        return ""
