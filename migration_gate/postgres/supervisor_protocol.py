"""The messages between the gate and the supervisor, as JSON, one a line. Used by both ends.

The gate sends: {"copy": CopyCluster}, {"start": StartCommand}, {"stop": true} and {"final_cleanup":
FinalCleanup or null}. The supervisor replies: {"copied": error number or 0} to a copy, {"started": pid} or
{"failed": text} to a start, and {"ended": status} when the command has ended (negative: the signal that
killed it).

Standard library only, and no dataclass: the supervisor has to start in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class CopyCluster:
    """A cluster for the supervisor to copy; it must be complete."""

    def __init__(
        self, *, source: str, target: str, uid: int | None, gid: int | None, files: int, size: int
    ) -> None:
        """The account, and the number of files and of bytes that the cluster must have."""
        self.source = source
        self.target = target
        self.uid = uid
        self.gid = gid
        self.files = files
        self.size = size


class StartCommand:
    """A command for the supervisor to start; it runs one at a time."""

    def __init__(
        self,
        *,
        command: Sequence[str],
        uid: int | None,
        gid: int | None,
        environment: Mapping[str, str],
        log_file: str,
        stop_signal: int,
        pid_file: str,
        unix_sockets_only: bool,
        writable_folders: Sequence[str] | None,
    ) -> None:
        """See `SupervisorClient.start_command`."""
        self.command = command
        self.uid = uid
        self.gid = gid
        self.environment = environment
        self.log_file = log_file
        """its output is appended here"""
        self.stop_signal = stop_signal
        self.pid_file = pid_file
        """of a Postgres server, else ''; names the shared memory that a killed server leaves"""
        self.unix_sockets_only = unix_sockets_only
        self.writable_folders = writable_folders


class FinalCleanup:
    """A command that the supervisor runs at its end, where the gate could not clean up itself."""

    def __init__(self, *, command: Sequence[str], standard_input: str) -> None:
        """The input may hold a password, which may not stand in a command line."""
        self.command = command
        self.standard_input = standard_input
