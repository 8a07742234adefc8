"""The command line that runs another command in the sandbox."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from migration_gate.sandbox.options import VARIABLE_PREFIX, SandboxOptions
from migration_gate.sandbox.own_sockets import identify_file
from migration_gate.sandbox.user import Account

SANDBOX_FILE = str(Path(__file__).with_name("__main__.py"))


def sandbox_command(
    command: Sequence[str],
    *,
    account: Account | None = None,
    unix_sockets_only: bool = False,
    no_unix_sockets: bool = False,
    allowed_socket: str = "",
    allowed_socket_descriptor: int | None = None,
    notes_descriptor: int | None = None,
    descriptors_to_close: Sequence[int] = (),
    writable_folders: Sequence[str] | None = None,
) -> list[str]:
    """The command, run by the sandbox. Its first word must be an absolute path.

    It is to be started with `sandbox_environment`.

    account: whose rights the command has; None for those of this process.
    unix_sockets_only: no sockets but Unix sockets, and of those only the allowed one and the command's own.
        Only if `supports_seccomp()`.
    no_unix_sockets: the reverse: the network, and no Unix sockets but pairs of them. Only if
        `supports_seccomp()`.
    allowed_socket: path of the Unix socket that may be connected to.
    allowed_socket_descriptor: a pipe from which the sandbox, and not the command, reads which socket this is
        (`identify_socket`), as late as at the first connection.
    notes_descriptor: where the sandbox writes a note, as a line of the worker's answer, if it cannot
        keep the command from another Postgres server of this machine.
    descriptors_to_close: what the sandbox closes when the command has inherited it.
    writable_folders: files and folders that the command may write to, as real paths; None for no limit but
        that of its account. Only if the kernel has Landlock.
    """
    options = SandboxOptions(
        uid=account.uid if account else None,
        gid=account.gid if account else None,
        unix_sockets_only=unix_sockets_only,
        no_unix_sockets=no_unix_sockets,
        allowed_socket=os.path.realpath(allowed_socket) if allowed_socket else "",
        allowed_socket_descriptor=allowed_socket_descriptor,
        notes_descriptor=notes_descriptor,
        descriptors_to_close=descriptors_to_close,
        writable_folders=writable_folders,
    )
    return [sys.executable, "-I", "-S", SANDBOX_FILE, options.to_json(), *command]


def sandbox_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of the sandbox, from which it makes those of the command.

    Some variables have the loader of programs run code (`LD_PRELOAD`), and a project chooses the variables of
    its command: under their own names they are for that command alone, which has no more rights than it.
    """
    return {VARIABLE_PREFIX + name: value for name, value in variables.items()}


def identify_socket(path: str) -> bytes:
    """What to write to the pipe `allowed_socket_descriptor` for the socket at this path. Raises OSError.

    It names the file beside the path, at which another file may lie when the sandbox looks.
    """
    return json.dumps([os.path.realpath(path), *identify_file(path)]).encode()
