"""What a sandboxed command may do: written by the gate (`command`), read by the sandbox (`__main__`).

Standard library only, and no dataclass: importing `dataclasses` takes longer than all else that the sandbox
imports.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

VARIABLE_PREFIX = "COMMAND:"
"""how the names of the command's variables begin in the environment of the sandbox"""


class SandboxOptions:
    """Who the command runs as, which sockets it may connect to, and which descriptors the sandbox has."""

    def __init__(
        self,
        *,
        uid: int | None = None,
        gid: int | None = None,
        unix_sockets_only: bool = False,
        no_unix_sockets: bool = False,
        allowed_socket: str = "",
        allowed_socket_descriptor: int | None = None,
        notes_descriptor: int | None = None,
        descriptors_to_close: Sequence[int] = (),
        writable_folders: Sequence[str] | None = None,
    ) -> None:
        """See `sandbox_command`; `uid` and `gid` are those of its `account`."""
        self.uid = uid
        self.gid = gid
        self.unix_sockets_only = unix_sockets_only
        self.no_unix_sockets = no_unix_sockets
        self.allowed_socket = allowed_socket
        self.allowed_socket_descriptor = allowed_socket_descriptor
        self.notes_descriptor = notes_descriptor
        self.descriptors_to_close = descriptors_to_close
        self.writable_folders = writable_folders

    def to_json(self) -> str:
        """The options as one argument of the command line."""
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, text: str) -> SandboxOptions:
        """The options that `to_json` wrote."""
        return cls(**json.loads(text))


def command_variables() -> dict[bytes, bytes]:
    """The command's variables, under their own names."""
    prefix = VARIABLE_PREFIX.encode()
    return {
        name.removeprefix(prefix): value for name, value in os.environb.items() if name.startswith(prefix)
    }
