"""The command line that runs another command in the sandbox."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from migration_gate.sandbox.options import SandboxOptions
from migration_gate.sandbox.user import Account

SANDBOX_FOLDER = str(Path(__file__).parent)


def sandbox_command(
    command: Sequence[str],
    *,
    account: Account | None = None,
    unix_sockets_only: bool = False,
    allowed_socket: str = "",
    allowed_socket_file: str = "",
    notes_descriptor: int | None = None,
    descriptors_to_close: Sequence[int] = (),
) -> list[str]:
    """The command, run by the sandbox. Its first word must be an absolute path.

    account: whose rights the command has; None for those of this process.
    unix_sockets_only: no sockets but Unix sockets, and of those only the allowed one and the command's own.
        Only where `supports_seccomp()`.
    allowed_socket: path of the Unix socket that may be connected to.
    allowed_socket_file: a file that names this socket; it may be written while the command runs.
    notes_descriptor: where the sandbox writes a note, as a line of the worker's answer, if it cannot
        keep the command from another Postgres server of this machine.
    descriptors_to_close: what the sandbox closes when the command has inherited it.
    """
    options = SandboxOptions(
        uid=account.uid if account else None,
        gid=account.gid if account else None,
        unix_sockets_only=unix_sockets_only,
        allowed_socket=allowed_socket,
        allowed_socket_file=allowed_socket_file,
        notes_descriptor=notes_descriptor,
        descriptors_to_close=descriptors_to_close,
    )
    return [sys.executable, "-I", "-S", SANDBOX_FOLDER, options.to_json(), *command]
