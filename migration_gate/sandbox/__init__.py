"""Starts a command in a cage: one Unix socket, an unprivileged user, and nothing of it survives us.

    python -I -S migration_gate/sandbox '{"uid": 65534, "gid": 65534, "sockets": true, "socket": …}' COMMAND …

Standard library only, because it runs before anything else and has to start in milliseconds. It stays as the
command's parent: it dies with the gate, it adopts whatever the command leaves behind, and ends that too.
The filter (seccomp) is set before the command's interpreter starts, needs no privileges, and is inherited by
every child. It refuses every socket that is not a Unix socket, and has the kernel ask us about each
connect(): only the server of this run, and sockets that the command made itself, may be reached. Where the
kernel cannot ask, and another Postgres has a socket here, the command's answer begins with a note of it.
"""

import os

from migration_gate.sandbox.seccomp import supports_seccomp

SANDBOX_FOLDER = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  (pathlib costs 5 ms)
"""what to start"""

__all__ = ["SANDBOX_FOLDER", "supports_seccomp"]
