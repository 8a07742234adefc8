"""Errors that stop a run before findings exist. Exit status 2: user error; 3: bug in Migration Gate.

GateError
├── Misconfigured           a setting is wrong
├── ProjectNotFound         no Alembic environment was found
├── ProjectNotImported      the project's own code did not load
├── DatabaseRefused         the project asked for a database that is not the ephemeral one
├── PostgresNotFound        no Postgres server is available
├── DiskFull                no room for the server
├── TimedOut                a time limit from the settings was reached
├── RepositoryUnreadable    git or the file system denied access
├── SeveralDatabases        env.py migrates several databases: one run for each
├── UntrustedCode           code of a stranger in a run with rights that it must not have
└── Broken                  a bug in Migration Gate (exit status 3)
    ├── PostgresDied        the server ended too early
    ├── WorkerDied          the worker ended too early
    └── AnswerCorrupted     the project's code wrote on the pipe of the worker
"""

from __future__ import annotations


class GateError(Exception):
    """An error that stops the run, for people: what is wrong, where, and what to do next."""

    status = 2
    """the exit status"""

    def __init__(self, message: str, *, advice: str = "", where: str = "", evidence: str = "") -> None:
        super().__init__(message)
        self.message = message
        """what was expected and what was found, as sentences"""
        self.advice = advice
        """what to do next; indented lines are code or configuration to copy"""
        self.where = where
        """`file:line`, a variable, or an option of the command line"""
        self.evidence = evidence
        """the last lines of what was printed, a server log, or a traceback of the project"""


class Misconfigured(GateError):
    """A setting is wrong."""


class ProjectNotFound(GateError):
    """No Alembic environment was found."""


class ProjectNotImported(GateError):
    """The project's own code did not load."""


class DatabaseRefused(GateError):
    """The project asked for a database that is not the ephemeral one."""


class SeveralDatabases(GateError):
    """env.py migrates several databases, each of which is judged in a run of its own."""

    def __init__(self, addresses: tuple[str, ...], judged: tuple[str, ...]) -> None:
        """`addresses`: `host:port/database` of all; `judged`: those with models of their own."""
        names = ", ".join(f"`{address}`" for address in addresses)
        super().__init__(
            f"env.py migrates several databases: {names}.",
            advice="Replay one at a time: give env.py an argument (`x:`) or a variable (`env:`) that chooses "
            "it, and name one project for each under `projects:`.",
        )
        self.addresses = addresses
        self.judged = judged


class PostgresNotFound(GateError):
    """No Postgres server is available."""


class DiskFull(GateError):
    """There is no room left for the server, or for the data that the migrations write."""


class TimedOut(GateError):
    """A time limit from the settings was reached."""


class RepositoryUnreadable(GateError):
    """Git or the file system denied access to the repository."""


class UntrustedCode(GateError):
    """The code of a stranger is checked out in a run that has more rights than a stranger."""


class Broken(GateError):
    """A bug in Migration Gate."""

    status = 3


class PostgresDied(Broken):
    """The ephemeral server ended before it was stopped."""


class WorkerDied(Broken):
    """The worker ended before its answer was complete."""


class AnswerCorrupted(Broken):
    """The worker's answer is damaged: the project's code wrote on the pipe."""


class AnswersMissing(Exception):
    """No error of the run's: the history has to run again, and to wait for the answer to each statement."""
