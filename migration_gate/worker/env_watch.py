"""What env.py does around the revisions: errors that it catches, contexts that it does not run."""

from __future__ import annotations

from typing import Any, Optional

from .deferred_methods import dataclass

OFFLINE_MODE = (
    "env.py configures its context for offline mode (as_sql=True): its statements would be printed, and not "
    "run; give as_sql only where context.is_offline_mode() is true"
)


@dataclass(frozen=True)
class CaughtError:
    """An error of a revision, which env.py may have caught."""

    error: BaseException
    revision: str
    file: Optional[str]
    line: Optional[int]


class ConfiguredContexts:
    """Counts the contexts that env.py configured with a connection of their own, and did not run."""

    def __init__(self) -> None:
        self._waiting: list[Any] = []

    def watch(self, environment: Any) -> None:
        """Count the calls of `configure` of this EnvironmentContext."""
        configure = environment.configure

        def configure_and_count(connection: Any = None, *positional: Any, **options: Any) -> None:
            configure(connection, *positional, **options)
            if connection is not None:
                self._waiting = [other for other in self._waiting if other is not connection] + [connection]

        environment.configure = configure_and_count

    def run_newest(self) -> None:
        """The context that was configured last is being run."""
        del self._waiting[-1:]

    @property
    def skipped(self) -> int:
        """How many are left."""
        return len(self._waiting)
