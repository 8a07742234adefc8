"""What ends a run before there is a verdict. Exit status 2: the caller can mend it; 3: we broke.

GateError
├── Misconfigured           a setting is wrong: file, line, key, the nearest valid one
├── ProjectNotFound         no Alembic environment where we looked
├── ProjectNotImported      the project's own code did not load
├── DatabaseRefused         the project asked for a database that is not ours
├── PostgresNotFound        no server to be had
├── DiskFull                no room for the server
├── TimedOut                a limit that can be set was reached
├── RepositoryUnreadable    git or the file system said no
├── UntrustedCode           a stranger's code, and rights that it must not have
└── Broken                  our own fault (status 3)
    ├── PostgresDied
    ├── WorkerDied
    └── AnswerCorrupted     the project's code wrote where only the worker writes
"""

from __future__ import annotations


class GateError(Exception):
    """Ends the run. `says` is what we wanted and found; `advice` is what to do next."""

    status = 2

    def __init__(self, says: str, *, advice: str = "", where: str = "", evidence: str = "") -> None:
        super().__init__(says)
        self.message = says
        self.advice = advice
        self.where = where
        """`file:line`, where there is one"""
        self.evidence = evidence
        """the last lines of what was printed, a server log, a traceback of the project's"""


class Misconfigured(GateError):
    """A setting is wrong."""


class ProjectNotFound(GateError):
    """No Alembic environment was found where we looked."""


class ProjectNotImported(GateError):
    """The project's own code did not load."""


class DatabaseRefused(GateError):
    """The project asked for a database that is not the ephemeral one."""


class PostgresNotFound(GateError):
    """No Postgres server could be had."""


class DiskFull(GateError):
    """There is no room left for the server, or for what the migrations put into it."""


class TimedOut(GateError):
    """A time limit was reached."""


class RepositoryUnreadable(GateError):
    """Git or the file system would not let us read."""


class UntrustedCode(GateError):
    """A stranger's code is checked out, in a run that has more rights than a stranger."""


class Broken(GateError):
    """Our own fault."""

    status = 3


class PostgresDied(Broken):
    """The ephemeral server ended before we asked it to."""


class WorkerDied(Broken):
    """The worker ended without finishing its answer."""


class AnswerCorrupted(Broken):
    """The worker's answer is damaged: the project's code wrote on the gate's pipe."""
