"""Reports the packages that a replay needs: Alembic, SQLAlchemy and a driver for PostgreSQL."""

from __future__ import annotations

import sys

from .answer_stream import AnswerStream
from .dialect_choice import find_installed_drivers
from .error_report import describe_error
from .protocol.run_lines import RunFailed, WorkerStarted


def report_packages(answer: AnswerStream) -> bool:
    """Send the versions that this interpreter has, or what it lacks; False if a package is missing."""
    try:
        import alembic
        import sqlalchemy
    except ImportError as error:
        answer.send(RunFailed("interpreter", describe_error(error)))
        return False
    python = sys.version.split()[0]
    drivers = find_installed_drivers()
    answer.send(WorkerStarted(python, alembic.__version__, sqlalchemy.__version__, drivers))
    if not drivers:
        no_driver = ImportError("no PostgreSQL driver is installed")
        answer.send(RunFailed("driver", describe_error(no_driver)))
    return bool(drivers)
